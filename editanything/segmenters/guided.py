"""The classical segmenter and two networks that look from near and far: what most agree on.

One network was trained here, on drawn things, and is small; the other is MobileSAM (mobile.py),
which knows photographs. A click may mean a button or the whole coat, and a network is easily misled
by one look. So they look at windows of several sizes, the small one at each as it is and mirrored,
and of all masks that one is taken which overlaps best with the others, each weighed by the overlap
that its network expects. For a box the classical answer has its voice among them. Regions and
strokes are the classical segmenter's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.cuts import MOST_UNSURE
from editanything.masks import box_union
from editanything.segmenters.classical import Classical, ClassicalSeen, in_box
from editanything.segmenters.glance import Answer, Glance
from editanything.segmenters.sam import SamSeen, SamSegmenter, around
from editanything.segmenters.weights import MOBILE_PX
from editanything.segmenters.window import Window
from editanything.types import RGB, Bool2D, Box, Mask, Point, Region

#: Each window around a click is so much smaller than the one before; the smallest is so many
#: pixels, and such a share of the picture's longer side.
STEP, LEAST_PX, LEAST_SHARE = 2**-0.5, 160, 0.2
#: Of a box's longer side, what is shown beside it on every side; of a mask that clicks mend.
BOX_CONTEXTS, MEND_CONTEXTS = (0.1, 0.35, 0.8), (0.35, 0.8)
#: The same for the network of photographs: each of its looks takes four times as long.
PHOTO_BOX_CONTEXTS, PHOTO_MEND_CONTEXTS = (0.1, 0.35), (0.35,)
#: It looks at the whole picture for a click, and once more from near where that tells of a thing
#: whose longer side is so small a share of the picture's.
PHOTO_NEAR_BELOW, PHOTO_NEAR_CONTEXT = 0.12, 1.0
#: Voices, where those of the small network are at most 1 each: of the classical answer to a box,
#: of the network of photographs to a box, and to clicks. Chosen on scenes of things that were
#: trained on, photographs of the development split and cut-outs set into others
#: (docs/experiments.md).
CLASSICAL_VOICE, PHOTO_BOX_VOICE, PHOTO_CLICK_VOICE = 1.0, 2.0, 1.5
_FRAME_PX = 384  # masks are compared at this size
#: The grid of clicks behind `things`, and which masks are kept: rather one too many.
_GRID: dict[str, Any] = {"points_per_side": 10, "min_quality": 0.3, "min_stability": 0.5}


@dataclass(frozen=True)
class Guided(Classical):
    """Settings, those of `Classical` and some for the networks; `look` holds a picture.

    Attributes:
        weights: of the small network, see `SamSegmenter`.
        photo_weights: of the network of photographs.
        device: of torch.

    Raises:
        InputError: sizes out of range; at the first prompt, weights that cannot be used.
    """

    weights: Any = "default"
    photo_weights: Any = "mobile"
    device: str = "cpu"

    @cached_property
    def network(self) -> SamSegmenter:
        """The small network, opened at the first prompt."""
        return SamSegmenter(self.weights, self.device, self.prompt_px, mirror=True, **_GRID)

    @cached_property
    def photographs(self) -> SamSegmenter:
        """The network of photographs, opened at the first prompt."""
        return SamSegmenter(self.photo_weights, self.device, MOBILE_PX)

    def prepare(self) -> None:
        """Open the networks now: the first prompt need not wait for them."""
        for network in (self.network, self.photographs):
            network.predictor(np.zeros((8, 8, 3), np.uint8))

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> GuidedSeen:
        """See `Classical.look`."""
        plain = super().look(image, known=known)
        return GuidedSeen(self, plain.image, plain.known)


@dataclass(frozen=True, eq=False)
class GuidedSeen(ClassicalSeen):
    """A picture in hand; the networks look at it at the first prompt."""

    settings: Guided

    @cached_property
    def _network(self) -> SamSeen:
        return self.settings.network.look(self.image)

    @cached_property
    def _photographs(self) -> SamSeen:
        return self.settings.photographs.look(self.image)

    @cached_property
    def _things(self) -> tuple[Mask, ...]:
        return tuple(region.mask for region in self._network.regions())

    def prepare(self) -> None:
        """Let the networks look at the whole picture now: the first click need not wait for it.

        Raises:
            InputError: weights that cannot be used.
        """
        for network in (self._network, self._photographs):
            network.glance(self._whole)

    def things(self) -> tuple[Mask, ...]:
        """What may be a thing, largest first: masks that overlap, of a grid of clicks."""
        return self._things

    def in_boxes(self, boxes: Sequence[Box]) -> tuple[Mask, ...]:
        """What the network of photographs sees in each of many boxes, at a glance.

        Rougher than `select`, and faster: the picture is looked at once, as a whole.

        Raises:
            InputError: weights that cannot be used.
        """
        glance = self._photographs.glance(self._whole)
        return tuple(glance.window.roughly(small) for small in glance.in_boxes(boxes))

    @cached_property
    def _frame(self) -> Window:
        height, width = self.image.shape[:2]
        share = min(1.0, _FRAME_PX / max(height, width))
        size = max(1, round(height * share)), max(1, round(width * share))
        # Masks alone are seen in it: a large picture need not be reduced.
        return Window(self.image, self._whole, np.zeros((*size, 3), np.uint8))

    def _from_box(self, box: Box, points: tuple[Point, ...]) -> Mask:
        near = tuple(p for p in points if in_box(p, box))
        told = [
            _Told(answer, voice)
            for glance, voice in self._around(
                box, BOX_CONTEXTS, PHOTO_BOX_CONTEXTS, PHOTO_BOX_VOICE
            )
            for answer in glance.answers(near, box)
        ]
        plain = super()._from_box(box, points)
        found = [
            one.answer.window.outward(small)
            for one in told
            for small in (one.answer.settled(near, most_unsure=MOST_UNSURE), one.answer.mask())
        ]
        voices = [one.weight for one in told for _ in range(2)]
        shown = [self._frame.shrink(mask) for mask in [*found, plain]]
        return [*found, plain][agreed(shown, [*voices, CLASSICAL_VOICE])]

    def _thing_under(self, points: tuple[Point, ...]) -> Mask:
        if len(points) > 1:
            return self._mended(self._thing_under(points[:-1]), points)
        told = [
            _Told(answer)
            for window in windows(points[0], self.image.shape[:2])
            for answer in self._network.glance(window).answers(points)
        ]
        told += self._of_photographs(self._whole, points)
        best = self._best(told)
        near = self._near(best)
        if near is not None:
            best = self._best(told + self._of_photographs(near, points))
        return self._settled(best, points)

    def _of_photographs(self, window: Box, points: tuple[Point, ...]) -> list[_Told]:
        answers = self._photographs.glance(window).answers(points)
        return [_Told(answer, PHOTO_CLICK_VOICE) for answer in answers]

    def _near(self, best: Answer) -> Box | None:
        """The part around a small thing, which is to be looked at from near; None: it is large."""
        box = best.native_box()
        if box is None:
            return None
        share = max(box[2] - box[0], box[3] - box[1]) / max(self.image.shape[:2])
        small = share < PHOTO_NEAR_BELOW
        return around(box, PHOTO_NEAR_CONTEXT, self.image.shape[:2]) if small else None

    def _mended(self, before: Mask, points: tuple[Point, ...]) -> Mask:
        """What all clicks mean, where `before` is what all but the last one meant.

        A click that says what `before` says already changes nothing.
        """
        last = points[-1]
        if bool(before.within(self._pixel(last)).any()) == last.positive:
            return before
        spot = self._pixel(last)
        part = box_union(before.box, spot) if before.area else spot
        told = [
            _Told(answer, voice)
            for glance, voice in self._around(
                part, MEND_CONTEXTS, PHOTO_MEND_CONTEXTS, PHOTO_CLICK_VOICE
            )
            for earlier in (before, None)
            for answer in glance.answers(points, earlier=earlier)
        ]
        return self._settled(self._best(told), points)

    @property
    def _whole(self) -> Box:
        height, width = self.image.shape[:2]
        return 0, 0, width, height

    def _around(
        self, box: Box, own: Sequence[float], photo: Sequence[float], voice: float
    ) -> Iterator[tuple[Glance, float]]:
        """Looks at a box with so much beside it, of both networks, each with its voice."""
        shape = self.image.shape[:2]
        for context in own:
            yield self._network.glance(around(box, context, shape)), 1.0
        for context in photo:
            yield self._photographs.glance(around(box, context, shape)), voice

    def _best(self, told: list[_Told]) -> Answer:
        """The answer whose mask most agree on."""
        shown = [self._framed(one.answer) for one in told]
        return told[agreed(shown, [one.weight for one in told])].answer

    def _settled(self, best: Answer, points: tuple[Point, ...]) -> Mask:
        """An answer's mask with its rim where the colours change."""
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


@dataclass(frozen=True, eq=False)
class _Told:
    """An answer, and the voice of the network that gave it."""

    answer: Answer
    voice: float = 1.0

    @property
    def weight(self) -> float:
        """Of its mask among all: less, the less overlap with the truth its network expects."""
        return self.voice * float(np.clip(self.answer.quality, 0.01, 1)) ** 2


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
