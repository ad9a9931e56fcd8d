"""Where things stand: grounds and skies, floors and walls, surfaces from above, space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mdt.data.source import Array
from mdt.data.stickers.captions import one
from mdt.data.stickers.textures import flat, receding

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """The one light of a scene.

    What is at height z above a thing's foot has its shadow at the foot plus (across, -back) * z,
    in pixels of the picture (x, y).

    Attributes:
        across: to the right.
        back: away from the viewer, which is up in the picture; below 0: towards the viewer.
        strength: share of the light that its shadow takes, in [0, 1]; 0: none is cast.
        softness: of the shadow's edge far from the foot, as a share of the picture's side.
        tint: colour of the light on things, about (1, 1, 1).
    """

    across: float
    back: float
    strength: float
    softness: float
    tint: RGB


@dataclass(frozen=True)
class Ground:
    """A scene without things.

    Attributes:
        image: float32 (size, size, 3) in [0, 1].
        horizon: row where the ground ends, in pixels; None: seen from above, things lie.
        wall: whether what stands behind the horizon is a wall that shadows climb.
        shine: how much the ground mirrors, in [0, 1].
        ripple: how much it distorts what it mirrors, as a share of the picture's side.
        where: words for a thing's place, such as "on grass".
        sky: words for what flies, such as "in the sky"; "": nothing flies.
        light: of the scene.
    """

    image: Array
    horizon: float | None
    wall: bool
    shine: float
    ripple: float
    where: str
    sky: str
    light: Light


@dataclass(frozen=True)
class _Surface:
    """Words, tile, its two colours (dark, light), tiles to the picture's width, shine, ripple."""

    words: str
    tile: str
    dark: RGB
    light: RGB
    zoom: float = 1.0
    shine: float = 0.0
    ripple: float = 0.0


@dataclass(frozen=True)
class _Sky:
    """Colours at the top and at the horizon, of clouds and their share, and the light under it."""

    top: RGB
    low: RGB
    cloud: RGB
    clouds: float
    strength: float
    tint: RGB
    stars: bool = False


