import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mdt.data import DataError, open_source


@pytest.fixture
def write(tmp_path, draw, encoded):
    """write(name, count, first, **columns) -> a file as `datasets` writes it."""

    def make(name="a.parquet", count=10, first=0, names=("cat", "dog"), rows=None, **columns):
        cells = [{"bytes": encoded(draw(first + i)), "path": f"{i}.png"} for i in range(count)]
        table = {"image": cells, "label": [i % 2 for i in range(count)], **columns}
        table = pa.table({key: value for key, value in table.items() if value is not None})
        if names:
            features = {
                "label": {"_type": "ClassLabel", "names": list(names)},
                "image": {"_type": "Image"},
            }
            about = {"huggingface": json.dumps({"info": {"features": features}})}
            table = table.replace_schema_metadata(about)
        pq.write_table(table, tmp_path / name, row_group_size=rows)
        return tmp_path / name

    return make


def holds(source, numbers, draw):
    assert len(source) == len(numbers)
    for i, number in enumerate(numbers):
        assert np.array_equal(source.read(i)[0], draw(number))


def test_a_file_of_structs(write, draw):
    source = open_source("parquet", write())
    assert source.classes == ("cat", "dog")
    assert source.shape == (3, 16, 16)
    assert source.blocks is None
    holds(source, range(10), draw)
    assert [source.read(i)[1] for i in range(10)] == [0, 1] * 5
    holds(pickle.loads(pickle.dumps(source)), range(10), draw)


def test_plain_bytes_and_numbers_without_names(write, draw, encoded):
    cells = [encoded(draw(i)) for i in range(4)]
    path = write(count=4, names=None, image=None, png=cells, width=[16] * 4)
    source = open_source("parquet", path, size=8)
    assert source.classes == ("0", "1")
    assert source.shape == (3, 8, 8)
    assert source.read(3)[1] == 1
    assert open_source("parquet", path, labels=False).classes is None


@pytest.mark.parametrize("memory_mb", [1024, 0])
def test_several_files_and_row_groups(write, tmp_path, draw, memory_mb):
    write("b.parquet", 10, first=7, rows=4)
    write("a.parquet", 7, rows=3)
    source = open_source("parquet", tmp_path, memory_mb=memory_mb)
    assert source.blocks == (None if memory_mb else (3, 3, 1, 4, 4, 2))
    holds(source, range(17), draw)
    assert source.name(12).endswith("b.parquet (row 5)")
    assert [source.read(i)[1] for i in (0, 1, 7, 8)] == [0, 1, 0, 1]
    for path in ([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "*.parquet"):
        assert open_source("parquet", path, memory_mb=memory_mb).identity == source.identity
    assert open_source("parquet", tmp_path / "b.parquet").identity != source.identity


def test_only_a_few_row_groups_are_held(write):
    source = open_source("parquet", write(count=12, rows=2), memory_mb=0)
    for i in range(12):
        source.read(i)
    assert len(source._held) == 2


def test_columns_by_name(write, draw, encoded):
    other = [encoded(draw(50 + i)) for i in range(4)]
    path = write(count=4, names=None, depth=other, label=None, kind=[0, 0, 0, 2])
    assert open_source("parquet", path).classes is None
    source = open_source("parquet", path, image="depth", label="kind")
    holds(source, range(50, 54), draw)
    assert source.classes == ("0", "1", "2")


def test_unreadable_pictures(write, encoded, draw):
    cells = [{"bytes": encoded(draw(i))} for i in range(6)]
    cells[1]["bytes"], cells[4] = b"junk", None
    path = write(count=6, rows=2, image=cells)
    with pytest.raises(
        DataError, match=r"2 of 6 .*row 1\) \(not a picture\).*row 4\) \(the cell is empty"
    ):
        open_source("parquet", path)
    source = open_source("parquet", path, skip_unreadable=True)
    holds(source, (0, 2, 3, 5), draw)
    assert [source.read(i)[1] for i in range(4)] == [0, 0, 1, 1]
    with pytest.raises(DataError, match="raise memory_mb"):
        open_source("parquet", path, skip_unreadable=True, memory_mb=0)
    late = open_source("parquet", path, memory_mb=0)
    with pytest.raises(DataError, match=r"row 1\) cannot be read: not a picture\.$"):
        late.read(1)


@pytest.mark.parametrize(
    ("columns", "settings", "words"),
    [
        (
            {"image": None, "label": None, "text": ["x"] * 4},
            {},
            r"no column of pictures.*: text\.$",
        ),
        ({"image": None, "a": [b"x"] * 4, "b": [b"x"] * 4}, {}, "2 columns of bytes; name one"),
        ({}, {"image": "img"}, "no column 'img'; there are: image, label"),
        ({}, {"image": "label"}, "'label' .int64. holds no pictures"),
        ({}, {"label": "kind"}, "no column 'kind'"),
        ({"label": [0, 1, None, 1]}, {}, "no whole number in every row"),
        ({"kind": list("abcd")}, {"label": "kind"}, "no whole number in every row"),
        ({"label": [0, 1, 2, 1]}, {}, "picture 2 has the label 2, but there are 2 classes"),
        ({"label": [-1] * 4}, {}, "has the label -1"),
    ],
)
def test_columns_that_do_not_fit(write, columns, settings, words):
    path = write(count=4, **columns)
    with pytest.raises(DataError, match=words):
        open_source("parquet", path, **settings)


def test_several_labels(write):
    path = write(count=4, label=None, fine=[0, 1, 2, 3], coarse=[0, 0, 1, 1], names=None)
    features = {k: {"_type": "ClassLabel", "names": list("abcd")} for k in ("fine", "coarse")}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(pq.read_table(path).replace_schema_metadata(about), path)
    with pytest.raises(DataError, match=r"several labels \(fine, coarse\)"):
        open_source("parquet", path)
    assert open_source("parquet", path, label="coarse").read(2)[1] == 1


def test_files_that_do_not_fit(write, tmp_path):
    path = write()
    with pytest.raises(DataError, match="it has no rows"):
        open_source("parquet", write("empty.parquet", 0, image=pa.array([], pa.binary())))
    with pytest.raises(DataError, match=r"c\.parquet has other columns than"):
        open_source("parquet", [path, write("c.parquet", more=[1] * 10)])
    (tmp_path / "short.parquet").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"short\.parquet cannot be read as Parquet \("):
        open_source("parquet", tmp_path / "short.parquet")
    for missing in (tmp_path / "none.parquet", tmp_path / "none-*.parquet"):
        with pytest.raises(DataError, match=r"does not exist|matches no file"):
            open_source("parquet", missing)
