"""Taking things away, and drawing a picture on beyond its edge: both are filling a hole."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from editanything.backends.classical.around import fill_around
from editanything.backends.classical.relight import relit
from editanything.progress import Progress
from editanything.types import Bool2D, Painted, Task

#: How deep into the old picture an outpainting looks for material, as a share of how far it goes
#: beyond it, and the least. Farther in are the things that the picture is of: a second helmet, a
#: piece of a cup.
REACH_SHARE, REACH_LEAST_PX = 0.6, 32.0


def remove(task: Task, progress: Progress | None = None) -> Painted:
    """Fill `task.area` from what lies around it, except what `task.keep` holds back.

    A shadow of the target (`task.hole`) is lit instead, where that comes out well.
    """
    area, image = task.area, task.image
    sources = ~area if task.keep is None else ~area & ~task.keep
    if task.hole is not None and task.hole.any():
        known = sources if task.others is None else sources & ~task.others
        lit = relit(image, task.hole & area & ~_with_rim(task.target), known)
        image, area = lit.image, area & ~lit.done
        sources = sources | lit.done
    return _filled(replace(task, image=image, area=area), sources, progress)


def outpaint(task: Task, progress: Progress | None = None) -> Painted:
    """Draw the picture on into `task.area`, the new part of the frame, from its margin."""
    old = ~task.area
    if not old.any() or not task.area.any():
        return _filled(task, old, progress)
    depth = cv2.distanceTransform(task.area.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    reach = max(REACH_LEAST_PX, REACH_SHARE * float(depth.max()))
    into = cv2.distanceTransform(old.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return _filled(task, old & (into <= reach), progress)


def _with_rim(target: Bool2D) -> Bool2D:
    """A thing and the mixed pixels around it, which no light brings back."""
    return cv2.dilate(target.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0


def _filled(task: Task, sources: Bool2D, progress: Progress | None) -> Painted:
    if not task.area.any():
        return Painted(task.image, task.opacity)
    return fill_around(task, task.area, sources=sources, progress=progress)
