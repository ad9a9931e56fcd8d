"""What a picture tells about one thing's effects, pixel by pixel: planes for the small network.

The network (network.py) sees no more than a small picture; what lies far apart, that a shadow is
the thing's outline along the scene's light, and a mirror image its own picture upside down, is put
beside it as planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.mirrors import MirrorImage, find_mirror_image, flipped
from editanything.relations.search import Light, Search, filled, lights, nearby, thrown
from editanything.relations.shapes import FAMILIES
from editanything.relations.view import LUMA, View, ground_of
from editanything.types import Float2D

Floats = NDArray[np.float32]

SIDE_PX = 144  # longest side of what the network sees
PLANES = (
    "red", "green", "blue", "thing", "others", "inside", "below", "aside", "darker", "away",
    "outlines", "clearest", "light", "second_light", "shifted", "patch", "claimed", "flipped",
    "mirrored", "likeness",
)  # fmt: skip
#: What is added when the network looks again: what it said of this thing and of the others.
TOLD = ("told", "told_mirrored", "told_others", "others_cast", "others_mirrored")
PLANES_AGAIN = (*PLANES, *TOLD)
_SHARPNESS = 6.0


def reduced(view: View, side_px: int = SIDE_PX) -> View:
    """A view at most `side_px` long."""
    k = min(1.0, side_px / max(view.shape))
    if k == 1.0:
        return view
    size = max(8, round(view.shape[1] * k)), max(8, round(view.shape[0] * k))

    def small(plane: Floats) -> Floats:
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)

    thing, others, blocked = (
        small(m.astype(np.float32)) >= 0.5 for m in (view.thing, view.others, view.blocked)
    )
    if not thing.any():
        thing[size[1] // 2, size[0] // 2] = True
    ys, xs = np.flatnonzero(thing.any(1)), np.flatnonzero(thing.any(0))
    log = small(view.log)
    return replace(
        view,
        rgb=small(view.rgb),
        log=log,
        luma=log @ LUMA,
        thing=thing,
        others=others & ~thing,
        blocked=blocked | thing,
        size=float(np.sqrt(np.count_nonzero(thing))),
        bounds=(int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1),
    )


@dataclass(frozen=True, eq=False)
class Clues:
    """What the network is told of a thing.

    Attributes:
        planes: (len(PLANES), h, w).
        view: the reduced view that they belong to.
        mirror: the likeliest mirror image in that view; None without room for one.
    """

    planes: Floats
    view: View
    mirror: MirrorImage | None


def clues(own: Search, others: Sequence[Search]) -> Clues:
    """The planes of a thing.

    Args:
        own: of the thing.
        others: of the other things of the scene.
    """
    view = reduced(own.view)
    mirror = find_mirror_image(view)
    planes = [*_seen(view), *_shadows(own, others, view), *_mirrored(view, mirror)]
    cover = planes[PLANES.index("outlines")]
    planes.insert(PLANES.index("darker"), _darker(view, cover))
    return Clues(np.stack(planes).astype(np.float32), view, mirror)


@dataclass(frozen=True, eq=False)
class Look:
    """What the network said of a thing when it looked for the first time.

    Attributes:
        clues: what it was told.
        likely: (2, h, w) how likely each pixel is shaded, and mirrored in, 0..1.
        there: (2,) logits of there being a shadow, and a mirror image.
    """

    clues: Clues
    likely: Floats
    there: Floats


def clues_again(
    own: Search, first: Look, lights: tuple[Light, Light], others: Sequence[Look]
) -> Clues:
    """The planes of a thing that is looked at again.

    Args:
        own: of the thing.
        first: what was said of it.
        lights: of the scene, by what was said of all things.
        others: what was said of the other things.
    """
    view, planes = first.clues.view, list(first.clues.planes[: len(PLANES)])
    for name, light in zip(("light", "second_light"), lights, strict=True):
        planes[PLANES.index(name)] = _drawn(own, view, thrown(own, light), light.agreed)
    theirs = np.zeros(view.shape, np.float32)
    for other in others:
        theirs = np.maximum(theirs, _carried(other.likely[0], other.clues.view, view))
    told = {"told": first.likely[0], "told_mirrored": first.likely[1], "told_others": theirs}
    company = np.mean([o.there for o in others], axis=0) if others else np.zeros(2)
    for name, there in zip(("others_cast", "others_mirrored"), company, strict=True):
        told[name] = np.full(view.shape, np.clip(there / 4, -1, 1), np.float32)
    stacked = np.stack([*planes, *(told[name] for name in TOLD)])
    return Clues(stacked.astype(np.float32), view, first.clues.mirror)


def turned(planes: Floats) -> Floats:
    """The planes of the same scene, seen in a mirror to its left or right."""
    out = np.ascontiguousarray(planes[..., ::-1])
    out[PLANES.index("aside")] *= -1
    return out


def _seen(view: View) -> list[Floats]:
    free = ~view.blocked
    usual = np.median(view.log[free], axis=0) if free.any() else np.zeros(3, np.float32)
    colour = np.clip(view.log - usual, -2, 2)
    x0, y0, x1, y1 = view.bounds
    rows, columns = np.mgrid[: view.shape[0], : view.shape[1]].astype(np.float32)
    away = cv2.distanceTransform((~view.thing).astype(np.uint8), cv2.DIST_L2, 3)
    return [
        *np.moveaxis(colour, 2, 0),
        view.thing.astype(np.float32),
        view.others.astype(np.float32),
        np.ones(view.shape, np.float32),
        np.clip((rows - (y1 - 1)) / max(y1 - y0, 1), -2, 2),
        np.clip((columns - (x0 + x1 - 1) / 2) / max(view.size, 1.0), -4, 4) / 2,
        np.exp(-away / max(view.size, 1.0)),
    ]


def _darker(view: View, cover: Floats) -> Floats:
    """By how much it is darker than the ground around what may be in shadow."""
    ground = ground_of(view, view.luma, cover > 0.3)
    return np.clip(ground - view.luma, -1.5, 1.5)


def _drawn(own: Search, view: View, points: Floats, value: float) -> Floats:
    """(h, w) of a reduced view: `value` inside an outline of the whole view."""
    k = np.array(view.shape[::-1], np.float32) / np.array(own.view.shape[::-1], np.float32)
    return np.float32(value) * filled((points * k).astype(np.float32), view.shape)


def _carried(plane: Floats, source: View, view: View) -> Floats:
    """A plane of one view of a picture, as another view of it shows it."""
    # Pixel u of the new view shows the picture at x0 + (u + 0.5) / scale, as pixels' centres lie.
    to, of = np.array(view.scale), np.array(source.scale)
    k = of / to
    shift = (np.array(view.box[:2]) - np.array(source.box[:2])) * of + 0.5 * k - 0.5
    matrix = np.array([[k[0], 0, shift[0]], [0, k[1], shift[1]]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, view.shape[::-1], flags=how), np.float32)


def _shadows(own: Search, others: Sequence[Search], view: View) -> list[Floats]:
    def drawn(points: Floats, value: float) -> Floats:
        return _drawn(own, view, points, value)

    best = own.guesses[0].clear
    soft, total, clearest = np.zeros(view.shape, np.float32), 1e-6, np.zeros(view.shape, np.float32)
    for guess in own.guesses:
        weight = float(np.exp(_SHARPNESS * (guess.clear - best)))
        shape = drawn(guess.points, 1.0)
        soft += weight * shape
        total += weight
        clearest = np.maximum(clearest, guess.clear * shape)
    everyone = [own, *others]
    first, second = lights(everyone)
    by_name = {family.name: family for family in FAMILIES}
    claimed = np.zeros(view.shape, np.float32)
    for other in others:
        claimed = np.maximum(claimed, drawn(*other.claim(own.view)))
    return [
        soft / total,
        clearest,
        drawn(thrown(own, first), first.agreed),
        drawn(thrown(own, second), second.agreed),
        drawn(*nearby(own, everyone, by_name["wall"])),
        drawn(*nearby(own, everyone, by_name["below"])),
        claimed,
    ]


def _mirrored(view: View, mirror: MirrorImage | None) -> list[Float2D]:
    if mirror is None:
        return [np.zeros(view.shape, np.float32)] * 3
    shape, seen, added = flipped(view, mirror.factor, mirror.line)
    sigma = max(1.5, 0.1 * view.size)

    def smooth(plane: Floats) -> Floats:
        return cv2.GaussianBlur(plane * shape, (0, 0), sigma)

    both = smooth((seen * added).sum(2))
    own, theirs = smooth((added * added).sum(2)), smooth((seen * seen).sum(2))
    share = np.clip(both / (own + 30.0), -1, 1.5)
    return [shape, shape * share, shape * both / np.sqrt((own + 30.0) * (theirs + 30.0))]
