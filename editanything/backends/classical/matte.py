"""A soft matte of a hard mask, and the colours on either side of the rim, unmixed.

A pixel on an object's rim shows a mixture I = a F + (1 - a) B of the object's colour F and the
background's B. Whoever moves or recolours the object needs a and F, or the old background travels
along as a fringe. Here a narrow band around the mask's rim is unmixed: F and B are first guessed
from the pixels further in and further out (as sampling mattes do: Chuang et al., "A Bayesian
approach to digital matting", 2001), a is the projection of I on the line between them, smoothed
along the picture's edges by a guided filter (He et al., 2010), and F and B are then moved so that
they explain I.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.masks import with_margin
from editanything.types import RGB, Bool2D, Box, Float2D

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Matte:
    """An object lifted from its background, in a box of the picture.

    Outside the box alpha is 0. Colours are sRGB levels 0..255 as floats. Deep inside the object
    alpha is exactly 1 and `foreground` exactly the picture; `foreground` goes on past the rim,
    `background` goes on a little under the object.
    """

    box: Box
    alpha: Float2D  # (h, w)
    foreground: Floats  # (h, w, 3)
    background: Floats  # (h, w, 3)

    def full_alpha(self, shape: tuple[int, int]) -> Float2D:
        """Alpha over a whole picture of `shape` = (H, W)."""
        alpha = np.zeros(shape, np.float32)
        x0, y0, x1, y1 = self.box
        alpha[y0:y1, x0:x1] = self.alpha
        return alpha


def box_of(mask: Bool2D) -> Box:
    """The smallest box around the True pixels, of which there must be one."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert ys.size, "an empty mask has no box"
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


def band_width_px(mask: Bool2D) -> float:
    """How far from a mask's rim pixels may be mixed: wider for larger things."""
    return float(np.clip(0.012 * np.sqrt(np.count_nonzero(mask)), 2.0, 8.0))


