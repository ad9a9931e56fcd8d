import io
import json
import pickle
import tarfile

import numpy as np
import pytest

from mdt.data import DataError, batches, open_source


@pytest.fixture
def write(tmp_path, draw, encoded):
    """write(name, numbers, label=...) -> a shard; label(i) -> {ending: bytes} beside picture i."""

    def make(name, numbers, label=lambda i: {"cls": str(i % 3)}, picture=None, **options):
        with tarfile.open(tmp_path / name, "w", **options) as tar:
            for i in numbers:
                files = {"png": picture(i) if picture else encoded(draw(i)), **label(i)}
                for ending, data in files.items():
                    data = data.encode() if isinstance(data, str) else data
                    member = tarfile.TarInfo(f"train/{i:03d}.{ending}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
        return tmp_path / name

    return make


@pytest.fixture
def shards(write, tmp_path):
    for i, numbers in enumerate((range(4), range(4, 10), range(10, 12))):
        write(f"data-{i:03d}.tar", numbers)
    return tmp_path


def holds(source, numbers, draw):
    assert len(source) == len(numbers)
    for i, number in enumerate(numbers):
        assert np.array_equal(source.read(i)[0], draw(number))


def test_shards(shards, draw):
    source = open_source("webdataset", shards)
    assert source.classes == ("0", "1", "2")
    assert source.shape == (3, 16, 16)
    assert source.blocks == (4, 6, 2)
    holds(source, range(12), draw)
    assert [source.read(i)[1] for i in range(12)] == [0, 1, 2] * 4
    assert source.name(5).endswith("data-001.tar (train/005)")
    holds(pickle.loads(pickle.dumps(source)), range(12), draw)


def test_ranges_patterns_and_lists(shards, draw):
    whole = open_source("webdataset", shards)
    for path in (
        f"{shards}/data-{{000..002}}.tar",
        f"{shards}/d*.tar",
        sorted(shards.glob("*.tar")),
    ):
        assert open_source("webdataset", path).identity == whole.identity
    holds(open_source("webdataset", f"{shards}/data-{{001..002}}.tar"), range(4, 12), draw)
    with pytest.raises(DataError, match=r"data-003\.tar does not exist"):
        open_source("webdataset", f"{shards}/data-{{000..003}}.tar")
    with pytest.raises(DataError, match="a range counts up"):
        open_source("webdataset", f"{shards}/data-{{2..0}}.tar")


def test_one_shard_is_read_at_a_time(shards):
    source = open_source("webdataset", shards)
    stream = batches(source, batch=12, seed=3)
    orders = []
    for _ in range(5):
        seen = next(stream).x
        which = [
            next(i for i in range(12) if np.array_equal(source.read(i)[0], np.uint8(row)))
            for row in ((seen + 1) * 127.5).round().permute(0, 2, 3, 1).numpy()
        ]
        shard = np.repeat([0, 1, 2], (4, 6, 2))[which]
        assert sorted(which) == list(range(12))
        assert np.count_nonzero(np.diff(shard)) == 2
        orders.append(tuple(which))
    assert len(set(orders)) == 5


def test_the_index_is_kept_and_renewed(shards, draw, write):
    one = open_source("webdataset", shards)
    (kept,) = shards.glob(".mdt-index-*.npz")
    stamp = kept.stat().st_mtime_ns
    assert open_source("webdataset", shards).identity == one.identity
    assert kept.stat().st_mtime_ns == stamp
    write("data-002.tar", range(20, 25))
    holds(open_source("webdataset", shards), [*range(10), *range(20, 25)], draw)
    kept.write_bytes(b"broken")
    holds(open_source("webdataset", shards), [*range(10), *range(20, 25)], draw)
    assert kept.stat().st_size > 100


def test_the_index_can_lie_elsewhere(shards, tmp_path_factory, draw):
    place = tmp_path_factory.mktemp("index")
    open_source("webdataset", shards, index=place)
    assert len(list(place.iterdir())) == 1
    assert not list(shards.glob(".mdt*"))
    with pytest.raises(ValueError, match=r"folder .*nowhere does not exist"):
        open_source("webdataset", shards, index=place / "nowhere")


def test_labels_from_json_and_text(write, tmp_path):
    path = write("a.tar", range(6), lambda i: {"json": json.dumps({"label": i % 2, "kind": i})})
    assert [open_source("webdataset", path).read(i)[1] for i in range(3)] == [0, 1, 0]
    assert len(open_source("webdataset", path, label="json:kind").classes) == 6
    path = write("b.tar", range(3), lambda i: {"txt": ("dog", "cat", "dog")[i]})
    assert open_source("webdataset", path).classes is None
    named = open_source("webdataset", path, label="txt")
    assert named.classes == ("cat", "dog")
    assert [named.read(i)[1] for i in range(3)] == [1, 0, 1]
    (tmp_path / "classnames.txt").write_text("dog\ncat\nemu\n")
    assert open_source("webdataset", path, label="txt").classes == ("dog", "cat", "emu")
    assert open_source("webdataset", path, labels=False).read(0)[1] is None


@pytest.mark.parametrize(
    ("label", "settings", "words"),
    [
        (lambda i: {}, {"label": "cls"}, "holds no labels as cls"),
        (lambda i: {}, {"label": "class"}, "cls, json:KEY or txt; got label='class'"),
        (lambda i: {"cls": "cat"}, {}, "the label 'cat', which is no whole number"),
        (lambda i: {"cls": "-1"}, {}, "has the label -1"),
        (lambda i: {"cls": "0"} if i else {}, {}, r"1 of 4 pictures have no label, .*train/000\)"),
        (lambda i: {"json": "{"}, {}, "json cannot be read as a label"),
    ],
)
def test_labels_that_do_not_fit(write, label, settings, words):
    with pytest.raises(DataError, match=words):
        open_source("webdataset", write("a.tar", range(4), label), **settings)


def test_labels_outside_the_named_classes(write, tmp_path):
    (tmp_path / "classnames.txt").write_text("dog\ncat\n")
    with pytest.raises(DataError, match="picture 2 has the label 2, but there are 2 classes"):
        open_source("webdataset", write("a.tar", range(4)))


def test_unreadable_pictures(write, encoded, draw):
    path = write("a.tar", range(6), picture=lambda i: b"junk" if i in (1, 4) else encoded(draw(i)))
    for _ in range(2):  # the second time from the index
        with pytest.raises(DataError, match=r"2 of 6 .*train/001\) \(not a picture\).*train/004"):
            open_source("webdataset", path)
    source = open_source("webdataset", path, skip_unreadable=True)
    holds(source, (0, 2, 3, 5), draw)
    assert [source.read(i)[1] for i in range(4)] == [0, 2, 0, 2]
    assert source.blocks == (4,)


def test_a_header_that_is_longer_than_the_first_look(write, draw):
    from PIL import Image, PngImagePlugin

    def slow(i):
        about, file = PngImagePlugin.PngInfo(), io.BytesIO()
        about.add(b"prVt", bytes(100_000))
        Image.fromarray(draw(i)).save(file, "PNG", pnginfo=about)
        return file.getvalue()

    holds(open_source("webdataset", write("a.tar", range(2), picture=slow)), range(2), draw)


def test_broken_shards(write, tmp_path):
    whole = write("a.tar", range(6)).read_bytes()
    for end in (700, 5000, len(whole) // 2):
        (tmp_path / "short.tar").write_bytes(whole[:end])
        with pytest.raises(
            DataError, match=r"short\.tar cannot be read .*; a plain \.tar is needed"
        ):
            open_source("webdataset", tmp_path / "short.tar")
    # A broken header in the middle would look like the end.
    at = whole.index(b"train/003.png")
    (tmp_path / "short.tar").write_bytes(whole[:at] + b"\1" * 512 + whole[at + 512 :])
    with pytest.raises(DataError, match="broken in the middle"):
        open_source("webdataset", tmp_path / "short.tar")
    with tarfile.open(tmp_path / "z.tar", "w:gz") as tar:
        tar.add(tmp_path / "a.tar", "x")
    with pytest.raises(DataError, match=r"z\.tar cannot be read .*compressed"):
        open_source("webdataset", tmp_path / "z.tar")
    with pytest.raises(DataError, match=r"e\.tar holds no pictures"):
        open_source("webdataset", write("e.tar", ()))
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"none holds no \.tar files"):
        open_source("webdataset", tmp_path / "none")
