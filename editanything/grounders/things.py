"""Candidate regions with what is asked of them: place, size, light, distance to others.

Distances and overlaps are taken on a grid of at most `GRID` cells a side: a 24-megapixel picture
answers as quickly as a small one, and a hundredth of the frame is near enough for words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.colors import name_of, to_oklab
from editanything.types import RGB, Bool2D, Box, Mask, Region

GRID = 256
_MOST_PIXELS = 4096  # of a region, to know its colours by


@dataclass(frozen=True, eq=False)
class Thing:
    """A region that words may mean, with how well its name fits."""

    region: Region
    score: float
    image: RGB = field(repr=False)

    @property
    def mask(self) -> Mask:
        """Its pixels."""
        return self.region.mask

    @property
    def box(self) -> Box:
        """Its box, XYXY."""
        return self.region.mask.box

    @cached_property
    def centre(self) -> tuple[float, float]:
        """The mean (x, y) of its pixels."""
        return self.mask.centroid()

    @cached_property
    def area(self) -> int:
        """Its number of pixels."""
        return self.mask.area

    @property
    def width(self) -> int:
        """The width of its box."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """The height of its box."""
        return self.box[3] - self.box[1]

    @property
    def foot(self) -> int:
        """The y at which it ends below: what stands lower in a picture is nearer."""
        return self.box[3]

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """Some of its pixels, evenly spread; (n, 3) RGB."""
        x0, y0, x1, y1 = self.box
        inside: NDArray[np.uint8] = self.image[y0:y1, x0:x1][self.mask.crop]
        return inside[:: max(1, len(inside) // _MOST_PIXELS)]

    @cached_property
    def lab(self) -> tuple[float, float, float]:
        """Its median colour in OKLab."""
        r, g, b = (int(value) for value in np.median(self.pixels, axis=0))
        return to_oklab((r, g, b))

    def share_named(self, names: frozenset[str]) -> float:
        """The share of its pixels whose colour has one of these names."""
        codes, counts = np.unique(color_codes(self.pixels), return_counts=True)
        hit = [name_of_code(int(code)) in names for code in codes]
        return float(counts[hit].sum() / counts.sum())

    @cached_property
    def grid(self) -> Bool2D:
        """Its pixels on the grid, at least one cell."""
        height, width = self.mask.shape
        scale = max(1.0, max(height, width) / GRID)
        rows = ((np.arange(max(1, round(height / scale))) + 0.5) * scale).astype(int)
        columns = ((np.arange(max(1, round(width / scale))) + 0.5) * scale).astype(int)
        x0, y0, x1, y1 = self.box
        ys = (rows >= y0) & (rows < y1)
        xs = (columns >= x0) & (columns < x1)
        out = np.zeros((len(rows), len(columns)), bool)
        out[np.ix_(ys, xs)] = self.mask.crop[np.ix_(rows[ys] - y0, columns[xs] - x0)]
        if not out.any():
            row = min(int(self.centre[1] / scale), len(rows) - 1)
            out[row, min(int(self.centre[0] / scale), len(columns) - 1)] = True
        return out

    @cached_property
    def away(self) -> NDArray[np.float32]:
        """The distance of every cell of the grid to it, in cells."""
        outside = (~self.grid).astype(np.uint8)
        far: NDArray[np.float32] = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_5)
        return far

    @cached_property
    def filled(self) -> Bool2D:
        """Its cells and those that it encloses: the inside of a bowl that is drawn as a ring."""
        padded = np.pad(self.grid, 1).astype(np.uint8)
        cv2.floodFill(padded, None, (0, 0), 2)
        enclosed: Bool2D = padded[1:-1, 1:-1] != 2
        return enclosed


def touch(thing: Thing) -> float:
    """Within how many cells things touch: 1.2 % of the frame."""
    return max(1.5, 0.012 * max(thing.grid.shape))


def gap(thing: Thing, other: Thing) -> float:
    """The cells between two things; 0 where they overlap."""
    return float(other.away[thing.grid].min())


def share_inside(thing: Thing, other: Thing) -> float:
    """The share of a thing that lies on another one, or within its outline."""
    return float(other.filled[thing.grid].mean())


def contact(thing: Thing, other: Thing) -> float:
    """The share of a thing that touches another one or lies on it."""
    return float((other.away[thing.grid] <= touch(thing)).mean())


def overlap_1d(a0: float, a1: float, b0: float, b1: float) -> float:
    """How much two spans share, as a part of the shorter one; negative where there is a gap."""
    return (min(a1, b1) - max(a0, b0)) / max(1e-9, min(a1 - a0, b1 - b0))


def color_codes(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Colours (..., 3) in steps of 8 levels, as numbers: a few thousand names instead of 2^24."""
    codes: NDArray[np.int32] = (pixels >> 3).astype(np.int32) @ np.array([1024, 32, 1], np.int32)
    return codes


@lru_cache(maxsize=32768)
def name_of_code(code: int) -> str:
    """The basic name of a colour of `color_codes`."""
    return name_of(((code >> 10) * 8 + 4, (code >> 5) % 32 * 8 + 4, code % 32 * 8 + 4))
