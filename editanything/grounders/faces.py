"""Faces seen from the front, by the cascade of local binary patterns that scikit-image ships.

The cascade (Liao et al. 2007, "Learning multi-scale block local binary patterns for face
recognition") takes many leaves and bricks for faces. A face counts here if many of its windows
agree, if its mirror image is a face as well, and if it has the colour of skin (Chai and Ngan 1999,
Cr and Cb of YCbCr), where there is colour at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from editanything.grounders.rims import at_full_size, cut_out, reduced
from editanything.masks import with_margin
from editanything.types import RGB, Bool2D, Box, Mask

SIDE_PX = 480  # faces are sought at this size of the longer side
LEAST_PX = 24  # ... from this size on: the cascade's own window
_STEP = 1.1  # from one size of windows to the next
_AGREE, _AGREE_MIRRORED = 10, 5  # windows on one face
_AGREE_GREY = 20  # ... where there is no colour to tell skin by
_SAME = 0.3  # of a face's width may lie between it and its mirror image's
_SKIN = 0.5  # of a face's inner part has the colour of skin
_CR, _CB = (133, 180), (75, 130)
_GREY = 6  # of chroma, its median: less is a grey picture
_CUT_PX = 220  # a face's rim is found at this size
#: Half axes of a face, in sides of the cascade's window, and how far down its middle lies.
_INNER, _OUTER, _DOWN = (0.41, 0.53), (0.56, 0.70), 0.03
_MARGIN = 0.5  # of a window around it is looked at


def find_faces(image: RGB) -> tuple[Mask, ...]:
    """The faces that look at us, from left to right; () where none is sure.

    Args:
        image: uint8 (H, W, 3) of any size. Faces smaller than a twentieth of its longer side are
            not found.
    """
    small = reduced(image, SIDE_PX)
    if min(small.shape[:2]) < LEAST_PX:
        return ()
    scale = max(image.shape[:2]) / max(small.shape[:2])
    boxes = _apart(box for box in _windows(small, _agreeing(small)) if _is_face(small, box))
    return tuple(_covered(image, (x * scale, y * scale, side * scale)) for x, y, side in boxes)


Window = tuple[float, float, float]  # left, top, side


@lru_cache(maxsize=1)
def _cascade() -> Any:
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())


def _windows(rgb: RGB, agreeing: int, least_px: int = LEAST_PX) -> list[Window]:
    found = _cascade().detect_multi_scale(
        np.ascontiguousarray(rgb),
        scale_factor=_STEP,
        step_ratio=1,
        min_size=(least_px, least_px),
        max_size=(min(rgb.shape[:2]),) * 2,
        min_neighbor_number=agreeing,
    )
    return [(float(one["c"]), float(one["r"]), float(one["width"])) for one in found]


def _agreeing(rgb: RGB) -> int:
    return _AGREE_GREY if _is_grey(rgb) else _AGREE


def _is_grey(rgb: RGB) -> bool:
    spread = rgb.max(2).astype(np.int16) - rgb.min(2)
    return bool(np.median(spread) < _GREY and np.percentile(spread, 99) < 4 * _GREY)


def _is_face(rgb: RGB, window: Window) -> bool:
    return (_is_grey(rgb) or _skin(rgb, window) >= _SKIN) and _is_face_mirrored(rgb, window)


def _skin(rgb: RGB, window: Window) -> float:
    """The share of a window's inner part that has the colour of skin."""
    x, y, side = (round(value) for value in window)
    inner = rgb[y + side // 5 : y + side - side // 8, x + side // 5 : x + side - side // 5]
    cr, cb = np.moveaxis(cv2.cvtColor(inner, cv2.COLOR_RGB2YCrCb)[..., 1:], -1, 0)
    return float(np.mean((cr > _CR[0]) & (cr < _CR[1]) & (cb > _CB[0]) & (cb < _CB[1])))


def _is_face_mirrored(rgb: RGB, window: Window) -> bool:
    x, y, side = window
    x0, y0, x1, y1 = _around(window, rgb.shape[:2])
    mirrored = rgb[y0:y1, x0:x1][:, ::-1]
    for left, top, wide in _windows(mirrored, _AGREE_MIRRORED, max(LEAST_PX, round(side / 1.5))):
        aside = abs((x1 - left - wide / 2) - (x + side / 2))
        if max(aside, abs(y0 + top + wide / 2 - y - side / 2)) < _SAME * side < 0.45 * wide:
            return True
    return False


def _around(window: Window, shape: tuple[int, ...]) -> Box:
    x, y, side = (round(value) for value in window)
    margin = round(_MARGIN * side)
    return with_margin((x, y, x + side, y + side), margin, (shape[0], shape[1]))


def _apart(windows: Iterator[Window]) -> list[Window]:
    """One window a face: the middle one in size of those on the same face."""
    groups: list[list[Window]] = []
    for window in sorted(windows, key=lambda one: -one[2]):
        same = (group for group in groups if _on_same(group[0], window))
        group = next(same, None)
        if group is None:
            groups.append([window])
        else:
            group.append(window)
    return sorted(group[len(group) // 2] for group in groups)


def _on_same(larger: Window, smaller: Window) -> bool:
    x, y = (smaller[axis] + smaller[2] / 2 - larger[axis] for axis in (0, 1))
    return 0 < x < larger[2] and 0 < y < larger[2]


def _covered(image: RGB, window: Window) -> Mask:
    """The face in a window: its inner oval at least, and what belongs to it in the outer one."""
    x0, y0, x1, y1 = _around(window, image.shape[:2])
    crop = image[y0:y1, x0:x1]
    small = reduced(crop, _CUT_PX)
    scale = small.shape[0] / crop.shape[0]
    x, y, side = (window[0] - x0) * scale, (window[1] - y0) * scale, window[2] * scale
    middle = x + side / 2, y + (0.5 + _DOWN) * side
    inner, outer = (_oval(small.shape[:2], middle, side, axes) for axes in (_INNER, _OUTER))
    found = cut_out(small, sure=inner, likely=outer, possible=outer)
    # What is to be hidden is hidden: a gap between the face and its rim is filled.
    closed = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    kept = at_full_size((closed > 0) & outer | inner, crop)
    grown = _oval(crop.shape[:2], (middle[0] / scale, middle[1] / scale), side / scale, _INNER)
    return Mask.placed((image.shape[0], image.shape[1]), (x0, y0), kept | grown)


def _oval(
    shape: tuple[int, ...], middle: tuple[float, float], side: float, axes: tuple[float, float]
) -> Bool2D:
    y, x = np.ogrid[: shape[0], : shape[1]]
    across, down = (x - middle[0]) / (axes[0] * side), (y - middle[1]) / (axes[1] * side)
    return across**2 + down**2 <= 1
