"""Grounds on which shadows are hard to see: bricks, cobbles, pebbles, boards, leaves, at any scale.

All of them are drawn anew each time, by numbers that are drawn too: how large, how regular, how
deep the joints, how unlike the pieces, how rough, how steeply seen. Nothing here is for reporting.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def hard_ground(rng: np.random.Generator, shape: tuple[int, int], horizon: int) -> Floats:
    """A textured surface, linear (H, W, 3).

    Args:
        rng: draws all of it.
        shape: (H, W).
        horizon: row from which it may come nearer; 0: seen from above.
    """
    x, y = _places(rng, shape, horizon)
    draw = (_bricks, _pebbles, _boards, _leaves, _speckles, _weave)[
        int(rng.choice(6, p=[0.28, 0.28, 0.14, 0.14, 0.1, 0.06]))
    ]
    level, kind = draw(rng, x, y)
    level = level + rng.uniform(0, 0.12) * _rough(rng, shape)
    level = cv2.GaussianBlur(level.astype(np.float32), (0, 0), rng.uniform(0.4, 1.2))
    mean = float(level.mean())
    level = np.clip(mean + rng.uniform(0.35, 1.6) * (level - mean), 0.02, 1.2)
    light = rng.uniform(0.2, 1.1) * rng.uniform(0.65, 1.0, 3)
    other = np.clip(light * rng.uniform(0.75, 1.3, 3), 0, 1)
    colour = light + kind[..., None] * (other - light)
    return np.clip(level[..., None] * colour, 0.004, 1).astype(np.float32)


def _places(
    rng: np.random.Generator, shape: tuple[int, int], horizon: int
) -> tuple[Floats, Floats]:
    """The place on the ground that each pixel shows, in pixels of the nearest row; may be bent."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if horizon and rng.random() < 0.6:
        far = horizon - rng.uniform(0.3, 2.0) * (height - horizon)  # the vanishing row
        near = (height - far) / np.maximum(y - far, 1.0)
        x, y = (x - width / 2) * near, near * (height - far) * rng.uniform(0.4, 1.0)
    turn = float(rng.choice([0, 0, 0, np.pi / 2, rng.uniform(-0.8, 0.8)]))
    across = np.cos(turn) * x - np.sin(turn) * y
    down = np.sin(turn) * x + np.cos(turn) * y
    bend = rng.uniform(0, 3) * _rough(rng, shape, (9.0,))
    return (across + bend + 4000).astype(np.float32), (down + bend + 4000).astype(np.float32)


def _rough(
    rng: np.random.Generator, shape: tuple[int, int], sigmas: tuple[float, ...] = (0.6, 1.8, 6.0)
) -> Floats:
    """Noise of several grains, spread 1."""
    out = np.zeros(shape, np.float32)
    for sigma in sigmas:
        white = rng.standard_normal(shape, np.float32)
        layer = cv2.GaussianBlur(white, (0, 0), sigma)
        out += rng.uniform(0.3, 1) * layer / max(float(layer.std()), 1e-6)
    return out / max(float(out.std()), 1e-6)


def _of_cell(rng: np.random.Generator, cells: NDArray[np.int64]) -> Floats:
    """A number in [0, 1] for each cell, the same all over it."""
    table = rng.random(4096).astype(np.float32)
    return table[cells % 4096]


