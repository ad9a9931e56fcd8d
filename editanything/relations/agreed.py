"""The light that all things of a scene agree on, once the network has looked at each of them.

Before that, every outline is a guess (search.py) and the vote on the light is unsure. What the
network marks as shaded is far fewer pixels; whichever light throws all things' outlines there, and
also has rims in the picture, is the scene's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.search import KX, KY, Light, Search, apart
from editanything.relations.shapes import FAMILIES
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]  # (n, 2) kx and ky

_COARSE_PX = 48  # all lights are compared at this size, the best at the network's
_BEST = 12  # lights
_DOUBT = 0.1  # of a thing that contradicts a light: others may outvote it
_PIXELS = 2.0  # the network's pixels count so much, the picture's rims 1
_ROUNDS = 2  # of looking around the best light, each at half the distance
_STEP = np.array([KX[1] - KX[0], 0.1])
_AROUND = np.stack(np.meshgrid(*[(-1, 0, 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
_SHAPE = len(KX), len(KY)
_GRID = np.stack(np.meshgrid(KX, KY, indexing="ij"), -1).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Sight:
    """What is known of one thing's shadow.

    Attributes:
        own: the search for it.
        shaded: (h, w) how likely each pixel of the thing's surroundings is in its shadow, 0..1.
        free: (h, w) bool, where the ground can be seen.
    """

    own: Search
    shaded: Float2D
    free: Bool2D


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How well each light's outline of a thing fits what the network marked there, coarsely.

    Attributes:
        sight: of the thing.
        coarse: the same, reduced.
        inside: (lights, h * w) uint8, the pixels of `coarse` in the outline of each.
        lights: (len(KX), len(KY)) soft IoU, 0..1.
    """

    sight: Sight
    coarse: Sight
    inside: NDArray[np.uint8]
    lights: Floats

    @classmethod
    def of(cls, sight: Sight, before: Overlaps | None = None) -> Overlaps:
        """All lights of the grid put to one thing; `before`: another sight of the same thing."""
        k = min(1.0, _COARSE_PX / max(sight.shaded.shape))
        size = max(8, round(sight.shaded.shape[1] * k)), max(8, round(sight.shaded.shape[0] * k))
        free = cv2.resize(sight.free.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        shaded = cv2.resize(sight.shaded, size, interpolation=cv2.INTER_AREA)
        coarse = Sight(sight.own, shaded, free >= 0.5)
        inside = before.inside if before is not None else _inside(coarse, _GRID)
        return cls(sight, coarse, inside, _overlap(coarse, inside).reshape(_SHAPE))

    def without(self, light: Light) -> Overlaps:
        """When the pixels in one light's shadow are no longer asked for."""
        sight, coarse = _without(self.sight, light), _without(self.coarse, light)
        return Overlaps(sight, coarse, self.inside, _overlap(coarse, self.inside).reshape(_SHAPE))


def agreed_lights(things: Sequence[Overlaps]) -> tuple[Light, Light]:
    """The light that explains all things best, and the one that best explains the rest of them."""
    first = _best(things, np.ones(_SHAPE, bool))
    return first, _best([thing.without(first) for thing in things], apart(first))


def _best(things: Sequence[Overlaps], allowed: Bool2D) -> Light:
    rims = np.sum([_sure(t.sight.own.table) for t in things], axis=0)
    coarse = rims + _PIXELS * np.sum([_sure(t.lights) for t in things], axis=0)
    at = np.where(allowed, coarse, -np.inf).ravel().argsort()[::-1][:_BEST]

    def overlaps(lights: Numbers) -> Floats:  # (things, lights)
        return np.stack([_overlap(t.sight, _inside(t.sight, lights)) for t in things])

    numbers, each, step = _GRID[at], overlaps(_GRID[at]), _STEP
    best = int((rims.ravel()[at] + _PIXELS * _sure(each).sum(0)).argmax())
    for _ in range(_ROUNDS):
        step = step / 2
        near = numbers[best] + _AROUND * step
        numbers, each = near, overlaps(near)
        best = int(_sure(each).sum(0).argmax())
    return Light(float(numbers[best, 0]), float(numbers[best, 1]), float(each[:, best].mean()))


def _sure(share: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(share, 0) + _DOUBT), np.float32)


def _without(sight: Sight, light: Light) -> Sight:
    """What is left when the pixels in one light's shadow are no longer asked for."""
    inside = _inside(sight, np.array([[light.kx, light.ky]]))[0].reshape(sight.shaded.shape) > 0
    return Sight(sight.own, sight.shaded * ~inside, sight.free & ~inside)


def _overlap(sight: Sight, inside: NDArray[np.uint8]) -> Floats:
    """(n,) soft IoU of each of (n, h * w) outlines with what the network marked."""
    free = sight.free.ravel().astype(np.float32)
    marked = sight.shaded.ravel() * free
    both = inside.astype(np.float32) @ np.stack([marked, free], 1)
    return np.asarray(both[:, 0] / np.maximum(marked.sum() + both[:, 1] - both[:, 0], 1.0))


def _inside(sight: Sight, lights: Numbers) -> NDArray[np.uint8]:
    """(n, h * w) the pixels in each of (n, 2) lights' outlines."""
    own, shape = sight.own, sight.shaded.shape
    k = np.array(shape[::-1], np.float32) / np.array(own.view.shape[::-1], np.float32)
    placed, _ = FAMILIES[0].place(own.view, own.points, np.c_[lights, np.zeros(len(lights))])
    fine = np.round(placed * k * 8).astype(np.int32)  # eighths of a pixel
    out = np.zeros((len(lights), *shape), np.uint8)
    for canvas, points in zip(out, fine, strict=True):
        cv2.fillPoly(canvas, [points], 1, shift=3)
    return out.reshape(len(lights), -1)
