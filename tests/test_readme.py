"""Every block of the README runs."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editanything.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the photo that the README's commands use."""
    said = re.search(r"`photo\.jpg` is a copy\s+of \[[^]]+\]\(([^)]+)\)", README)
    assert said, "the README does not tell which photo its commands are about"
    shutil.copy(ROOT / said[1], tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(language):
    return [line for kind, text in BLOCKS if kind == language for line in text.splitlines()]


def test_the_kinds_of_blocks_are_known():
    assert {kind for kind, _ in BLOCKS} == {"sh", "bat", "python", ""}


def test_the_command_lines_run(here):
    commands = [shlex.split(line) for line in lines("sh") if line.startswith("editanything ")]
    assert len(commands) >= 6
    for command in commands:
        assert main(command[1:]) == 0, command
    assert (here / "again.png").read_bytes() == (here / "edited.png").read_bytes()


def test_the_training_lines_are_understood():
    """What they do is shown by the tests of training, sampling and evaluation."""
    from mdt.cli import build_parser

    commands = [shlex.split(line) for line in lines("sh") if line.startswith("mdt ")]
    verbs = [build_parser().parse_args(words).verb for _, *words in commands]
    assert verbs == ["train", "sample", "sample", "evaluate"]


def test_pictures_of_mixed_sizes_are_measured(here, capsys):
    """By the line as it stands, against a folder as people have them."""
    from mdt.cli import main as mdt

    draw = np.random.default_rng(0)
    mixed = [(90, 70), (64, 64), (120, 80), (70, 200)]
    for name, sides in (("drawn", [(64, 64)] * 10), ("mine", mixed)):
        (here / name).mkdir()
        for i, side in enumerate(sides):
            pixels = draw.integers(0, 256, (*side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(here / name / f"{i}.png")
    (command,) = [shlex.split(line) for line in lines("sh") if line.startswith("mdt evaluate ")]
    assert mdt(command[1:]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["num_reference"] == 4


def test_the_python_blocks_run(here):
    space = {}
    for kind, text in BLOCKS:
        if kind == "python":
            exec(compile(text, "README.md", "exec"), space)
    assert space["changed"].any() and (here / "edited.png").exists()
    assert space["noise"].shape == (1, 8, 32, 32)


def test_the_make_targets_exist_and_do_it_all_alone():
    for line in lines("sh"):
        if line.startswith("make "):
            target = line.split()[1]
            done = subprocess.run(
                ["make", "--dry-run", "--always-make", target],
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
            assert "-m venv .venv" in done.stdout and "install" in done.stdout


def test_the_plain_lines_install_and_start_the_app():
    make, install, start = lines("bat")
    assert make.endswith("-m venv .venv")
    assert install.endswith("-m pip install -e .") and start.endswith("python app.py")
    assert (ROOT / "app.py").is_file()


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_sentences_of_the_table_are_understood():
    from editanything import parse

    table = README.split("## What you can say")[1].split("## ")[0]
    for cell in re.findall(r"^\| .* \| \*(.*)\* \|$", table, re.MULTILINE):
        for sentence in cell.split(" · "):
            command = parse(sentence, images=("A", "B"), selection=True)
            assert command.status == "ok", (sentence, command)
