"""The second picture at the edit's size, at its own proportions unless they are to be bent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from editanything.errors import InputError
from editanything.masks import with_margin
from editanything.types import RGB, Bool2D, Box, Mask, Reference

#: How much around what is taken the networks see under "crop", as a share of its larger side.
_CONTEXT_SHARE = 0.15


@dataclass(frozen=True, eq=False)
class Fitted:
    """A picture and the part of it that is taken, at the size of the edit.

    Attributes:
        image: RGB uint8 (h, w, 3); where the second picture does not reach, its rim goes on.
        mask: bool (h, w); never beyond the second picture.
    """

    image: RGB
    mask: Bool2D


def fit_reference(reference: Reference, size: tuple[int, int], fit: str = "crop") -> Fitted:
    """The second picture at `size` = (h, w).

    Args:
        reference: the picture and the part that is meant.
        size: of the edit.
        fit: "crop": the part with what lies around it; "letterbox": the whole picture; both at
            their own proportions. "stretch": the whole picture, bent to the edit's proportions.

    Raises:
        InputError: nothing is meant.
    """
    mask = reference.mask
    if mask.area == 0:
        raise InputError("Nothing of the second picture is meant: its mask is empty.")
    height, width = mask.shape
    box = _around(mask, size) if fit == "crop" else (0, 0, width, height)
    x0, y0, x1, y1 = box
    image, inside = reference.image[y0:y1, x0:x1], mask.within(box)
    room = size if fit == "stretch" else _largest((y1 - y0, x1 - x0), size)
    image = _resized(image, room)
    share = _resized(inside.astype(np.float32), room)
    taken = share >= 0.5
    if not taken.any():  # thinner than a pixel of the edit
        taken = share > 0
    top, left = (size[0] - room[0]) // 2, (size[1] - room[1]) // 2
    pads = (top, size[0] - room[0] - top, left, size[1] - room[1] - left)
    image = cv2.copyMakeBorder(image, *pads, cv2.BORDER_REPLICATE)
    return Fitted(image, np.pad(taken, (pads[:2], pads[2:])))


def _largest(given: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The largest (h, w) of the proportions of `given` that fits into `size`."""
    scale = min(size[0] / given[0], size[1] / given[1])
    height, width = (
        min(max(1, round(side * scale)), limit) for side, limit in zip(given, size, strict=True)
    )
    return height, width


def _around(mask: Mask, size: tuple[int, int]) -> Box:
    """The mask's box with its surroundings, widened towards the edit's proportions."""
    x0, y0, x1, y1 = mask.box
    margin_px = round(_CONTEXT_SHARE * max(x1 - x0, y1 - y0))
    x0, y0, x1, y1 = with_margin(mask.box, margin_px, mask.shape)
    height, width = y1 - y0, x1 - x0
    high = max(height, round(width * size[0] / size[1]))
    wide = max(width, round(height * size[1] / size[0]))
    a, b = _widened((x0, x1), wide, mask.shape[1])
    c, d = _widened((y0, y1), high, mask.shape[0])
    return a, c, b, d


def _widened(span: tuple[int, int], length: int, limit: int) -> tuple[int, int]:
    """A span of at least `length` around `span`, kept within 0..limit."""
    length = min(length, limit)
    start = span[0] - (length - (span[1] - span[0])) // 2
    start = min(max(start, 0), limit - length)
    return start, start + length


def _resized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """By area where it becomes smaller, by Lanczos where larger; a mask (float) linearly."""
    smaller = size[0] * size[1] < array.shape[0] * array.shape[1]
    larger = cv2.INTER_LANCZOS4 if array.ndim == 3 else cv2.INTER_LINEAR
    how = cv2.INTER_AREA if smaller else larger
    return cv2.resize(array, (size[1], size[0]), interpolation=how)
