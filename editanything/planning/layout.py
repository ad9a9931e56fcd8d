"""Where things go: shifts, boxes and matrices from words such as "left", "a bit", "next to"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from editanything.errors import Refusal
from editanything.masks import box_union
from editanything.places import place_box
from editanything.types import Box

if TYPE_CHECKING:
    from editanything.command.types import Where
    from editanything.planning.draft import Draft
    from editanything.types import Mask

DIRECTIONS = {
    "left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1),
    "top-left": (-1, -1), "top-right": (1, -1), "bottom-left": (-1, 1), "bottom-right": (1, 1),
}  # fmt: skip

#: How far a copy stands from the next one, in its own widths or heights.
_BESIDE = 1.1


def length(amount: Any, whole_px: int, *, default: float = 0.25) -> int:
    """An amount in words, px or % of `whole_px`, as pixels (at least 1).

    `amount` is None, "small", "large" or `{"value": number, "unit": "px" | "%"}`.
    """
    if amount is None:
        share = default
    elif isinstance(amount, str):
        share = {"small": default / 2.5, "large": default * 2}.get(amount, default)
    elif amount.get("unit") == "%":
        share = float(amount["value"]) / 100
    else:
        return max(1, round(float(amount["value"])))
    return max(1, round(share * whole_px))


def move_shift(direction: str, amount: Any, target: Mask) -> tuple[int, int]:
    """(dx, dy) of "move it DIRECTION by AMOUNT"; without an amount by one region width.

    Percent are of the picture's width (height for up and down).

    Raises:
        Refusal: a direction that is none.
    """
    if direction == "center":
        return centre_shift(target.box, (0, 0, target.shape[1], target.shape[0]))
    if direction not in DIRECTIONS:
        raise Refusal(
            f"“{direction}” is no direction; there are: center, {', '.join(DIRECTIONS)}.",
            reason="no_value",
        )
    sx, sy = DIRECTIONS[direction]
    width = target.box[2] - target.box[0]
    if isinstance(amount, Mapping) and amount.get("unit") == "%":
        height_px, width_px = target.shape
        return sx * length(amount, width_px), sy * length(amount, height_px)
    distance = length(amount, width, default=1.0) if amount != "small" else max(1, width // 4)
    return sx * distance, sy * distance


def keep_inside(shift: tuple[int, int], box: Box, shape: tuple[int, int]) -> tuple[int, int]:
    """`shift`, shortened so that `box` stays inside a picture of `shape` = (H, W)."""
    height, width = shape
    dx = min(max(shift[0], -box[0]), width - box[2])
    dy = min(max(shift[1], -box[1]), height - box[3])
    return dx, dy


def as_tuples(matrix: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """A matrix as plain numbers, for a plan that is shown and saved."""
    return tuple(tuple(float(v) for v in row) for row in matrix)


def centre_shift(box: Box, goal: Box) -> tuple[int, int]:
    """The shift that brings the centre of `box` onto the centre of `goal`."""
    return (
        round((goal[0] + goal[2] - box[0] - box[2]) / 2),
        round((goal[1] + goal[3] - box[1] - box[3]) / 2),
    )


def describe_shift(dx: int, dy: int) -> str:
    """A shift in words: "120 px to the right"."""
    parts = []
    if dx:
        parts.append(f"{abs(dx)} px to the {'right' if dx > 0 else 'left'}")
    if dy:
        parts.append(f"{abs(dy)} px {'down' if dy > 0 else 'up'}")
    return " and ".join(parts)


def row_toward(
    direction: str, copies: int, box: Box, shape: tuple[int, int]
) -> list[tuple[int, int]]:
    """Shifts of `copies` copies of `box` in a row to one side, "left", "right", "up" or "down".

    Where the frame ends too soon they stand closer together; without any room all are (0, 0).
    """
    sx, sy = DIRECTIONS[direction]
    edge = keep_inside((sx * shape[1], sy * shape[0]), box, shape)
    free = abs(edge[0] if sx else edge[1])
    beside = max(2, round(_BESIDE * (box[2] - box[0] if sx else box[3] - box[1])))
    step = min(float(beside), free / copies)
    return [(sx * round(step * k), sy * round(step * k)) for k in range(1, copies + 1)]


def rows_of_copies(copies: int, box: Box, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Shifts of `copies` copies of `box`: beside it, first where there is more room.

    Copies that find no room overlap as little as the frame allows.
    """
    height, width = shape
    wide, high = box[2] - box[0], box[3] - box[1]
    gap_x, gap_y = max(2, round(_BESIDE * wide)), max(2, round(_BESIDE * high))
    room = {(1, 0): width - box[2], (-1, 0): box[0], (0, 1): height - box[3], (0, -1): box[1]}
    slots: list[tuple[int, int]] = []
    for (sx, sy), free in sorted(room.items(), key=lambda item: (item[0][0] == 0, -item[1])):
        fits = free // (gap_x if sx else gap_y)
        slots += [(sx * gap_x * k, sy * gap_y * k) for k in range(1, fits + 1)]
    if len(slots) < copies:
        side = 1 if room[1, 0] >= room[-1, 0] else -1
        free = max(room[1, 0], room[-1, 0])
        missing = copies - len(slots)
        slots += [(side * max(1, round(free * (k + 1) / missing)), 0) for k in range(missing)]
    return [keep_inside(slot, box, shape) for slot in slots[:copies]]


