"""One look of a Segment Anything network at a part of a picture: embedded once, asked often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything.segmenters.cuts import (
    BACK,
    MAYBE_BACK,
    MAYBE_THING,
    THING,
    cut,
    distance_inside,
    tidy,
)
from editanything.segmenters.prompts import put_points
from editanything.segmenters.window import Window
from editanything.types import Bool2D, Box, Mask, Point

MAX_STROKE_CLICKS = 6

Logits = NDArray[np.float32]  # (h, w) of a window's small picture; above 0: of the thing


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network takes a prompt to mean, and the IoU that it expects."""

    window: Window
    logits: Logits
    quality: float

    def mask(self) -> Bool2D:
        """The thing, bool (h, w) of the window."""
        return self.logits > 0

    def native_box(self) -> Box | None:
        """The picture's pixels that it touches; None: it is empty."""
        ys, xs = np.nonzero(self.mask())
        if not ys.size:
            return None
        sx, sy = self.window.scale
        x0, y0, x1, y1 = self.window.box
        return (
            x0 + int(xs.min() / sx),
            y0 + int(ys.min() / sy),
            min(x0 + int(np.ceil((xs.max() + 1) / sx)), x1),
            min(y0 + int(np.ceil((ys.max() + 1) / sy)), y1),
        )

    def settled(self, points: tuple[Point, ...], sure: float = 2.0) -> Bool2D:
        """The mask with its rim moved to where the colours change: GrabCut where it is unsure.

        Where that changes the area by more than half, the network's own mask is the answer.

        Args:
            points: hints; the positive ones lie in the result.
            sure: logits beyond this are taken for granted, as is what lies deep in the mask.
        """
        guess = self.mask()
        if not guess.any():
            return guess
        reach = max(2.0, 0.06 * float(np.sqrt(np.count_nonzero(guess))))
        seeds = np.where(guess, MAYBE_THING, MAYBE_BACK).astype(np.uint8)
        seeds[guess & (self.logits > sure) & (distance_inside(guess) > reach)] = THING
        seeds[~guess & (self.logits < -sure) & (distance_inside(~guess) > reach)] = BACK
        dots = put_points(seeds, self.window, points)
        found = tidy(cut(self.window.small, seeds))
        both = np.count_nonzero(found & guess) / np.count_nonzero(found | guess)
        return (found if both > 0.5 else tidy(guess)) | dots


@dataclass(frozen=True, eq=False)
class Glance:
    """A window of a picture with its embedding."""

    window: Window
    predictor: Any  # a SamPredictor whose picture is set

    def ask(self, points: tuple[Point, ...], box: Box | None = None) -> Answer:
        """What `points` in the window and `box`, in the picture's pixels, mean.

        A single click may mean several things: of three answers the one that the network itself
        rates best is taken.
        """
        inside = [p for p in points if self.window.holds(p.x, p.y)]
        places = np.array([self._inward(p.x, p.y) for p in inside], np.float32)
        signs = np.array([int(p.positive) for p in inside])
        corners = None
        if box is not None:
            low, high = self._inward(box[0], box[1]), self._inward(box[2], box[3])
            corners = np.array([*low, *high], np.float32)
        masks, quality, _ = self.predictor.predict(
            point_coords=places if inside else None,
            point_labels=signs if inside else None,
            box=corners,
            multimask_output=box is None and len(inside) == 1,
            return_logits=True,
        )
        best = int(quality.argmax())
        return Answer(self.window, masks[best].astype(np.float32), float(quality[best]))

    def _inward(self, x: float, y: float) -> tuple[float, float]:
        sx, sy = self.window.scale
        return (x - self.window.box[0]) * sx, (y - self.window.box[1]) * sy


def stroke_clicks(brush: Mask) -> tuple[Point, ...]:
    """Positive clicks along a rough stroke, far from its rim and from each other."""
    depth = distance_inside(np.pad(brush.crop, 1))[1:-1, 1:-1].copy()
    ys, xs = np.mgrid[0 : depth.shape[0], 0 : depth.shape[1]]
    least = 0.5 * float(depth.max())
    apart = max(3.0, 0.15 * max(depth.shape))
    clicks: list[Point] = []
    while len(clicks) < MAX_STROKE_CLICKS and float(depth.max()) >= max(least, 1e-6):
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        clicks.append(Point(float(x) + brush.box[0], float(y) + brush.box[1]))
        depth[np.hypot(ys - y, xs - x) < apart] = 0
    return tuple(clicks)
