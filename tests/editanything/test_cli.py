"""The command line as a user meets it: exit codes, one sentence, nothing half done."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from editanything.cli import main
from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.image import Picture

COFFEE = str(EXAMPLES["coffee"].path)


def run(*arguments):
    """(exit code, stdout, stderr) of a run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "editanything", *map(str, arguments)], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def refuse(capfd, tmp_path):
    """Run arguments that must be refused: exit 2, one sentence, nothing on stdout, no new file."""

    def refused(*arguments, words):
        before = sorted(tmp_path.rglob("*"))
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:  # argparse
            code = stop.code
        out, err = capfd.readouterr()
        assert code == 2, err
        assert out == ""
        assert 1 <= len(err.strip().splitlines()) <= 3, err
        assert "Traceback" not in err
        assert words.lower() in err.lower(), err
        assert sorted(tmp_path.rglob("*")) == before

    return refused


@pytest.mark.clock
def test_help_is_instant_and_imports_nothing_heavy():
    heavy = "['torch', 'numpy', 'cv2', 'gradio', 'PIL', 'pyvips', 'omegaconf', 'scipy']"
    code = (
        "import sys\n"
        "from editanything.cli import build_parser\n"
        "build_parser().format_help()\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert run("--help")[0] == 0
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_an_example_photo_is_edited_by_a_sentence(tmp_path):
    out = tmp_path / "out.png"
    code, stdout, stderr = run("edit", COFFEE, "make the saucer teal", "-o", out)
    assert (code, stderr) == (0, "")
    assert "make the saucer teal" in stdout
    picture = Picture.open(out)
    assert picture.shape == Picture.open(COFFEE).shape
    assert picture.recipe is not None


def test_json_and_plan(tmp_path, capfd):
    out = tmp_path / "out.png"
    assert main(["edit", COFFEE, "remove the spoon", "--plan", "--json"]) == 0
    plan = json.loads(capfd.readouterr().out)
    assert [step["op"] for step in plan["steps"]] == ["remove"]
    assert main(["edit", COFFEE, "remove the spoon", "-o", str(out), "--json"]) == 0
    done = json.loads(capfd.readouterr().out)
    assert done["steps"] == plan["steps"] and done["changed_pixels"] == plan["steps"][0]["pixels"]


def test_a_replay_gives_the_same_bytes_and_a_second_edit_goes_on_with_the_story(tmp_path, capfd):
    one, two, again = (tmp_path / name for name in ("one.png", "two.png", "again.png"))
    box = ["--box", "350,120,480,360"]
    assert main(["edit", COFFEE, "remove it", *box, "--seed", "5", "-o", str(one)]) == 0
    assert main(["edit", str(one), "make it blue", "--select", "100,200", "-o", str(two)]) == 0
    assert main(["replay", str(two), COFFEE, "-o", str(again)]) == 0
    assert "2 edits" in capfd.readouterr().out
    assert again.read_bytes() == two.read_bytes()


def test_segment_writes_a_mask_or_a_map(tmp_path, capfd):
    mask, regions = tmp_path / "mask.png", tmp_path / "map.png"
    assert main(["segment", COFFEE, "--select", "430,310", "-o", str(mask)]) == 0
    found = json.loads(capfd.readouterr().out)
    samples = Picture.open(mask).samples
    assert set(np.unique(samples)) == {0, 255}
    assert int((samples > 0).sum()) == found["pixels"]
    assert main(["segment", COFFEE, "-o", str(regions)]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {"cup", "spoon"} <= {row["label"] for row in rows}
    assert Picture.open(regions).shape == Picture.open(COFFEE).shape


def test_a_saved_mask_selects_the_same_pixels(tmp_path):
    mask = tmp_path / "mask.png"
    assert main(["segment", COFFEE, "--box", "350,120,480,360", "-o", str(mask)]) == 0
    by_mask, by_array = tmp_path / "a.png", tmp_path / "b.png"
    assert main(["edit", COFFEE, "pixelate it", "--mask", str(mask), "-o", str(by_mask)]) == 0
    selected = Picture.open(mask).samples[..., 0] > 127
    Editor.from_preset().edit(COFFEE, "pixelate it", selection=selected).save(by_array)
    assert by_mask.read_bytes() == by_array.read_bytes()


def test_parse_reads_lines_and_writes_lines(tmp_path, capfd):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"id": "a", "text": "remove the cup", "context": {"images": ["A"], "selection": false}}\n'
        "\n"
        '{"id": "b", "text": "", "context": {"images": ["A"], "selection": true}}\n'
    )
    assert main(["parse", "--jsonl", str(rows)]) == 0
    out = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [list(row) for row in out] == [["id", "status", "reason", "ops"]] * 2
    assert [row["id"] for row in out] == ["a", "b"]
    assert out[0]["ops"][0]["op"] == "remove" and out[1]["reason"] == "empty"


