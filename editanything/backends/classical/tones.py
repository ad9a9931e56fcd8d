"""Filters of light and colour that look at one pixel, or its place, at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical.oklab import (
    lab_of,
    levels_of,
    levels_of_lab,
    linear_of,
    luminance_of,
)
from editanything.types import Task

Floats = NDArray[np.float32]

#: Linear light of a brown print; its luminance is brought to the pixel's own.
_SEPIA = np.array([1.0, 0.6, 0.27], np.float32)
#: How much warmer (exponent of red up and of blue down) at an amount of 1.
_WARMTH = 0.5


def contrast(task: Task, amount: float) -> Floats:
    """Darks darker and lights lighter about the middle grey; black and white stay."""
    return _curved(task, 1.0 + 1.5 * amount)


def flatten(task: Task, amount: float) -> Floats:
    """Less contrast; the exact inverse of `contrast` by the same amount."""
    return _curved(task, 1.0 / (1.0 + 1.5 * amount))


def _curved(task: Task, steepness: float) -> Floats:
    """OKLab lightness x -> x^s / (x^s + (1 - x)^s): slope s in the middle, 0 and 1 stay."""
    lab = lab_of(task.image)
    light = np.clip(lab[..., :1], 0.0, 1.0)
    up, down = light**steepness, (1.0 - light) ** steepness
    new = up / (up + down)
    # Colour goes along with light, or shadows would come out gaudy.
    lab[..., 1:] *= np.where(light > 0, new / np.maximum(light, 1e-6), 1.0) ** 0.5
    lab[..., :1] = new
    return levels_of_lab(lab.astype(np.float32))


def warm(task: Task, amount: float) -> Floats:
    """The light of a lower sun: red up, blue down, as bright as before; black and white stay."""
    return _tinted(task, _WARMTH * amount)


def cool(task: Task, amount: float) -> Floats:
    """The light of a shade: the inverse of `warm` but for the brightness that both keep."""
    return _tinted(task, -_WARMTH * amount)


def _tinted(task: Task, warmth: float) -> Floats:
    """Red x -> x^(1 / (1 + w)), blue x -> x^(1 + w), for w < 0 in turn; the luminance stays."""
    linear = linear_of(task.image)
    before = luminance_of(linear)
    up, down = 1.0 / (1.0 + abs(warmth)), 1.0 + abs(warmth)
    red, blue = (up, down) if warmth > 0 else (down, up)
    tinted = np.stack([linear[..., 0] ** red, linear[..., 1], linear[..., 2] ** blue], axis=-1)
    after = luminance_of(tinted)
    share = before / np.maximum(after, 1e-6)
    return levels_of((tinted * share[..., None]).astype(np.float32))


def sepia(task: Task, amount: float) -> Floats:
    """Brown, as an old print, of the same luminance."""
    linear = linear_of(task.image)
    light = luminance_of(linear)[..., None]
    tone = _SEPIA / luminance_of(_SEPIA[None])[0]
    # Towards white a brown of that luminance would leave the gamut: it pales.
    room = np.clip((1.0 - light) / np.maximum((tone.max() - 1.0) * light, 1e-6), 0.0, 1.0)
    brown = levels_of((light * (1.0 + room * (tone - 1.0))).astype(np.float32))
    return task.image + np.float32(amount) * (brown - task.image)


def vignette(task: Task, amount: float) -> Floats:
    """Darker towards the corners of the frame, as with an old lens: the cosine's fourth power."""
    (x0, y0), (width, height) = task.params["origin"], task.params["frame"]
    rows, columns = task.image.shape[:2]
    ys = (np.arange(rows, dtype=np.float32) + y0 + 0.5 - height / 2)[:, None]
    xs = (np.arange(columns, dtype=np.float32) + x0 + 0.5 - width / 2)[None]
    # 0 in the middle, 1 in the corners.
    far = (xs**2 + ys**2) / np.float32(width**2 / 4 + height**2 / 4)
    fall = 1.0 / (1.0 + 2.0 * amount * far) ** 2
    return levels_of((linear_of(task.image) * fall[..., None]).astype(np.float32))
