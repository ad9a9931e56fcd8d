"""The blocks of docs/segmenters.md run, and its commands are ones that there are."""

import re
import shlex
from pathlib import Path

from mdt.cli import build_parser
from mdt.data import SOURCES

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "segmenters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_python_blocks_run(capsys):
    space = {}
    for text in (text for kind, text in BLOCKS if kind == "python"):
        exec(compile(text, "segmenters.md", "exec"), space)
    assert space["mask"].shape == (120, 160)
    assert space["masks"].shape == (1, 120, 160)
    assert capsys.readouterr().out.startswith("(120, 160)\n(1, 120, 160)")


def test_the_commands_are_understood():
    (text,) = [text for kind, text in BLOCKS if kind == "sh"]
    lines = [shlex.split(line) for line in text.splitlines()]
    verbs = [build_parser().parse_args(line[1:]).verb for line in lines if line[0] == "mdt"]
    assert verbs == ["data", "train"]
    assert "prompted" in SOURCES
