"""Steps that change the frame: crop, outpaint, upscale; and the frame steps of other operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from editanything import frames, masks
from editanything.command.describe import describe
from editanything.command.types import Operation, Selector
from editanything.errors import Refusal
from editanything.planning import layout
from editanything.planning.draft import Draft, is_whole
from editanything.types import Box, Mask, Step

SIDES = ("left", "top", "right", "bottom")


def crop(draft: Draft, operation: Operation) -> list[Step]:
    """Cut the frame down to the target's box, or to a shape such as 4:3.

    Raises:
        Refusal: where nothing says what to crop to.
    """
    selector = operation.target or Selector(noun="@selection")
    if operation.value is not None:
        return [_shaped(draft, operation, selector)]
    if is_whole(selector):
        if draft.selection is None:
            raise Refusal(
                "Crop to what? Say “crop to the cup”, or draw a box and say “crop to the "
                "selection”.",
                reason="no_target",
            )
        selector = Selector(noun="@selection")
    frame = {"frame": "crop", "box": draft.find(selector, pointing=_drawn(draft, selector)).box}
    return [frame_step(draft, operation, f"crop to {describe(selector)}", frame)]


def _shaped(draft: Draft, operation: Operation, selector: Selector) -> Step:
    """The largest frame of a shape, about the middle of the selection or of the picture."""
    height, width = draft.shape
    across, down = (int(part) for part in str(operation.value).split(":"))
    if not (across and down):
        raise Refusal("A shape is two numbers above 0, such as 4:3.", reason="no_value")
    unit = min(width / across, height / down)
    new_width, new_height = max(1, round(unit * across)), max(1, round(unit * down))
    if (new_width, new_height) == (width, height):
        raise Refusal(f"The picture is {operation.value} already.", reason="nothing_to_do")
    about = (0, 0, width, height) if is_whole(selector) else draft.find(selector).box
    x0 = min(max(0, round((about[0] + about[2] - new_width) / 2)), width - new_width)
    y0 = min(max(0, round((about[1] + about[3] - new_height) / 2)), height - new_height)
    frame = {"frame": "crop", "box": (x0, y0, x0 + new_width, y0 + new_height)}
    return frame_step(draft, operation, f"crop to {operation.value}", frame)


def outpaint(draft: Draft, operation: Operation) -> list[Step]:
    """Extend the frame, by a quarter where nothing is said, and continue the picture there."""
    height, width = draft.shape
    sides = tuple(operation.sides or SIDES)
    widths = dict.fromkeys(SIDES, 0)
    for side in sides:
        along = width if side in ("left", "right") else height
        widths[side] = layout.length(operation.amount, along)
    frame: dict[str, Any] = {"frame": "extend", **widths}
    shape = frames.shape_after(frame, draft.shape)
    _check_size(draft, shape)
    origin = (widths["left"], widths["top"])
    old = Mask.placed(shape, origin, np.ones((height, width), bool))
    new = masks.complement(old)
    amounts = ", ".join(f"{side} by {widths[side]} px" for side in sides)
    what = f"extend the picture: {amounts}"
    seed = draft.seed + len(draft.steps)
    return [Step("outpaint", what, new, new, seed=seed, frame=frame)]


def upscale(draft: Draft, operation: Operation) -> list[Step]:
    """More pixels for the whole picture, by Lanczos resampling."""
    return [scaled_frame(draft, operation, 2.0 if operation.factor is None else operation.factor)]


def scaled_frame(draft: Draft, operation: Operation, factor: float) -> Step:
    """The whole picture, `factor` times as wide and as high.

    Raises:
        Refusal: if it would become larger than the preset allows, or stay as it is.
    """
    if not 0.01 <= factor <= 100 or factor == 1.0:
        raise Refusal(
            f"A size factor of {factor:g} changes nothing or too much; say “2x” or “half as big”.",
            reason="nothing_to_do",
        )
    height, width = draft.shape
    size = {"width": max(1, round(width * factor)), "height": max(1, round(height * factor))}
    _check_size(draft, (size["height"], size["width"]))
    what = f"resample the picture to {size['width']}x{size['height']}"
    return frame_step(draft, operation, what, {"frame": "scale", **size})


def frame_step(draft: Draft, operation: Operation, what: str, frame: dict[str, Any]) -> Step:
    """A step that only changes the frame.

    Raises:
        Refusal: if a part should stay as it is.
    """
    if operation.preserve:
        raise Refusal(
            "A change of the whole frame cannot leave a part of it as it is.",
            reason="contradiction",
        )
    shape = frames.shape_after(frame, draft.shape)
    area = Mask.empty(shape) if frame["frame"] == "crop" else Mask.everything(shape)
    seed = draft.seed + len(draft.steps)
    return Step(operation.op, what, area, area, seed=seed, frame=frame)


def _drawn(draft: Draft, selector: Selector) -> Mask | None:
    """The box that the user drew, if `selector` is it or a part of it.

    To a crop it is a frame, not the thing inside.
    """
    whole = selector.part_of or selector
    if whole.noun != "@selection" or not draft.boxes or draft.steps:
        return None
    x0, y0, x1, y1 = _within(masks.box_union(*draft.boxes), draft.shape)
    return Mask.placed(draft.shape, (x0, y0), np.ones((y1 - y0, x1 - x0), bool))


def _within(box: Box, shape: tuple[int, int]) -> Box:
    height, width = shape
    return max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)


def _check_size(draft: Draft, shape: tuple[int, int]) -> None:
    megapixels = shape[0] * shape[1] / 1e6
    if megapixels > draft.max_megapixels:
        raise Refusal(
            f"The picture would have {megapixels:.0f} megapixels, more than the "
            f"{draft.max_megapixels:g} that are allowed; raise max_megapixels to allow it.",
            reason="unsupported",
        )
