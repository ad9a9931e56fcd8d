"""Steps that take something from a second picture: a thing, clothes, a style, a background.

Where a backend of the preset can drag (look at a part of a second picture while it paints), it
does; otherwise things are pasted, and what cannot be pasted is refused.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from editanything import masks
from editanything.command.describe import describe
from editanything.command.types import Operation, Selector, Where
from editanything.errors import Refusal
from editanything.grounders.base import Found
from editanything.planning import layout
from editanything.planning.draft import (
    Draft,
    SecondPicture,
    feather_px,
    grow_px,
    is_background,
    make_step,
)
from editanything.types import Mask, Reference, Step

DRAG = "drag"
#: Words that mean how a picture looks, and no thing in it.
_LOOKS = frozenset({"style", "look", "mood", "palette", "color palette", "texture", "vibe"})


def transfer(draft: Draft, operation: Operation) -> list[Step]:
    """Take a thing, clothes, a style, or a background from the second picture.

    Raises:
        Refusal: without a second picture, or in a manner that needs a generative model.
    """
    if draft.second is None:
        raise Refusal(
            "There is no second picture to take from; give one with --reference FILE, "
            "reference=... or in the app under “Second picture”.",
            reason="missing_source",
        )
    assert operation.subject is not None, operation
    operation = _of_style(operation, operation.subject)
    subject = operation.subject
    assert subject is not None
    pasted = operation.mode in ("insert", "replace")
    if pasted and operation.target is not None and is_background(operation.target):
        return [_background(draft, draft.second, operation, operation.target)]
    if draft.can(DRAG, _told(operation, subject)):
        return [_dragged(draft, draft.second, operation, subject)]
    if not pasted:
        raise Refusal(
            f"This preset cannot transfer in the manner “{operation.mode}”; it can insert a thing, "
            "replace one, or use the second picture as the background. Clothes and styles of a "
            "second picture take a preset that paints, such as sd15.",
            reason="unsupported",
        )
    return [_paste(draft, draft.second, operation, subject)]


def _of_style(operation: Operation, subject: Selector) -> Operation:
    """`in the style of image B`, however it was read: a manner, and the picture as a whole."""
    if subject.noun not in _LOOKS:
        return operation
    meant = subject.part_of or Selector("@image", image=subject.image)
    target = operation.target or Selector("@image")
    return replace(operation, mode="style", target=target, subject=replace(meant, image="B"))


def _told(operation: Operation, subject: Selector) -> dict[str, Any]:
    """What a backend that drags is told: what is taken, in words, and in which manner."""
    named = not subject.noun.startswith(("@", "*"))
    prompt = " ".join((*subject.attrs, subject.noun)) if named else ""
    return {"prompt": prompt, "kind": operation.mode}


def _dragged(draft: Draft, second: SecondPicture, operation: Operation, subject: Selector) -> Step:
    """Paint a region anew, looking at what is meant in the second picture."""
    thing = _meant(draft, second, subject)
    from_there = describe(subject)
    if operation.mode == "insert":
        target = _landing(draft, operation, thing)
        what = f"paint {from_there} here"
    else:
        worn = _worn(draft, operation, subject) if operation.mode == "wear" else None
        target = draft.find(_target(draft, operation)) if worn is None else worn
        onto = describe(_target(draft, operation))
        what = {
            "wear": f"put {from_there} on {onto}",
            "style": f"paint {onto} in the style of {from_there}",
        }.get(operation.mode or "", f"replace {onto} with {from_there}")
    area = masks.grow(target, grow_px(draft, "redraw", target))
    step = make_step(
        draft, operation, what, target, op=DRAG, params=_told(operation, subject), area=area
    )
    whole = area.area == area.shape[0] * area.shape[1]
    feather = 0.0 if whole else feather_px(draft, "redraw")
    own = Reference(second.seen.image, thing, second.opacity)
    return replace(step, reference=own, feather_px=feather)


def _target(draft: Draft, operation: Operation) -> Selector:
    """What is painted over: named, selected, or the picture."""
    if operation.target is not None:
        return operation.target
    return Selector("@selection" if draft.selection is not None else "@image")


def _worn(draft: Draft, operation: Operation, subject: Selector) -> Mask | None:
    """What somebody wears where the new clothes go; None where nobody can find it."""
    wearer = operation.target
    if wearer is None or wearer.noun.startswith("@") or draft.given is not None:
        return None
    for noun in dict.fromkeys((subject.noun, "clothes")):
        outcome = draft.grounder.find(
            draft.scene, Selector(noun, part_of=wearer), selection=draft.pointing
        )
        if isinstance(outcome, Found):
            return outcome.union()
    draft.notes.append(
        f"What {describe(wearer)} wears is not found by words, so all of it may change: select "
        "the clothes to change less."
    )
    return None


def _landing(draft: Draft, operation: Operation, thing: Mask) -> Mask:
    """Where a thing that is inserted comes to lie, in its own outline."""
    where, target = operation.where or Where(), operation.target
    nowhere = where.region is None and where.relation is None
    if target is None and nowhere and draft.selection is not None:
        return draft.find(Selector("@selection"))
    box = draft.find(target).box if target is not None else layout.landing_box(where, thing, draft)
    return masks.warp(thing, layout.fit(thing.box, box), draft.shape)


def _background(
    draft: Draft, second: SecondPicture, operation: Operation, selector: Selector
) -> Step:
    height, width = draft.shape
    step = make_step(
        draft,
        operation,
        "use the second picture as the background",
        draft.find(selector),
        op="replace",
        params={"frame": (width, height)},
    )
    whole = Mask.everything(second.seen.image.shape[:2])
    return replace(step, reference=Reference(second.seen.image, whole, second.opacity))


def _paste(draft: Draft, second: SecondPicture, operation: Operation, subject: Selector) -> Step:
    thing = _meant(draft, second, subject)
    where, target = operation.where or Where(), operation.target
    nowhere = where.region is None and where.relation is None
    if target is None and nowhere and draft.selection is not None:
        target = Selector(noun="@selection")
    old = draft.find(target) if target is not None else None
    box = old.box if old is not None else layout.landing_box(where, thing, draft)
    matrix = layout.fit(thing.box, box)
    landing = masks.warp(thing, matrix, draft.shape)
    area = masks.grow(landing, math.ceil(masks.rim_px(landing.area)))
    acts_on, replaces = landing, False
    what = f"paste {describe(subject)}"
    if operation.mode == "replace" and old is not None and target is not None:
        area = masks.union(area, masks.grow(old, grow_px(draft, "remove", old)))
        acts_on, replaces = old, True
        what = f"replace {describe(target)} with {describe(subject)}"
    params = {
        "mode": operation.mode,
        "matrix": layout.as_tuples(matrix),
        "fill_source": replaces,
    }
    step = make_step(draft, operation, what, acts_on, params=params, area=area)
    return replace(step, reference=Reference(second.seen.image, thing, second.opacity))


def _meant(draft: Draft, second: SecondPicture, subject: Selector) -> Mask:
    """The part of the second picture that is meant: pointed at, cut out, whole, or named."""
    height, width = second.seen.image.shape[:2]
    if second.selection is not None:
        return second.selection
    cut_out = Mask.of(second.opacity >= 128) if second.opacity is not None else None
    if cut_out is not None and 0 < cut_out.area < height * width:
        return cut_out
    if subject.noun == "@image":
        return Mask.everything((height, width))
    here = replace(subject, image=None)
    try:
        return draft.grounder.ground(second.seen, here, selection=None).union()
    except Refusal as refusal:
        raise Refusal(
            f"I cannot find “{describe(here)}” by words in the second picture: select it there in "
            "the app, give a cut-out (a PNG with transparency), or in Python a pair "
            "reference=(picture, mask).",
            reason=refusal.reason,
            question=f"Where is “{describe(here)}” in the second picture?",
        ) from None
