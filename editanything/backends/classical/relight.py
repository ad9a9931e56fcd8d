"""Taking a shadow off the ground: what it kept of the light is given back, the ground stays.

A shadow multiplies what lies in it, so its logarithm adds: L = G - d a, with the ground G, the
depth d of the shadow (3 channels) and its coverage a. The smooth ground is known around the
shadow; a's profile across the rim is the mean over the whole rim, in which the ground's texture
cancels out, and is fitted to each place in turn (He, Sun & Tang 2010: a local linear model).
Where what comes out does not go on as the ground around it does, nothing is claimed, and the hole
is to be filled as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import RGB, Bool2D, Float2D

Floats = NDArray[np.float32]

_LUMA = np.array([0.3, 0.5, 0.2], np.float32)
_DARK = 0.02  # added before the logarithm
_DEEPEST = 2.5  # logarithm: what is darker by more holds no texture worth keeping
_FAINTEST = 0.03
_LEAST_PX = 40
_TINT = 0.6  # of a shadow's depth: channels that differ by more speak of another thing
_NEAR_HUE = 0.2  # logarithm of a ratio of channels
_MOST_BAD = 0.5  # share of a shadow that may fail before all of it is filled
_ABOVE_TEXTURE = 3.0  # times the ground's own power: less is texture
_STEEP = 0.06  # logarithm per pixel
_PRIOR = 0.02  # how strongly a place's depth is held to the whole shadow's
_TEXTURE = (0.4, 2.5)  # contrast inside as a share of that around: beyond, it was no shadow


@dataclass(frozen=True, eq=False)
class Relit:
    """A picture with shadows taken off.

    Attributes:
        image: (h, w, 3) uint8; outside the shadows as it was.
        done: (h, w) where that came out well; the rest is to be filled.
    """

    image: RGB
    done: Bool2D


def relit(image: RGB, shadow: Bool2D, known: Bool2D) -> Relit:
    """`image` with the light given back in `shadow`.

    Args:
        image: (h, w, 3) a crop with context.
        shadow: (h, w) the pixels of one or more shadows, faint rims and all.
        known: (h, w) ground that is neither in a shadow nor to be used up: what tells how light
            it is outside.
    """
    out, done = image.copy(), np.zeros(shadow.shape, bool)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shadow.astype(np.uint8))
    for number in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[number])
        if area < _LEAST_PX:
            continue
        pad = 8 + round(1.2 * np.sqrt(area))
        rows = slice(max(0, y - pad), y + h + pad)
        columns = slice(max(0, x - pad), x + w + pad)
        one = labels[rows, columns] == number
        lit = _one(image[rows, columns], one, known[rows, columns] & ~one)
        if lit is not None:
            out[rows, columns][lit.done] = lit.image[lit.done]
            done[rows, columns] |= lit.done
    return Relit(out, done)


def _one(image: RGB, shadow: Bool2D, known: Bool2D) -> Relit | None:
    """One shadow taken off a crop of the picture; None where it is none."""
    log = np.log(image.astype(np.float32) / 255 + _DARK)
    known = known & _of_its_hue(log, shadow)
    if np.count_nonzero(known) < _LEAST_PX:
        return None
    inwards = cv2.distanceTransform(np.pad(shadow, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    size = float(np.sqrt(np.count_nonzero(shadow)))
    ground = _ground(log, known, size)
    darker = ground - log
    profile = _profile(darker @ _LUMA, inwards, shadow)
    core = shadow & (profile > 0.8)
    if np.count_nonzero(core) < _LEAST_PX // 2:
        return None
    depth = np.median(darker[core], axis=0).astype(np.float32)
    level = float(depth @ _LUMA)
    if not _FAINTEST < level < _DEEPEST or np.ptp(depth) > max(_TINT * level, _FAINTEST):
        return None
    given = _fitted(darker, profile, depth, shadow, size)
    given = _followed(given, darker, shadow, known, size)
    given = np.clip(given, -0.1, 1.5 * np.maximum(depth, 0)) * shadow[..., None]
    new = log + given
    done = _good(new, log, ground, shadow, known, size) & ~_steep(given @ _LUMA)
    if np.count_nonzero(done) < (1 - _MOST_BAD) * np.count_nonzero(shadow):
        return None
    levels = 255 * (np.exp(new) - _DARK)
    return Relit(np.clip(np.rint(levels), 0, 255).astype(np.uint8), done)


def _of_its_hue(log: Floats, shadow: Bool2D) -> Bool2D:
    """(h, w) where the picture has the shadow's colour but for its light: not the things beside it.

    A factor for all channels cancels out in the ratios of channels (Finlayson et al. 2006).
    """
    ratios = cv2.GaussianBlur(log[..., ::2] - log[..., 1:2], (0, 0), 1.5)
    middle = np.median(ratios[shadow], axis=0)
    away = np.abs(ratios - middle).max(2)
    return away < max(_NEAR_HUE, 3 * float(np.median(away[shadow])))


def _ground(log: Floats, known: Bool2D, size: float) -> Floats:
    """The ground as it goes on from around: smooth; near evidence counts most."""
    weight = known.astype(np.float32)
    data = log * weight[..., None]
    total, norm = np.zeros_like(data), np.full_like(weight, 1e-9)
    for width, share in ((0.08, 1.0), (0.25, 0.1), (0.8, 0.01)):
        sigma = max(2.0, width * size)
        total += share * _blurred(data, sigma)
        norm += share * _blurred(weight, sigma)
    return (total / norm[..., None]).astype(np.float32)


def _blurred(plane: Floats, sigma: float) -> Floats:
    factor = max(1.0, sigma / 4)
    if factor == 1.0:
        return cv2.GaussianBlur(plane, (0, 0), sigma)
    size = max(2, round(plane.shape[1] / factor)), max(2, round(plane.shape[0] / factor))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    return cv2.resize(small, plane.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _profile(darker: Float2D, inwards: Floats, shadow: Bool2D) -> Float2D:
    """(h, w) the coverage by the distance to the rim: 0 at the rim, 1 inside, never falling."""
    farthest = max(2, int(np.percentile(inwards[shadow], 80)))
    at = np.clip(np.round(2 * inwards).astype(int), 0, 2 * farthest)
    total = np.bincount(at[shadow], darker[shadow], minlength=2 * farthest + 1)
    count = np.bincount(at[shadow], minlength=2 * farthest + 1)
    filled = np.flatnonzero(count > 0)
    mean = np.interp(np.arange(len(count)), filled, total[filled] / count[filled])
    mean = np.convolve(np.pad(mean, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")
    rising = np.maximum.accumulate(np.clip(mean, 0, None))
    curve = rising / max(float(rising[-1]), 1e-6)
    soft = np.interp(2 * inwards, np.arange(len(curve)), curve).astype(np.float32)
    return np.where(shadow, soft, 0).astype(np.float32)


def _fitted(darker: Floats, profile: Float2D, depth: Floats, shadow: Bool2D, size: float) -> Floats:
    """The depth of the shadow at every place times its profile: (h, w, 3).

    Least squares of what is darker on the profile, in Gaussian windows, held to the depth of the
    whole shadow: a window with little of the shadow in it has the whole shadow's depth.
    """
    sigma = max(4.0, 0.12 * size)
    p = profile * shadow
    top = _blurred(darker * p[..., None], sigma) + _PRIOR * depth
    base = _blurred(p * p, sigma) + _PRIOR
    local = top / base[..., None]
    # One light has one colour: a place may be darker, not of another hue.
    level = (local @ _LUMA) / max(float(depth @ _LUMA), 1e-6)
    return (p * np.clip(level, 0, 1.5))[..., None] * depth


def _followed(given: Floats, darker: Floats, shadow: Bool2D, known: Bool2D, size: float) -> Floats:
    """`given`, and what is left of the shadow where that is more than this ground's own texture.

    Wiener's share of signal in what is left, from its local power and that of the ground around:
    on plain ground every rim is followed exactly, on grass nothing but the fitted shadow goes.
    """
    reach = 2 * round(max(4.0, 0.3 * size)) + 1
    ring = known & (cv2.dilate(shadow.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)
    if not ring.any():
        return given
    rest = cv2.GaussianBlur(darker - np.where(shadow[..., None], given, 0), (0, 0), 0.8)
    noise = float(np.mean(np.square(rest[ring] @ _LUMA))) * _ABOVE_TEXTURE + 1e-6
    power = cv2.GaussianBlur(np.square(rest @ _LUMA), (0, 0), 2.0)
    share = np.clip(1 - noise / np.maximum(power, 1e-9), 0, 1)
    return given + share[..., None] * rest


def _steep(given: Float2D) -> Bool2D:
    """Hard rims: a pixel's share of the shadow is not known there, and a thin line fills well."""
    gx, gy = cv2.Sobel(given, cv2.CV_32F, 1, 0), cv2.Sobel(given, cv2.CV_32F, 0, 1)
    steep = (np.hypot(gx, gy) / 8 > _STEEP).astype(np.uint8)
    return cv2.dilate(steep, np.ones((3, 3), np.uint8)) > 0


