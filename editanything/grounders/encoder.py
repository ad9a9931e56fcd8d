"""Nouns for regions that bear no name: asked of the network of words and regions that ships.

Where a picture came with names, these alone decide. Elsewhere the segmenter's regions are
candidates, and the noun names those that the network is sure of; nothing where it is sure of none,
which is then asked back. What `sights` finds (the sky, faces, things of photographs) is not asked
of the network, and it is not believed where the network of photographs plainly sees something else.
What it was trained on, and how often it errs: docs/words.md.

There are many candidates, and in a large picture each is large: they are put together one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.command.kinds import KIND, likeness
from editanything.errors import InputError
from editanything.grounders import sights
from editanything.grounders.base import MADE_UP, Scene, Selecting, came_with_names
from editanything.grounders.names import KnownNames, Named
from editanything.grounders.photographed import is_plainly_else
from editanything.libraries import networks
from editanything.masks import box_union, grow, iou, shared_px, union
from editanything.types import Bool2D, Box, Mask, Region, Selection
from mdt.words import split_words

if TYPE_CHECKING:
    from mdt.features.words import Words

Floats = NDArray[np.float32]

#: A region of more of the picture than this is what things stand on, or before.
_MOST_OF_PICTURE = 0.6
_MOST_OF_PIECE = 0.3  # ... and than this is no piece of a thing
_BORDER_PX = 4  # of two pieces that touch
_AT_FRAME = 0.05  # of the frame at most is touched by what lies away from it
#: Boxes are nearly the same whose sides are no further apart than so many pixels, or such a share
#: of the longer one; no more are asked about.
_SAME_BOX_PX, _SAME_BOX, _MOST_BOXES = 4, 0.05, 80
_LEAST_PX = 12  # of a region's longer side: less shows nothing
#: Of what lies where a named region does: its logit is this much lower at most, its IoU this high.
_NAMED_TOO, _SAME_PLACE = 4.0, 0.2
_LIKELY = 3.0  # what is no further below the bound at one look is looked at closely
_AS_WELL = 1.0  # a mask from a box is named as well if its logit is no further below
_SAME_THING = 0.5  # of the smaller of two regions lies on the other


@dataclass(frozen=True)
class EncoderNames:
    """Names by the network of `mdt.features.words`.

    Attributes:
        weights: folder of the network; "": the one that ships.
        margin: logits over the card's `sure` from which a word is believed; more: asks more often,
            errs less.
    """

    weights: str = ""
    margin: float = 0.0

    def find(self, seen: Scene, noun: str) -> tuple[Named, ...]:
        """See `Names.find`.

        Raises:
            InputError: the weights are missing or damaged.
        """
        known = KnownNames().find(seen, noun)
        if came_with_names(seen):
            return known
        if sights.is_sought(noun):
            sought = [Named(region, 1.0) for region in sights.found(seen, noun)]
            if sought or sights.is_alone(noun):
                return (*known, *(one for one in sought if not _is_among(one.region, known)))
        found, embedded = _held(seen, self.weights)
        words = _words(self.weights)
        if not found:
            return known
        phrases = _phrases(noun, self.weights)
        logits = words.logits(embedded, phrases).max(axis=1)
        bound = float(words.card["sure"]) + self.margin
        likely = np.flatnonzero(logits >= bound - _LIKELY).tolist()
        if likely:
            closely = _closely(seen, self.weights, likely)
            logits[likely] = words.logits(closely, phrases).max(axis=1)
        over = logits - bound
        believed = sorted((i for i in likely if over[i] >= 0), key=lambda i: -over[i])
        kept = list(known)
        for i in believed:
            region = found[i].region
            if _is_among(region, kept) or is_plainly_else(seen, region.mask, noun):
                continue
            region = _settled(seen, phrases, i, logits, self.weights)
            if not _is_among(region, kept):
                kept.append(Named(region, float(1 / (1 + np.exp(-over[i])))))
        return tuple(sorted(kept, key=lambda one: -one.score))

    def whole(self, seen: Scene, words: tuple[str, ...]) -> str | None:
        """See `Learned.whole`."""
        return None if came_with_names(seen) else _long_names(self.weights).get(words)

    def glimpse(self, seen: Scene) -> sights.Glimpse:
        """What a picture that came without names plainly shows, unasked.

        Raises:
            InputError: the weights are missing or damaged.
        """
        return sights.Glimpse((), None) if came_with_names(seen) else sights.glimpse(seen)


_SETTLED: WeakKeyDictionary[Scene, dict[tuple[Any, ...], Region]] = WeakKeyDictionary()


def _settled(
    seen: Scene, phrases: tuple[str, ...], best: int, logits: Floats, weights: str
) -> Region:
    """The thing that candidate `best` shows, with a better outline where there is one; kept.

    The network names a thing by half of it too. So of the candidates there the one that is most
    like all that are named is taken, and the segmenter is asked about its box.
    """
    kept, key = _SETTLED.setdefault(seen, {}), (weights, phrases, best)
    if key not in kept:
        found, _ = _held(seen, weights)
        region = _most_agreed(found, logits, best)
        if isinstance(seen, Selecting):
            boxed = seen.select(Selection(boxes=(region.mask.box,)))
            if boxed.area and _logit(seen, boxed, phrases, weights) >= logits[best] - _AS_WELL:
                region = Region(MADE_UP, boxed)
        kept[key] = region
    return kept[key]


def _most_agreed(found: Sequence[Candidate], logits: Floats, best: int) -> Region:
    """Of what lies where candidate `best` does, what all that is named there is most like."""
    first = found[best].region
    near = np.flatnonzero(logits >= logits[best] - _NAMED_TOO).tolist()
    there = {i: first if i == best else found[i].region for i in near}
    there = {i: one for i, one in there.items() if iou(one.mask, first.mask) >= _SAME_PLACE}
    votes = np.exp(logits[list(there)] - logits[best])
    alike = [[iou(one.mask, other.mask) for other in there.values()] for one in there.values()]
    return list(there.values())[int(np.argmax(np.array(alike) @ votes))]


def _logit(seen: Scene, mask: Mask, phrases: Sequence[str], weights: str) -> float:
    words = _words(weights)
    return float(
        words.logits(words.regions(seen.image, [mask.full()], closely=True), phrases).max()
    )


@dataclass(frozen=True)
class Candidate:
    """What a noun may name: a region, or several that may be one thing, put together when asked."""

    pieces: tuple[Region, ...]

    @property
    def region(self) -> Region:
        """The region itself, or a new one of all pieces."""
        return self.pieces[0] if len(self.pieces) == 1 else Region(MADE_UP, self.mask)

    @property
    def mask(self) -> Mask:
        """All of its pixels."""
        return union(*(piece.mask for piece in self.pieces))


@dataclass(frozen=True)
class _Drawn(Sequence[Bool2D]):
    """The masks of candidates as arrays (H, W), each made when it is asked for."""

    candidates: Sequence[Candidate]

    def __len__(self) -> int:
        return len(self.candidates)

    @overload
    def __getitem__(self, index: int) -> Bool2D: ...
    @overload
    def __getitem__(self, index: slice) -> _Drawn: ...
    def __getitem__(self, index: int | slice) -> Bool2D | _Drawn:
        if isinstance(index, slice):
            return _Drawn(self.candidates[index])
        return self.candidates[index].mask.full()


@lru_cache(maxsize=2)
def _words(folder: str) -> Words:
    networks()
    from mdt.features.words import open_words

    try:
        return open_words(folder) if folder else open_words()
    except ValueError as error:
        raise InputError(str(error)) from None


@lru_cache(maxsize=2)
def _long_names(weights: str) -> dict[tuple[str, ...], str]:
    """The names of several words that the network learned, by their words."""
    split = {tuple(split_words(phrase)): phrase for phrase in _words(weights).card["vocabulary"]}
    return {words: phrase for words, phrase in split.items() if len(words) > 1}


_HELD: WeakKeyDictionary[Scene, dict[str, tuple[tuple[Candidate, ...], Any]]] = WeakKeyDictionary()


def _held(seen: Scene, weights: str) -> tuple[tuple[Candidate, ...], Any]:
    """The candidates of a picture, and what the network sees in them; kept."""
    kept = _HELD.setdefault(seen, {})
    if weights not in kept:
        found = candidates(seen)
        shown = _words(weights).regions(seen.image, _Drawn(found)) if found else None
        kept[weights] = found, shown
    return kept[weights]


_CLOSELY: WeakKeyDictionary[Scene, dict[tuple[str, int], Any]] = WeakKeyDictionary()


def _closely(seen: Scene, weights: str, which: Sequence[int]) -> Any:
    """What the network sees in some candidates in four looks at each; kept."""
    import torch

    kept = _CLOSELY.setdefault(seen, {})
    new = [i for i in which if (weights, i) not in kept]
    if new:
        found, _ = _held(seen, weights)
        drawn = _Drawn([found[i] for i in new])
        shown = _words(weights).regions(seen.image, drawn, closely=True)
        kept |= {(weights, i): one for i, one in zip(new, shown, strict=True)}
    return torch.stack([kept[weights, i] for i in which])


def candidates(seen: Scene) -> tuple[Candidate, ...]:
    """What a noun may name in a picture without names: no tiny part, and not most of it.

    The segmenter's regions, pairs of them that touch, and what lies together away from the frame: a
    thing of several colours is often cut in pieces. And what the segmenter takes for things, if it
    says so, and sees in the boxes of all these.
    """
    found = [region for region in seen.regions() if _large_enough(region.mask)]
    found = [region for region in found if _share(region.mask) <= _MOST_OF_PICTURE]
    small = [region for region in found if _share(region.mask) <= _MOST_OF_PIECE]
    apart = _away_from_frame([region.mask for region in small], seen.image.shape[:2])
    things: tuple[Mask, ...] = getattr(seen, "things", tuple)()
    apart += [mask for mask in things if _share(mask) <= _MOST_OF_PICTURE]
    pairs = list(_touching(small))
    in_boxes = getattr(seen, "in_boxes", None)
    if in_boxes is not None and (found or apart):
        boxes = [mask.box for mask in apart] + [region.mask.box for region in found]
        boxes += [box_union(one.mask.box, other.mask.box) for one, other in pairs]
        apart += [m for m in in_boxes(_apart(boxes)) if m.area and _share(m) <= _MOST_OF_PICTURE]
    made = [Region(MADE_UP, mask) for mask in apart if _large_enough(mask)]
    return (
        *(Candidate((region,)) for region in found),
        *(Candidate(pair) for pair in pairs),
        *(Candidate((region,)) for region in made),
    )


def _apart(boxes: Sequence[Box]) -> list[Box]:
    """Boxes of which no two are nearly the same, the first ones of many."""
    out: list[Box] = []
    for box in boxes:
        side = max(box[2] - box[0], box[3] - box[1])
        near = max(_SAME_BOX_PX, _SAME_BOX * side)
        if all(max(abs(a - b) for a, b in zip(box, other, strict=True)) > near for other in out):
            out.append(box)
    return out[:_MOST_BOXES]


def _share(mask: Mask) -> float:
    return mask.area / (mask.shape[0] * mask.shape[1])


def _large_enough(mask: Mask) -> bool:
    return max(mask.box[2] - mask.box[0], mask.box[3] - mask.box[1]) >= _LEAST_PX


def _touching(pieces: Sequence[Region]) -> Iterator[tuple[Region, Region]]:
    """Pairs of pieces with a border of some pixels between them."""
    for i, piece in enumerate(pieces):
        grown = grow(piece.mask, 1)
        for other in pieces[i + 1 :]:
            if shared_px(grown, other.mask) >= _BORDER_PX:
                yield piece, other


def _away_from_frame(pieces: Sequence[Mask], shape: tuple[int, int]) -> list[Mask]:
    """The connected parts of all pieces that hardly touch the picture's frame."""
    height, width = shape
    sides = (
        (0, 0, width, 1), (0, height - 1, width, height),
        (0, 0, 1, height), (width - 1, 0, width, height),
    )  # fmt: skip
    inner = np.zeros(shape, np.uint8)
    for piece in pieces:
        edge = sum(int(np.count_nonzero(piece.within(side))) for side in sides)
        if edge <= _AT_FRAME * 2 * sum(shape):
            x0, y0, x1, y1 = piece.box
            inner[y0:y1, x0:x1] |= piece.crop
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inner)
    parts = []
    for number, (x, y, wide, high, _) in enumerate(stats.tolist()[1:], 1):
        crop = labels[y : y + high, x : x + wide] == number
        parts.append(Mask(shape, (x, y, x + wide, y + high), crop))
    return parts


@lru_cache(maxsize=4096)
def _phrases(noun: str, weights: str) -> tuple[str, ...]:
    """What is asked of the network: the noun if it learned that; else what it learned that is one.

    A "timepiece" is sought as a clock, a watch, ...; a word that stands for nothing learned is
    asked as it is spelled.
    """
    from mdt.data.stickers.phrases import key

    learned = _words(weights).card.get("vocabulary", ())
    if key(noun) in {key(phrase) for phrase in learned}:
        return (noun,)
    kinds = tuple(phrase for phrase in learned if likeness(noun, phrase) >= KIND)
    return kinds or (noun,)


def _is_among(region: Region, named: Sequence[Named]) -> bool:
    return any(_overlap(region, other.region) for other in named)


def _overlap(region: Region, other: Region) -> bool:
    shared = shared_px(region.mask, other.mask)
    return shared > _SAME_THING * min(region.mask.area, other.mask.area)
