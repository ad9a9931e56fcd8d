"""How well a picture bears out a shadow's outline: is it darker inside, all along it?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.view import View
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]

#: Distances to both sides of an outline at which the picture is compared, in pixels of the view:
#: small ones for hard rims, the large for soft ones.
DISTANCES_PX = (2.0, 4.0, 7.0)
_LONGEST_PX = 6.0  # of the outline, that one point may speak for
_INDEPENDENT_PX = 7.0  # apart, two places of a texture have nothing to do with each other
_FLOOR = 0.03  # a step of 3 % is none
_SPREAD = 0.08


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for each of n outlines; all (n,).

    Attributes:
        step: mean of the logarithmic step across the outline; 0.3 is darker by 26 %.
        share: of the outline's seen length, that has a clear step.
        spread: standard deviation of the step along the outline.
        seen: share of the outline that is not hidden by things or the frame.
        length: seen length in pixels of the view.
        certainty: the mean step over its standard error in a texture like this.
        rank: one number to order outlines by.
    """

    step: Floats
    share: Floats
    spread: Floats
    seen: Floats
    length: Floats
    certainty: Floats
    rank: Floats


def texture_noise(luma: Float2D, blocked: Bool2D) -> float:
    """How large a step of nothing is: the spread of differences across 8 pixels."""
    far = 8
    pairs = []
    for axis in (0, 1):
        a, b = np.roll(luma, far, axis), np.roll(blocked, far, axis)
        good = ~(blocked | b)
        good[:far] = False
        good[:, :far] = False
        pairs.append(np.abs(luma - a)[good])
    both = np.concatenate(pairs)
    return float(np.median(both)) * 1.48 + 0.01 if both.size else 0.1


def weigh(view: View, outlines: Floats, meant: Bool2D, luma: Float2D, noise: float) -> Evidence:
    """The evidence for n outlines.

    Args:
        view: where they lie.
        outlines: (n, N, 2) points (x, y).
        meant: (n, N) points that belong to the shadow's rim.
        luma: (h, w) logarithmic lightness, slightly blurred.
        noise: of `texture_noise`.
    """
    along = np.roll(outlines, -1, 1) - np.roll(outlines, 1, 1)
    length = np.linalg.norm(along, axis=-1)
    turn = _turning(outlines)[:, None, None]
    normal = np.stack([along[..., 1], -along[..., 0]], -1) * turn
    normal /= np.maximum(length, 1e-6)[..., None]
    step, seen = _steps(view, outlines, normal.astype(np.float32), luma)
    weight = np.minimum(length / 2, _LONGEST_PX).astype(np.float32)
    full = weight.sum(1)
    weight *= seen & meant
    total = weight.sum(1)
    safe = np.maximum(total, 1e-6)
    smooth = _smooth_along(np.clip(step, -1, 1), weight)
    mean = (smooth * weight).sum(1) / safe
    clear = (smooth > 0.35 * mean[:, None]) & (smooth > _FLOOR)
    share = (clear * weight).sum(1) / safe
    off = np.clip(smooth, -0.2, None) - mean[:, None]
    spread = np.sqrt((off * off * weight).sum(1) / safe)
    certainty = mean / (noise / np.sqrt(np.maximum(total / _INDEPENDENT_PX, 0.5)))
    enough = np.minimum(1.0, np.sqrt(total / (1.5 * view.size)))
    rank = share * mean / np.sqrt(spread**2 + _SPREAD**2) * enough
    rank *= np.clip(certainty / 6, 0, 1) * np.where(total / np.maximum(full, 1e-6) < 0.15, 0.3, 1)
    return Evidence(mean, share, spread, total / np.maximum(full, 1e-6), total, certainty, rank)


def _turning(outlines: Floats) -> Floats:
    """+1 where an outline runs clockwise on the screen, else -1; (n,)."""
    after = np.roll(outlines, -1, 1)
    area = (outlines[..., 0] * after[..., 1] - after[..., 0] * outlines[..., 1]).sum(1)
    return np.where(area >= 0, 1.0, -1.0).astype(np.float32)


def _steps(view: View, outlines: Floats, normal: Floats, luma: Float2D) -> tuple[Floats, Bool2D]:
    """Outside minus inside at each point, (n, N), and where both sides can be seen."""
    height, width = view.shape
    blocked = view.blocked.astype(np.uint8)
    step = np.zeros(outlines.shape[:2], np.float32)
    seen = np.ones(outlines.shape[:2], bool)
    for distance in DISTANCES_PX:
        for side in (1.0, -1.0):
            at = outlines + np.float32(side * distance) * normal
            x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
            seen &= (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
            seen &= cv2.remap(blocked, x, y, cv2.INTER_NEAREST, borderValue=1.0) == 0
            value = cv2.remap(luma, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            step += np.float32(side / len(DISTANCES_PX)) * value
    return step, seen


def _smooth_along(step: Floats, weight: Floats) -> Floats:
    """Each point's step, averaged with its seen neighbours on the outline."""
    total, norm = np.zeros_like(step), np.full_like(step, 1e-6)
    for shift, share in ((-2, 1.0), (-1, 2.0), (0, 3.0), (1, 2.0), (2, 1.0)):
        w = np.float32(share) * np.roll(weight, shift, 1)
        total += w * np.roll(step, shift, 1)
        norm += w
    return total / norm
