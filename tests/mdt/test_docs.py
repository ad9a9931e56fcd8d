"""The example of docs/mdt.md runs, and its commands are ones that there are."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

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
