"""Another background behind an object: a colour, a picture, or nothing."""

from __future__ import annotations

import cv2
import numpy as np

from editanything.backends.classical.matte import lift
from editanything.backends.classical.oklab import to_bytes
from editanything.errors import InputError
from editanything.progress import Progress, report
from editanything.types import RGB, Painted, Task


def replace(task: Task, progress: Progress | None = None) -> Painted:
    """Put a colour, a picture or nothing in the place of `task.target`, the background.

    `params["color"]` = (r, g, b); or `params["transparent"]` in a picture with transparency; or
    `task.reference` with `params["frame"]` = (W, H) of the whole picture and `params["origin"]` =
    (x, y) of the crop in it: the reference is scaled to cover the whole picture, centred, and the
    crop shows its part. The mixed pixels on the object's rim get the new background in the place
    of the old, as far as `task.area` goes.
    """
    report(progress, 0.0, "lifting the object")
    thing = ~task.target
    alpha = np.zeros(thing.shape, np.float32)
    colour = task.image.astype(np.float32)
    if thing.any():
        matte = lift(task.image, thing)
        x0, y0, x1, y1 = matte.box
        alpha = matte.full_alpha(thing.shape)
        colour[y0:y1, x0:x1] = matte.foreground
    report(progress, 0.6, "putting the background in")
    if task.params.get("transparent"):
        assert task.opacity is not None, "only a picture with transparency can lose its background"
        # Where nothing is left to be seen, the colour stays as it was.
        image = np.where(alpha[..., None] > 0, to_bytes(colour), task.image)
        return Painted(image, to_bytes(alpha * task.opacity))
    new = _new_background(task)
    image = to_bytes(new + alpha[..., None] * (colour - new))
    opacity = task.opacity
    if opacity is not None:
        opacity = to_bytes(255.0 + alpha * (opacity.astype(np.float32) - 255.0))
    report(progress, 1.0, "putting the background in")
    return Painted(image, opacity)


def _new_background(task: Task) -> RGB:
    """The new background over the whole crop."""
    if "color" in task.params:
        return np.broadcast_to(np.array(task.params["color"], np.uint8), task.image.shape)
    if task.reference is None:
        raise InputError("There is no second picture to take the background from; give one.")
    height, width = task.target.shape
    return covering(
        task.reference.image, task.params["frame"], task.params["origin"], (width, height)
    )


def covering(
    picture: RGB, frame: tuple[int, int], origin: tuple[int, int], size: tuple[int, int]
) -> RGB:
    """The part of `picture`, scaled to cover a `frame` = (W, H) and centred, behind a crop.

    Args:
        picture: RGB uint8.
        frame: (W, H) of the whole picture.
        origin: (x, y) of the crop in it.
        size: (w, h) of the crop.
    """
    height, width = picture.shape[:2]
    scale = max(frame[0] / width, frame[1] / height)
    whole = (max(frame[0], round(width * scale)), max(frame[1], round(height * scale)))
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    if whole != (width, height):
        picture = cv2.resize(picture, whole, interpolation=kernel)
    x, y = (whole[0] - frame[0]) // 2 + origin[0], (whole[1] - frame[1]) // 2 + origin[1]
    return picture[y : y + size[1], x : x + size[0]]
