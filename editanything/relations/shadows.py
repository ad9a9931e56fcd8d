"""Shadows: which pixels of the ground a thing keeps the light from, how much, and how surely.

The network (network.py) says where; the ground around says how dark, and moves the rim to where it
is seen; the outline that fits best says which light it was (search.py). How likely all of it is a
shadow is judged by signs that were weighed on scenes whose truth is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.chance import outline_chance, patch_chance
from editanything.relations.contours import weigh
from editanything.relations.search import KX, KY, OF_LIGHT, Light, Search, filled, thrown
from editanything.relations.shapes import FAMILIES, Family, Grid, outline
from editanything.relations.view import DARKEST, LUMA, View, ground_of
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]

_LEAST_PX = 14  # pixels of the view that a shadow has at least
_PIECE = 0.04  # of a shadow: smaller pieces are none of it
_FAINTEST, _BLACKEST = 0.03, 0.12  # darkness of less than 3 % or more than 88 % speaks against one
_TRUST, _DATA = 1.0, 0.5  # in the network, and in what is darker than the ground around
_HARDLY = -3.5  # logit: what the network is so sure of stays out
_CORE = 67  # percentile of a shadow's darkness that speaks for it: its rim is less dark
_NEIGHBOURS = 2  # rounds of looking around the outline that fits best
_SECOND = 0.22  # of a shadow, that the first light must leave over for a second one
_FITS = 0.45  # IoU with a light's outline
_AS_GOOD = 0.04  # of IoU: the light that all things agree on is the likelier one


@dataclass(frozen=True, eq=False)
class Fit:
    """The outline that a shadow's pixels fit best.

    Attributes:
        family: how it falls: "ground", "folded", "wall" or "below".
        numbers: of the family: of "ground" and "folded", kx and ky come first.
        iou: of the outline with the pixels.
        shape: (h, w) of the view, its pixels.
    """

    family: str
    numbers: tuple[float, ...]
    iou: float
    shape: Bool2D


@dataclass(frozen=True, eq=False)
class Shadow:
    """A shadow that a thing may cast.

    Attributes:
        alpha: (h, w) of the view: how much of the shadow lies on each pixel.
        fit: how it falls.
        drop: (3,) logarithm by which each channel is darker in its core, red first.
        features: what speaks for it, see FEATURES.
    """

    alpha: Float2D
    fit: Fit
    drop: Floats
    features: Floats

    @property
    def darkness(self) -> float:
        """The share of the levels that it takes away, 0..1."""
        return float(1 - np.exp(-float(self.drop @ LUMA)))

    @property
    def score(self) -> float:
        """How likely it is there, 0..1; fitted on scenes whose truth is known."""
        likely = float(1 / (1 + np.exp(-(self.features @ WEIGHTS + BIAS))))
        # Hardly darker is hardly a shadow; black is a thing of its own.
        return likely * min(1.0, self.darkness / _FAINTEST, (1 - self.darkness) / _BLACKEST)


#: What a shadow is judged by; each is about 0..1.
FEATURES = (
    "sure", "surest", "unclear", "share", "steadiness", "seen", "certainty", "same_hue", "inside",
    "even", "contained", "touching", "same_texture", "area", "agreed", "outline_chance",
    "patch_chance", "claimed", "darkness", "fits", "alone", "there", "mirrored",
    "others_cast", "others_mirrored", "in_light", "light_agreed",
)  # fmt: skip
# See benchmarks/relations_judge.py.
WEIGHTS = np.array(
    [-0.021, 1.153, -1.754, 1.325, -0.807, -0.327, -0.011, 0.609, 1.242, -2.081, 0.239,
     1.344, -0.098, -0.305, 3.627, 0.023, 1.011, -2.057, 0.14, 1.671, 1.158, 2.199,
     0.331, 0.481, 0.096, 0.011, 2.224],
    np.float32,
)  # fmt: skip
BIAS = -5.07


def find_shadows(
    own: Search,
    others: Sequence[Search],
    logit: Float2D,
    there: Floats,
    agreed: tuple[Light, Light],
) -> list[Shadow]:
    """The shadow that a thing casts, or both where there are two lights.

    Args:
        own: of the thing.
        others: of other things of the scene: the light is one for all of it.
        logit: (h, w) of the view, the network's.
        there: (4,) its logits of "it casts a shadow" and "it is mirrored", and the means of what
            it says of the other things.
        agreed: the lights that explain all things of the scene best.
    """
    view = own.view
    alpha, drop, signs = refined(view, view.log, logit)
    mask = alpha > 0.5
    if np.count_nonzero(mask) < _LEAST_PX:
        return []
    of_light, fit = _in_light(own, mask, agreed, fitted(own, mask))
    known = of_light, agreed[0].agreed if others else 0.0
    signs = *signs, *np.clip(there / 4, -2, 2), *known
    features = _features(own, others, (alpha, logit), fit, drop, signs)
    second = _second(own, mask, fit)
    if second is None:
        return [Shadow(alpha, fit, _depth(view, mask, mask, drop), features)]
    nearer = _nearer(fit.shape, second.shape)
    out = []
    for one, where in ((fit, nearer), (second, ~nearer)):
        own_drop = _depth(view, mask, mask & where, drop)
        out.append(Shadow((alpha * where).astype(np.float32), one, own_drop, features))
    return sorted(out, key=lambda shadow: -float(shadow.alpha.sum()))


def _depth(view: View, mask: Bool2D, part: Bool2D, usual: Floats) -> Floats:
    """(3,) by how much the logarithm of each channel falls in a part of a shadow, rim left out.

    What was added before the logarithm is taken off again; `usual` where the part is tiny.
    """
    core = part & ~view.blocked
    if np.count_nonzero(core) < _LEAST_PX:
        return usual
    ground = ground_of(view, view.log, _grown(mask, 3))
    seen = cv2.GaussianBlur(view.log, (0, 0), 0.8)
    before, after = (np.log(np.maximum(np.exp(p) - DARKEST, 0.01)) for p in (ground, seen))
    fall = np.percentile((before - after)[core], _CORE, axis=0)
    return np.maximum(fall, 0).astype(np.float32)


def refined(view: View, log: Floats, logit: Float2D) -> tuple[Float2D, Floats, tuple[float, ...]]:
    """What is really dark where the network proposes a shadow.

    Returns:
        alpha (h, w); the drop (3,); and the share of the proposed pixels that are darker than the
        ground around them, how even the darkness is, and the share of what is around that is not
        as dark.
    """
    free = ~view.thing & ~view.others
    mask, total = (logit > 0) & free, logit
    drop, spread, r = np.zeros(3, np.float32), 1.0, np.zeros(view.shape, np.float32)
    for _ in range(2):
        grown = _grown(mask, 3)
        core = mask & ~view.blocked
        if np.count_nonzero(core) < 4:
            break
        darker = ground_of(view, log, grown) - cv2.GaussianBlur(log, (0, 0), 0.8)
        r = darker @ LUMA
        drop = np.median(darker[core], axis=0).astype(np.float32)
        level = max(float(np.median(r[core])), 0.02)
        ring = _grown(grown, max(2, round(0.2 * view.size))) & ~view.blocked & ~grown
        outside = float(np.sqrt(np.mean(np.square(r[ring])))) if ring.any() else 0.2
        spread = float(np.std(r[core]))
        sigma = max(0.5 * (outside + spread), 0.25 * level, 0.02)
        data = np.clip((np.clip(r, -0.2, 2 * level) - level / 2) * level / sigma**2, -4, 4)
        total = cv2.GaussianBlur((_TRUST * logit + _DATA * data).astype(np.float32), (0, 0), 0.8)
        total[logit < _HARDLY] = -9
        mask = _pieces((total > 0) & free)
    likely = 1 / (1 + np.exp(-np.clip(total, -20, 20)))
    alpha: Float2D = np.where(_grown(mask, 3) & free, likely, 0).astype(np.float32)
    core = (logit > 0) & free & ~view.blocked
    level = max(float(drop @ LUMA), 1e-3)
    inside = float(np.mean(r[core] > 0.4 * level)) if core.any() and level > 0.02 else 0.0
    far = max(3, round(0.12 * view.size))
    ring = _grown(mask, far) & ~_grown(mask, 2) & ~view.blocked
    contained = float(np.mean(r[ring] < 0.5 * level)) if ring.any() else 0.0
    drop = np.maximum(drop, 0).astype(np.float32)
    return alpha, drop, (inside, level / (level + spread), contained)


def fitted(own: Search, mask: Bool2D) -> Fit:
    """The outline, of all that were tried, that the pixels of a shadow fit best."""
    k = min(1.0, 72 / max(mask.shape))
    size = max(8, round(mask.shape[1] * k)), max(8, round(mask.shape[0] * k))
    scale = np.array([size[0] / mask.shape[1], size[1] / mask.shape[0]])
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    hidden = own.view.blocked.astype(np.float32)
    free = cv2.resize(hidden, size, interpolation=cv2.INTER_AREA) < 0.5

    def best_of(family: Family, grid: Grid) -> tuple[float, NDArray[np.float64]]:
        placed, _ = family.place(own.view, own.points, grid)
        best, at = -1.0, 0
        for i, points in enumerate(placed * scale):
            overlap = _iou(filled(points, small.shape) & free, small & free)
            if overlap > best:
                best, at = overlap, i
        return best, grid[at]

    top: tuple[float, Family, NDArray[np.float64]] | None = None
    for family in FAMILIES:
        grid = [g.numbers for g in own.guesses if g.family is family]
        if family.name == "ground":
            all_of_it = family.grid(own.view)
            grid.extend(all_of_it[all_of_it[:, 2] == 0])
        if not grid:
            continue
        iou, numbers = best_of(family, np.array(grid))
        if top is None or iou > top[0] + 0.02:  # the plainest family, where two are as good
            top = iou, family, numbers
    assert top is not None, "a search has guesses"
    iou, family, numbers = top
    for halving in range(_NEIGHBOURS):
        steps = np.array(family.steps) / 2**halving
        better, near = best_of(family, around(numbers[None], steps))
        if better > iou:
            iou, numbers = better, near
    points = family.place(own.view, own.points, numbers[None])[0][0]
    shape = filled(points, own.view.shape)
    return Fit(family.name, tuple(float(n) for n in numbers), iou, shape)


def _in_light(
    own: Search, mask: Bool2D, agreed: tuple[Light, Light], fit: Fit
) -> tuple[float, Fit]:
    """The IoU of a shadow with what the scene's lights throw; and a light that fits as well."""
    free = ~own.view.blocked
    shapes = [filled(thrown(own, light), mask.shape) for light in agreed]
    ious = [_iou(shape & free, mask & free) for shape in shapes]
    best = int(np.argmax(ious))
    if fit.family in OF_LIGHT and ious[best] > fit.iou - _AS_GOOD:
        numbers = agreed[best].kx, agreed[best].ky, 0.0
        fit = Fit("ground", numbers, ious[best], shapes[best])
    both = _iou((shapes[0] | shapes[1]) & free, mask & free)
    return max(*ious, both), fit


