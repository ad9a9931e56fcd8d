import shutil

import pytest

from editanything.batch import edit_folder
from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.examples import EXAMPLES


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "in"
    path.mkdir()
    shutil.copy(EXAMPLES["coffee"].path, path / "a.jpg")
    shutil.copy(EXAMPLES["cat"].path, path / "b.jpg")
    (path / "notes.txt").write_text("no picture")
    return path


def test_every_picture_is_edited_once_and_one_failure_stops_no_other(folder, tmp_path):
    (folder / "broken.png").write_text("no picture")
    editor, out = Editor.from_preset(), tmp_path / "out"
    done = list(edit_folder(editor, folder, "blur the image", out, seed=3))
    assert [(d.source.name, d.error is None) for d in done] == [
        ("a.jpg", True), ("b.jpg", True), ("broken.png", False),
    ]  # fmt: skip
    alone = tmp_path / "alone.png"
    editor.edit(folder / "a.jpg", "blur the image", seed=3).save(alone)
    assert (out / "a.jpg.png").read_bytes() == alone.read_bytes()
    assert not (out / "broken.png.png").exists()
    (out / "b.jpg.png").unlink()
    again = list(edit_folder(editor, folder, "blur the image", out, seed=3))
    assert [d.skipped for d in again] == [True, False, False]


def test_the_command_line_says_what_became_of_each(folder, tmp_path, capsys):
    words = ["batch", str(folder), "remove the spoon", "-o", str(tmp_path / "out")]
    assert main(words) == 2  # there is no spoon in the cat's picture
    captured = capsys.readouterr()
    assert "a.jpg.png" in captured.out
    assert "b.jpg: There is no “the spoon”" in captured.out
    assert "1 of the pictures" in captured.err


def test_bad_folders_are_one_sentence(folder, tmp_path):
    editor = Editor.from_preset()
    with pytest.raises(InputError, match="no folder"):
        list(edit_folder(editor, tmp_path / "none", "blur the image", tmp_path / "out"))
    with pytest.raises(InputError, match="no picture"):
        list(edit_folder(editor, tmp_path, "blur the image", tmp_path / "out"))
    with pytest.raises(InputError, match="is a file"):
        list(edit_folder(editor, folder, "blur the image", folder / "a.jpg"))
