"""Regions -> the condition of a SAM-ControlNet: every region's number, packed into two channels.

The published ControlNets (EditAnything v0.x) were trained on maps made so: region i of the list
has the number i + 1, later regions lie over earlier ones, red holds the number mod 256, green the
number div 256; pixels of no region are 0. Values go in as they are, 0..255, and the map is only
ever resized by nearest neighbour: a mix of two numbers would be a third region.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.types import Bool2D

if TYPE_CHECKING:
    import torch

ORDERS = ("given", "area")
MOST_REGIONS = 2**16 - 1


def number_map(
    regions: Iterable[Bool2D], shape: tuple[int, int], *, order: str = "given"
) -> NDArray[np.uint16]:
    """The number of the region that lies on top at each pixel, (H, W); 0: none.

    Args:
        regions: bool (H, W) each.
        shape: (H, W).
        order: "given": numbered as they come, as in training; "area": large ones first, so that
            small parts stay visible.

    Raises:
        InputError: an unknown order, more regions than numbers, or a region of another size.
    """
    if order not in ORDERS:
        raise InputError(f"order is one of {', '.join(ORDERS)}; got {order!r}.")
    masks = list(regions)
    if len(masks) > MOST_REGIONS:
        raise InputError(f"A map has room for {MOST_REGIONS} regions; got {len(masks)}.")
    if order == "area":
        masks.sort(key=lambda mask: -int(np.count_nonzero(mask)))
    numbers = np.zeros(shape, np.uint16)
    for i, mask in enumerate(masks):
        if mask.shape != shape:
            raise InputError(f"Region {i} is {mask.shape}, but the picture is {shape}.")
        numbers[mask] = i + 1
    return numbers


def continued(numbers: NDArray[np.uint16], hole: Bool2D) -> NDArray[np.uint16]:
    """The map with what lies around a hole going on into it: the nearest pixel's number, (H, W).

    Where a thing is removed, its own number would have a ControlNet paint it again, and a hole of
    no region would still show its outline.

    Args:
        numbers: (H, W).
        hole: bool (H, W); of a hole that is all of the map, nothing is known: 0.
    """
    if hole.all():
        return np.zeros_like(numbers)
    _, nearest = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(nearest.max()) + 1, np.uint16)
    of_label[nearest[~hole]] = numbers[~hole]
    return of_label[nearest]


def pack(numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """(H, W, 3): red = number mod 256, green = number div 256, blue = 0."""
    packed = np.zeros((*numbers.shape, 3), np.uint8)
    packed[..., 0] = numbers % 256
    packed[..., 1] = numbers // 256
    return packed


def condition(numbers: NDArray[np.uint16], size: tuple[int, int]) -> torch.Tensor:
    """The ControlNet's input: float (1, 3, H, W) in 0..255, by nearest to `size` = (H, W)."""
    import torch

    height, width = size
    resized = cv2.resize(numbers, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return torch.from_numpy(pack(resized)).permute(2, 0, 1)[None].float()


def inpaint_condition(image: NDArray[np.uint8], mask: Bool2D) -> torch.Tensor:
    """The inpainting ControlNet's input: float (1, 3, H, W) in 0..1, and -1 where it is painted."""
    import torch

    values = image.astype(np.float32) / 255.0
    values[mask] = -1.0
    return torch.from_numpy(values).permute(2, 0, 1)[None]