def around(centres: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every centre and its neighbours a step away, in one or two of its numbers."""
    k = len(steps)
    moves = np.stack(np.meshgrid(*[(-1.0, 0.0, 1.0)] * k, indexing="ij"), -1).reshape(-1, k)
    moves = moves[np.abs(moves).sum(1) <= 2]
    return (centres[:, None] + moves[None] * steps).reshape(-1, k)


def _second(own: Search, mask: Bool2D, first: Fit) -> Fit | None:
    """How the rest of a shadow falls, where one light leaves much of it over."""
    if first.family not in OF_LIGHT:
        return None
    rest = mask & ~_grown(first.shape, max(2, round(0.05 * own.view.size)))
    rest = _pieces(rest)
    if np.count_nonzero(rest) < max(_LEAST_PX, _SECOND * np.count_nonzero(mask)):
        return None
    fit = fitted(own, rest)
    return fit if fit.iou > _FITS and fit.family in OF_LIGHT else None


def _features(
    own: Search,
    others: Sequence[Search],
    proposed: tuple[Float2D, Float2D],
    fit: Fit,
    drop: Floats,
    signs: tuple[float, ...],
) -> Floats:
    """What speaks for a shadow, in the order of FEATURES."""
    view, (alpha, logit) = own.view, proposed
    mask = alpha > 0.5
    likely = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    free = ~view.thing & ~view.others
    points = outline(mask)
    meant = np.ones((1, len(points)), bool)
    e = weigh(view, points[None], meant, own.luma, own.noise)
    step, rank = float(e.step[0]), float(e.rank[0])
    level = max(float(drop @ LUMA), 1e-3)
    unclear = float(likely[free & ~mask].sum()) / max(float(likely[free].sum()), 1e-3)
    return np.array(
        [
            float(likely[mask].mean()),
            float(np.percentile(likely[mask], 90)),
            unclear,
            e.share[0],
            step / max(np.hypot(step, float(e.spread[0])), 1e-6),
            min(float(e.seen[0]) / 0.5, 1.0),
            np.tanh(float(e.certainty[0]) / 8),
            1 - min(float(np.ptp(drop)) / level, 1.0),
            *signs[:3],
            _touching_share(view, mask),
            same_texture(view, view.log, mask),
            min(float(np.sqrt(np.count_nonzero(mask))) / view.size, 1.5),
            _agreement(fit, others),
            outline_chance(view, points, meant[0], rank, own.luma, own.noise),
            patch_chance(view, mask, view.log @ LUMA),
            _claimed(view, mask, others),
            min(level / 0.3, 1.0),
            fit.iou,
            float(not others),
            *signs[3:],
        ],
        np.float32,
    )


def _agreement(fit: Fit, others: Sequence[Search]) -> float:
    """How well the light, or the way to fall, explains the other things, 0..1."""
    if not others:
        return 0.0
    if fit.family in OF_LIGHT:
        i, j = np.abs(KX - fit.numbers[0]).argmin(), np.abs(KY - fit.numbers[1]).argmin()
        return float(np.mean([other.table[i, j] for other in others]))
    family = next(f for f in FAMILIES if f.name == fit.family)
    alike = []
    for other in others:
        grid = family.grid(other.view)
        close = (np.abs(grid - np.array(fit.numbers)) <= 4 * np.array(family.steps)).all(1)
        alike.append(float(other.near[fit.family][close].max(initial=0.0)))
    return float(np.mean(alike))


def _claimed(view: View, mask: Bool2D, others: Sequence[Search]) -> float:
    """The share of a shadow that another thing claims for its own, times how clearly, 0..1."""
    most = 0.0
    for other in others:
        points, clear = other.claim(view)
        theirs = np.count_nonzero(filled(points, mask.shape) & mask)
        most = max(most, clear * int(theirs) / max(1, int(np.count_nonzero(mask))))
    return most


def _touching_share(view: View, mask: Bool2D) -> float:
    """Whether a shadow begins at its thing: 1 at the thing, 0 from a third of its size on."""
    away = cv2.distanceTransform((~view.thing).astype(np.uint8), cv2.DIST_L2, 3)
    return max(0.0, 1 - float(away[mask].min()) / (0.33 * view.size))


def same_texture(view: View, log: Floats, mask: Bool2D) -> float:
    """Light falls away by a factor, so a ground's contrast stays: 1 the same, 0 quite another."""
    luma = log @ LUMA
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5))
    inside = (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~view.blocked
    outside = _grown(mask, 7) & ~_grown(mask, 2) & ~view.blocked
    if np.count_nonzero(inside) < 8 or np.count_nonzero(outside) < 8:
        return 0.5
    ratio = (np.mean(fine[inside]) + 0.004) / (np.mean(fine[outside]) + 0.004)
    return float(np.exp(-abs(np.log(ratio))))


def _nearer(one: Bool2D, other: Bool2D) -> Bool2D:
    """(h, w) the pixels that are nearer to `one`."""
    away = [cv2.distanceTransform((~m).astype(np.uint8), cv2.DIST_L2, 3) for m in (one, other)]
    return away[0] <= away[1]


def _pieces(mask: Bool2D) -> Bool2D:
    """A mask without its smallest pieces."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA]
    stay = area >= max(3.0, _PIECE * float(area[1:].sum()))
    stay[0] = False
    return stay[labels]


def _grown(mask: Bool2D, radius_px: int) -> Bool2D:
    side = 2 * radius_px + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def _iou(a: Bool2D, b: Bool2D) -> float:
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 1.0
