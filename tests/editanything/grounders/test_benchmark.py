"""The promise of benchmarks/grounding.py, on sixty of its questions; and that it can be broken."""

import importlib
from pathlib import Path

import pytest

from editanything.grounders import relations
from editanything.grounders.words import Words

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def grounding(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("grounding")


def sixty(grounding):
    """Every other question of one drawing, rough."""
    asked = list(grounding.questions(1, rough=True, first=7))[::2][:60]
    assert len(asked) == 60
    return [grounding.ask(scene, query, Words()) for scene, query in asked]


def test_what_is_meant_is_found_and_what_is_not_there_is_not(grounding):
    said = grounding.summary(sixty(grounding))
    assert said["direct"] >= 0.97
    assert said["absent_not_found"] >= 0.99
    assert said["silent_wrong"] == 0
    assert said["spoken"] >= 0.9


def test_a_wrong_rule_shows(grounding, monkeypatch):
    monkeypatch.setitem(relations.TESTS, "on", relations.below)
    monkeypatch.setitem(relations.TESTS, "left_of", relations.right_of)
    assert grounding.summary(sixty(grounding))["direct"] < 0.97
