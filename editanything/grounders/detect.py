"""Any network that finds what a phrase names, as a grounder: all it finds, or one question back.

The network decides only which regions bear a name. Colours, places, sizes, counts, relations and
ties are settled as everywhere (`search`, `looks`, `choice`). Of a part ("the dog's ear") the whole
is found first, and the part is sought in it at full sharpness.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

import numpy as np

from editanything import masks
from editanything.command.types import Selector
from editanything.errors import InputError
from editanything.grounders.base import (
    MADE_UP,
    Found,
    Grounder,
    Outcome,
    Scene,
    Tie,
    came_with_names,
)
from editanything.grounders.looks import sort_adjectives
from editanything.grounders.names import KnownNames, Named
from editanything.grounders.search import ANY_PART, ANY_THING, PLACE_NOUNS, SUBJECTS, Search
from editanything.grounders.things import Thing
from editanything.types import RGB, Bool2D, Box, Mask, Region, Selection

#: Two regions that overlap as much are one thing, found twice.
SAME = 0.7
#: A region that holds several others of its name, and little else, is their group.
_HELD, _MADE_OF = 0.85, 0.7
#: A part covers at most this much of its whole; more is the whole, found again.
_MOST_OF_WHOLE = 0.9
_INSIDE = 0.5  # of a part lies on its whole
#: Shown beside a whole where a part is sought, as a share of its longer side.
_BESIDE = 0.1
_HOLE_PX = 400  # smaller holes in a mask are closed
#: Nouns that name no kind of thing.
_NO_KIND = ANY_THING | ANY_PART | PLACE_NOUNS | SUBJECTS | {"background"}
_RELATIVE = frozenset({"other", "same", "whole", "entire", "visible", "only"})


@dataclass(frozen=True, eq=False)
class Spot:
    """Where a network sees what a phrase names: a box XYXY in pixels, and maybe the mask itself."""

    box: tuple[float, float, float, float]
    score: float
    mask: Bool2D | None = None  # (H, W) of the picture


class Detector(Protocol):
    """Anything that finds what a phrase names in pixels."""

    def detect(self, image: RGB, phrase: str) -> list[Spot]:
        """All that `phrase` names ("dog", "striped shirt") in RGB uint8 (H, W, 3)."""
        ...


class Finder(Protocol):
    """Anything that finds the regions that a phrase names in a picture in hand."""

    def everywhere(self, seen: Any, phrase: str) -> Iterable[tuple[Mask, float]]:
        """Masks of the picture with how sure each is, 0 to 1."""
        ...

    def inside(self, seen: Any, phrase: str, whole: Mask) -> Iterable[tuple[Mask, float]]:
        """The same, where only a part of `whole` can be meant."""
        ...


@dataclass(frozen=True, eq=False)
class Boxes:
    """A detector's boxes, made masks by the segmenter that holds the picture."""

    detector: Detector

    def everywhere(self, seen: Any, phrase: str) -> Iterable[tuple[Mask, float]]:
        """See `Finder.everywhere`."""
        height, width = seen.image.shape[:2]
        return self._in(seen, phrase, (0, 0, width, height))

    def inside(self, seen: Any, phrase: str, whole: Mask) -> Iterable[tuple[Mask, float]]:
        """See `Finder.inside`: the network sees the whole's surroundings alone, enlarged."""
        margin = round(_BESIDE * max(whole.box[2] - whole.box[0], whole.box[3] - whole.box[1]))
        return self._in(seen, phrase, masks.with_margin(whole.box, margin, whole.shape))

    def _in(self, seen: Any, phrase: str, part: Box) -> list[tuple[Mask, float]]:
        x0, y0, x1, y1 = part
        crop = np.ascontiguousarray(seen.image[y0:y1, x0:x1])
        found = []
        for spot in self.detector.detect(crop, phrase):
            mask = self._mask(seen, spot, part)
            if mask.area:
                found.append((mask, spot.score))
        return found

    @staticmethod
    def _mask(seen: Any, spot: Spot, part: Box) -> Mask:
        shape = (seen.image.shape[0], seen.image.shape[1])
        if spot.mask is not None:
            return Mask.placed(shape, part[:2], spot.mask)
        box = _whole_pixels(spot.box, part)
        if box[0] >= box[2] or box[1] >= box[3]:
            return Mask.empty(shape)
        mask: Mask = seen.select(Selection(boxes=(box,)))
        if mask.area == 0:  # the segmenter sees nothing there: the box is what is known
            mask = Mask.placed(shape, box[:2], np.ones((box[3] - box[1], box[2] - box[0]), bool))
        return mask


