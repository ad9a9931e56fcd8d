"""What is looked at to find a thing's effects: its surroundings, at a size that suits the thing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import RGB, Bool2D, Box, Float2D, Mask

Floats = NDArray[np.float32]

SIDE_PX = 288  # longest side of a view
THING_PX = 90.0  # square root of a thing's area in its view, at most
DARKEST = 0.03  # added before the logarithm: in black, ratios mean nothing
LUMA = np.array([0.3, 0.5, 0.2], np.float32)


@dataclass(frozen=True, eq=False)
class View:
    """A thing and what lies around it, reduced.

    Attributes:
        box: of the picture, that the view shows.
        rgb: (h, w, 3) float32 levels 0..255.
        log: (h, w, 3) logarithm of the levels, in which a shadow is a difference.
        luma: (h, w) their weighted mean.
        thing: (h, w) the thing.
        others: (h, w) other things that stand in the way.
        blocked: (h, w) where nothing can be learnt about the ground.
        size: square root of the thing's area, in pixels of the view.
        bounds: the thing's box in the view.
    """

    box: Box
    rgb: Floats
    log: Floats
    luma: Float2D
    thing: Bool2D
    others: Bool2D
    blocked: Bool2D
    size: float
    bounds: Box

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the view."""
        return self.thing.shape[0], self.thing.shape[1]

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the view per pixel of the picture, in x and y."""
        x0, y0, x1, y1 = self.box
        return self.shape[1] / (x1 - x0), self.shape[0] / (y1 - y0)

    def enlarged(self, soft: Float2D, shape: tuple[int, int]) -> Float2D:
        """A soft mask of the view as one of the whole picture (H, W)."""
        x0, y0, x1, y1 = self.box
        out = np.zeros(shape, np.float32)
        out[y0:y1, x0:x1] = self.natively(soft)
        return out

    def natively(self, soft: Float2D) -> Float2D:
        """A soft mask of the view as one of its box of the picture."""
        x0, y0, x1, y1 = self.box
        large = cv2.resize(soft, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32)


def look_at(image: RGB, thing: Mask, others: Bool2D | None = None) -> View:
    """The view of `thing` (not empty) in `image` (H, W, 3); `others` is bool (H, W)."""
    height, width = thing.shape
    x0, y0, x1, y1 = thing.box
    reach = max(y1 - y0, 0.6 * (x1 - x0), 12.0)
    left, right = max(0, x0 - int(2.2 * reach)), min(width, x1 + int(2.2 * reach))
    top, bottom = max(0, y0 - int(1.2 * reach)), min(height, y1 + int(1.6 * reach))
    box = left, top, right, bottom
    scale = min(1.0, SIDE_PX / max(right - left, bottom - top), THING_PX / np.sqrt(thing.area))
    size = max(8, round((right - left) * scale)), max(8, round((bottom - top) * scale))
    rgb = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    small = _reduced(thing.within(box), size)
    if not small.any():  # a thing of a pixel or two
        small[small.shape[0] // 2, small.shape[1] // 2] = True
    rest = np.zeros_like(small)
    if others is not None:
        rest = _reduced(others[top:bottom, left:right], size)
    rest &= ~small
    levels = rgb.astype(np.float32)
    log = np.log(levels / 255 + DARKEST)
    ys, xs = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    blocked = _grown(small, 2) | _grown(rest, 1)
    return View(
        box=box,
        rgb=levels,
        log=log,
        luma=log @ LUMA,
        thing=small,
        others=rest,
        blocked=blocked,
        size=float(np.sqrt(np.count_nonzero(small))),
        bounds=(int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1),
    )


def _reduced(mask: Bool2D, size: tuple[int, int]) -> Bool2D:
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5


def _grown(mask: Bool2D, radius_px: int) -> Bool2D:
    side = 2 * radius_px + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def ground_of(view: View, plane: Floats, unknown: Bool2D) -> Floats:
    """`plane` (h, w) or (h, w, c) as the surroundings go on where it is `unknown`: smooth.

    Normalised convolution (Knutsson & Westin 1993) at three widths: near evidence counts most.
    """
    known = (~(unknown | view.blocked)).astype(np.float32)
    data = plane * (known[..., None] if plane.ndim == 3 else known)
    total, weight = np.zeros_like(data), np.full_like(known, 1e-9)
    for width, share in ((0.08, 1.0), (0.2, 0.1), (0.6, 0.01)):
        sigma = max(1.5, width * view.size)
        total += share * _blurred(data, sigma)
        weight += share * _blurred(known, sigma)
    return (total / (weight[..., None] if plane.ndim == 3 else weight)).astype(np.float32)


def _blurred(plane: Floats, sigma: float) -> Floats:
    """A Gaussian blur; wide ones on a reduced plane, which is the same and faster."""
    if sigma < 6:
        return cv2.GaussianBlur(plane, (0, 0), sigma)
    factor = sigma / 3
    size = max(2, round(plane.shape[1] / factor)), max(2, round(plane.shape[0] / factor))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 3.0)
    return cv2.resize(small, plane.shape[1::-1], interpolation=cv2.INTER_LINEAR)
