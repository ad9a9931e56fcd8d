"""What a backend gets of a step: a crop of the picture with enough around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from editanything import masks
from editanything.image import Picture
from editanything.types import Bool2D, Box, Step, Task

#: How much of its surroundings a step sees, as a share of its area's larger side, and the least.
CONTEXT_SHARE, CONTEXT_LEAST_PX = 0.6, 48
NEEDS_SURROUNDINGS = frozenset(
    {"remove", "outpaint", "move", "resize", "rotate", "flip", "transfer", "redraw", "drag"}
)


def working_box(step: Step, shape: tuple[int, int]) -> Box:
    """The crop that a backend sees of a picture of `shape`: the step's area with its context."""
    box = step.area.box
    if step.op == "outpaint":
        return 0, 0, shape[1], shape[0]
    box = masks.box_union(box, step.target.box)
    context = CONTEXT_LEAST_PX
    if step.op in NEEDS_SURROUNDINGS:
        context += round(CONTEXT_SHARE * max(box[2] - box[0], box[3] - box[1]))
    return masks.with_margin(box, context, shape)


def task_of(
    step: Step, picture: Picture, box: Box, *, regions: Callable[[], tuple[Bool2D, ...]]
) -> Task:
    """The step inside `box` of the picture as it is now; `regions` are those of that crop."""
    return Task(
        op=step.op,
        image=picture.rgb(box),
        target=step.target.within(box),
        area=step.area.within(box),
        params=_in_crop(step.params, box),
        seed=step.seed,
        opacity=picture.opacity(box),
        reference=step.reference,
        keep=step.keep.within(box) if step.keep is not None else None,
        hole=step.hole.within(box) if step.hole is not None else None,
        shade=step.shade.within(box) if step.shade is not None else None,
        others=step.others.within(box) if step.others is not None else None,
        behind=tuple(mask.within(box) for mask in step.behind),
        what=step.what,
        regions=regions,
    )


def staying(task: Task) -> Bool2D | None:
    """What the step's area ends at without a soft rim: the old thing would shine through there."""
    staying = [mask for mask in (task.keep, task.others) if mask is not None]
    return np.logical_or.reduce(staying) if staying else None


def _in_crop(params: Mapping[str, Any], box: Box) -> dict[str, Any]:
    """A step's numbers in the coordinates of its crop."""
    out = dict(params)
    if "frame" in out:
        out["origin"] = box[:2]
    if "matrix" in out:
        matrix = np.array(out["matrix"], float)
        # A reference has its own origin; everything else moves within the picture.
        inner = np.zeros(2) if "mode" in out else matrix[:, :2] @ box[:2]
        matrix[:, 2] += inner - box[:2]
        out["matrix"] = matrix
    return out
