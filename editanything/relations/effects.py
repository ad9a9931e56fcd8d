"""What a thing does to the rest of the picture: its shadows and its mirror image, as soft masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.clues import Clues, clues, turned
from editanything.relations.mirrors import MirrorImage, told_mirror_image
from editanything.relations.network import Told, run
from editanything.relations.search import OF_LIGHT, Search, search
from editanything.relations.shadows import Shadow, find_shadows
from editanything.relations.view import look_at
from editanything.types import RGB, Bool2D, Float2D, Mask

Floats = NDArray[np.float32]

#: Less likely effects are not even shown, and likely ones are taken along unless told otherwise.
SHOWN_FROM, SURE_FROM = 0.45, 0.8
#: A thing asked for by name ("and its shadow") is taken from this score on.
ASKED_FROM = 0.2
_MOST_OTHERS = 6
_LARGEST = 0.3  # of the picture: what is larger is a place, not a thing


@dataclass(frozen=True, eq=False)
class Effect:
    """A shadow or mirror image of one thing.

    Attributes:
        type: "casts" or "mirrors".
        score: how likely it is there, 0..1.
        evidence: why, in words.
        alpha: (H, W) of the picture, 0..1: how much of the effect lies on each pixel.
        light: (kx, ky) where the shadow falls on level ground: a point at height h throws its
            shadow to (x + kx h, foot - ky h).
        drop: logarithm by which red, green and blue are darker in it; zeros for a mirror image.
        strength: of a mirror image: the share of the thing in what is seen; else 0.
        factor: of a mirror image: its height per height of the thing.
    """

    type: str
    score: float
    evidence: str
    alpha: Float2D
    light: tuple[float, float] | None = None
    drop: tuple[float, float, float] = (0.0, 0.0, 0.0)
    strength: float = 0.0
    factor: float = 1.0


def find_effects(
    image: RGB, thing: Mask, others: Sequence[Mask] = (), *, least_score: float = SHOWN_FROM
) -> list[Effect]:
    """The shadows and the mirror image of `thing`, likely ones first.

    Args:
        image: RGB uint8 (H, W, 3).
        thing: its pixels, all of them.
        others: other things of the picture; they hide the ground, and share the light.
        least_score: less likely effects are left out.
    """
    rest = _beside(thing, others)
    if rest is None:
        return []
    return _Scene(image, [thing, *rest]).effects(0, least_score)


def find_all_effects(
    image: RGB, things: Sequence[Mask], *, least_score: float = SHOWN_FROM
) -> list[list[Effect]]:
    """The effects of each of some things, as `find_effects` has them; all at once is faster."""
    scene = _Scene(image, things)
    return [scene.effects(i, least_score) for i in range(len(things))]


def signs_of(
    image: RGB, things: Sequence[Mask]
) -> list[tuple[tuple[Float2D, Floats] | None, tuple[Float2D, Floats] | None]]:
    """The shadow and the mirror image of each thing that are likeliest.

    (H, W) pixels and what speaks for them: what the scores are fitted to. Either is None where
    nothing is seen at all.
    """
    scene = _Scene(image, things)
    return [scene.signs(i) for i in range(len(things))]


@dataclass(frozen=True, eq=False)
class _Told:
    """What the network says of a thing, before that is looked at in a mirror to its side."""

    clues: Clues
    told: Told


class _Scene:
    """Things of one picture; each is looked at once."""

    def __init__(self, image: RGB, things: Sequence[Mask]) -> None:
        self._image, self._things = image, things
        self._besides: dict[int, list[int] | None] = {}
        self._searches: dict[int, Search] = {}
        self._tolds: dict[int, _Told] = {}

    def effects(self, i: int, least_score: float) -> list[Effect]:
        """What thing `i` does, judged; of two that lie on each other, the likelier."""
        found = self._seen(i)
        if found is None:
            return []
        own, thing = self._searched(i), self._things[i]
        seen = [
            _of_shadow(own, shadow, thing) for shadow in found[0] if shadow.score >= least_score
        ]
        if found[1] is not None and found[1].score >= least_score:
            seen.append(_of_mirror(own, found[1], thing))
        out: list[Effect] = []
        for effect in sorted(seen, key=lambda effect: -effect.score):
            others = [other for other in out if other.type != effect.type]
            if all(_overlap(effect.alpha, other.alpha) < 0.5 for other in others):
                out.append(effect)
        return out

    def signs(self, i: int) -> tuple[tuple[Float2D, Floats] | None, tuple[Float2D, Floats] | None]:
        """As `signs_of`."""
        found = self._seen(i)
        if found is None:
            return None, None
        shades, mirror = found
        view, shape = self._searched(i).view, self._things[i].shape
        first = second = None
        if shades:
            alpha = np.maximum.reduce([shadow.alpha for shadow in shades])
            first = view.enlarged(alpha, shape), shades[0].features
        if mirror is not None:
            second = view.enlarged(mirror.alpha, shape), mirror.features
        return first, second

    def _seen(self, i: int) -> tuple[list[Shadow], MirrorImage | None] | None:
        beside = self._beside(i)
        if beside is None:
            return None
        own, votes, told_of = self._searched(i), [self._searched(j) for j in beside], self._told(i)
        told, again = told_of.told, run(turned(told_of.clues.planes))
        logits = (told.pixels + again.pixels[..., ::-1]) / 2
        company = [self._told(j).told.there for j in beside if self._beside(j) is not None]
        there = np.concatenate(
            [(told.there + again.there) / 2, np.mean(company, axis=0) if company else np.zeros(2)]
        ).astype(np.float32)
        view = own.view
        size = view.shape[1], view.shape[0]
        shaded, mirrored = (cv2.resize(p, size, interpolation=cv2.INTER_CUBIC) for p in logits)
        mirror = told_of.clues.mirror
        if mirror is not None:
            mirror = told_mirror_image(view, mirror, mirrored, there)
        return find_shadows(own, votes, shaded, there), mirror

    def _beside(self, i: int) -> list[int] | None:
        if i not in self._besides:
            others = [j for j in range(len(self._things)) if j != i]
            rest = _beside(self._things[i], [self._things[j] for j in others])
            self._besides[i] = (
                None
                if rest is None
                else [next(j for j in others if self._things[j] is one) for one in rest]
            )
        return self._besides[i]

    def _searched(self, i: int) -> Search:
        if i not in self._searches:
            rest = [self._things[j] for j in self._beside(i) or ()]
            hidden = _together(rest, self._things[i].shape)
            self._searches[i] = search(look_at(self._image, self._things[i], hidden))
        return self._searches[i]

    def _told(self, i: int) -> _Told:
        if i not in self._tolds:
            votes = [self._searched(j) for j in self._beside(i) or ()]
            told_of = clues(self._searched(i), votes)
            self._tolds[i] = _Told(told_of, run(told_of.planes))
        return self._tolds[i]


def _covers(other: Mask, thing: Mask) -> bool:
    """Whether `thing` is drawn into the mask of another region."""
    common = np.count_nonzero(other.within(thing.box) & thing.crop)
    return bool(common > 0.85 * thing.area and other.area > 1.3 * thing.area)


def _beside(thing: Mask, others: Sequence[Mask]) -> list[Mask] | None:
    """The other things that matter: not parts of this one, not places, the nearest ones.

    None: the thing is too small, is a place itself, or part of another thing: what a part does to
    the light, the whole does.
    """
    height, width = thing.shape
    if not 16 <= thing.area <= _LARGEST * height * width:
        return None
    if any(_covers(other, thing) for other in others):
        return None
    x, y = thing.centroid()
    near: list[tuple[float, int, Mask]] = []
    for other in others:
        common = np.count_nonzero(other.within(thing.box) & thing.crop)
        part = common > 0.3 * min(other.area, thing.area)
        if part or not 64 < other.area < _LARGEST * height * width:
            continue
        ox, oy = other.centroid()
        near.append((math.hypot(ox - x, oy - y), len(near), other))
    return [other for _, _, other in sorted(near)[:_MOST_OTHERS]]


def _together(others: Sequence[Mask], shape: tuple[int, int]) -> Bool2D:
    out = np.zeros(shape, bool)
    for other in others:
        x0, y0, x1, y1 = other.box
        out[y0:y1, x0:x1] |= other.crop
    return out


def _of_shadow(own: Search, shadow: Shadow, thing: Mask) -> Effect:
    alpha = own.view.enlarged(shadow.alpha, thing.shape)
    x0, y0, x1, y1 = thing.box
    alpha[y0:y1, x0:x1][thing.crop] = 0
    percent = round(100 * shadow.darkness)
    light, family = None, shadow.fit.family
    if family in OF_LIGHT:
        sx, sy = own.view.scale
        light = shadow.fit.numbers[0] * sy / sx, shadow.fit.numbers[1]
        degrees = round(math.degrees(math.atan2(light[1], light[0]))) % 360
        where = f"along the scene's light, direction {degrees}°"
        if family == "folded":
            where += ", and up what rises behind"
    else:
        where = {"wall": "behind it, in its own outline", "below": "right below it"}[family]
    evidence = f"darker by {percent} % {where}"
    drop = (float(shadow.drop[0]), float(shadow.drop[1]), float(shadow.drop[2]))
    return Effect("casts", shadow.score, evidence, alpha, light, drop)


def _of_mirror(own: Search, image: MirrorImage, thing: Mask) -> Effect:
    alpha = own.view.enlarged(image.alpha, thing.shape)
    x0, y0, x1, y1 = thing.box
    alpha[y0:y1, x0:x1][thing.crop] = 0
    evidence = (
        f"its own picture upside down below it, {round(100 * image.strength)} % clear, "
        f"alike by {image.likeness:.2f}"
    )
    return Effect(
        "mirrors",
        image.score,
        evidence,
        alpha,
        strength=image.strength,
        factor=image.factor,
    )


def _overlap(a: Float2D, b: Float2D) -> float:
    common = float(np.minimum(a, b).sum())
    return common / max(float(a.sum()), 1e-6)


def light_angle(light: tuple[float, float]) -> float:
    """The direction of a shadow in the picture: degrees, 0 to the right, 90 up."""
    return math.degrees(math.atan2(light[1], light[0])) % 360
