"""What a thing does to the rest of the picture: its shadows and its mirror image, as soft masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.clues import turned
from editanything.relations.mirrors import MirrorImage, told_mirror_image
from editanything.relations.network import run, weights
from editanything.relations.scene import Scene, beside
from editanything.relations.search import OF_LIGHT, Search
from editanything.relations.shadows import Shadow, find_shadows
from editanything.types import RGB, Box, Float2D, Mask

Floats = NDArray[np.float32]

#: Less likely effects are not even shown, and likely ones are taken along unless told otherwise.
SHOWN_FROM, SURE_FROM = 0.45, 0.8
#: A thing asked for by name ("and its shadow") is taken from this score on.
ASKED_FROM = 0.2
_UNSEEN = 1 / 255  # of an effect


@dataclass(frozen=True, eq=False)
class Effect:
    """A shadow or mirror image of one thing.

    Attributes:
        type: "casts" or "mirrors".
        score: how likely it is there, 0..1.
        evidence: why, in words.
        shape: (H, W) of the picture.
        box: of the picture, outside of which nothing of the effect lies.
        crop: (h, w) of the box, 0..1: how much of the effect lies on each pixel.
        light: (kx, ky) where the shadow falls on level ground: a point at height h throws its
            shadow to (x + kx h, foot - ky h).
        drop: logarithm by which red, green and blue are darker in it; zeros for a mirror image.
        strength: of a mirror image: the share of the thing in what is seen; else 0.
        factor: of a mirror image: its height per height of the thing.
    """

    type: str
    score: float
    evidence: str
    shape: tuple[int, int]
    box: Box
    crop: Float2D
    light: tuple[float, float] | None = None
    drop: tuple[float, float, float] = (0.0, 0.0, 0.0)
    strength: float = 0.0
    factor: float = 1.0

    @property
    def alpha(self) -> Float2D:
        """(H, W) how much of it lies on each pixel of the picture; made anew each time."""
        out = np.zeros(self.shape, np.float32)
        x0, y0, x1, y1 = self.box
        out[y0:y1, x0:x1] = self.crop
        return out

    def pixels(self, least: float = 0.5) -> Mask:
        """Where at least so much of it lies."""
        return Mask.placed(self.shape, (self.box[0], self.box[1]), self.crop >= least)


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
    rest = beside(thing, others)
    if rest is None:
        return []
    return _Found(image, [thing, *rest]).effects(0, least_score)


def find_all_effects(
    image: RGB, things: Sequence[Mask], *, least_score: float = SHOWN_FROM
) -> list[list[Effect]]:
    """The effects of each of some things, as `find_effects` has them; all at once is faster."""
    scene = _Found(image, things)
    return [scene.effects(i, least_score) for i in range(len(things))]


def signs_of(
    image: RGB, things: Sequence[Mask]
) -> list[tuple[tuple[Float2D, Floats] | None, tuple[Float2D, Floats] | None]]:
    """The shadow and the mirror image of each thing that are likeliest.

    (H, W) pixels and what speaks for them: what the scores are fitted to. Either is None where
    nothing is seen at all.
    """
    scene = _Found(image, things)
    return [scene.signs(i) for i in range(len(things))]


class _Found:
    """What is found around the things of one picture."""

    def __init__(self, image: RGB, things: Sequence[Mask]) -> None:
        self._scene, self._things = Scene(image, things), things

    def effects(self, i: int, least_score: float) -> list[Effect]:
        """What thing `i` does, judged; of two that lie on each other, the likelier."""
        found = self._seen(i)
        if found is None:
            return []
        own, thing = self._scene.search(i), self._things[i]
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
        view, shape = self._scene.search(i).view, self._things[i].shape
        first = second = None
        if shades:
            alpha = np.maximum.reduce([shadow.alpha for shadow in shades])
            first = view.enlarged(alpha, shape), shades[0].features
        if mirror is not None:
            second = view.enlarged(mirror.alpha, shape), mirror.features
        return first, second

    def _seen(self, i: int) -> tuple[list[Shadow], MirrorImage | None] | None:
        beside = self._scene.beside(i)
        if beside is None:
            return None
        own, votes = self._scene.search(i), [self._scene.search(j) for j in beside]
        asked = self._scene.again(i)
        # Asked once more in a mirror to its side, the network errs in other places.
        told, turn = (
            run(planes, weights("again")) for planes in (asked.planes, turned(asked.planes))
        )
        logits = (told.pixels + turn.pixels[..., ::-1]) / 2
        company = [look.there for look in self._scene.company(i)]
        there = np.concatenate(
            [(told.there + turn.there) / 2, np.mean(company, axis=0) if company else np.zeros(2)]
        ).astype(np.float32)
        view = own.view
        size = view.shape[1], view.shape[0]
        shaded, mirrored = (cv2.resize(p, size, interpolation=cv2.INTER_CUBIC) for p in logits)
        mirror = asked.mirror
        if mirror is not None:
            mirror = told_mirror_image(view, mirror, mirrored, there)
        return find_shadows(own, votes, shaded, there, self._scene.lights(i)), mirror


def _lying(own: Search, soft: Float2D, thing: Mask) -> tuple[tuple[int, int], Box, Float2D]:
    """Of a soft mask of the thing's view: the picture's shape, a box of it, the mask in the box."""
    view = own.view
    crop = view.natively(soft)
    crop[thing.within(view.box)] = 0
    x0, y0, x1, y1 = Mask.of(crop > _UNSEEN).box
    x, y = view.box[:2]
    return thing.shape, (x + x0, y + y0, x + x1, y + y1), crop[y0:y1, x0:x1].copy()


def _of_shadow(own: Search, shadow: Shadow, thing: Mask) -> Effect:
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
    where_it_lies = _lying(own, shadow.alpha, thing)
    return Effect("casts", shadow.score, evidence, *where_it_lies, light, drop)


def _of_mirror(own: Search, image: MirrorImage, thing: Mask) -> Effect:
    evidence = (
        f"its own picture upside down below it, {round(100 * image.strength)} % clear, "
        f"alike by {image.likeness:.2f}"
    )
    return Effect(
        "mirrors",
        image.score,
        evidence,
        *_lying(own, image.alpha, thing),
        strength=image.strength,
        factor=image.factor,
    )


def _overlap(a: Float2D, b: Float2D) -> float:
    common = float(np.minimum(a, b).sum())
    return common / max(float(a.sum()), 1e-6)


def light_angle(light: tuple[float, float]) -> float:
    """The direction of a shadow in the picture: degrees, 0 to the right, 90 up."""
    return math.degrees(math.atan2(light[1], light[0])) % 360
