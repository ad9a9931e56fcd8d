"""What the generator learns from: a picture, what of it is to be drawn, and the words for that.

The hidden part is cut out of the picture before it is encoded, as an editor has to do it: latents
beside it would else tell what was there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdt.data.source import Array
from mdt.data.stickers.captions import colored, joined, listed, many
from mdt.data.stickers.colors import PAINTS, color_word, painted
from mdt.data.stickers.scenes import Scene
from mdt.data.stickers.source import StickerSource

KINDS = ("thing", "painted", "part", "pair", "scene")
#: Groups of stickers whose colours are what they are.
_UNPAINTED = ("people", "smileys")
#: How dark a shadow, or strong a reflection, is drawn anew with its thing.
_EFFECT = 0.03


@dataclass(frozen=True)
class Example:
    """A picture of which a part is to be drawn.

    Attributes:
        image: RGBA uint8 (H, W, 4), straight alpha.
        hidden: bool (H, W), what is to be drawn.
        prompt: what is there.
        style: of the stickers.
        kind: one of `KINDS`.
    """

    image: Array
    hidden: Array
    prompt: str
    style: str
    kind: str


def thing(stickers: StickerSource, number: int) -> Example:
    """A sticker as it is, all of it to be drawn."""
    pixels, name = _read(stickers, number)
    return Example(pixels, _all(pixels), name, stickers.styles[number], "thing")


def painted_thing(rng: np.random.Generator, stickers: StickerSource, number: int) -> Example | None:
    """A sticker in a colour that it does not have, told by its word; None: it takes none."""
    found = _paint(rng, stickers, number)
    if found is None:
        return None
    pixels, name = found
    return Example(pixels, _all(pixels), name, stickers.styles[number], "painted")


def part(rng: np.random.Generator, stickers: StickerSource, number: int) -> Example:
    """A sticker of which a side, a box or a patch is to be drawn."""
    found = _paint(rng, stickers, number) if rng.random() < 0.3 else None
    pixels, name = found or _read(stickers, number)
    hidden = _some(rng, pixels[..., 3] > 127)
    return Example(pixels, hidden, name, stickers.styles[number], "part")


def pair(rng: np.random.Generator, stickers: StickerSource, number: int) -> Example:
    """A sticker twice, side by side: both, one of them, or the same part of both to be drawn."""
    found = _paint(rng, stickers, number) if rng.random() < 0.6 else None
    pixels, name = found or _read(stickers, number)
    size = len(pixels)
    half = cv2.resize(_premultiplied(pixels), (size // 2, size // 2), interpolation=cv2.INTER_AREA)
    left, right = half, half[:, ::-1] if rng.random() < 0.3 else half
    image = np.zeros((size, size, 4), np.float32)
    top = int(rng.integers(size // 4 - size // 8, size // 4 + size // 8 + 1))
    image[top : top + size // 2, : size // 2] = left
    image[top : top + size // 2, size // 2 :] = right
    way, hidden = rng.random(), np.zeros((size, size), bool)
    if way < 0.4:
        hidden[:] = True
    elif way < 0.7:
        hidden[:, : size // 2] = True
        hidden = hidden if rng.random() < 0.5 else hidden[:, ::-1].copy()
    else:
        some = _some(rng, np.ones((size // 2, size // 2), bool))
        hidden[top : top + size // 2, : size // 2] = some
        hidden[top : top + size // 2, size // 2 :] = some
    return Example(_straight(image), hidden, many(name, 2), stickers.styles[number], "pair")


def of_scene(rng: np.random.Generator, scene: Scene) -> Example:
    """A scene of which some things, or a piece of the ground, or all is to be drawn.

    A thing is drawn with its shadow and its reflection.
    """
    size = len(scene.image)
    image = np.dstack([scene.image, np.full((size, size), 255, np.uint8)])
    style = scene.things[0].style
    way = rng.random()
    if way < 0.08:
        return Example(image, np.ones((size, size), bool), scene.caption, style, "scene")
    if way < 0.25:
        free = ~np.any([_with_effects(each) for each in scene.things], axis=0)
        hidden = _patch(rng, size) & free
        if hidden.sum() >= 64:
            return Example(image, hidden, scene.where, style, "scene")
    first = scene.things[int(rng.integers(len(scene.things)))]
    chosen = [first]
    if way > 0.55:  # the ones like it, or another
        same = [each for each in scene.things if each.name == first.name]
        chosen = same if len(same) > 1 or way > 0.8 else [first, *scene.things[:1]]
        chosen = [each for each in scene.things if any(each is one for one in chosen)]
    hidden = np.any([_with_effects(each) for each in chosen], axis=0)
    grown = int(rng.integers(1, 7))
    hidden = cv2.dilate(hidden.astype(np.uint8), np.ones((2 * grown + 1, 2 * grown + 1))) > 0
    if rng.random() < 0.25:  # as a box around it, as one draws a box for a thing to come
        hidden = _boxed(hidden)
    prompt = listed(each.noun for each in chosen)
    if rng.random() < 0.5:
        prompt = joined([prompt]) + " " + scene.where
    return Example(image, hidden, prompt, style, "scene")


def cut_out(example: Example) -> Array:
    """The picture without what is to be drawn: clear there."""
    image = example.image.copy()
    image[example.hidden] = 0
    return image


def _read(stickers: StickerSource, number: int) -> tuple[Array, str]:
    pixels, label = stickers.read(number)
    assert label is not None, "stickers have labels"
    return pixels, stickers.names[label]


def _paint(
    rng: np.random.Generator, stickers: StickerSource, number: int
) -> tuple[Array, str] | None:
    """(pixels, name with its colour), or None."""
    pixels, name = _read(stickers, number)
    if stickers.groups[stickers.labels[number]] in _UNPAINTED:
        return None
    has = color_word(pixels)
    for word in rng.permutation([word for word in PAINTS if word != has])[:3]:
        new = painted(pixels, str(word))
        if new is not None:
            return new, colored(name, str(word))
    return None


def _all(pixels: Array) -> Array:
    return np.ones(pixels.shape[:2], bool)


def _with_effects(thing: object) -> Array:
    mask, shadow, mirror = (getattr(thing, key) for key in ("mask", "shadow", "reflection"))
    return mask | (shadow > _EFFECT) | (mirror > _EFFECT)


def _some(rng: np.random.Generator, solid: Array) -> Array:
    """A side of a picture beyond a line through its middle, or a patch that touches the thing."""
    size = len(solid)
    if rng.random() < 0.5:
        angle = float(rng.choice([0, 90, 180, 270]) + rng.normal(0, 12)) * np.pi / 180
        y, x = np.mgrid[:size, :size] / size - 0.5
        return np.cos(angle) * x + np.sin(angle) * y > float(rng.normal(0, 0.08))
    for _ in range(8):
        found = _patch(rng, size)
        if (found & solid).sum() > 0.04 * size * size:
            break
    return found


def _patch(rng: np.random.Generator, size: int) -> Array:
    """A box or an ellipse, a quarter to two thirds of the picture wide and high."""
    wide, high = (float(rng.uniform(0.25, 0.65)) * size for _ in range(2))
    x, y = (float(rng.uniform(0.15, 0.85)) * size for _ in range(2))
    rows, columns = np.mgrid[:size, :size]
    across, down = np.abs(columns - x) / (wide / 2), np.abs(rows - y) / (high / 2)
    if rng.random() < 0.5:
        return np.maximum(across, down) <= 1
    return across**2 + down**2 <= 1


def _boxed(mask: Array) -> Array:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    found = np.zeros_like(mask)
    found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return found


def _premultiplied(pixels: Array) -> Array:
    image = pixels.astype(np.float32) / 255
    image[..., :3] *= image[..., 3:]
    return image


def _straight(image: Array) -> Array:
    out = image.copy()
    out[..., :3] /= np.maximum(out[..., 3:], 1e-6)
    out[image[..., 3] <= 0] = 0
    return np.rint(np.clip(out, 0, 1) * 255).astype(np.uint8)