def _bricks(rng: np.random.Generator, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Bricks, flags or tiles with joints, lighter or darker than them."""
    tall = float(np.exp(rng.uniform(np.log(6), np.log(60))))
    wide = tall * float(rng.choice([1.0, rng.uniform(1.5, 3.5)]))
    row = np.floor(y / tall)
    shift = x + (row % 2) * wide * float(rng.choice([0.0, 0.5]))
    column = np.floor(shift / wide)
    inside = np.minimum(
        np.minimum(y - row * tall, (row + 1) * tall - y),
        np.minimum(shift - column * wide, (column + 1) * wide - shift),
    )
    joint = rng.uniform(0.04, 0.16) * tall
    solid = np.clip((inside - joint / 2) / max(0.7, 0.3 * joint), 0, 1)
    cells = (row * 131 + column).astype(np.int64)
    each = 1 + rng.uniform(0, 0.35) * (2 * _of_cell(rng, cells) - 1)
    base = float(rng.uniform(0.5, 0.8))
    between = base * float(rng.choice([rng.uniform(0.2, 0.8), rng.uniform(1.0, 1.6)]))
    return (between + solid * (base * each - between)).astype(np.float32), _of_cell(rng, cells)


def _pebbles(rng: np.random.Generator, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Gravel, pebbles, cobbles: cells around scattered points, round, dark between them."""
    size = float(np.exp(rng.uniform(np.log(4), np.log(40))))
    scatter = rng.uniform(0.3, 1.0)
    table = (0.5 + scatter * (rng.random((4096, 2)) - 0.5)).astype(np.float32)
    u, v = x / size, y / (size * float(rng.uniform(0.5, 1.0)))
    i, j = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    first = np.full(x.shape, 9.0, np.float32)
    second = first.copy()
    cells = np.zeros(x.shape, np.int64)
    light = rng.normal(0, 0.5, 2)
    slope = np.zeros(x.shape, np.float32)
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            number = (i + di) * 73 + (j + dj) * 1009
            point = table[number % 4096]
            du, dv = u - (i + di) - point[..., 0], v - (j + dj) - point[..., 1]
            away = np.hypot(du, dv).astype(np.float32)
            nearer = away < first
            second = np.where(nearer, first, np.minimum(second, away))
            first = np.where(nearer, away, first)
            cells = np.where(nearer, number, cells)
            slope = np.where(nearer, light[0] * du + light[1] * dv, slope)
    gap = np.clip((second - first) / rng.uniform(0.1, 0.35), 0, 1)
    each = 1 + rng.uniform(0.1, 0.5) * (2 * _of_cell(rng, cells) - 1)
    level = 0.6 * each * (1 + slope) * (1 - rng.uniform(0.3, 0.85) * (1 - gap))
    return level.astype(np.float32), _of_cell(rng, cells)


def _boards(rng: np.random.Generator, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Boards with grain."""
    wide = float(np.exp(rng.uniform(np.log(10), np.log(80))))
    board = np.floor(x / wide)
    cells = board.astype(np.int64)
    each = 1 + rng.uniform(0, 0.35) * (2 * _of_cell(rng, cells) - 1)
    offset = 60 * _of_cell(rng, cells)
    swing = np.sin(y / rng.uniform(30, 120) + offset) * rng.uniform(0, 4)
    grain = np.sin((x + swing) * rng.uniform(0.3, 1.5) + offset)
    gap = np.clip(np.minimum(x - board * wide, (board + 1) * wide - x) / 1.2, 0, 1)
    level = 0.6 * each * (1 + rng.uniform(0, 0.2) * grain) * (0.35 + 0.65 * gap)
    return level.astype(np.float32), _of_cell(rng, cells)


def _leaves(rng: np.random.Generator, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Leaves, blades or chips that lie on one another, with dark gaps."""
    height, width = x.shape
    level = np.full(x.shape, 0.25, np.float32)
    kind = np.zeros(x.shape, np.float32)
    size = float(np.exp(rng.uniform(np.log(5), np.log(28))))
    narrow = float(rng.uniform(0.1, 0.7))
    rows = (y - float(y.min())) / max(float(np.ptp(y)), 1e-3)
    rising = bool(rows[0].mean() < rows[-1].mean())
    count = int(min(2500, 2.2 * height * width / (size * size * narrow)))
    for _ in range(count):
        centre = int(rng.integers(0, width)), int(rng.integers(0, height))
        near = 0.5 + 0.8 * centre[1] / height if rising else 1.0
        long = size * near * rng.uniform(0.6, 1.4)
        axes = max(1, int(long)), max(1, int(narrow * long))
        value = float(rng.uniform(0.3, 0.95))
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(level, centre, axes, angle, 0, 360, value, -1)
        cv2.ellipse(kind, centre, axes, angle, 0, 360, float(rng.random()), -1)
    return level, kind


def _speckles(rng: np.random.Generator, x: Floats, _: Floats) -> tuple[Floats, Floats]:
    """Asphalt, terrazzo, patchy earth: grains and blotches."""
    sigmas = tuple(float(np.exp(rng.uniform(np.log(0.7), np.log(14)))) for _ in range(3))
    rough = _rough(rng, x.shape, sigmas)
    blotch = np.clip(_rough(rng, x.shape, (float(rng.uniform(4, 25)),)) * 2, -1, 1)
    level = 0.6 + rng.uniform(0.05, 0.2) * rough + rng.uniform(0, 0.15) * blotch
    return np.clip(level, 0.08, 1.1).astype(np.float32), (0.5 + 0.5 * blotch).astype(np.float32)


def _weave(rng: np.random.Generator, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Stripes, checks and carpets."""
    period = float(np.exp(rng.uniform(np.log(4), np.log(70))))
    sharp = rng.uniform(1, 6)
    a = np.tanh(sharp * np.sin(2 * np.pi * x / period))
    b = np.tanh(sharp * np.sin(2 * np.pi * y / period)) * float(rng.choice([0, 1]))
    wave = a * b if b.any() and rng.random() < 0.5 else a + b
    level = 0.55 + rng.uniform(0.05, 0.3) * wave / max(float(np.abs(wave).max()), 1e-3)
    return level.astype(np.float32), np.clip(0.5 + 0.5 * wave, 0, 1).astype(np.float32)
