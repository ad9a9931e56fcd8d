"""Regions drawn over a picture, for people."""

from __future__ import annotations

import colorsys
from collections.abc import Collection, Sequence

import cv2
import numpy as np

from editanything.types import RGB, Region

FILL = 0.38  # opacity of a region's colour
FONT = cv2.FONT_HERSHEY_SIMPLEX


def region_colour(index: int) -> tuple[int, int, int]:
    """A colour for the region at `index`; neighbours in the list are far apart in hue."""
    hue = (0.03 + index * 0.61803398875) % 1.0  # steps of the golden ratio never come close again
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 1.0 if index % 2 else 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_regions(image: RGB, regions: Sequence[Region], ids: Collection[int] | None = None) -> RGB:
    """A copy of `image` with translucent regions, outlines and labels ("cat", else the id).

    Args:
        image: (H, W, 3).
        regions: of this picture; drawn from the largest to the smallest, so that parts stay
            visible on what they are part of.
        ids: draw only these; None draws all.
    """
    out = image.copy()
    width_px = max(1, round(max(image.shape[:2]) / 600))
    order = sorted(range(len(regions)), key=lambda index: -regions[index].mask.area)
    shown = [index for index in order if ids is None or regions[index].id in ids]
    for index in shown:
        _paint(out, regions[index], region_colour(index), width_px)
    for place, index in enumerate(shown):
        _write(out, regions[index], [regions[i] for i in shown[place + 1 :]], region_colour(index))
    return out


def _paint(out: RGB, region: Region, colour: tuple[int, int, int], width_px: int) -> None:
    """Fill and outline one region, in place."""
    x0, y0, x1, y1 = region.mask.box
    part, inside = out[y0:y1, x0:x1], region.mask.crop
    tinted = part[inside] * (1 - FILL) + np.array(colour) * FILL
    part[inside] = np.round(tinted).astype(np.uint8)
    outlines, _ = cv2.findContours(
        inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(x0, y0)
    )
    cv2.drawContours(out, outlines, -1, colour, width_px, cv2.LINE_AA)


def _write(out: RGB, region: Region, above: Sequence[Region], colour: tuple[int, int, int]) -> None:
    """Write the region's name where most of it is bare of the regions `above` it, in place.

    A region without a name that is smaller than its number gets none.
    """
    text = region.label or str(region.id)
    scale = max(0.4, max(out.shape[:2]) / 1600)
    (width, height), base = cv2.getTextSize(text, FONT, scale, max(1, round(scale)))
    x0, y0, x1, y1 = region.mask.box
    if not region.label and (x1 - x0 < width or y1 - y0 < height):
        return
    bare = region.mask.crop.copy()
    for other in above:
        bare &= ~other.mask.within(region.mask.box)
    depth = cv2.distanceTransform(np.pad(bare, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    left = min(max(0, x0 + int(x) - width // 2), max(0, out.shape[1] - width))
    low = min(max(height, y0 + int(y) + height // 2), out.shape[0] - 1)
    cv2.rectangle(out, (left - 2, low - height - 2), (left + width + 2, low + base), colour, -1)
    cv2.putText(out, text, (left, low), FONT, scale, (0, 0, 0), max(1, round(scale)), cv2.LINE_AA)
