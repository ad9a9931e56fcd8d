"""Filters of a region: blur, sharpen, brighten, darken, and so on; the region is the target.

Every filter takes the task's crop and an amount in (0, 1] and answers sRGB levels for the whole
crop. Those that mix neighbouring pixels mix pixels of the target only, so that nothing from
outside bleeds in and the object's colours do not smear into a blurred background; and in a picture
with transparency each as much as it shows, so that no hidden colour comes out at a rim.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical import tones
from editanything.backends.classical.matte import (
    box_of,
    fast_gaussian,
    lift,
    spread,
    without_hidden,
)
from editanything.backends.classical.oklab import (
    LUMINANCE,
    lab_of,
    levels_of,
    levels_of_lab,
    linear_of,
    luminance_of,
    to_bytes,
)
from editanything.errors import InputError
from editanything.progress import Progress, report
from editanything.types import Float2D, Painted, Task

Floats = NDArray[np.float32]


def filtered(task: Task, progress: Progress | None = None) -> Painted:
    """Apply the filter `params["kind"]` (a key of `KINDS`) by `params["amount"]` in (0, 1].

    Raises:
        InputError: there is no such filter, or the amount is out of range.
    """
    kind = task.params["kind"]
    if kind not in KINDS:
        raise InputError(f"There is no filter {kind!r}; choose one of {', '.join(KINDS)}.")
    amount = float(task.params.get("amount") or AMOUNTS[kind])
    if not 0.0 < amount <= 1.0:
        raise InputError(f"A filter's amount is above 0 and at most 1; got {amount:g}.")
    if not task.target.any():
        return Painted(task.image)
    if kind not in PER_PIXEL:
        report(progress, 0.0, kind)
        return Painted(to_bytes(KINDS[kind](task, amount)))
    # In strips: the floats of a whole 24-megapixel picture would take gigabytes.
    image = np.empty_like(task.image)
    height, (left, above) = len(image), task.params.get("origin", (0, 0))
    frame = task.params.get("frame", task.image.shape[1::-1])
    for top in range(0, height, _ROWS_AT_ONCE):
        report(progress, top / height, kind)
        rows = slice(top, top + _ROWS_AT_ONCE)
        strip = replace(
            task,
            image=task.image[rows],
            target=task.target[rows],
            area=task.area[rows],
            params={**task.params, "frame": frame, "origin": (left, above + top)},
            opacity=None,
            keep=None,
        )
        image[rows] = to_bytes(KINDS[kind](strip, amount))
    return Painted(image)


def blur(task: Task, amount: float) -> Floats:
    """A photographic blur, in linear light so that bright points stay bright.

    A pixel on the target's rim keeps its share of what lies outside, sharp, and blurs the rest.
    """
    frame = max(task.params.get("frame", task.image.shape[1::-1]))
    extent = float(np.sqrt(np.count_nonzero(task.target)))
    sigma_px = max(1.0, amount * (0.008 * frame + 0.03 * extent))
    shown = _shown(task)
    if task.target.all():
        linear = linear_of(task.image)
        if shown is None:
            return levels_of(fast_gaussian(linear, sigma_px))
        return _where_shown(task, levels_of(spread(linear, shown, sigma_px)))
    matte = lift(task.image, task.target)
    alpha = matte.full_alpha(task.target.shape)
    x0, y0, x1, y1 = matte.box
    # Only what is surely the target's own colour spreads; the mixed rim would carry the other's.
    own = np.where(alpha >= 1.0, alpha, 1e-3 * alpha)[y0:y1, x0:x1]
    if shown is not None:
        own = own * shown[y0:y1, x0:x1]
    crop = task.image[y0:y1, x0:x1]
    soft = levels_of(spread(linear_of(crop), own.astype(np.float32), sigma_px))
    out = task.image.astype(np.float32)
    a = matte.alpha[..., None]
    out[y0:y1, x0:x1] = np.where(a > 0, a * soft + (1.0 - a) * matte.background, crop)
    return _where_shown(task, out)


def _shown(task: Task) -> Float2D | None:
    """How much of each pixel shows, 0..1; None where all do."""
    if task.opacity is None or task.opacity.min() == 255:
        return None
    return task.opacity.astype(np.float32) / np.float32(255)


def _where_shown(task: Task, levels: Floats) -> Floats:
    """`levels`; a pixel that does not show at all keeps its hidden colour."""
    if task.opacity is None:
        return levels
    return np.where((task.opacity > 0)[..., None], levels, task.image)


def sharpen(task: Task, amount: float) -> Floats:
    """Unsharp masking of the luminance, held within its neighbourhood so that no halo grows."""
    frame = max(task.params.get("frame", task.image.shape[1::-1]))
    sigma_px = max(0.8, 0.0012 * frame)
    grey = cv2.cvtColor(task.image.astype(np.float32), cv2.COLOR_RGB2GRAY)
    inside, shown = task.target.astype(np.float32), _shown(task)
    if shown is not None:
        inside *= shown
    smooth = spread(grey[..., None], inside, sigma_px)[..., 0]
    sharp = grey + 3.0 * amount * (grey - smooth)
    near = np.ones((2 * round(sigma_px) + 1,) * 2, np.uint8)
    low, high = cv2.erode(grey, near), cv2.dilate(grey, near)
    slack = 0.25 * amount * (high - low)
    sharp = np.clip(sharp, low - slack, high + slack)
    return _where_shown(task, task.image + (sharp - grey)[..., None])


def brighten(task: Task, amount: float) -> Floats:
    """More light, with a film's shoulder: black stays black, white white, nothing clips."""
    return _exposed(task, 1.0 + 4.0 * amount**1.5)


