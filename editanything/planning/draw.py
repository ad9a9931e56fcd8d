"""Steps that draw something new from words: add a thing, put another in a thing's place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from editanything import masks
from editanything.command.describe import describe
from editanything.command.types import Operation, Selector, Where
from editanything.errors import Refusal
from editanything.planning import layout, redraw
from editanything.planning.draft import Draft, grow_px, make_step, target_of
from editanything.types import Box, Mask, Step

MAX_COPIES = 8
#: How far a shadow may reach beyond a thing, to either side and below, as shares of its height.
_SHADOW_ASIDE, _SHADOW_BELOW = 0.55, 0.06
#: Relations and places in which a thing stands on nothing that could bear its shadow.
_ALOFT = frozenset({"above", "in"})
_HIGH = frozenset({"top", "top-left", "top-right"})


def add(draft: Draft, operation: Operation) -> list[Step]:
    """Draw things where the words say, or in the selection, or on the floor of the frame.

    Raises:
        Refusal: more copies than can be told apart, or a place that is not found.
    """
    value, where = str(operation.value), operation.where or Where()
    count = operation.count if isinstance(operation.count, int) else 1
    if not 1 <= count <= MAX_COPIES:
        raise Refusal(
            f"1 to {MAX_COPIES} can be added at a time; say how many of them.", reason="no_value"
        )
    first = _landing(draft, where)
    more = layout.rows_of_copies(count - 1, first, draft.shape) if count > 1 else []
    aloft = where.region in _HIGH or (where.relation is not None and where.relation.rel in _ALOFT)
    painted, steps = redraw.can_redraw(draft, value, "thing"), []
    for number, (dx, dy) in enumerate([(0, 0), *more]):
        box = (first[0] + dx, first[1] + dy, first[2] + dx, first[3] + dy)
        params = {"prompt": value, "shadow": not aloft}
        area = _boxed(_with_shadow(box, draft.shape, shadow=not aloft), draft.shape)
        place = _boxed(box, draft.shape)
        if painted:
            step = redraw.redrawn(
                draft, operation, f"add {value}", place, prompt=value, kind="thing"
            )
        else:
            step = make_step(draft, operation, f"add {value}", place, params=params, area=area)
        steps.append(replace(step, seed=step.seed + number))
    return steps


def put_instead(draft: Draft, operation: Operation) -> list[Step]:
    """Take a thing away and draw another of its height where it stood."""
    selector, value = target_of(operation), str(operation.value)
    old = draft.find(selector)
    what = f"replace {describe(selector)} with {value}"
    around = _boxed(_with_shadow(old.box, draft.shape, shadow=True), draft.shape)
    area = masks.union(around, masks.grow(old, grow_px(draft, "remove", old)))
    params = {"prompt": value, "shadow": True}
    return [make_step(draft, operation, what, old, params=params, area=area)]


def _landing(draft: Draft, where: Where) -> Box:
    if where.region is None and where.relation is None and draft.selection is not None:
        return draft.find(Selector(noun="@selection")).box
    side = max(1, round(0.4 * min(draft.shape)))
    return layout.landing_box(where, _boxed((0, 0, side, side), draft.shape), draft)


def _with_shadow(box: Box, shape: tuple[int, int], *, shadow: bool) -> Box:
    x0, y0, x1, y1 = box
    aside, below = (
        (round(share * (y1 - y0)) for share in (_SHADOW_ASIDE, _SHADOW_BELOW)) if shadow else (0, 0)
    )
    return max(0, x0 - aside), y0, min(shape[1], x1 + aside), min(shape[0], y1 + below)


def _boxed(box: Box, shape: tuple[int, int]) -> Mask:
    x0, y0, x1, y1 = box
    return Mask.placed(shape, (x0, y0), np.ones((y1 - y0, x1 - x0), bool))
