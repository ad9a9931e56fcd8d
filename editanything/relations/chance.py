"""How often a ground shows by chance what looks like a shadow: the same outline, put elsewhere.

Bricks have mortar lines and grass has dark tufts, so an outline that fits somewhere says little
where it fits nearly everywhere. What is measured at the proposed place is compared with the same
measurement all over the surroundings.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.contours import weigh
from editanything.relations.view import View
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]

_STRIDE = 0.3  # of the thing's size between two places
_FEWEST = 8  # places, else nothing is known
_MOST = 160
UNKNOWN = 0.5


def outline_chance(
    view: View, points: Floats, meant: Bool2D, rank: float, luma: Float2D, noise: float
) -> float:
    """How an outline's rank compares with that of its copies elsewhere: 0.5 alike, 1 far above.

    Args:
        view: where it lies.
        points: (N, 2) the outline.
        meant: (N,) its points that count.
        rank: of `weigh`, where it is proposed.
        luma: (h, w) as `weigh` gets it.
        noise: as `weigh` gets it.
    """
    shifts = _shifts(view)
    if len(shifts) < _FEWEST:
        return UNKNOWN
    copies = (points[None] + shifts[:, None]).astype(np.float32)
    placed = weigh(view, copies, np.repeat(meant[None], len(copies), 0), luma, noise)
    ranks = placed.rank[placed.seen > 0.4]
    if len(ranks) < _FEWEST:
        return UNKNOWN
    usual = float(np.percentile(ranks, 85))
    return rank / max(rank + max(usual, 0.0), 1e-3)


def _shifts(view: View) -> Floats:
    """(n, 2) shifts of a view, away from where it is."""
    step = max(3.0, _STRIDE * view.size)
    height, width = view.shape
    xs = np.arange(-width, width + 1, step)
    ys = np.arange(-height, height + 1, step)
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    x0, y0, x1, y1 = view.bounds
    inside = (grid[:, 0] + x0 > -0.5 * (x1 - x0)) & (grid[:, 0] + x1 < width + 0.5 * (x1 - x0))
    inside &= (grid[:, 1] + y0 > -0.5 * (y1 - y0)) & (grid[:, 1] + y1 < height + 0.5 * (y1 - y0))
    far = np.hypot(*grid.T) > 0.5 * view.size
    found = grid[inside & far].astype(np.float32)
    return found[:: max(1, len(found) // _MOST)]


def patch_chance(view: View, shape: Bool2D, luma: Float2D) -> float:
    """How much darker a patch is than its rim, against the same patch elsewhere; 0 alike, 1 far.

    Args:
        view: where it lies.
        shape: (h, w) the patch.
        luma: (h, w) logarithmic lightness.
    """
    ys, xs = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
    if not ys.size:
        return 0.0
    pad = 3 + round(0.15 * view.size)
    tight = np.pad(shape[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1], pad).astype(np.float32)
    tight = cv2.resize(tight, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    inner = (tight > 0.5).astype(np.float32)
    side = max(3, pad // 2)
    outer = cv2.dilate(inner, np.ones((2 * side + 1, 2 * side + 1), np.uint8)) - inner
    size = max(1, view.shape[1] // 2), max(1, view.shape[0] // 2)
    plane = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    free = (cv2.resize(view.blocked.astype(np.float32), size, interpolation=cv2.INTER_AREA)) < 0.5
    step, known = _step_everywhere(plane, free.astype(np.float32), inner, outer)
    y = min(size[1] - 1, (int(ys[0]) + int(ys[-1])) // 4)
    x = min(size[0] - 1, (int(xs[0]) + int(xs[-1])) // 4)
    rows, columns = np.mgrid[: size[1], : size[0]]
    away = np.hypot(rows - y, columns - x) > 0.3 * view.size  # half a thing, at half the size
    elsewhere = step[known & away]
    if elsewhere.size < 50:
        return UNKNOWN
    middle = float(np.median(elsewhere))
    spread = 1.48 * float(np.median(np.abs(elsewhere - middle))) + 0.01
    return float(np.tanh((float(step[y, x]) - middle) / spread / 6))


def _step_everywhere(
    plane: Float2D, free: Float2D, inner: Floats, outer: Floats
) -> tuple[Float2D, Bool2D]:
    """Mean outside minus mean inside with the patch's centre at each pixel, and where known."""
    values = []
    known = np.ones(plane.shape, bool)
    for kernel in (outer, inner):
        total = cv2.filter2D(plane * free, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
        count = cv2.filter2D(free, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
        known &= count > 0.5 * float(kernel.sum())
        values.append(total / np.maximum(count, 1.0))
    return values[0] - values[1], known
