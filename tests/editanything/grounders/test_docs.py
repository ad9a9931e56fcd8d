"""What docs/grounders.md says can be done."""

import re
from pathlib import Path

import yaml

from editanything.grounders import GROUNDERS
from editanything.preset import build

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "grounders.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_python_block_runs(capsys):
    (text,) = [text for kind, text in BLOCKS if kind == "python"]
    space = {}
    exec(compile(text, "grounders.md", "exec"), space)
    assert len(space["found"].regions) == 1
    x0, y0, x1, y1 = space["found"].regions[0].mask.box
    assert abs(x0 - 50) + abs(y0 - 30) + abs(x1 - 110) + abs(y1 - 90) <= 8
    assert capsys.readouterr().out.startswith("1 (")


def test_the_settings_are_ones_that_there_are():
    (text,) = [text for kind, text in BLOCKS if kind == "yaml"]
    told = yaml.safe_load(text)
    assert build("grounder", told["grounder"])
    assert build("segmenter", told["segmenter"])


def test_every_grounder_is_there():
    rows = re.findall(r"^\| `([\w-]+)` \|", TEXT, re.MULTILINE)
    assert set(rows) == set(GROUNDERS)
