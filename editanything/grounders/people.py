"""People, told by their faces: the figure below a face, where it can be cut out plainly.

A figure is what stands out of the picture, if the face lies in it. Else that of a portrait is cut
out below and around the face (GrabCut from the proportions of a bust).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything import masks
from editanything.grounders.rims import at_full_size, cut_out, reduced
from editanything.types import RGB, Bool2D, Mask

Floats = NDArray[np.floating]

SIDE_PX = 320  # of the picture in which a figure is cut out
#: Of a portrait's height a face has so much; of smaller people the limbs would be guessed.
PORTRAIT_FROM = 0.2
_OF_FACE = 0.7  # of a face lies in the figure that it belongs to


def find_people(image: RGB, faces: Sequence[Mask], out: Mask | None) -> tuple[Mask, ...]:
    """A figure for each face, as far as they are plain.

    Args:
        image: the picture.
        faces: of it.
        out: what stands out of it, if something does.
    """
    if len(faces) == 1 and out is not None and _lies_in(faces[0], out):
        return (out,)
    large = [face for face in faces if face.box[3] - face.box[1] >= PORTRAIT_FROM * image.shape[0]]
    return tuple(cut_figure(image, face, [o for o in faces if o is not face]) for face in large)


def _lies_in(face: Mask, figure: Mask) -> bool:
    return masks.intersection(face, figure).area >= _OF_FACE * face.area


def cut_figure(image: RGB, face: Mask, others: Sequence[Mask] = ()) -> Mask:
    """The head and body of a face, as far down as the picture goes, without the other faces."""
    small = reduced(image, SIDE_PX)
    height, width = small.shape[:2]
    scale = width / image.shape[1]
    x0, y0, x1, y1 = (value * scale for value in face.box)
    wide, high = x1 - x0, y1 - y0
    ys, xs = np.mgrid[:height, :width]
    across = np.abs(xs - (x0 + x1) / 2) / wide  # from the axis, in widths of the face
    down = (ys - y1) / high  # from the chin, in heights of the face
    shown = cv2.resize(face.full().astype(np.uint8), (width, height)) > 0
    body = (down > 0.3) & (across < np.clip(0.35 + 0.5 * down, 0, 0.75))
    likely = (down > -0.1) & (across < np.clip(0.5 + 1.1 * down, 0, 1.7))
    possible = (down > -0.1) & (across < np.clip(0.75 + 2 * down, 0, 3))
    hair = _head(across, down, 1.0, 0.95)
    around = _head(across, down, 1.15, 1.2)
    sure = shown | body
    likely, possible = likely | hair, possible | around | sure
    for other in others:
        apart = cv2.resize(other.full().astype(np.uint8), (width, height)) == 0
        sure, likely, possible = sure & apart, likely & apart, possible & apart
    found = cut_out(small, sure=sure, likely=likely, possible=possible)
    _, parts = cv2.connectedComponents(found.astype(np.uint8))
    whole = np.isin(parts, np.unique(parts[sure & found])) & found
    return Mask.of(at_full_size(whole, image))


def _head(across: Floats, down: Floats, wide: float, high: float) -> Bool2D:
    """An oval around a face, hair and all; half axes in widths and heights of the face."""
    inside: Bool2D = (across / wide) ** 2 + ((down + 0.65) / high) ** 2 < 1
    return inside
