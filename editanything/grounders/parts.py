"""Parts of pictures that are no things: all that is red, what is in front, half of a sky."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from editanything import masks
from editanything.grounders.looks import color_names
from editanything.grounders.things import color_codes, name_of_code
from editanything.places import place_box
from editanything.types import RGB, Bool2D, Mask

# What things stand in front of (the "stuff" classes of COCO-Stuff, Caesar et al. 2018, shortened).
STUFF = frozenset(
    {"background", "sky", "wall", "floor", "ground", "grass", "lawn", "sea", "water", "road",
     "field", "sand", "snow", "ceiling", "street", "beach"}
)  # fmt: skip
BACKDROPS = STUFF | {"table", "desk", "mountain", "cloud"}
_COLOR_SIDE_PX = 1024  # colours are looked up at this size; finer detail is noise


def color_parts(image: RGB, colors: Sequence[str], least_share: float) -> list[Mask]:
    """The connected parts of the picture that have one of the colours, largest first.

    Args:
        image: the picture.
        colors: colours in words.
        least_share: a part is at least this share of the picture.
    """
    least = least_share * image.shape[0] * image.shape[1]
    names = frozenset(name for color in colors for name in color_names(color))
    found = masks.fill_holes(Mask.of(_named_pixels(image, names)), max_area_px=round(least))
    if found.area == 0:
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.crop.astype(np.uint8))
    order = sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])
    return [
        Mask.placed(found.shape, found.box[:2], labels == part)
        for part in order
        if stats[part, cv2.CC_STAT_AREA] >= least
    ]


def _named_pixels(image: RGB, names: frozenset[str]) -> Bool2D:
    """The pixels whose colour has one of these names, cleaned of specks; bool (H, W)."""
    height, width = image.shape[:2]
    scale = min(1.0, _COLOR_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    codes = color_codes(cv2.bilateralFilter(small, 5, 30, 3))
    present, inverse = np.unique(codes, return_inverse=True)
    hit = np.array([name_of_code(int(code)) in names for code in present])
    found = hit[inverse].reshape(codes.shape).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, masks.disc(1))
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, masks.disc(2))
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) > 0


def in_front(things: Sequence[Mask]) -> Mask:
    """The largest thing, with all that touches it."""
    front = max(things, key=lambda mask: mask.area)
    rest = [mask for mask in things if mask is not front]
    while True:
        reach = masks.grow(front, 3)
        touching = [mask for mask in rest if masks.intersection(reach, mask).area]
        if not touching:
            return front
        front = masks.union(front, *touching)
        rest = [mask for mask in rest if not any(mask is other for other in touching)]


#: How much of a thing "the left third" is; "the left part" and "the left" are half of it.
SHARES = {"third": 1 / 3, "quarter": 1 / 4}


def portion(mask: Mask, place: str, share: float = 0.5) -> Mask:
    """The part of a mask that lies at a place of its own box: "left", "top-right", ...

    Args:
        mask: the whole.
        place: one of `PLACES`.
        share: of the box's width, or height, where the place is one side of it.
    """
    x0, y0, x1, y1 = mask.box
    width, height = x1 - x0, y1 - y0
    left, top, right, bottom = place_box(place, (height, width))
    if place in {"left", "right"}:
        at = round(width * (share if place == "left" else 1 - share))
        left, right = (0, at) if place == "left" else (at, width)
    elif place in {"top", "bottom"}:
        at = round(height * (share if place == "top" else 1 - share))
        top, bottom = (0, at) if place == "top" else (at, height)
    return Mask.placed(mask.shape, (x0 + left, y0 + top), mask.crop[top:bottom, left:right])
