import pickle

import numpy as np
import pytest

from mdt.data import DataError, open_source


def test_class_folders(classes, draw):
    source = open_source("folder", classes)
    assert source.classes == ("ant", "bee", "cat")
    assert source.shape == (3, 16, 16)
    assert len(source) == 15
    read = [source.read(i) for i in range(15)]
    assert [label for _, label in read] == [0] * 4 + [1] * 5 + [2] * 6
    for i, (pixels, _) in enumerate(read):
        assert np.array_equal(pixels, draw(i))


def test_a_flat_folder_has_no_labels(classes, draw):
    source = open_source("folder", classes / "ant" / "deeper")
    assert source.classes is None
    pixels, label = source.read(0)
    assert np.array_equal(pixels, draw(3))
    assert label is None


def test_labels_can_be_left(classes):
    source = open_source("folder", classes, labels=False)
    assert source.classes is None
    assert source.read(3)[1] is None
    assert len(source) == 15


def test_pickled_it_reads_the_same(classes):
    source = open_source("folder", classes, size=8)
    copy = pickle.loads(pickle.dumps(source))
    assert np.array_equal(copy.read(4)[0], source.read(4)[0])


def test_the_identity_tells_what_is_in_it(classes, draw, encoded):
    one = open_source("folder", classes).identity
    assert one == open_source("folder", classes).identity
    (classes / "ant" / "new.png").write_bytes(encoded(draw(99)))
    two = open_source("folder", classes).identity
    (classes / "ant" / "new.png").rename(classes / "bee" / "new.png")
    assert len({one, two, open_source("folder", classes).identity}) == 3


def test_links_are_followed_once_and_hidden_names_passed_over(tmp_path, draw, encoded):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.JPEG").write_bytes(encoded(draw(0)))
    data = tmp_path / "data"
    (data / "x").mkdir(parents=True)
    (data / "x" / "link").symlink_to(tmp_path / "elsewhere")
    (data / "x" / "loop").symlink_to(data / "x")
    (data / ".hidden").mkdir()
    (data / ".hidden" / "b.png").write_bytes(b"")
    (data / "x" / "._a.png").write_bytes(b"")
    (data / "x" / "notes.txt").write_text("no picture")
    source = open_source("folder", data)
    assert (len(source), source.classes) == (1, ("x",))


def test_no_such_folder(tmp_path):
    with pytest.raises(DataError, match=r"pictures .*nowhere does not exist"):
        open_source("folder", tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="is a file, not a folder"):
        open_source("folder", tmp_path / "file")
    with pytest.raises(DataError, match="Say where"):
        open_source("folder", "")


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match=r"holds no pictures \(files ending in \.jpg"):
        open_source("folder", tmp_path)


def test_pictures_beside_class_folders(classes, draw, encoded):
    (classes / "stray.png").write_bytes(encoded(draw(0)))
    with pytest.raises(DataError, match=r"stray\.png\) beside class folders \(ant\)"):
        open_source("folder", classes)
    assert len(open_source("folder", classes, labels=False)) == 16


def test_an_empty_class(classes):
    (classes / "dog").mkdir()
    with pytest.raises(DataError, match="class folder dog holds no pictures"):
        open_source("folder", classes)


def test_unreadable_pictures_are_counted_and_named(classes):
    for i in range(3):
        (classes / "bee" / f"{i}.png").write_bytes(b"not a picture")
    for i in range(4):
        (classes / "cat" / f"{i}.png").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"^7 of 15 pictures cannot be read: .*skip_unreadable"
    ) as caught:
        open_source("folder", classes)
    assert str(caught.value).count(".png") == 5
    assert "and 2 more" in str(caught.value)
    source = open_source("folder", classes, skip_unreadable=True)
    assert len(source) == 8
    assert [source.read(i)[1] for i in range(8)] == [0, 0, 0, 0, 1, 1, 2, 2]
    assert len(open_source("folder", classes, check=False)) == 15


def test_none_is_readable(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match="1 of 1 pictures"):
        open_source("folder", tmp_path, skip_unreadable=True)


def test_pictures_of_several_sizes_need_a_size(classes, draw, encoded):
    (classes / "cat" / "wide.png").write_bytes(encoded(draw(0, 16, 20)))
    source = open_source("folder", classes)
    with pytest.raises(DataError, match=r"wide\.png is 20x16 pixels and the first one is 16x16"):
        [source.read(i) for i in range(16)]
    sized = open_source("folder", classes, size=[8, 12])
    assert {sized.read(i)[0].shape for i in range(16)} == {(8, 12, 3)}


def test_names_that_there_are_not():
    with pytest.raises(DataError, match="no kind of data 'folders'; did you mean 'folder'"):
        open_source("folders", "x")
    with pytest.raises(DataError, match="no setting 'sise'; did you mean 'size'"):
        open_source("folder", "x", sise=3)
    for size in (0, [1, 2, 3], "12", 1.5):
        with pytest.raises(DataError, match="size is a number of pixels"):
            open_source("folder", "x", size=size)
