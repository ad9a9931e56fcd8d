"""Builders: move, resize, duplicate, rotate, flip; crop, outpaint, upscale; undo and its like."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.adding import place_of
from editanything.command.attributes import has_article, value_text
from editanything.command.clause import Ask, Clause, Operations, each
from editanything.command.constructions import grammar
from editanything.command.discourse import IMAGE
from editanything.command.lexicon import lexicon
from editanything.command.phrases import take_image
from editanything.command.targets import Targets, one_thing
from editanything.command.types import Amount, Operation, Selector

_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
_MOVES_THEMSELVES = {"raise": "up", "lift": "up", "lower": "down", "hoist": "up"}


def _in_frame(found: Targets | None, clause: Clause) -> Targets | None:
    """The selection or the whole picture where no thing is named."""
    return found if clause.has("T") else Targets((clause.unnamed(),))


def move(clause: Clause) -> Operations | None:
    """A thing goes to another place."""
    found = clause.things()
    if found is None:
        return None
    if has_article(clause.slot("T")):
        return None  # "put a lamp on the table" adds one
    direction = clause.loose.direction or _MOVES_THEMSELVES.get(clause.verb)
    if clause.has("W"):
        where = place_of(clause.slot("W"), clause.talk)
        if where is None:
            return None
        if where.region is not None and where.relation is None:
            return each(found, lambda thing: Operation("move", thing, direction=where.region))
        return each(found, lambda thing: Operation("move", thing, where=where))
    if direction is None:
        if clause.verb in {"move", "shift", "slide", "relocate", "reposition", "nudge", "displace"}:
            raise Ask("no_value", found.things[0].noun)
        return None
    amount = _move_amount(clause)
    if isinstance(amount, dict) and amount["value"] == 0:
        raise Ask("nothing_to_do", found.things[0].noun)

    def make(thing: Selector) -> Operation | None:
        if thing.noun in {"@image", "background"} or thing.image not in (None, "A"):
            return None
        return Operation("move", thing, direction=direction, amount=amount)

    return each(found, make)


def _move_amount(clause: Clause) -> Amount | None:
    if clause.loose.amount is None and clause.loose.bare is not None:
        return {"value": clause.loose.bare, "unit": "px"}
    if clause.loose.amount is None and clause.verb in {"nudge"}:
        return "small"
    return clause.loose.amount


def grow_shrink(clause: Clause) -> Operations | None:
    """Another size: a factor, a percentage, or just bigger or smaller."""
    factor, shrinks = _size(clause)
    if factor is None:
        return None
    if factor == 1.0:
        raise Ask("nothing_to_do", "the size")
    found = clause.things()
    if found is None or any(thing.noun == "background" for thing in found.things):
        return None

    def make(thing: Selector) -> Operation:
        if thing.noun == "@image" and factor > 1 and not shrinks:
            return Operation("upscale", thing, factor=factor)
        return Operation("resize", thing, factor=factor)

    return each(found, make)


def _size(clause: Clause) -> tuple[float | None, bool]:
    """The factor that a clause says, and whether it makes smaller."""
    lex, loose = lexicon(), clause.loose
    verbs = grammar().verbs
    words = value_text(clause.slot("Z")).split()
    while words and words[0] in {"much", "even", "to", "be", "a"}:
        words = words[1:]
    named = lex.sizes.whole(words) if words else None
    sized = " ".join(words)
    shrinks = clause.verb in verbs["shrink"] or clause.verb in {"reduce", "decrease", "halve"}
    grows = clause.verb in verbs["grow"] or clause.verb in {"increase", "boost"}
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
        if clause.verb in {"scale", "resize", "rescale"} and not clause.has("Z"):
            return loose.percent / 100
        share = -loose.percent if shrinks else loose.percent
        return round(max(0.01, 1 + share / 100), 4)
    if loose.factor is not None:
        inverse = shrinks and loose.factor > 1
        return round(1 / loose.factor, 4) if inverse else loose.factor
    if not (shrinks or grows):
        if clause.verb in {"scale", "resize", "rescale"}:
            raise Ask("no_value", "the size")
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
    copies = clause.loose.times or 1
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
        return Operation("duplicate", thing, copies=copies, where=where, direction=direction)

    return each(found, make)


def rotate(clause: Clause) -> Operations | None:
    """Turned by an angle; a side alone is a quarter turn."""
    found = _in_frame(clause.things() if clause.has("T") else None, clause)
    loose = clause.loose
    if found is None:
        return None
    angle = loose.angle
    if loose.direction in {"left", "right"}:
        angle = (-1 if loose.direction == "left" else 1) * abs(90.0 if angle is None else angle)
    if "upside down" in clause.match.literals or any(
        "on its" in lit for lit in clause.match.literals
    ):
        angle = 90.0 if "side" in clause.match.literals[-1:] else 180.0
    if angle is None:
        if clause.verb in {"rotate", "tilt", "spin"}:
            raise Ask("no_value", found.things[0].noun)
        return None
    if angle % 360 == 0:
        raise Ask("nothing_to_do", found.things[0].noun)
    turned = angle
    return each(found, lambda thing: Operation("rotate", thing, angle=turned))


def flip(clause: Clause) -> Operations | None:
    """Mirrored; horizontally (left and right change places) where no axis is named."""
    found = _in_frame(clause.things() if clause.has("T") else None, clause)
    if found is None or (
        clause.verb in {"reverse", "reflect", "invert"}
        and clause.loose.axis is None
        and clause.verb != "reflect"
    ):
        return None
    axis = clause.loose.axis or "horizontal"
    return each(found, lambda thing: Operation("flip", thing, axis=axis))


def crop(clause: Clause) -> Operations | None:
    """Only the part around a thing stays."""
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


# --- the session ----------------------------------------------------------------------------------

_STEP_WORDS = {
    "the", "last", "previous", "step", "steps", "change", "changes", "edit", "edits", "that", "it", "this", "action",
    "actions", "operation", "operations", "my", "time", "times", "one", "thing", "things", "by", "to", "what", "you", "did", "just", "a", "most", "recent", "command", "commands",
    "modification", "modifications", "latest", "back", "please", "few", "couple", "of", "more", "past", "again", "state", "version",
}  # fmt: skip


def undo(clause: Clause) -> Operations | None:
    """Back by one step, by several, or to the start."""
    steps = _steps(clause)
    return None if steps is None else (Operation("undo", steps=steps),)


def redo(clause: Clause) -> Operations | None:
    """Forward again."""
    steps = _steps(clause)
    return None if steps is None else (Operation("redo", steps=steps),)


def _steps(clause: Clause) -> int | str | None:
    words = {token.word for token in clause.slot("Q") if token.kind == "word"}
    if clause.verb in {"start over", "reset"} and not words - {
        "everything",
        "all",
        "the",
        "image",
        "picture",
        "photo",
        "it",
    }:
        return "all"
    numbers = [int(token.number) for token in clause.slot("Q") if token.number is not None]
    if words & {"everything", "all", "original", "beginning", "start"} and not numbers:
        return (
            "all"
            if not words
            - _STEP_WORDS
            - {
                "everything",
                "all",
                "original",
                "beginning",
                "start",
                "image",
                "picture",
                "photo",
                "from",
            }
            else None
        )
    if words - _STEP_WORDS:
        return None
    if clause.verb in {"cancel", "reverse", "repeat that"} and not clause.slot("Q"):
        return 1 if clause.verb != "reverse" else None
    if clause.verb == "restore" and not numbers:
        return None
    if "few" in words and not numbers:
        return 3
    return numbers[0] if numbers else 1


_VARIANT_WORDS = {"variation", "variant", "version", "alternative", "option", "take", "result", "proposal", "idea", "possibility", "candidate", "choice"}  # fmt: skip
_VARIANT_FILL = {"me", "a", "an", "some", "different", "more", "other", "few", "another", "new", "several", "of", "it", "this", "the", "that", "random", "please", "alternate", "alternative", "possible", "picture", "image", "photo", "result", "edit", "last", "couple", "distinct", "various", "additional", "extra", "for", "one", "my", "your", "best"}  # fmt: skip


def variations(clause: Clause) -> Operations | None:
    """Several results of the same command."""
    from editanything.command.nouns import singular

    tokens = clause.slot("Q")
    nouns = [singular(token.word)[0] for token in tokens if token.kind == "word"]
    if not set(nouns) & _VARIANT_WORDS or set(nouns) - _VARIANT_WORDS - _VARIANT_FILL:
        return None
    numbers = [int(token.number) for token in tokens if token.number is not None]
    one = bool({"another", "a", "an", "one"} & set(nouns)) and not {"few", "couple"} & set(nouns)
    n = numbers[0] if numbers else 3 if "few" in nouns else 1 if one else 4
    return (Operation("variations", n=n),) if n > 0 else None


def compare(clause: Clause) -> Operations | None:
    """The picture beside what it was."""
    allowed = {
        "with",
        "to",
        "the",
        "original",
        "before",
        "and",
        "after",
        "image",
        "picture",
        "photo",
        "it",
        "against",
        "this",
        "that",
        "versions",
        "version",
        "result",
        "both",
        "edit",
        "side",
        "by",
        "first",
        "edited",
        "one",
        "source",
        "results",
        "old",
        "new",
        "between",
        "them",
        "two",
        "unedited",
        "previous",
        "current",
        "starting",
    }
    if any(token.word not in allowed for token in clause.slot("Q")):
        return None
    return (Operation("compare"),)