def signed_distance(mask: Bool2D) -> Float2D:
    """Distance to the mask's rim in pixels, positive inside; the picture's edge is no rim."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    if padded.all() or not padded.any():
        return np.full(mask.shape, np.inf if padded.all() else -np.inf, np.float32)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = np.where(padded > 0, inside - 0.5, 0.5 - outside)[1:-1, 1:-1]
    return signed.astype(np.float32)


def smoothstep(values: NDArray[Any]) -> Floats:
    """0 below 0, 1 above 1, a smooth S between."""
    t = np.clip(values, 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)


def spread(image: Floats, weight: Float2D, sigma_px: float) -> Floats:
    """`image` averaged with Gaussian weights over the pixels that count (normalised convolution).

    Where the Gaussian reaches no weight at all, wider ones step in (Knutsson and Westin, 1993).
    """
    total, norm = np.zeros_like(image), np.zeros(weight.shape, np.float32)
    share = np.ones(weight.shape, np.float32)
    for scale in (1.0, 4.0, 16.0):
        sigma = sigma_px * scale
        near = fast_gaussian(weight, sigma)
        colour = fast_gaussian(image * weight[..., None], sigma)
        total += colour * share[..., None]
        norm += near * share
        share = share * 1e-3
    return (total / np.maximum(norm, 1e-12)[..., None]).astype(np.float32)


def fast_gaussian(values: Floats, sigma_px: float) -> Floats:
    """A Gaussian blur whose cost does not grow with `sigma_px`: wide ones on a smaller copy."""
    shrink = int(sigma_px // 4)
    height, width = values.shape[:2]
    if shrink < 2 or min(height, width) < 4 * shrink:
        near = cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
        return near.reshape(values.shape)
    small_size = (-(-width // shrink), -(-height // shrink))
    padded = cv2.copyMakeBorder(
        values,
        0,
        small_size[1] * shrink - height,
        0,
        small_size[0] * shrink - width,
        cv2.BORDER_REFLECT,
    )
    small = cv2.resize(padded, small_size, interpolation=cv2.INTER_AREA)
    # Averaging over squares is itself a blur, of variance (n² - 1) / 12.
    rest_px = np.sqrt(sigma_px**2 - (shrink**2 - 1) / 12) / shrink
    small = cv2.GaussianBlur(small, (0, 0), rest_px, borderType=cv2.BORDER_REFLECT)
    big = cv2.resize(small, padded.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return big[:height, :width].reshape(values.shape)


def lift(image: RGB, mask: Bool2D, *, to_the_pixel: bool = False) -> Matte:
    """Unmix the rim of `mask` in `image`.

    Args:
        image: RGB uint8 (H, W, 3).
        mask: bool (H, W), at least one pixel True.
        to_the_pixel: the mask is taken at its word: what is in it belongs to the object at least
            half, and only the pixels on its very rim are mixed. Otherwise the mask may be a
            little wrong, and the wider the larger it is.
    """
    band = 1.5 if to_the_pixel else band_width_px(mask)
    box = with_margin(box_of(mask), int(np.ceil(3 * band)) + 2, mask.shape)
    x0, y0, x1, y1 = box
    crop = image[y0:y1, x0:x1].astype(np.float32)
    depth = signed_distance(mask[y0:y1, x0:x1])
    # Colours further from the rim are purer, so they count more; something thinner than the band
    # still has its own deepest pixels to go by.
    inner = np.square(np.clip(depth / band, 0.0, 1.0)) + 1e-4 * (depth > 0)
    outer = np.square(np.clip(-depth / band, 0.0, 1.0)) + 1e-4 * (depth < 0)
    thing = _side(crop, inner.astype(np.float32), max(band, 2.0))
    ground = _side(crop, outer.astype(np.float32), max(band, 2.0))
    by_place = (depth > 0).astype(np.float32)
    if not to_the_pixel:  # a soft rim, and no staircase
        by_place = cv2.GaussianBlur(by_place, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    # Where the mask is right anyway, a colour has to say much to overrule it.
    alpha = _alpha(crop, by_place, thing, ground, doubt=40.0 if to_the_pixel else 24.0)
    # Nothing is mixed further than a band from the rim, and near it the mask has a say.
    alpha = np.clip(alpha, smoothstep(depth / band), smoothstep(1.0 + depth / band))
    if to_the_pixel:
        alpha = np.where(depth > 0, np.maximum(alpha, 0.5), np.minimum(alpha, 0.5))
    alpha = np.where(alpha > 0.995, 1.0, np.where(alpha < 0.005, 0.0, alpha)).astype(np.float32)
    foreground, background = _unmixed(crop, alpha, thing.colour, ground.colour)
    return Matte(box, alpha, foreground, background)


@dataclass(frozen=True, eq=False)
class _Side:
    """What the picture looks like on one side of the rim, around each pixel."""

    colour: Floats  # (h, w, 3)
    variance: Float2D  # (h, w), over the three channels


def _side(crop: Floats, weight: Float2D, sigma_px: float) -> _Side:
    """Mean and variance of the pixels that `weight` counts in."""
    power = np.square(crop).sum(-1, keepdims=True)
    mean = spread(np.concatenate([crop, power], axis=2), weight, sigma_px)
    variance = np.maximum(mean[..., 3] - np.square(mean[..., :3]).sum(-1), 0.0)
    return _Side(mean[..., :3], variance)


def _alpha(crop: Floats, by_place: Float2D, thing: _Side, ground: _Side, doubt: float) -> Float2D:
    """Alpha by colour where the two sides differ, else by distance from the rim."""
    line = thing.colour - ground.colour
    length = np.square(line).sum(-1)
    along = ((crop - ground.colour) * line).sum(-1)
    by_colour = np.clip(along / np.maximum(length, 1.0), 0.0, 1.0)
    # The projection says little where the two sides are hardly further apart than each side's own
    # texture, and where the pixel lies off the line between them.
    off_line = np.square(crop - ground.colour - by_colour[..., None] * line).sum(-1)
    contrast = length / (2.0 * off_line + 2.0 * (thing.variance + ground.variance) + doubt**2)
    trust = np.square(contrast) / (1.0 + np.square(contrast))
    guess = trust * by_colour + (1.0 - trust) * by_place
    smooth = _guided(crop / 255.0, guess.astype(np.float32), radius_px=2, eps=1e-4)
    return (trust * smooth + (1.0 - trust) * by_place).astype(np.float32)


def _guided(guide: Floats, values: Float2D, *, radius_px: int, eps: float) -> Float2D:
    """Guided filter (He et al. 2010, eq. 5, 6, 8) with the guide's luminance."""
    grey = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY)
    size = (2 * radius_px + 1,) * 2

    def mean(array: Float2D) -> Float2D:
        return cv2.blur(array, size, borderType=cv2.BORDER_REFLECT)

    mean_i, mean_p = mean(grey), mean(values)
    a = (mean(grey * values) - mean_i * mean_p) / (mean(grey * grey) - mean_i**2 + eps)
    b = mean_p - a * mean_i
    return np.clip(mean(a) * grey + mean(b), 0.0, 1.0)


def _unmixed(
    crop: Floats, alpha: Float2D, object_colour: Floats, ground_colour: Floats
) -> tuple[Floats, Floats]:
    """The F and B nearest to the guessed colours that explain the picture.

    Minimises |a F + (1 - a) B - I|² + e (|F - F0|² + |B - B0|²), which has a closed form.
    """
    a = alpha[..., None]
    rest = crop - a * object_colour - (1.0 - a) * ground_colour
    weight = rest / (np.square(a) + np.square(1.0 - a) + 0.02)
    foreground = np.clip(object_colour + a * weight, 0.0, 255.0)
    background = np.clip(ground_colour + (1.0 - a) * weight, 0.0, 255.0)
    return np.where(a == 1.0, crop, foreground), np.where(a == 0.0, crop, background)
