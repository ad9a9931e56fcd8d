"""One look of a Segment Anything network at a part of a picture: embedded once, asked often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.cuts import (
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
_EARLIER = 4.0  # the logit of what is told to be known
_BOXES_AT_ONCE = 8

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

    def settled(
        self, points: tuple[Point, ...], sure: float = 2.0, *, most_unsure: int | None = None
    ) -> Bool2D:
        """The mask with its rim moved to where the colours change: GrabCut where it is unsure.

        Where that changes the area by more than half, the network's own mask is the answer.

        Args:
            points: hints; the positive ones lie in the result.
            sure: logits beyond this are taken for granted, as is what lies deep in the mask.
            most_unsure: see `cuts.cut`.
        """
        guess = self.mask()
        if not guess.any():
            return guess
        reach = max(2.0, 0.06 * float(np.sqrt(np.count_nonzero(guess))))
        seeds = np.where(guess, MAYBE_THING, MAYBE_BACK).astype(np.uint8)
        seeds[guess & (self.logits > sure) & (distance_inside(guess) > reach)] = THING
        seeds[~guess & (self.logits < -sure) & (distance_inside(~guess) > reach)] = BACK
        dots = put_points(seeds, self.window, points)
        found = tidy(cut(self.window.small, seeds, most_unsure=most_unsure))
        both = np.count_nonzero(found & guess) / np.count_nonzero(found | guess)
        return (found if both > 0.5 else tidy(guess)) | dots


@dataclass(frozen=True, eq=False)
class Glance:
    """A window of a picture with its embedding.

    Attributes:
        window: the part.
        predictor: a `SamPredictor` whose picture is set.
        twin: another, of the mirrored picture, with which all answers are averaged, or None.
    """

    window: Window
    predictor: Any
    twin: Any = None

    def ask(
        self, points: tuple[Point, ...], box: Box | None = None, earlier: Mask | None = None
    ) -> Answer:
        """What is meant; of several answers the one that the network itself rates best."""
        return max(self.answers(points, box, earlier), key=lambda answer: answer.quality)

    def answers(
        self, points: tuple[Point, ...], box: Box | None = None, earlier: Mask | None = None
    ) -> list[Answer]:
        """What `points` in the window and `box`, in the picture's pixels, may mean.

        A single click may mean several things: there are three answers, else one. `earlier` is the
        mask that further clicks mend.
        """
        inside = [p for p in points if self.window.holds(p.x, p.y)]
        places = np.array([self._inward(p.x, p.y) for p in inside], np.float32)
        signs = np.array([int(p.positive) for p in inside])
        corners = None
        if box is not None:
            low, high = self._inward(box[0], box[1]), self._inward(box[2], box[3])
            corners = np.array([*low, *high], np.float32)
        several = box is None and len(inside) == 1 and earlier is None
        asked = _Asked(places if inside else None, signs if inside else None, corners, several)
        small = None if earlier is None else self.window.shrink(earlier)
        masks, quality = asked.of(self.predictor, small)
        if self.twin is not None:
            mirrored = asked.mirrored(self.window.small.shape[1])
            other, worth = mirrored.of(self.twin, None if small is None else small[:, ::-1])
            masks = np.float32(0.5) * (masks + other[..., ::-1])
            quality = np.float32(0.5) * (quality + worth)
        told = zip(masks.astype(np.float32), quality, strict=True)
        return [Answer(self.window, one, float(worth)) for one, worth in told]

    def in_boxes(self, boxes: Sequence[Box]) -> Iterator[Bool2D]:
        """The mask in each of some boxes in the picture's pixels, bool (h, w) of the window."""
        import torch

        if not boxes:
            return
        corners = [(*self._inward(*box[:2]), *self._inward(*box[2:])) for box in boxes]
        for some in torch.split(torch.tensor(corners, dtype=torch.float32), _BOXES_AT_ONCE):
            shape = self.window.small.shape[:2]
            asked = self.predictor.transform.apply_boxes_torch(some, shape)
            masks, _, _ = self.predictor.predict_torch(None, None, asked, multimask_output=False)
            yield from masks[:, 0].cpu().numpy()

    def _inward(self, x: float, y: float) -> tuple[float, float]:
        sx, sy = self.window.scale
        return (x - self.window.box[0]) * sx, (y - self.window.box[1]) * sy


@dataclass(frozen=True, eq=False)
class _Asked:
    """A prompt in pixels of a small picture: clicks (n, 2) and their signs (n,), a box (4,)."""

    places: Any
    signs: Any
    corners: Any
    several: bool

    def of(
        self, predictor: Any, earlier: Bool2D | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (n, h, w), and the IoU expected of each, (n,)."""
        more = {} if earlier is None else {"mask_input": _low(predictor, earlier)}
        masks, quality, _ = predictor.predict(
            point_coords=self.places,
            point_labels=self.signs,
            box=self.corners,
            multimask_output=self.several,
            return_logits=True,
            **more,
        )
        return masks, quality

    def mirrored(self, width: int) -> _Asked:
        """As it lies in the mirrored picture: pixel x at width - 1 - x; sides lie between."""
        places, corners = self.places, self.corners
        if places is not None:
            places = np.stack([width - 1 - places[:, 0], places[:, 1]], -1)
        if corners is not None:
            x0, y0, x1, y1 = corners
            corners = np.array([width - x1, y0, width - x0, y1], np.float32)
        return _Asked(places, self.signs, corners, self.several)


def _low(predictor: Any, mask: Bool2D) -> NDArray[np.float32]:
    """A mask as the logits (1, m, m) that the network takes: of the padded square."""
    low = predictor.model.prompt_encoder.mask_input_size
    share = low[0] / max(mask.shape)
    size = max(1, round(mask.shape[1] * share)), max(1, round(mask.shape[0] * share))
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    out = np.full((1, *low), -_EARLIER, np.float32)
    out[0, : size[1], : size[0]] = _EARLIER * (2 * small - 1)
    return out


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
