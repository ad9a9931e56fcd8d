"""Filling a place among other things: the ground goes on below them, and what lay behind goes on.

The place is filled as if the other things were not there, so that nothing of them is copied or
bleeds into it. What lies behind the thing that went away then goes on, of its own material, as far
as its outline bulges there (its convex hull): further than that nobody knows.
"""

from __future__ import annotations

import cv2
import numpy as np

from editanything import masks
from editanything.backends.classical.fill import FEWEST_SOURCES, THOROUGH, Effort, fill
from editanything.progress import Progress, part_of_progress
from editanything.types import Bool2D, Painted, Task

_REACH_PX = 12  # things nearer to a hole than this are thought away while it is filled
_LARGE = 2.0  # times the hole: of larger things only what is that near
_RIM_PX = 2  # of a thing, mixed with the ground
_LEAST_GROUND = 0.25  # of a hole: with less ground to fill it from, things serve as material too
_LEAST_PX = 12  # of a thing that goes on


def fill_around(
    task: Task,
    hole: Bool2D,
    *,
    sources: Bool2D,
    effort: Effort = THOROUGH,
    progress: Progress | None = None,
) -> Painted:
    """`task.image` with its hole filled; all other pixels as they were.

    Args:
        task: its picture, and `others` and `behind`, the other things in it.
        hole: (h, w) pixels to be made.
        sources: (h, w) pixels that may be copied.
        effort: see `fill`.
        progress: see `fill`.
    """
    things = np.zeros_like(hole) if task.others is None else task.others.copy()
    for thing in task.behind:
        things |= thing
    things = (cv2.dilate(things.astype(np.uint8), masks.disc(_RIM_PX)) > 0) & ~hole
    ground = sources & ~things & ~hole
    least = max(FEWEST_SOURCES, _LEAST_GROUND * np.count_nonzero(hole))
    if not things.any() or np.count_nonzero(ground) < least:
        return fill(
            task.image, hole, sources=sources, seed=task.seed, opacity=task.opacity,
            effort=effort, progress=progress,
        )  # fmt: skip
    made = fill(
        task.image,
        hole | _near(things, hole),
        sources=ground,
        seed=task.seed,
        opacity=task.opacity,
        effort=effort,
        progress=part_of_progress(progress, 0.0, 0.8),
    )
    made = _within(task, made, hole)
    for thing in task.behind:
        made = _gone_on(made, thing & ~hole, hole, task.seed)
    return made


def _within(task: Task, made: Painted, hole: Bool2D) -> Painted:
    """What was made in the hole, and the task's own picture elsewhere."""
    image = np.where(hole[..., None], made.image, task.image)
    if made.opacity is None or task.opacity is None:
        return Painted(image, made.opacity)
    return Painted(image, np.where(hole, made.opacity, task.opacity))


def _near(things: Bool2D, hole: Bool2D) -> Bool2D:
    """The connected things that come close to the hole; of a large one, what is close.

    All of it would be so large a hole that nothing near could fill it.
    """
    reach = cv2.dilate(hole.astype(np.uint8), masks.disc(_REACH_PX)) > 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(things.astype(np.uint8))
    touched = np.unique(labels[reach & things])
    small = stats[touched, cv2.CC_STAT_AREA] <= _LARGE * np.count_nonzero(hole)
    whole = np.isin(labels, touched[small])
    return things & (whole | reach)


def _gone_on(made: Painted, thing: Bool2D, hole: Bool2D, seed: int) -> Painted:
    """`made` with a thing going on in the hole, inside its convex hull, of its own material."""
    if np.count_nonzero(thing) < max(FEWEST_SOURCES, _LEAST_PX):
        return made
    hull = np.zeros(thing.shape, np.uint8)
    points = cv2.findNonZero(thing.astype(np.uint8))
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    more = (hull > 0) & hole
    if not more.any():
        return made
    rows, columns = np.flatnonzero(hull.any(1)), np.flatnonzero(hull.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    inside, image = thing[box], made.image.copy()
    sheer = None if made.opacity is None else made.opacity[box]
    own = fill(made.image[box], ~inside, sources=inside, seed=seed, opacity=sheer)
    image[box][more[box]] = own.image[more[box]]
    if own.opacity is None or made.opacity is None:
        return Painted(image, made.opacity)
    opacity = made.opacity.copy()
    opacity[box][more[box]] = own.opacity[more[box]]
    return Painted(image, opacity)
