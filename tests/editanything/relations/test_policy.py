"""The table of docs/relations.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from editanything.relations.policy import NAMES, POLICY, wanted

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "relations.md").read_text(encoding="utf-8")


def table():
    """operation -> relation -> "take", "ask" or None, as the document has it."""
    lines = TEXT[TEXT.index("| operation |") :].split("\n\n")[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    relations = [re.findall(r"`(\w+)`", cell) for cell in head[1:]]
    out = {}
    for row in rows:
        for op in re.findall(r"`(\w+)`", row[0]):
            out[op] = {
                relation: {"take": "take", "ask": "ask", "–": None}[cell]
                for cell, group in zip(row[1:], relations, strict=True)
                for relation in group
            }
    return out


def test_the_table_is_the_policy():
    told = table()
    assert set(POLICY) <= set(told)
    for op, relations in told.items():
        said = {relation: state for relation, state in relations.items() if state}
        assert said == dict(POLICY.get(op, {})), op
        assert set(relations) == set(NAMES)


@pytest.mark.parametrize(
    ("asked", "kept", "state"),
    [(False, False, None), (True, False, "take"), (True, True, None), (False, True, None)],
)
def test_words_come_before_the_table(asked, kept, state):
    assert wanted("modify", "casts", asked=asked, kept=kept) == state
