"""Pure mask algebra: grow, fill, feather, boxes with context. Knows shapes, not pictures."""

from __future__ import annotations

import cv2
import numpy as np

from editanything.types import Bool2D, Box, Float2D, Mask


def union(*masks: Mask) -> Mask:
    """Every pixel that is in one of the masks (at least one; all of one picture)."""
    shape = masks[0].shape
    assert all(mask.shape == shape for mask in masks), [mask.shape for mask in masks]
    filled = [mask for mask in masks if mask.area]
    if len(filled) < 2:
        return filled[0] if filled else Mask.empty(shape)
    box = box_union(*(mask.box for mask in filled))
    crop = filled[0].within(box)
    for mask in filled[1:]:
        crop |= mask.within(box)
    return Mask.placed(shape, (box[0], box[1]), crop)


def minus(mask: Mask, other: Mask) -> Mask:
    """The pixels of `mask` that are not in `other`."""
    assert mask.shape == other.shape, (mask.shape, other.shape)
    x, y = mask.box[:2]
    return Mask.placed(mask.shape, (x, y), mask.crop & ~other.within(mask.box))


def intersection(mask: Mask, other: Mask) -> Mask:
    """The pixels that are in both."""
    assert mask.shape == other.shape, (mask.shape, other.shape)
    x, y = mask.box[:2]
    return Mask.placed(mask.shape, (x, y), mask.crop & other.within(mask.box))


def shared_px(mask: Mask, other: Mask) -> int:
    """How many pixels are in both."""
    assert mask.shape == other.shape, (mask.shape, other.shape)
    x0, y0 = max(mask.box[0], other.box[0]), max(mask.box[1], other.box[1])
    x1, y1 = min(mask.box[2], other.box[2]), min(mask.box[3], other.box[3])
    if x0 >= x1 or y0 >= y1:
        return 0
    box = x0, y0, x1, y1
    return int(np.count_nonzero(mask.within(box) & other.within(box)))


def complement(mask: Mask) -> Mask:
    """The pixels that are not in `mask`."""
    return Mask.of(~mask.full())


def iou(mask: Mask, other: Mask) -> float:
    """Intersection over union; 0 for two empty masks."""
    common = shared_px(mask, other)
    total = mask.area + other.area - common
    return common / total if total else 0.0


def box_union(*boxes: Box) -> Box:
    """The smallest box around all boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def with_margin(box: Box, margin_px: int, shape: tuple[int, int]) -> Box:
    """`box` with `margin_px` more on every side, kept inside a picture of `shape` = (H, W)."""
    height, width = shape
    x0, y0, x1, y1 = box
    return (
        max(0, x0 - margin_px),
        max(0, y0 - margin_px),
        min(width, x1 + margin_px),
        min(height, y1 + margin_px),
    )


def disc(radius_px: int) -> np.ndarray:
    """A round structuring element, `2 r + 1` wide (OpenCV's ellipse is not quite symmetric)."""
    ys, xs = np.mgrid[-radius_px : radius_px + 1, -radius_px : radius_px + 1]
    return (xs**2 + ys**2 <= (radius_px + 0.5) ** 2).astype(np.uint8)


def grow(mask: Mask, radius_px: int) -> Mask:
    """`mask` grown by `radius_px` (shrunk where negative), round, clipped to the picture.

    What lies beyond the picture counts as part of neither: a mask does not shrink away from the
    picture's own edge.
    """
    if radius_px == 0 or mask.area == 0:
        return mask
    box = with_margin(mask.box, abs(radius_px) + 1, mask.shape)
    crop = mask.within(box).view(np.uint8)
    # The distance to the nearest pixel (of the mask, or of the rest) is exact and fast for any
    # radius, where dilation by a large disc is neither.
    if radius_px > 0:
        distance = cv2.distanceTransform(1 - crop, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        out = distance <= radius_px + 0.5
    else:
        distance = cv2.distanceTransform(crop, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        out = distance > -radius_px + 0.5
    return Mask.placed(mask.shape, (box[0], box[1]), out)


def fill_holes(mask: Mask, *, max_area_px: int | None = None) -> Mask:
    """`mask` with its enclosed holes filled: all of them, or those up to `max_area_px`."""
    if mask.area == 0:
        return mask
    outside = np.pad(~mask.crop, 1, constant_values=True).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    fill = np.ones(len(stats), bool)
    fill[labels[0, 0]] = False  # the surroundings
    if max_area_px is not None:
        fill &= stats[:, cv2.CC_STAT_AREA] <= max_area_px
    fill[0] = False  # label 0 is the mask itself
    crop = mask.crop | fill[labels][1:-1, 1:-1]
    return Mask(mask.shape, mask.box, crop)


def drop_specks(mask: Mask, min_area_px: int) -> Mask:
    """`mask` without its connected parts smaller than `min_area_px`; the largest always stays."""
    if mask.area == 0:
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.crop.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    stay = areas >= min_area_px
    stay[int(areas.argmax())] = True
    stay[0] = False
    return Mask.placed(mask.shape, mask.box[:2], stay[labels])


def rim_px(area_px: int) -> float:
    """How far from the rim of a thing of `area_px` pixels may be mixed with what is behind it."""
    return float(np.clip(0.012 * np.sqrt(area_px), 2.0, 8.0))


def feather(area: Bool2D, width_px: float, *, beyond: Bool2D | None = None) -> Float2D:
    """A soft alpha inside `area`: 1 deep inside, falling to 0 at its rim over `width_px`.

    Where the area ends at `beyond` it ends at once: another thing begins there.

    The alpha never leaves `area`, so that what lies outside stays as it is. The picture's own
    edge is no rim: the array's border counts as inside where the area touches it.
    """
    if width_px <= 0:
        return area.astype(np.float32)
    wide = area if beyond is None else area | beyond
    padded = cv2.copyMakeBorder(wide.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    ramp = np.clip(distance / (width_px + 1.0), 0.0, 1.0)
    alpha = (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)
    return alpha if beyond is None else alpha * area


def warp(mask: Mask, matrix: np.ndarray, shape: tuple[int, int] | None = None) -> Mask:
    """`mask` carried by the affine `matrix` (2, 3): (x, y) -> matrix @ (x, y, 1), pixel centres.

    What leaves the picture is cut off. `shape`: of the picture that it goes to, if another one.
    """
    matrix = np.asarray(matrix, np.float64)
    shape = shape or mask.shape
    if mask.area == 0:
        return Mask.empty(shape)
    x0, y0, x1, y1 = mask.box
    shift = matrix[:, 2]
    if np.array_equal(matrix[:, :2], np.eye(2)) and np.array_equal(shift, shift.round()):
        return Mask.placed(shape, (x0 + int(shift[0]), y0 + int(shift[1])), mask.crop)
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x0, y1, 1], [x1, y1, 1]], np.float64) @ matrix.T
    left, top = np.floor(corners.min(0)).astype(int) - 1
    right, bottom = np.ceil(corners.max(0)).astype(int) + 2
    height, width = shape
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        return Mask.empty(shape)
    local = matrix.copy()  # from the mask's crop to the destination's crop
    local[:, 2] += matrix[:, :2] @ (x0, y0) - (left, top)
    soft = cv2.warpAffine(
        mask.crop.astype(np.float32), local, (int(right - left), int(bottom - top))
    )
    return Mask.placed(shape, (int(left), int(top)), soft >= 0.5)
