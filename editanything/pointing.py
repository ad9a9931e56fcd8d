"""What a user points at, as it may be given, and what it means in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.image import Picture
from editanything.types import Mask, Seen, Selection

MOST_STROKE_POINTS = 20_000


def as_selection(selection: Selection | NDArray[Any] | None) -> Selection | None:
    """A selection as it may be given: a bool array (H, W), a Selection, or nothing.

    Raises:
        InputError: an array that is no mask, or an empty one.
    """
    if isinstance(selection, np.ndarray):
        selection = Selection(mask=Mask.of(selection))
    if selection is None or (isinstance(selection, Selection) and selection.is_empty):
        return None
    if not isinstance(selection, Selection):
        raise InputError(
            f"A selection is a bool array (H, W) or a Selection; got {type(selection).__name__}."
        )
    for mask in (selection.mask, selection.brush):
        if mask is not None and mask.area == 0:
            raise InputError("The mask is empty: it selects no pixel of the picture.")
    return selection


def read_mask(path: str | Path, *, max_megapixels: float = 100) -> Mask:
    """A mask file: what is brighter than middle grey (and not transparent) is selected.

    Args:
        path: of the file.
        max_megapixels: the largest mask taken, as of the picture that it is for.

    Raises:
        InputError: a file that cannot be read, or is larger.
    """
    picture = Picture.open(path, max_megapixels=max_megapixels)
    selected = picture.rgb().max(2) >= 128
    opacity = picture.opacity()
    return Mask.of(selected if opacity is None else selected & (opacity >= 128))


def select(seen: Seen, selection: Selection | None) -> Mask | None:
    """The mask of a selection in a picture.

    Raises:
        InputError: a selection that does not fit the picture, or that selects nothing.
    """
    if selection is None:
        return None
    selection.check_inside(seen.image.shape[:2])
    mask = seen.select(selection)
    if mask.area == 0:
        raise InputError("The selection is empty: the negative points take everything away.")
    return mask


def notes_on(selection: Selection | None, mask: Mask | None) -> tuple[str, ...]:
    """A note where a box stands for the thing inside it, not for itself."""
    if selection is None or mask is None or not selection.boxes_alone():
        return ()
    inside = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in selection.boxes)
    if mask.area > 0.95 * inside:
        return ()
    note = (
        f"The selection is the thing found inside the box, {mask.area / inside:.0%} of the box; "
        "for the whole rectangle give a mask."
    )
    return (note,)


def draw_stroke(
    shape: tuple[int, int], stroke: Sequence[Sequence[float]], radius_px: float
) -> Mask:
    """The pixels within `radius_px` of the line through the points (x, y) of a stroke.

    Raises:
        InputError: a stroke that is no list of points.
    """
    line = np.array(stroke, float)[:MOST_STROKE_POINTS] if len(stroke) else np.zeros((0, 2))
    if line.ndim != 2 or line.shape[1] != 2 or not len(line) or not np.isfinite(line).all():
        raise InputError("A stroke is a list of points x, y in pixels.")
    height, width = shape
    radius_px = float(np.clip(radius_px, 0.5, max(shape)))
    # Far outside there is nothing to draw, and OpenCV's fixed-point numbers end at 2^31 / 16.
    line = np.clip(line, -2 * radius_px, [width + 2 * radius_px, height + 2 * radius_px])
    canvas = np.zeros(shape, np.uint8)
    points = np.round(line * 16).astype(np.int32)
    cv2.polylines(canvas, [points[:, None]], False, 1, max(1, round(2 * radius_px)), shift=4)
    for x, y in (points[0], points[-1]):
        cv2.circle(canvas, (int(x), int(y)), round(radius_px * 16), 1, -1, shift=4)
    return Mask.of(canvas.astype(bool))
