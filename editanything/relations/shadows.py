"""Shadows: which pixels of the ground a thing keeps the light from, and how much.

Outlines that a shadow may have are put to the picture (shapes.py, contours.py); the best ones are
filled and compared with the ground as it goes on around them; the one that explains most is
refined pixel by pixel, so that it follows a curved ground, a kerb or a wall; then the picture is
looked at again as if that shadow were not there, for a second light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.chance import outline_chance, patch_chance
from editanything.relations.contours import Evidence, texture_noise, weigh
from editanything.relations.shapes import FAMILIES, Family, Grid, outline
from editanything.relations.view import LUMA, View, ground_of
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]

_CANDIDATES = 6  # outlines that are filled and measured
_PER_FAMILY = 14  # of which are looked around
_SAME = 0.6  # IoU from which two outlines are one
_LEAST_PX = 14  # pixels of the view that a shadow has at least
_MOST_SHADOWS = 2
_FAINTEST, _BLACKEST = 0.03, 0.12  # darkness of less than 3 % or more than 88 % speaks against one


@dataclass(frozen=True, eq=False)
class Shadow:
    """A shadow that a thing may cast.

    Attributes:
        alpha: (h, w) of the view: how much of the shadow lies on each pixel.
        family: how it falls: "ground", "folded", "wall" or "below".
        numbers: of the family: of "ground", kx and ky come first.
        drop: (3,) logarithm by which each channel is darker in it, red first.
        features: what speaks for it, see FEATURES.
        alone: whether no other thing could say where the light comes from.
    """

    alpha: Float2D
    family: str
    numbers: tuple[float, ...]
    drop: Floats
    features: Floats
    alone: bool

    @property
    def darkness(self) -> float:
        """The share of the levels that it takes away, 0..1."""
        return float(1 - np.exp(-float(self.drop @ LUMA)))

    @property
    def score(self) -> float:
        """How likely it is there, 0..1; fitted on scenes whose truth is known."""
        weights, bias = (WEIGHTS_ALONE, BIAS_ALONE) if self.alone else (WEIGHTS, BIAS)
        likely = float(1 / (1 + np.exp(-(self.features @ weights + bias))))
        # Hardly darker is hardly a shadow; black is a thing of its own.
        return likely * min(1.0, self.darkness / _FAINTEST, (1 - self.darkness) / _BLACKEST)


#: What a shadow is judged by; each is about 0..1.
FEATURES = (
    "share", "steadiness", "seen", "length", "certainty", "same_hue", "inside", "even", "fits",
    "step", "contained", "touching", "same_texture", "area", "agreed", "outline_chance",
    "patch_chance", "claimed", "darkness",
)  # fmt: skip
# Logistic regression on some 8000 outlines of 741 things of development scenes, half of them on
# grounds that are hard (bricks, tiles, planks, stones, coins, print): among other things, and
# alone. The biases are set so that a score of 0.8 is where, in cross-validation, 2 % of the things
# that cast nothing would be edited along.
WEIGHTS = np.array(
    [4.051, 2.467, 3.192, -0.961, -0.553, 1.613, 2.217, 2.473, 0.585, -1.813, 4.613, 4.305, 1.631,
     -1.222, 6.085, 4.393, 3.188, -2.067, -0.883], np.float32,
)  # fmt: skip
BIAS = -25.70
WEIGHTS_ALONE = np.array(
    [4.494, 2.865, 2.116, 1.089, -0.028, 2.167, 2.443, 3.472, 1.593, -1.338, 6.144, 4.002, 1.269,
     -1.721, 0.0, 4.876, 3.038, 0.0, -0.864], np.float32,
)  # fmt: skip
BIAS_ALONE = -31.42


@dataclass(frozen=True, eq=False)
class Candidate:
    """One outline with its evidence."""

    family: Family
    numbers: Floats  # (k,)
    points: Floats  # (N, 2)
    evidence: Evidence  # of this one; arrays of one
    chance: float  # of `outline_chance`


@dataclass(frozen=True, eq=False)
class Scan:
    """What one thing's surroundings say about its shadow, before the whole scene is asked."""

    view: View
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, eq=False)
class Vote:
    """What one of the other things says.

    Attributes:
        table: (len(KX), len(KY)) how well each light explains what is seen around it.
        near: of each family that names no light: its numbers (n, k), and how well each (n,) does.
        outline: (N, 2) in the picture: the shadow that it most likely throws.
        rank: of that outline.
    """

    table: Floats
    near: Mapping[str, tuple[Grid, Floats]]
    outline: Floats
    rank: float


