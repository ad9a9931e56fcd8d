"""Grass of a picture, without weights: what is green and rough, and lies on the ground.

Green is told by its hue in CIE L*a*b*; a blurred garden, a painted wall and a cloth are smoother
than blades of grass; and what reaches up to the top is trees as well. A graph cut (Rother et al.
2004, "GrabCut") finds the rim. What is in doubt is no grass: the user is asked to point.
"""

from __future__ import annotations

import cv2
import numpy as np

from editanything.grounders.rims import at_full_size, cut_out, reduced, square
from editanything.grounders.skies import Lab
from editanything.grounders.sky import LEAST_PX, SIDE_PX, look
from editanything.types import RGB, Bool2D, Mask

#: Hues in the plane of a and b, in degrees: from yellowish to bluish green; and what may be of it.
_GREEN, _GREENISH = (111.0, 160.0), (95.0, 170.0)
_LEAST_CHROMA, _LEAST_CHROMA_ISH = 12.0, 7.0
#: Of the pixels around a place so many change by so many Lab units a pixel: blades are everywhere.
_LEAST_ROUGH, _BLADE, _AROUND_PX = 0.6, 2.2, 15
_LEAST_SHARE = 0.04  # of the picture, a part
_LEAST_AT_BOTTOM = 0.25  # of the bottom edge
_HIGHEST = 0.2  # of the height from the top: what begins above is not grass alone ...
_ALL = 0.9  # ... but for a picture of nothing else
_REACH_PX = 8  # so far beyond a part its rim is sought


def find_grass(image: RGB) -> Mask | None:
    """The grass, or None where there is none or it is not sure.

    Args:
        image: uint8 (H, W, 3) of any size.
    """
    small = reduced(image, SIDE_PX)
    if min(small.shape[:2]) < LEAST_PX:
        return None
    seen = look(small)
    rough = cv2.blur((seen.slope > _BLADE).astype(np.float32), (_AROUND_PX, _AROUND_PX))
    part = _on_the_ground(_green(seen.lab, _GREEN, _LEAST_CHROMA) & (rough > _LEAST_ROUGH))
    if not part.any() or (_begins(part) < _HIGHEST and part.mean() < _ALL):
        return None
    near = cv2.dilate(part.astype(np.uint8), square(_REACH_PX)) > 0
    sure = cv2.erode(part.astype(np.uint8), square(2), borderValue=1) > 0
    possible = near & _green(seen.lab, _GREENISH, _LEAST_CHROMA_ISH)
    return Mask.of(at_full_size(cut_out(small, sure=sure, likely=part, possible=possible), image))


def _green(lab: Lab, hues: tuple[float, float], chroma: float) -> Bool2D:
    """Mostly of such a hue, around each pixel."""
    a, b = lab[..., 1], lab[..., 2]
    hue = np.degrees(np.arctan2(b, a))
    fits = (hue >= hues[0]) & (hue <= hues[1]) & (np.hypot(a, b) >= chroma)
    return cv2.blur(fits.astype(np.float32), (5, 5)) > 0.5


def _on_the_ground(green: Bool2D) -> Bool2D:
    """The connected parts that are large and reach the bottom edge."""
    closed = cv2.morphologyEx(green.astype(np.uint8), cv2.MORPH_CLOSE, square(3))
    closed = cv2.morphologyEx(closed, cv2.MORPH_OPEN, square(3))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    at_bottom = np.bincount(labels[-1], minlength=count)
    kept = (at_bottom >= _LEAST_AT_BOTTOM * green.shape[1]) & (
        stats[:, cv2.CC_STAT_AREA] >= _LEAST_SHARE * green.size
    )
    kept[0] = False
    return kept[labels]


def _begins(part: Bool2D) -> float:
    """How far from the top it begins, as a share of the height, in most of its columns."""
    columns = part.any(0)
    return float(np.quantile(part.argmax(0)[columns], 0.2)) / part.shape[0]
