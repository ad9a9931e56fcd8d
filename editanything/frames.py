"""Changes of the whole frame: crop, extend, flip, turn, scale; exact wherever no sample is mixed.

A frame change acts on any array whose first two axes are (H, W), so that a picture's samples, its
masks and its regions go through the same one. Of 2 or 4 channels the last is the opacity, as in
`Picture.samples`: where samples are mixed, each colour counts as much as it shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import Box, Mask

Array = NDArray[Any]


def crop(array: Array, *, box: Box) -> Array:
    """The part of `array` inside `box`."""
    x0, y0, x1, y1 = box
    return array[y0:y1, x0:x1]


def extend(array: Array, *, left: int, top: int, right: int, bottom: int) -> Array:
    """`array` with new pixels around it, filled with the nearest old ones."""
    widths = [(top, bottom), (left, right)] + [(0, 0)] * (array.ndim - 2)
    if array.dtype == bool:  # a mask does not reach into the new part
        return np.pad(array, widths)
    return np.pad(array, widths, mode="edge")


def flip(array: Array, *, axis: str) -> Array:
    """Mirror image: `axis` "horizontal" swaps left and right, "vertical" top and bottom."""
    return array[:, ::-1] if axis == "horizontal" else array[::-1]


def turn(array: Array, *, angle: float) -> Array:
    """Turned by `angle` degrees clockwise; multiples of 90 are exact.

    Any other angle keeps the frame's size: the picture is turned about its centre and scaled up
    just so far that no corner is empty.
    """
    quarter, rest = divmod(angle, 90.0)
    if rest == 0:
        return np.rot90(array, -int(quarter) % 4)
    height, width = array.shape[:2]
    radians = math.radians(angle)
    c, s = abs(math.cos(radians)), abs(math.sin(radians))
    scale = max(c + s * height / width, c + s * width / height)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle, scale)
    return _warp(array, matrix, (width, height))


def scale(array: Array, *, width: int, height: int) -> Array:
    """Resampled to `width` x `height`: Lanczos up, area mean down."""
    grows = width * height > array.shape[0] * array.shape[1]
    if array.dtype == bool:
        return _resize(array.astype(np.uint8), (width, height), cv2.INTER_NEAREST).astype(bool)
    return _resize(array, (width, height), cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA)


FRAMES: dict[str, Callable[..., Array]] = {
    "crop": crop,
    "extend": extend,
    "flip": flip,
    "turn": turn,
    "scale": scale,
}


def apply(frame: Mapping[str, Any], array: Array) -> Array:
    """Carry out the frame change `{"frame": name, **options}` on an array (H, W, ...)."""
    options = {key: value for key, value in frame.items() if key != "frame"}
    return np.ascontiguousarray(FRAMES[frame["frame"]](array, **options))


def apply_to_mask(frame: Mapping[str, Any], mask: Mask) -> Mask:
    """Carry out the frame change on a mask."""
    return Mask.of(apply(frame, mask.full()))


def shape_after(frame: Mapping[str, Any], shape: tuple[int, int]) -> tuple[int, int]:
    """(H, W) after the change, without any pixel work."""
    height, width = shape
    match frame["frame"]:
        case "crop":
            x0, y0, x1, y1 = frame["box"]
            return y1 - y0, x1 - x0
        case "extend":
            return height + frame["top"] + frame["bottom"], width + frame["left"] + frame["right"]
        case "scale":
            return frame["height"], frame["width"]
        case "turn" if frame["angle"] % 180 == 90:
            return width, height
        case _:
            return shape


def _warp(array: Array, matrix: Array, size: tuple[int, int]) -> Array:
    if array.dtype == bool:
        return _warp(array.astype(np.uint8) * 255, matrix, size) > 127
    return _mixed(
        array,
        lambda samples: cv2.warpAffine(
            samples, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
    )


def _resize(array: Array, size: tuple[int, int], how: int) -> Array:
    return _mixed(
        np.ascontiguousarray(array), lambda samples: cv2.resize(samples, size, interpolation=how)
    )


def _mixed(array: Array, resample: Callable[[Array], Array]) -> Array:
    """`array` resampled; colours weighted by the opacity, so that no hidden one shows at a rim."""
    out = resample(array)
    out = out.reshape(*out.shape[:2], *array.shape[2:])  # OpenCV drops a last axis of length one
    if array.shape[2:] not in ((2,), (4,)):
        return out
    top = np.iinfo(array.dtype).max
    if array[..., -1].min() == top:
        return out
    opacity = array[..., -1].astype(np.float32)
    covered = resample(opacity)
    shows = (out[..., -1] > 0) & (covered > 0)
    covered = covered[shows]
    for channel in range(array.shape[2] - 1):  # one by one: as floats they are large
        colour = resample(array[..., channel] * opacity)[shows] / covered
        out[..., channel][shows] = np.clip(np.rint(colour), 0, top)
    return out