#: Families whose first two numbers are the light; and the lights that are voted on.
_OF_LIGHT = ("ground", "folded")
KX = np.linspace(-2.2, 2.2, 34)
KY = np.array([-1.1, -0.9, -0.75, -0.62, -0.5, -0.4, -0.3, -0.2, -0.12])
KY = np.r_[KY, -KY[::-1]]


def scan(view: View) -> Scan:
    """Put every outline of every family to the picture."""
    luma = cv2.GaussianBlur(view.log @ LUMA, (0, 0), 1.2)
    noise = texture_noise(luma, view.blocked)
    points = outline(view.thing)
    found: list[tuple[float, Candidate]] = []
    for family in FAMILIES:
        grid = family.grid(view)
        coarse = weigh(view, *family.place(view, points[::2], grid), luma, noise)
        best = np.argsort(-coarse.rank)[:_PER_FAMILY]
        grid = _around(grid[best], np.array(family.steps))
        placed, meant = family.place(view, points, grid)
        fine = weigh(view, placed, meant, luma, noise)
        for i in np.argsort(-fine.rank)[: 6 * _PER_FAMILY]:
            one = Evidence(*(getattr(fine, n)[i : i + 1] for n in _NAMES))
            found.append((float(fine.rank[i]), Candidate(family, grid[i], placed[i], one, 0.0)))
    apart = []
    for c in _apart(view, found):
        meant = c.family.place(view, points, c.numbers[None].astype(np.float64))[1][0]
        rank = float(c.evidence.rank[0])
        chance = outline_chance(view, c.points, meant, rank, luma, noise)
        apart.append(replace(c, chance=chance))
    return Scan(view, tuple(apart))


def vote_of(view: View) -> Vote:
    """What is seen around the view's thing says about the scene's light, and what it throws."""
    luma = cv2.GaussianBlur(view.log @ LUMA, (0, 0), 1.2)
    noise = texture_noise(luma, view.blocked)
    points = outline(view.thing)[::2]
    table = np.zeros((len(KX), len(KY)), np.float32)
    near: dict[str, tuple[Grid, Floats]] = {}
    best, shape = -1.0, points
    for family in FAMILIES:
        grid = family.grid(view)
        placed, meant = family.place(view, points, grid)
        rank = weigh(view, placed, meant, luma, noise).rank
        top = int(np.argmax(rank))
        if rank[top] > best:
            best, shape = float(rank[top]), placed[top]
        if family.name in _OF_LIGHT:
            i = np.abs(KX[None] - grid[:, :1]).argmin(1)
            j = np.abs(KY[None] - grid[:, 1:2]).argmin(1)
            np.maximum.at(table, (i, j), np.clip(rank / 2, 0, 1))
        else:
            near[family.name] = grid, np.clip(rank / 2, 0, 1)
    outside = shape / np.array(view.scale) + np.array(view.box[:2])
    table = cv2.GaussianBlur(table, (0, 0), 0.7)
    return Vote(table, near, outside.astype(np.float32), best)


def _apart(view: View, found: list[tuple[float, Candidate]]) -> tuple[Candidate, ...]:
    """The best outlines, no two of them nearly the same."""
    out: list[Candidate] = []
    filled: list[Bool2D] = []
    for _, candidate in sorted(found, key=lambda pair: -pair[0]):
        shape = fill_outline(view, candidate.points)
        if np.count_nonzero(shape) < _LEAST_PX:
            continue
        if all(_iou(shape, other) < _SAME for other in filled):
            out.append(candidate)
            filled.append(shape)
        if len(out) == _CANDIDATES:
            break
    return tuple(out)


