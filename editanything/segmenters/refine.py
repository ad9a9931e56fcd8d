"""From a label map at reduced size to crisp edges at the picture's own size.

The map is enlarged in steps of at most two. After each step only the pixels next to a label border
are asked again, by a vote of their neighbours weighted by nearness in space and in colour: joint
bilateral upsampling (Kopf et al. 2007, eq. 3) of labels, done on a narrow band.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import RGB

Labels = NDArray[np.int32]  # (h, w)

BAND_PX = 2  # how far from a border a pixel is asked again
VOTE_RADIUS_PX = 4
SIGMA_SPACE_PX = 2.0
SIGMA_COLOUR = 14.0  # grey levels; about the noise and texture of a photo
CHUNK_PIXELS = 1 << 16  # bounds the memory of a vote


def enlarge(labels: Labels, image: RGB) -> Labels:
    """`labels` (h, w) of the reduced `image`, brought to the image's own size (H, W).

    Pixel centres are mapped onto pixel centres: sample i of n lies at (i + 0.5) / n of the side.
    """
    height, width = image.shape[:2]
    start = labels.shape
    factor = max(height / start[0], width / start[1])
    steps = max(0, math.ceil(math.log2(factor) - 1e-6))
    for step in range(1, steps + 1):
        share = step / steps
        size = (
            round(start[0] * (height / start[0]) ** share),
            round(start[1] * (width / start[1]) ** share),
        )
        last = step == steps
        guide = image if last else cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        labels = settle(nearest(labels, size), guide)
    return labels


def nearest(labels: Labels, size: tuple[int, int]) -> Labels:
    """`labels` at another size (h, w), each sample from the nearest pixel centre."""
    ys = ((np.arange(size[0]) + 0.5) * (labels.shape[0] / size[0])).astype(np.intp)
    xs = ((np.arange(size[1]) + 0.5) * (labels.shape[1] / size[1])).astype(np.intp)
    return labels[ys[:, None], xs[None, :]]


def border_band(labels: Labels, radius_px: int) -> NDArray[np.bool_]:
    """Where a pixel with another label is at most `radius_px` away, horizontally or vertically."""
    differs = np.zeros(labels.shape, np.uint8)
    sideways = labels[:, 1:] != labels[:, :-1]
    differs[:, 1:] |= sideways
    differs[:, :-1] |= sideways
    upright = labels[1:] != labels[:-1]
    differs[1:] |= upright
    differs[:-1] |= upright
    if radius_px > 1:
        square = np.ones((2 * radius_px - 1,) * 2, np.uint8)
        differs = cv2.dilate(differs, square)
    return differs.astype(bool)


def settle(labels: Labels, image: RGB) -> Labels:
    """`labels` with the pixels next to a border given to the neighbours that look like them."""
    out = labels.copy()
    ys, xs = np.nonzero(border_band(labels, BAND_PX))
    padded = cv2.copyMakeBorder(labels, *(VOTE_RADIUS_PX,) * 4, cv2.BORDER_REPLICATE)
    for start in range(0, ys.size, CHUNK_PIXELS):
        y, x = ys[start : start + CHUNK_PIXELS], xs[start : start + CHUNK_PIXELS]
        out[y, x] = _vote(padded, image, y, x)
    return out


def _offsets() -> list[tuple[int, int]]:
    """The voters, nearest first."""
    reach = range(-VOTE_RADIUS_PX, VOTE_RADIUS_PX + 1)
    around = [(dy, dx) for dy in reach for dx in reach]
    inside = [o for o in around if o[0] ** 2 + o[1] ** 2 <= (VOTE_RADIUS_PX + 0.5) ** 2]
    return sorted(inside, key=lambda o: (o[0] ** 2 + o[1] ** 2, o))


def _vote(
    padded: Labels, image: RGB, ys: NDArray[np.intp], xs: NDArray[np.intp]
) -> NDArray[np.int32]:
    """The label of each asked pixel: its own or the nearest other one, whichever gathers more."""
    height, width = image.shape[:2]
    own = padded[ys + VOTE_RADIUS_PX, xs + VOTE_RADIUS_PX]
    other = own.copy()
    for dy, dx in _offsets():
        near = padded[ys + (VOTE_RADIUS_PX + dy), xs + (VOTE_RADIUS_PX + dx)]
        other = np.where(other == own, near, other)
    here = image[ys, xs].astype(np.float32)
    balance = np.zeros(ys.size, np.float32)
    for dy, dx in _offsets():
        near = padded[ys + (VOTE_RADIUS_PX + dy), xs + (VOTE_RADIUS_PX + dx)]
        y, x = np.clip(ys + dy, 0, height - 1), np.clip(xs + dx, 0, width - 1)
        colour = ((image[y, x].astype(np.float32) - here) ** 2).sum(1)
        space = (dy * dy + dx * dx) / (2 * SIGMA_SPACE_PX**2)
        weight = np.exp(-space - colour / (2 * SIGMA_COLOUR**2))
        balance += weight * ((near == own).astype(np.float32) - (near == other))
    return np.where(balance >= 0, own, other)
