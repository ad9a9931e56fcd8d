"""From a label map at reduced size to crisp edges at the picture's own size.

The map is enlarged in steps of at most two. After each step only the pixels next to a label border
are asked again, by a vote of their neighbours weighted by nearness in space and in colour: joint
bilateral upsampling (Kopf et al. 2007, eq. 3) of labels, done on a narrow band.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import RGB

Labels = NDArray[np.integer[Any]]  # (h, w); the smaller the type, the quicker

BAND_PX = 2  # how far from a border a pixel is asked again
VOTE_RADIUS_PX = 3
SIGMA_SPACE_PX = 1.7
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
    sizes = [
        (
            round(start[0] * (height / start[0]) ** (step / steps)),
            round(start[1] * (width / start[1]) ** (step / steps)),
        )
        for step in range(1, steps + 1)
    ]
    # Each guide is reduced from the next larger one: the picture itself is read once.
    guides = [image] if sizes else []
    for rows, columns in reversed(sizes[:-1]):
        guides.append(cv2.resize(guides[-1], (columns, rows), interpolation=cv2.INTER_AREA))
    for size, guide in zip(sizes, reversed(guides), strict=True):
        labels = settle(nearest(labels, size), guide)
    return labels


def nearest(labels: Labels, size: tuple[int, int]) -> Labels:
    """`labels` at another size (h, w), each sample from the nearest pixel centre."""
    ys = ((np.arange(size[0]) + 0.5) * (labels.shape[0] / size[0])).astype(np.intp)
    xs = ((np.arange(size[1]) + 0.5) * (labels.shape[1] / size[1])).astype(np.intp)
    return labels.take(xs, 1).take(ys, 0)


def border_band(labels: Labels, radius_px: int) -> NDArray[np.bool_]:
    """Where a pixel with another label is at most `radius_px` away, horizontally or vertically."""
    differs = np.zeros(labels.shape, np.uint8)
    sideways = labels[:, 1:] != labels[:, :-1]
    differs[:, 1:] = sideways
    differs[:, :-1] |= sideways
    upright = labels[1:] != labels[:-1]
    differs[1:] |= upright
    differs[:-1] |= upright
    if radius_px > 1:
        square = np.ones((2 * radius_px - 1,) * 2, np.uint8)
        differs = cv2.dilate(differs, square)
    return differs.view(bool)


def settle(labels: Labels, image: RGB) -> Labels:
    """`labels` with the pixels next to a border given to the neighbours that look like them."""
    out = labels.copy()
    where = np.flatnonzero(border_band(labels, BAND_PX))  # far quicker than np.nonzero of two axes
    ys, xs = np.divmod(where, labels.shape[1])
    flat_labels = np.ascontiguousarray(labels).ravel()
    flat_image = np.ascontiguousarray(image).reshape(-1, 3)
    for start in range(0, ys.size, CHUNK_PIXELS):
        y, x = ys[start : start + CHUNK_PIXELS], xs[start : start + CHUNK_PIXELS]
        out[y, x] = _vote(flat_labels, flat_image, _neighbours(y, x, labels.shape))
    return out


def _offsets() -> list[tuple[int, int]]:
    """The voters, nearest first."""
    reach = range(-VOTE_RADIUS_PX, VOTE_RADIUS_PX + 1)
    around = [(dy, dx) for dy in reach for dx in reach]
    inside = [o for o in around if o[0] ** 2 + o[1] ** 2 <= (VOTE_RADIUS_PX + 0.5) ** 2]
    return sorted(inside, key=lambda o: (o[0] ** 2 + o[1] ** 2, o))


def _neighbours(
    ys: NDArray[np.intp], xs: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.intp]:
    """Flat indices (num_offsets, n) of the voters of each pixel, clipped to the picture."""
    reach = range(-VOTE_RADIUS_PX, VOTE_RADIUS_PX + 1)
    rows = {dy: np.clip(ys + dy, 0, shape[0] - 1) * shape[1] for dy in reach}
    columns = {dx: np.clip(xs + dx, 0, shape[1] - 1) for dx in reach}
    return np.stack([rows[dy] + columns[dx] for dy, dx in _offsets()])


def _vote(
    labels: NDArray[np.integer[Any]], image: NDArray[np.uint8], where: NDArray[np.intp]
) -> NDArray[np.integer[Any]]:
    """The label of each asked pixel: its own or the nearest other one, whichever gathers more."""
    near = labels.take(where)  # (num_offsets, n); the pixel itself comes first
    own = near[0]
    same = near == own
    first_other = same.argmin(0)  # 0, the pixel itself, where all agree
    other = near[first_other, np.arange(own.size)]
    sign = same.astype(np.float32) - ((near == other) & ~same)
    here = image.take(where[0], 0).astype(np.float32)
    balance = np.zeros(own.size, np.float32)
    for row, (dy, dx) in enumerate(_offsets()):
        apart = image.take(where[row], 0) - here
        colour = np.einsum("ij,ij->i", apart, apart)
        space = (dy * dy + dx * dx) / (2 * SIGMA_SPACE_PX**2)
        balance += sign[row] * np.exp(-space - colour / (2 * SIGMA_COLOUR**2))
    return np.where(balance >= 0, own, other)
