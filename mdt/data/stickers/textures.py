"""Surfaces: grey tiles, made once, that are tinted, turned and laid into perspective."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from mdt.data.source import Array

SIDE = 256
#: Photographs that scikit-image ships, all CC0: see its documentation of `skimage.data`.
PHOTOS = ("grass", "gravel")


@lru_cache(maxsize=64)
def tile(name: str) -> tuple[Array, Array, Array]:
    """A surface of `TILES` at three sharpnesses, to be repeated: float32 (SIDE, SIDE) in [0, 1]."""
    sharp = TILES[name]() if name in TILES else _photo(name)
    sharp = np.ascontiguousarray(sharp, dtype=np.float32)
    wide = np.pad(sharp, SIDE // 4, mode="wrap")
    inner = slice(SIDE // 4, -SIDE // 4)
    soft, softer = (
        np.ascontiguousarray(cv2.GaussianBlur(wide, (0, 0), sigma)[inner, inner])
        for sigma in (2.5, 9)
    )
    return sharp, soft, softer


def flat(name: str, size: int, rng: np.random.Generator, zoom: float, turn: float) -> Array:
    """A surface seen from above: float32 (size, size) in [0, 1].

    Args:
        name: of the tile.
        size: of the picture, in pixels.
        rng: draws the place.
        zoom: how many tiles the picture is wide.
        turn: in radians.
    """
    step = zoom * SIDE / size
    y, x = np.mgrid[:size, :size].astype(np.float32) * step
    left, top = rng.uniform(0, SIDE, 2)
    across = np.cos(turn) * x - np.sin(turn) * y + left
    down = np.sin(turn) * x + np.cos(turn) * y + top
    sharp, soft, softer = tile(name)
    level = sharp if step < 2.2 else soft if step < 7 else softer
    return _repeated(level, across, down)


def receding(name: str, size: int, horizon: float, rng: np.random.Generator, zoom: float) -> Array:
    """A surface that goes back to a horizon: float32 (size, size) in [0, 1].

    Rows above the horizon hold nothing of use. Far rows blur into the mean, as their detail is
    finer than the pixels.

    Args:
        name: of the tile.
        size: of the picture, in pixels.
        horizon: row, in pixels.
        rng: draws the place.
        zoom: how many tiles the lowest row is wide.
    """
    y, x = np.mgrid[:size, :size].astype(np.float32)
    near = (size - horizon) / np.maximum(y - horizon, 0.5)  # 1 at the lowest row, more beyond
    step = zoom * SIDE / size
    left, top = rng.uniform(0, SIDE, 2)
    across = (x - size / 2) * step * near + left
    down = near * step * size * 0.45 + top
    sharp, soft, softer = tile(name)
    foot = step * near  # pixels of the tile to a pixel of the picture, across
    out = _repeated(sharp, across, down)
    for level, at in ((soft, 3.0), (softer, 9.0)):
        share = np.clip(foot / at - 0.5, 0, 1)
        out += share * (_repeated(level, across, down) - out)
    share = np.clip(foot / 30 - 0.3, 0, 1)
    return out + share * (float(softer.mean()) - out)


def _repeated(level: Array, across: Array, down: Array) -> Array:
    # remap holds places in 16 bits and would not wrap far ones.
    across, down = ((place % SIDE).astype(np.float32) for place in (across, down))
    return cv2.remap(level, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _noise(power: float, seed: int, stretch: float = 1.0) -> Array:
    """Noise whose spectrum falls with frequency; it repeats."""
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    fy, fx = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    radius = np.hypot(fy * stretch, fx)
    radius[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(white) / np.maximum(radius, 2 / SIDE) ** power)
    return _levelled(field)


def _levelled(field: Array) -> Array:
    """Mean 0.5, contrast 0.2, cut to [0, 1]."""
    return np.clip(0.5 + 0.2 * (field - field.mean()) / field.std(), 0, 1)


def _photo(name: str) -> Array:
    from skimage import data

    picture = cv2.resize(getattr(data, name)(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    # Its ends do not meet: a mirrored copy's do.
    half = cv2.resize(picture, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    pair = np.concatenate([half, half[:, ::-1]], axis=1)
    return _levelled(np.concatenate([pair, pair[::-1]], axis=0).astype(np.float64))


def _grain(seed: int) -> Array:
    """Lines of wood, along x."""
    rings = _noise(1.6, seed, stretch=0.12)
    return _levelled(0.6 * np.sin(rings * 40) + 3 * (_noise(0.9, seed + 1, stretch=0.06) - 0.5))


def _planks() -> Array:
    wood = _grain(11)
    rng = np.random.default_rng(12)
    out = np.empty_like(wood)
    rows = np.arange(0, SIDE, 32)
    for top in rows:
        board = np.roll(wood[top : top + 32], int(rng.integers(SIDE)), axis=1)
        out[top : top + 32] = 0.5 + 0.6 * (board - 0.5) + rng.uniform(-0.16, 0.16)
        out[top : top + 2] = 0.08
        joint = int(rng.integers(SIDE))
        out[top : top + 32, joint : joint + 2] = 0.1
    return np.clip(out, 0, 1)


def _tiles() -> Array:
    rng = np.random.default_rng(21)
    out = np.repeat(np.repeat(rng.uniform(0.5, 0.75, (8, 8)), 32, 0), 32, 1)
    out += 0.15 * (_noise(1.2, 22) - 0.5)
    out[np.arange(SIDE) % 32 < 2] = 0.15
    out[:, np.arange(SIDE) % 32 < 2] = 0.15
    return out


def _brick() -> Array:
    rng = np.random.default_rng(24)
    y, x = np.mgrid[:SIDE, :SIDE]
    row = y // 16
    x = (x + 16 * (row % 2)) % SIDE
    out = rng.uniform(0.45, 0.85, (16, 8))[row, x // 32] + 0.5 * (_noise(0.9, 25) - 0.5)
    mortar = (y % 16 < 2) | (x % 32 < 2)
    return np.clip(np.where(mortar, 0.9 + 0.2 * (_noise(0.6, 26) - 0.5), out * 0.75), 0, 1)


def _checks() -> Array:
    cell = (np.arange(SIDE) // 32) % 2
    return 0.15 + 0.7 * (cell[:, None] ^ cell[None]) + 0.15 * (_noise(1.2, 23) - 0.5)


def _stripes() -> Array:
    wave = 0.5 + 0.5 * np.tanh(4 * np.sin(np.arange(SIDE) * 2 * np.pi / 32))
    return np.tile(0.2 + 0.6 * wave, (SIDE, 1))


def _dots() -> Array:
    y, x = np.mgrid[:SIDE, :SIDE]
    x = x + 16 * ((y // 32) % 2)
    away = np.hypot((x % 32) - 15.5, (y % 32) - 15.5)
    return np.clip((9 - away) / 2, 0, 1) * 0.7 + 0.15


def _marble() -> Array:
    veins = np.abs(_noise(1.7, 31) - 0.5)
    return np.clip(0.85 - 0.7 * np.exp(-veins * 45) + 0.2 * (_noise(1.4, 32) - 0.5), 0, 1)


def _weave() -> Array:
    y, x = np.mgrid[:SIDE, :SIDE] * (2 * np.pi / 8)
    return _levelled(np.sin(x) * np.sin(y) + 4 * (_noise(0.6, 41) - 0.5))


TILES: dict[str, Callable[[], Array]] = {
    "soft": lambda: _noise(2.0, 1),
    "cloudy": lambda: _noise(1.8, 2, stretch=0.5),
    "rough": lambda: _noise(1.1, 3),
    "fine": lambda: _noise(0.6, 4),
    "wavy": lambda: _noise(1.5, 5, stretch=0.2),
    "wood": lambda: _grain(6),
    "planks": _planks,
    "brick": _brick,
    "tiles": _tiles,
    "checks": _checks,
    "stripes": _stripes,
    "dots": _dots,
    "marble": _marble,
    "weave": _weave,
}
