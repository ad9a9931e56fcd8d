"""Builders: another size, and how many there are of a thing."""

from __future__ import annotations

from editanything.command.attributes import value_text
from editanything.command.clause import Ask, Clause, Operations, each, refuse_tones
from editanything.command.constructions import grammar
from editanything.command.discourse import Unresolved
from editanything.command.lexicon import lexicon
from editanything.command.targets import Targets
from editanything.command.types import Operation, Selector


def grow_shrink(clause: Clause) -> Operations | None:
    """Another size: a factor, a percentage, or just bigger or smaller."""
    factor, shrinks = _size(clause)
    if factor is None:
        return None
    alone = not clause.has("T") and (clause.loose.factor or clause.loose.percent)
    found = Targets((clause.unnamed(),)) if alone else clause.things()
    if found is None or any(thing.noun == "background" for thing in found.things):
        return None
    refuse_tones(clause)
    said = lexicon().said["unsupported"]["quantities"]
    if any(said.whole(thing.noun.split()) is not None for thing in found.things):
        return None  # "reduce the haze"
    if factor == 1.0:
        raise Ask("nothing_to_do", "the size")
    if factor <= 0:
        raise Ask("no_value", "it", "How large should it be?")

    def make(thing: Selector) -> Operation:
        if thing.noun == "@image" and factor > 1 and not shrinks:
            return Operation("upscale", thing, factor=factor)
        return Operation("resize", thing, factor=factor)

    return each(found, make)


def grow_shrink_like(clause: Clause) -> Operations | None:
    """`make the cat as big as a car`: nobody has measured either.

    Raises:
        Ask: no_value.
    """
    try:
        found = clause.things()
    except Unresolved:
        return None
    size = "size" in clause.words or "big" in clause.words or clause.has("O")
    if found is None or not size:
        return None
    raise Ask(
        "no_value", found.things[0].noun, "How many times as large should {about} be?", final=True
    )


def how_many(clause: Clause) -> Operations | None:
    """`double the number of candles`: each of them once more.

    Raises:
        Ask: no_value, where nobody says which shall go, or how many shall come.
    """
    found = clause.things()
    if found is None or any(thing.noun.startswith(("@", "*")) for thing in found.things):
        return None
    copies = {"double": 1, "triple": 2, "quadruple": 3}.get(clause.verb)
    if copies is None:
        raise Ask("no_value", found.things[0].noun, "Which of them should go or stay?", final=True)
    return each(found, lambda thing: Operation("duplicate", thing, copies=copies))


def _size(clause: Clause) -> tuple[float | None, bool]:
    """The factor that a clause says, and whether it makes smaller."""
    lex = lexicon()
    verbs = grammar().verbs
    words = value_text(clause.slot("Z")).split()
    while words and words[0] in {"much", "even", "to", "be", "a"}:
        words = words[1:]
    named = lex.sizes.whole(words) if words else None
    sized = " ".join(words)
    shrinks = clause.verb in verbs["shrink"] or clause.verb in {"reduce", "decrease", "halve"}
    grows = clause.verb in verbs["grow"] or clause.verb in {"increase", "boost"}
    shrinks, grows = (
        shrinks or "down" in clause.match.literals,
        grows or "up" in clause.match.literals,
    )
    if words and named is None:
        return None, False
    if named is not None:
        shrinks = float(named) < 1
        if sized not in {
            "bigger",
            "larger",
            "smaller",
            "tinier",
            "big",
            "large",
            "small",
            "enlarged",
            "littler",
        }:
            return float(named), shrinks
    if not words and clause.has("Z"):
        return None, False
    return _scaled(clause, shrinks, grows or (named is not None and not shrinks)), shrinks


def _scaled(clause: Clause, shrinks: bool, grows: bool) -> float | None:
    loose = clause.loose
    if loose.percent is not None:
        if not (shrinks or grows) and not clause.has("Z"):
            return loose.percent / 100
        share = -loose.percent if shrinks else loose.percent
        return round(max(0.01, 1 + share / 100), 4)
    if loose.factor is not None:
        inverse = shrinks and loose.factor > 1
        return round(1 / loose.factor, 4) if inverse else loose.factor
    if not (shrinks or grows):
        if clause.verb in {"scale", "resize", "rescale"}:
            raise Ask("no_value", "it", "How large should it be?")
        return None
    if loose.amount == "small":
        return 0.8 if shrinks else 1.25
    if loose.amount == "large":
        return 0.5 if shrinks else 2.0
    return 0.67 if shrinks else 1.5
