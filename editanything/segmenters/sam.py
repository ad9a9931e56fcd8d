"""Any network of Segment Anything's architecture as a segmenter [Kirillov et al. 2023]."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

import numpy as np

from editanything.errors import InputError
from editanything.masks import minus, union, with_margin
from editanything.segmenters.classical import Classical, in_box
from editanything.segmenters.glance import Answer, Glance, stroke_clicks
from editanything.segmenters.subject import find_subject
from editanything.segmenters.weights import open_sam
from editanything.segmenters.window import Window
from editanything.types import RGB, Bool2D, Box, Mask, Point, Region, Selection

#: Embeddings of parts that are held beside that of the whole picture.
MAX_GLANCES = 8
#: Of a thing's longer side, what is shown beside it on every side.
BOX_CONTEXT, CLICK_CONTEXT = 0.35, 0.6


class Promptable(Protocol):
    """The settings of a segmenter whose network answers prompts; see `SamSegmenter`."""

    @property
    def working_px(self) -> int:
        """Longest side at which the network sees the picture or a part of it."""
        ...

    @property
    def zoom(self) -> bool:
        """Whether parts are looked at once more."""
        ...

    @property
    def refine(self) -> bool:
        """Whether the rim moves to where colours change."""
        ...

    @property
    def mirror(self) -> bool:
        """Whether answers are averaged with those about the mirrored picture."""
        ...

    def predictor(self, small: RGB) -> Any:
        """A picture in the network's hands: has `predict` of `SamPredictor`."""
        ...

    def everything(self, small: RGB, predictor: Any) -> list[Bool2D]:
        """The masks (h, w) of all that it finds in such a picture."""
        ...


def check(working_px: int, points_per_side: int) -> None:
    """Refuse sizes that no segmenter takes.

    Raises:
        InputError: a size out of range.
    """
    if working_px < 32:
        raise InputError(f"working_px is at least 32; got {working_px}.")
    if not 1 <= points_per_side <= 64:
        raise InputError(f"points_per_side is 1 to 64; got {points_per_side}.")


@dataclass(frozen=True)
class SamSegmenter:
    """Settings and a network; `look` holds a picture.

    Attributes:
        weights: a `Sam` of the `segment-anything` package, a file of the published weights, a
            folder of our own training, or "default"; see `weights.open_sam`.
        device: of torch.
        working_px: longest side at which the network sees the picture or a part of it, at most
            its own input; larger pictures are reduced first.
        zoom: whether the part around a box, and around what clicks were taken to mean, is looked
            at once more at full sharpness. Worth it for small networks; each look costs an
            embedding, which is kept.
        refine: whether GrabCut moves the rim to where colours change.
        mirror: whether every answer is averaged with that about the mirrored picture: twice the
            work, and for small networks better masks.
        points_per_side: of the grid that is clicked for `regions`.
        min_quality, min_stability: of the masks of `regions`: the IoU that the network expects, and
            how little a mask depends on where the logits are cut; the package's own by default.

    Raises:
        InputError: weights that cannot be used, or sizes out of range.
    """

    weights: Any = "default"
    device: str = "cpu"
    working_px: int = 1024
    zoom: bool = False
    refine: bool = False
    mirror: bool = False
    points_per_side: int = 16
    min_quality: float = 0.88
    min_stability: float = 0.95
    sam: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self.working_px, self.points_per_side)
        object.__setattr__(self, "sam", open_sam(self.weights, self.device))

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> SamSeen:
        """Hold `image` (RGB uint8, (H, W, 3)) for questions; it is embedded at the first one.

        Raises:
            InputError: an array of another kind, or a known region of another picture size.
        """
        checked = Classical().look(image, known=known)
        return SamSeen(self, checked.image, checked.known)

    def predictor(self, small: RGB) -> Any:
        """See `Promptable.predictor`."""
        from segment_anything import SamPredictor

        predictor = SamPredictor(self.sam)
        predictor.set_image(np.ascontiguousarray(small))
        return predictor

    def everything(self, small: RGB, predictor: Any) -> list[Bool2D]:  # noqa: ARG002 - its own
        """See `Promptable.everything`: the package's generator, which embeds by itself."""
        from segment_anything import SamAutomaticMaskGenerator

        generator = SamAutomaticMaskGenerator(
            self.sam,
            points_per_side=self.points_per_side,
            pred_iou_thresh=self.min_quality,
            stability_score_thresh=self.min_stability,
        )
        return [one["segmentation"] for one in generator.generate(np.ascontiguousarray(small))]


