"""Scenes to learn from what things do to the light: more ways than relations_scenes.py has.

Nothing here is for reporting. Stickers are those of neither split, other things the development
split's; grounds are photographs of that split, drawn floors, walls and skies, noise, or the hard
ones of relations_grounds.py. Lights are hard or soft, one to three, far or near, also right above;
a shadow may be bent by the ground, climb a wall or a step anywhere, lie aside (of what hangs or
lies), fade with distance, begin a little inside the thing. Floors mirror clearly or blurred,
fading, with ripples, and may hold shadows too. There are rugs, shadows of things outside of the
frame, things in the air that do nothing, and scenes without any effect. Each scene can be rendered
without each thing, so the truth is a difference. A camera may have darkened its corners, blurred it
and kept it as a JPEG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from relations_grounds import hard_ground
from relations_scenes import Light, Thing, _placed, _with_rug, cast, cut_out, texture, to_srgb
from removal import RGB, Bool2D, photo

from mdt.data.stickers.grounds import draw_ground
from mdt.data.stickers.textures import TILES, flat, receding

Floats = NDArray[np.float32]
SPLIT = "development"
_MORE_PHOTOS = ("coins", "page", "text", "clock_motion", "cell", "microaneurysms")


@dataclass(frozen=True, eq=False)
class Doing:
    """What one thing does to the rest, each (H, W).

    Attributes:
        shades: by light, the share of that light that it takes.
        mirrored: its picture in the ground, linear (H, W, 3).
        clear: how much of that is seen.
    """

    shades: tuple[Floats, ...]
    mirrored: Floats
    clear: Floats


@dataclass(frozen=True, eq=False)
class World:
    """A picture and how it was made."""

    ground: Floats  # linear (H, W, 3)
    things: tuple[Thing, ...]
    doings: tuple[Doing, ...]
    darkness: tuple[float, ...]  # of each light's shadow
    tint: Floats
    noise: Floats

    def render(self, without: int | None = None) -> RGB:
        """The picture; `without`: as if that thing had never been there."""
        order = [i for i in range(len(self.things)) if i != without]
        order.sort(key=lambda i: self.things[i].foot)
        out = self.ground.copy()
        for number, dark in enumerate(self.darkness):
            shade = np.zeros(out.shape[:2], np.float32)
            for i in order:
                shade = np.maximum(shade, self.doings[i].shades[number])
            out *= 1 - dark * shade[..., None] * self.tint
        for i in order:
            clear = self.doings[i].clear[..., None]
            out = out + clear * (self.doings[i].mirrored - out)
        for i in order:
            out = out + self.things[i].alpha[..., None] * (self.things[i].rgb - out)
        return np.clip(to_srgb(out) + self.noise + 0.5, 0, 255).astype(np.uint8)

    def mask(self, i: int) -> Bool2D:
        """The pixels of thing `i` that are seen."""
        seen = self.things[i].mask.copy()
        for thing in self.things:
            if thing.foot > self.things[i].foot:
                seen &= ~thing.mask
        return seen

    def effects(self, i: int, whole: RGB) -> tuple[Bool2D, Bool2D]:
        """The pixels that thing `i` shades, and those that it is mirrored in.

        By the rule of `Scene.effect`: at least 3 levels and 30 % of what changes most.
        """
        change = np.abs(whole.astype(np.float32) - self.render(i)).mean(2)
        own = cv2.dilate((self.things[i].alpha > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8))
        change[(own > 0) | self.mask(i)] = 0
        smooth = cv2.GaussianBlur(change, (0, 0), 1.0)
        smooth[self.mask(i)] = 0
        strong = smooth[smooth > 3]
        if strong.size < 30:
            nothing = np.zeros(change.shape, bool)
            return nothing, nothing
        seen = smooth >= max(3.0, 0.3 * float(np.percentile(strong, 90)))
        mirrored = self.doings[i].clear > 0.06
        shade = np.zeros(change.shape, np.float32)
        for share, dark in zip(self.doings[i].shades, self.darkness, strict=True):
            shade = np.maximum(shade, dark * share)
        return seen & ((shade > 0.06) | ~mirrored), seen & mirrored & (shade < 0.25)


def make_world(seed: int) -> World:
    """World number `seed`."""
    rng = np.random.default_rng([seed, 4242])
    side = int(rng.integers(256, 520))
    shape = (round(side * rng.uniform(0.7, 1.0)), side)
    horizon = int(shape[0] * rng.uniform(0.0, 0.55))
    ground = _ground(rng, shape, horizon)
    for _ in range(int(rng.integers(0, 3))):
        ground = _with_rug(rng, ground, horizon)
    kind = str(
        rng.choice(
            ["sun", "lights", "wall", "above", "aside", "mirror", "both", "none"],
            p=[0.2, 0.18, 0.13, 0.1, 0.06, 0.12, 0.05, 0.16],
        )
    )
    opacity = float(rng.uniform(0.5, 0.85)) if rng.random() < 0.28 else 1.0
    things = _things(rng, shape, horizon, opacity, low=kind in ("mirror", "both"))
    if kind == "wall" and rng.random() < 0.3:  # a step or a box, not the horizon
        horizon = int(rng.uniform(0.1, 0.8) * shape[0])
    ways, darkness = _ways(rng, kind, horizon, opacity)
    mirror = _mirror(rng) if kind in ("mirror", "both") else None
    bend = _bend(rng, shape) if rng.random() < 0.35 else None
    if ways and rng.random() < 0.25:  # the shadow of something outside of the frame
        outside = _things(rng, shape, horizon, 1.0, low=False)[:1]
        ground = ground * (1 - darkness[0] * _bent(ways[0](outside[0]), bend)[..., None])
    doings = []
    for thing in things:
        idle = rng.random() < 0.12  # flies, or is painted on
        depth = int(rng.uniform(0, 0.12) * _tall(thing)) if rng.random() < 0.5 else 0
        stands = replace(thing, foot=thing.foot - depth)
        shades = [_bent(way(stands), bend) * np.float32(not idle) for way in ways]
        clear, image = np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32)
        if mirror is not None and not idle:
            clear, image = mirror(stands)
        doings.append(Doing(tuple(shades), image, clear))
    tint = np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.75, 1.0)], np.float32)
    if rng.random() < 0.25:  # light that comes from elsewhere has a colour of its own
        tint = rng.uniform(0.75, 1.0, 3).astype(np.float32)
    noise = rng.normal(0, rng.uniform(0, 3), (*shape, 3)).astype(np.float32)
    return World(ground, things, tuple(doings), tuple(darkness), tint, noise)


def photographed(image: RGB, rng: np.random.Generator) -> RGB:
    """What a camera makes of a rendered picture; as it is in half the cases."""
    if rng.random() < 0.5:
        return image
    out = image.astype(np.float32)
    height, width = image.shape[:2]
    if rng.random() < 0.4:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
        out *= (1 - rng.uniform(0, 0.3) * (x * x + y * y) / 2)[..., None]
    if rng.random() < 0.4:
        out = 255 * np.clip(out / 255, 0, 1) ** np.float32(rng.uniform(0.75, 1.35))
    if rng.random() < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.2))
    levels = np.clip(out + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 97))]
        _, data = cv2.imencode(".jpg", levels[..., ::-1], quality)
        levels = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    return levels


def _tall(thing: Thing) -> int:
    rows = np.flatnonzero(thing.mask.any(1))
    return int(rows[-1] - rows[0] + 1)


Way = Callable[[Thing], Floats]


def _ways(
    rng: np.random.Generator, kind: str, horizon: int, opacity: float
) -> tuple[list[Way], list[float]]:
    """How light falls here: thing -> share of one light that it takes; and each one's darkness."""
    dark = lambda: float(rng.uniform(0.13, 0.85)) * opacity  # noqa: E731
    if kind in ("none", "mirror"):
        return [], []
    if kind == "above":
        return [_above(rng)], [dark()]
    if kind == "aside":
        return [_aside(rng)], [dark()]
    wall = horizon if kind == "wall" else None
    ways, darkness = [_sun(rng, wall)], [dark()]
    if kind == "lights":
        for _ in range(int(rng.integers(1, 3))):
            ways.append(_sun(rng, None))
            darkness.append(0.8 * dark())
    if rng.random() < 0.3:  # where it touches the ground it is darker
        ways.append(_above(rng))
        darkness.append(0.6 * dark())
    return ways, darkness


