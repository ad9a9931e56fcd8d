"""A crop at its native size <-> the size that a network works at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from editanything.types import RGB, Bool2D, Float2D

LEAST_SIDE = 64


@dataclass(frozen=True, eq=False)
class Working:
    """A crop as a network sees it.

    Attributes:
        image: RGB uint8 (H, W, 3).
        mask: bool (H, W), where it is painted; never empty.
        soft: (H, W) in 0..1, the same with a soft rim.
    """

    image: RGB
    mask: Bool2D
    soft: Float2D

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.image.shape[0], self.image.shape[1]


def working_size(shape: tuple[int, int], side: int, multiple: int) -> tuple[int, int]:
    """(H, W) with the proportions of `shape` and about side² pixels, multiples of `multiple`."""
    height, width = shape
    scale = side / math.sqrt(height * width)
    least = max(multiple, LEAST_SIDE // multiple * multiple)

    def rounded(length: float) -> int:
        return max(least, round(length * scale / multiple) * multiple)

    return rounded(height), rounded(width)


def work_on(image: RGB, area: Bool2D, size: tuple[int, int], blur_px: float = 0.0) -> Working:
    """The crop and its mask at the working size."""
    soft = np.clip(resized(area.astype(np.float32), size), 0, 1)
    mask = soft >= 0.5
    if not mask.any():  # thinner than half a pixel here
        mask = soft >= soft.max()
        soft = np.maximum(soft, mask.astype(np.float32))
    if blur_px > 0:
        # Outwards only: what is to be painted is painted whole, and its surroundings a little.
        blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), blur_px)
        soft = np.where(mask, 1.0, np.clip(2 * blurred, 0, 1)).astype(np.float32)
    return Working(resized(image, size), mask, soft)


def resized(array: RGB | Float2D, size: tuple[int, int]) -> np.ndarray:
    """By area where it becomes smaller, by Lanczos (masks: linearly) where larger."""
    height, width = size
    if array.shape[:2] == (height, width):
        return np.ascontiguousarray(array)
    smaller = height * width < array.shape[0] * array.shape[1]
    larger = cv2.INTER_LANCZOS4 if array.ndim == 3 else cv2.INTER_LINEAR
    return cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA if smaller else larger)