_OUTDOORS = (
    _Surface("on grass", "grass", (0.13, 0.33, 0.08), (0.50, 0.75, 0.30), 0.6),
    _Surface("on grass", "rough", (0.22, 0.48, 0.14), (0.48, 0.74, 0.32), 1.0),
    _Surface("on sand", "fine", (0.80, 0.66, 0.44), (0.96, 0.87, 0.67), 0.8),
    _Surface("on snow", "soft", (0.80, 0.86, 0.94), (1.00, 1.00, 1.00), 0.8),
    _Surface("on gravel", "gravel", (0.34, 0.32, 0.30), (0.78, 0.75, 0.70), 0.5),
    _Surface("on a road", "fine", (0.30, 0.31, 0.34), (0.48, 0.49, 0.52), 0.8),
    _Surface("on brown earth", "rough", (0.34, 0.22, 0.13), (0.60, 0.43, 0.28), 0.9),
    _Surface("on water", "wavy", (0.10, 0.34, 0.50), (0.36, 0.66, 0.78), 0.8, 0.55, 0.012),
    _Surface("on ice", "soft", (0.66, 0.82, 0.90), (0.90, 0.97, 1.00), 0.7, 0.45, 0.002),
    _Surface("on wet sand", "fine", (0.55, 0.45, 0.33), (0.72, 0.62, 0.48), 0.7, 0.35, 0.004),
)
_SKIES = (
    _Sky((0.20, 0.48, 0.86), (0.72, 0.87, 0.97), (1.0, 1.0, 1.0), 0.25, 0.66, (1.0, 1.0, 0.98)),
    _Sky((0.33, 0.62, 0.93), (0.84, 0.93, 0.98), (1.0, 1.0, 1.0), 0.55, 0.60, (1.0, 1.0, 1.0)),
    _Sky((0.60, 0.65, 0.72), (0.84, 0.86, 0.88), (0.9, 0.9, 0.92), 0.7, 0.34, (0.95, 0.96, 0.98)),
    _Sky((0.36, 0.30, 0.58), (1.00, 0.66, 0.38), (1.0, 0.58, 0.5), 0.4, 0.58, (1.0, 0.92, 0.84)),
    _Sky((0.94, 0.66, 0.75), (1.00, 0.90, 0.80), (1.0, 0.95, 0.9), 0.4, 0.50, (1.0, 0.96, 0.93)),
    _Sky((0.03, 0.05, 0.16), (0.16, 0.21, 0.40), (0.2, 0.25, 0.4), 0.2, 0.45, (0.78, 0.82, 0.95),
         stars=True),
)  # fmt: skip
_FLOORS = (
    _Surface("on a wooden floor", "planks", (0.36, 0.21, 0.11), (0.80, 0.58, 0.37), 1.2),
    _Surface(
        "on a polished floor", "planks", (0.30, 0.17, 0.09), (0.66, 0.45, 0.28), 1.2, 0.4, 0.0
    ),
    _Surface("on a tiled floor", "tiles", (0.45, 0.45, 0.46), (0.93, 0.92, 0.89), 0.9, 0.15, 0.0),
    _Surface(
        "on a checkered floor", "checks", (0.12, 0.12, 0.14), (0.95, 0.94, 0.92), 0.7, 0.2, 0.0
    ),
    _Surface("on a marble floor", "marble", (0.50, 0.50, 0.53), (0.97, 0.96, 0.94), 0.9, 0.4, 0.0),
    _Surface("on a carpet", "weave", (0.48, 0.20, 0.22), (0.74, 0.40, 0.38), 1.5),
    _Surface("on a wooden table", "wood", (0.50, 0.31, 0.17), (0.80, 0.60, 0.40), 0.8, 0.12, 0.0),
)
_WALLS = ("soft", "brick", "stripes", "dots", "tiles", "plain", "plain", "plain")
_TOPS = (
    _Surface("on a wooden table", "planks", (0.40, 0.25, 0.14), (0.82, 0.62, 0.42), 0.9),
    _Surface("on grass", "grass", (0.12, 0.32, 0.08), (0.50, 0.76, 0.30), 0.8),
    _Surface("on gravel", "gravel", (0.36, 0.34, 0.32), (0.80, 0.77, 0.72), 0.8),
    _Surface("on a brick wall", "brick", (0.42, 0.15, 0.10), (0.84, 0.68, 0.60), 0.9),
    _Surface("on marble", "marble", (0.55, 0.55, 0.58), (0.97, 0.96, 0.94), 0.7),
    _Surface("on sand", "fine", (0.82, 0.69, 0.48), (0.96, 0.88, 0.70), 0.7),
    _Surface("on tiles", "tiles", (0.45, 0.50, 0.55), (0.86, 0.93, 0.97), 0.7),
)
#: Colours of paint, cloth and paper: (hue in degrees, saturation, value).
_TINTS = (
    ("white", 40, 0.02, 0.97), ("grey", 210, 0.04, 0.72), ("blue", 208, 0.38, 0.88),
    ("yellow", 47, 0.42, 0.98), ("pink", 345, 0.25, 0.98), ("green", 140, 0.30, 0.84),
    ("purple", 268, 0.26, 0.86), ("orange", 26, 0.45, 0.98), ("black", 240, 0.15, 0.17),
)  # fmt: skip


def draw_ground(rng: np.random.Generator, size: int) -> Ground:
    """A drawn place and its light, without things."""
    kinds = (_outdoors, _room, _studio, _from_above, _cloth, _space)
    kind = rng.choice(len(kinds), p=(0.36, 0.24, 0.12, 0.13, 0.10, 0.05))
    return kinds[int(kind)](rng, size)


def _outdoors(rng: np.random.Generator, size: int) -> Ground:
    surface = _OUTDOORS[rng.integers(len(_OUTDOORS))]
    sky = _SKIES[rng.integers(len(_SKIES))]
    horizon = float(rng.uniform(0.36, 0.62)) * size
    image = _sky(rng, sky, size, horizon)
    if rng.random() < 0.45:
        _draw_hills(rng, image, sky, size, horizon)
    tint = np.array(sky.tint, np.float32)
    ground = _laid(rng, surface, size, horizon) * (tint * (0.62 if sky.stars else 1.0))
    below = (np.arange(size, dtype=np.float32)[:, None, None] - horizon) / (size - horizon)
    haze = np.clip(0.5 - 3.0 * below, 0, 0.5)
    if surface.shine:  # the sky lies on water
        haze = np.clip(0.75 - 0.6 * below, 0, 1) * surface.shine
    ground += haze * (np.array(sky.low, np.float32) - ground)
    image = np.where(below > 0, ground, image)
    light = _light(rng, sky.strength, sky.tint, softness=0.05 if sky.strength < 0.4 else 0.018)
    flies = "in a starry sky" if sky.stars else "in the sky"
    return Ground(image, horizon, False, surface.shine, surface.ripple, surface.words, flies, light)


