"""Related regions at the web editor's session and at the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.types import Mask
from editanything.ui.session import Ask, Session


@pytest.fixture
def session():
    session = Session(Editor.from_preset())
    yield session
    session.close()


def test_a_session_switches_what_belongs_to_the_target(session, lit):
    with pytest.raises(InputError, match="no plan"):
        session.change_plan(lambda plan: plan.switch(0, False))
    session.open(lit.image)
    session.pointing().take(Mask.of(lit.things[0]))
    plan = session.plan(Ask("remove it"))
    assert plan.related[0].on
    off = session.change_plan(lambda plan: plan.switch(0, False))
    assert not off.related[0].on
    assert off.steps[0].area.area < plan.steps[0].area.area
    assert session.plan(Ask("remove it")) is off


@pytest.fixture
def files(tmp_path, lit):
    Image.fromarray(lit.image).save(tmp_path / "in.png")
    Image.fromarray(lit.things[0].astype(np.uint8) * 255).save(tmp_path / "m.png")
    return tmp_path


def told(files, capsys, *options):
    words = ["edit", str(files / "in.png"), "remove it", "--mask", str(files / "m.png")]
    assert main([*words, "--plan", *options]) == 0
    return capsys.readouterr().out


def test_the_command_line_shows_and_switches_them(files, capsys):
    assert "with its shadow (" in told(files, capsys)
    assert "without its shadow (" in told(files, capsys, "--no-related")
    shown = json.loads(told(files, capsys, "--json"))["related"]
    assert shown[0]["type"] == "casts"
    assert shown[0]["on"] is True


def test_the_command_line_switches_one_by_its_number(files, capsys):
    assert "1) with its shadow (" in told(files, capsys)
    assert "1) without its shadow (" in told(files, capsys, "--switch", "1-")
    assert "1) with its shadow (" in told(files, capsys, "--no-related", "--switch", "1")
    for wrong, why in (("9", "got --switch 9"), ("all", "takes a number")):
        words = ["edit", str(files / "in.png"), "remove it", "--mask", str(files / "m.png")]
        assert main([*words, "--plan", "--switch", wrong]) == 2
        assert why in capsys.readouterr().err