def _sun(rng: np.random.Generator, wall: int | None) -> Way:
    kx = float(rng.uniform(0.0, 1.8) * rng.choice([-1, 1])) * (0.6 if wall is not None else 1)
    ky = float(rng.uniform(0.12, 0.95) * (1 if wall is not None else rng.choice([-1, 1])))
    soft = float(rng.choice([0.0, 0.02, rng.uniform(0.03, 0.15)]))
    light = Light(kx, ky, 1.0, soft)
    near = float(rng.normal(0, 0.6)) if rng.random() < 0.25 else 0.0  # a lamp: its rays spread
    fade = float(rng.uniform(0, 0.6)) if rng.random() < 0.4 else 0.0

    def way(thing: Thing) -> Floats:
        one = light
        if near:
            middle = float(np.flatnonzero(thing.mask.any(0)).mean()) if thing.mask.any() else 0.0
            one = replace(light, kx=kx + near * (middle / thing.mask.shape[1] - 0.5))
        shade = cast(thing, one, wall)
        if not fade:
            return shade
        rows = np.arange(shade.shape[0], dtype=np.float32)[:, None]
        far = np.abs(rows - thing.foot) / max(1.0, abs(ky) * _tall(thing))
        return shade * (1 - fade * np.clip(far, 0, 1)).astype(np.float32)

    return way


