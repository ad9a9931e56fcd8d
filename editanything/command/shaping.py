"""Builders: move, resize, duplicate, rotate, flip."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.adding import is_inside, new_thing, place_of
from editanything.command.attributes import FRAME, LEVELS, has_article
from editanything.command.changing import refuse_undressing
from editanything.command.clause import (
    Ask,
    Clause,
    Operations,
    each,
    refuse_tones,
    without_sign,
)
from editanything.command.discourse import IMAGE
from editanything.command.heads import is_adjective
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


def _moved(found: Targets, direction: str, amount: Amount | None) -> Operations | None:
    if any(thing.noun in FRAME for thing in found.things):
        return None
    return each(found, lambda thing: Operation("move", thing, direction=direction, amount=amount))


def _posed(clause: Clause, found: Targets) -> Operations | None:
    """`raise his arm` is a pose.

    Raises:
        Ask: unsafe, for "lift up her skirt".
    """
    if clause.verb in _UNDRESSING and clause.loose.direction in {None, "up", "down"}:
        for thing in found.things:
            refuse_undressing(thing)
    raised = _RAISED.get(clause.verb)
    limbs = all(thing.noun in lexicon().sets["limbs"] for thing in found.things)
    if raised is None or not limbs or clause.loose.direction is not None:
        return None
    return each(found, lambda thing: Operation("modify", thing, attribute="pose", value=raised))


_UNDRESSING = {"lift", "raise", "pull", "lower", "hoist", "drop"}
_RAISED = {"raise": "raised", "lift": "raised", "hoist": "raised", "lower": "lowered"}
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
    posed = _posed(clause, found) if amount is None else None
    if posed is not None:
        return posed
    if direction is None:
        if clause.verb in _WANTS_WAY or backwards:
            raise Ask("no_value", found.things[0].noun, _WHERE)
        return None
    if isinstance(amount, dict) and amount["value"] == 0:
        raise Ask("nothing_to_do", found.things[0].noun)
    return _moved(found, direction, amount)


def _is_bare(clause: Clause) -> bool:
    """Whether "put flowers in the vase" names new things: a noun without any determiner."""
    first = clause.slot("T")[0]
    bare = can_be_noun(first.word) or (is_adjective(first.word) and not _picks(first.word))
    return clause.verb in {"put", "place"} and first.kind == "word" and bare


def _picks(word: str) -> bool:
    """Whether a word tells which one of the things that are there."""
    lex = lexicon()
    place = lex.superlatives.whole([word]) or lex.regions.whole([word])
    return word in _PICKING or place is not None


_PICKING = {"all", "both", "every", "each", "any", "other", "whole", "entire"}


def _moved_to(clause: Clause, found: Targets) -> Operations | None:
    """`move the cup next to the plate`; a corner of the frame is a direction."""
    where = place_of(clause.slot("W"), clause.talk)
    if where is None or any(thing.noun == "@image" for thing in found.things):
        return None  # "move the picture on the wall down": the one there
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


def _faces(thing: Selector) -> bool:
    """Whether turning somebody or a head is no turn of its pixels."""
    return thing.noun in {"head", "face", "body"} or is_kind(thing.noun, "person", "animal")


_HOW_FAR = "By how many degrees should {about} be turned?"


def rotate(clause: Clause) -> Operations | None:
    """Turned by an angle; a side alone is a quarter turn."""
    found = _in_frame(clause.overall() if clause.has("T") else None, clause)
    loose = clause.loose
    if found is None:
        return None
    angle = loose.angle
    if loose.minus and (loose.direction == "left" or (angle or 0.0) > 0):
        raise Ask("no_value", found.things[0].noun, _WHICH_WAY)  # "-90 counterclockwise"
    poses = clause.verb == "turn" and angle is None and all(map(_faces, found.things))
    if poses and loose.direction in {"left", "right"}:
        facing = f"facing {loose.direction}"
        return each(found, lambda thing: Operation("modify", thing, attribute="pose", value=facing))
    if clause.verb == "tilt" and angle is None and loose.direction is not None:
        raise Ask("no_value", found.things[0].noun, _HOW_FAR)
    if loose.direction in {"left", "right"}:
        left = loose.direction == "left" or loose.minus
        angle = (-1 if left else 1) * abs(90.0 if angle is None else angle)
    if "upside down" in clause.match.literals or any(
        "on its" in lit for lit in clause.match.literals
    ):
        angle = 90.0 if "side" in clause.match.literals[-1:] else 180.0
    if angle is None:
        if clause.verb in {"rotate", "tilt", "spin"}:
            raise Ask("no_value", found.things[0].noun, _HOW_FAR)
        return None
    if angle % 360 == 0:
        raise Ask("nothing_to_do", found.things[0].noun)
    turned = angle
    return each(found, lambda thing: Operation("rotate", thing, angle=turned))


def right_way_up(clause: Clause) -> Operations | None:
    """`turn the page the right way up`: it stands on its head."""
    found = clause.overall()
    if found is None:
        return None
    return each(found, lambda thing: Operation("rotate", thing, angle=180.0))


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
