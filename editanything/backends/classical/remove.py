"""Taking things away, and drawing a picture on beyond its edge: both are filling a hole."""

from __future__ import annotations

from editanything.backends.classical.fill import fill
from editanything.types import Painted, Progress, Task


def remove(task: Task, progress: Progress | None = None) -> Painted:
    """Fill `task.area` from what lies around it, except what `task.keep` holds back."""
    if not task.area.any():
        return Painted(task.image, task.opacity)
    sources = ~task.area if task.keep is None else ~task.area & ~task.keep
    return fill(
        task.image,
        task.area,
        sources=sources,
        seed=task.seed,
        opacity=task.opacity,
        progress=progress,
    )


def outpaint(task: Task, progress: Progress | None = None) -> Painted:
    """Draw the picture on into `task.area`, the new part of the frame."""
    return remove(task, progress)
