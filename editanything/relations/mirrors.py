"""Mirror images on floors, tables and water: a thing's own picture, upside down below its foot.

A mirror image I mixes the ground G with the flipped thing O: I = (1 - b) G + b O. So what differs
from the ground must lie along O - G, pixel by pixel, in all channels. A shadow does not: it lies
along -G, whatever the thing looks like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.view import View, ground_of
from editanything.types import Bool2D, Float2D

Floats = NDArray[np.float32]

_FACTORS = (1.0, 0.88, 0.76, 0.64, 1.12)  # heights of the image per height of the thing
_LIFTS = (0.0, 0.04, -0.04, 0.09)  # the mirror line above the foot, in heights
_LEAST_PX = 20
_LEAST_STRENGTH = 0.08
_TOLD = 0.4  # of a pixel, by the network: where that says nothing, a clear image still is one
_SHIFTS = (-0.45, -0.3, -0.18, 0.18, 0.3, 0.45)  # of the thing's size


@dataclass(frozen=True, eq=False)
class MirrorImage:
    """A thing's reflection below it.

    Attributes:
        alpha: (h, w) of the view: 1 where it is at its clearest, 0 where there is none.
        strength: the share b that the flipped thing has in what is seen.
        factor: height of the image per height of the thing.
        line: row of the view at which it is mirrored.
        likeness: cosine between what differs from the ground and what a mirror would add.
        pattern: the same, once both are freed of their mean: whether the thing's own pattern
            is seen.
        explained: share of what differs from the ground that the mirror explains.
        beyond: how much the picture differs around it, as a share of how much it does inside.
        features: what speaks for it, see FEATURES.
    """

    alpha: Float2D
    strength: float
    factor: float
    line: float
    likeness: float
    pattern: float
    explained: float
    beyond: float
    features: Floats

    @property
    def score(self) -> float:
        """How likely it is there, 0..1; fitted on scenes whose truth is known."""
        likely = float(1 / (1 + np.exp(-(self.features @ WEIGHTS + BIAS))))
        return likely * min(1.0, self.strength / _LEAST_STRENGTH)


#: What a mirror image is judged by; each is about -1..1. The last nine are told by the network.
FEATURES = (
    "likeness", "pattern", "fine", "peak", "beyond", "explained", "strength", "even", "contrast",
    "seen", "sure", "surest", "unclear", "area", "flipped", "shaded", "there",
    "others_cast", "others_mirrored",
)  # fmt: skip
# See benchmarks/relations_judge.py.
WEIGHTS = np.array(
    [2.890, -0.301, 0.540, 1.843, 0.026, 0.608, -2.032, -3.204, 0.010,
     -0.569, 0.761, -0.696, -1.905, 0.015, 0.656, 1.200, 0.682, 0.300, 0.251],
    np.float32,
)  # fmt: skip
BIAS = 2.20


def find_mirror_image(view: View) -> MirrorImage | None:
    """The best mirror image below the view's thing, however unlikely; None without room for one."""
    best: tuple[_Seen, MirrorImage] | None = None
    for factor in _FACTORS:
        for lift in _LIFTS if factor == 1.0 else (0.0,):
            seen = _looked(view, factor, lift)
            found = None if seen is None else _measured(seen)
            if seen is None or found is None:
                continue
            if best is None or _rank(found) > _rank(best[1]):
                best = seen, found
    if best is None:
        return None
    return replace(best[1], features=_features(view, *best))


def told_mirror_image(view: View, image: MirrorImage, logit: Float2D, there: Floats) -> MirrorImage:
    """A mirror image of a smaller view in this one, with what the network says of it.

    Its pixels are a mean of both, which is better than either (docs/experiments.md).

    Args:
        view: of the thing.
        image: as `find_mirror_image` has it of a view of any size.
        logit: (h, w) of the view, the network's.
        there: (4,) its logits of "it casts a shadow" and "it is mirrored", and the means of what
            it says of the other things.
    """
    free = ~view.thing & ~view.others
    likely = np.where(free, 1 / (1 + np.exp(-np.clip(logit, -20, 20))), 0).astype(np.float32)
    mask = likely > 0.5
    size = view.shape[1], view.shape[0]
    alpha = cv2.resize(image.alpha, size, interpolation=cv2.INTER_LINEAR) * free
    shape = alpha > 0.5
    top = likely[mask] if mask.any() else likely.reshape(-1)
    told = np.array(
        [
            top.mean(),
            np.percentile(top, 90),
            likely[~mask].sum() / max(float(likely.sum()), 1e-3),
            min(float(np.sqrt(np.count_nonzero(mask))) / view.size, 1.5),
            int(np.count_nonzero(mask & shape)) / max(1, int(np.count_nonzero(mask | shape))),
            *np.clip(there / 4, -2, 2),
        ],
        np.float32,
    )
    return replace(
        image,
        alpha=((1 - _TOLD) * alpha + _TOLD * likely).astype(np.float32),
        line=image.line * view.shape[0] / image.alpha.shape[0],
        features=np.concatenate([image.features, told]),
    )


def _rank(image: MirrorImage) -> float:
    return image.likeness + image.pattern - image.beyond


@dataclass(frozen=True, eq=False)
class _Seen:
    """What lies where a mirror image would, and what a mirror would add there."""

    factor: float
    line: float
    shape: Bool2D
    core: Bool2D
    seen: Floats  # (h, w, 3) what differs from the ground
    added: Floats  # (h, w, 3) the flipped thing less the ground


