"""Things of photographs by their everyday nouns: seen by a network, cut out, and looked at again.

`mdt.features.photographs` says how likely a kind of thing is at every place of a picture. Where it
is likeliest, seen from as near as it stays likely, the thing is cut out in several ways, and that
one counts which, shown alone, is still such a thing, and without which there is none left. Where
neither holds nothing is found: a wrong thing is worse than a question.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import cv2

from editanything.grounders.base import Scene
from editanything.grounders.imagenet import everyday_nouns, numbers
from editanything.grounders.outlined import outlined
from editanything.grounders.shown import Part, kinds, shown, surroundings, whole_of
from editanything.masks import iou
from editanything.types import Mask

#: Kinds are there where some window shows them with this probability, and some more where they are
#: many, since each is a little likely anywhere: docs/experiments.md.
THERE, BY_CHANCE = 0.5, 0.75
_MORE_THERE = 0.8  # ... once one was found, and hidden
_MOST = 6  # things of one noun
#: What a noun is hardly likely to name, where another kind is plainly likelier, is not that.
_HARDLY, _PLAINLY = 0.02, 0.5
#: Where a kind is so surely to be seen, what shows it by so little of its highest value is not it.
_SURELY_THERE, _ASIDE = 0.9, 0.2
#: What is offered unasked is this likely; a narrower noun is as good with this share of it.
_PLAIN, _NEARLY = 0.7, 0.9
_MOST_KINDS = 130  # of a noun that is offered: "animal" is seen in the moon
_SAME = 0.5  # IoU from which two masks are of one thing


@lru_cache(maxsize=1024)
def is_everyday(noun: str) -> bool:
    """Whether `noun` (lower case, singular) may be found here."""
    return bool(numbers(noun, kinds()))


def plainest(seen: Scene, most: int) -> tuple[str, ...]:
    """The everyday nouns of what a picture plainly shows, likeliest first; `most` at most.

    Of nouns for much the same ("tabby", "cat", "animal") the narrowest that is nearly as likely.

    Args:
        seen: the picture.
        most: how many at most, each of other kinds than those before it.

    Raises:
        InputError: the weights are missing or damaged.
    """
    ids = {noun: frozenset(numbers(noun, kinds())) for noun in everyday_nouns()}
    ids = {noun: some for noun, some in ids.items() if len(some) <= _MOST_KINDS}
    likely = dict(zip(ids, shown(seen).surest_of(list(ids.values())), strict=True))
    left = {noun for noun in ids if likely[noun] >= max(_PLAIN, _least(ids[noun]))}
    out: list[str] = []
    while left and len(out) < most:
        top = max(sorted(left), key=lambda noun: likely[noun])
        same = [n for n in ids if n in left and likely[n] >= _NEARLY * likely[top]]
        same = [n for n in same if ids[n] & ids[top]]
        out.append(min(same, key=lambda noun: len(ids[noun])))
        left = {noun for noun in left if not ids[noun] & ids[out[-1]]}
    return tuple(out)


def find_photographed(seen: Scene, noun: str) -> tuple[Mask, ...]:
    """The things that `noun` names, surest first; () where none is sure.

    Args:
        seen: the picture; what it tells of a box is made use of, if it does.
        noun: one that `is_everyday`.

    Raises:
        InputError: the weights are missing or damaged.
    """
    part, ids = Part.of(seen), numbers(noun, kinds())
    least = _least(ids)
    found: list[Mask] = []
    while len(found) < _MOST:
        if part.view.surest(ids) < (max(least, _MORE_THERE) if found else least):
            break
        heat = part.view.heat(ids)
        looks = [part]
        while (closer := part.closer(heat, found)) and closer.view.surest(ids) >= least:
            part, heat = closer, closer.view.heat(ids)
            looks.append(part)
        nearest_first = dict.fromkeys((looks[-1], looks[0]))
        best = next(filter(None, (outlined(look, ids) for look in nearest_first)), None)
        if best is None or any(iou(best, mask) > _SAME for mask in found):
            break
        found.append(best)
        part = Part.of(seen, hidden=found)
    return tuple(found)


def _least(ids: Collection[int]) -> float:
    """The probability from which one of the kinds `ids` is there, and not by chance."""
    return THERE + BY_CHANCE * len(ids) / len(kinds())


def is_plainly_else(seen: Scene, mask: Mask, noun: str) -> bool:
    """Whether a part of a picture plainly shows something that the everyday `noun` does not name.

    So it is, too, where such a thing is plainly to be seen, and elsewhere. False for nouns that are
    not everyday ones: of an eye nothing is said.
    """
    if not is_everyday(noun):
        return False
    whole, ids = Part.of(seen), numbers(noun, kinds())
    small = whole.small(mask)
    likely = whole_of(whole.view.picture[surroundings(small)])
    named, other = float(likely[list(ids)].sum()), float(likely.max())
    if named < _HARDLY and other >= _PLAINLY:
        return True
    heat = cv2.resize(whole.view.heat(ids), small.shape[::-1])
    there = whole.view.surest(ids) >= _SURELY_THERE
    return there and bool(small.any()) and float(heat[small].mean()) < _ASIDE * float(heat.max())
