"""What stands out of a picture, with nothing learned: what is unlike what the frame cuts through.

Saliency by robust background detection (Zhu et al. 2014): a superpixel is background where the
region around it that looks alike meets the frame along much of its rim; what differs from the
background nearby stands out; and both are settled by least squares so that alike neighbours agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.cuts import BACK, MAYBE_BACK, MAYBE_THING, THING, cut, tidy
from editanything.types import RGB, Bool2D

SIDE_PX, NUM_SUPERPIXELS = 320, 250  # the picture is looked at so large, in so many parts
LEAST_PX = 32  # lower or narrower than this nothing can be told (and OpenCV's SLIC may crash)
#: Of the paper: in CIELAB, how far apart colours are alike; of the picture's side, what is nearby.
SIGMA_COLOUR, SIGMA_PLACE = 10.0, 0.25
_BASE = 0.1  # of a tie between neighbours, however unlike
#: Of what stands out, the part that is taken for granted, and of the rest.
_SURE_OUT, _SURE_BACK = 0.6, 0.5
_SPECK_SHARE = 0.15  # of the largest part: smaller parts are specks

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Salient:
    """How much each place of the reduced picture stands out.

    Attributes:
        small: the picture, (h, w, 3), at most `SIDE_PX` wide or high.
        map: (h, w), 0: ground, 1: what stands out most; all 0 in plain or very narrow pictures.
    """

    small: RGB
    map: NDArray[np.float32]

    @classmethod
    def of(cls, image: RGB) -> Salient:
        """Look at a picture (H, W, 3)."""
        height, width = image.shape[:2]
        share = min(1.0, SIDE_PX / max(height, width))
        size = max(1, round(width * share)), max(1, round(height * share))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if min(small.shape[:2]) < LEAST_PX:
            return cls(small, np.zeros(small.shape[:2], np.float32))
        labels = _superpixels(small)
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        return cls(small, _standing_out(lab, labels)[labels].astype(np.float32))

    def thing(self) -> Bool2D:
        """What stands out, bool (h, w), with its rim where the colours change; may be empty."""
        grey = np.round(255 * self.map).astype(np.uint8)
        level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
        out = grey > level
        if not out.any() or out.all():
            return np.zeros(out.shape, bool)
        seeds = np.where(out, MAYBE_THING, MAYBE_BACK).astype(np.uint8)
        seeds[grey >= np.quantile(grey[out], _SURE_OUT)] = THING
        seeds[grey <= np.quantile(grey[~out], _SURE_BACK)] = BACK
        found = cut(self.small, seeds).astype(np.uint8)
        found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        return tidy(found.astype(bool), speck_share=_SPECK_SHARE)


def _superpixels(small: RGB) -> Labels:
    """Labels 0..n-1, (h, w): parts of about one size, as compact as their texture lets them."""
    height, width = small.shape[:2]
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2Lab)
    side = round((height * width / NUM_SUPERPIXELS) ** 0.5)
    slic = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLICO, max(4, side))
    slic.iterate(10)
    slic.enforceLabelConnectivity(50)
    _, labels = np.unique(slic.getLabels(), return_inverse=True)
    return labels.reshape(height, width).astype(np.int32)


def _standing_out(lab: NDArray[np.float32], labels: Labels) -> Floats:
    """How much each superpixel stands out, (n,), from 0 to 1."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import shortest_path

    colour, place = _means(lab, labels)
    unlike, far = _distances(colour), _distances(place)
    touch = _touching(labels)
    at_frame = np.zeros(len(colour), bool)
    at_frame[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    # What the frame cuts through is one background, however the things part it.
    joined = touch | np.outer(at_frame, at_frame)
    np.fill_diagonal(joined, val=False)
    if not joined.any():
        return np.zeros(len(colour))
    # Steps between neighbours that are as alike as neighbours mostly are do not add up.
    usual = float(np.where(joined, unlike, np.inf).min(axis=1).mean())
    step = np.maximum(unlike - usual, 0)
    paths = csr_matrix(np.where(joined, np.maximum(step, 1e-9), 0))
    alike = np.exp(-(shortest_path(paths, directed=False) ** 2) / (2 * SIGMA_COLOUR**2))
    met = (alike @ at_frame) / np.sqrt(alike.sum(axis=1))
    ground = 1 - np.exp(-(met**2) / 2)
    near = np.exp(-(far**2) / (2 * SIGMA_PLACE**2))
    out = _stretched((unlike * near * ground).sum(axis=1) / near.sum(axis=1))
    ties = touch | (touch.astype(np.int32) @ touch > 0) | joined
    np.fill_diagonal(ties, val=False)
    tie = np.where(ties, np.exp(-(step**2) / (2 * SIGMA_COLOUR**2)), 0) + _BASE * touch
    # Minimum of sum ground s^2 + sum out (s - 1)^2 + sum tie (s_i - s_j)^2 / 2 (eq. 9).
    matrix = np.diag(ground + out + tie.sum(axis=1) + 1e-9) - tie
    return _stretched(np.linalg.solve(matrix, out))


def _means(lab: NDArray[np.float32], labels: Labels) -> tuple[Floats, Floats]:
    """Colour (n, 3) and place (n, 2), in longer sides, of each superpixel."""
    ys, xs = np.indices(labels.shape) / max(labels.shape)
    count = np.bincount(labels.ravel())

    def mean(plane: NDArray[np.floating]) -> Floats:
        return np.bincount(labels.ravel(), plane.ravel()) / count

    colour = np.stack([mean(lab[..., channel]) for channel in range(3)], axis=1)
    return colour, np.stack([mean(xs), mean(ys)], axis=1)


def _distances(rows: Floats) -> Floats:
    return np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=2))


def _touching(labels: Labels) -> NDArray[np.bool_]:
    """Which superpixels share a border, bool (n, n)."""
    count = int(labels.max()) + 1
    touch = np.zeros((count, count), bool)
    for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        touch[a.ravel(), b.ravel()] = True
    touch |= touch.T
    np.fill_diagonal(touch, val=False)
    return touch


def _stretched(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
