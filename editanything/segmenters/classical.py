"""The segmenter that needs no weights: a tree of superpixels, and GrabCut for prompts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from editanything.errors import InputError
from editanything.masks import box_union, minus, union
from editanything.segmenters import prompts
from editanything.segmenters.clicks import View, carved, things_under
from editanything.segmenters.refine import settle
from editanything.segmenters.subject import find_subject
from editanything.segmenters.window import Window
from editanything.types import RGB, Box, Mask, Point, Region, Selection, frozen_array

MAX_SUPERPIXELS = 10_000  # more than a picture of reduced size has use for


@dataclass(frozen=True)
class Classical:
    """Settings; `look` holds a picture.

    Attributes:
        working_px: longest side at which the region map is made.
        prompt_px: longest side at which the window of a prompt is cut.
        num_superpixels: leaves of the region tree.
        min_regions: the fewest regions of a map.
        max_regions: the most regions of a map.
        detail: the dissimilarity (see tree.py) above which neighbours stay apart.
    """

    working_px: int = 512
    prompt_px: int = 400
    num_superpixels: int = 600
    min_regions: int = 8
    max_regions: int = 40
    detail: float = 0.06

    def __post_init__(self) -> None:
        counts = (1, self.min_regions, self.max_regions, self.num_superpixels, MAX_SUPERPIXELS)
        if list(counts) != sorted(counts):
            raise InputError(
                "A segmenter needs 1 <= min_regions <= max_regions <= num_superpixels <= "
                f"{MAX_SUPERPIXELS}; got {', '.join(map(str, counts[1:4]))}."
            )
        if min(self.working_px, self.prompt_px) < 32:
            raise InputError(
                "working_px and prompt_px are at least 32; got "
                f"{self.working_px} and {self.prompt_px}."
            )

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> ClassicalSeen:
        """Hold `image` (RGB uint8, (H, W, 3)) for questions; nothing is computed yet.

        Raises:
            InputError: an array of another kind, or a known region of another picture size.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise InputError(
                f"A picture is RGB uint8 (H, W, 3); got {image.dtype} {tuple(image.shape)}."
            )
        for region in known:
            if region.mask.shape != image.shape[:2]:
                raise InputError(
                    f"The region {region.label or region.id!r} is of a picture of (H, W) = "
                    f"{region.mask.shape}, this one is {image.shape[:2]}."
                )
        return ClassicalSeen(self, frozen_array(image), known)


