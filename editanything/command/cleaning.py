"""Builders: a thing or a place is cleaned or cleared, and stays: "clear the table of dishes"."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.clause import Ask, Clause, Operations, each, refuse_tones
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind
from editanything.command.targets import one_thing
from editanything.command.types import Operation, Relation, Selector

_KINDS = ("clothing", "vehicle")
_CLEARING = {"clear", "clear up", "clear off", "clear out", "empty out"}


def clean_up(clause: Clause) -> Operations | None:
    """What lies on a table goes, a wall or a shirt becomes clean; dirt and litter are removed.

    Raises:
        Ask: vague, for "clean up the picture".
    """
    found = clause.things()
    if found is None:
        return None
    if clause.has("O"):
        place = one_thing(clause.slot("O"), clause.talk)
        if place is None or place.noun.startswith(("@", "*")):
            return None
        return each(found, lambda thing: Operation("remove", _at(thing, place)))
    nouns = {thing.noun for thing in found.things}
    clears = clause.verb in _CLEARING
    if nouns <= {"@image", "background", "*"} and not clears:
        raise Ask("vague", "the picture" if nouns == {"@image"} else "the background")
    if not all(_stays(thing, clears) for thing in found.things):
        return None
    return each(found, lambda thing: _cleaned(thing, clears))


def mend(clause: Clause) -> Operations | None:
    """`fix the scratches`, `fill the hole`: what is wrong with a thing goes."""
    found, flaws = clause.things(), lexicon().sets["flaws"]
    if found is None or not all(_last(thing) in flaws for thing in found.things):
        return None
    return each(found, lambda thing: Operation("remove", thing))


def fade(clause: Clause) -> Operations | None:
    """`reduce the glare`, `minimize the wrinkles`: they get fainter, not smaller."""
    found, faint = clause.things(), lexicon().sets["fainter"]
    if found is None or isinstance(clause.loose.amount, dict):
        return None
    if clause.verb not in {"make", "get"} and not all(_last(t) in faint for t in found.things):
        return None
    if any(
        thing.noun.startswith(("@", "*")) or thing.noun == "background" for thing in found.things
    ):
        return None
    refuse_tones(clause)

    def make(thing: Selector) -> Operation:
        return Operation("modify", thing, attribute="appearance", value="fainter")

    return each(found, make)


def _last(thing: Selector) -> str:
    return thing.noun.rpartition(" ")[2]


def _stays(thing: Selector, clears: bool) -> bool:
    """Whether a thing is there to stay: a table, a wall, a face, unlike crumbs and cables."""
    if _last(thing) in lexicon().sets["cleaned"]:
        return True
    return not clears and is_kind(thing.noun, *_KINDS)


def _cleaned(thing: Selector, clears: bool) -> Operation:
    if clears and thing.noun in {"sky", "sea", "water", "lake", "river", "skin", "face"}:
        return Operation("modify", thing, attribute="appearance", value="clear")
    if clears:
        return Operation("remove", _at(Selector("*", count="all"), thing))
    return Operation("modify", thing, attribute="state", value="clean")


def _at(thing: Selector, place: Selector) -> Selector:
    """`thing` where it lies on or in a place."""
    if thing.relation is not None:
        return thing
    inside = place.noun.rpartition(" ")[2] in lexicon().inside
    return replace(thing, relation=Relation("in" if inside else "on", (place,)))
