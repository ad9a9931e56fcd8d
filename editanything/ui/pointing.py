"""What a user points at in one picture: gestures in pixels of the original, one selection out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from editanything import masks
from editanything.editor import Looked
from editanything.errors import InputError
from editanything.grounders.sights import Glimpse
from editanything.pointing import as_selection, draw_stroke, read_mask, select
from editanything.types import Box, Mask, Point, Region, Selection


class Pointing:
    """A picture in hand and the selection in it.

    `mask` is what the selection means; `version` counts its changes. A gesture that cannot be
    used raises InputError and changes nothing.
    """

    def __init__(self, looked: Looked) -> None:
        self.looked = looked
        self.selection: Selection | None = None
        self.mask: Mask | None = None
        self.version = 0
        self.divided = False  # whether the picture was divided into regions
        self.glimpsed: Glimpse | None = None  # what was seen in it, unasked
        self._guessed: tuple[str, int] | None = None  # the words, and the version it then was

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        return self.looked.picture.shape

    def prepare(self) -> None:
        """Let the segmenter look at the picture, where it can before it is asked something."""
        prepare = getattr(self.looked.seen, "prepare", None)
        if prepare is not None:
            with suppress(InputError):  # it is told when something is pointed at
                prepare()

    def regions(self) -> tuple[Region, ...]:
        """The picture's regions, named ones first; the first call takes a moment."""
        self.divided = True
        return self.looked.seen.regions()

    def named(self) -> tuple[Region, ...]:
        """The regions whose names are known; they are the first of `regions`."""
        return self.looked.seen.known

    def shown(self) -> tuple[Region, ...]:
        """The regions that a page can show at once: all once they were asked for, or the named."""
        return self.regions() if self.divided else self.named()

    def clear(self) -> None:
        """Select nothing."""
        self._set(None, None)

    def take(self, mask: Mask | None) -> None:
        """Select exactly `mask`."""
        some = mask if mask is not None and mask.area else None
        self._set(Selection(mask=some) if some else None, some)

    def guess(self, mask: Mask | None, text: str) -> None:
        """Select what may be meant by `text`, if there is such a thing and nothing is selected."""
        if mask is not None and self.mask is None:
            self.take(mask)
            self._guessed = (text, self.version)

    def hear(self, text: str) -> None:
        """Something is said: what was only guessed to be meant by other words is let go."""
        if self._guessed is None:
            return
        words, version = self._guessed
        if words != text:
            self._guessed = None
            if version == self.version:
                self.clear()

    def take_file(self, path: Path) -> None:
        """Select exactly the white pixels of a mask file.

        Raises:
            InputError: a file that cannot be read, of another size, or without white pixels.
        """
        height, width = self.shape  # of a picture that was let in, whatever the limit is
        mask = read_mask(path, max_megapixels=max(100.0, height * width / 1e6))
        Selection(mask=mask).check_inside(self.shape)
        as_selection(mask.full())
        self.take(mask)

    def click(self, x: float, y: float, *, positive: bool = True) -> None:
        """A click on the thing at (x, y), or on what does not belong to it."""
        if not positive and self.selection is None:
            raise InputError("Nothing is selected yet: add something first, then take parts away.")
        old = self.selection or Selection()
        self._try(replace(old, points=(*old.points, Point(x, y, positive))))

    def box(self, corner: tuple[float, float], other: tuple[float, float], *, add: bool) -> None:
        """A box between two pixels, both inside it: the thing in it is added or taken away."""
        height, width = self.shape
        (x0, x1), (y0, y1) = (sorted((a, b)) for a, b in zip(corner, other, strict=True))
        box: Box = (
            max(int(x0), 0),
            max(int(y0), 0),
            min(int(x1) + 1, width),
            min(int(y1) + 1, height),
        )
        if box[2] - box[0] < 3 or box[3] - box[1] < 3:
            raise InputError("This box is too small: drag from one corner to the other.")
        if not add:
            full = np.ones((box[3] - box[1], box[2] - box[0]), bool)
            self._take_away(Mask(self.shape, box, full))
            return
        old = self.selection or Selection()
        self._try(replace(old, boxes=(*old.boxes, box)))

    def brush(
        self, stroke: Sequence[Sequence[float]], radius_px: float, *, add: bool, snap: bool = False
    ) -> None:
        """A brush stroke through points (x, y): exactly these pixels, or the thing under it."""
        painted = draw_stroke(self.shape, stroke, radius_px)
        if painted.area == 0:
            raise InputError("This stroke lies outside the picture.")
        if not add:
            self._take_away(painted)
        elif snap:
            old = self.selection or Selection()
            both = masks.union(painted, old.brush) if old.brush else painted
            self._try(replace(old, brush=both))
        else:
            self._add(painted)

    def region(self, number: int, *, add: bool = True) -> None:
        """Region `number` joins the selection, or leaves it if it is selected already."""
        named = [region for region in self.named() if region.id == number]
        found = [region.mask for region in named or self.regions() if region.id == number]
        if not found:
            raise InputError("This region is no longer there; choose another one.")
        inside = masks.intersection(found[0], self.mask).area if self.mask else 0
        if not add or inside == found[0].area:
            self._take_away(found[0])
            return
        self._add(found[0])

    def _add(self, part: Mask) -> None:
        self.take(masks.union(self.mask, part) if self.mask else part)

    def _take_away(self, part: Mask) -> None:
        if self.mask is None:
            raise InputError("Nothing is selected yet: add something first, then take parts away.")
        self.take(masks.minus(self.mask, part))

    def _try(self, selection: Selection) -> None:
        self._set(selection, select(self.looked.seen, selection))

    def _set(self, selection: Selection | None, mask: Mask | None) -> None:
        self.selection, self.mask = selection, mask
        self.version += 1
