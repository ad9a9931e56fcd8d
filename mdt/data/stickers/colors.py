"""Colour words: which one a sticker bears, and how to paint it so that it bears another."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from mdt.data.source import Array


@dataclass(frozen=True)
class Paint:
    """What a word looks like at its best: hue in degrees, saturation and value in [0, 1]."""

    hue: float
    saturation: float
    value: float


PAINTS: dict[str, Paint] = {
    "red": Paint(2, 0.85, 0.88),
    "orange": Paint(28, 0.90, 0.97),
    "yellow": Paint(53, 0.80, 0.97),
    "green": Paint(125, 0.65, 0.70),
    "blue": Paint(218, 0.80, 0.85),
    "purple": Paint(276, 0.60, 0.72),
    "pink": Paint(332, 0.45, 0.97),
    "brown": Paint(24, 0.60, 0.48),
    "black": Paint(0, 0, 0.13),
    "white": Paint(0, 0, 0.96),
    "grey": Paint(0, 0, 0.55),
}
WORD = re.compile(rf"\b({'|'.join(PAINTS)})\b")
#: Hues in degrees up to which a word reaches; before the first and after the last it is red.
_UP_TO = ((14, "red"), (42, "orange"), (68, "yellow"), (170, "green"), (255, "blue"),
          (300, "purple"), (345, "pink"), (360, "red"))  # fmt: skip
_NUMBER = {word: i for i, word in enumerate(PAINTS)}
_HUES = np.repeat([_NUMBER[word] for _, word in _UP_TO], np.diff([0, *(end for end, _ in _UP_TO)]))
#: A word is given to a thing if it fits so much of it.
MIN_SHARE = 0.55
_GREYISH = 0.16  # saturation
#: Degrees around the commonest hue that are painted, and within how many that fades.
_NEAR, _FADE = 75.0, 35.0


def words_of(rgb: Array) -> Array:
    """The number of the word in `PAINTS` of each colour: uint8 (..., 3) -> int64 (...).

    Pale warm colours, such as beige, have no word: their number is that of the words.
    """
    hue, saturation, value = _hsv(rgb)
    found = _HUES[np.minimum(hue.astype(np.int64), 359)]
    warm = (hue < 48) | (hue >= 345)
    found[warm & (hue < 48) & (value < 0.66) & (saturation > 0.3)] = _NUMBER["brown"]
    found[((hue < 14) | (hue >= 345)) & (value > 0.7) & (saturation < 0.5)] = _NUMBER["pink"]
    found[(hue > 14) & (hue < 70) & (saturation < 0.32) & (value > 0.75)] = len(PAINTS)
    dull = saturation < _GREYISH
    found[dull] = _NUMBER["grey"]
    found[dull & (value > 0.84)] = _NUMBER["white"]
    found[value < 0.22] = _NUMBER["black"]
    return found


def color_word(rgba: Array) -> str | None:
    """The word in `PAINTS` that fits most of a sticker, RGBA uint8 (h, w, 4); None: none does."""
    solid = rgba[rgba[..., 3] > 127][:, :3]
    if not len(solid):
        return None
    counts = np.bincount(words_of(solid), minlength=len(PAINTS))[: len(PAINTS)]
    best = int(counts.argmax())
    return list(PAINTS)[best] if counts[best] >= MIN_SHARE * len(solid) else None


def painted(rgba: Array, word: str) -> Array | None:
    """A sticker with its main part painted, straight alpha, RGBA uint8 (h, w, 4).

    The main part is what is near its commonest hue, or else what is grey; light and shade stay.

    Returns:
        None where the word does not fit the outcome: too little could be painted.
    """
    paint = PAINTS[word]
    hue, saturation, value = _hsv(rgba[..., :3])
    part, away = _main_part(hue, saturation, value, rgba[..., 3] > 127)
    total = float(part.sum())
    if total < 1:
        return None
    mean_s, mean_v = (float((part * each).sum()) / total for each in (saturation, value))
    lit = value * np.clip(paint.value / max(mean_v, 0.05), 0.2, 2.5)
    # What that would blow out keeps some of its shading.
    lit = np.where(lit > 1, 1 - 0.15 * np.minimum(lit - 1, 1) * (1 - value), lit)
    grey = mean_s <= _GREYISH
    richer = (
        np.full_like(value, paint.saturation) if grey else saturation * paint.saturation / mean_s
    )
    hsv = np.stack([(paint.hue + 0.25 * away) % 360, np.minimum(richer, 1), lit], axis=-1)
    new = cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB) * 255
    out = rgba.copy()
    out[..., :3] = np.rint(rgba[..., :3] + part[..., None] * (new - rgba[..., :3]))
    return out if color_word(out) == word else None


def _main_part(hue: Array, saturation: Array, value: Array, solid: Array) -> tuple[Array, Array]:
    """(share in [0, 1] that is to be painted, hues less the commonest one, in degrees)."""
    vivid = np.clip((saturation - 0.08) / 0.1, 0, 1) * np.clip((value - 0.05) / 0.15, 0, 1) * solid
    tens = np.minimum(hue / 10, 35).astype(np.int64)
    counts = np.bincount(tens.ravel(), (saturation * vivid).ravel(), minlength=36)
    smooth = counts + 0.5 * (np.roll(counts, 1) + np.roll(counts, -1))
    away = (hue - (10.0 * int(smooth.argmax()) + 5) + 180) % 360 - 180
    near = vivid * np.clip((_NEAR - np.abs(away)) / _FADE, 0, 1)
    grey = np.clip((0.24 - saturation) / 0.12, 0, 1) * np.clip((value - 0.15) / 0.2, 0, 1) * solid
    if near.sum() >= grey.sum():
        return near, away
    return grey, np.zeros_like(hue)


def _hsv(rgb: Array) -> tuple[Array, Array, Array]:
    flat = np.ascontiguousarray(rgb.reshape(-1, 1, 3)).astype(np.float32) / 255
    hsv = cv2.cvtColor(flat, cv2.COLOR_RGB2HSV).reshape(*rgb.shape[:-1], 3)
    return hsv[..., 0], hsv[..., 1], hsv[..., 2]
