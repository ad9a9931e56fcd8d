"""A region of a picture with some of what is around it, as the network of words takes it."""

from __future__ import annotations

import cv2
import numpy as np

#: A crop's side is the longer side of the region's box times this.
CONTEXT = 1.33


def crop_region(
    image: np.ndarray, mask: np.ndarray, size: int, context: float = CONTEXT
) -> np.ndarray:
    """A region with some of what is around it, as the network takes it.

    Args:
        image: RGB uint8 (H, W, 3).
        mask: bool (H, W), not empty.
        size: of the crop's sides, in pixels.
        context: the crop's side, in longer sides of the region's box.

    Returns:
        float32 (4, size, size): RGB in [-1, 1], and the region as -1 and 1. Beyond the picture its
        edge is repeated.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x0, y0, x1, y1 = (int(v) for v in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    side = max(2, round(context * max(x1 - x0, y1 - y0)))
    left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
    height, width = mask.shape
    a0, b0, a1, b1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    beyond = b0 - top, top + side - b1, a0 - left, left + side - a1
    part = cv2.copyMakeBorder(image[b0:b1, a0:a1], *beyond, cv2.BORDER_REPLICATE)
    way = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    small = cv2.resize(part, (size, size), interpolation=way).astype(np.float32) / 127.5 - 1
    seen = mask[b0:b1, a0:a1].astype(np.float32)
    where = cv2.copyMakeBorder(seen, *beyond, cv2.BORDER_CONSTANT, value=0)
    where = cv2.resize(where, (size, size), interpolation=way) >= 0.5
    return np.concatenate([small.transpose(2, 0, 1), 2 * where[None].astype(np.float32) - 1])
