"""Regions whose whole name was said, whatever grammar makes of it: "ear of corn", "the beans"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from editanything.command.describe import describe
from editanything.command.numerals import NUMBERS
from editanything.command.types import Selector
from editanything.grounders.base import Scene
from editanything.grounders.looks import sort_adjectives
from editanything.grounders.names import Learned
from editanything.types import Region
from mdt.words import split_words

_NUMERALS = {f"{number:g}": word for word, number in NUMBERS.items()}


def called(known: Sequence[Region], selector: Selector) -> tuple[tuple[Region, ...], Selector]:
    """The regions with a name of several parts that is all of `selector`, and what is left to ask.

    Grammar reads "ear of corn" as a part of corn, "four leaf clover" as four of them, "grapes" as
    several; a region with just this name is meant all the same. () where there is none.
    """
    bare = _bare(selector)
    if bare is None:
        return (), selector
    words = _words(bare)
    found = tuple(
        region
        for region in known
        if region.label and region.label != bare.noun and _split(region.label) == words
    )
    if not found:
        return (), selector
    return found, _left(selector, str(found[0].label))


def learned(names: Learned, seen: Scene, selector: Selector) -> Selector | None:
    """What is left to ask where all of `selector` is a name that was learned; None: it is not.

    Colours are no part of such a name: they can be seen ("the red apple" is an apple).
    """
    bare = _bare(selector)
    looks = sort_adjectives(selector.attrs)
    if bare is None or looks.colors or looks.comparing:
        return None
    name = names.whole(seen, tuple(_words(bare)))
    return None if name is None else _left(selector, name)


def _bare(selector: Selector) -> Selector | None:
    """`selector` without what picks one of several; None where only a noun is left, or no noun."""
    bare = replace(selector, region=None, ordinal=None, superlative=None, exclude=None, image=None)
    plain = not (bare.attrs or bare.part_of or bare.relation) and bare.count == 1
    return None if plain or bare.noun.startswith(("@", "*")) else bare


def _left(selector: Selector, noun: str) -> Selector:
    count = "all" if selector.count == "all" else 1
    return replace(selector, noun=noun, attrs=(), part_of=None, relation=None, count=count)


def _words(selector: Selector) -> list[str]:
    said = describe(selector).removeprefix("all ")
    return [_NUMERALS.get(word, word) for word in _split(said)]


def _split(name: str) -> list[str]:
    return [word for word in split_words(name) if word != "all"]
