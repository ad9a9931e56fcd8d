"""Nouns for regions that bear no name: asked of the network of words and regions that ships.

Where a picture came with names, these alone decide. Elsewhere the segmenter's regions are
candidates, and the noun names those that the network is sure of; nothing where it is sure of none,
which is then asked back. What the network was trained on, and how often it errs: docs/words.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from editanything.command.kinds import KIND, likeness
from editanything.errors import InputError
from editanything.grounders.base import MADE_UP, Scene
from editanything.grounders.names import KnownNames, Named
from editanything.libraries import networks
from editanything.masks import intersection
from editanything.types import Bool2D, Mask, Region

if TYPE_CHECKING:
    from mdt.features.words import Words

#: A region of more of the picture than this is what things stand on, or before.
_MOST_OF_PICTURE = 0.6
_MOST_OF_PIECE = 0.3  # ... and than this is no piece of a thing
_BORDER_PX = 4  # of two pieces that touch
_AT_FRAME = 0.05  # of the frame at most is touched by what lies away from it
_LEAST_PX = 12  # of a region's longer side: less shows nothing
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
        if any(region.label for region in seen.known):
            return KnownNames().find(seen, noun)
        regions, embedded = _held(seen, self.weights)
        words = _words(self.weights)
        if not regions:
            return ()
        phrases = _phrases(noun, self.weights)
        logits = words.logits(embedded, phrases).max(axis=1)
        over = logits - float(words.card["sure"]) - self.margin
        believed = [i for i in np.argsort(-over, kind="stable") if over[i] >= 0]
        kept: list[Named] = []
        for i in believed:
            if not any(_overlap(regions[i], other.region) for other in kept):
                kept.append(Named(regions[i], float(1 / (1 + np.exp(-over[i])))))
        return tuple(kept)


@lru_cache(maxsize=2)
def _words(folder: str) -> Words:
    networks()
    from mdt.features.words import open_words

    try:
        return open_words(folder) if folder else open_words()
    except ValueError as error:
        raise InputError(str(error)) from None


_HELD: WeakKeyDictionary[Scene, dict[str, tuple[tuple[Region, ...], Any]]] = WeakKeyDictionary()


def _held(seen: Scene, weights: str) -> tuple[tuple[Region, ...], Any]:
    """The candidates among a picture's regions, and what the network sees in them; kept."""
    kept = _HELD.setdefault(seen, {})
    if weights not in kept:
        found = candidates(seen)
        masks = [region.mask.full() for region in found]
        kept[weights] = found, (_words(weights).regions(seen.image, masks) if found else None)
    return kept[weights]


def candidates(seen: Scene) -> tuple[Region, ...]:
    """What a noun may name in a picture without names: no tiny part, and not most of it.

    The segmenter's regions, pairs of them that touch, and what lies together away from the frame: a
    thing of several colours is often cut in pieces. And what the segmenter takes for things, if it
    says so.
    """
    found = [region for region in seen.regions() if _large_enough(region.mask)]
    found = [region for region in found if _share(region.mask) <= _MOST_OF_PICTURE]
    small = [region.mask.full() for region in found if _share(region.mask) <= _MOST_OF_PIECE]
    more = [*_touching(small), *_away_from_frame(small, seen.image.shape[:2])]
    masks = [mask for mask in map(Mask.of, more) if _large_enough(mask)]
    things: tuple[Mask, ...] = getattr(seen, "things", tuple)()
    masks += [m for m in things if _large_enough(m) and _share(m) <= _MOST_OF_PICTURE]
    return (*found, *(Region(MADE_UP, mask) for mask in masks))


def _share(mask: Mask) -> float:
    return mask.area / (mask.shape[0] * mask.shape[1])


def _large_enough(mask: Mask) -> bool:
    return max(mask.box[2] - mask.box[0], mask.box[3] - mask.box[1]) >= _LEAST_PX


def _touching(pieces: list[Bool2D]) -> list[Bool2D]:
    """Pairs of pieces with a border of some pixels between them."""
    grown = [cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for piece in pieces]
    pairs = combinations(range(len(pieces)), 2)
    return [
        pieces[i] | pieces[j]
        for i, j in pairs
        if np.count_nonzero(grown[i] & pieces[j]) >= _BORDER_PX
    ]


def _away_from_frame(pieces: list[Bool2D], shape: tuple[int, int]) -> list[Bool2D]:
    """The connected parts of all pieces that hardly touch the picture's frame."""
    inner = np.zeros(shape, bool)
    for piece in pieces:
        edge = sum(int(np.count_nonzero(side)) for side in (piece[0], piece[-1]))
        edge += sum(int(np.count_nonzero(side)) for side in (piece[:, 0], piece[:, -1]))
        if edge <= _AT_FRAME * 2 * sum(shape):
            inner |= piece
    count, labels = cv2.connectedComponents(inner.astype(np.uint8))
    return [labels == number for number in range(1, count)]


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


def _overlap(region: Region, other: Region) -> bool:
    shared = intersection(region.mask, other.mask).area
    return shared > _SAME_THING * min(region.mask.area, other.mask.area)
