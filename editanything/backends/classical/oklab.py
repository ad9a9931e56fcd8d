"""Colour spaces: sRGB bytes, linear light, and OKLab, in which shading and hue come apart.

OKLab is Björn Ottosson's (2020): L in 0..1, a and b around -0.4..0.4; a hue keeps its look when its
lightness changes. Arrays are float32 with the channels last, of any leading shape.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import Float2D

Floats = NDArray[np.float32]

# Linear sRGB -> cone response -> OKLab, matrices of the paper.
_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LAB_TO_LMS = np.linalg.inv(_LMS_TO_LAB)
_LMS_TO_RGB = np.linalg.inv(_RGB_TO_LMS)

#: Luminance of linear sRGB (Rec. 709 primaries).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def _decoded(levels: NDArray[Any]) -> Floats:
    """Linear light 0..1 of sRGB levels 0..1 (IEC 61966-2-1)."""
    low = levels / 12.92
    high = ((levels + 0.055) / 1.055) ** 2.4
    return np.where(levels <= 0.04045, low, high).astype(np.float32)


_BYTE_TO_LINEAR = _decoded(np.arange(256) / 255.0)


def _mixed(values: Floats, matrix: NDArray[np.float64]) -> Floats:
    """`matrix` applied to each 3-vector; unlike a matrix product, the same for any thread count."""
    flat = np.ascontiguousarray(values, np.float32).reshape(-1, 1, 3)
    if not flat.size:
        return values.astype(np.float32)
    return cv2.transform(flat, matrix).reshape(values.shape)


def linear_of(rgb: NDArray[Any]) -> Floats:
    """Linear light 0..1 of sRGB levels 0..255 (bytes, or floats between them)."""
    if rgb.dtype == np.uint8:
        return _BYTE_TO_LINEAR[rgb]
    return _decoded(np.clip(rgb, 0.0, 255.0) / 255.0)


def levels_of(linear: Floats) -> Floats:
    """Linear light -> sRGB levels 0..255 as floats; what lies outside 0..1 is clipped."""
    clipped = np.clip(linear, 0.0, 1.0)
    high = 1.055 * np.power(clipped, np.float32(1 / 2.4)) - 0.055
    return (255.0 * np.where(clipped <= 0.0031308, 12.92 * clipped, high)).astype(np.float32)


def to_bytes(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """Levels 0..255 as floats -> the nearest bytes."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def lab_of_linear(linear: Floats) -> Floats:
    """Linear light -> OKLab."""
    return _mixed(np.cbrt(_mixed(linear, _RGB_TO_LMS)), _LMS_TO_LAB)


def linear_of_lab(lab: Floats) -> Floats:
    """OKLab -> linear light, not clipped: values outside 0..1 are out of gamut."""
    return _mixed(_mixed(lab, _LAB_TO_LMS) ** 3, _LMS_TO_RGB)


def lab_of(rgb: NDArray[Any]) -> Floats:
    """OKLab of sRGB levels 0..255."""
    return lab_of_linear(linear_of(rgb))


def levels_of_lab(lab: Floats) -> Floats:
    """OKLab -> sRGB levels 0..255 as floats, clipped."""
    return levels_of(linear_of_lab(lab))


def luminance_of(linear: Floats) -> Float2D:
    """Relative luminance of linear light, one value a pixel."""
    luminance: Float2D = (
        linear[..., 0] * LUMINANCE[0]
        + linear[..., 1] * LUMINANCE[1]
        + linear[..., 2] * LUMINANCE[2]
    )
    return luminance


def tone_of(luminance: Float2D) -> Float2D:
    """CIE lightness (L* / 100) of relative luminance: 0 black, 1 white, even steps to the eye."""
    high = 1.16 * np.cbrt(luminance) - 0.16
    return np.where(luminance > 216 / 24389, high, luminance * (24389 / 2700)).astype(np.float32)


def most_chroma(direction: Floats, lightness: Floats) -> Floats:
    """The largest chroma that sRGB can show, by bisection.

    Args:
        direction: (n, 2), (cos, sin) of each colour's hue angle in OKLab.
        lightness: (n,), OKLab's L.
    """
    low, high = np.zeros_like(lightness), np.full_like(lightness, 0.4)
    for _ in range(20):
        chroma = (low + high) / 2
        lab = np.concatenate([lightness[:, None], chroma[:, None] * direction], axis=1)
        linear = linear_of_lab(lab)
        inside = ((linear >= -1e-4) & (linear <= 1 + 1e-4)).all(-1)
        low, high = np.where(inside, chroma, low), np.where(inside, high, chroma)
    return low