@dataclass(frozen=True, eq=False)
class Concepts:
    """A segmenter that understands words itself, such as SAM 3."""

    def everywhere(self, seen: Any, phrase: str) -> Iterable[tuple[Mask, float]]:
        """See `Finder.everywhere`.

        Raises:
            InputError: the segmenter understands no words.
        """
        concept = getattr(seen, "concept", None)
        if concept is None:
            raise InputError(
                "The grounder 'segmenter' needs a segmenter that understands words: choose "
                "segmenter sam3, or another grounder."
            )
        return [(region.mask, region.score) for region in concept(phrase)]

    def inside(self, seen: Any, phrase: str, whole: Mask) -> Iterable[tuple[Mask, float]]:
        """See `Finder.inside`."""
        found = self.everywhere(seen, phrase)
        return [one for one in found if _share(one[0], whole) > _INSIDE]


@dataclass(frozen=True, eq=False)
class DetectedNames:
    """Names of regions: those that the picture came with, else what a network finds."""

    finder: Finder

    def find(self, seen: Scene, noun: str) -> tuple[Named, ...]:
        """See `Names.find`."""
        known = KnownNames().find(seen, noun)
        root = _root(seen)
        if noun in _NO_KIND or noun.startswith("@"):
            return known
        if known and came_with_names(root):
            return known
        found = _held(seen, self, noun, None)
        new = [one for one in found if not any(_same(one, other) for other in known)]
        return tuple(sorted([*known, *new], key=lambda one: -one.score))

    def within(self, seen: Scene, noun: str, wholes: Sequence[Region]) -> tuple[Named, ...]:
        """What a noun names on each of some regions, as parts of these."""
        known = [
            one
            for one in KnownNames().find(seen, noun)
            if any(_share(one.region.mask, whole.mask) > _INSIDE for whole in wholes)
        ]
        if known or noun in _NO_KIND or noun.startswith("@"):
            return tuple(known)
        out: list[Named] = []
        for whole in wholes:
            out += _held(seen, self, noun, whole)
        return _apart(out)

    def sought(self, root: Any, noun: str, whole: Region | None) -> tuple[Named, ...]:
        """What the network finds in a picture in hand, every thing once."""
        if whole is None:
            found = self.finder.everywhere(root, noun)
        else:
            found = self.finder.inside(root, noun, whole.mask)
        out = []
        for mask, score in found:
            mask = masks.fill_holes(mask, max_area_px=_HOLE_PX)
            if whole is not None and _share(mask, whole.mask) > _INSIDE:
                mask = masks.intersection(mask, whole.mask)
                if mask.area > _MOST_OF_WHOLE * whole.mask.area:
                    continue
            out.append(Named(Region(MADE_UP, mask, noun, score), min(max(score, 0.0), 1.0)))
        return _no_groups(_apart(out))


@dataclass(frozen=True)
class Detecting(Grounder):
    """Finds what a selector means with a network that finds what phrases name.

    Attributes:
        names: of the regions.
        least_share: a part that is known by its colour alone is at least this share of the picture.
    """

    names: DetectedNames
    least_share: float = 0.001

    def find(self, seen: Scene, selector: Selector, *, selection: Mask | None = None) -> Outcome:
        """See `Grounder.find`."""
        return DetectingSearch(seen, self.names, selection, self.least_share).find(selector)