def about(centre: tuple[float, float], linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine (2, 3) matrix of the linear map about a fixed point."""
    fixed = np.asarray(centre, float)
    return np.column_stack([linear, fixed - linear @ fixed])


def fit(box: Box, goal: Box) -> NDArray[np.float64]:
    """The matrix that fits `box` into `goal`: same proportions, centred, standing on its floor."""
    scale = min((goal[2] - goal[0]) / (box[2] - box[0]), (goal[3] - goal[1]) / (box[3] - box[1]))
    shift_x = (goal[0] + goal[2] - scale * (box[0] + box[2] - 1) - 1) / 2
    shift_y = (goal[3] - 1) - scale * (box[3] - 1)
    return np.array([[scale, 0, shift_x], [0, scale, shift_y]])


def landing_box(where: Where, thing: Mask, draft: Draft) -> Box:
    """The box that a new or moved thing should land in.

    Beside an anchor the thing is as high as the anchor, if there is room for its width; in a place
    of the frame, or anywhere, two fifths of the frame's height.
    """
    height, width = draft.shape
    wide, high = thing.box[2] - thing.box[0], thing.box[3] - thing.box[1]
    if where.relation is not None:
        anchors = [draft.find(anchor).box for anchor in where.relation.anchors]
        around = box_union(*anchors)
        room = _room(around, where.relation.rel, (height, width))
        new_high = min(float(around[3] - around[1]), room * high / wide)
        own = (max(1, round(new_high * wide / high)), max(1, round(new_high)))
        return _beside(around, where.relation.rel, own, (height, width))
    place = (0, 0, width, height)
    if where.region is not None:
        place = place_box(where.region, draft.shape)
    new_high = max(1, round(min(0.4 * height, 0.4 * width * high / wide)))
    new_wide = max(1, round(new_high * wide / high))
    x = round((place[0] + place[2] - new_wide) / 2)
    floor = place[3] - round(0.05 * height)
    return _inside((x, floor - new_high, x + new_wide, floor), (height, width))


def _room(anchor: Box, relation: str, shape: tuple[int, int]) -> float:
    """The width that is free on the side that `relation` names; at least a tenth of the frame."""
    width = shape[1]
    left, right = 0.9 * anchor[0], 0.9 * (width - anchor[2])
    free = {"left_of": left, "right_of": right, "next_to": max(left, right)}
    return max(free.get(relation, float(width)), 0.1 * width)


def _beside(anchor: Box, relation: str, size: tuple[int, int], shape: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = anchor
    wide, high = size
    middle = round((x0 + x1 - wide) / 2)
    right_has_room = shape[1] - x1 >= x0
    gap = max(2, wide // 10)
    corners = {
        "left_of": (x0 - wide - gap, y1 - high),
        "right_of": (x1 + gap, y1 - high),
        "next_to": ((x1 + gap) if right_has_room else (x0 - wide - gap), y1 - high),
        "above": (middle, y0 - high),
        "below": (middle, y1),
        "under": (middle, y1),
        "on": (middle, round(y0 + 0.35 * (y1 - y0)) - high),
        "in_front_of": (middle, y1 - high + max(2, high // 10)),
        "in": (middle, round((y0 + y1 - high) / 2)),
        "between": (middle, y1 - high),
    }
    if relation not in corners:
        raise Refusal(
            f"I cannot put a thing “{relation.replace('_', ' ')}” another in this preset; "
            "say “next to”, “left of”, “right of”, “above”, “below”, “on” or “in”.",
            reason="unsupported",
        )
    x, y = corners[relation]
    return _inside((x, y, x + wide, y + high), shape)


def _inside(box: Box, shape: tuple[int, int]) -> Box:
    """`box` moved into the frame; shrunk where it is larger than the frame."""
    height, width = shape
    wide, high = min(box[2] - box[0], width), min(box[3] - box[1], height)
    x = min(max(box[0], 0), width - wide)
    y = min(max(box[1], 0), height - high)
    return x, y, x + wide, y + high
