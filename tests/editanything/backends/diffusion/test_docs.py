"""What docs/photo.md and docs/drag.md tell to type is understood, and names what there is."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from editanything.backends.diffusion.drag import DragSettings
from editanything.backends.diffusion.options import Extras, PaintOptions
from editanything.backends.diffusion.settings import ModelSettings
from editanything.cli import build_parser
from editanything.editor import Editor
from editanything.preset import load_preset, read_settings
from editanything.ui.presets import preset_names

DOCS = Path(__file__).resolve().parents[4] / "docs"
PHOTO, DRAG = ((DOCS / name).read_text("utf-8") for name in ("photo.md", "drag.md"))


def test_the_commands_are_understood_and_their_presets_are_there():
    lines = re.findall(r"^editanything (.*)$", PHOTO, re.MULTILINE)
    told = [build_parser().parse_args(shlex.split(line)) for line in lines]
    assert [one.verb for one in told] == ["edit", "edit", "edit", "draw", "draw"]
    for one in told:
        assert load_preset(one.preset, read_settings(one.set)).about


def test_every_photo_preset_has_a_line_and_none_is_made_up():
    assert {*re.findall(r"^\| `([\w-]+)` \| [A-Z]", PHOTO.split("## ")[0], re.MULTILINE)} == {
        *preset_names()[1:]
    }


@pytest.mark.parametrize("text", [PHOTO, DRAG], ids=["photo", "drag"])
def test_settings_that_are_named_can_be_set(text):
    for setting in re.findall(r"`--set ([\w.]+=[^`\s]+?)(?:`| )", text):
        if "NAME=" in setting or "FOLDER" in setting:
            continue
        Editor.from_preset("sd15-controlnet", **read_settings([setting]))


def test_every_option_of_the_backend_has_a_line():
    table = PHOTO.split("| option | is |")[1].split("\n\n")[0]
    told = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:])))
    named = {f.name for kind in (ModelSettings, Extras, PaintOptions) for f in fields(kind)}
    assert named <= told
    assert told <= named | {"look", "drag"}


def test_every_setting_of_a_drag_has_a_line():
    told = set(re.findall(r"`(\w+)`", DRAG))
    assert {f.name for f in fields(DragSettings)} <= told
