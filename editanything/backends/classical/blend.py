"""Making a pasted thing belong: its colours moved towards the place, its rim dissolved in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical.oklab import lab_of, levels_of_lab
from editanything.types import Bool2D

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """The light in a place, as its pixels tell: mean OKLab and the spread of its lightness."""

    mean: tuple[float, float, float]
    spread: float

    @classmethod
    def of(cls, levels: Floats | NDArray[np.uint8]) -> Light:
        """Read off the pixels (n, 3), sRGB levels; at least one."""
        lab = lab_of(levels)
        mean = lab.mean(0, dtype=np.float64)
        return cls((float(mean[0]), float(mean[1]), float(mean[2])), float(lab[:, 0].std()))


def match_colour(levels: Floats, here: Light, there: Light, strength: float) -> Floats:
    """Pixels as they would look in another light (after Reinhard et al. 2001, held on a leash).

    Statistics of two places differ by what stands there as much as by the light, so each change
    has a limit: a red ball on a lawn must not turn green.

    Args:
        levels: sRGB levels (..., 3).
        here: the light where the pixels come from.
        there: the light where they go.
        strength: 0 (nothing changes) .. 1.
    """
    lab = lab_of(levels)
    flat = lab.reshape(-1, 3)
    shift = np.clip(np.subtract(there.mean, here.mean), (-0.25, -0.03, -0.03), (0.25, 0.03, 0.03))
    contrast = np.clip(max(there.spread, 0.02) / max(here.spread, 0.02), 0.75, 1.25)
    middle = np.float32(flat[:, 0].mean())
    moved = flat + shift.astype(np.float32)
    moved[:, 0] += np.float32(contrast - 1.0) * (flat[:, 0] - middle)
    # Black and white are ends of the scale in any light.
    ends = np.clip(4.0 * flat[:, :1] * (1.02 - flat[:, :1]), 0.0, 1.0)
    mixed = flat + np.float32(strength) * ends * (moved - flat)
    return levels_of_lab(mixed.astype(np.float32).reshape(lab.shape))


def seamless(destination: Floats, source: Floats, mask: Bool2D) -> Floats:
    """`source` pasted into `destination` where `mask` says, with no step at the rim.

    Poisson blending (Pérez et al. 2003): the source's gradients, the destination's values on the
    rim. What has to be added to the source is harmonic inside the mask (their eq. 5), so it is
    solved coarse to fine. Where the mask touches the array's edge nothing is asked for there.

    Args:
        destination: levels (h, w, 3).
        source: levels (h, w, 3).
        mask: bool (h, w).
    """
    if not mask.any() or mask.all():
        return np.where(mask[..., None], source, destination)
    offset = _harmonic((destination - source).astype(np.float32), mask)
    return np.where(mask[..., None], np.clip(source + offset, 0.0, 255.0), destination)


def _harmonic(values: Floats, unknown: Bool2D, sweeps: int = 24) -> Floats:
    """`values` with the unknown pixels replaced by the harmonic function of the known ones."""
    height, width = unknown.shape
    known = np.where(unknown, 0.0, 1.0).astype(np.float32)
    if min(height, width) > 8:
        size = ((width + 1) // 2, (height + 1) // 2)
        share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(values * known[..., None], size, interpolation=cv2.INTER_AREA)
        coarse /= np.maximum(share, 1e-6)[..., None]
        if (share < 1e-3).any():
            coarse = _harmonic(coarse, share < 1e-3, sweeps)
        guess = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        mean = (values * known[..., None]).sum((0, 1)) / max(float(known.sum()), 1.0)
        guess, sweeps = np.broadcast_to(mean.astype(np.float32), values.shape), 8 * sweeps
    out = np.where(unknown[..., None], guess, values).astype(np.float32)
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    for _ in range(sweeps):
        smooth = cv2.filter2D(out, cv2.CV_32F, cross, borderType=cv2.BORDER_REPLICATE)
        out = np.where(unknown[..., None], smooth, values)
    return out
