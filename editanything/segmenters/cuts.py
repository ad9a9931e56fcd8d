"""GrabCut (Rother et al. 2004) on small pictures: reproducible, and tidied up afterwards."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import RGB, Bool2D

BACK, THING, MAYBE_BACK, MAYBE_THING = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD

Seeds = NDArray[np.uint8]  # (h, w) of the four values above

MIN_SAMPLES = 6  # a colour model has five parts; each wants a sample


def cut(image: RGB, seeds: Seeds, *, rounds: int = 4) -> Bool2D:
    """The thing that `seeds` hint at, bool (h, w); sure seeds are obeyed.

    Without enough samples on both sides there is nothing to tell apart, and the hints are the
    answer.
    """
    hinted = (seeds == THING) | (seeds == MAYBE_THING)
    if min(np.count_nonzero(hinted), np.count_nonzero(~hinted)) < MIN_SAMPLES:
        return hinted
    # The colour models start from k-means, which draws from OpenCV's generator of this thread.
    cv2.setRNGSeed(0)
    labels = seeds.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, None, *models, rounds, cv2.GC_INIT_WITH_MASK)
    return (labels == THING) | (labels == MAYBE_THING)


def tidy(mask: Bool2D, *, must: Bool2D | None = None, speck_share: float = 0.04) -> Bool2D:
    """`mask` without small holes and specks.

    Parts that touch `must` (where given) stay; of the others, those larger than `speck_share` of
    the largest part.
    """
    if not mask.any():
        return mask
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    stay = areas >= max(4.0, speck_share * areas.max())
    stay[int(areas.argmax())] = True
    if must is not None and (must & mask).any():
        stay = np.zeros(count, bool)
        stay[np.unique(parts[must & mask])] = True
    stay[0] = False
    return _without_holes(stay[parts], 0.02 * float(areas.max()))


def _without_holes(mask: Bool2D, max_area: float) -> Bool2D:
    """`mask` with the enclosed holes of up to `max_area` pixels filled."""
    padded = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=4)
    fill = stats[:, cv2.CC_STAT_AREA] <= max_area
    fill[[0, parts[0, 0]]] = False
    return mask | fill[parts][1:-1, 1:-1]


def opened(mask: Bool2D, radius_px: float) -> Bool2D:
    """`mask` smoothed: spikes and bridges thinner than about two `radius_px` go."""
    size = 2 * max(1, round(radius_px)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel).astype(bool)


def distance_inside(mask: Bool2D) -> NDArray[np.float32]:
    """How deep each pixel lies in `mask`; 0 outside. The picture's edge is no rim."""
    if mask.all():
        return np.full(mask.shape, float(max(mask.shape)), np.float32)
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
