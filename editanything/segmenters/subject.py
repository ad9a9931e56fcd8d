"""The one thing in front of a picture whose parts bear no names, where it is plain.

What stands out is put to the segmenter as a box: where it sees the same thing there, that is the
subject, in the segmenter's own outline. Textures, landscapes and crowds have none.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from editanything.salient import Salient
from editanything.segmenters.window import Window
from editanything.types import Bool2D, Box, Mask, Seen, Selection

#: A subject is plain where what stands out and what the segmenter makes of its box overlap so far
#: (IoU away from the rim), where it stands out by so much on average, and runs along no more of the
#: frame. Chosen on 28 photographs (docs/experiments.md).
SURE_FROM, LEAST_LEAD, MOST_OF_FRAME = 0.85, 0.3, 0.4
_RIM_PX = 2  # of the reduced picture: there outlines differ by chance
_LEAST_SHARE, _MOST_SHARE = 0.04, 0.8  # of the picture


def find_subject(seen: Seen) -> Mask | None:
    """The thing that stands out of the picture; None where none does plainly."""
    salient = Salient.of(seen.image)
    out = salient.thing()
    if not _LEAST_SHARE <= float(out.mean()) <= _MOST_SHARE:
        return None
    frame = np.concatenate([out[0], out[-1], out[1:-1, 0], out[1:-1, -1]])
    lead = float(salient.map[out].mean() - salient.map[~out].mean())
    if float(frame.mean()) > MOST_OF_FRAME or lead < LEAST_LEAD:
        return None
    height, width = seen.image.shape[:2]
    whole = Window(seen.image, (0, 0, width, height), salient.small)
    told = seen.select(Selection(boxes=(_outward_box(out, whole),)))
    return told if _agreement(out, whole.shrink(told)) >= SURE_FROM else None


def _outward_box(out: Bool2D, whole: Window) -> Box:
    """The tight box in the picture around a mask (h, w) of its reduced size."""
    (sx, sy), (height, width) = whole.scale, whole.picture.shape[:2]
    ys, xs = np.nonzero(out)
    left, top = math.floor(xs.min() / sx), math.floor(ys.min() / sy)
    right, bottom = math.ceil((xs.max() + 1) / sx), math.ceil((ys.max() + 1) / sy)
    return left, top, min(width, right), min(height, bottom)


def _agreement(out: Bool2D, told: Bool2D) -> float:
    """IoU of two masks, pixels along the rim of `out` left aside."""
    square = np.ones((2 * _RIM_PX + 1,) * 2, np.uint8)
    off_rim = cv2.morphologyEx(out.astype(np.uint8), cv2.MORPH_GRADIENT, square) == 0
    either = int(((out | told) & off_rim).sum())
    return int((out & told & off_rim).sum()) / either if either else 0.0
