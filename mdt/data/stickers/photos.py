"""Photographs that scikit-image ships, for grounds and for what things are made of."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mdt.data.source import Array, DataError

#: File -> terms, as scikit-image's documentation of `skimage.data` states them. Its other
#: photographs (astronaut, camera, chelsea, coins, ...) are left out, to be measured on.
PHOTOS = {
    "coffee.png": "CC0, Rachel Michetti",
    "rocket.jpg": "public domain, SpaceX",
    "brick.png": "CC0, CC0Textures",
    "grass.png": "CC0",
    "gravel.png": "CC0",
    "ihc.png": "no known copyright restrictions",
    "retina.jpg": "CC0",
    "text.png": "public domain",
    "clock_motion.png": "public domain, Stefan van der Walt",
}
_LONGEST_PX = 640


@lru_cache(maxsize=1)
def photos() -> tuple[Array, ...]:
    """All photographs, RGB uint8 (H, W, 3), at most 640 pixels long.

    Raises:
        DataError: scikit-image has one of them no longer.
    """
    from skimage import data

    read = []
    for name in PHOTOS:
        image = cv2.imread(str(Path(data.data_dir) / name))
        if image is None:
            raise DataError(f"scikit-image ships no {name}: install scikit-image 0.24 or newer.")
        scale = min(1.0, _LONGEST_PX / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        read.append(np.ascontiguousarray(small[..., ::-1]))
    return tuple(read)


def patch(rng: np.random.Generator, size: int, *, least_px: int = 48) -> Array:
    """A square of one of the photographs, at any zoom, turned or mirrored: float32 (size, size, 3).

    Args:
        rng: draws which.
        size: of the square, in pixels.
        least_px: the fewest pixels of the photograph that it shows from side to side.
    """
    image = photos()[rng.integers(len(PHOTOS))]
    height, width = image.shape[:2]
    side = int(rng.integers(least_px, min(height, width) + 1))
    y, x = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    part = image[y : y + side, x : x + side]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    part = np.rot90(part, int(rng.integers(4)) if rng.random() < 0.3 else 0)
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    out = cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=way)
    return out.astype(np.float32)
