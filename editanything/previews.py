"""How a picture looks while a step of an edit is under way."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from editanything.image import Picture
from editanything.progress import Progress, shown_as
from editanything.types import RGB, Box, Mask

LONGEST_PX = 800


def in_picture(
    progress: Progress | None, picture: Picture, box: Box, area: Mask
) -> Progress | None:
    """`progress`, shown the whole picture, reduced, for each crop that a backend shows it.

    Args:
        progress: of the step.
        picture: as it is before the step.
        box: of the crop in it.
        area: where the step may change it.
    """
    height, width = picture.shape
    scale = min(1.0, LONGEST_PX / max(height, width))
    x0, y0, x1, y1 = (round(scale * edge) for edge in box)
    size = max(x1 - x0, 1), max(y1 - y0, 1)

    @cache
    def still() -> tuple[RGB, RGB]:
        whole = (max(1, round(scale * width)), max(1, round(scale * height)))
        inside = area.full().view(np.uint8) * 255
        return (
            cv2.resize(picture.rgb(), whole, interpolation=cv2.INTER_AREA),
            cv2.resize(inside, whole, interpolation=cv2.INTER_AREA) >= 128,
        )

    def turn(crop: RGB) -> RGB:
        base, inside = still()
        out = base.copy()
        place = out[y0 : y0 + size[1], x0 : x0 + size[0]]
        painted = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        painted = painted[: place.shape[0], : place.shape[1]]
        within = inside[y0 : y0 + size[1], x0 : x0 + size[0]]
        place[within] = painted[within]
        return out

    return shown_as(progress, turn)