@dataclass(frozen=True, eq=False)
class SamSeen:
    """A picture in hand. Each part that is looked at is embedded once and held."""

    settings: Promptable
    image: RGB
    known: tuple[Region, ...] = ()
    _glances: dict[Box, Glance] = field(default_factory=dict, init=False, repr=False)
    _turn: Lock = field(default_factory=Lock, init=False, repr=False)

    def glance(self, box: Box) -> Glance:
        """The network's view of a part of the picture; the last few are held.

        Who asks for a part that another thread is just looking at waits for that.
        """
        with self._turn:
            found = self._glances.pop(box, None)
            if found is None:
                found = self._looked(box)
                parts = [part for part in self._glances if part != self._everything]
                if len(parts) >= MAX_GLANCES:
                    del self._glances[parts[0]]
            self._glances[box] = found
            return found

    def _looked(self, box: Box) -> Glance:
        window, twin = Window.of(self.image, box, self.settings.working_px), None
        if self.settings.mirror:
            twin = self.settings.predictor(np.ascontiguousarray(window.small[:, ::-1]))
        return Glance(window, self.settings.predictor(window.small), twin)

    @property
    def _everything(self) -> Box:
        height, width = self.image.shape[:2]
        return 0, 0, width, height

    def regions(self) -> tuple[Region, ...]:
        """The known regions, then what a grid of clicks finds, largest first; they may overlap."""
        return self._regions

    @cached_property
    def _regions(self) -> tuple[Region, ...]:
        glance = self.glance(self._everything)
        found = self.settings.everything(glance.window.small, glance.predictor)
        masks = [glance.window.outward(one) for one in found]
        masks = sorted((m for m in masks if m.area), key=lambda mask: (-mask.area, mask.box))
        first = 1 + max((region.id for region in self.known), default=0)
        return self.known + tuple(Region(first + i, mask) for i, mask in enumerate(masks))

    @cached_property
    def _subject(self) -> Mask | None:
        return find_subject(self)

    def subject(self) -> Mask | None:
        """The one thing that plainly stands out of the picture, if there is one."""
        return self._subject

    def select(self, selection: Selection) -> Mask:
        """The mask that clicks, boxes and strokes mean.

        `mask` is taken as it is; boxes, strokes and positive clicks each become a thing, and what
        they give adds up. A positive click on a known region means that.

        Raises:
            InputError: an empty selection, only negative clicks, or a part outside the picture.
        """
        selection.check_inside(self.image.shape[:2])
        parts = list(self._parts(selection))
        if not parts:
            raise InputError(
                "Nothing is selected: give a positive click, a box, a stroke or a mask."
            )
        whole = union(*parts)
        for point in selection.points:
            region = None if point.positive else self._known_under(point)
            if region is not None and region.mask.area < whole.area:
                whole = minus(whole, region.mask)
        return whole

    def _parts(self, selection: Selection) -> Iterator[Mask]:
        height, width = self.image.shape[:2]
        boxes = [
            (max(b[0], 0), max(b[1], 0), min(b[2], width), min(b[3], height))
            for b in selection.boxes
        ]
        negative = tuple(p for p in selection.points if not p.positive)
        for box in boxes:
            inside = tuple(p for p in selection.points if not p.positive or in_box(p, box))
            yield self._thing(inside, box)
        if selection.brush is not None and selection.brush.area:
            yield self._thing(stroke_clicks(selection.brush) + negative, None)
        if selection.mask is not None:
            yield selection.mask
        free = tuple(p for p in selection.points if p.positive)
        free = tuple(p for p in free if not any(in_box(p, box) for box in boxes))
        hits = {point: self._known_under(point) for point in free}
        yield from (region.mask for region in hits.values() if region is not None)
        rest = tuple(point for point, region in hits.items() if region is None)
        if rest:
            yield self._thing(rest + negative, None)

    def _known_under(self, point: Point) -> Region | None:
        """The smallest known region under a click."""
        height, width = self.image.shape[:2]
        x, y = min(int(point.x + 0.5), width - 1), min(int(point.y + 0.5), height - 1)
        spot = (x, y, x + 1, y + 1)
        hits = [region for region in self.known if region.mask.within(spot).any()]
        return min(hits, key=lambda region: region.mask.area, default=None)

    def _thing(self, points: tuple[Point, ...], box: Box | None) -> Mask:
        """What a box, clicks or both mean."""
        answer = self.answer(points, box)
        return answer.window.outward(self.small(answer, points))

    def small(self, answer: Answer, points: tuple[Point, ...]) -> Bool2D:
        """The mask of an answer, bool (h, w) of its window."""
        return answer.settled(points) if self.settings.refine else answer.mask()

    def answer(self, points: tuple[Point, ...], box: Box | None) -> Answer:
        """What the network says, of the whole picture or of the part that matters."""
        if not self.settings.zoom:
            return self.glance(self._everything).ask(points, box)
        if box is not None:
            return self.glance(around(box, BOX_CONTEXT, self.image.shape[:2])).ask(points, box)
        best = self.glance(self._everything).ask(points)
        spot = best.native_box()
        if spot is not None:
            part = around(spot, CLICK_CONTEXT, self.image.shape[:2])
            closer = self.glance(part)
            if part != self._everything and all(
                closer.window.holds(p.x, p.y) for p in points if p.positive
            ):
                nearer = closer.ask(points)
                best = nearer if nearer.quality > best.quality else best
        return best


def around(box: Box, context: float, shape: tuple[int, int]) -> Box:
    """`box` with `context` times its longer side more on every side, inside the picture."""
    margin = max(8, round(context * max(box[2] - box[0], box[3] - box[1])))
    return with_margin(box, margin, shape)
