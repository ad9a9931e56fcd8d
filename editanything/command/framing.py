"""Builders: move, resize, duplicate, rotate, flip; crop, outpaint, upscale; undo and its like."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.clause import Ask, Clause, Operations
from editanything.command.constructions import grammar
from editanything.command.discourse import IMAGE, SELECTION
from editanything.command.lexicon import lexicon
from editanything.command.targets import one_thing
from editanything.command.types import Amount, Operation, Selector


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
    if thing == IMAGE and clause.talk.selection:
        thing = SELECTION
    if thing.noun in _SIDES and thing.part_of is None and thing.count == "all":
        raise Ask("unsupported", f"crop the {thing.noun}s", final=True)
    if thing == IMAGE:
        raise Ask("no_value", "the picture", "Crop to what part of the picture?")
    if clause.has("T") and thing.noun in _SHAPES and not thing.attrs and not _is_named(clause):
        raise Ask("unsupported", f"crop to a {thing.noun}")
    return (Operation("crop", thing),)


def fill_frame(clause: Clause) -> Operations | None:
    """`make the product fill the frame`: a crop to it; "with flowers" brings them in."""
    first = clause.slot("T")[0]
    known = first.word in {"the", "this", "that", "my", "his", "her", "our", "their"}
    found = clause.things() if known else None
    if found is None or len(found.things) != 1 or found.things[0] == IMAGE:
        return None
    return (Operation("crop", found.things[0]),)


def crop_ratio(clause: Clause) -> Operations | None:
    """`crop it to 16:9`, `make the photo square`: as much as fits into a frame of that shape."""
    said = clause.slot("R")
    of_a_thing = clause.verb not in grammar().verbs["crop"] and clause.talk.last
    if len(said) != 1 or (of_a_thing and {"it", "this"} & set(clause.match.literals)):
        return None  # "move the box to the left and make it square"
    ratio = "1:1" if said[0].word == "square" else said[0].word
    if said[0].kind != "ratio" and ratio != "1:1":
        return None
    frame = SELECTION if clause.talk.selection else IMAGE
    if clause.has("T"):  # "crop to 4:5 around the bottle"
        found = clause.overall()
        if found is None or len(found.things) != 1:
            return None
        named = found.things[0]
        centered = "with" in clause.match.literals and named.region == "center"
        frame = replace(named, region=None) if centered else named if named != IMAGE else frame
    return (Operation("crop", frame, value=ratio),)


_SIDES = {"edge", "side", "border", "margin", "corner"}
_SHAPES = {"square", "circle", "portrait", "landscape", "rectangle", "oval", "format"}


def _is_named(clause: Clause) -> bool:
    return clause.slot("T")[0].word in {"the", "this", "that"}


_ALL_SIDES: tuple[str, ...] = ("left", "right", "top", "bottom")
_GROWN_SIDES = {
    "widen": ("left", "right"), "broaden": ("left", "right"), "heighten": ("top", "bottom"),
    "wider": ("left", "right"), "broader": ("left", "right"), "taller": ("top", "bottom"),
    "higher": ("top", "bottom"), "wide": ("left", "right"), "tall": ("top", "bottom"),
    "panoramic": ("left", "right"),
}  # fmt: skip


#: Verbs that mean more canvas by themselves, and those that need a side or an amount to.
_OUTPAINTING = {"outpaint", "uncrop", "zoom out", "un-crop", "out-paint", "out paint", "outcrop"}
_MEAN_SIZE = {"enlarge", "grow", "increase", "stretch out", "make"}


def outpaint(clause: Clause) -> Operations | None:
    """More picture at the sides; on all of them where none is named."""
    loose = clause.loose
    if clause.has("I"):
        frame = one_thing(clause.slot("I"), clause.talk)
        if frame is None or (frame.noun != "background" and replace(frame, region=None) != IMAGE):
            return None
        if frame.region is not None:
            loose = replace(loose, sides=(frame.region,))
    more_sky = clause.match.literals[-2:-1] == ("more",) and (
        clause.match.literals[-1] not in lexicon().sets["room_words"]
    )
    if loose.sides is None and (more_sky or not _means_canvas(clause)):
        return None
    said = clause.verb if clause.verb != "make" else clause.match.literals[-1]
    sides = loose.sides if loose.sides is not None else _GROWN_SIDES.get(said, _ALL_SIDES)
    amount = loose.amount if loose.amount is not None else _bare(loose.bare)
    order = tuple(side for side in _ALL_SIDES if side in sides)
    return (Operation("outpaint", sides=order, amount=amount),)


def _means_canvas(clause: Clause) -> bool:
    """Whether a clause that names no side is still about the canvas."""
    measured = isinstance(clause.loose.amount, dict)
    named = len(clause.match.literals) > 1  # "a border", "the canvas"
    if clause.has("I"):
        return clause.verb not in _MEAN_SIZE or clause.match.literals[-1] in _GROWN_SIDES
    if clause.verb in _OUTPAINTING or named:
        return True
    return measured and clause.verb not in _MEAN_SIZE


def _bare(number: float | None) -> Amount | None:
    return None if number is None else {"value": number, "unit": "px"}


def upscale(clause: Clause) -> Operations | None:
    """More pixels for the whole picture; twice as many a side where no factor is said."""
    thing: Selector | None = IMAGE
    named = clause.slot("T") or clause.slot("I")
    if named and [token.word for token in named] != ["it"]:
        thing = one_thing(named, clause.talk)
    if thing is None or (thing.noun != "@image" and clause.verb not in grammar().verbs["upscale"]):
        return None
    factor, percent = clause.loose.factor, clause.loose.percent
    if factor is None and percent is not None:
        factor = 1 + percent / 100
    if factor is None or factor <= 0:
        factor = {"triple": 3.0, "quadruple": 4.0}.get(clause.verb, 2.0)
    return (Operation("upscale", thing, factor=factor),)
