"""Where a thing's shadow may fall: families of maps from its outline to a shadow's outline.

Each family is a grid of numbers and a map of points. A parallel light throws the shadow of a point
at height h above the foot to (x + kx h, foot - ky h) on level ground; where a wall rises behind, it
goes up from the wall's foot; a wall close behind shows the outline shifted; light from above
leaves a flat patch below. Heights and shifts are pixels of the view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.view import View
from editanything.types import Bool2D

Floats = NDArray[np.float32]
Grid = NDArray[np.float64]  # (n, numbers)

NUM_POINTS = 80


@dataclass(frozen=True)
class Family:
    """One way for a shadow to fall.

    Attributes:
        name: "ground", "folded", "wall" or "below".
        grid: view -> the numbers to try, (n, k).
        steps: half the distance between neighbours in the grid, (k,): how far to look around.
        place: (view, outline (N, 2), numbers (n, k)) -> points (n, N, 2) and which of them are
            meant, (n, N).
    """

    name: str
    grid: Callable[[View], Grid]
    steps: tuple[float, ...]
    place: Callable[[View, Floats, Grid], tuple[Floats, Bool2D]]


def outline(mask: Bool2D, num_points: int = NUM_POINTS) -> Floats:
    """(num_points, 2) points (x, y) evenly around the largest part of `mask`."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(contours, key=len)[:, 0].astype(np.float32)
    closed = np.vstack([points, points[:1]])
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(closed, axis=0).T))]
    at = np.linspace(0, along[-1], num_points, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, i]) for i in (0, 1)], 1).astype(np.float32)


def _product(*axes: object) -> Grid:
    meshes = np.meshgrid(*(np.asarray(a, np.float64) for a in axes), indexing="ij")
    return np.stack(meshes, -1).reshape(-1, len(axes))


def _ground_grid(_: View) -> Grid:
    ky = np.array([0.12, 0.2, 0.3, 0.4, 0.5, 0.62, 0.75, 0.9, 1.1])
    return _product(np.linspace(-2.2, 2.2, 34), np.r_[-ky, ky], (0.0, 0.07, 0.15))


def _ground(view: View, points: Floats, grid: Grid) -> tuple[Floats, Bool2D]:
    _, top, _, bottom = view.bounds
    foot = (bottom - 1 - grid[:, 2] * (bottom - top))[:, None]
    height = foot - points[None, :, 1]
    up = np.maximum(height, 0)
    placed = np.stack([points[None, :, 0] + grid[:, :1] * up, foot - grid[:, 1:2] * up], -1)
    return placed.astype(np.float32), height >= -1


def _folded_grid(_: View) -> Grid:
    grid = _product(
        np.linspace(-1.2, 1.2, 15), (0.2, 0.35, 0.5, 0.65, 0.8), np.linspace(0.05, 0.75, 8)
    )
    return grid[grid[:, 2] < 0.9 * grid[:, 1]]


def _folded(view: View, points: Floats, grid: Grid) -> tuple[Floats, Bool2D]:
    _, top, _, bottom = view.bounds
    foot = bottom - 1
    up = np.maximum(foot - points[None, :, 1], 0)
    rise = grid[:, 2:3] * (bottom - top)  # of the wall's foot above the thing's
    at_wall = rise / np.maximum(grid[:, 1:2], 0.05)
    x = points[None, :, 0] + grid[:, :1] * np.minimum(up, at_wall)
    y = foot - np.where(up < at_wall, grid[:, 1:2] * up, rise + up - at_wall)
    return np.stack([x, y], -1).astype(np.float32), np.ones(x.shape, bool)


def _wall_grid(_: View) -> Grid:
    grid = _product(np.linspace(-0.9, 0.9, 19), np.linspace(-0.6, 0.3, 10))
    return grid[np.hypot(*grid.T) > 0.06]


def _wall(view: View, points: Floats, grid: Grid) -> tuple[Floats, Bool2D]:
    placed = points[None] + (grid * view.size)[:, None]
    return placed.astype(np.float32), np.ones(placed.shape[:2], bool)


def _below_grid(_: View) -> Grid:
    return _product(
        (0.8, 1.0, 1.2), (0.08, 0.14, 0.22, 0.32, 0.45), (-0.15, 0, 0.15), (-0.05, 0.04)
    )


def _below(view: View, points: Floats, grid: Grid) -> tuple[Floats, Bool2D]:
    x0, _, x1, bottom = view.bounds
    wide = x1 - x0
    angle = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
    x = (x0 + x1) / 2 + wide * (grid[:, 2:3] + grid[:, :1] / 2 * np.cos(angle))
    y = bottom - 1 + wide * (grid[:, 3:4] + grid[:, 1:2] * np.sin(angle) / 1.5)
    return np.stack([x, y], -1).astype(np.float32), np.ones(x.shape, bool)


FAMILIES = (
    Family("ground", _ground_grid, (0.06, 0.05, 0.035), _ground),
    Family("folded", _folded_grid, (0.08, 0.07, 0.05), _folded),
    Family("wall", _wall_grid, (0.05, 0.05), _wall),
    Family("below", _below_grid, (0.1, 0.04, 0.07, 0.04), _below),
)
