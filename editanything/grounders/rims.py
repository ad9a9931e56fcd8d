"""Rims of what is found without having been learned: cut out small, brought to the full size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.cuts import BACK, MAYBE_BACK, MAYBE_THING, THING, cut
from editanything.types import RGB, Bool2D

RIM_SIDE_PX = 1024  # a rim is found at this size of a picture's longer side


def reduced(image: RGB, side_px: int) -> RGB:
    """`image` with a longer side of at most `side_px`."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def square(radius_px: int) -> NDArray[np.uint8]:
    """A square structuring element, `2 r + 1` wide."""
    return np.ones((2 * radius_px + 1,) * 2, np.uint8)


def cut_out(rgb: RGB, *, sure: Bool2D, likely: Bool2D, possible: Bool2D) -> Bool2D:
    """A thing by GrabCut, bool (h, w).

    Args:
        rgb: a reduced picture (h, w, 3).
        sure: what is of it.
        likely: what is more of it than not.
        possible: what may be of it; the rest is not.
    """
    seeds = np.full(sure.shape, BACK, np.uint8)
    seeds[possible] = MAYBE_BACK
    seeds[likely] = MAYBE_THING
    seeds[sure] = THING
    return cut(rgb, seeds)


def at_full_size(part: Bool2D, image: RGB) -> Bool2D:
    """`part` (h, w) of the reduced `image`, with its rim where the picture's pixels have it.

    Near its rim a pixel is of the nearer of two colours: the part's and the rest's thereabouts, at
    `RIM_SIDE_PX`. So the gaps between leaves and what is thinner than a pixel of the reduced
    picture come out. Beyond that size the rim is only made smooth.
    """
    guide = reduced(image, RIM_SIDE_PX)
    height, width = guide.shape[:2]
    rough = cv2.resize(part.astype(np.float32), (width, height)) > 0.5
    fine = _nearer_colour(rough, guide, max(1.0, max(height, width) / max(part.shape)))
    if fine.shape == image.shape[:2]:
        return fine
    return cv2.resize(fine.astype(np.uint8) * 255, image.shape[1::-1]) > 127


def _nearer_colour(part: Bool2D, guide: RGB, scale: float) -> Bool2D:
    radius, apart = max(2, round(4 * scale)), max(1, round(scale))
    lab = cv2.cvtColor(guide.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    side = part.astype(np.uint8)
    band = cv2.morphologyEx(side, cv2.MORPH_GRADIENT, square(radius)) > 0
    off = []
    for own in (side, 1 - side):
        # Within a reduced pixel of the rim a pixel may be of either.
        pure = cv2.erode(own, square(apart), borderValue=1).astype(np.float32)
        around = (6 * radius + 1,) * 2
        weight = cv2.blur(pure, around)
        mean = cv2.blur(lab * pure[..., None], around) / np.maximum(weight, 1e-6)[..., None]
        off.append(np.where(weight > 0.01, np.linalg.norm(lab - mean, axis=2), np.inf))
    told = np.isfinite(off[0]) & np.isfinite(off[1]) & band
    return np.where(told, off[0] < off[1], part)