def _above(rng: np.random.Generator) -> Way:
    wide, flat_, soft = rng.uniform(0.8, 1.3), rng.uniform(0.1, 0.4), rng.uniform(0.02, 0.2)
    aside, down = rng.uniform(-0.15, 0.15), rng.uniform(-0.03, 0.08)

    def way(thing: Thing) -> Floats:
        low = thing.mask[: thing.foot + 1][-max(3, _tall(thing) // 3) :]
        xs = np.flatnonzero(low.any(0))
        if not xs.size:
            return np.zeros(thing.alpha.shape, np.float32)
        half = (xs[-1] - xs[0] + 1) / 2
        centre = int(xs.mean() + aside * half), int(thing.foot + down * 2 * half)
        out = np.zeros(thing.alpha.shape, np.float32)
        axes = max(2, int(wide * half)), max(1, int(flat_ * half))
        cv2.ellipse(out, centre, axes, 0, 0, 360, 1.0, -1)
        return cv2.GaussianBlur(out, (0, 0), 0.8 + soft * half)

    return way


def _aside(rng: np.random.Generator) -> Way:
    dx, dy = rng.uniform(-0.5, 0.5), rng.uniform(-0.2, 0.4)
    soft = rng.uniform(0.0, 0.06)

    def way(thing: Thing) -> Floats:
        size = float(np.sqrt(thing.mask.sum()))
        matrix = np.array([[1, 0, dx * size], [0, 1, dy * size]])
        out = cv2.warpAffine(thing.alpha, matrix, thing.alpha.shape[::-1])
        return cv2.GaussianBlur(out, (0, 0), 0.7 + soft * size)

    return way


def _mirror(rng: np.random.Generator) -> Callable[[Thing], tuple[Floats, Floats]]:
    strength, factor = rng.uniform(0.12, 0.75), float(rng.choice([1.0, rng.uniform(0.7, 1.1)]))
    ripple = float(rng.choice([0.0, 0.0, rng.uniform(0.3, 3)]))
    fade, blur = rng.uniform(0, 0.9), rng.uniform(0.4, 2.5)
    period, gap = rng.uniform(3, 9), float(rng.choice([0, 0, rng.uniform(0, 0.05)]))

    def image(thing: Thing) -> tuple[Floats, Floats]:
        height, width = thing.alpha.shape
        ys, xs = np.mgrid[:height, :width].astype(np.float32)
        tall = _tall(thing)
        up = (ys - thing.foot - gap * tall) / factor
        wave = (ripple * np.sin(ys / period + 0.7 * np.sin(xs / 23))).astype(np.float32)
        source = (thing.foot - up).astype(np.float32)
        alpha = cv2.remap(thing.alpha, xs + wave, source, cv2.INTER_LINEAR)
        rgb = cv2.remap(thing.rgb, xs + wave, source, cv2.INTER_LINEAR)
        seen = strength * np.clip(1 - fade * up / tall, 0, 1)
        clear = np.where(up >= 0, alpha * seen, 0).astype(np.float32)
        return cv2.GaussianBlur(clear, (0, 0), blur), cv2.GaussianBlur(rgb, (0, 0), blur)

    return image


def _bend(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """A ground that is not flat: where each pixel's shadow comes from."""
    size = shape[1]
    sigma = rng.uniform(0.06, 0.2) * size
    out = []
    for axis in (1, 0):
        rough = rng.normal(0, 1, (24, 24)).astype(np.float32)
        wave = cv2.GaussianBlur(rough, (0, 0), float(24 * sigma / size))
        wave = cv2.resize(wave / max(float(wave.std()), 1e-3), shape[::-1])
        place = np.mgrid[: shape[0], : shape[1]][axis].astype(np.float32)
        out.append((place + wave * rng.uniform(0.002, 0.012) * size).astype(np.float32))
    return out[0], out[1]


def _bent(shade: Floats, bend: tuple[Floats, Floats] | None) -> Floats:
    return shade if bend is None else cv2.remap(shade, *bend, cv2.INTER_LINEAR)


def _ground(rng: np.random.Generator, shape: tuple[int, int], horizon: int) -> Floats:
    """Linear (H, W, 3)."""
    ways = ["scenes", "drawn", "tiles", "noise", "hard"]
    way = rng.choice(ways, p=[0.27, 0.17, 0.16, 0.07, 0.33])
    if way == "drawn":
        place = draw_ground(rng, max(shape))
        while "gravel" in place.where:  # a photograph of the test split
            place = draw_ground(rng, max(shape))
        levels = np.clip(place.image, 0, 1)[: shape[0], : shape[1]] * rng.uniform(0.5, 1.0)
        return np.clip(levels**2.2, 0.005, 1).astype(np.float32)
    ground = _surface(rng, str(way), shape, horizon)
    if horizon:
        behind = str(way) if rng.random() < 0.7 else str(rng.choice(["scenes", "tiles", "hard"]))
        ground[:horizon] = _surface(rng, behind, shape, 0)[:horizon]
    down = np.linspace(*rng.uniform(0.6, 1.0, 2), shape[0], dtype=np.float32)[:, None, None]
    return cv2.GaussianBlur(ground * down, (0, 0), rng.uniform(0.3, 0.9))


def _surface(rng: np.random.Generator, way: str, shape: tuple[int, int], horizon: int) -> Floats:
    if way == "scenes":
        if rng.random() < 0.25:
            grey = photo(str(rng.choice(_MORE_PHOTOS)), int(1.5 * max(shape)))[..., :1] / 255
            grey = np.tile(grey, (3, 3, 1))[: shape[0], : shape[1]]
            return _coloured(rng, grey[..., 0].astype(np.float32))
        return texture(rng, SPLIT, shape)
    if way == "hard":
        return hard_ground(rng, shape, horizon)
    if way == "noise":
        rough = rng.normal(0, 1, shape).astype(np.float32)
        grey = np.zeros(shape, np.float32)
        for sigma in (0.7, 2.0, 6.0, 18.0):
            layer = cv2.GaussianBlur(rough, (0, 0), sigma)
            grey += rng.uniform(0, 0.14) * layer / max(float(layer.std()), 1e-4)
        return _coloured(rng, np.clip(0.5 + grey, 0, 1))
    name = str(rng.choice(list(TILES)))
    size, zoom = max(shape), float(rng.uniform(0.5, 1.6))
    if horizon and rng.random() < 0.6:
        grey = receding(name, size, horizon, rng, zoom)
    else:
        grey = flat(name, size, rng, zoom, float(rng.normal(0, 0.4)))
    return _coloured(rng, grey[: shape[0], : shape[1]].astype(np.float32))


def _coloured(rng: np.random.Generator, grey: Floats) -> Floats:
    """A grey surface between two colours of one kind, linear."""
    light = rng.uniform(0.1, 0.8) * rng.uniform(0.7, 1.0, 3)
    dark = light * rng.uniform(0.25, 0.9) * rng.uniform(0.85, 1.15, 3)
    return np.clip(dark + grey[..., None] * (light - dark), 0.003, 1).astype(np.float32)


def _things(
    rng: np.random.Generator, shape: tuple[int, int], horizon: int, opacity: float, *, low: bool
) -> tuple[Thing, ...]:
    """One to five things; `low`: with room below."""
    things: list[Thing] = []
    height, width = shape
    wanted = int(rng.integers(1, 6))
    for _ in range(20 * wanted):
        if len(things) < wanted:
            picture = cut_out(rng, SPLIT, "training")
            scale = rng.uniform(0.1, 0.45) * height / picture.shape[0]
            scale = min(scale, 0.45 * width / picture.shape[1])
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)
            picture = np.clip(picture, 0, 1)
            if rng.random() < 0.5:
                picture = np.ascontiguousarray(picture[:, ::-1])
            h, w = picture.shape[:2]
            top, bottom = max(horizon + 4, h), int(height * (0.75 if low else 0.97))
            foot = int(rng.integers(min(top, bottom - 1), bottom))
            x = int(rng.integers(0, max(1, width - w)))
            new = _placed(picture.astype(np.float32), shape, x, foot, opacity)
            near = cv2.dilate(new.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            covered = max((float((near & t.mask).sum()) for t in things), default=0.0)
            if covered < 0.2 * new.mask.sum() and new.mask.sum() > 150 and len(things) < wanted:
                things.append(new)
    return tuple(things)
