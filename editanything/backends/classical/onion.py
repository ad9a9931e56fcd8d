"""Closing a hole from its rim inwards, one layer of pixels at a time.

The start of the coarsest scale (Newson et al., Video Inpainting of Complex Scenes, 2014, 3.4):
each pixel of the layer takes the known patch that fits the known part of its own patch best.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical.patchmatch import POSITION_WEIGHT, Float, Index, Level
from editanything.progress import Progress, report
from editanything.types import Bool2D

MAX_SOURCES = 12_000
ROWS = 256  # patches compared at a time


def peel(
    level: Level,
    painted: Float,
    unknown: Bool2D,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Index:
    """Paint the `unknown` pixels of `painted` (in place).

    Args:
        level: the scale, with at least one source.
        painted: (h, w, 5) the level's image, filled wherever `unknown` is False.
        unknown: (h, w) pixels of the level's hole.
        rng: draws the sources that are compared where there are very many.
        progress: told once per layer.

    Returns:
        (h * w,) the flat source of the patch around each pixel that was painted, else -1.
    """
    h, w = unknown.shape
    r = level.radius_px
    sources = level.sources
    if len(sources) > MAX_SOURCES:
        sources = np.sort(rng.choice(sources, MAX_SOURCES, replace=False))
    steps = np.array(level.steps)
    flat = painted.reshape(h * w, -1)
    # Whole grey levels: sums of squares stay below 2^24, so the products below are exact and do
    # not depend on the order in which a BLAS adds up.
    known_patches = np.rint(flat[sources[:, None] + steps][..., :3])
    known_patches = known_patches.reshape(len(sources), -1)
    left = unknown.copy()
    out = np.full(h * w, -1, np.int64)
    size = int(unknown.sum())
    while left.any():
        report(progress, 1 - float(left.sum()) / size, "closing the hole")
        touched = cv2.dilate((~left).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        y, x = np.nonzero(left & touched)
        centre = np.clip(y, r, h - 1 - r) * w + np.clip(x, r, w - 1 - r)
        found = _best(flat, ~left.ravel(), centre, steps, sources, known_patches, w)
        out[centre] = found
        flat[y * w + x] = flat[found + (y * w + x - centre)]
        left[y, x] = False
    return out


def _best(
    flat: Float,
    known: NDArray[np.bool_],
    centre: Index,
    steps: Index,
    sources: Index,
    known_patches: Float,
    width: int,
) -> Index:
    """The source whose patch differs least from the known part of each centre's patch."""
    out = np.empty(len(centre), np.int64)
    squares = known_patches * known_patches
    position = np.stack(np.divmod(sources, width)).astype(np.float64)
    scale = POSITION_WEIGHT / max(width, len(flat) // width)
    for start in range(0, len(centre), ROWS):
        c = centre[start : start + ROWS]
        at = c[:, None] + steps
        mask = np.repeat(known[at], 3, axis=1).astype(np.float32)
        patch = np.rint(flat[at][..., :3]).reshape(len(c), -1) * mask
        difference = (mask @ squares.T).astype(np.float64)
        difference -= 2.0 * (patch @ known_patches.T)
        cy, cx = np.divmod(c, width)
        for coordinate, source in ((cy, position[0]), (cx, position[1])):
            difference += ((coordinate[:, None] - source) * scale) ** 2
        out[start : start + ROWS] = sources[difference.argmin(1)]
    return out
