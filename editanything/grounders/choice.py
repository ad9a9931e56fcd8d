"""From the things that fit the words to as many as were asked for, or to a question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from editanything.command.types import Selector
from editanything.grounders.base import Miscount, Tie
from editanything.grounders.looks import MEASURES, Measure
from editanything.grounders.things import Thing
from editanything.places import PLACES
from editanything.types import Box, Region

Things = Sequence[Thing]

CLEAR_LEAD = 0.1  # of the score of a name
#: Of the frame's height: what stands lower than this is in the foreground.
_FOREGROUND_FROM = 0.7
_ROW = 0.5  # things stand in a row if they spread less than this across it, as a share of along it
FROM = {"left": "leftmost", "right": "rightmost", "top": "topmost", "bottom": "bottommost"}


def choose(found: Things, selector: Selector, what: str) -> list[Thing] | Tie | Miscount:
    """As many of `found` (at least one) as the selector asks for, or the question to ask back."""
    if selector.ordinal is not None:
        return _counted_off(found, selector, what)
    if selector.superlative is not None and len(found) > 1:
        return _most(found, MEASURES[selector.superlative], selector.count, what)
    if selector.count == "all":
        return list(found)
    count = int(selector.count)
    if len(found) == count:
        return list(found)
    best = best_named(found, count)
    if len(best) == count:
        return best
    if count == 1:
        return Tie(what, regions(best))
    return Miscount(what, count, regions(found))


def best_named(found: Things, count: int) -> list[Thing]:
    """The `count` things whose names fit best, with those whose names fit as well."""
    ranked = sorted(found, key=lambda thing: -thing.score)
    if len(ranked) <= count:
        return ranked
    last = ranked[count - 1].score
    return [thing for thing in ranked if thing.score > last - CLEAR_LEAD]


def regions(found: Things) -> tuple[Region, ...]:
    """The regions of things."""
    return tuple(thing.region for thing in found)


def _most(
    found: Things, measure: Measure, count: int | str, what: str
) -> list[Thing] | Tie | Miscount:
    """The first of a ranking, if it is clear where they end."""
    ranked = measure.ranked(found)
    count = count if isinstance(count, int) else 1
    if len(ranked) < count:
        return Miscount(what, count, regions(ranked))
    return _cut(ranked, measure, 0, count, what)


def _cut(
    ranked: Things, measure: Measure, start: int, stop: int, what: str
) -> list[Thing] | Tie | Miscount:
    """`ranked[start:stop]`, unless a neighbour could as well be one of them."""
    for edge in (start, stop):
        if 0 < edge < len(ranked) and not measure.ahead(ranked[edge - 1], ranked[edge]):
            alike = [
                thing
                for at, thing in enumerate(ranked)
                if start <= at < stop or _alike(measure, thing, ranked[edge])
            ]
            return Tie(what, regions(alike), f"some are {measure.alike}")
    return list(ranked[start:stop])


def _alike(measure: Measure, thing: Thing, other: Thing) -> bool:
    return not measure.ahead(thing, other) and not measure.ahead(other, thing)


def _counted_off(found: Things, selector: Selector, what: str) -> list[Thing] | Tie | Miscount:
    """The nth from one side, or of a ranking ("the second largest")."""
    assert selector.ordinal is not None, selector
    n, start = selector.ordinal
    count = selector.count if isinstance(selector.count, int) else 1
    first = n - 1 if n > 0 else len(found) + n + 1 - count
    if n == 0 or first < 0 or first + count > len(found):
        return Miscount(what, max(abs(n), count), regions(found))
    if selector.superlative is not None and start is None:
        orders = [MEASURES[selector.superlative]]
    elif start is not None:
        orders = [MEASURES[FROM[start]]]
    else:
        orders = [MEASURES[FROM[side]] for side in _reading_order(found)]
    cuts = [_cut(order.ranked(found), order, first, first + count, what) for order in orders]
    chosen = [cut for cut in cuts if isinstance(cut, list)]
    if len(chosen) < len(cuts):
        return next(cut for cut in cuts if not isinstance(cut, list))
    if any({id(t) for t in cut} != {id(t) for t in chosen[0]} for cut in chosen):
        return Tie(what, regions(found), "counted from the left, or from the top?")
    return chosen[0]


def _reading_order(found: Things) -> list[str]:
    """From where things are counted where nobody says it: along their row, or both ways."""
    centres = np.array([thing.centre for thing in found])
    across, down = np.ptp(centres, axis=0)
    if down <= _ROW * across:
        return ["left"]
    return ["top"] if across <= _ROW * down else ["left", "top"]


def in_place(found: Things, place: str, frame: Box, count: int | str) -> list[Thing]:
    """Those of `found` that are "left", "at the top", "in the background" of a frame.

    Of two things the one farther left is "the left one", wherever the frame's middle is; of an odd
    row of things the one in the middle is "the middle one".
    """
    inside = [thing for thing in found if _lies(thing, place, frame)]
    if count != 1 or len(found) < 2:
        return inside
    if place in FROM and len(found) == 2:
        first, second = MEASURES[FROM[place]].ranked(found)
        if _aside(first, second, place, frame):
            return [first]
    if place in {"foreground", "background"} and len(found) == 2:
        nearest = MEASURES["nearest" if place == "foreground" else "farthest"]
        first, second = nearest.ranked(found)
        return [first] if nearest.ahead(first, second, nearest.stands_out) else inside
    if place == "center":
        middle = _middle(found)
        return inside if middle is None or inside == [middle] else _middle_of(inside, middle)
    return inside


def _middle_of(inside: Things, middle: Thing) -> list[Thing]:
    """The middle one of a row, unless another one alone is in the middle of the frame."""
    if len(inside) == 1:
        return [inside[0], middle]
    return [middle]


def _lies(thing: Thing, place: str, frame: Box) -> bool:
    x0, y0, x1, y1 = frame
    if place in {"foreground", "background"}:
        return (thing.foot > y0 + _FOREGROUND_FROM * (y1 - y0)) == (place == "foreground")
    left, top, right, bottom = PLACES[place]
    x = (thing.centre[0] - x0) / (x1 - x0)
    y = (thing.centre[1] - y0) / (y1 - y0)
    return left <= x < right and top <= y < bottom


def _aside(first: Thing, second: Thing, place: str, frame: Box) -> bool:
    """Whether two things are clearly apart along the way that `place` names."""
    axis = 0 if place in {"left", "right"} else 1
    apart = abs(first.centre[axis] - second.centre[axis])
    return apart >= 0.05 * (frame[2 + axis] - frame[axis])


def _middle(found: Things) -> Thing | None:
    """The thing in the middle of an odd row."""
    order = _reading_order(found)
    if len(found) % 2 == 0 or len(order) > 1:
        return None
    return MEASURES[FROM[order[0]]].ranked(found)[len(found) // 2]
