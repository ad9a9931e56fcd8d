"""GrabCut (Rother et al. 2004) on small pictures: reproducible, and tidied up afterwards."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import RGB, Bool2D

BACK, THING, MAYBE_BACK, MAYBE_THING = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD

Seeds = NDArray[np.uint8]  # (h, w) of the four values above
FloatArray = NDArray[np.float64]

MIN_SAMPLES = 6  # a colour model has five parts; each wants a sample
#: A cut's cost grows faster than the number of pixels in doubt: clicks and boxes take no more
#: than these at once. Along the rim of a smaller cut so many on either side are asked again.
MOST_UNSURE, BAND_PX = 40_000, 3


def cut(image: RGB, seeds: Seeds, *, rounds: int = 4, most_unsure: int | None = None) -> Bool2D:
    """The thing that `seeds` hint at, bool (h, w); sure seeds are obeyed.

    Without enough samples on both sides there is nothing to tell apart, and the hints are the
    answer. Where more than `most_unsure` pixels are unsure (None: no limit), the picture is cut at
    a smaller size, and then its own pixels in a band along the rim, with the colours found there
    (Lombaert et al. 2005). Thin parts may be lost so.
    """
    hinted = _thing(seeds)
    if min(np.count_nonzero(hinted), np.count_nonzero(~hinted)) < MIN_SAMPLES:
        return hinted
    models = np.zeros((1, 65)), np.zeros((1, 65))
    unsure = np.count_nonzero(_unsure(seeds))
    if most_unsure is None or unsure <= most_unsure:
        return _cut(image, seeds, models, rounds, cv2.GC_INIT_WITH_MASK)
    height, width = seeds.shape
    share = math.sqrt(most_unsure / unsure)
    size = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    few = cv2.resize(seeds, size, interpolation=cv2.INTER_NEAREST)
    if min(np.count_nonzero(_thing(few)), np.count_nonzero(~_thing(few))) < MIN_SAMPLES:
        return _cut(image, seeds, models, rounds, cv2.GC_INIT_WITH_MASK)
    rough = _cut(small, few, models, rounds, cv2.GC_INIT_WITH_MASK).astype(np.float32)
    banded = _banded(cv2.resize(rough, (width, height)) > 0.5, seeds)
    return _cut(image, banded, models, 1, cv2.GC_EVAL)


def _thing(seeds: Seeds) -> Bool2D:
    return (seeds == THING) | (seeds == MAYBE_THING)


def _unsure(seeds: Seeds) -> Bool2D:
    return (seeds == MAYBE_BACK) | (seeds == MAYBE_THING)


def _cut(
    image: RGB, seeds: Seeds, models: tuple[FloatArray, FloatArray], rounds: int, mode: int
) -> Bool2D:
    # The colour models start from k-means, which draws from OpenCV's generator of this thread.
    cv2.setRNGSeed(0)
    labels = seeds.copy()
    cv2.grabCut(image, labels, None, *models, rounds, mode)
    return _thing(labels)


def _banded(rough: Bool2D, seeds: Seeds) -> Seeds:
    """`seeds` whose unsure pixels are taken as `rough` has them, but for a band along its rim."""
    square = np.ones((2 * BAND_PX + 1,) * 2, np.uint8)
    band = cv2.morphologyEx(rough.astype(np.uint8), cv2.MORPH_GRADIENT, square) > 0
    told = np.where(
        rough, np.where(band, MAYBE_THING, THING), np.where(band, MAYBE_BACK, BACK)
    ).astype(np.uint8)
    return np.where(_unsure(seeds), told, seeds)


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