def test_bad_pictures(refuse, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("I am no picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(EXAMPLES["coffee"].path.read_bytes()[:30_000])
    out = tmp_path / "out.png"
    for path in (text, empty, cut, tmp_path, tmp_path / "none.png"):
        refuse("edit", path, "make it red", "--box", "1,1,9,9", "-o", out, words=path.name)


def test_bad_options(refuse, tmp_path):
    out = tmp_path / "out.png"
    mask = tmp_path / "mask.png"
    Picture.open(np.full((5, 5), 255, np.uint8)).save(mask)
    nothing = tmp_path / "nothing.png"
    Picture.open(np.zeros((400, 600), np.uint8)).save(nothing)
    edit = ("edit", COFFEE, "make it red", "-o", out)
    refuse(*edit, "--mask", mask, words="5x5")
    refuse(*edit, "--mask", nothing, words="empty")
    refuse(*edit, "--box", "9,9,1,1", words="x0 < x1")
    refuse(*edit, "--box", "1,2,3", words="--box takes")
    refuse(*edit, "--box", "5000,5000,6000,6000", words="outside")
    refuse(*edit, "--select", "a,b", words="--select takes")
    refuse(*edit, "--select", "700,10", words="outside")
    refuse(*edit, "--select", "7,10-", words="positive")
    refuse(*edit, "--preset", "defalt", words="did you mean 'default'")
    refuse(*edit, "--set", "grow=3", words="did you mean 'grow_px'")
    refuse(*edit, "--set", "grow_px=-3", words="between")
    refuse(*edit, "--set", "max_megapixels=0.1", words="megapixels")
    refuse(*edit, "--seed", "x", words="--seed")
    refuse("edit", COFFEE, "make it red", words="-o OUT")
    refuse("edit", COFFEE, words="COMMAND")
    refuse("edti", COFFEE, words="edti")
    refuse("edit", COFFEE, "blur it", "-o", tmp_path / "no" / "out.png", words="no folder")
    refuse("edit", COFFEE, "blur it", "-o", tmp_path / "out.xyz", words=".xyz")
    refuse("edit", COFFEE, "blur it", "-o", tmp_path, words="folder")
    refuse("edit", COFFEE, "make the cup red", "-o", mask, words="exists")
    refuse("replay", COFFEE, COFFEE, "-o", out, words="no recipe")
    refuse("replay", tmp_path / "no.json", COFFEE, "-o", out, words="no.json")
    refuse("parse", words="--jsonl")


def test_refusals_say_what_to_do(refuse, tmp_path):
    out = tmp_path / "out.png"

    def no(text, words, *more):
        refuse("edit", COFFEE, text, *more, "-o", out, words=words)

    no("remove the dog", "click it or draw a box")
    no("remove it", "click")
    no("", "")
    no("asdf qwer zxcv", "asdf")
    no("make the cup wooden", "colour")
    no("replace the cup with a lighthouse", "second picture")
    no("replace the cup with image B", "image B")
    no("what is this?", "")
    no("undo", "session")
    no(
        "crop the image",
        "crop to what",
    )
    no("remove the woman's clothes", "")


def test_overwrite_replaces_and_jpeg_says_that_it_re_encodes(tmp_path, capfd):
    out = tmp_path / "out.jpg"
    out.write_bytes(b"old")
    assert main(["edit", COFFEE, "make the cup red", "-o", str(out), "--overwrite"]) == 0
    assert "re-encodes" in capfd.readouterr().out
    assert Picture.open(out).shape == (400, 600)


def test_masks_and_recipes_are_as_large_as_the_preset_lets_pictures_be(tmp_path, monkeypatch):
    photo, mask, out = tmp_path / "in.png", tmp_path / "mask.png", tmp_path / "out.png"
    Picture.open(np.full((40, 50, 3), 90, np.uint8)).save(photo)
    Picture.open(np.full((40, 50, 3), 255, np.uint8)).save(mask)
    opened, open_ = [], Picture.open

    def noted(source, *, max_megapixels=100):
        if not isinstance(source, Picture):
            opened.append(max_megapixels)
        return open_(source, max_megapixels=max_megapixels)

    monkeypatch.setattr(Picture, "open", noted)
    limit = ["--set", "max_megapixels=400"]
    pointed = ["--mask", str(mask), "--brush", "9,9,20,9:3"]
    assert main(["edit", str(photo), "brighten it", *pointed, "-o", str(out), *limit]) == 0
    assert main(["segment", str(photo), *pointed, "-o", str(tmp_path / "m.png"), *limit]) == 0
    assert main(["segment", str(photo), "-o", str(tmp_path / "all.png"), *limit]) == 0
    assert main(["replay", str(out), str(photo), "-o", str(tmp_path / "b.png"), *limit]) == 0
    assert len(opened) == 9
    assert set(opened) == {400}


def test_a_mask_of_another_size_beside_a_stroke_is_refused(refuse, tmp_path):
    mask = tmp_path / "mask.png"
    Picture.open(np.full((40, 50, 3), 255, np.uint8)).save(mask)
    pointed = ["--mask", mask, "--brush", "9,9,20,9:3"]
    refuse("edit", COFFEE, "blur it", *pointed, "-o", tmp_path / "a.png", words="mask is 50x40")


def test_transparency_that_jpeg_cannot_keep_is_refused_before_anything_is_painted(tmp_path, capfd):
    out = tmp_path / "cat.jpg"
    words = ["edit", str(EXAMPLES["cat"].path), "remove the background", "-o", str(out)]
    assert main(words) == 2
    assert "make the background white" in capfd.readouterr().err
    assert not out.exists()
    assert main([*words[:-1], str(tmp_path / "cat.png")]) == 0
    assert "JPEG cannot" in capfd.readouterr().out
    assert Picture.open(tmp_path / "cat.png").has_alpha
    words[1] = str(tmp_path / "cat.png")
    words[2] = "make the cat brighter"
    assert main(words) == 2
    assert "as PNG" in capfd.readouterr().err
