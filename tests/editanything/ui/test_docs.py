"""What docs/app.md and docs/api.md show can be run."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from editanything.cli import build_parser
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.ui.app import TABS

DOCS = Path(__file__).resolve().parents[3] / "docs"
TEXTS = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("app", "api")}
LINES = [
    line
    for text in TEXTS.values()
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_its_commands_are_ones_that_there_are(line):
    words = shlex.split(line)
    if "editanything.batch" in words:
        words = ["editanything", "batch", *words[words.index("editanything.batch") + 1 :]]
    assert words[0] == "editanything"
    build_parser().parse_args(words[1:])


def test_every_tab_and_option_is_told_of():
    for name in TABS:
        assert f"| {name} |" in TEXTS["app"]
    shown = build_parser().parse_args(["serve"])
    for option in vars(shown):
        if option not in ("verb", "run"):
            assert f"--{option.replace('_', '-')}" in TEXTS["app"], option


def test_the_python_example_edits_a_picture(web_editor, tmp_path, monkeypatch):
    shutil.copy(EXAMPLES["coffee"].path, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", TEXTS["api"], re.DOTALL)
    code = code.replace("http://localhost:7860", web_editor)
    found = {}
    exec(compile(code, "docs/api.md", "exec"), found)
    assert Picture.open(found["image"]).shape == (400, 600)
    found["client"].close()