def _looked(view: View, factor: float, lift: float) -> _Seen | None:
    _, top, _, bottom = view.bounds
    line = bottom - 0.5 - lift * (bottom - top)
    shape = _outline(view, factor, line) > 0.5
    core = shape & ~view.blocked
    if np.count_nonzero(core) < max(_LEAST_PX, 0.15 * view.size**2 * factor):
        return None
    _, seen, added = flipped(view, factor, line)
    return _Seen(factor, line, shape, core, seen, added)


def _flip(factor: float, line: float) -> NDArray[np.float64]:
    return np.array([[1, 0, 0], [0, -factor, line * (1 + factor)]], np.float64)


def _outline(view: View, factor: float, line: float) -> Float2D:
    """(h, w) the thing upside down below `line`, where nothing is in front of it."""
    size = view.shape[1], view.shape[0]
    soft = cv2.warpAffine(view.thing.astype(np.float32), _flip(factor, line), size)
    soft[view.thing | view.others] = 0
    soft[: max(0, int(line))] = 0
    return soft


def flipped(view: View, factor: float, line: float) -> tuple[Float2D, Floats, Floats]:
    """Where a mirror image would lie, what is seen there, and what a mirror would add.

    Args:
        view: of the thing.
        factor: height of the image per height of the thing.
        line: row of the view at which it is mirrored.

    Returns:
        Its outline (h, w), soft; what differs from the ground (h, w, 3); the flipped thing less
        the ground (h, w, 3).
    """
    soft = _outline(view, factor, line)
    grown = cv2.dilate((soft > 0.5).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    blur = max(1.2, 0.03 * view.size)
    ground = ground_of(view, view.rgb, grown)
    seen = cv2.GaussianBlur(view.rgb, (0, 0), blur) - ground
    size = view.shape[1], view.shape[0]
    thing = cv2.warpAffine(view.rgb, _flip(factor, line), size, borderMode=cv2.BORDER_REPLICATE)
    return soft, seen, cv2.GaussianBlur(thing, (0, 0), blur) - ground


def _measured(s: _Seen) -> MirrorImage:
    a, b = s.seen[s.core], s.added[s.core]
    strength = float((a * b).sum() / max(float((b * b).sum()), 1.0))
    grown = cv2.dilate(s.shape.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    ring = (cv2.dilate(grown.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~grown
    ring[: max(0, int(s.line))] = False
    energy = float(np.mean(np.square(a)))
    around = float(np.mean(np.square(s.seen[ring]))) if ring.any() else energy
    residual = float(np.mean(np.square(a - strength * b)))
    return MirrorImage(
        alpha=_faded(s.seen, s.added, s.shape, s.core, strength),
        strength=strength,
        factor=s.factor,
        line=s.line,
        likeness=_cosine(a, b),
        pattern=_cosine(a - a.mean(0), b - b.mean(0)),
        explained=1 - residual / max(energy, 1e-6),
        beyond=float(np.sqrt(around / max(energy, 1e-6))),
        features=np.zeros(0, np.float32),
    )


def _features(view: View, s: _Seen, image: MirrorImage) -> Floats:
    """Whether the thing's own detail is seen, and here rather than to the left or right."""
    sigma = 0.12 * view.size
    inside = s.core.astype(np.float32)[..., None]

    def detail(plane: Floats) -> Floats:
        weight = cv2.GaussianBlur(inside[..., 0], (0, 0), sigma)[..., None]
        return plane - cv2.GaussianBlur(plane * inside, (0, 0), sigma) / np.maximum(weight, 1e-3)

    seen, added = detail(s.seen), detail(s.added)
    fine = _cosine(seen[s.core], added[s.core])
    elsewhere = [_cosine_at(seen, added, s.core, round(k * view.size)) for k in _SHIFTS]
    contrast = float(np.sqrt(np.mean(np.square(s.added[s.core]))))
    usual = float(np.mean(np.abs(elsewhere)))
    residual = s.seen[s.core] - image.strength * s.added[s.core]
    return np.array(
        [
            image.likeness,
            image.pattern,
            fine,
            fine - usual,
            min(image.beyond, 2.0) / 2,
            max(image.explained, -1.0),
            min(image.strength, 0.8),
            1 / (1 + float(np.sqrt(np.mean(np.square(residual)))) / 8),
            min(contrast / 60, 1.5),
            min(2.0, np.count_nonzero(s.core) / view.size**2),
        ],
        np.float32,
    )


def _cosine_at(seen: Floats, added: Floats, core: Bool2D, shift_px: int) -> float:
    """The likeness of two planes with the second moved to the right; in `core` alone."""
    moved = np.roll(added, shift_px, 1)
    both = core & np.roll(core, shift_px, 1)
    return _cosine(seen[both], moved[both]) if both.any() else 0.0


def _faded(seen: Floats, added: Floats, shape: Bool2D, core: Bool2D, strength: float) -> Float2D:
    """The shape, fainter where the mirror image fades out: its local share by its clearest."""
    inside = core.astype(np.float32)
    top = cv2.GaussianBlur((seen * added).sum(2) * inside, (0, 0), 6.0)
    base = cv2.GaussianBlur((added * added).sum(2) * inside, (0, 0), 6.0)
    local = top / np.maximum(base, 1e-3)
    clear = max(float(np.percentile(local[core], 80)), strength, 0.05)
    clarity = np.clip(1.7 * local / clear, 0, 1)
    soft = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 1.0)
    return (soft * clarity).astype(np.float32)


def _cosine(a: Floats, b: Floats) -> float:
    norm = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / norm if norm > 1e-6 else 0.0
