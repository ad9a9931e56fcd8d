"""Mirror images on floors, tables and water: a thing's own picture, upside down below its foot.

A mirror image I mixes the ground G with the flipped thing O: I = (1 - b) G + b O. So what differs
from the ground must lie along O - G, pixel by pixel, in all channels. A shadow does not: it lies
along -G, whatever the thing looks like.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    alpha: Float2D
    strength: float
    factor: float
    line: float
    likeness: float
    pattern: float
    explained: float
    beyond: float

    @property
    def score(self) -> float:
        """How likely it is there, 0..1."""
        if self.strength < _LEAST_STRENGTH:
            return 0.0
        seen = 16 * (self.likeness - 0.8) + 4 * (self.pattern - 0.35) + 4 * (0.5 - self.beyond)
        return float(1 / (1 + np.exp(-seen)))


def find_mirror_image(view: View) -> MirrorImage | None:
    """The best mirror image below the view's thing, however unlikely; None without room for one."""
    best: MirrorImage | None = None
    for factor in _FACTORS:
        for lift in _LIFTS if factor == 1.0 else (0.0,):
            found = _measured(view, factor, lift)
            if found is not None and (best is None or _rank(found) > _rank(best)):
                best = found
    return best


def _rank(image: MirrorImage) -> float:
    return image.likeness + image.pattern - image.beyond


def _measured(view: View, factor: float, lift: float) -> MirrorImage | None:
    _, top, _, bottom = view.bounds
    line = bottom - 0.5 - lift * (bottom - top)
    flip = np.array([[1, 0, 0], [0, -factor, line * (1 + factor)]], np.float64)
    size = view.shape[1], view.shape[0]
    soft = cv2.warpAffine(view.thing.astype(np.float32), flip, size)
    shape = (soft > 0.5) & ~view.thing & ~view.others
    shape[: max(0, int(line))] = False
    core = shape & ~view.blocked
    if np.count_nonzero(core) < max(_LEAST_PX, 0.15 * view.size**2 * factor):
        return None
    grown = cv2.dilate(shape.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    blur = max(1.2, 0.03 * view.size)
    ground = ground_of(view, view.rgb, grown)
    seen = cv2.GaussianBlur(view.rgb, (0, 0), blur) - ground
    thing = cv2.warpAffine(view.rgb, flip, size, borderMode=cv2.BORDER_REPLICATE)
    added = cv2.GaussianBlur(thing, (0, 0), blur) - ground
    a, b = seen[core], added[core]
    strength = float((a * b).sum() / max(float((b * b).sum()), 1.0))
    likeness = _cosine(a, b)
    pattern = _cosine(a - a.mean(0), b - b.mean(0))
    ring = (cv2.dilate(grown.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~grown
    ring &= ~view.blocked
    ring[: max(0, int(line))] = False
    energy = float(np.mean(np.square(a)))
    around = float(np.mean(np.square(seen[ring]))) if ring.any() else energy
    residual = float(np.mean(np.square(a - strength * b)))
    return MirrorImage(
        alpha=_faded(seen, added, shape, core, strength),
        strength=strength,
        factor=factor,
        line=line,
        likeness=likeness,
        pattern=pattern,
        explained=1 - residual / max(energy, 1e-6),
        beyond=float(np.sqrt(around / max(energy, 1e-6))),
    )


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
