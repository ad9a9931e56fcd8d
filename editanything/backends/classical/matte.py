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

from editanything.masks import rim_px, with_margin
from editanything.types import RGB, Bool2D, Box, Float2D

Floats = NDArray[np.float32]

_HIDDEN = 0.05  # of a pixel's colour shows so little that it may be any


@dataclass(frozen=True, eq=False)
class Matte:
    """An object lifted from its background, in a box of the picture.

    Outside the box alpha is 0. Colours are sRGB levels 0..255 as floats. Deep inside the object
    alpha is exactly 1 and `foreground` exactly the picture. `foreground` goes on a little past the
    rim and `background` a little under the object; beyond that they are the picture.
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


def spread(
    image: Floats, weight: Float2D, sigma_px: float, *, scales: tuple[float, ...] = (1.0, 4.0, 16.0)
) -> Floats:
    """`image` averaged with Gaussian weights over the pixels that count (normalised convolution).

    Where the Gaussian reaches no weight at all, wider ones step in (Knutsson and Westin, 1993):
    those `scales` times as wide.
    """
    total, norm = np.zeros_like(image), np.zeros(weight.shape, np.float32)
    weighted = image * weight[..., None]
    for i, scale in enumerate(scales):
        share = np.float32(1e-3**i)
        norm += share * fast_gaussian(weight, sigma_px * scale)
        total += share * fast_gaussian(weighted, sigma_px * scale)
    total /= np.maximum(norm, np.float32(1e-12))[..., None]
    return total


def without_hidden(colour: Floats, opacity: Float2D, weight: Float2D) -> Floats:
    """`colour` with the visible colours going on where `opacity` (0..1) all but hides a pixel.

    What colour a fully transparent pixel has is anybody's guess; resampling must not mix it in.

    Args:
        colour: (h, w, 3) levels.
        opacity: (h, w) of the file.
        weight: (h, w) how much each pixel's colour counts where others take it on.
    """
    hidden = opacity <= _HIDDEN
    if not hidden.any():
        return colour
    return np.where(hidden[..., None], spread(colour, weight, 2.0), colour)


def fast_gaussian(values: Floats, sigma_px: float) -> Floats:
    """A Gaussian blur whose cost does not grow with `sigma_px`: wide ones on a smaller copy."""
    shrink = int(sigma_px // 3)
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
    band = 1.5 if to_the_pixel else rim_px(int(np.count_nonzero(mask)))
    box = with_margin(box_of(mask), int(np.ceil(3 * band)) + 2, mask.shape)
    x0, y0, x1, y1 = box
    crop = image[y0:y1, x0:x1].astype(np.float32)
    depth = signed_distance(mask[y0:y1, x0:x1])
    near = np.abs(depth) <= band + 4.0  # all that happens happens here
    if not near.any():
        return Matte(box, (depth > 0).astype(np.float32), crop, crop)
    # Colours further from the rim are purer, so they count more; something thinner than the band
    # still has its own deepest pixels to go by.
    inner = np.square(np.clip(depth / band, 0.0, 1.0)) + 1e-4 * (depth > 0)
    outer = np.square(np.clip(-depth / band, 0.0, 1.0)) + 1e-4 * (depth < 0)
    thing = _side(crop, inner.astype(np.float32), max(band, 2.0), near)
    ground = _side(crop, outer.astype(np.float32), max(band, 2.0), near)
    by_place = (depth > 0).astype(np.float32)  # made soft, so that it shows no staircase
    soft_px = 0.6 if to_the_pixel else 1.0
    by_place = cv2.GaussianBlur(by_place, (0, 0), soft_px, borderType=cv2.BORDER_REPLICATE)
    if to_the_pixel:  # softened outwards alone: what is in the mask is in
        by_place = np.minimum(1.6 * by_place, 1.0)
    # Where the mask is right anyway, a colour has to say much to overrule it.
    doubt = 40.0 if to_the_pixel else 24.0
    alpha = by_place
    alpha[near] = _alpha(crop, by_place, near, thing, ground, doubt)
    # Nothing is mixed further than a band from the rim, and near it the mask has a say.
    alpha = np.clip(alpha, smoothstep(depth / band), smoothstep(1.0 + depth / band))
    if to_the_pixel:
        alpha = np.where(depth > 0, np.maximum(alpha, 0.5), np.minimum(alpha, 0.5))
    alpha = np.where(alpha > 0.995, 1.0, np.where(alpha < 0.005, 0.0, alpha)).astype(np.float32)
    foreground, background = crop.copy(), crop.copy()
    foreground[near], background[near] = _unmixed(
        crop[near], alpha[near], thing.colour, ground.colour
    )
    return Matte(box, alpha, foreground, background)


@dataclass(frozen=True, eq=False)
class _Side:
    """What the picture looks like on one side of the rim, around each of n pixels near it."""

    colour: Floats  # (n, 3)
    variance: Floats  # (n,), over the three channels


def _side(crop: Floats, weight: Float2D, sigma_px: float, near: Bool2D) -> _Side:
    """Mean and variance of the pixels that `weight` counts in."""
    power = _squares(crop)[..., None]
    # Around the rim there is always something of either side within reach of one scale.
    mean = spread(np.concatenate([crop, power], axis=2), weight, sigma_px, scales=(1.0,))[near]
    return _Side(mean[:, :3], np.maximum(mean[:, 3] - _squares(mean[:, :3]), 0.0))


def _squares(values: Floats) -> Floats:
    """The squared length of each 3-vector."""
    return np.einsum("...c,...c->...", values, values)


def _alpha(
    crop: Floats, by_place: Float2D, near: Bool2D, thing: _Side, ground: _Side, doubt: float
) -> Floats:
    """Alpha of the n near pixels: by colour where the two sides differ, else by place."""
    line, away = thing.colour - ground.colour, crop[near] - ground.colour
    length = _squares(line)
    along = np.einsum("nc,nc->n", away, line)
    by_colour = np.clip(along / np.maximum(length, 1.0), 0.0, 1.0)
    # The projection says little where the two sides are hardly further apart than each side's own
    # texture, and where the pixel lies off the line between them.
    off_line = _squares(away - by_colour[:, None] * line)
    contrast = length / (2.0 * off_line + 2.0 * (thing.variance + ground.variance) + doubt**2)
    trust = np.square(contrast) / (1.0 + np.square(contrast))
    guess = by_place.copy()
    guess[near] = trust * by_colour + (1.0 - trust) * by_place[near]
    smooth = _guided(crop / 255.0, guess, radius_px=2, eps=1e-4)
    return (trust * smooth[near] + (1.0 - trust) * by_place[near]).astype(np.float32)


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
    crop: Floats, alpha: Floats, object_colour: Floats, ground_colour: Floats
) -> tuple[Floats, Floats]:
    """The F and B of n pixels: those nearest to the guessed colours that explain the picture.

    Minimises |a F + (1 - a) B - I|² + e (|F - F0|² + |B - B0|²), which has a closed form.
    """
    a = alpha[:, None]
    rest = crop - a * object_colour - (1.0 - a) * ground_colour
    weight = rest / (np.square(a) + np.square(1.0 - a) + 0.02)
    foreground = np.clip(object_colour + a * weight, 0.0, 255.0)
    background = np.clip(ground_colour + (1.0 - a) * weight, 0.0, 255.0)
    return np.where(a == 1.0, crop, foreground), np.where(a == 0.0, crop, background)
