"""What a box, clicks or strokes mean: each works in a window at reduced size."""

from __future__ import annotations

import cv2
import numpy as np

from editanything.cuts import (
    BACK,
    MAYBE_BACK,
    MAYBE_THING,
    MOST_UNSURE,
    THING,
    Seeds,
    cut,
    distance_inside,
    tidy,
)
from editanything.masks import with_margin
from editanything.segmenters.window import Window
from editanything.types import RGB, Bool2D, Box, Mask, Point

# A box is drawn around a thing, so the thing spans it. A cut that spans less of the box's area than
# this was misled by the colours. Both numbers were chosen on the development pictures of
# benchmarks/segmenter.py.
LEAST_SPAN = 0.6
# Then this part of the ellipse in the box is taken for granted: (distance from its middle)².
SURE_MIDDLE = 0.6


def box_window(picture: RGB, box: Box, longest_px: int, *, context: float) -> Window:
    """The window around `box` with `context` times its longer side more on every side."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    margin = max(8, round(context * max(x1 - x0, y1 - y0)))
    return Window.of(picture, with_margin((x0, y0, x1, y1), margin, (height, width)), longest_px)


def from_box(window: Window, box: Box, points: tuple[Point, ...]) -> Bool2D:
    """The thing in `box`; `points` in the window help. Bool (h, w) of the window."""
    h, w = window.small.shape[:2]
    u0, v0 = window.inward(box[0], box[1])
    u1, v1 = window.inward(box[2] - 1, box[3] - 1)
    inside = np.zeros((h, w), bool)
    inside[v0 : v1 + 1, u0 : u1 + 1] = True
    seeds: Seeds = np.where(inside, MAYBE_THING, BACK).astype(np.uint8)
    # The corners of a tight box are rarely of the thing; its middle nearly always is.
    ys, xs = np.mgrid[0:h, 0:w]
    across = np.abs(xs - (u0 + u1) / 2) / ((u1 - u0 + 1) / 2)
    along = np.abs(ys - (v0 + v1) / 2) / ((v1 - v0 + 1) / 2)
    seeds[inside & (across**2 + along**2 > 1.5)] = MAYBE_BACK
    dots = put_points(seeds, window, points)
    found = cut(window.small, seeds, most_unsure=MOST_UNSURE)
    if _span(tidy(found) & inside) < LEAST_SPAN * np.count_nonzero(inside):
        seeds[inside & (across**2 + along**2 < SURE_MIDDLE)] = THING
        put_points(seeds, window, points)
        found = cut(window.small, seeds, most_unsure=MOST_UNSURE)
    return tidy(found) | dots


def _span(mask: Bool2D) -> int:
    """The pixels of the box around a mask."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int((ys[-1] - ys[0] + 1) * (xs[-1] - xs[0] + 1)) if ys.size else 0


def put_points(seeds: Seeds, window: Window, points: tuple[Point, ...]) -> Bool2D:
    """Mark sure seeds at `points` that lie in the window; the positive ones come back."""
    dots = np.zeros(seeds.shape, np.uint8)
    radius = max(1, round(0.008 * max(seeds.shape)))
    # Negative ones last: where two clicks meet, "not this" is the more careful answer.
    for point in sorted(points, key=lambda p: not p.positive):
        if window.holds(point.x, point.y):
            spot = np.zeros(seeds.shape, np.uint8)
            cv2.circle(spot, window.inward(point.x, point.y), radius, 1, -1)
            seeds[spot > 0] = THING if point.positive else BACK
            dots[spot > 0] = point.positive
    return dots.astype(bool)


def from_guess(window: Window, guess: Bool2D, points: tuple[Point, ...]) -> Bool2D:
    """`guess` with its rim made better: GrabCut in a band around it."""
    reach = max(2.0, 0.12 * float(np.sqrt(np.count_nonzero(guess))))
    inner = distance_inside(guess)
    outer = distance_inside(~guess)
    seeds = np.where(guess, MAYBE_THING, MAYBE_BACK).astype(np.uint8)
    seeds[inner > reach] = THING
    seeds[outer > reach] = BACK
    dots = put_points(seeds, window, points)
    found = tidy(cut(window.small, seeds), must=dots if dots.any() else None)
    before = np.count_nonzero(guess)
    if not before / 3 < np.count_nonzero(found) < before * 3:
        found = tidy(guess)
    return found | dots


def from_brush(window: Window, brush: Mask, points: tuple[Point, ...]) -> Bool2D:
    """The thing that rough strokes touch, bool (h, w) of the window."""
    stroke = window.shrink(brush)
    if not stroke.any():  # a stroke thinner than a pixel of the window
        stroke = window.shrink(brush, least=0.0)
    depth = distance_inside(stroke)
    core = depth > 0.4 * depth.max()
    seeds = np.full(stroke.shape, MAYBE_BACK, np.uint8)
    seeds[stroke] = MAYBE_THING
    seeds[core] = THING
    put_points(seeds, window, points)
    return tidy(cut(window.small, seeds), must=core)