@dataclass(frozen=True, eq=False)
class DetectingSearch(Search):
    """A search that looks for parts on their wholes, and knows more adjectives than colours."""

    def _named(self, selector: Selector) -> tuple[list[Thing], str]:
        """All that the noun, with what else was said of the thing, may name."""
        names = cast("DetectedNames", self.names)
        if selector.noun in _NO_KIND or selector.noun.startswith("@"):
            return super()._named(selector)
        others = [word for word in sort_adjectives(selector.attrs).others if word not in _RELATIVE]
        for phrase in dict.fromkeys((" ".join([*others, selector.noun]), selector.noun)):
            found = self._on_wholes(selector, phrase) or names.find(self.seen, phrase)
            if found:
                return [self._thing(one.region, one.score) for one in found], "its name"
        return [], "its name"

    def _on_wholes(self, selector: Selector, phrase: str) -> tuple[Named, ...]:
        """The parts of that name on what the selector says they are of."""
        if selector.part_of is None:
            return ()
        whole = self.find(selector.part_of)
        wholes: tuple[Region, ...] = ()
        if isinstance(whole, Found):
            wholes = whole.regions
        elif isinstance(whole, Tie):
            wholes = whole.candidates
        return cast("DetectedNames", self.names).within(self.seen, phrase, wholes)


_HELD_FINDS: WeakKeyDictionary[Any, dict[Any, tuple[Named, ...]]] = WeakKeyDictionary()


def _root(scene: Any) -> Any:
    """The picture in hand that a foreseen scene began with."""
    while hasattr(scene, "before"):
        scene = scene.before
    return scene


def _held(scene: Any, names: DetectedNames, noun: str, whole: Region | None) -> tuple[Named, ...]:
    """What a network finds in a scene; kept, so that a thing is the same one when asked again."""
    kept = _HELD_FINDS.setdefault(scene, {})
    place = None if whole is None else (whole.mask.box, whole.mask.crop.tobytes())
    key = (names.finder, noun, place)
    if key not in kept:
        before = getattr(scene, "before", None)
        if before is None:
            kept[key] = names.sought(scene, noun, whole)
        elif whole is None:
            kept[key] = _followed(scene, _held(before, names, noun, None))
        else:
            kept[key] = names.sought(_Foreseen(scene), noun, whole)
    return kept[key]


def _followed(scene: Any, found: Sequence[Named]) -> tuple[Named, ...]:
    """What is left of what was found before a step, where it is after it."""
    regions = [_numbered(one.region, number) for number, one in enumerate(found)]
    left = scene.follow(regions)
    return tuple(
        Named(_numbered(region, MADE_UP), found[region.id].score)
        for region in left
        if region.id != MADE_UP
    )


def _numbered(region: Region, number: int) -> Region:
    """The region under another number."""
    return Region(number, region.mask, region.label, region.score)


@dataclass(frozen=True, eq=False)
class _Foreseen:
    """A foreseen scene as a picture in hand: boxes are their own masks' best guess."""

    scene: Any

    @property
    def image(self) -> RGB:
        return cast("RGB", self.scene.image)

    def select(self, selection: Selection) -> Mask:
        height, width = self.image.shape[:2]
        x0, y0, x1, y1 = selection.boxes[0]
        return Mask.placed((height, width), (x0, y0), np.ones((y1 - y0, x1 - x0), bool))


def _apart(found: Iterable[Named]) -> tuple[Named, ...]:
    """Every thing once, surest first."""
    kept: list[Named] = []
    for one in sorted(found, key=lambda one: -one.score):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return tuple(kept)


def _same(one: Named, other: Named) -> bool:
    return masks.iou(one.region.mask, other.region.mask) > SAME


def _no_groups(found: Sequence[Named]) -> tuple[Named, ...]:
    """Without regions that are made of several others of the name: one mask for two dogs."""
    return tuple(one for one in found if not _is_group(one, found))


def _is_group(one: Named, found: Sequence[Named]) -> bool:
    held = [
        other.region.mask
        for other in found
        if other is not one and _share(other.region.mask, one.region.mask) > _HELD
    ]
    if len(held) < 2:
        return False
    covered = masks.intersection(masks.union(*held), one.region.mask).area
    return covered > _MADE_OF * one.region.mask.area


def _share(part: Mask, whole: Mask) -> float:
    """The share of a mask that lies in another one."""
    return masks.intersection(part, whole).area / max(1, part.area)


def _whole_pixels(box: tuple[float, float, float, float], part: Box) -> Box:
    """A box of a crop in whole pixels of the picture, inside the crop."""
    x0, y0, x1, y1 = part
    low = max(x0, int(np.floor(box[0])) + x0), max(y0, int(np.floor(box[1])) + y0)
    return *low, min(x1, int(np.ceil(box[2])) + x0), min(y1, int(np.ceil(box[3])) + y0)
