"""A picture as it will be after a step: foreseen, so that later words can be grounded in it.

After "remove the cup", the table goes on where the cup was, and there is no cup any more; after
"make it red" it is a red one. What a thing is called and where it lies is foreseen exactly, pixels
only so far as words ask for them: plain colour, and what lay next to a hole inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from editanything import frames, masks
from editanything.command import parse
from editanything.grounders.base import MADE_UP, Scene
from editanything.grounders.parts import BACKDROPS
from editanything.types import RGB, Box, Mask, Region, Step

MOVES = frozenset({"move", "resize", "rotate", "flip"})
_MOSTLY = 0.5  # of a thing lies in what is removed or moved, so it goes along
_ENCLOSES = 0.5  # of a hole is nearest to a thing, so the thing goes on in it
_CONTEXT_PX = 4


@dataclass(frozen=True, eq=False)
class After:
    """A scene once `step` is carried out on `before`; nothing is painted.

    Attributes:
        before: the scene that the step acts on.
        step: a step that is on.
        brings: the noun of what it sets into the picture, where it brings something new.
    """

    before: Scene
    step: Step
    brings: str = ""

    @cached_property
    def known(self) -> tuple[Region, ...]:
        """The named regions that are left, where they are then, and what is new."""
        return self._after(self.before.known)

    def regions(self) -> tuple[Region, ...]:
        """All regions that are left, named ones first."""
        return self._all

    @cached_property
    def _all(self) -> tuple[Region, ...]:
        return self._after(self.before.regions())

    def follow(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        """Other regions of the scene before: those that are left, where they are then."""
        return self._after(regions)

    @cached_property
    def image(self) -> RGB:
        """The picture, so far as it can be foreseen without painting."""
        step, old = self.step, self.before.image
        if step.frame is not None:
            return frames.apply(step.frame, old)
        new = old.copy()
        if step.op in MOVES | {"remove"} and step.params.get("fill_source", True):
            box, ys, xs = self._nearest
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

    def _after(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        step = self.step
        if step.frame is not None:
            return _left((r, frames.apply_to_mask(step.frame, r.mask)) for r in regions)
        if step.op == "remove":
            return _left((r, self._healed(r)) for r in regions if not self._goes_along(r))
        if step.op in MOVES:
            return self._moved(regions)
        if step.op == "duplicate":
            along = (r for r in regions if self._goes_along(r))
            return (*regions, *_left((replace(r, id=MADE_UP), self._carried(r)) for r in along))
        brings = self._brings
        if brings:
            new = Region(MADE_UP, step.target, brings)
            if step.op == "replace":
                regions = [r for r in regions if not self._goes_along(r)]
            if step.params.get("fill_source"):
                new = replace(new, mask=self._landing())
                regions = [r for r in regions if not self._goes_along(r)]
            stay = _left((r, masks.minus(r.mask, new.mask)) for r in regions)
            return (new, *stay)
        return tuple(regions)

    @property
    def _brings(self) -> str:
        """The noun of what the step sets into the picture; "" where it brings nothing new."""
        step = self.step
        if step.params.get("kind") in ("style", "wear"):
            return ""  # what it is stays what it is
        if step.reference is not None:
            return self.brings
        drawn = step.op in {"add", "replace"} and "color" not in step.params
        return _noun_of(step.prompt) if drawn and step.where != "the background" else ""

    def _goes_along(self, region: Region) -> bool:
        inside = masks.intersection(region.mask, self.step.target).area
        return inside > _MOSTLY * region.mask.area

    def _carried(self, region: Region) -> Mask:
        return masks.warp(region.mask, np.array(self.step.params["matrix"], float))

    def _moved(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        matrix = np.array(self.step.params["matrix"], float)
        landing = masks.warp(self.step.target, matrix)
        return _left(
            (r, self._carried(r))
            if self._goes_along(r)
            else (r, masks.minus(self._healed(r), landing))
            for r in regions
        )

    def _landing(self) -> Mask:
        assert self.step.reference is not None, self.step
        matrix = np.array(self.step.params["matrix"], float)
        return masks.warp(self.step.reference.mask, matrix, self.before.image.shape[:2])

    def _healed(self, region: Region) -> Mask:
        """A region that stays, grown into the hole where it lies behind or all around."""
        box, ys, xs = self._nearest
        hole = self.step.target.within(box)
        goes_on = region.mask.within(box)[ys, xs] & hole
        share = goes_on.sum() / max(hole.sum(), 1)
        if share == 0 or (region.label not in BACKDROPS and share < _ENCLOSES):
            return masks.minus(region.mask, self.step.target)
        return masks.union(region.mask, Mask.placed(region.mask.shape, box[:2], goes_on))

    @cached_property
    def _nearest(self) -> tuple[Box, NDArray[np.intp], NDArray[np.intp]]:
        """A box around the target, and for each of its pixels the nearest one that is no hole."""
        target = self.step.target
        box = masks.with_margin(target.box, _CONTEXT_PX, target.shape)
        hole = target.within(box)
        nearest: NDArray[np.intp] = (
            np.indices(hole.shape)  # nothing is left around it
            if hole.all()
            else distance_transform_edt(hole, return_distances=False, return_indices=True)
        )
        return box, nearest[0], nearest[1]


def _noun_of(words: str) -> str:
    """`small red boat` -> boat: what later words will call something that was drawn."""
    command = parse(f"select the {words}")
    named = [op.target.noun for op in command.ops if op.target is not None]
    return named[0] if len(named) == 1 else words


def _left(foreseen: Iterable[tuple[Region, Mask]]) -> tuple[Region, ...]:
    """The regions with the masks that they will have, without those of which nothing is left."""
    return tuple(replace(region, mask=mask) for region, mask in foreseen if mask.area)


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
