"""Steps that set a region down elsewhere: move, duplicate, resize, rotate, flip."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from editanything import masks
from editanything.command.describe import describe
from editanything.command.types import Operation, Where
from editanything.errors import Refusal
from editanything.planning import layout
from editanything.planning.draft import Draft, grow_px, is_whole, make_step, target_of
from editanything.planning.frame import frame_step, scaled_frame
from editanything.types import Box, Mask, Step

#: Each costs a step that is planned and painted.
MAX_COPIES = 20
#: A copy may go to a side of the target; other directions ("top-left", "center") are places.
_ASIDE = frozenset({"left", "right", "up", "down"})

Matrix = NDArray[np.float64]  # (2, 3)


def move(draft: Draft, operation: Operation) -> list[Step]:
    """Lift the target, fill the place where it was, and set it down elsewhere in the frame.

    Raises:
        Refusal: where there is no room to move.
    """
    selector = target_of(operation)
    target = draft.find(selector)
    if operation.direction is None and operation.where is not None:
        goal = layout.landing_box(operation.where, target, draft)
        shift = layout.centre_shift(target.box, goal)
    else:
        direction = str(operation.direction)
        shift = layout.move_shift(direction, operation.amount, target)
    dx, dy = layout.keep_inside(shift, target.box, draft.shape)
    if (dx, dy) == (0, 0):
        raise Refusal(
            f"There is no room to move {describe(selector)} that way: it is there already.",
            reason="nothing_to_do",
        )
    if (dx, dy) != tuple(shift) and operation.amount is not None:
        draft.notes.append(f"It moves {layout.describe_shift(dx, dy)}: no further fits the frame.")
    what = f"move {describe(selector)} {layout.describe_shift(dx, dy)}"
    return [_place(draft, operation, what, target, _shift(dx, dy), fill=True)]


def duplicate(draft: Draft, operation: Operation) -> list[Step]:
    """Set copies where the words say, or beside the target on the side with more room.

    Raises:
        Refusal: more than `MAX_COPIES`, or no room for them there.
    """
    selector = target_of(operation)
    target = draft.find(selector)
    steps = []
    copies = 1 if operation.copies is None else operation.copies
    if not 1 <= copies <= MAX_COPIES:
        raise Refusal(
            f"1 to {MAX_COPIES} copies can be made at a time; say how many of them.",
            reason="no_value",
        )
    shifts = _copy_shifts(draft, operation, target, copies)
    if shifts[0] == (0, 0):
        raise Refusal(
            f"There is no room to copy {describe(selector)} there: it is there already.",
            reason="nothing_to_do",
        )
    for number, (dx, dy) in enumerate(shifts):
        what = f"copy {describe(selector)} {layout.describe_shift(dx, dy)}"
        step = _place(draft, operation, what, target, _shift(dx, dy), fill=False)
        steps.append(replace(step, seed=step.seed + number))
    return steps


def _copy_shifts(
    draft: Draft, operation: Operation, target: Mask, copies: int
) -> list[tuple[int, int]]:
    """How far each copy is from the target."""
    box, where, direction = target.box, operation.where or Where(), operation.direction
    if direction in _ASIDE:
        return layout.row_toward(direction, copies, box, draft.shape)
    if direction is not None:
        where = Where(region=direction)
    if where == Where():
        return layout.rows_of_copies(copies, box, draft.shape)
    goal = layout.landing_box(where, target, draft)
    dx, dy = layout.keep_inside(layout.centre_shift(box, goal), box, draft.shape)
    first = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
    more = [(dx + x, dy + y) for x, y in layout.rows_of_copies(copies + 1, first, draft.shape)]
    wide, high = box[2] - box[0], box[3] - box[1]
    more.sort(key=lambda shift: abs(shift[0]) < wide and abs(shift[1]) < high)  # on it comes last
    return [(dx, dy), *more[: copies - 1]]


def resize(draft: Draft, operation: Operation) -> list[Step]:
    """Scale a region about its foot (things stand on something), or the whole picture.

    Raises:
        Refusal: a factor that changes nothing, or too much.
    """
    selector, factor = target_of(operation), float(operation.factor or 1.0)
    if not 0.01 <= factor <= 100 or factor == 1.0:
        raise Refusal(
            f"A size factor of {factor:g} changes nothing or too much; say “twice as big”, "
            "“half the size” or “30% smaller”.",
            reason="nothing_to_do",
        )
    if is_whole(selector):
        return [scaled_frame(draft, operation, factor)]
    target = draft.find(selector)
    x0, _, x1, y1 = target.box
    matrix = layout.about(((x0 + x1 - 1) / 2, y1 - 1.0), np.eye(2) * factor)
    what = f"make {describe(selector)} {factor:g} times as large"
    return [_place(draft, operation, what, target, matrix, fill=True)]


def rotate(draft: Draft, operation: Operation) -> list[Step]:
    """Turn a region about its centre, or the whole picture; clockwise is positive."""
    selector, angle = target_of(operation), float(operation.angle or 90.0)
    if is_whole(selector):
        frame = {"frame": "turn", "angle": angle}
        return [frame_step(draft, operation, f"turn the picture by {angle:g}°", frame)]
    target = draft.find(selector)
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = layout.about(_centre(target.box), np.array([[c, -s], [s, c]]))
    if angle % 90 == 0:
        matrix = matrix.round(6)  # a quarter turn copies pixels; 6e-17 must not stop it
    what = f"turn {describe(selector)} by {angle:g}°"
    return [_place(draft, operation, what, target, matrix, fill=True)]


def flip(draft: Draft, operation: Operation) -> list[Step]:
    """Mirror a region in its place, or the whole picture."""
    selector, axis = target_of(operation), str(operation.axis or "horizontal")
    if is_whole(selector):
        frame = {"frame": "flip", "axis": axis}
        return [frame_step(draft, operation, f"flip the picture {axis}ly", frame)]
    target = draft.find(selector)
    signs = np.diag([-1.0, 1.0] if axis == "horizontal" else [1.0, -1.0])
    matrix = layout.about(_centre(target.box), signs)
    what = f"flip {describe(selector)} {axis}ly"
    return [_place(draft, operation, what, target, matrix, fill=True)]


def _place(
    draft: Draft, operation: Operation, what: str, target: Mask, matrix: Matrix, *, fill: bool
) -> Step:
    rim = max(grow_px(draft, "move", target), math.ceil(masks.rim_px(target.area)))
    landing = masks.grow(masks.warp(target, matrix), rim)
    if landing.area == 0:
        raise Refusal(f"“{what}” would leave the picture.", reason="contradiction")
    area = landing
    if fill:
        area = masks.union(masks.grow(target, rim), landing)
    params = {"matrix": layout.as_tuples(matrix), "fill_source": fill}
    return make_step(draft, operation, what, target, params=params, area=area)


def _shift(dx: int, dy: int) -> Matrix:
    return np.array([[1, 0, dx], [0, 1, dy]], np.float64)


def _centre(box: Box) -> tuple[float, float]:
    x0, y0, x1, y1 = box
    return (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2