def _room(rng: np.random.Generator, size: int) -> Ground:
    surface = _FLOORS[rng.integers(len(_FLOORS))]
    wall = _WALLS[rng.integers(len(_WALLS))]
    horizon = float(rng.uniform(0.40, 0.66)) * size
    image = _wall(rng, wall, size, horizon)
    below = np.arange(size, dtype=np.float32)[:, None, None] - horizon
    image *= 1 - 0.25 * np.exp(-np.abs(below) / (0.05 * size))  # dark where wall and floor meet
    floor = _laid(rng, surface, size, horizon)
    floor *= 1 - 0.2 * np.exp(-np.abs(below) / (0.06 * size))
    image = np.where(below > 0, floor, image)
    image *= _falloff(rng, size)
    light = _light(rng, float(rng.uniform(0.35, 0.6)), (1.0, 0.99, 0.96), softness=0.03)
    return Ground(image, horizon, True, surface.shine, surface.ripple, surface.words, "", light)


def _studio(rng: np.random.Generator, size: int) -> Ground:
    """A sheet of one colour that bends up behind the things."""
    word, color = _tint(rng)
    horizon = float(rng.uniform(0.35, 0.55)) * size
    rows = (np.arange(size, dtype=np.float32)[:, None, None] - horizon) / size
    shade = 1 - 0.14 / (1 + np.exp(-rows / 0.06)) + 0.12 * np.clip(rows, 0, 1)
    image = np.broadcast_to(color * shade, (size, size, 3)) * _falloff(rng, size)
    light = _light(rng, float(rng.uniform(0.3, 0.6)), (1.0, 1.0, 1.0), softness=0.03)
    shine = float(rng.uniform(0.2, 0.45)) if rng.random() < 0.4 else 0.0
    where = f"on {one(('shiny ' if shine else '') + word + ' background')}"
    return Ground(image, horizon, False, shine, 0.0, where, "", light)


def _from_above(rng: np.random.Generator, size: int) -> Ground:
    surface = _TOPS[rng.integers(len(_TOPS))]
    turn = float(rng.choice((0, np.pi / 2))) + float(rng.normal(0, 0.06))
    turn = 0.0 if surface.tile == "brick" else turn
    grey = flat(surface.tile, size, rng, surface.zoom * float(rng.uniform(0.6, 1.2)), turn)
    image = _tinted(rng, surface, grey) * _falloff(rng, size)
    light = _light(rng, float(rng.uniform(0.35, 0.55)), (1.0, 1.0, 1.0), softness=0.02)
    return Ground(image, None, False, 0.0, 0.0, surface.words, "", light)


def _cloth(rng: np.random.Generator, size: int) -> Ground:
    word, color = _tint(rng)
    pattern = ("stripes", "dots", "weave", "soft", "checks")[rng.integers(5)]
    grey = flat(pattern, size, rng, float(rng.uniform(0.5, 1.3)), float(rng.uniform(-0.8, 0.8)))
    other = np.clip(color * float(rng.uniform(0.78, 0.9)) + float(rng.uniform(0, 0.08)), 0, 1)
    image = (other + grey[..., None] * (color - other)) * _falloff(rng, size)
    words = {"stripes": "striped ", "dots": "dotted ", "checks": "checkered "}.get(pattern, "")
    light = _light(rng, float(rng.uniform(0.3, 0.5)), (1.0, 1.0, 1.0), softness=0.02)
    return Ground(image, None, False, 0.0, 0.0, f"on {one(f'{words}{word} cloth')}", "", light)


def _space(rng: np.random.Generator, size: int) -> Ground:
    photo = _hubble()
    side = int(rng.integers(200, 480))
    top, left = (int(rng.integers(length - side)) for length in photo.shape[:2])
    part = np.rot90(photo[top : top + side, left : left + side], int(rng.integers(4)))
    image = cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=cv2.INTER_AREA)
    light = _light(rng, 0.0, (0.95, 0.97, 1.0), softness=0.02)
    return Ground(image, None, False, 0.0, 0.0, "in space", "", light)


@lru_cache(maxsize=1)
def _hubble() -> Array:
    """Hubble's deep field, as scikit-image ships it: NASA and ESA, public domain."""
    from skimage import data

    return np.clip(data.hubble_deep_field().astype(np.float32) / 255 * 1.15, 0, 1)


def _light(rng: np.random.Generator, strength: float, tint: RGB, softness: float) -> Light:
    across = float(rng.uniform(0.3, 1.2)) * (1 if rng.random() < 0.5 else -1)
    # Low lights behind the viewer throw shadows back; some stand behind the things.
    back = float(rng.uniform(0.18, 0.55)) * (1 if rng.random() < 0.75 else -1)
    return Light(across, back, strength, softness, tint)


