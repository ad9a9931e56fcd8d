"""Scenes of stickers, drawn on the fly, with the truth about every pixel.

A scene is a pure function of a generator and a source of stickers; with (seed, number) it is the
same on every machine that has the same versions of NumPy, OpenCV and scikit-image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from mdt.data.source import Array
from mdt.data.stickers.captions import colored, joined, listed, one
from mdt.data.stickers.colors import PAINTS, color_word, painted
from mdt.data.stickers.effects import Cut, placed, reflection, shadow
from mdt.data.stickers.grounds import Ground, Light, draw_ground
from mdt.data.stickers.source import StickerSource

MAX_THINGS = 4
#: Of a thing in a scene at least this share is inside the frame and not hidden.
MIN_VISIBLE = 0.4
_TRIES = 6
#: What a thing's longer side is of the picture's, by how many things there are.
_SHARES = {1: 0.60, 2: 0.47, 3: 0.41, 4: 0.36}
#: A shadow takes a little less of the blue of the sky than of the rest.
_SHADE = np.array([1.0, 0.97, 0.90], np.float32)
#: Whose colours are what they are.
_UNPAINTED = ("people", "smileys")
_FLIES = re.compile(
    r"(.*airplane|helicopter|parachute|satellite|rocket|ufo|(hot air )?balloon|kite|butterfly|bee"
    r"|dove|eagle|rainbow|comet|planet|.* moon( face)?|sun( .*)?|cloud( with .*)?"
    r"|(shooting )?star)$"
)


@dataclass(frozen=True)
class Thing:
    """A sticker in a scene, and what belongs to it. Masks are (H, W).

    Attributes:
        name: of the sticker.
        label: number of the name, see `StickerSource`.
        number: of the sticker in the source.
        style: of the sticker.
        color: the colour word that fits it as it is shown; None: none does.
        painted: whether it was given that colour.
        noun: what the caption calls it, without article or number: "blue apple".
        mask: bool, the pixels where it is seen.
        amodal: bool, the pixels where it is, seen or hidden by another thing: `alpha` >= 0.5.
        alpha: float32, the share of a pixel that it covers, seen or hidden.
        box: of `mask`, XYXY in pixels, half open.
        shadow: float32, the share of light that it takes from the ground, where that is seen.
        reflection: float32, the share of the ground's colour that its mirror image takes, where
            that is seen.
    """

    name: str
    label: int
    number: int
    style: str
    color: str | None
    painted: bool
    noun: str
    mask: Array
    amodal: Array
    alpha: Array
    box: tuple[int, int, int, int]
    shadow: Array
    reflection: Array

    @property
    def phrase(self) -> str:
        """What it is: "a blue apple"."""
        return one(self.noun)


@dataclass(frozen=True)
class Scene:
    """A picture and what is in it.

    Attributes:
        image: RGB uint8 (H, W, 3).
        background: the same without things, shadows and reflections; elsewhere bit-equal.
        things: from the farthest to the nearest.
        caption: such as "a blue apple and two cats on grass".
        where: the caption's words for the ground, such as "on grass".
        light: of the scene.
    """

    image: Array
    background: Array
    things: tuple[Thing, ...]
    caption: str
    where: str
    light: Light


class _Choice(NamedTuple):
    """A sticker that is to be put into a scene; pixels RGBA uint8, straight alpha."""

    number: int
    pixels: Array
    color: str | None
    painted: bool
    noun: str


class _Put(NamedTuple):
    """A sticker that has its place: alpha float32 (size, size)."""

    choice: _Choice
    cut: Cut
    alpha: Array


def scene(
    rng: np.random.Generator,
    stickers: StickerSource,
    size: int = 128,
    *,
    max_things: int = MAX_THINGS,
    paint: float = 0.35,
    tie: float = 0.3,
    overlap: float = 0.35,
) -> Scene:
    """A drawn scene.

    Args:
        rng: all draws are taken from it.
        stickers: that may be shown; those of the split "train" for scenes to train on.
        size: of the picture's sides, in pixels.
        max_things: 1 to `max_things` things are shown.
        paint: share of the things that get another colour, where they can.
        tie: share of the things that are the same as one before, in name if not in colour.
        overlap: share of the things that are put close to another.

    Raises:
        DataError: a sticker that cannot be read.
    """
    ground = draw_ground(rng, size)
    count = int(rng.integers(1, max_things + 1))
    put: list[_Put] = []
    for _ in range(count):
        same = put[rng.integers(len(put))].choice.number if put and rng.random() < tie else None
        choice = _choose(rng, stickers, same, paint)
        name = stickers.names[stickers.labels[choice.number]]
        flies = bool(ground.sky and _FLIES.match(name) and rng.random() < 0.85)
        for _ in range(_TRIES):
            cut = _cut(rng, choice.pixels, ground, _SHARES.get(count, 0.3), flies=flies)
            cut = _aside(rng, cut, put, size, close=rng.random() < overlap)
            trial = _in_order([*put, _Put(choice, cut, placed(cut, size)[..., 3])], ground)
            if all(_visible_enough(trial, i, size) for i in range(len(trial))):
                put = trial
                break
        if not put:  # alone, it is shown wherever it came to lie
            put = trial
    return _drawn(ground, put, stickers)


def scene_at(seed: int, number: int, stickers: StickerSource, size: int = 128) -> Scene:
    """Scene `number` of an endless row: a pure function of its arguments."""
    return scene(np.random.Generator(np.random.PCG64([seed, number])), stickers, size)


def _choose(
    rng: np.random.Generator, stickers: StickerSource, same: int | None, paint: float
) -> _Choice:
    number = _draw_number(rng, stickers) if same is None else same
    pixels, label = stickers.read(number)
    assert label is not None, "stickers have labels"
    pixels = _trimmed(pixels)
    if rng.random() < 0.5:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    name, said = stickers.names[label], None
    color, new = color_word(pixels), None
    if rng.random() < paint and stickers.groups[label] not in _UNPAINTED:
        word = list(PAINTS)[rng.integers(len(PAINTS))]
        new = painted(pixels, word) if word != color else None
        if new is not None:
            pixels, color, said = new, word, word
    if new is None and color and rng.random() < 0.3 and stickers.groups[label] not in _UNPAINTED:
        said = color
    return _Choice(number, pixels, color, new is not None, colored(name, said))


def _draw_number(rng: np.random.Generator, stickers: StickerSource) -> int:
    """A sticker; every other draw of people and faces, many and much alike, is drawn anew."""
    number = int(rng.integers(len(stickers)))
    if stickers.groups[stickers.labels[number]] in _UNPAINTED and rng.random() < 0.5:
        number = int(rng.integers(len(stickers)))
    return number


def _trimmed(pixels: Array) -> Array:
    """A picture without its clear border: (h, w, 4)."""
    solid = pixels[..., 3] > 0.1 * pixels[..., 3].max()
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _cut(
    rng: np.random.Generator, pixels: Array, ground: Ground, share: float, *, flies: bool
) -> Cut:
    """A sticker scaled, turned and put somewhere where it may be."""
    size = ground.image.shape[0]
    share = share * float(np.exp(rng.normal(0, 0.18)))
    turn = float(rng.normal(0, 3.0)) if rng.random() < 0.3 else 0.0
    if flies:
        assert ground.horizon is not None, "there is a sky where things fly"
        middle = float(rng.uniform(0.12, 0.8)) * ground.horizon
        share, turn = 0.7 * share, float(rng.normal(0, 7.0))
    elif ground.horizon is None:
        middle, turn = float(rng.uniform(0.15, 0.85)) * size, float(rng.normal(0, 14.0))
    else:
        near = float(np.sqrt(rng.uniform(0.02, 1)))
        share *= 0.62 + 0.48 * near
        foot = ground.horizon + (0.06 + 0.88 * near) * (size - ground.horizon)
    sized = _sized(pixels, float(np.clip(share, 0.16, 0.75)) * size, turn)
    sized[..., :3] *= np.array(ground.light.tint, np.float32)
    height, width = sized.shape[:2]
    left = round(float(rng.uniform(0.1, 0.9)) * size - width / 2)
    if ground.horizon is None or flies:
        middle = float(np.clip(middle, 0.3 * height, size - 0.3 * height))
        return Cut(sized, left, round(middle - height / 2), not flies)
    return Cut(sized, left, round(foot) - height, True)


def _sized(pixels: Array, longer: float, turn: float) -> Array:
    """RGBA uint8 -> float32 with colours multiplied by alpha; `turn` in degrees."""
    image = pixels.astype(np.float32) / 255
    image[..., :3] *= image[..., 3:]
    height, width = image.shape[:2]
    factor = longer / max(height, width)
    goal = max(round(width * factor), 2), max(round(height * factor), 2)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    image = np.clip(cv2.resize(image, goal, interpolation=way), 0, 1)
    if abs(turn) < 0.5:
        return image
    side = int(np.ceil(np.hypot(*goal))) + 2
    matrix = cv2.getRotationMatrix2D(((goal[0] - 1) / 2, (goal[1] - 1) / 2), turn, 1.0)
    matrix[:, 2] += (side - goal[0]) / 2, (side - goal[1]) / 2
    turned = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.clip(_trimmed(turned), 0, 1)


def _aside(rng: np.random.Generator, cut: Cut, put: list[_Put], size: int, *, close: bool) -> Cut:
    """A cut beside another one, half hiding or hidden, or else away from all."""
    if not put:
        return cut
    width = cut.pixels.shape[1]
    if close:
        other = put[rng.integers(len(put))].cut
        reach = (0.35 + 0.3 * float(rng.random())) * (width + other.pixels.shape[1])
        middle = other.left + other.pixels.shape[1] / 2 + reach * float(rng.choice((-1, 1)))
    else:
        taken = np.array([each.cut.left + each.cut.pixels.shape[1] / 2 for each in put])
        tried = rng.uniform(0.1, 0.9, 4) * size
        middle = float(tried[np.abs(tried[:, None] - taken).min(axis=1).argmax()])
    # At most a fifth is outside of the frame.
    middle = float(np.clip(middle, 0.3 * width, size - 0.3 * width))
    return cut._replace(left=round(middle - width / 2))


def _in_order(put: list[_Put], ground: Ground) -> list[_Put]:
    """From the farthest to the nearest; what lies on a ground lies as it came."""
    if ground.horizon is None:
        return put
    return sorted(put, key=lambda each: (each.cut.stands, each.cut.foot))


def _visible_enough(put: list[_Put], index: int, size: int) -> bool:
    whole = float((put[index].cut.pixels[..., 3] >= 0.5).sum())
    seen = float(_seen(put, index).sum())
    return seen >= MIN_VISIBLE * whole and seen >= (0.08 * size) ** 2


def _seen(put: list[_Put], index: int) -> Array:
    seen = put[index].alpha >= 0.5
    for nearer in put[index + 1 :]:
        seen &= nearer.alpha < 0.5
    return seen


def _drawn(ground: Ground, put: list[_Put], stickers: StickerSource) -> Scene:
    plate = np.clip(ground.image, 0, 1).astype(np.float32)
    size = plate.shape[0]
    shadows = [shadow(each.cut, ground) for each in put]
    # One light: where two shadows meet it is no darker.
    image = plate * (1 - np.max(shadows, axis=0)[..., None] * _SHADE)
    mirrored = [reflection(each.cut, ground) for each in put]
    for layer in mirrored:
        image = image * (1 - layer[..., 3:]) + layer[..., :3]
    for each in put:
        layer = placed(each.cut, size)
        image = image * (1 - layer[..., 3:]) + layer[..., :3]
    assert image.dtype == np.float32, "the background is rounded in the same way"
    bare = np.prod([1 - each.alpha for each in put], axis=0)
    things = []
    for i in range(len(put)):
        nearer = np.prod([1 - layer[..., 3] for layer in mirrored[i + 1 :]], axis=0)
        effects = shadows[i] * bare, mirrored[i][..., 3] * nearer * bare
        things.append(_thing(put, i, effects, stickers))
    return Scene(
        image=_levels(image),
        background=_levels(plate),
        things=tuple(things),
        caption=_caption(put, ground),
        where=ground.where,
        light=ground.light,
    )


def _thing(
    put: list[_Put], index: int, effects: tuple[Array, Array], stickers: StickerSource
) -> Thing:
    choice = put[index].choice
    label = int(stickers.labels[choice.number])
    mask = _seen(put, index)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (
        (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        if len(rows)
        else (0, 0, 0, 0)
    )
    return Thing(
        name=stickers.names[label],
        label=label,
        number=choice.number,
        style=stickers.styles[choice.number],
        color=choice.color,
        painted=choice.painted,
        noun=choice.noun,
        mask=mask,
        amodal=put[index].alpha >= 0.5,
        alpha=put[index].alpha,
        box=box,
        shadow=effects[0].astype(np.float32),
        reflection=effects[1].astype(np.float32),
    )


def _caption(put: list[_Put], ground: Ground) -> str:
    standing = [each.choice.noun for each in put if each.cut.stands]
    flying = [each.choice.noun for each in put if not each.cut.stands]
    parts = [f"{listed(standing)} {ground.where}"] if standing else []
    return joined(parts + ([f"{listed(flying)} {ground.sky}"] if flying else []))


def _levels(image: Array) -> Array:
    return np.rint(image * 255).astype(np.uint8)