@dataclass(frozen=True, eq=False)
class ClassicalSeen:
    """A picture in hand; the tree and the region map are computed when first asked for."""

    settings: Classical
    image: RGB
    known: tuple[Region, ...] = ()

    @cached_property
    def _view(self) -> View:
        height, width = self.image.shape[:2]
        window = Window.of(self.image, (0, 0, width, height), self.settings.working_px)
        return View.of(window, self.settings.num_superpixels)

    @cached_property
    def _regions(self) -> tuple[Region, ...]:
        first = 1 + max((region.id for region in self.known), default=0)
        return self.known + tuple(self._partition(first))

    def regions(self) -> tuple[Region, ...]:
        """The known regions, then a partition of the picture, largest first."""
        return self._regions

    def _partition(self, first_id: int) -> list[Region]:
        from scipy.ndimage import find_objects

        tree, set_ = self._view.tree, self.settings
        above = 1 + int(np.count_nonzero(tree.height[tree.num_leaves :] > set_.detail))
        small = tree.cut(min(max(above, set_.min_regions), set_.max_regions))
        window = self._view.window
        labels = window.outward_labels(settle(small.astype(np.int16), window.small))
        masks = []
        for index, where in enumerate(find_objects(labels + 1)):
            if where is not None:
                origin = (where[1].start, where[0].start)
                masks.append(Mask.placed(labels.shape, origin, labels[where] == index))
        masks.sort(key=lambda mask: (-mask.area, mask.box))
        return [Region(first_id + index, mask) for index, mask in enumerate(masks)]

    @cached_property
    def _subject(self) -> Mask | None:
        return find_subject(self)

    def subject(self) -> Mask | None:
        """The one thing that plainly stands out of the picture, if there is one."""
        return self._subject

    def select(self, selection: Selection) -> Mask:
        """The mask that clicks, boxes and strokes mean.

        `mask` is taken as it is; boxes, strokes and positive clicks are each grown to a thing, and
        what they give adds up; negative clicks take away.

        Raises:
            InputError: an empty selection, only negative clicks, or a part outside the picture.
        """
        height, width = self.image.shape[:2]
        selection.check_inside((height, width))
        boxes = tuple(
            (max(b[0], 0), max(b[1], 0), min(b[2], width), min(b[3], height))
            for b in selection.boxes
        )
        free = tuple(
            p for p in selection.points if p.positive and not any(in_box(p, b) for b in boxes)
        )
        negative = tuple(p for p in selection.points if not p.positive)
        parts = [self._from_box(box, selection.points) for box in boxes]
        if selection.brush is not None and selection.brush.area:
            parts.append(self._from_brush(selection.brush, selection.points))
        if selection.mask is not None:
            parts.append(selection.mask)
        if free:
            parts.append(self._from_clicks(free, negative))
        if not parts:
            raise InputError(
                "Nothing is selected: give a positive click, a box, a stroke or a mask."
            )
        return self._without(union(*parts), negative, selection.points)

    def _from_box(self, box: Box, points: tuple[Point, ...]) -> Mask:
        window = prompts.box_window(self.image, box, self.settings.prompt_px, context=0.25)
        near = tuple(p for p in points if not p.positive or in_box(p, box))
        return window.outward(prompts.from_box(window, box, near))

    def _from_brush(self, brush: Mask, points: tuple[Point, ...]) -> Mask:
        window = prompts.box_window(self.image, brush.box, self.settings.prompt_px, context=0.75)
        return window.outward(prompts.from_brush(window, brush, points))

    def _pixel(self, point: Point) -> Box:
        """The one pixel that holds a click."""
        height, width = self.image.shape[:2]
        x, y = min(int(point.x + 0.5), width - 1), min(int(point.y + 0.5), height - 1)
        return x, y, x + 1, y + 1

    def _known_under(self, point: Point) -> Region | None:
        """The smallest known region under a click."""
        spot = self._pixel(point)
        hits = [region for region in self.known if region.mask.within(spot).any()]
        return min(hits, key=lambda region: region.mask.area, default=None)

    def _from_clicks(self, free: tuple[Point, ...], negative: tuple[Point, ...]) -> Mask:
        hits = {point: self._known_under(point) for point in free}
        parts = [region.mask for region in hits.values() if region is not None]
        rest = tuple(point for point, region in hits.items() if region is None)
        if rest:
            parts.append(self._thing_under(rest + negative))
        return union(*parts)

    def _thing_under(self, points: tuple[Point, ...]) -> Mask:
        """The thing under clicks that hit no known region."""
        guesses = things_under(self._view, points)
        box = box_union(*(guess.native_box() for guess in guesses))
        window = prompts.box_window(self.image, box, self.settings.prompt_px, context=0.3)
        rough = np.zeros(window.small.shape[:2], bool)
        for guess in guesses:
            rough |= guess.window.carry(guess.mask, window)
        rough = carved(window, rough, self._view, points)
        return window.outward(prompts.from_guess(window, rough, points))

    def _without(self, mask: Mask, negative: tuple[Point, ...], points: tuple[Point, ...]) -> Mask:
        """`mask` less the things under those negative clicks that still lie in it."""
        positive = tuple(replace(p, positive=False) for p in points if p.positive)
        for point in negative:
            if not mask.within(self._pixel(point)).any():
                continue
            known = self._known_under(point)
            if known is not None and known.mask.area < mask.area:
                mask = minus(mask, known.mask)
            else:
                mask = minus(mask, self._thing_under((replace(point, positive=True), *positive)))
        return mask


def in_box(point: Point, box: Box) -> bool:
    """Whether a click lies in a box."""
    return box[0] <= point.x < box[2] and box[1] <= point.y < box[3]