def _sky(rng: np.random.Generator, sky: _Sky, size: int, horizon: float) -> Array:
    rows = np.clip(np.arange(size, dtype=np.float32) / horizon, 0, 1)[:, None, None]
    top, low = np.array(sky.top, np.float32), np.array(sky.low, np.float32)
    image = np.broadcast_to(top + rows**1.2 * (low - top), (size, size, 3)).copy()
    grey = flat("cloudy", size, rng, float(rng.uniform(0.5, 1.1)), 0.0)
    cover = np.clip((grey - 0.72 + 0.35 * sky.clouds) * 4, 0, 1)[..., None] * 0.9
    image += cover * (np.array(sky.cloud, np.float32) - image)
    if sky.stars:
        num_stars = int(rng.integers(25, 70))
        y, x = rng.integers(0, max(int(horizon), 1), num_stars), rng.integers(0, size, num_stars)
        image[y, x] += rng.uniform(0.3, 0.8, (num_stars, 1)).astype(np.float32)
    return np.clip(image, 0, 1)


def _draw_hills(
    rng: np.random.Generator, image: Array, sky: _Sky, size: int, horizon: float
) -> None:
    """Draw far hills into a sky."""
    x = np.arange(size, dtype=np.float32) / size
    y = np.arange(size, dtype=np.float32)[:, None]
    low = np.array(sky.low, np.float32)
    color = np.array((0.30, 0.45, 0.38), np.float32) * (0.35 if sky.stars else 1.0)
    for far in (0.65, 0.35):
        waves = np.zeros_like(x)
        for k in (1, 2, 3, 5):
            waves += np.sin(x * 2 * np.pi * k + rng.uniform(0, 6.3)) * rng.uniform(0.3, 1) / k
        edge = horizon - size * (0.03 + far * 0.12 * (1.2 + waves) / 2)
        cover = np.clip(y - edge[None] + 0.5, 0, 1)[..., None]
        image += cover * (color + far * (low - color) - image)


def _wall(rng: np.random.Generator, pattern: str, size: int, horizon: float) -> Array:
    _, color = _tint(rng)
    if pattern == "brick":
        surface = _TOPS[3]
        image = _tinted(rng, surface, flat("brick", size, rng, float(rng.uniform(0.6, 1.1)), 0.0))
    elif pattern == "plain":
        image = np.broadcast_to(color, (size, size, 3)).copy()
    else:
        grey = flat(pattern, size, rng, float(rng.uniform(0.5, 1.0)), 0.0)
        image = color * (0.88 + 0.12 * grey[..., None])
    if rng.random() < 0.5:  # a skirting board
        rows = np.arange(size)
        board = (rows > horizon - 0.045 * size) & (rows <= horizon)
        image[board] = 0.93 * np.float32(0.9 + 0.1 * rng.random())
    return image


def _laid(rng: np.random.Generator, surface: _Surface, size: int, horizon: float) -> Array:
    zoom = surface.zoom * float(rng.uniform(0.7, 1.4))
    return _tinted(rng, surface, receding(surface.tile, size, horizon, rng, zoom))


def _tinted(rng: np.random.Generator, surface: _Surface, grey: Array) -> Array:
    """A grey surface between its colours, each scene's a little other."""
    vary = rng.uniform(0.92, 1.08, 3) * rng.uniform(0.88, 1.06)
    dark, light = (
        np.clip(np.array(color) * vary, 0, 1).astype(np.float32)
        for color in (surface.dark, surface.light)
    )
    return dark + grey[..., None] * (light - dark)


def _tint(rng: np.random.Generator) -> tuple[str, Array]:
    word, hue, saturation, value = _TINTS[rng.integers(len(_TINTS))]
    turned = (hue + float(rng.uniform(-6, 6))) % 360
    hsv = np.array([[[turned, saturation, value * rng.uniform(0.92, 1)]]], np.float32)
    return word, cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def _falloff(rng: np.random.Generator, size: int) -> Array:
    """A lamp's pool of light: float32 (size, size, 1), at most 1."""
    x0, y0 = rng.uniform(0.2, 0.8), rng.uniform(0.0, 0.7)
    line = np.arange(size, dtype=np.float32) / size
    square = (line[:, None] - y0) ** 2 + (line[None] - x0) ** 2
    return (1 - float(rng.uniform(0.05, 0.28)) * square).astype(np.float32)[..., None]
