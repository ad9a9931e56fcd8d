"""Masks as people and segmenters make them: too wide, bitten, spilt, of a half, by one click."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything import masks
from editanything.preset import build, load_preset
from editanything.types import Mask, Point, Segmenter, Selection

Bools = NDArray[np.bool_]
LEAST_PX = 100


@cache
def _segmenter() -> Segmenter:
    return build("segmenter", load_preset("default", {}).segmenter)


def by_click(image: NDArray[np.uint8], shapes: list[Bools]) -> list[Bools]:
    """What the default segmenter makes of one click in the middle of each shape."""
    seen = _segmenter().look(image)
    out = []
    for shape in shapes:
        inside = cv2.distanceTransform(shape.astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(int(inside.argmax()), inside.shape)
        out.append(seen.select(Selection(points=(Point(float(x), float(y)),))).full())
    return out


def roughened(rng: np.random.Generator, shape: Bools, effect: Bools) -> Bools:
    """A rough mask of a thing.

    Args:
        rng: draws how.
        shape: (H, W) its pixels.
        effect: (H, W) its shadow or mirror image, into which the mask may spill.
    """
    ways = (_wider, _bitten, _spilt, _half)
    out = ways[int(rng.choice(4, p=[0.5, 0.18, 0.2, 0.12]))](rng, shape, effect)
    return out if np.count_nonzero(out) >= LEAST_PX else shape


def _wider(rng: np.random.Generator, shape: Bools, _: Bools) -> Bools:
    return masks.grow(Mask.of(shape), int(rng.integers(-2, 5))).full()


def _patches(rng: np.random.Generator, shape: Bools, share: float) -> Bools:
    """Smooth patches that cover about a share of the surroundings of a shape."""
    sigma = max(2.0, float(rng.uniform(0.1, 0.3)) * float(np.sqrt(np.count_nonzero(shape))))
    wave = cv2.GaussianBlur(rng.standard_normal(shape.shape, np.float32), (0, 0), sigma)
    near = cv2.dilate(shape.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    patches: Bools = wave > np.quantile(wave[near], 1 - share)
    return patches


def _bitten(rng: np.random.Generator, shape: Bools, _: Bools) -> Bools:
    return shape & ~_patches(rng, shape, float(rng.uniform(0.1, 0.4)))


def _spilt(rng: np.random.Generator, shape: Bools, effect: Bools) -> Bools:
    size = float(np.sqrt(np.count_nonzero(shape)))
    side = 2 * max(2, round(float(rng.uniform(0.08, 0.3)) * size)) + 1
    near = cv2.dilate(shape.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    where = near | effect if rng.random() < 0.4 else near
    if effect.any() and rng.random() < 0.4:
        where = effect
    return shape | (where & _patches(rng, shape, float(rng.uniform(0.2, 0.6))))


def _half(rng: np.random.Generator, shape: Bools, _: Bools) -> Bools:
    ys, xs = np.nonzero(shape)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * xs + np.sin(angle) * ys
    out = shape.copy()
    beyond = along > np.quantile(along, float(rng.uniform(0.35, 0.85)))
    out[ys[beyond], xs[beyond]] = False
    return out
