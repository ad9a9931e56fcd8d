"""Masks as a segmenter gives them, and masks of no thing at all."""

from __future__ import annotations

import cv2
import numpy as np

from mdt.data.source import Array
from mdt.data.stickers.photos import patch

#: Of cv2.floodFill: the picture stays, the mask is filled with ones.
_FILL_MASK_ALONE = cv2.FLOODFILL_MASK_ONLY | (1 << 8)


def roughened(rng: np.random.Generator, mask: Array) -> Array:
    """Half the time as it is; else eroded, dilated, shifted, its box, an ellipse, or cut by a line.

    What is left shares most of its pixels with the mask; bool (H, W) in and out.
    """
    ways = (_eroded, _dilated, _shifted, _boxed, _ellipse, _cut_off)
    new = mask
    if rng.random() < 0.5:
        new = ways[int(rng.integers(len(ways)))](rng, mask)
    return new if new.sum() > 0.5 * mask.sum() else mask


def nothing(rng: np.random.Generator, mask: Array) -> Array:
    """A region that is not the thing of `mask`: beside it, around it, or a small part of it."""
    kind = rng.random()
    if kind < 0.25:
        return ~_dilated(rng, mask)
    if kind < 0.45:
        part = _blob(rng, mask.shape, 0.12, 0.2) & mask
        return part if 0 < part.sum() < 0.2 * mask.sum() else ~mask
    part = _blob(rng, mask.shape, 0.2, 0.45)
    part &= ~mask
    return part if part.sum() > 0.03 * mask.size else ~mask


def of_photo(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
    """A part of a photograph around a region of one colour, as a segmenter would cut it.

    Returns:
        (RGB float32 (size, size, 3) in [0, 1], bool (size, size)).
    """
    side = 2 * size
    photo = np.clip(patch(rng, side), 0, 255).astype(np.uint8)
    photo = np.ascontiguousarray(photo[..., rng.permutation(3)] if rng.random() < 0.5 else photo)
    smooth = cv2.GaussianBlur(photo, (0, 0), float(rng.uniform(0.8, 3)))
    spots = np.zeros((side + 2, side + 2), np.uint8)
    reach = (int(rng.integers(6, 40)),) * 3
    middle = rng.integers(side // 4, 3 * side // 4, 2)
    for _ in range(int(rng.integers(1, 3))):
        start = np.clip(middle + rng.integers(-size // 4, size // 4 + 1, 2), 0, side - 1)
        cv2.floodFill(smooth, spots, start.tolist(), 0, reach, reach, 4 | _FILL_MASK_ALONE)
    mask = spots[1:-1, 1:-1] > 0
    if mask.sum() < 0.005 * mask.size:
        mask = _blob(rng, mask.shape, 0.1, 0.4)
        mask[side // 2, side // 2] = True
    x0, y0, x1, y1 = _box(mask)
    part = min(side, max(size // 4, round(float(rng.uniform(1.1, 1.6)) * max(x1 - x0, y1 - y0))))
    left, top = (int(np.clip((a + b - part) // 2, 0, side - part)) for a, b in ((x0, x1), (y0, y1)))
    where = slice(top, top + part), slice(left, left + part)
    image = cv2.resize(photo[where], (size, size), interpolation=cv2.INTER_AREA)
    small = cv2.resize(mask[where].astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    found = small >= 0.5 if (small >= 0.5).any() else small > 0
    return image.astype(np.float32) / 255, found


def _eroded(rng: np.random.Generator, mask: Array) -> Array:
    return cv2.erode(mask.astype(np.uint8), _round(rng)) > 0


def _dilated(rng: np.random.Generator, mask: Array) -> Array:
    return cv2.dilate(mask.astype(np.uint8), _round(rng)) > 0


def _round(rng: np.random.Generator) -> Array:
    side = 2 * int(rng.integers(1, 4)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _shifted(rng: np.random.Generator, mask: Array) -> Array:
    reach = mask.shape[0] // 16
    down, across = rng.integers(-reach, reach + 1, 2)
    return np.roll(mask, (int(down), int(across)), (0, 1))


def _box(mask: Array) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _boxed(rng: np.random.Generator, mask: Array) -> Array:  # noqa: ARG001
    x0, y0, x1, y1 = _box(mask)
    out = np.zeros_like(mask)
    out[y0:y1, x0:x1] = True
    return out


def _ellipse(rng: np.random.Generator, mask: Array) -> Array:  # noqa: ARG001
    x0, y0, x1, y1 = _box(mask)
    middle, axes = ((x0 + x1) // 2, (y0 + y1) // 2), ((x1 - x0) // 2, (y1 - y0) // 2)
    return cv2.ellipse(np.zeros(mask.shape, np.uint8), middle, axes, 0, 0, 360, 1, -1) > 0


def _cut_off(rng: np.random.Generator, mask: Array) -> Array:
    """Without what lies beyond a line: up to a third of it."""
    rows, columns = np.nonzero(mask)
    turn = rng.uniform(0, 2 * np.pi)
    along = columns * np.cos(turn) + rows * np.sin(turn)
    kept = along <= np.quantile(along, rng.uniform(0.67, 1))
    out = np.zeros_like(mask)
    out[rows[kept], columns[kept]] = True
    return out


def _blob(rng: np.random.Generator, shape: tuple[int, ...], least: float, most: float) -> Array:
    """An ellipse somewhere, its axes from `least` to `most` of the side."""
    side = shape[0]
    axes = [int(side * rng.uniform(least, most)) for _ in range(2)]
    middle = [int(each) for each in rng.integers(0, side, 2)]
    turn = float(rng.uniform(0, 180))
    drawn = np.zeros(shape, np.uint8)
    return cv2.ellipse(drawn, middle, axes, turn, 0, 360, 1, -1) > 0
