"""A plan in the making: grounded words, margins, and what later clauses know of earlier ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything import frames, masks
from editanything.command.describe import describe
from editanything.command.types import Operation, Selector
from editanything.errors import Refusal
from editanything.grounders.base import (
    MADE_UP,
    STANDS_OUT,
    Found,
    Grounder,
    NotFound,
    Scene,
    Unclear,
)
from editanything.planning.after import After
from editanything.planning.change import fitting
from editanything.types import Box, Mask, Region, Related, Seen, Step

# How far an operation's area reaches beyond its target, in pixels. A removal takes the rim along: a
# hole cut tight leaves an outline of the thing. What is lifted brings its mixed rim, a background
# goes on into it, and new colour ends softly over a pixel. Filters stay inside.
GROWTH: dict[str, Callable[[Mask], float]] = {
    "remove": lambda mask: min(max(0.02 * _narrow_side(mask), 2), 8),
    "move": lambda mask: masks.rim_px(mask.area),
    "replace": lambda mask: masks.rim_px(mask.shape[0] * mask.shape[1] - mask.area),
    "modify": lambda _: 1,
    "redraw": lambda mask: min(max(0.04 * _narrow_side(mask), 2), 24),
}
# How softly an operation ends, inwards; what is not here brings its own soft edge.
FEATHER_PX = {"remove": 2.0, "filter": 2.0, "redraw": 4.0}


Can = Callable[[str, Mapping[str, Any]], bool]


@dataclass(frozen=True, eq=False)
class SecondPicture:
    """The picture to take from, as it was looked at, and what was pointed at in it."""

    seen: Seen
    opacity: NDArray[np.uint8] | None
    selection: Mask | None


@dataclass(eq=False)
class Draft:
    """What planning one command knows; the planners read it and `add` the steps that they make."""

    seen: Seen
    grounder: Grounder
    selection: Mask | None
    second: SecondPicture | None
    boxes: tuple[Box, ...]  # the selection, where it is nothing but boxes
    has_opacity: bool
    is_grey: bool
    margins: tuple[float | None, float | None]  # grow_px, feather_px of the preset
    max_megapixels: float
    seed: int
    off: frozenset[int]
    can: Can = lambda _op, _params: False  # whether a backend carries out such a step
    take_related: bool = True  # whether what belongs to a target goes along unasked
    switched: Mapping[int, bool] = field(default_factory=dict)  # related region -> on or off
    steps: list[Step] = field(default_factory=list)
    related: list[Related] = field(default_factory=list)  # to the targets so far, in order
    notes: list[str] = field(default_factory=list)
    pointed_at: Selector | None = None  # the words that the user's selection stands for
    given: tuple[Selector, Mask] | None = None  # a target that the user replaced by a mask
    scene: Scene = field(init=False)  # the picture after the steps so far
    pointing: Mask | None = field(init=False)  # the selection after the steps so far

    def __post_init__(self) -> None:
        self.scene, self.pointing = self.seen, self.selection

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the picture after the steps so far."""
        height, width = self.seen.image.shape[:2]
        shape = (height, width)
        for step in self._active():
            if step.frame is not None:
                shape = frames.shape_after(step.frame, shape)
        return shape

    def add(self, step: Step) -> None:
        """Append a step, on unless the user switched its number off; later words see its result."""
        step = replace(step, on=len(self.steps) not in self.off)
        self.steps.append(step)
        if step.on:
            after = After(self.scene, step)
            self.pointing = after.selection(self.pointing)
            self.scene = after

    def find(self, selector: Selector, *, pointing: Mask | None = None) -> Mask:
        """The pixels that `selector` means, where they are after the steps so far.

        Args:
            selector: the words.
            pointing: what the selection is taken to be, where it is not the thing pointed at.

        Raises:
            Refusal: nothing, too many or too few are found; or nothing of it is left.
        """
        if self.given is not None and selector is self.given[0]:
            return fitting(self.given[1], self.shape)
        return self._ground(selector, self.pointing if pointing is None else pointing).union()

    def _ground(self, selector: Selector, pointing: Mask | None) -> Found:
        outcome = self.grounder.find(self.scene, selector, selection=pointing)
        if isinstance(outcome, Found):
            if outcome.by == STANDS_OUT:
                self._note(
                    f"“{describe(selector)}” is told by what stands out of this picture; if that "
                    "is not what you mean, point at it."
                )
            return outcome
        refusal = outcome.refusal()
        # Who points at something and names it means what he points at.
        free = self.pointed_at is None or self.pointed_at == selector
        was_there = self._was_there(selector)
        if refusal.reason == "not_found" and pointing is not None and free and not was_there:
            if self.pointed_at is None:
                self.notes.append(f"“{describe(selector)}” is taken to be your selection.")
            self.pointed_at = selector
            return Found((Region(MADE_UP, pointing),), "your selection")
        if was_there:
            raise Refusal(
                f"Nothing of “{describe(selector)}” is left after the earlier steps.",
                reason="not_found",
            )
        raise refusal

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _was_there(self, selector: Selector) -> bool:
        """Whether the words meant something before the steps so far, and mean nothing now."""
        if not any(step.on for step in self.steps):
            return False
        now = self.grounder.find(self.scene, selector, selection=self.pointing)
        before = self.grounder.find(self.seen, selector, selection=self.selection)
        return isinstance(now, (NotFound, Unclear)) and isinstance(before, Found)

    def _active(self) -> Iterator[Step]:
        return (step for step in self.steps if step.on)


