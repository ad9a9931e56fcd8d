"""A painted crop back into the picture: outside the mask every sample stays, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything.image import Picture
from editanything.types import Box, Float2D, Painted

_ROWS_AT_ONCE = 128
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in PIL's grey


def composite(picture: Picture, box: Box, painted: Painted, alpha: Float2D) -> Picture:
    """Blend `painted` into the `box` of `picture`, in the picture's own samples.

    A sample changes only where `alpha` > 0 and the painted 8 bit colour differs from the 8 bit
    colour that was there: what the backend left alone keeps its full depth.

    Args:
        picture: stays as it is.
        box: where the crop lies; inside the picture.
        painted: the crop, (h, w).
        alpha: (h, w) in [0, 1]; how much of the painted crop is taken.
    """
    x0, y0, x1, y1 = box
    height, width = picture.shape
    assert 0 <= x0 <= x1 <= width, (box, picture.shape)
    assert 0 <= y0 <= y1 <= height, (box, picture.shape)
    assert painted.image.shape == (y1 - y0, x1 - x0, 3), (painted.image.shape, box)
    assert alpha.shape == (y1 - y0, x1 - x0), (alpha.shape, box)
    samples = picture.samples.copy()
    for top in range(0, y1 - y0, _ROWS_AT_ONCE):
        rows = slice(top, min(top + _ROWS_AT_ONCE, y1 - y0))
        strip = x0, y0 + rows.start, x1, y0 + rows.stop
        crop = samples[strip[1] : strip[3], x0:x1]
        opacity = None if painted.opacity is None else painted.opacity[rows]
        _blend(crop, picture, strip, Painted(painted.image[rows], opacity), alpha[rows])
    return picture.with_samples(samples)


def _blend(
    crop: NDArray[Any], picture: Picture, box: Box, painted: Painted, alpha: Float2D
) -> None:
    """Blend one strip, in place; `crop` is the view of the result's samples in `box`."""
    changed = (painted.image != picture.rgb(box)).any(axis=2) & (alpha > 0)
    share = alpha
    if picture.has_alpha and painted.opacity is not None:
        share = _colour_share(crop, painted.opacity, alpha)
        before = picture.opacity(box)
        other = (painted.opacity != before) & (alpha > 0)
        channel = crop[..., -1]
        channel[other] = _mix(channel[other], painted.opacity[other], alpha[other])
    colours = painted.image[changed]
    if crop.shape[2] < 3:
        grey = colours.astype(np.float32) @ _LUMA
        crop[changed, 0] = _mix(crop[changed, 0], grey, share[changed])
    else:
        crop[changed, :3] = _mix(crop[changed, :3], colours, share[changed][:, None])


def _mix(old: NDArray[Any], new: NDArray[Any], share: NDArray[np.float32]) -> NDArray[Any]:
    """A step of `share` from old to new (which has 8 bits), rounded to the depth of `old`."""
    step = np.float32(257 if old.dtype == np.uint16 else 1)
    base = old.astype(np.float32)
    mixed = base + share * (new.astype(np.float32) * step - base)
    return np.floor(mixed + np.float32(0.5)).astype(old.dtype)


def _colour_share(
    crop: NDArray[Any], opacity: NDArray[np.uint8], alpha: Float2D
) -> NDArray[np.float32]:
    """How much of the new colour shows: "over" of two translucent layers (Porter & Duff 1984).

    What was transparent before has no colour of its own to give: a soft rim over it would
    otherwise take a fringe of the hidden colour.
    """
    top = np.float32(65535 if crop.dtype == np.uint16 else 255)
    new = alpha * (opacity.astype(np.float32) / np.float32(255))
    old = (1 - alpha) * (crop[..., -1].astype(np.float32) / top)
    total = new + old
    return np.where(total > 0, new / np.where(total > 0, total, 1), alpha).astype(np.float32)