def darken(task: Task, amount: float) -> Floats:
    """Less light; the exact inverse of `brighten` by the same amount."""
    return _exposed(task, 1.0 / (1.0 + 4.0 * amount**1.5))


def _exposed(task: Task, gain: float) -> Floats:
    """Linear light x -> g x / (1 + (g - 1) x): gain g in the shadows, none at white."""
    linear = linear_of(task.image)
    return levels_of(gain * linear / (1.0 + (gain - 1.0) * linear))


def grayscale(task: Task, amount: float) -> Floats:
    """Grey of the same luminance."""
    grey = levels_of(luminance_of(linear_of(task.image)))[..., None]
    return task.image + np.float32(amount) * (grey - task.image)


def saturate(task: Task, amount: float) -> Floats:
    """Stronger colours of the same luminance, pale ones more than strong ones, none clipped."""
    linear = linear_of(task.image)
    grey = luminance_of(linear)[..., None]
    away = linear - grey
    # How far each pixel may go from its grey before one of its channels leaves 0..1.
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(away > 0, (1.0 - grey) / away, np.where(away < 0, -grey / away, np.inf))
    room = np.clip(limit.min(-1, keepdims=True), 1.0, 1e6)
    wish = 1.5 * amount
    factor = 1.0 + wish * (room - 1.0) / (room - 1.0 + wish)
    return levels_of((grey + factor * away).astype(np.float32))


def desaturate(task: Task, amount: float) -> Floats:
    """Weaker colours of the same hue and lightness; an amount of 1 leaves grey.

    In OKLab: in linear light oranges would turn mauve on the way.
    """
    lab = lab_of(task.image)
    lab[..., 1:] *= np.float32(1.0 - amount)
    return levels_of_lab(lab)


