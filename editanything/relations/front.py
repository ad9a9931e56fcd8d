"""Which of two things that touch lies in front: it fills a gap in the other's outline.

What lies in front shows its own outline where the two meet; that of the other ends there in
T-junctions and has a bite out of it. So the hull of what lies behind is filled by the other, and
where the common border ends, the outline in front goes straight on while the other turns.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import Bool2D

_LEAST_BORDER = 6  # pixels
_NEAR_PX = 7  # of a contour to both sides of a junction
_HULL = 0.4  # weight of the gap, beside that of the turns
_SURE = 8.0  # fitted, as a logistic regression would, on drawn things of known order


def in_front(a: Bool2D, b: Bool2D) -> tuple[float, str] | None:
    """How surely `a` lies in front of `b`, 0..1 (below 0.5: behind it), and why.

    None where they do not touch.

    Args:
        a: (H, W) the one.
        b: (H, W) the other; the two may overlap by a rim.
    """
    near = cv2.dilate(b.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    border = near & a
    if np.count_nonzero(border) < 2 * _LEAST_BORDER:
        return None
    length = np.count_nonzero(border) / 2
    gap_b, gap_a = _filled_gap(b, a), _filled_gap(a, b)
    turn_a, turn_b = _turn_at_ends(a, border), _turn_at_ends(b, border)
    hull = (gap_b - gap_a) / (0.5 * length * length + 10)
    sign = _HULL * float(np.clip(hull, -1, 1)) + turn_b - turn_a
    score = float(1 / (1 + np.exp(-_SURE * sign)))
    first, second = (turn_a, turn_b) if score >= 0.5 else (turn_b, turn_a)
    degrees = round(180 * first), round(180 * second)
    return (
        score,
        f"its outline goes on where they meet ({degrees[0]}°), the other's ends ({degrees[1]}°)",
    )


def _filled_gap(behind: Bool2D, front: Bool2D) -> int:
    """The pixels of `front` inside the convex hull of `behind`."""
    points = cv2.findNonZero(behind.astype(np.uint8))
    hull = np.zeros(behind.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return int(np.count_nonzero((hull > 0) & front & ~behind))


def _turn_at_ends(mask: Bool2D, border: Bool2D) -> float:
    """By how much its contour turns where the common border ends, 0..1; the mean of the ends."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(contours, key=len)[:, 0].astype(np.float64)
    if len(points) < 4 * _NEAR_PX:
        return 0.5
    reach = cv2.dilate(border.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    at = reach[points[:, 1].astype(int), points[:, 0].astype(int)]
    at = np.convolve(np.r_[at[-2:], at, at[:2]], np.ones(5), "valid") >= 3
    ends = np.flatnonzero(at != np.roll(at, 1))
    if not ends.size:
        return 0.5
    before = points - np.roll(points, _NEAR_PX, 0)
    after = np.roll(points, -_NEAR_PX, 0) - points
    cosine = (before * after).sum(1) / np.maximum(
        np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1), 1e-6
    )
    angle: NDArray[np.float64] = np.arccos(np.clip(cosine, -1, 1)) / np.pi
    sharpest = [max(angle[(end + k) % len(points)] for k in range(-4, 5)) for end in ends]
    return float(np.mean(sharpest))