def _good(
    new: Floats, old: Floats, ground: Floats, shadow: Bool2D, known: Bool2D, size: float
) -> Bool2D:
    """(h, w) where the shadow is gone: level and texture go on as they are around it."""
    reach = 2 * round(max(4.0, 0.3 * size)) + 1
    ring = known & (cv2.dilate(shadow.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)
    inner = cv2.erode(shadow.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if np.count_nonzero(ring) < _LEAST_PX or np.count_nonzero(inner) < _LEAST_PX // 2:
        return np.zeros(shadow.shape, bool)
    luma = new @ _LUMA
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5))
    contrast = (float(fine[inner].mean()) + 0.004) / (float(fine[ring].mean()) + 0.004)
    if not _TEXTURE[0] < contrast < _TEXTURE[1]:
        return np.zeros(shadow.shape, bool)
    sigma = max(2.0, 0.05 * size)
    weight = (shadow | known).astype(np.float32)
    off = _blurred((new - ground) * weight[..., None], sigma)
    off = np.abs(off / np.maximum(_blurred(weight, sigma), 1e-3)[..., None]).max(2)
    usual = float(np.sqrt(np.mean(np.square(off[ring]))))
    before = float(np.abs((ground - old) @ _LUMA)[inner].mean())
    bad = shadow & (off > max(2.5 * usual, 0.04, 0.25 * before))
    bad = cv2.morphologyEx(bad.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return shadow & (cv2.dilate(bad, np.ones((5, 5), np.uint8)) == 0)
