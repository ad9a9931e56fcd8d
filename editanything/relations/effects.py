"""What a thing does to the rest of the picture: its shadows and its mirror image, as soft masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.clues import clues, turned
from editanything.relations.mirrors import MirrorImage, find_mirror_image
from editanything.relations.network import run
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
    own = search(look_at(image, thing, _all_but(rest, None, thing)))
    votes = [search(look_at(image, other, _all_but(rest, other, thing))) for other in rest]
    return _effects(own, votes, thing, least_score)


def find_all_effects(
    image: RGB, things: Sequence[Mask], *, least_score: float = SHOWN_FROM
) -> list[list[Effect]]:
    """The effects of each of some things, as `find_effects` has them; all at once is faster."""
    looked: dict[int, Search] = {}

    def searched(i: int) -> Search:
        if i not in looked:
            rest = _beside(things[i], [m for j, m in enumerate(things) if j != i]) or []
            looked[i] = search(look_at(image, things[i], _all_but(rest, None, things[i])))
        return looked[i]

    out: list[list[Effect]] = []
    for i, thing in enumerate(things):
        others = [m for j, m in enumerate(things) if j != i]
        rest = _beside(thing, others)
        if rest is None:
            out.append([])
            continue
        votes = [searched(next(j for j, m in enumerate(things) if m is other)) for other in rest]
        out.append(_effects(searched(i), votes, thing, least_score))
    return out


def signs_of(
    image: RGB, thing: Mask, others: Sequence[Mask] = ()
) -> list[tuple[Float2D, Floats] | None]:
    """The shadow and the mirror image that are likeliest: (H, W) pixels and what speaks for them.

    What the scores are fitted to; either is None where nothing is seen at all.
    """
    rest = _beside(thing, others)
    if rest is None:
        return [None, None]
    own = search(look_at(image, thing, _all_but(rest, None, thing)))
    votes = [search(look_at(image, other, _all_but(rest, other, thing))) for other in rest]
    shades, mirror = _seen(own, votes)
    out: list[tuple[Float2D, Floats] | None] = [None, None]
    if shades:
        alpha = np.maximum.reduce([shadow.alpha for shadow in shades])
        out[0] = own.view.enlarged(alpha, thing.shape), shades[0].features
    if mirror is not None:
        out[1] = own.view.enlarged(mirror.alpha, thing.shape), mirror.features
    return out


def _seen(own: Search, votes: Sequence[Search]) -> tuple[list[Shadow], MirrorImage | None]:
    view = own.view
    planes, _ = clues(own, votes)
    size = view.shape[1], view.shape[0]
    logits = (run(planes) + run(turned(planes))[..., ::-1]) / 2
    shaded = cv2.resize(logits[0], size, interpolation=cv2.INTER_CUBIC)
    return find_shadows(own, votes, shaded), find_mirror_image(view)


def _effects(own: Search, votes: Sequence[Search], thing: Mask, least_score: float) -> list[Effect]:
    """What the network sees of a thing, judged."""
    shades, mirror = _seen(own, votes)
    found: list[Effect] = []
    if mirror is not None and mirror.score >= least_score:
        found.append(_of_mirror(own, mirror, thing))
    for shadow in shades:
        if shadow.score < least_score:
            continue
        effect = _of_shadow(own, shadow, thing)
        if all(_overlap(effect.alpha, other.alpha) < 0.5 for other in found):
            found.append(effect)
    return sorted(found, key=lambda effect: -effect.score)


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


def _all_but(others: Sequence[Mask], one: Mask | None, thing: Mask) -> Bool2D:
    out = np.zeros(thing.shape, bool)
    for other in (*others, *(() if one is None else (thing,))):
        if other is not one:
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