def pixelate(task: Task, amount: float) -> Floats:
    """Square cells from the target's own top left corner, each the mean light of its target."""
    x0, y0, x1, y1 = box_of(task.target)
    side = max(2, round(max(x1 - x0, y1 - y0) * (0.02 + 0.16 * amount)))
    rows, columns = -(-(y1 - y0) // side), -(-(x1 - x0) // side)
    pad = ((0, rows * side - (y1 - y0)), (0, columns * side - (x1 - x0)))
    counts, shown = task.target[y0:y1, x0:x1].astype(np.float32), _shown(task)
    if shown is not None:
        counts *= shown[y0:y1, x0:x1]
    inside = np.pad(counts, pad)
    linear = np.pad(linear_of(task.image[y0:y1, x0:x1]), (*pad, (0, 0)))
    size = (columns, rows)
    share = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(linear * inside[..., None], size, interpolation=cv2.INTER_AREA)
    cells = levels_of(mean / np.maximum(share, 1e-6)[..., None])
    out = task.image.astype(np.float32)
    blocks = cells.repeat(side, 0).repeat(side, 1)[: y1 - y0, : x1 - x0]
    here = task.target[y0:y1, x0:x1]
    out[y0:y1, x0:x1][here] = blocks[here]
    return _where_shown(task, out)


def denoise(task: Task, amount: float) -> Floats:
    """Non-local means (Buades et al. 2005), as strong as the noise found, on light and colour.

    An amount of 0.5 takes the measured noise for what it is.
    """
    strength = 1.4 * amount * max(noise_levels(task), 0.5)
    image, shown = task.image, _shown(task)
    if shown is not None:
        image = to_bytes(without_hidden(image.astype(np.float32), shown, shown))
    luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    planes = [cv2.fastNlMeansDenoising(luma, None, 0.9 * strength, 5, 11)]
    # Colour is half as fine as light, to the eye and in most files; at half the size it costs a
    # quarter and what is left of the noise is half.
    height, width = luma.shape
    half = (-(-width // 2), -(-height // 2))
    for plane in chroma:
        small = cv2.resize(plane, half, interpolation=cv2.INTER_AREA)
        small = cv2.fastNlMeansDenoising(small, None, 0.5 * strength, 3, 9)
        planes.append(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    done = cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2RGB).astype(np.float32)
    return _where_shown(task, done)


def noise_levels(task: Task) -> float:
    """Standard deviation of the noise in the target, in levels: the method of Immerkær (1996).

    The median of the response, unlike his mean, is not moved by the picture's own edges.
    """
    grey = cv2.transform(task.image.astype(np.float32), LUMINANCE[None].astype(np.float64))
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))[task.target]
    # A normal variable's median deviation is 0.6745 sigma; the kernel's norm is 6. Noise that is
    # independent in the three channels is smaller in their weighted sum.
    return float(np.median(response) / (0.6745 * 6.0 * np.linalg.norm(LUMINANCE)))


#: What to do for each `params["kind"]`.
KINDS: dict[str, Callable[[Task, float], Floats]] = {
    "blur": blur,
    "sharpen": sharpen,
    "brighten": brighten,
    "darken": darken,
    "grayscale": grayscale,
    "saturate": saturate,
    "desaturate": desaturate,
    "pixelate": pixelate,
    "denoise": denoise,
    "contrast": tones.contrast,
    "flatten": tones.flatten,
    "warm": tones.warm,
    "cool": tones.cool,
    "sepia": tones.sepia,
    "vignette": tones.vignette,
}

#: Those that mix no pixel with its neighbours.
PER_PIXEL = frozenset(KINDS) - {"blur", "sharpen", "pixelate", "denoise"}
_ROWS_AT_ONCE = 256

#: How much, where the command does not say.
AMOUNTS: dict[str, float] = {
    "blur": 0.5,
    "sharpen": 0.5,
    "brighten": 0.4,
    "darken": 0.4,
    "grayscale": 1.0,
    "saturate": 0.5,
    "desaturate": 0.5,
    "pixelate": 0.4,
    "denoise": 0.5,
    "contrast": 0.4,
    "flatten": 0.4,
    "warm": 0.4,
    "cool": 0.4,
    "sepia": 1.0,
    "vignette": 0.5,
}
