"""Another colour, the same shading: lightness moves as a whole, hue and chroma are exchanged.

The model is the dichromatic one (Shafer 1985): a surface shows its own colour times the shading,
plus highlights in the colour of the light. Scaling linear light by s scales all of OKLab by the
cube root of s, so "the same colour in another shade" is a ray through OKLab's origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical.matte import lift, signed_distance, smoothstep
from editanything.backends.classical.oklab import (
    lab_of_linear,
    levels_of_lab,
    linear_of,
    linear_of_lab,
    luminance_of,
    most_chroma,
    to_bytes,
    tone_of,
)
from editanything.progress import Progress, report
from editanything.types import Bool2D, Float2D, Painted, Task

Floats = NDArray[np.float32]

# The least correlation of the lightness before and after, on the thing's own pixels.
_FAITHFUL = 0.985
# How much contrast may be given up for a very light or very dark colour while that colour can be
# moved towards the middle instead, and how much contrast may be stretched.
_LEAST_CONTRAST, _MOST_CONTRAST = 0.45, 1.2
# So light must white become, and so dark black, however much contrast there is to fit in.
_LIGHT_ENOUGH, _DARK_ENOUGH = 0.84, 0.11
_SAMPLE = 20_000  # pixels are enough to judge a thing by
_WHITEST, _BLACKEST = 0.96, 0.02


@dataclass(frozen=True, eq=False)
class Body:
    """What a thing's own colour is, as its pixels tell. Tones are CIE lightness / 100."""

    tones: Float2D  # (n,), a sample of its pixels
    tone: float  # its own, in the light
    darkest: float  # all but the deepest shade
    lightest: float  # all but the highlights
    saturation: float  # OKLab's chroma / lightness

    @classmethod
    def of(cls, levels: NDArray[np.uint8]) -> Body:
        """Read off the pixels (n, 3) of a thing, sRGB, at least one."""
        linear = linear_of(levels[:: max(1, len(levels) // _SAMPLE)])
        tones, lab = tone_of(luminance_of(linear)), lab_of_linear(linear)
        darkest, own, lightest = np.percentile(tones, (2, 60, 96))
        ratio = np.hypot(lab[:, 1], lab[:, 2]) / np.maximum(lab[:, 0], 0.05)
        return cls(tones, float(own), float(darkest), float(lightest), float(np.median(ratio)))


@dataclass(frozen=True)
class Curve:
    """Tone to tone: two straight lines that meet at the body's own, bent at black and white."""

    old: float
    new: float
    up: float  # slope of what is lighter
    down: float  # slope of what is darker

    def __call__(self, tones: Float2D) -> Float2D:
        """The new tones, in 0..1."""
        away = tones - np.float32(self.old)
        values = self.new + np.where(away > 0, self.up, self.down) * away
        # Only highlights and the deepest shade lie beyond these ends; they are kept apart too.
        toe, left = _BLACKEST, 1.0 - _WHITEST
        low = toe * np.exp(np.minimum(values - toe, 0.0) / toe)
        high = 1.0 - left * np.exp(-np.maximum(values - _WHITEST, 0.0) / left)
        return np.where(values < toe, low, np.where(values > _WHITEST, high, values)).astype(
            np.float32
        )


def modify(task: Task, progress: Progress | None = None) -> Painted:
    """Give `task.target` the colour `params["color"]` = (r, g, b), 0..255, keeping its shading.

    `params["strength"]` in (0, 1] goes a part of the way ("bluer"); the default 1 is all of it.
    """
    if not task.target.any():
        return Painted(task.image)
    report(progress, 0.0, "lifting the object")
    # A wrong alpha shows more in recolouring than in moving, so only the mixed rim itself is soft.
    matte = lift(task.image, task.target, to_the_pixel=True)
    x0, y0, x1, y1 = matte.box
    report(progress, 0.4, "recolouring")
    crop, shown = task.image[y0:y1, x0:x1], matte.alpha > 0
    body = Body.of(crop[_core(task.target[y0:y1, x0:x1])])
    old = matte.foreground[shown]
    new = recoloured(old, body, task.params["color"], float(task.params.get("strength", 1.0)))
    out = task.image.copy()
    out[y0:y1, x0:x1][shown] = to_bytes(crop[shown] + matte.alpha[shown][:, None] * (new - old))
    report(progress, 1.0, "recolouring")
    return Painted(out)


def recoloured(
    levels: Floats, body: Body, color: tuple[int, int, int], strength: float = 1.0
) -> Floats:
    """A thing's pixels (n, 3), as they look in another colour.

    Args:
        levels: the thing's pixels, sRGB 0..255.
        body: what the thing's own colour is.
        color: the new colour, RGB 0..255.
        strength: 0..1, how far to go from the old colour to the new.
    """
    linear = linear_of(levels)
    tones, lab = tone_of(luminance_of(linear)), lab_of_linear(linear)
    wanted = linear_of(np.array([color], np.uint8))
    curve = fitted_curve(body, float(tone_of(luminance_of(wanted))[0]))
    gloss = _highlight(lab, tones, body)
    # A highlight has the colour of the light, and is as light as it was, whatever it falls on;
    # but where what looks like one has much of the shading in it, the shading comes first.
    matt, lost = curve(tones), np.maximum(tones - curve(tones), 0.0)
    sample = slice(None, None, max(1, len(tones) // _SAMPLE))
    for share in (1.0, 0.5, 0.25, 0.0):
        new_tones = matt + share * gloss * lost
        if correlation(tones[sample], new_tones[sample]) >= _FAITHFUL:
            break
    new = np.take(_table(every_shade(lab_of_linear(wanted)[0])), _places(new_tones), axis=0)
    new[:, 1:] *= 1.0 - gloss[:, None]
    return levels_of_lab(lab + np.float32(strength) * (new - lab))


_STEPS = 4096


def _table(tones_and_shades: tuple[Float2D, Floats]) -> Floats:
    """A colour's shades at `_STEPS` even tones, (n, 3)."""
    tones, shades = tones_and_shades
    even = np.linspace(0.0, 1.0, _STEPS)
    columns = [np.interp(even, tones, channel) for channel in shades.T]
    return np.stack(columns, axis=1).astype(np.float32)


def _places(tones: Float2D) -> NDArray[np.int32]:
    """Where in the table tones lie."""
    return np.clip(np.rint(tones * (_STEPS - 1)), 0, _STEPS - 1).astype(np.int32)


def fitted_curve(body: Body, wanted: float) -> Curve:
    """The curve that puts the body at the tone `wanted` and keeps its shading.

    Its slopes are that of the same surface under the same light (new / old), less where white or
    black leaves no room; and so alike that the lightness stays `_FAITHFUL` to what it was.
    """
    above = max(body.lightest - body.tone, 0.02)
    below = max(body.tone - body.darkest, 0.02)
    # A white thing is not (255, 255, 255) but where its light falls; a black one not (0, 0, 0).
    least, most = _BLACKEST + _LEAST_CONTRAST * below, _WHITEST - _LEAST_CONTRAST * above
    base = float(np.clip(wanted, least, max(least, most)))
    base = float(np.clip(base, min(wanted, _LIGHT_ENOUGH), max(wanted, _DARK_ENOUGH)))
    natural = float(np.clip(base / max(body.tone, 0.05), 0.6, _MOST_CONTRAST))
    up = min(natural, (_WHITEST - base) / above)
    down = min(natural, (base - _BLACKEST) / below)
    curve = Curve(body.tone, base, up, down)
    while correlation(body.tones, curve(body.tones)) < _FAITHFUL and max(up, down) > 0.15:
        # The steeper side gives way; once both are alike, both do, for what lies beyond the ends.
        up, down = (0.85 * up, 0.85 * down) if up == down else _nearer(up, down)
        curve = Curve(body.tone, base, up, down)
    return curve


def _nearer(up: float, down: float) -> tuple[float, float]:
    """Two slopes with the steeper one less steep, but never less than the other."""
    return (max(0.85 * up, down), down) if up > down else (up, max(0.85 * down, up))


def every_shade(color: Floats) -> tuple[Float2D, Floats]:
    """One colour in every shade, from black to white: (n,) tones, rising, and (n, 3) OKLab.

    Darker than the colour itself, it is the same surface in less light. Lighter, it has as much
    chroma as sRGB can show. OKLab and CIELAB disagree there about what the same hue is (most of
    all for blue); the shades go between the two.
    """
    lightness = np.linspace(0.0, 1.0, 513, dtype=np.float32)
    chroma, angle = float(np.hypot(color[1], color[2])), float(np.arctan2(color[2], color[1]))
    if chroma < 0.005:  # a grey, whose hue means nothing
        chroma, angle = 0.0, 0.0
    ray = lightness * (chroma / max(float(color[0]), 1e-3))

    darker = lightness <= color[0]
    near = 1 - smoothstep((lightness - float(color[0])) / 0.1)

    def shades(angles: Floats) -> Floats:
        direction = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        most = most_chroma(direction, lightness)
        # What sRGB shows is hollow beside its blue, so the bisection stops short of pure blues.
        short = max(0.0, chroma - float(np.interp(color[0], lightness, most)))
        shown = np.minimum(ray, np.where(darker, ray, most + short * near)).astype(np.float32)
        return np.concatenate([lightness[:, None], shown[:, None] * direction], axis=1)

    angles = np.full_like(lightness, angle)
    lab = shades(angles)
    if chroma:
        own = _cielab_hue(color[None])
        turn = (_cielab_hue(lab) - own + np.pi) % (2 * np.pi) - np.pi
        lighter = smoothstep((lightness - float(color[0])) / 0.02)
        lab = shades((angles - 0.7 * lighter * turn).astype(np.float32))
    tones = tone_of(luminance_of(np.clip(linear_of_lab(lab), 0.0, 1.0)))
    return np.maximum.accumulate(tones), lab


def _cielab_hue(lab: Floats) -> Floats:
    """CIELAB's hue angle of OKLab colours (n, 3), in radians."""
    linear = np.clip(linear_of_lab(lab), 0.0, 1.0).astype(np.float32)
    cielab = cv2.cvtColor(linear[None], cv2.COLOR_LRGB2Lab)[0]
    return np.arctan2(cielab[:, 2], cielab[:, 1])


def correlation(old: Float2D, new: Float2D) -> float:
    """Pearson's correlation; 1 where one of the two does not vary."""
    a, b = old - old.mean(dtype=np.float64), new - new.mean(dtype=np.float64)
    norm = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / norm if norm > 1e-9 else 1.0


def _core(mask: Bool2D) -> Bool2D:
    """The mask without its rim of mixed pixels, where that leaves enough to judge by."""
    core = signed_distance(mask) > 2.5
    return core if np.count_nonzero(core) >= 0.2 * np.count_nonzero(mask) else mask


def _highlight(lab: Floats, tones: Float2D, body: Body) -> Float2D:
    """How much of each pixel is the light's own colour: 0 none, 1 all.

    On a coloured body a highlight is lighter and much less saturated than the body. A grey body
    has no such sign, so there only the gamut takes the colour out of highlights.
    """
    coloured = float(np.clip((body.saturation - 0.08) / 0.08, 0.0, 1.0))
    if coloured == 0.0:
        return np.zeros(len(lab), np.float32)
    saturation = np.hypot(lab[:, 1], lab[:, 2]) / np.maximum(lab[:, 0], 0.05)
    pale = 1.0 - smoothstep((saturation / body.saturation - 0.1) / 0.5)
    light = smoothstep((tones - body.tone) / 0.2)
    glossy = coloured * pale * light
    # Highlights are small; where much is pale, it is a pale part of the thing.
    return (glossy * np.clip((0.2 - glossy.mean()) / 0.1, 0.0, 1.0)).astype(np.float32)
