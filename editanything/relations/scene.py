"""The things of one picture; the network looks at each alone, then again, knowing of all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from editanything.relations.agreed import Overlaps, Sight, agreed_lights
from editanything.relations.clues import Clues, Look, clues, clues_again
from editanything.relations.network import run, weights
from editanything.relations.search import Light, Search, search
from editanything.relations.view import look_at
from editanything.types import RGB, Bool2D, Mask

Floats = NDArray[np.float32]

#: How often the network has looked at everything before it is asked.
LOOKS = 2
_MOST_OTHERS = 6
_LARGEST = 0.3  # of the picture: what is larger is a place, not a thing


class Scene:
    """Things of one picture; nothing is computed twice, and nothing before it is asked for."""

    def __init__(self, image: RGB, things: Sequence[Mask]) -> None:
        self._image, self._things = image, things
        self._besides: dict[int, list[int] | None] = {}
        self._searches: dict[int, Search] = {}
        self._looks: dict[tuple[int, int], Look] = {}
        self._overlaps: dict[tuple[int, int], Overlaps] = {}
        self._lights: dict[tuple[int, int], tuple[Light, Light]] = {}

    def beside(self, i: int) -> list[int] | None:
        """The numbers of the other things that matter to thing `i`.

        None: it is too small, a place itself, or part of another thing.
        """
        if i not in self._besides:
            others = [j for j in range(len(self._things)) if j != i]
            rest = beside(self._things[i], [self._things[j] for j in others])
            self._besides[i] = (
                None
                if rest is None
                else [next(j for j in others if self._things[j] is one) for one in rest]
            )
        return self._besides[i]

    def search(self, i: int) -> Search:
        """Where the shadow of thing `i` may lie."""
        if i not in self._searches:
            rest = [self._things[j] for j in self.beside(i) or ()]
            hidden = together(rest, self._things[i].shape)
            self._searches[i] = search(look_at(self._image, self._things[i], hidden))
        return self._searches[i]

    def look(self, i: int, times: int = 1) -> Look:
        """What the network says of thing `i` at first; `times` 2 and more: when it looks again."""
        if (i, times) not in self._looks:
            if times == 1:
                votes = [self.search(j) for j in self.beside(i) or ()]
                told_of = clues(self.search(i), votes)
                told = run(told_of.planes)
            else:
                told_of = self.again(i, times - 1)
                told = run(told_of.planes, weights("again"))
            likely = (1 / (1 + np.exp(-np.clip(told.pixels, -30, 30)))).astype(np.float32)
            self._looks[i, times] = Look(told_of, likely, told.there)
        return self._looks[i, times]

    def again(self, i: int, times: int = LOOKS) -> Clues:
        """What it is told of thing `i` after it has looked so many times at all things."""
        lights = self.lights(i, times)
        return clues_again(self.search(i), self.look(i, times), lights, self.company(i, times))

    def company(self, i: int, times: int = LOOKS) -> list[Look]:
        """What it said of the things beside thing `i`."""
        return [self.look(j, times) for j in self._told(i)]

    def lights(self, i: int, times: int = LOOKS) -> tuple[Light, Light]:
        """The lights that thing `i` and those beside it agree on."""
        if (i, times) not in self._lights:
            together = [self._overlap(j, times) for j in (i, *self._told(i))]
            self._lights[i, times] = agreed_lights(together)
        return self._lights[i, times]

    def _told(self, i: int) -> list[int]:
        return [j for j in self.beside(i) or () if self.beside(j) is not None]

    def _overlap(self, i: int, times: int) -> Overlaps:
        if (i, times) not in self._overlaps:
            look = self.look(i, times)
            sight = Sight(self.search(i), look.likely[0], ~look.clues.view.blocked)
            before = self._overlap(i, times - 1) if times > 1 else None
            self._overlaps[i, times] = Overlaps.of(sight, before)
        return self._overlaps[i, times]


def beside(thing: Mask, others: Sequence[Mask]) -> list[Mask] | None:
    """The other things that matter: not parts of this one, not places, the nearest ones.

    None: the thing is too small, is a place itself, or part of another thing: what a part does to
    the light, the whole does.
    """
    height, width = thing.shape
    if not 16 <= thing.area <= _LARGEST * height * width:
        return None
    if any(_covers(other, thing) for other in others):
        return None
    x, y = thing.centroid()
    near: list[tuple[float, int, Mask]] = []
    for other in others:
        common = np.count_nonzero(other.within(thing.box) & thing.crop)
        part = common > 0.3 * min(other.area, thing.area)
        if part or not 64 < other.area < _LARGEST * height * width:
            continue
        ox, oy = other.centroid()
        near.append((math.hypot(ox - x, oy - y), len(near), other))
    return [other for _, _, other in sorted(near)[:_MOST_OTHERS]]


def _covers(other: Mask, thing: Mask) -> bool:
    """Whether `thing` is drawn into the mask of another region."""
    common = np.count_nonzero(other.within(thing.box) & thing.crop)
    return bool(common > 0.85 * thing.area and other.area > 1.3 * thing.area)


def together(others: Sequence[Mask], shape: tuple[int, int]) -> Bool2D:
    """(H, W) the pixels of all of them."""
    out = np.zeros(shape, bool)
    for other in others:
        x0, y0, x1, y1 = other.box
        out[y0:y1, x0:x1] |= other.crop
    return out
