import csv
import json
import os
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from editanything.batch import edit_folder, rows_of_csv
from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.examples import EXAMPLES
from editanything.rows import edit_rows


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


@pytest.fixture
def table(folder, tmp_path):
    mask = np.zeros((400, 600), bool)
    mask[50:90, 40:120] = True
    Image.fromarray(mask).save(folder / "m.png")
    path = tmp_path / "edits.csv"
    path.write_text(
        "file,command,mask,seed\n"
        "a.jpg,make it teal,m.png,4\n"
        'a.jpg,"blur the background",,\n'
        "b.jpg,remove the spoon,,\n"
    )
    return path


def test_a_table_of_commands_with_masks_seeds_and_a_report(folder, table, tmp_path, capsys):
    out, report = tmp_path / "out", tmp_path / "report.csv"
    words = ["batch", str(folder), "--commands", str(table), "-o", str(out), "--seed", "2"]
    assert main([*words, "--report", str(report)]) == 2
    assert sorted(path.name for path in out.glob("*.png")) == ["a.jpg-1.png", "a.jpg-2.png"]
    editor, alone = Editor.from_preset(), tmp_path / "alone.png"
    mask = np.zeros((400, 600), bool)
    mask[50:90, 40:120] = True
    editor.edit(folder / "a.jpg", "make it teal", selection=mask, seed=4).save(alone)
    assert (out / "a.jpg-1.png").read_bytes() == alone.read_bytes()
    with report.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["status"] for line in lines] == ["done", "done", "failed"]
    assert [line["seed"] for line in lines] == ["4", "2", "2"]
    assert 0 < float(lines[0]["changed_share"]) < 0.1
    assert "spoon" in lines[2]["said"]
    capsys.readouterr()
    report = tmp_path / "report.json"
    assert main([*words, "--report", str(report)]) == 2
    states = [line["status"] for line in json.loads(report.read_text())]
    assert states == ["there already", "there already", "failed"]


def test_results_of_another_command_are_not_taken_for_done(folder, tmp_path):
    editor, out = Editor.from_preset(), tmp_path / "out"
    list(edit_folder(editor, folder, "blur the image", out))
    with pytest.raises(InputError, match=r"made by another command.*blur the image"):
        list(edit_folder(editor, folder, "brighten the image", out))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,command\na.jpg,blur it\n", "names its columns: file,command"),
        ("file,command\n", "has no commands"),
        ("file,command\na.jpg,\n", "line 2: file and command"),
        ("file,command,seed\na.jpg,blur it,x\n", "line 2: seed is a whole number"),
        ("", "it has nothing"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(folder, tmp_path, text, said):
    table = tmp_path / "edits.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=said):
        rows_of_csv(table, folder, tmp_path / "out")


def pictures(folder, *names):
    """Small grey pictures."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 24, 3), 90, np.uint8)).save(path)
    return folder


def test_files_that_come_to_one_name_are_told_apart_by_numbers(tmp_path):
    folder = pictures(tmp_path / "in", "a.png", "sub/x.png", "sub_x.png")
    table, out = tmp_path / "edits.csv", tmp_path / "out"
    wanted = {
        "a.png-1.png": "brighten the image",
        "a.png-2.png": "darken the image",
        "sub_x.png-1.png": "make the image red",
        "sub_x.png-2.png": "flip the image",
    }
    files = ("a.png", "./a.png", "sub/x.png", "sub_x.png")
    lines = [f"{file},{text}" for file, text in zip(files, wanted.values(), strict=True)]
    table.write_text("\n".join(["file,command", *lines]))
    editor = Editor.from_preset()
    done = list(edit_rows(editor, rows_of_csv(table, folder, out), out))
    assert {d.output.name: d.text for d in done if not d.skipped and not d.error} == wanted
    assert sorted(path.name for path in out.glob("*.png")) == sorted(wanted)
    record = json.loads((out / "batch.json").read_text())
    assert {name: row["text"] for name, row in record.items()} == wanted
    assert all(d.skipped for d in edit_rows(editor, rows_of_csv(table, folder, out), out))


def test_two_edits_with_one_output_are_refused_before_any_is_done(tmp_path):
    folder = pictures(tmp_path / "in", "a.png")
    table, out = tmp_path / "edits.csv", tmp_path / "out"
    table.write_text("file,command\na.png,blur it\na.png,flip it\na.png-1,darken it\n")
    with pytest.raises(InputError, match=r"“blur it” for .*a\.png and “darken it”"):
        list(edit_rows(Editor.from_preset(), rows_of_csv(table, folder, out), out))
    assert not out.exists()


def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path, capsys):
    folder = pictures(tmp_path / "in", "a.png")
    blocked = tmp_path / "blocked"
    (blocked / "batch.json").mkdir(parents=True)
    for out in (folder / "a.png" / "out", blocked, "/proc/none"):
        assert main(["batch", str(folder), "brighten the image", "-o", str(out)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Results cannot be written to" in captured.err
        assert len(captured.err.splitlines()) == 1


def test_a_mask_may_be_as_large_as_the_preset_lets_pictures_be(tmp_path):
    folder = pictures(tmp_path / "in", "a.png", "m.png")
    table, out = tmp_path / "edits.csv", tmp_path / "out"
    table.write_text("file,command,mask\na.png,brighten it,m.png\n")
    small = Editor.from_preset("default", max_megapixels=0.0004)
    Image.fromarray(np.full((20, 20, 3), 90, np.uint8)).save(folder / "a.png")
    (done,) = edit_rows(small, rows_of_csv(table, folder, out), out)
    assert done.error is not None
    assert "m.png" in done.error and "megapixels" in done.error


def test_two_processes_share_the_pictures(folder, tmp_path):
    out, report = tmp_path / "out", tmp_path / "report.json"
    words = [str(folder), "blur the image", "-o", str(out), "--report", str(report)]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = subprocess.run(
        [*command, f"--master_port={port}", "-m", "editanything.batch", *words],
        env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    lines = json.loads(report.read_text())
    assert [line["status"] for line in lines] == ["done", "done"]
    alone = tmp_path / "alone.png"
    Editor.from_preset().edit(folder / "b.jpg", "blur the image").save(alone)
    assert (out / "b.jpg.png").read_bytes() == alone.read_bytes()
