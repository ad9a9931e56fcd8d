"""Steps that take something from a second picture: insert a thing, replace one, a background."""

from __future__ import annotations

import math
from dataclasses import replace

from editanything import masks
from editanything.command.describe import describe
from editanything.command.types import Operation, Selector, Where
from editanything.errors import Refusal
from editanything.planning import layout
from editanything.planning.draft import (
    Draft,
    SecondPicture,
    grow_px,
    is_background,
    make_step,
)
from editanything.types import Mask, Reference, Step


def transfer(draft: Draft, operation: Operation) -> list[Step]:
    """Take a thing, or the whole picture as a background, from the second picture.

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
    if operation.mode not in ("insert", "replace"):
        raise Refusal(
            f"This preset cannot transfer in the manner “{operation.mode}”; it can insert a thing, "
            "replace one, or use the second picture as the background.",
            reason="unsupported",
        )
    if operation.target is not None and is_background(operation.target):
        return [_background(draft, draft.second, operation, operation.target)]
    return [_paste(draft, draft.second, operation, operation.subject)]


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
