"""What things do to the ground: shadows along the light, and reflections."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mdt.data.source import Array
from mdt.data.stickers.grounds import Ground


class Cut(NamedTuple):
    """A sticker as it is put into a picture.

    Attributes:
        pixels: float32 (h, w, 4) in [0, 1], colours multiplied by alpha.
        left: column of the picture where it begins; may lie outside.
        top: row of the picture where it begins; may lie outside.
        stands: whether it stands or lies on the ground, rather than flies.
    """

    pixels: Array
    left: int
    top: int
    stands: bool

    @property
    def foot(self) -> float:
        """The row of the picture on which it stands."""
        return self.top + self.pixels.shape[0] - 0.5


def placed(cut: Cut, size: int) -> Array:
    """A cut in an empty picture: float32 (size, size, 4)."""
    out = np.zeros((size, size, cut.pixels.shape[2]), np.float32)
    height, width = cut.pixels.shape[:2]
    top, left = max(cut.top, 0), max(cut.left, 0)
    bottom, right = min(cut.top + height, size), min(cut.left + width, size)
    if top < bottom and left < right:
        inside = cut.pixels[top - cut.top : bottom - cut.top, left - cut.left : right - cut.left]
        out[top:bottom, left:right] = inside
    return out


def shadow(cut: Cut, ground: Ground) -> Array:
    """The share of light that a thing takes from the ground: float32 (size, size)."""
    size = ground.image.shape[0]
    if not cut.stands or not ground.light.strength:
        return np.zeros((size, size), np.float32)
    if ground.horizon is None:
        return _lying(cut, ground, size)
    return np.maximum(_cast(cut, ground, size), _contact(cut, ground, size)).astype(np.float32)


def reflection(cut: Cut, ground: Ground) -> Array:
    """A thing's picture in the ground: float32 (size, size, 4), colours multiplied by alpha."""
    size = ground.image.shape[0]
    if not cut.stands or not ground.shine or ground.horizon is None:
        return np.zeros((size, size, 4), np.float32)
    height = cut.pixels.shape[0]
    fade = np.linspace(1.0, 0.25, height, dtype=np.float32)[:, None, None] * ground.shine
    mirrored = cut.pixels[::-1] * fade
    out = placed(cut._replace(pixels=mirrored, top=cut.top + height), size)
    out = cv2.GaussianBlur(out, (0, 0), 0.004 * size + 0.2)
    if ground.ripple:
        y, x = np.mgrid[:size, :size].astype(np.float32)
        depth = np.maximum(y - cut.foot, 0) / size
        shift = np.sin(y / size * 90) * ground.ripple * size * np.minimum(0.3 + 3 * depth, 1.5)
        out = cv2.remap(out, x + shift, y, cv2.INTER_LINEAR)
    out[: max(int(np.ceil(ground.horizon)), 0)] = 0
    return out


def _cast(cut: Cut, ground: Ground, size: int) -> Array:
    """A silhouette, sheared along the ground and, where there is a wall, up the wall."""
    assert ground.horizon is not None, "things lie on grounds without one"
    light, horizon = ground.light, ground.horizon
    alpha = np.ascontiguousarray(cut.pixels[..., 3])
    height = alpha.shape[0]
    # Source row v is at height z = height - 0.5 - v; forward map of (u, v) to the picture.
    lift = height - 0.5
    matrix = np.array(
        [
            [1, -light.across, cut.left + light.across * lift],
            [0, light.back, cut.foot - light.back * lift],
        ],
        np.float32,
    )
    out = cv2.warpAffine(alpha, matrix, (size, size), flags=cv2.INTER_LINEAR)
    rows = np.arange(size, dtype=np.float32)[:, None]
    if ground.wall and light.back > 0:
        reach = (cut.foot - horizon) / light.back  # the height whose shadow meets the wall
        climb = np.array(
            [[1, -light.across, cut.left + light.across * lift], [0, 1, horizon + reach - lift]],
            np.float32,
        )
        upright = cv2.warpAffine(alpha, climb, (size, size), flags=cv2.INTER_LINEAR)
        out = np.where(rows < horizon, upright, out)
    # Sharp at the foot, soft far from it.
    soft = cv2.GaussianBlur(out, (0, 0), light.softness * size)
    sharp = cv2.GaussianBlur(out, (0, 0), 0.005 * size + 0.2)
    far = np.clip(np.abs(rows - cut.foot) / (0.7 * abs(light.back) * height + 1), 0, 1)
    out = light.strength * (sharp + far * (soft - sharp)) * (1 - 0.35 * far)
    return out if ground.wall else out * (rows > horizon)


def _contact(cut: Cut, ground: Ground, size: int) -> Array:
    """The dark where a thing touches the ground."""
    assert ground.horizon is not None, "things lie on grounds without one"
    alpha = cut.pixels[..., 3]
    span = np.flatnonzero(alpha[-max(alpha.shape[0] // 10, 1) :].max(axis=0) > 0.4)
    if not len(span):
        return np.zeros((size, size), np.float32)
    width = max(float(span[-1] - span[0] + 1), 0.2 * alpha.shape[1])
    middle = cut.left + float(span[0] + span[-1]) / 2
    line = np.arange(size, dtype=np.float32)
    x = (line[None] - middle) / (0.6 * width)
    y = (line[:, None] - cut.foot) / (0.09 * width + 0.012 * size)
    out = 0.8 * ground.light.strength * np.exp(-((x * x) ** 2) - y * y)
    out[out < 0.004] = 0
    return out * (line[:, None] > ground.horizon)


def _lying(cut: Cut, ground: Ground, size: int) -> Array:
    """The silhouette, a little aside, as of a thing that lies."""
    light = ground.light
    aside = 0.10 * cut.pixels.shape[0]
    shifted = cut._replace(
        pixels=cut.pixels[..., 3:],
        left=cut.left + round(aside * light.across),
        top=cut.top - round(aside * light.back * 1.5),
    )
    alpha = placed(shifted, size)[..., 0]
    near = cv2.GaussianBlur(placed(cut, size)[..., 3], (0, 0), 0.015 * size)
    far = cv2.GaussianBlur(alpha, (0, 0), light.softness * size)
    return light.strength * np.maximum(far, 0.7 * near)
