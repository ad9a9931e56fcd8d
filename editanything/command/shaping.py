"""Builders: move, resize, duplicate, rotate, flip."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.adding import is_inside, new_thing, place_of
from editanything.command.attributes import FRAME, LEVELS, has_article, value_text
from editanything.command.clause import (
    Ask,
    Clause,
    Operations,
    each,
    refuse_tones,
    without_sign,
)
from editanything.command.constructions import grammar
from editanything.command.discourse import IMAGE, Unresolved
from editanything.command.lexicon import lexicon
from editanything.command.nouns import can_be_noun, is_kind, is_person
from editanything.command.pictures import take_image
from editanything.command.targets import Targets, one_thing
from editanything.command.tokens import Token
from editanything.command.types import Amount, Operation, Relation, Selector, Where

_MOVES_THEMSELVES = {
    "center": "center",
    "raise": "up",
    "lift": "up",
    "lower": "down",
    "hoist": "up",
}


_OPPOSITES = {
    "left": "right", "right": "left", "up": "down", "down": "up", "top-left": "bottom-right",
    "top-right": "bottom-left", "bottom-left": "top-right", "bottom-right": "top-left",
}  # fmt: skip
_WHERE = "Where should {about} go, and how far?"
_WANTS_WAY = {"move", "shift", "slide", "relocate", "reposition", "nudge", "displace"}


def move(clause: Clause) -> Operations | None:
    """A thing goes to another place."""
    found = clause.things()
    if found is None or has_article(clause.slot("T")) or _is_bare(clause):
        return None  # "put a lamp on the table" adds one
    refuse_tones(clause)
    amount, backwards = without_sign(_move_amount(clause))
    if backwards and (clause.has("P") or clause.has("W")):
        raise Ask("no_value", found.things[0].noun, _WHERE)
    if clause.has("P"):
        return _moved_onto(clause, found)
    if clause.has("W"):
        return _moved_to(clause, found)
    direction = clause.loose.direction or _MOVES_THEMSELVES.get(clause.verb)
    if backwards:
        direction = _OPPOSITES.get(direction or "")
    if direction is None:
        if clause.verb in _WANTS_WAY or backwards:
            raise Ask("no_value", found.things[0].noun, _WHERE)
        return None
    if isinstance(amount, dict) and amount["value"] == 0:
        raise Ask("nothing_to_do", found.things[0].noun)
    if any(thing.noun in FRAME for thing in found.things):
        return None
    return each(found, lambda thing: Operation("move", thing, direction=direction, amount=amount))


def _is_bare(clause: Clause) -> bool:
    """Whether "put flowers in the vase" names new things: a noun without any determiner."""
    first = clause.slot("T")[0]
    return clause.verb in {"put", "place"} and first.kind == "word" and can_be_noun(first.word)


def _moved_to(clause: Clause, found: Targets) -> Operations | None:
    """`move the cup next to the plate`; a corner of the frame is a direction."""
    where = place_of(clause.slot("W"), clause.talk)
    if where is None:
        return None
    if where.region is not None and where.relation is None:
        if clause.loose.direction is not None:
            return None  # "move the mug on the left up": the mug there
        return each(found, lambda thing: Operation("move", thing, direction=where.region))
    elsewhere = _elsewhere(found, where, clause)
    if elsewhere is not None:
        return elsewhere
    return each(found, lambda thing: Operation("move", thing, where=where))


def _elsewhere(found: Targets, where: Where, clause: Clause) -> Operations | None:
    """`put us in paris`: a place of the world is no thing in the picture but its background."""
    place = where.relation.anchors[0] if where.relation is not None else None
    if place is None:
        return None
    if where.relation is not None and where.relation.rel in {"in", "on"} and _is_new_scene(clause):
        scene = " ".join(token.word for token in clause.slot("W")[_article_at(clause) :])
        return (Operation("replace", Selector("background"), value=scene.partition(" ")[2]),)
    if not all(is_person(thing.noun) for thing in found.things):
        return None
    town = " ".join([*place.attrs, place.noun])  # "new york"
    if place.count != 1 or clause.verb not in {"put", "place", "move", "send", "set"}:
        return None
    if place.noun not in lexicon().world:
        return None
    return (Operation("replace", Selector("background"), value=town),)


def _article_at(clause: Clause) -> int:
    words = [token.word for token in clause.slot("W")]
    return next((at for at, word in enumerate(words) if word in {"a", "an"}), len(words))


def _is_new_scene(clause: Clause) -> bool:
    """Whether `put me on a beach` names a place that is not there yet: "a beach", "a forest"."""
    words = [token.word for token in clause.slot("W")]
    scenery = words[-1] in lexicon().sets["sceneries"] and _article_at(clause) < len(words)
    return scenery and clause.verb in {"put", "place", "set", "move", "send", "transport"}


def _moved_onto(clause: Clause, found: Targets) -> Operations | None:
    """`move the cup from the table to the shelf`."""
    place = one_thing(clause.slot("P"), clause.talk)
    if place is None or place.noun == "@image":
        return None
    if place.noun in {"front", "foreground"}:
        where = Where(region="foreground")
        return each(found, lambda thing: Operation("move", thing, where=where))
    if place.noun in {"background", "back"}:
        return each(found, lambda thing: Operation("move", thing, where=Where(region="background")))
    where = Where(Relation("in" if is_inside(place) else "on", (place,)))
    return each(found, lambda thing: Operation("move", thing, where=where))


def _move_amount(clause: Clause) -> Amount | None:
    if clause.loose.amount is None and clause.loose.bare is not None:
        return {"value": clause.loose.bare, "unit": "px"}
    if clause.loose.amount is None and clause.verb == "nudge":
        return "small"
    return clause.loose.amount


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


def duplicate(clause: Clause) -> Operations | None:
    """The same thing once more, or several times."""
    found = clause.things()
    if found is None or any(take_image(clause.slot("T"))[1:]):
        return None
    if not clause.has("W") and any(map(_goes_across, clause.slot("T"))):
        return None  # "copy the lamp to the other side of the bed": it goes there
    copies = clause.loose.times or 1
    of_those = clause.has("N") and len(set(clause.match.literals) - {"more"}) == 2
    if of_those and not _wants_more(clause):
        return None
    if clause.has("N"):
        numbers = [token.number for token in clause.slot("N") if token.number is not None]
        words = {token.word for token in clause.slot("N")}
        if not numbers and not words <= {
            "a",
            "an",
            "another",
            "one",
            "single",
            "the",
            "more",
            "few",
            "some",
            "extra",
        }:
            return None
        copies = int(numbers[0] or 1) if numbers else 3 if words & {"few", "some"} else 1
    where = place_of(clause.slot("W"), clause.talk) if clause.has("W") else None
    if clause.has("W") and where is None:
        return None
    direction = clause.loose.direction

    def make(thing: Selector) -> Operation | None:
        if thing.noun in {"@image", "background"}:
            return None
        if of_those and thing.count == "all":
            thing = replace(thing, count=1)  # "three more of those candles"
        return Operation("duplicate", thing, copies=copies, where=where, direction=direction)

    return each(found, make)


def _goes_across(token: Token) -> bool:
    words = token.word.split()
    return token.kind == "relation" and words[0] == "to" and "side" in words[2:]


def _wants_more(clause: Clause) -> bool:
    """Whether "three more of those", "another one of the cups" brings in further ones."""
    said, named = {token.word for token in clause.slot("N")}, clause.slot("T")[:1]
    more = bool({"another", "more"} & said) or "more" in clause.match.literals
    return (more and said != {"more"}) or (bool(named) and named[0].word in {"those", "these"})


def duplicate_like(clause: Clause) -> Operations | None:
    """`another penguin like the one on the rock`: that one once more."""
    made = new_thing(clause.slot("V"))
    if made is None:
        return None
    thing = one_thing(clause.slot("T"), clause.talk.about(made[0]))
    if thing is None or (thing.noun != made[0].split()[-1] and thing.noun != made[0]):
        return None
    return (Operation("duplicate", thing, copies=1),)


def straighten(clause: Clause) -> Operations | None:
    """Turned back by as much as it leans; the horizon is that of the whole picture.

    Raises:
        Ask: no_value, if nobody says by how much.
    """
    found = clause.overall() if clause.has("T") else Targets((clause.unnamed(),))
    thing = found.things[0] if found is not None and len(found.things) == 1 else None
    if thing is None or is_kind(thing.noun, "body"):
        return None
    if clause.verb in {"make", "get", "set", "put"} and thing != IMAGE and thing.noun not in LEVELS:
        return None  # "make the bottle upright"
    if thing.noun in LEVELS:
        thing = IMAGE
    angle = clause.loose.angle
    if angle is None or angle % 360 == 0:
        question = "By how many degrees should {about} be turned, and which way?"
        raise Ask("no_value", "the picture" if thing == IMAGE else thing.noun, question)
    leans = len(clause.match.literals) > 1
    if clause.loose.minus and (leans or clause.loose.direction is not None):
        raise Ask("no_value", "the picture" if thing == IMAGE else thing.noun, _WHICH_WAY)
    side = {"left": -1, "right": 1}.get(clause.loose.direction or "", 0)
    if side:
        angle = side * abs(angle) * (-1 if leans else 1)
    return (Operation("rotate", thing, angle=angle),)


_WHICH_WAY = "Should {about} be turned clockwise or counterclockwise?"


def rotate(clause: Clause) -> Operations | None:
    """Turned by an angle; a side alone is a quarter turn."""
    found = _in_frame(clause.overall() if clause.has("T") else None, clause)
    loose = clause.loose
    if found is None:
        return None
    angle = loose.angle
    if loose.minus and (loose.direction == "left" or (angle or 0.0) > 0):
        raise Ask("no_value", found.things[0].noun, _WHICH_WAY)  # "-90 counterclockwise"
    if loose.direction in {"left", "right"}:
        left = loose.direction == "left" or loose.minus
        angle = (-1 if left else 1) * abs(90.0 if angle is None else angle)
    if "upside down" in clause.match.literals or any(
        "on its" in lit for lit in clause.match.literals
    ):
        angle = 90.0 if "side" in clause.match.literals[-1:] else 180.0
    if angle is None:
        if clause.verb in {"rotate", "tilt", "spin"}:
            question = "By how many degrees should {about} be turned?"
            raise Ask("no_value", found.things[0].noun, question)
        return None
    if angle % 360 == 0:
        raise Ask("nothing_to_do", found.things[0].noun)
    turned = angle
    return each(found, lambda thing: Operation("rotate", thing, angle=turned))


def flip(clause: Clause) -> Operations | None:
    """Mirrored; horizontally (left and right change places) where no axis is named."""
    found = _in_frame(clause.overall() if clause.has("T") else None, clause)
    if found is None or (
        clause.verb in {"reverse", "reflect", "invert"}
        and clause.loose.axis is None
        and clause.verb != "reflect"
    ):
        return None
    axis = clause.loose.axis or "horizontal"
    return each(found, lambda thing: Operation("flip", thing, axis=axis))


def _in_frame(found: Targets | None, clause: Clause) -> Targets | None:
    """The selection or the whole picture where no thing is named."""
    return found if clause.has("T") else Targets((clause.unnamed(),))
