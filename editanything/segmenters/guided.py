"""The classical segmenter and a small network that looks from near and far: what most agree on.

A click may mean a button or the whole coat, and a small network is easily misled by one look. So it
looks at windows of several sizes, at each as it is and mirrored, and of all masks that one is taken
which overlaps best with the others, each weighed by the overlap that the network itself expects.
For a box the classical answer has its voice among them. Regions and strokes are the classical
segmenter's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.cuts import MOST_UNSURE
from editanything.masks import box_union
from editanything.segmenters.classical import Classical, ClassicalSeen, in_box
from editanything.segmenters.glance import Answer
from editanything.segmenters.sam import SamSeen, SamSegmenter, around
from editanything.segmenters.window import Window
from editanything.types import RGB, Bool2D, Box, Mask, Point, Region

#: Each window around a click is so much smaller than the one before; the smallest is so many
#: pixels, and such a share of the picture's longer side.
STEP, LEAST_PX, LEAST_SHARE = 2**-0.5, 160, 0.2
#: Of a box's longer side, what is shown beside it on every side; of a mask that clicks mend.
BOX_CONTEXTS, MEND_CONTEXTS = (0.1, 0.35, 0.8), (0.35, 0.8)
#: The voice of the classical answer to a box, where the network's are at most 1 each. Chosen on
#: scenes of things that were trained on and on photographs of the development split.
CLASSICAL_VOICE = 2.0
_FRAME_PX = 384  # masks are compared at this size
#: The grid of clicks behind `things`, and which masks are kept: rather one too many.
_GRID: dict[str, Any] = {"points_per_side": 10, "min_quality": 0.3, "min_stability": 0.5}


@dataclass(frozen=True)
class Guided(Classical):
    """Settings, those of `Classical` and some for the network; `look` holds a picture.

    Attributes:
        weights: of the network, see `SamSegmenter`.
        device: of torch.

    Raises:
        InputError: sizes out of range; at the first prompt, weights that cannot be used.
    """

    weights: Any = "default"
    device: str = "cpu"

    @cached_property
    def network(self) -> SamSegmenter:
        """The network, opened at the first prompt."""
        return SamSegmenter(self.weights, self.device, self.prompt_px, mirror=True, **_GRID)

    def prepare(self) -> None:
        """Open the network now: the first prompt need not wait for it."""
        self.network.predictor(np.zeros((8, 8, 3), np.uint8))

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> GuidedSeen:
        """See `Classical.look`."""
        plain = super().look(image, known=known)
        return GuidedSeen(self, plain.image, plain.known)


@dataclass(frozen=True, eq=False)
class GuidedSeen(ClassicalSeen):
    """A picture in hand; the network looks at it at the first prompt."""

    settings: Guided

    @cached_property
    def _network(self) -> SamSeen:
        return self.settings.network.look(self.image)

    @cached_property
    def _things(self) -> tuple[Mask, ...]:
        return tuple(region.mask for region in self._network.regions())

    def things(self) -> tuple[Mask, ...]:
        """What may be a thing, largest first: masks that overlap, of a grid of clicks."""
        return self._things

    @cached_property
    def _frame(self) -> Window:
        height, width = self.image.shape[:2]
        share = min(1.0, _FRAME_PX / max(height, width))
        size = max(1, round(height * share)), max(1, round(width * share))
        # Masks alone are seen in it: a large picture need not be reduced.
        return Window(self.image, (0, 0, width, height), np.zeros((*size, 3), np.uint8))

    def _from_box(self, box: Box, points: tuple[Point, ...]) -> Mask:
        near = tuple(p for p in points if in_box(p, box))
        shape = self.image.shape[:2]
        answers = [
            answer
            for context in BOX_CONTEXTS
            for answer in self._network.glance(around(box, context, shape)).answers(near, box)
        ]
        plain = super()._from_box(box, points)
        found = [a.window.outward(a.settled(near, most_unsure=MOST_UNSURE)) for a in answers]
        found += [a.window.outward(a.mask()) for a in answers]
        voices = [_voice(answer) for answer in answers] * 2
        shown = [self._frame.shrink(mask) for mask in [*found, plain]]
        return [*found, plain][agreed(shown, [*voices, CLASSICAL_VOICE])]

    def _thing_under(self, points: tuple[Point, ...]) -> Mask:
        if len(points) > 1:
            return self._mended(self._thing_under(points[:-1]), points)
        answers = [
            answer
            for window in windows(points[0], self.image.shape[:2])
            for answer in self._network.glance(window).answers(points)
        ]
        return self._agreed(answers, points)

    def _mended(self, before: Mask, points: tuple[Point, ...]) -> Mask:
        """What all clicks mean, where `before` is what all but the last one meant.

        A click that says what `before` says already changes nothing.
        """
        last = points[-1]
        if bool(before.within(self._pixel(last)).any()) == last.positive:
            return before
        spot, shape = self._pixel(last), self.image.shape[:2]
        part = box_union(before.box, spot) if before.area else spot
        answers = [
            answer
            for context in MEND_CONTEXTS
            for earlier in (before, None)
            for answer in self._network.glance(around(part, context, shape)).answers(
                points, earlier=earlier
            )
        ]
        return self._agreed(answers, points)

    def _agreed(self, answers: list[Answer], points: tuple[Point, ...]) -> Mask:
        """The mask that most agree on, with its rim where the colours change."""
        shown = [self._framed(answer) for answer in answers]
        best = answers[agreed(shown, [_voice(answer) for answer in answers])]
        return best.window.outward(best.settled(points, most_unsure=MOST_UNSURE))

    def _framed(self, answer: Answer) -> Bool2D:
        """An answer's mask in the whole picture, reduced."""
        sx, sy = self._frame.scale
        x0, y0, x1, y1 = answer.window.box
        left, top, right, bottom = round(x0 * sx), round(y0 * sy), round(x1 * sx), round(y1 * sy)
        out = np.zeros(self._frame.small.shape[:2], bool)
        size = max(1, right - left), max(1, bottom - top)
        large = cv2.resize(answer.logits, size, interpolation=cv2.INTER_LINEAR) > 0
        out[top : top + size[1], left : left + size[0]] = large
        return out


def windows(point: Point, shape: tuple[int, int]) -> Iterator[Box]:
    """The whole picture, then squares around a click (cut by the frame where they must be)."""
    height, width = shape
    side = float(max(height, width))
    least = max(LEAST_PX, LEAST_SHARE * side)
    yield 0, 0, width, height
    side *= STEP
    while side >= least:
        w, h = min(width, round(side)), min(height, round(side))
        x0 = min(max(0, round(point.x - w / 2)), width - w)
        y0 = min(max(0, round(point.y - h / 2)), height - h)
        yield x0, y0, x0 + w, y0 + h
        side *= STEP


def agreed(masks: list[Bool2D], voices: list[float]) -> int:
    """The number of the mask (each (h, w)) that overlaps best with all, weighed by their voices."""
    flat = np.stack([mask.ravel() for mask in masks]).astype(np.float32)
    both = flat @ flat.T
    area = np.diagonal(both)
    either = area[:, None] + area[None] - both
    overlap: NDArray[np.float32] = both / np.maximum(either, 1)
    return int((overlap @ np.array(voices, np.float32)).argmax())


def _voice(answer: Answer) -> float:
    return float(np.clip(answer.quality, 0.01, 1)) ** 2
