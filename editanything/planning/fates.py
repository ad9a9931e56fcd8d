"""What becomes of regions by a step: which are left, where they lie then, and what is new.

What a thing is called goes along with it. A plan asks before anything is painted, so that later
words are understood; the editor asks again once it is, and the names travel with the result.
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
from editanything.grounders.base import MADE_UP
from editanything.grounders.parts import BACKDROPS
from editanything.types import Box, Mask, Region, Step

#: What changes a thing where it is.
_IN_PLACE = frozenset({"modify", "filter"})
MOVES = frozenset({"move", "resize", "rotate", "flip"})
_MOSTLY = 0.5  # of a thing lies in what is removed or moved, so it goes along
_ENCLOSES = 0.5  # of a hole is nearest to a thing, so the thing goes on in it
_CONTEXT_PX = 4


@dataclass(frozen=True, eq=False)
class Fates:
    """What becomes of the regions of a picture.

    Attributes:
        step: a step that is on.
        landed: where what it sets down lies, once that is painted; empty where nobody can tell.
            None: it is foreseen, from the step alone.
    """

    step: Step
    landed: Mask | None = None

    def of(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        """The regions that are left, where they are then, and what is new."""
        step = self.step
        if step.frame is not None:
            return _left((r, frames.apply_to_mask(step.frame, r.mask)) for r in regions)
        if self._comes_new:
            return self._with_new(regions)
        if not regions:
            return ()
        if step.op == "remove":
            return _left((r, self._healed(r)) for r in regions if not self._goes_along(r))
        if step.op in MOVES:
            return self._moved(regions)
        if step.op == "duplicate":
            along = (r for r in regions if self._goes_along(r))
            copies = ((replace(r, id=MADE_UP, made=True), self._carried(r)) for r in along)
            return (*regions, *_left(copies))
        return tuple(regions)

    def corrected(self, later: Step) -> Step:
        """A later step; one that changes just what this one set down knows where that lies."""
        if not (self._comes_new and later.op in _IN_PLACE and self.landed and self.landed.area):
            return later
        foreseen = self._foreseen
        if later.target.shape != foreseen.shape or masks.iou(later.target, foreseen) < 1:
            return later
        thing = self.landed if later.keep is None else masks.minus(self.landed, later.keep)
        beside = masks.minus(foreseen, thing)
        area = masks.union(masks.minus(later.area, beside), thing)
        return replace(later, target=thing, area=area)

    @cached_property
    def nearest(self) -> tuple[Box, NDArray[np.intp], NDArray[np.intp]]:
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

    @property
    def _comes_new(self) -> bool:
        """Whether the step sets something into the picture that was not there."""
        step = self.step
        kind = step.params.get("kind")
        if kind in ("style", "wear"):
            return False  # what it is stays what it is
        if step.reference is not None:
            return "matrix" in step.params
        if step.op == "redraw":
            return kind == "thing"
        drawn = step.op in {"add", "replace"} and "color" not in step.params
        return drawn and step.where != "the background"

    def _with_new(self, regions: Sequence[Region]) -> tuple[Region, ...]:
        step = self.step
        if step.op in ("replace", "redraw") or step.params.get("fill_source"):
            regions = [r for r in regions if not self._goes_along(r)]
        lies = self._foreseen if self.landed is None else self.landed
        covers = lies if lies.area else self._foreseen
        stay = _left((r, masks.minus(r.mask, covers)) for r in regions)
        noun = step.brings if step.reference is not None else _noun_of(step.prompt)
        return (Region(MADE_UP, lies, noun, made=True), *stay) if noun and lies.area else stay

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

    @property
    def _foreseen(self) -> Mask:
        """Where what comes new will lie, so far as the step alone tells."""
        if not self.step.params.get("fill_source"):
            return self.step.target
        assert self.step.reference is not None, self.step
        matrix = np.array(self.step.params["matrix"], float)
        return masks.warp(self.step.reference.mask, matrix, self.step.target.shape)

    def _healed(self, region: Region) -> Mask:
        """A region that stays, grown into the hole where it lies behind or all around."""
        box, ys, xs = self.nearest
        hole = self.step.target.within(box)
        goes_on = region.mask.within(box)[ys, xs] & hole
        share = goes_on.sum() / max(hole.sum(), 1)
        if share == 0 or (region.label not in BACKDROPS and share < _ENCLOSES):
            return masks.minus(region.mask, self.step.target)
        return masks.union(region.mask, Mask.placed(region.mask.shape, box[:2], goes_on))


def _noun_of(words: str) -> str:
    """`small red boat` -> boat: what later words will call something that was drawn."""
    command = parse(f"select the {words}")
    named = [op.target.noun for op in command.ops if op.target is not None]
    return named[0] if len(named) == 1 else words


def _left(foreseen: Iterable[tuple[Region, Mask]]) -> tuple[Region, ...]:
    """The regions with the masks that they will have, without those of which nothing is left."""
    return tuple(replace(region, mask=mask) for region, mask in foreseen if mask.area)
