"""Silhouettes that no sticker has: blobs, polygons, rings, sticks, stars."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mdt.data.source import Array

_FINE = 4  # shapes are drawn so much larger, for soft edges


def _outline(points: Array, side: int, *, curve: bool = True) -> Array:
    """Points (n, 2) in [0, 1], x and y -> alpha float32 (side, side); `curve` rounds them."""
    if curve:
        fine = np.linspace(0, len(points), 96, endpoint=False)
        near = np.arange(-1, len(points) + 2)
        wrapped = points[near % len(points)]
        points = np.stack([_smooth(fine, near, wrapped[:, k]) for k in (0, 1)], 1)
    big = np.zeros((side * _FINE,) * 2, np.uint8)
    cv2.fillPoly(big, [np.round(points * (side * _FINE - 1)).astype(np.int32)], 255)
    return _reduced(big, side)


def _smooth(at: Array, knots: Array, values: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return CubicSpline(knots, values)(at)


def _reduced(big: Array, side: int) -> Array:
    return cv2.resize(big, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _around(rng: np.random.Generator, corners: int, wobble: float) -> Array:
    angle = np.sort((np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) / corners) * 2 * np.pi
    radius = np.clip(0.46 * np.exp(-np.abs(rng.normal(0, wobble, corners))), 0.05, 0.46)
    return 0.5 + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def blob(rng: np.random.Generator, side: int) -> Array:
    """A closed curve."""
    return _outline(_around(rng, int(rng.integers(5, 12)), 0.35), side)


def polygon(rng: np.random.Generator, side: int) -> Array:
    """Straight edges: from triangles to jagged stones."""
    return _outline(_around(rng, int(rng.integers(3, 9)), 0.25), side, curve=False)


def star(rng: np.random.Generator, side: int) -> Array:
    """Spikes or petals, thin or fat."""
    spikes = int(rng.integers(3, 9))
    radius = np.tile([0.47, 0.47 * float(rng.uniform(0.15, 0.7))], spikes)
    angle = np.arange(2 * spikes) / spikes * np.pi + rng.uniform(0, np.pi)
    points = 0.5 + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return _outline(points, side, curve=rng.random() < 0.4)


def ring(rng: np.random.Generator, side: int) -> Array:
    """An ellipse with a hole."""
    big = np.zeros((side * _FINE,) * 2, np.uint8)
    middle, half = (side * _FINE) // 2, side * _FINE * 0.47
    axes = int(half), int(half * rng.uniform(0.6, 1))
    cv2.ellipse(big, (middle, middle), axes, 0, 0, 360, 255, -1)
    inner = float(rng.uniform(0.25, 0.85))
    hole = int(axes[0] * inner), int(axes[1] * inner)
    cv2.ellipse(big, (middle, middle), hole, 0, 0, 360, 0, -1)
    return _reduced(big, side)


def ellipse(rng: np.random.Generator, side: int) -> Array:
    """A round thing."""
    big = np.zeros((side * _FINE,) * 2, np.uint8)
    middle, half = (side * _FINE) // 2, side * _FINE * 0.47
    axes = int(half), int(half * rng.uniform(0.5, 1))
    cv2.ellipse(big, (middle, middle), axes, 0, 0, 360, 255, -1)
    return _reduced(big, side)


def stick(rng: np.random.Generator, side: int) -> Array:
    """One to three strokes that meet: spoons, poles, letters."""
    big = np.zeros((side * _FINE,) * 2, np.uint8)
    full = side * _FINE
    start = rng.uniform(0.1, 0.9, 2)
    thick = max(2, int(full * rng.uniform(0.03, 0.14)))
    for _ in range(int(rng.integers(1, 4))):
        end = rng.uniform(0.08, 0.92, 2)
        ends = [(int(p[0] * full), int(p[1] * full)) for p in (start, end)]
        cv2.line(big, ends[0], ends[1], 255, thick)
        start = end if rng.random() < 0.5 else start
    if rng.random() < 0.4:
        spot = int(start[0] * full), int(start[1] * full)
        cv2.circle(big, spot, int(thick * rng.uniform(1, 2.5)), 255, -1)
    return _reduced(big, side)


#: Shapes and how often each is drawn.
SHAPES: tuple[tuple[Callable[[np.random.Generator, int], Array], float], ...] = (
    (blob, 0.34),
    (polygon, 0.18),
    (ellipse, 0.16),
    (stick, 0.14),
    (ring, 0.10),
    (star, 0.08),
)


def shape(rng: np.random.Generator, side: int) -> Array:
    """A silhouette: alpha float32 (side, side) in [0, 1]."""
    shares = [share for _, share in SHAPES]
    draw = SHAPES[int(rng.choice(len(SHAPES), p=shares))][0]
    return draw(rng, side)
