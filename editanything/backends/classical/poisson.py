"""Seams and shading made continuous: a Poisson equation over the hole, by multigrid.

Pérez, Gangnet, Blake, Poisson Image Editing (2003): keep the gradients of what was copied, meet
the known pixels at the rim. Solved for the correction alone, which is smooth, so a few V-cycles
(Briggs, Henson, McCormick, A Multigrid Tutorial, 2000) do.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.progress import Progress, report
from editanything.types import Bool2D

Float = NDArray[np.float32]
MAX_CYCLES = 12
TOLERANCE = 1e-3
SMALLEST_PX = 4


def _neighbour_sum(x: Float) -> Float:
    """Sum of the four neighbours, nothing beyond the frame; x is (h, w, c)."""
    out = np.zeros_like(x)
    out[1:] += x[:-1]
    out[:-1] += x[1:]
    out[:, 1:] += x[:, :-1]
    out[:, :-1] += x[:, 1:]
    return out


def _degree(shape: tuple[int, int]) -> Float:
    """Number of neighbours of each pixel, (h, w, 1)."""
    return np.maximum(_neighbour_sum(np.ones((*shape, 1), np.float32)), 1)


def _smooth(x: Float, b: Float, unknown: Float, damping: float, degree: Float) -> Float:
    """One damped Jacobi sweep of (degree + damping) x - sum of neighbours = b."""
    jacobi = (b + _neighbour_sum(x)) / (degree + np.float32(damping))
    return (x + np.float32(0.8) * (jacobi - x)) * unknown


def _cycle(x: Float, b: Float, unknown: Float, damping: float) -> Float:
    """One V-cycle."""
    degree = _degree(x.shape[:2])
    for _ in range(2):
        x = _smooth(x, b, unknown, damping, degree)
    h, w = x.shape[:2]
    if min(h, w) > SMALLEST_PX:
        rest = (b + _neighbour_sum(x) - (degree + np.float32(damping)) * x) * unknown
        size = ((h + 1) // 2, (w + 1) // 2)
        coarse_unknown = _halved(unknown, size)
        # Twice the grid step makes the same operator four times as large in finer units.
        coarse = _cycle(
            np.zeros((*size, x.shape[2]), np.float32),
            _halved(rest, size) * 4,
            (coarse_unknown > 0.99).astype(np.float32),
            damping * 4,
        )
        x = x + _doubled(coarse, (h, w)) * unknown
    for _ in range(2 if min(h, w) > SMALLEST_PX else 30):
        x = _smooth(x, b, unknown, damping, degree)
    return x


def _halved(x: Float, size: tuple[int, int]) -> Float:
    """Means of 2 x 2 blocks."""
    h, w = x.shape[:2]
    padded = np.pad(x, ((0, 2 * size[0] - h), (0, 2 * size[1] - w), (0, 0)), mode="edge")
    return (
        padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]
    ) * np.float32(0.25)


def _doubled(x: Float, shape: tuple[int, int]) -> Float:
    """Bilinear interpolation to twice the size."""
    big = cv2.resize(x, (2 * x.shape[1], 2 * x.shape[0]), interpolation=cv2.INTER_LINEAR)
    return big.reshape(2 * x.shape[0], 2 * x.shape[1], -1)[: shape[0], : shape[1]]


def correction(
    divergence: Float, hole: Bool2D, *, reach_px: float, progress: Progress | None = None
) -> Float:
    """What to add inside the hole so that its steps become as wanted, zero outside.

    Minimises the sum over neighbours a, b of `(e_b - e_a - r_ab)^2` plus `(e / reach_px)^2`.

    Args:
        divergence: (h, w, c) float32, for each pixel the sum over its neighbours of r towards it.
        hole: (h, w) where e is unknown; e = 0 elsewhere.
        reach_px: how far the rim's correction is felt.
        progress: told once per cycle.
    """
    ys, xs = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    part = slice(max(0, ys[0] - 1), ys[-1] + 2), slice(max(0, xs[0] - 1), xs[-1] + 2)
    out = np.zeros_like(divergence)
    out[part] = _solve(divergence[part], hole[part], 1.0 / reach_px**2, progress)
    return out


def _solve(divergence: Float, hole: Bool2D, damping: float, progress: Progress | None) -> Float:
    """Conjugate gradients, each direction from one V-cycle.

    A V-cycle on a ragged hole is no exact inverse and may overshoot; the step along its direction
    is therefore the best one, and cannot diverge (Notay, Flexible Conjugate Gradients, 2000).
    """
    unknown = hole.astype(np.float32)[..., None]
    degree = _degree(hole.shape) + np.float32(damping)
    x, rest = np.zeros_like(divergence), divergence * unknown
    goal = TOLERANCE * float(np.abs(rest).max())
    direction, old, old_product = np.zeros_like(x), rest, 1.0
    for turn in range(MAX_CYCLES):
        if np.abs(rest).max() <= goal:
            break
        report(progress, turn / MAX_CYCLES, "blending")
        step = _cycle(np.zeros_like(x), rest, unknown, damping)
        beta = _dot(step, rest - old) / old_product if turn else 0.0
        direction = step + np.float32(beta) * direction
        bent = (degree * direction - _neighbour_sum(direction)) * unknown
        length = np.float32(_dot(direction, rest) / max(_dot(direction, bent), 1e-30))
        old, old_product = rest, max(_dot(step, rest), 1e-30)
        x, rest = x + length * direction, rest - length * bent
    return x


def _dot(a: Float, b: Float) -> float:
    """Inner product, summed in a fixed order (a BLAS would not promise one)."""
    return float(np.sum(a * b, dtype=np.float64))


def membrane(image: Float, hole: Bool2D) -> Float:
    """`image` (h, w, c) with its hole spanned as smoothly as its rim allows."""
    known = ~hole[..., None]
    values = np.where(known, image, 0).astype(np.float32)
    return values + correction(_neighbour_sum(values), hole, reach_px=1e4)


def seam_divergence(copied: Float, source: NDArray[np.int64], hole: Bool2D, limit: float) -> Float:
    """The right-hand side for `correction`: how much each step differs from the wanted one.

    A step between two pixels that were copied with one shift is as it should be. Elsewhere the
    wanted step is the mean of what either side's own source has there, as far as that is known,
    and none where neither is. Steps that are wrong by more than `limit` are edges that met badly;
    they are not spread over the hole.

    Args:
        copied: (h, w, c) the composed picture, 0..255.
        source: (h, w) flat index of the pixel that each pixel is a copy of (itself if known).
        hole: (h, w) where the picture was composed.
        limit: in grey levels.
    """
    w, c = copied.shape[1:]
    flat, known = copied.reshape(-1, c), ~hole.ravel()
    out = np.zeros_like(copied)
    for axis, step in ((0, w), (1, 1)):
        place = source // w if axis == 0 else source % w
        first = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        second = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        y, x = np.nonzero(source[second] - source[first] != step)
        a, b = source[first][y, x], source[second][y, x]
        has_after = place[first][y, x] < hole.shape[axis] - 1
        has_before = place[second][y, x] > 0
        after, before = a + step * has_after, b - step * has_before
        weight_a = (has_after & known[after]).astype(np.float32)[:, None]
        weight_b = (has_before & known[before]).astype(np.float32)[:, None]
        wanted = (flat[after] - flat[a]) * weight_a + (flat[b] - flat[before]) * weight_b
        wanted /= np.maximum(weight_a + weight_b, 1)
        r = np.clip(wanted - (flat[b] - flat[a]), -limit, limit)
        out[first][y, x] -= r
        out[second][y, x] += r
    return out
