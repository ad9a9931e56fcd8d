"""The commands of docs/training-photo.md are ones that there are."""

import re
import shlex
from pathlib import Path

from editanything.training.__main__ import _parser
from mdt.config import find_config, load
from mdt.settings import TrainSettings

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "training-photo.md").read_text("utf-8")


def test_the_commands_are_understood():
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    told = [_parser().parse_args(line[3:]) for line in lines]
    assert [one.verb for one in told] == ["build", "train", "export", *["train"] * 4]
    for one in told:
        if one.verb == "train":
            assert load(TrainSettings, find_config("train", one.settings), one.changes)
