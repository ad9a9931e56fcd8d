"""Regions whose whole name was said, whatever grammar makes of it: "ear of corn", "the beans"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from editanything.command.describe import describe
from editanything.command.numerals import NUMBERS
from editanything.command.types import Selector
from editanything.types import Region
from mdt.words import split_words

_NUMERALS = {f"{number:g}": word for word, number in NUMBERS.items()}


def called(known: Sequence[Region], selector: Selector) -> tuple[tuple[Region, ...], Selector]:
    """The regions with a name of several parts that is all of `selector`, and what is left to ask.

    Grammar reads "ear of corn" as a part of corn, "four leaf clover" as four of them, "grapes" as
    several; a region with just this name is meant all the same. () where there is none.
    """
    bare = replace(selector, region=None, ordinal=None, superlative=None, exclude=None, image=None)
    plain = not (bare.attrs or bare.part_of or bare.relation) and bare.count == 1
    if plain or bare.noun.startswith(("@", "*")):
        return (), selector
    words = _words(bare)
    found = tuple(
        region
        for region in known
        if region.label and region.label != bare.noun and _split(region.label) == words
    )
    if not found:
        return (), selector
    noun = str(found[0].label)
    count = "all" if selector.count == "all" else 1
    left = replace(selector, noun=noun, attrs=(), part_of=None, relation=None, count=count)
    return found, left


def _words(selector: Selector) -> list[str]:
    said = describe(selector).removeprefix("all ")
    return [_NUMERALS.get(word, word) for word in _split(said)]


def _split(name: str) -> list[str]:
    return [word for word in split_words(name) if word != "all"]
