"""Where a thing's shadow may lie, searched for coarsely; and what that says about the light.

Every outline of every family (shapes.py) is put to the picture (contours.py). The best of them are
kept; what they say about the light is a vote that all things of a scene share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.contours import texture_noise, weigh
from editanything.relations.shapes import FAMILIES, Family, Grid, outline
from editanything.relations.view import LUMA, View
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]

_KEPT = 24  # outlines
_STEP = 2  # every second point of an outline
_BEST_RANK = 2.0  # from here on, an outline is as clear as can be
_OTHER_KX, _OTHER_KY = 0.4, 0.2  # a second light differs by so much
#: Families whose first two numbers are the light; and the lights that are voted on.
OF_LIGHT = ("ground", "folded")
KX = np.linspace(-2.2, 2.2, 34)
_KY = np.array([0.12, 0.2, 0.3, 0.4, 0.5, 0.62, 0.75, 0.9, 1.1])
KY = np.r_[-_KY[::-1], _KY]


@dataclass(frozen=True, eq=False)
class Guess:
    """An outline that a shadow may have.

    Attributes:
        family: by which it falls.
        numbers: (k,) of the family.
        points: (N, 2) of the view.
        clear: how well the picture bears it out, 0..1.
    """

    family: Family
    numbers: NDArray[np.float64]
    points: Floats
    clear: float


@dataclass(frozen=True, eq=False)
class Search:
    """What one thing's surroundings say about its shadow.

    Attributes:
        view: the thing's.
        points: (N, 2) its outline.
        luma: (h, w) logarithmic lightness, slightly blurred.
        noise: of `texture_noise`.
        guesses: the best outlines, best first.
        table: (len(KX), len(KY)) how well each light explains what is seen around it.
        near: of each family that names no light, how well each of its numbers does, (n,).
    """

    view: View
    points: Floats
    luma: Float2D
    noise: float
    guesses: tuple[Guess, ...]
    table: Floats
    near: Mapping[str, Floats]

    def claim(self, view: View) -> tuple[Floats, float]:
        """The outline of the likeliest shadow in another view, and how clear it is."""
        best = self.guesses[0]
        picture = best.points / np.array(self.view.scale) + np.array(self.view.box[:2])
        inside = (picture - np.array(view.box[:2])) * np.array(view.scale)
        return inside.astype(np.float32), best.clear


def search(view: View) -> Search:
    """Put every outline of every family to the picture."""
    luma = cv2.GaussianBlur(view.log @ LUMA, (0, 0), 1.2)
    noise = texture_noise(luma, view.blocked)
    points = outline(view.thing)[::_STEP]
    table = np.zeros((len(KX), len(KY)), np.float32)
    near: dict[str, Floats] = {}
    found: list[Guess] = []
    for family in FAMILIES:
        grid = family.grid(view)
        placed, meant = family.place(view, points, grid)
        rank = weigh(view, placed, meant, luma, noise).rank
        clear = np.clip(rank / _BEST_RANK, 0, 1).astype(np.float32)
        best = np.argsort(-rank)[:_KEPT]
        found += [Guess(family, grid[i], placed[i], float(clear[i])) for i in best]
        if family.name in OF_LIGHT:
            kx = np.abs(KX[None] - grid[:, :1]).argmin(1)
            ky = np.abs(KY[None] - grid[:, 1:2]).argmin(1)
            np.maximum.at(table, (kx, ky), clear)
        else:
            near[family.name] = clear
    found.sort(key=lambda guess: -guess.clear)
    table = cv2.GaussianBlur(table, (0, 0), 0.7)
    return Search(view, points, luma, noise, tuple(found[:_KEPT]), table, near)


@dataclass(frozen=True, eq=False)
class Light:
    """One light that all things of a scene vote for.

    Attributes:
        kx, ky: a point at height h throws its shadow to (x + kx h, foot - ky h).
        agreed: how well it explains all things, 0..1.
    """

    kx: float
    ky: float
    agreed: float


def lights(searches: Sequence[Search]) -> tuple[Light, Light]:
    """The two lights that explain most, the second quite another than the first."""
    table = np.mean([s.table for s in searches], axis=0)
    out = []
    for _ in range(2):
        i, j = (int(v) for v in np.unravel_index(int(table.argmax()), table.shape))
        out.append(Light(float(KX[i]), float(KY[j]), float(max(table[i, j], 0.0))))
        table = np.where(apart(out[-1]), table, -1.0)
    return out[0], out[1]


def apart(light: Light) -> Bool2D:
    """(len(KX), len(KY)) the lights that are quite another than this."""
    same_kx, same_ky = np.abs(KX - light.kx) < _OTHER_KX, np.abs(KY - light.ky) < _OTHER_KY
    return ~(same_kx[:, None] & same_ky[None])


def thrown(own: Search, light: Light) -> Floats:
    """(N, 2) the outline of the thing's shadow on level ground."""
    grid = np.array([[light.kx, light.ky, 0.0]])
    return FAMILIES[0].place(own.view, own.points, grid)[0][0]


def nearby(own: Search, searches: Sequence[Search], family: Family) -> tuple[Floats, float]:
    """The outline that a family gives by the numbers that explain all things best, and how well."""
    grid: Grid = family.grid(own.view)
    clear = np.mean([s.near[family.name] for s in searches], axis=0)
    best = int(clear.argmax())
    placed, _ = family.place(own.view, own.points, grid[best : best + 1])
    return placed[0], float(clear[best])


def filled(points: Floats, shape: tuple[int, int]) -> Bool2D:
    """The pixels (h, w) inside an outline (N, 2)."""
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.round(points * 8).astype(np.int32)], 1, shift=3)
    return canvas > 0