def grow_px(draft: Draft, op: str, target: Mask) -> int:
    """How far the area of `op` reaches beyond `target`; the preset's setting comes first."""
    preset = draft.margins[0]
    if preset is not None:
        return round(preset)
    growth = GROWTH.get(op)
    return math.ceil(growth(target)) if growth else 0


def _narrow_side(mask: Mask) -> int:
    x0, y0, x1, y1 = mask.box
    return min(x1 - x0, y1 - y0)


def feather_px(draft: Draft, op: str) -> float:
    """How softly the area of `op` ends; the preset's setting comes first."""
    own = draft.margins[1]
    return FEATHER_PX.get(op, 0.0) if own is None else own


def make_step(
    draft: Draft,
    operation: Operation,
    what: str,
    target: Mask,
    *,
    op: str | None = None,
    params: dict[str, Any] | None = None,
    area: Mask | None = None,
) -> Step:
    """One step with its margins, and without what the user said must stay.

    Args:
        draft: the plan so far.
        operation: what the user asked for.
        what: the step in words.
        target: what the step acts on.
        op: the name that backends know, where it is not the operation's.
        params: the step's numbers.
        area: where the picture may change; without it, the target with its margin.

    Raises:
        Refusal: if nothing is left to change.
    """
    op = op or operation.op
    reach = masks.grow(target, grow_px(draft, op, target)) if area is None else area
    keep = [draft.find(selector) for selector in operation.preserve or ()]
    stay = masks.union(*keep) if keep else None
    if stay is not None:
        reach, target = masks.minus(reach, stay), masks.minus(target, stay)
    if target.area == 0 or reach.area == 0:
        raise Refusal(
            f"Nothing is left to change for “{what}”: all of it must stay.", reason="contradiction"
        )
    return Step(
        op=op,
        what=what,
        target=target,
        area=reach,
        feather_px=feather_px(draft, op),
        params=params or {},
        seed=draft.seed + len(draft.steps),
        keep=stay,
    )


def target_of(operation: Operation) -> Selector:
    """The operation's target, which the parser has seen to."""
    assert operation.target is not None, operation
    return operation.target


def is_background(selector: Selector) -> bool:
    """Whether the words mean all that lies around something."""
    leaves_only = selector.noun == "*" and selector.exclude is not None
    return selector.noun == "background" or leaves_only


def is_whole(selector: Selector) -> bool:
    """Whether the words mean the picture as a whole."""
    return selector.noun in ("@image", "*") and selector.exclude is None and not selector.region
