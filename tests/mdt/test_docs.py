"""The example of docs/mdt.md runs, and its commands are ones that there are."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdt.cli import build_parser

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "mdt.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_python_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (text,) = [text for kind, text in BLOCKS if kind == "python"]
    space = {}
    exec(compile(text, "mdt.md", "exec"), space)
    filled, before = np.asarray(space["filled"]), np.asarray(space["pictures"][0])
    mask = space["mask"]
    assert np.array_equal(filled[~mask], before[~mask])
    assert not np.array_equal(filled[mask], before[mask])


def test_the_command_lines_are_understood():
    (text,) = [text for kind, text in BLOCKS if kind == "sh"]
    lines = [shlex.split(line) for line in text.splitlines()]
    verbs = [build_parser().parse_args(words).verb for _, *words in lines]
    assert verbs == ["convert", "export", "sample"]


TRAINING = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text("utf-8")


def test_the_training_commands_are_understood():
    """Each begins with what launches it; what follows `mdt` is a command that there is."""
    found = re.findall(r"^```sh\n(.*?)^```$", TRAINING, re.MULTILINE | re.DOTALL)
    lines = [line for text in found for line in text.splitlines()]
    assert len(lines) == 4
    for line in lines:
        words = shlex.split(line.replace("-m mdt.train", "mdt train"))
        verb = build_parser().parse_args(words[words.index("mdt") + 1 :]).verb
        assert verb in ("train", "sample")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_training_blocks_run(tmp_path, monkeypatch):
    """With fewer steps and a smaller network than the page's."""
    monkeypatch.chdir(tmp_path)
    for i in range(6):
        place = tmp_path / "mine"
        place.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 20, 3), 40 * i, np.uint8)).save(place / f"{i}.png")
    small = (
        '"data.path=mine", "data.size=16", "model.hidden_size=48", "model.depth=4", "steps=2", '
        '"batch=2", "schedule.warmup_steps=0", "sample.every=0", "ema.snapshot_every=1", '
        '"progress=false"'
    )
    first, second = re.findall(r"^```python\n(.*?)^```$", TRAINING, re.MULTILINE | re.DOTALL)
    space = {}
    second = second.replace('"data.path=mine", "steps=4000"', small)
    exec(compile(second, "training.md", "exec"), space)
    assert space["picture"].size == (16, 16)
    exec(compile(first, "training.md", "exec"), space)
    assert space["weights"]["x_embedder.proj.weight"].shape == (48, 3, 4, 4)