def find_shadows(own: Scan, others: Sequence[Vote] = (), *, least_score: float) -> list[Shadow]:
    """The shadows that a thing casts, the clearest of each light; best first.

    Args:
        own: of the thing.
        others: what `vote_of` says around other things: the light is one for the whole scene.
        least_score: shadows that are less likely are left out.
    """
    log = own.view.log
    found: list[Shadow] = []
    while len(found) < _MOST_SHADOWS:
        taken = [s.alpha for s in found]
        measured = (measure(own, log, c, others, taken) for c in own.candidates)
        best = max((s for s in measured if s is not None), key=lambda s: s.score, default=None)
        if best is None or best.score < least_score:
            break
        found.append(best)
        log = log + best.alpha[..., None] * best.drop
    return found


_NAMES = ("step", "share", "spread", "seen", "length", "certainty", "rank")


def _around(centres: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every centre and its neighbours half a grid away."""
    k = len(steps)
    moves = np.stack(np.meshgrid(*[(-1.0, 0.0, 1.0)] * k, indexing="ij"), -1).reshape(-1, k)
    moves = moves[np.abs(moves).sum(1) <= 2]
    return (centres[:, None] + moves[None] * steps).reshape(-1, k)


def fill_outline(view: View, points: Floats) -> Bool2D:
    """The pixels inside an outline (N, 2), without the thing and what stands in front."""
    canvas = np.zeros(view.shape, np.uint8)
    cv2.fillPoly(canvas, [np.round(points * 8).astype(np.int32)], 1, shift=3)
    return (canvas > 0) & ~view.thing & ~view.others


def _iou(a: Bool2D, b: Bool2D) -> float:
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 1.0


def measure(
    own: Scan, log: Floats, candidate: Candidate, others: Sequence[Vote], taken: Sequence[Float2D]
) -> Shadow | None:
    """The candidate's pixels, darkness and features; None where it does not darken anything."""
    view = own.view
    shape = fill_outline(view, candidate.points)
    if any(_iou(shape, alpha > 0.5) > 0.5 for alpha in taken):
        return None
    alpha, drop, inside, even, contained = refined(view, log, shape)
    mask = alpha > 0.5
    if np.count_nonzero(mask) < _LEAST_PX:
        return None
    e = candidate.evidence
    step = float(e.step[0])
    level = max(float(drop @ LUMA), 1e-3)
    features = np.array(
        [
            e.share[0],
            step / max(np.hypot(step, e.spread[0]), 1e-6),
            min(float(e.seen[0]) / 0.5, 1.0),
            min(float(e.length[0]) / (2 * view.size), 1.0),
            np.tanh(float(e.certainty[0]) / 8),
            1 - min(float(np.ptp(drop)) / level, 1.0),
            inside,
            even,
            _iou(shape, mask),
            min(step / 0.3, 1.0),
            contained,
            _touching_share(view, mask),
            same_texture(view, log, mask),
            min(float(np.sqrt(np.count_nonzero(mask))) / view.size, 1.5),
            _agreement(candidate, others),
            candidate.chance,
            patch_chance(view, shape, log @ LUMA),
            _claimed(view, mask, candidate, others),
            min(level / 0.3, 1.0),
        ],
        np.float32,
    )
    numbers = tuple(float(n) for n in candidate.numbers)
    return Shadow(alpha, candidate.family.name, numbers, drop, features, not others)


def refined(view: View, log: Floats, shape: Bool2D) -> tuple[Float2D, Floats, float, float, float]:
    """What is really dark around a proposed shape.

    Returns:
        alpha (h, w); the drop (3,); the share of the shape that is darker than the ground around
        it; how even the darkness is; and the share of what is around it that is not as dark.
    """
    free = ~view.thing & ~view.others
    away = _signed_distance(shape)
    tau = 2.0 + 0.08 * view.size
    prior = -3.0 * np.tanh(away / tau)
    mask, alpha = shape, shape.astype(np.float32)
    drop, spread = np.zeros(3, np.float32), 1.0
    for _ in range(2):
        grown = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        darker = ground_of(view, log, grown) - cv2.GaussianBlur(log, (0, 0), 1.2)
        r = darker @ LUMA
        core = mask & ~view.blocked
        if np.count_nonzero(core) < 4:
            break
        drop = np.median(darker[core], axis=0).astype(np.float32)
        level = max(float(np.median(r[core])), 0.02)
        ring = (away > 3) & (away < 3 + 0.35 * view.size) & ~view.blocked & ~grown
        outside = float(np.sqrt(np.mean(np.square(r[ring])))) if ring.any() else 0.2
        spread = float(np.std(r[core]))
        sigma = max(0.5 * (outside + spread), 0.25 * level, 0.02)
        data = np.clip((np.clip(r, -0.2, 2 * level) - level / 2) * level / sigma**2, -4, 4)
        logit = cv2.GaussianBlur((data + prior).astype(np.float32), (0, 0), 1.3)
        alpha = (1 / (1 + np.exp(-logit))).astype(np.float32)
        alpha[(away > 3.2 * tau) | ~free] = 0
        mask = _touching(alpha > 0.5, shape)
        alpha = np.where(cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0, alpha, 0)
    core = shape & ~view.blocked
    level = max(float(drop @ LUMA), 1e-3)
    inside = float(np.mean(r[core] > 0.4 * level)) if core.any() and level > 0.02 else 0.0
    ring = (away > tau) & (away < 3 * tau) & ~view.blocked
    contained = float(np.mean(r[ring] < 0.5 * level)) if ring.any() else 0.0
    even = level / (level + spread)
    return alpha.astype(np.float32), np.maximum(drop, 0), inside, even, contained


def _agreement(candidate: Candidate, others: Sequence[Vote]) -> float:
    """How well the candidate's light, or its way to fall, explains the other things, 0..1."""
    if not others:
        return 0.0
    if candidate.family.name in _OF_LIGHT:
        kx, ky = candidate.numbers[:2]
        i, j = np.abs(KX - kx).argmin(), np.abs(KY - ky).argmin()
        return float(np.mean([vote.table[i, j] for vote in others]))
    steps = 4 * np.array(candidate.family.steps)
    alike = []
    for vote in others:
        grid, rank = vote.near[candidate.family.name]
        close = (np.abs(grid - candidate.numbers) <= steps).all(1)
        alike.append(float(rank[close].max(initial=0.0)))
    return float(np.mean(alike))


def _claimed(view: View, mask: Bool2D, candidate: Candidate, others: Sequence[Vote]) -> float:
    """The share of a shadow that another thing claims for its own with better reasons, 0..1."""
    most = 0.0
    rank = max(float(candidate.evidence.rank[0]), 1e-3)
    for vote in others:
        inside = (vote.outline - np.array(view.box[:2])) * np.array(view.scale)
        theirs = fill_outline(view, inside.astype(np.float32)) & mask
        share = int(np.count_nonzero(theirs)) / max(1, int(np.count_nonzero(mask)))
        most = max(most, share * vote.rank / (max(vote.rank, 0.0) + rank))
    return most


def _touching_share(view: View, mask: Bool2D) -> float:
    """Whether a shadow begins at its thing: 1 at the thing, 0 from a third of its size on."""
    away = cv2.distanceTransform((~view.thing).astype(np.uint8), cv2.DIST_L2, 3)
    return max(0.0, 1 - float(away[mask].min()) / (0.33 * view.size))


def same_texture(view: View, log: Floats, mask: Bool2D) -> float:
    """Light falls away by a factor, so a ground's contrast stays: 1 the same, 0 quite another."""
    luma = log @ LUMA
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5))
    near = cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    rim = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    inside = (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~view.blocked
    outside = near & ~rim & ~view.blocked
    if np.count_nonzero(inside) < 8 or np.count_nonzero(outside) < 8:
        return 0.5
    ratio = (np.mean(fine[inside]) + 0.004) / (np.mean(fine[outside]) + 0.004)
    return float(np.exp(-abs(np.log(ratio))))


def _signed_distance(mask: Bool2D) -> Float2D:
    """Distance to the rim of `mask`, positive outside."""
    m = mask.astype(np.uint8)
    if not m.any() or m.all():
        return np.full(mask.shape, 1e3 if not m.any() else -1e3, np.float32)
    outside = cv2.distanceTransform(1 - m, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return outside - cv2.distanceTransform(m, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _touching(mask: Bool2D, seed: Bool2D) -> Bool2D:
    """The connected parts of `mask` of which a good part lies in `seed`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    inside = np.bincount(labels[seed], minlength=len(stats))
    stay = inside > 0.25 * stats[:, cv2.CC_STAT_AREA]
    stay[0] = False
    return stay[labels]
