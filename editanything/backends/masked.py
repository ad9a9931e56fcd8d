"""A generator of whole pictures redraws a part of one: masked tokens, with the rest in view.

This is what a masked diffusion transformer is trained for, so a training run on the user's own
pictures edits as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from editanything.progress import Progress, report, show
from editanything.types import RGB, Bool2D, Box, Painted, Task

if TYPE_CHECKING:
    from mdt.pipeline import Pipeline

#: Of the window's side, how much the thing takes; the rest is what the network sees around it.
_THING_SHARE = 0.6
_REACHED = 0.1  # of a pixel of the network: from then on it is drawn anew
_PIECE = 0.1  # of the largest piece of a target: smaller ones are crumbs


def paint_in_place(
    pipe: Pipeline,
    task: Task,
    name: str,
    steps: int,
    guidance: float,
    progress: Progress | None = None,
) -> Painted:
    """Redraw the box of `task.target` as a thing of the class `name`, at the network's own size.

    Where the target lies in several pieces each has its box; the effects that go along (its old
    shadow) are redrawn with them. All are one set of masked tokens, drawn in one pass.

    Raises:
        Cancelled: the progress callback asked to stop.
    """
    hole = _hole(task)
    window = _window(_box(hole), hole.shape)
    size = _size_of(pipe)
    small = cv2.resize(_of(task.image, window), size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(_of(hole, window).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    label = pipe.labels.get(name)

    def tell(_pipe: Any, index: int, _time: Any, told: Any) -> dict[str, Any]:
        report(progress, (index + 1) / steps, f"drawing {name}")
        show(progress, lambda: _set(task.image, _bytes(pipe.decode(told["x0"])), window, hole))
        return {}

    (made,) = pipe(
        None if label is None else [label],
        num_images=1,
        seed=[task.seed],
        num_inference_steps=steps,
        guidance_scale=1.0 if label is None else guidance,
        image=small if pipe.num_channels == 3 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY),
        mask=share > _REACHED,
        callback_on_step_end=tell,
        callback_on_step_end_tensor_inputs=["x0"],
    ).images
    return Painted(_set(task.image, np.asarray(made.convert("RGB")), window, hole), task.opacity)


def _hole(task: Task) -> Bool2D:
    """The pixels that are drawn anew: a box for each large piece of the target, and its effects."""
    hole = np.zeros_like(task.target) if task.hole is None else task.hole.copy()
    count, _labels, stats, _ = cv2.connectedComponentsWithStats(task.target.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    large = [i for i in range(1, count) if areas[i] > _PIECE * areas[1:].max()]
    for x, y, w, h, _ in stats[large]:
        hole[y : y + h, x : x + w] = True
    return hole if task.others is None else hole & ~(task.others & ~task.target)


def _set(image: RGB, made: RGB, window: Box, hole: Any) -> RGB:
    """The crop with what was made in the hole, enlarged to its window."""
    x0, y0, x1, y1 = window
    large = cv2.resize(made, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)
    out = image.copy()
    inside = hole[y0:y1, x0:x1]
    out[y0:y1, x0:x1][inside] = large[inside]
    return out


def _bytes(pictures: Any) -> RGB:
    array = (pictures[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    return array if array.shape[2] == 3 else np.repeat(array, 3, axis=2)


def _size_of(pipe: Pipeline) -> tuple[int, int]:
    """(W, H) of the pictures that a network draws."""
    from mdt.codec import pixels_per_latent

    factor = pixels_per_latent(pipe.vae)
    side = pipe.model.config.input_size
    height, width = (side, side) if isinstance(side, int) else side
    return width * factor, height * factor


def _window(box: Box, shape: tuple[int, int]) -> Box:
    """A square around the box with room, moved into the picture; all of it where that is small."""
    x0, y0, x1, y1 = box
    side = round(max(x1 - x0, y1 - y0) / _THING_SHARE)
    left, right = _span(x0, x1, min(side, shape[1]), shape[1])
    top, bottom = _span(y0, y1, min(side, shape[0]), shape[0])
    return left, top, right, bottom


def _span(start: int, stop: int, length: int, limit: int) -> tuple[int, int]:
    begin = min(max((start + stop - length) // 2, 0), limit - length)
    return begin, begin + length


def _of(array: Any, box: Box) -> Any:
    x0, y0, x1, y1 = box
    return array[y0:y1, x0:x1]


def _box(mask: Any) -> Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
