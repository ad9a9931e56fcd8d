"""A picture as it will be after a step: foreseen, so that later words can be grounded in it.

After "remove the cup", the table goes on where the cup was, and there is no cup any more; after
"make it red" it is a red one. What a thing is called and where it lies is foreseen exactly, pixels
only so far as words ask for them: plain colour, and what lay next to a hole inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from editanything import frames, masks
from editanything.grounders.base import Scene
from editanything.planning.fates import MOVES, Fates
from editanything.types import RGB, Mask, Region, Step


@dataclass(frozen=True, eq=False)
class After:
    """A scene once `step` is carried out on `before`; nothing is painted.

    Attributes:
        before: the scene that the step acts on.
        step: a step that is on.
    """

    before: Scene
    step: Step

    @cached_property
    def _fates(self) -> Fates:
        return Fates(self.step)

    @cached_property
    def known(self) -> tuple[Region, ...]:
        """The named regions that are left, where they are then, and what is new."""
        return self._fates.of(self.before.known)

    def regions(self) -> tuple[Region, ...]:
        """All regions that are left, named ones first."""
        return self._all

    @cached_property
    def _all(self) -> tuple[Region, ...]:
        return self._fates.of(self.before.regions())

    def follow(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        """Other regions of the scene before: those that are left, where they are then."""
        return self._fates.of(regions)

    @cached_property
    def image(self) -> RGB:
        """The picture, so far as it can be foreseen without painting."""
        step, old = self.step, self.before.image
        if step.frame is not None:
            return frames.apply(step.frame, old)
        new = old.copy()
        if step.op in MOVES | {"remove"} and step.params.get("fill_source", True):
            box, ys, xs = self._fates.nearest
            x0, y0, x1, y1 = box
            new[y0:y1, x0:x1] = old[y0:y1, x0:x1][ys, xs]
        if "color" in step.params:
            _tint(new, step.target, step.params["color"], float(step.params.get("strength", 1.0)))
        if "matrix" in step.params and step.reference is None:
            _carry(old, new, step.target, np.array(step.params["matrix"], float))
        return new

    def selection(self, mask: Mask | None) -> Mask | None:
        """Where a selection is then; None where nothing of it is left in the frame."""
        if mask is None:
            return None
        if self.step.frame is not None:
            mask = frames.apply_to_mask(self.step.frame, mask)
        elif self.step.op in MOVES and masks.iou(mask, self.step.target) > 0.8:
            mask = masks.warp(mask, np.array(self.step.params["matrix"]))
        return mask if mask.area else None


def _tint(image: RGB, target: Mask, color: Sequence[int], strength: float) -> None:
    x0, y0, x1, y1 = target.box
    part = image[y0:y1, x0:x1]
    mixed = (1 - strength) * part[target.crop] + strength * np.array(color)
    part[target.crop] = mixed.round().astype(np.uint8)


def _carry(old: RGB, new: RGB, target: Mask, matrix: NDArray[np.float64]) -> None:
    """Set the target's pixels down where they are moved to, nearest by nearest."""
    landing = masks.warp(target, matrix)
    x0, y0, x1, y1 = landing.box
    ys, xs = np.nonzero(landing.crop)
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    from_xs, from_ys = back @ np.stack([xs + x0, ys + y0, np.ones_like(xs)])
    height, width = old.shape[:2]
    rows = from_ys.round().astype(int).clip(0, height - 1)
    columns = from_xs.round().astype(int).clip(0, width - 1)
    new[y0:y1, x0:x1][ys, xs] = old[rows, columns]
