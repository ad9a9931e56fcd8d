"""Spelling: what is repaired, and what is left as it was said."""

from __future__ import annotations

import pytest

from editanything.command import parse
from editanything.command.spelling import repair


@pytest.mark.parametrize(
    "word", ["greek", "chinese", "muslim", "roman", "ramen", "pho", "chai", "oden", "venice"]
)
def test_peoples_towns_and_dishes_are_no_slips_of_other_words(word: str) -> None:
    assert repair(word) == word


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("add a man's shoe", "man's shoe"),
        ("add a minibus", "minibus"),
        ("add a four leaf clover", "four leaf clover"),
        ("add a two-hump camel", "two hump camel"),
        ("replace the cup with a piñata", "piñata"),
    ],
)
def test_what_is_added_is_called_as_it_was_said(text: str, value: str) -> None:
    (operation,) = parse(text).ops
    assert operation.value == value
    assert operation.count in {1, None}
