"""Builders: move, resize, duplicate, rotate, flip; crop, outpaint, upscale; undo and its like."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.clause import Ask, Clause, Operations
from editanything.command.constructions import grammar
from editanything.command.discourse import IMAGE
from editanything.command.targets import one_thing
from editanything.command.types import Amount, Operation, Selector

_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}


def crop(clause: Clause) -> Operations | None:
    """Only the part around a thing stays."""
    place = clause.slot("T")
    if len(place) == 1 and place[0].kind in {"toward", "region"}:
        return (Operation("crop", Selector("@image", region=place[0].value)),)
    found = clause.things()
    if found is None or len(found.things) != 1:
        return None
    if clause.has("I") and one_thing(clause.slot("I"), clause.talk) != IMAGE:
        return None
    thing = found.things[0]
    if thing == IMAGE:
        raise Ask("no_value", "the picture")
    return (Operation("crop", thing),)


_ALL_SIDES = ("left", "right", "top", "bottom")
_GROWN_SIDES = {
    "widen": ("left", "right"), "broaden": ("left", "right"), "heighten": ("top", "bottom"),
}  # fmt: skip


def outpaint(clause: Clause) -> Operations | None:
    """More picture at the sides; on all of them where none is named."""
    loose = clause.loose
    if clause.has("I"):
        try_thing = one_thing(clause.slot("I"), clause.talk)
        if try_thing is None or not (
            try_thing.noun == "background" or replace(try_thing, region=None) == IMAGE
        ):
            return None
        if clause.verb in {"make"} and loose.sides is None:
            return None
        if try_thing.region is not None:
            loose = replace(loose, sides=(try_thing.region,))
    percent = isinstance(loose.amount, dict)
    if (
        clause.verb in {"enlarge", "grow", "increase", "stretch out", "heighten"}
        and loose.sides is None
        and clause.has("I")
    ):
        return None
    if (
        clause.verb in {"add", "give", "append", "put", "insert", "leave"}
        and loose.sides is None
        and not (percent or len(clause.match.literals) > 1)
    ):
        return None
    if (
        clause.verb in {"increase", "continue", "pad", "add", "give", "append"}
        and not percent
        and loose.sides is None
        and len(clause.match.literals) < 2
    ):
        return None
    if (
        not clause.has("I")
        and len(clause.match.literals) == 1
        and not percent
        and loose.sides is None
        and clause.verb not in {"outpaint", "uncrop", "zoom out", "un-crop", "out-paint"}
    ):
        return None
    sides = loose.sides or _GROWN_SIDES.get(clause.verb, _ALL_SIDES)
    amount = loose.amount if loose.amount is not None else _bare(loose.bare)
    order = tuple(side for side in _ALL_SIDES if side in sides)
    return (Operation("outpaint", sides=order, amount=amount),)


def _bare(number: float | None) -> Amount | None:
    return None if number is None else {"value": number, "unit": "px"}


def upscale(clause: Clause) -> Operations | None:
    """More pixels for the whole picture; twice as many a side where no factor is said."""
    if clause.has("T") or clause.has("I"):
        thing = (
            one_thing(clause.slot("T") or clause.slot("I"), clause.talk)
            if [t.word for t in clause.slot("T")] != ["it"]
            else IMAGE
        )
        if thing is None or (
            thing.noun != "@image" and clause.verb not in grammar().verbs["upscale"]
        ):
            return None
    else:
        thing = IMAGE
    factor = clause.loose.factor
    if factor is None and clause.loose.percent is not None:
        factor = 1 + clause.loose.percent / 100
    if factor is None or factor <= 0:
        named = {"double": 2.0, "triple": 3.0, "quadruple": 4.0}
        factor = named.get(clause.verb, 2.0)
    return (Operation("upscale", thing, factor=factor),)
