"""The sky of a picture, without weights: what hangs from the top edge, is smooth, and ends sharply.

Pixels without edges that hang from the top are grown at several thresholds of the gradient, as Shen
and Wang do (2013, "Sky region detection in a single image for autonomous ground robot navigation");
taken is the threshold at which what hangs there is best told from what lies under it. Their energy
(eq. 6) is of the colours' covariances; here a sky may change its colour smoothly from the zenith to
the horizon, and what counts is what a smooth field leaves over. A graph cut (Rother et al. 2004,
"GrabCut") finds the rim, and `is_sky` asks for signs that a wall, a blurred garden or a studio's
ground does not show. What is in doubt is no sky: the user is asked to point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from editanything.grounders.rims import at_full_size, cut_out, reduced, square
from editanything.grounders.skies import (
    LEAST_SHARE,
    Lab,
    is_sky,
    lower_rim,
    smooth_field,
    unsmooth,
)
from editanything.types import RGB, Bool2D, Float2D, Mask

SIDE_PX = 384  # a picture is judged at this size of its longer side
LEAST_PX = 32  # of a picture's shorter side, reduced: less shows nothing
_LEAST_TOP = 0.08  # of the top edge a part hangs from
#: Lab units a pixel: from below the noise of a photo to the edges of clouds.
_THRESHOLDS = tuple(float(t) for t in np.geomspace(1.2, 9.0, 9))
_BEYOND_PX = 6  # from the rim of a part, the other side is looked at
_CLEARLY = 12.0  # Lab units between the two sides of a rim; more says no more
_SMOOTH = 2.0  # Lab units a pixel, of pieces that were cut off
_MOSTLY, _LEAST_PIECE_PX = 0.7, 30  # of such a piece is as the sky leads to; and its size
_REACH_PX = 10  # so far beyond a part its rim is sought


_PORTRAIT = 0.12  # of the picture's shorter side: a face as large is what the picture is of
_BODY = 2.0  # widths of a face on either side may hide what is behind
_BESIDE = 0.35  # of the picture's columns, beside a body, hold a sky's lower rim


@dataclass(frozen=True, eq=False)
class Reduced:
    """A picture at the size at which it is judged.

    Attributes:
        rgb: uint8 (h, w, 3).
        lab: its colours, a little smoothed.
        slope: how much the colour changes, in Lab units a pixel.
    """

    rgb: RGB
    lab: Lab
    slope: Float2D


def find_sky(image: RGB) -> Mask | None:
    """The sky, or None where there is none or it is not sure.

    Args:
        image: uint8 (H, W, 3) of any size.
    """
    small = reduced(image, SIDE_PX)
    if min(small.shape[:2]) < LEAST_PX:
        return None
    seen = look(small)
    part = _best_part(seen)
    if part is None:
        return None
    sky = _cut_out(seen, part)
    if not is_sky(seen.lab, seen.slope, sky):
        return None
    return Mask.of(at_full_size(sky, image))


def look(rgb: RGB) -> Reduced:
    """A reduced picture with its colours and their slopes."""
    smooth = cv2.GaussianBlur(rgb, (0, 0), 0.8).astype(np.float32) / 255
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    # 1/4: Sobel's kernel as the difference of neighbours, in units a pixel times two.
    across, down = cv2.Sobel(lab, -1, 1, 0, scale=0.25), cv2.Sobel(lab, -1, 0, 1, scale=0.25)
    return Reduced(rgb, lab, np.sqrt((across**2 + down**2).sum(2)))


def _best_part(seen: Reduced) -> Bool2D | None:
    """What hangs from the top and is best told from what lies under it."""
    scored = [(_told_apart(seen.lab, part), part) for part in _hanging(seen.slope)]
    if not scored:
        return None
    score, part = max(scored, key=lambda one: one[0])
    return _with_likes(seen, part) if score > 0 else None


def _hanging(slope: Float2D) -> Iterator[Bool2D]:
    """For each threshold, the smooth pixels that hang from the top, across cables and twigs."""
    width = slope.shape[1]
    for threshold in _THRESHOLDS:
        smooth = cv2.erode((slope < threshold).astype(np.uint8), square(1))
        bridged = cv2.dilate(smooth, square(3))
        count, labels = cv2.connectedComponents(bridged, connectivity=4)
        from_top = np.bincount(labels[0][smooth[0] > 0], minlength=count)
        hangs = from_top >= _LEAST_TOP * width
        hangs[0] = False
        part = hangs[labels] & (smooth > 0)
        if part.mean() >= LEAST_SHARE:
            yield cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_CLOSE, square(4)) > 0


def _told_apart(lab: Lab, part: Bool2D) -> float:
    """How clearly its lower rim parts it from what is under it, over how unsmooth it is itself."""
    rows, columns = lower_rim(part, _BEYOND_PX)
    if not rows.size:
        return 0.0
    apart = np.linalg.norm(lab[rows - 3, columns] - lab[rows + _BEYOND_PX, columns], axis=1)
    return min(float(np.percentile(apart, 25)), _CLEARLY) / (1 + unsmooth(lab, part))


def _with_likes(seen: Reduced, part: Bool2D) -> Bool2D:
    """`part`, with the smooth parts that begin above its lowest row and are what it leads to.

    A tower, a cable or branches may cut a sky in pieces that do not hang from the top.
    """
    field, off = smooth_field(seen.lab, part)
    within = 2 * off + 3
    alike = np.linalg.norm(seen.lab - field, axis=2) < within
    lowest = int(np.flatnonzero(part.any(1))[-1])
    smooth = cv2.erode((seen.slope < _SMOOTH).astype(np.uint8), square(1))
    count, labels = cv2.connectedComponents(smooth, connectivity=4)
    above = labels[: lowest + 1]
    sizes = np.bincount(above.ravel(), minlength=count)
    likes = np.bincount(above[alike[: lowest + 1]], minlength=count)
    taken = (likes > _MOSTLY * sizes) & (sizes >= _LEAST_PIECE_PX)
    taken[0] = False
    return part | taken[labels]


def _cut_out(seen: Reduced, part: Bool2D) -> Bool2D:
    """`part` up to where its colours end: sought near to it, and above it."""
    rough = part.astype(np.uint8)
    sure = cv2.erode(rough, square(2), borderValue=1) > 0
    near = cv2.dilate(rough, square(_REACH_PX)) > 0
    above = np.flip(np.maximum.accumulate(np.flip(rough, 0), 0), 0) > 0
    found = cut_out(seen.rgb, sure=sure, likely=part, possible=near | above)
    _, labels = cv2.connectedComponents(found.astype(np.uint8), connectivity=4)
    kept = np.zeros(int(labels.max()) + 1, bool)
    kept[np.unique(labels[found & part])] = True
    kept[0] = False
    return kept[labels]


def is_behind_portrait(sky: Mask, faces: Sequence[Mask]) -> bool:
    """Whether there is a portrait, and beside the body too little of a horizon.

    A studio's blue or pale ground looks as a sky does; a landscape shows on either side.
    """
    height, width = sky.shape
    large = [face for face in faces if face.box[3] - face.box[1] > _PORTRAIT * min(height, width)]
    if not large:
        return False
    whole = sky.full()
    rim = np.asarray((whole[:-1] & ~whole[1:]).any(0))
    for face in large:
        x0, _, x1, _ = face.box
        reach = round(_BODY * (x1 - x0))
        middle = (x0 + x1) // 2
        rim[max(0, middle - reach) : middle + reach] = False
    return bool(rim.mean() < _BESIDE)
