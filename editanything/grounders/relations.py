"""How things lie to each other: "left of", "on", "behind", "between", "holding", ...

A relation is asked of all candidates at once, since some are a matter of comparison: a hat is worn
by the one who has it on, and "next to" means the nearest where one is clearly nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from editanything.grounders.things import (
    Thing,
    contact,
    gap,
    overlap_1d,
    share_inside,
    touch,
)

Things = Sequence[Thing]
Test = Callable[[Thing, Thing], bool]

CLEARLY_NEARER = 2.0  # times as near as the next one
CLEARLY_MORE = 1.5  # times as much contact as the next one
_LEAST_ON = 0.1  # of a hat touches the head that it is on


def left_of(thing: Thing, anchor: Thing) -> bool:
    """Beside it rather than above or below, and off to the left."""
    x0, y0, x1, y1 = anchor.box
    aside = x0 + (x1 - x0) / 4 - thing.centre[0]
    beyond = max(y0 - thing.box[3], thing.box[1] - y1, 0)
    return aside > 0 and anchor.centre[0] - thing.centre[0] >= beyond and thing.box[2] < x1


def right_of(thing: Thing, anchor: Thing) -> bool:
    """Beside it rather than above or below, and off to the right."""
    x0, y0, x1, y1 = anchor.box
    aside = thing.centre[0] - (x1 - (x1 - x0) / 4)
    beyond = max(y0 - thing.box[3], thing.box[1] - y1, 0)
    return aside > 0 and thing.centre[0] - anchor.centre[0] >= beyond and thing.box[0] > x0


def above(thing: Thing, anchor: Thing) -> bool:
    """Higher in the picture, and over it rather than beside it."""
    x0, y0, x1, y1 = anchor.box
    beyond = max(x0 - thing.box[2], thing.box[0] - x1, 0)
    higher = thing.centre[1] < y0 + (y1 - y0) / 4 and thing.box[3] < y1
    return higher and anchor.centre[1] - thing.centre[1] >= beyond


def below(thing: Thing, anchor: Thing) -> bool:
    """Lower in the picture, and under it rather than beside it."""
    x0, y0, x1, y1 = anchor.box
    beyond = max(x0 - thing.box[2], thing.box[0] - x1, 0)
    lower = thing.centre[1] > y1 - (y1 - y0) / 4 and thing.box[1] > y0
    return lower and thing.centre[1] - anchor.centre[1] >= beyond


def under(thing: Thing, anchor: Thing) -> bool:
    """Below its middle, within its width: the ball between a table's legs, the rug below it."""
    x0, y0, x1, y1 = anchor.box
    within = overlap_1d(thing.box[0], thing.box[2], x0, x1) > 0.3
    return within and thing.centre[1] > (y0 + y1) / 2 and thing.foot > y1 - (y1 - y0) / 4


def on(thing: Thing, anchor: Thing) -> bool:
    """Resting with its foot on it, or shown within it, as a spot on a plate is."""
    if thing.area > 2 * anchor.area and share_inside(thing, anchor) < 0.5:
        return False
    return share_inside(thing, anchor) >= 0.5 or _rests(thing, anchor)


def _rests(thing: Thing, anchor: Thing) -> bool:
    """Whether most of the lowest part of a thing touches an anchor that lies below it."""
    rows = np.flatnonzero(thing.grid.any(1))
    strip = max(1, len(rows) // 10)
    foot = thing.grid.copy()
    foot[: rows[-1] + 1 - strip] = False
    touching = float((anchor.away[foot] <= touch(thing)).mean())
    # What stands beside it touches with its side, and has its middle no higher.
    return touching >= 0.5 and thing.centre[1] < anchor.centre[1]


def inside(thing: Thing, anchor: Thing) -> bool:
    """Within its outline, or standing in it as flowers stand in a vase."""
    if share_inside(thing, anchor) > 0.5:
        return True
    x0, y0, x1, y1 = anchor.box
    in_mouth = x0 <= thing.centre[0] < x1 and y0 < thing.foot <= y1
    return in_mouth and _rests(thing, anchor) and thing.width <= 1.5 * anchor.width


def behind(thing: Thing, anchor: Thing) -> bool:
    """Standing farther back, and partly hidden by it or close over it."""
    return _overlapping(thing, anchor) and thing.foot < anchor.foot - _clear_step(thing, anchor)


def in_front_of(thing: Thing, anchor: Thing) -> bool:
    """Standing nearer, and partly hiding it or close under it."""
    return _overlapping(thing, anchor) and thing.foot > anchor.foot + _clear_step(thing, anchor)


def _overlapping(thing: Thing, anchor: Thing) -> bool:
    beside = overlap_1d(thing.box[0], thing.box[2], anchor.box[0], anchor.box[2])
    return beside > 0.2 and gap(thing, anchor) <= 0.25 * _side(anchor)


def _clear_step(thing: Thing, anchor: Thing) -> float:
    return 0.05 * min(thing.height, anchor.height)


def next_to(thing: Thing, anchor: Thing) -> bool:
    """No farther away than the larger of the two is wide."""
    return gap(thing, anchor) <= max(_side(thing), _side(anchor))


def _side(thing: Thing) -> float:
    """The side of a square of a thing's box, in cells."""
    cells = max(thing.grid.shape) / max(thing.mask.shape)
    return float(np.sqrt(thing.width * thing.height)) * cells


def between(thing: Thing, anchors: Things) -> bool:
    """Near the line from one anchor to the other, beyond the middle of neither."""
    if len(anchors) == 1:  # "between the trees", which are one region
        x0, _, x1, _ = anchors[0].box
        return x0 < thing.centre[0] < x1 and share_inside(thing, anchors[0]) < 0.5
    ordered = sorted(anchors, key=lambda anchor: anchor.centre)
    return any(_on_line(thing, *pair) for pair in pairwise(ordered))


def _on_line(thing: Thing, one: Thing, other: Thing) -> bool:
    start, end = np.array(one.centre), np.array(other.centre)
    line = end - start
    length = float(np.hypot(*line))
    if length == 0:
        return False
    along = float((np.array(thing.centre) - start) @ line) / length**2
    offset = np.array(thing.centre) - start
    across = abs(float(line[0] * offset[1] - line[1] * offset[0])) / length
    reach = max(one.height, other.height, one.width, other.width) / 2
    return 0.1 < along < 0.9 and across <= max(reach, 0.25 * length)


TESTS: dict[str, Test] = {
    "left_of": left_of,
    "right_of": right_of,
    "above": above,
    "below": below,
    "under": under,
    "on": on,
    "in": inside,
    "behind": behind,
    "in_front_of": in_front_of,
}
#: Of several anchors that are one group ("left of the two cups") all count here, elsewhere any.
_OF_ALL = frozenset({"left_of", "right_of", "above", "below"})
_OWNING = frozenset({"with", "holding", "wearing"})


def related(found: Things, rel: str, anchors: Things) -> list[Thing]:
    """Those of `found` that lie so to the `anchors`, which are meant together.

    Args:
        found: all candidates: some relations compare them.
        rel: a key of [relations] in places.txt.
        anchors: the things that the relation names.
    """
    found = [thing for thing in found if not any(thing.region is a.region for a in anchors)]
    if rel == "between":
        return [thing for thing in found if between(thing, anchors)]
    if rel == "next_to":
        return _nearest(found, anchors)
    if rel in _OWNING:
        return [thing for anchor in anchors for thing in owners(found, anchor, rel)]
    test = TESTS[rel]
    among = all if rel in _OF_ALL else any
    return [thing for thing in found if among(test(thing, anchor) for anchor in anchors)]


def _nearest(found: Things, anchors: Things) -> list[Thing]:
    """Those near to an anchor; where one is clearly nearest, that one comes alone and first."""
    near = [thing for thing in found if any(next_to(thing, anchor) for anchor in anchors)]
    return sorted(near, key=lambda thing: min(gap(thing, anchor) for anchor in anchors))


def clearly_nearest(near: Things, anchors: Things) -> list[Thing]:
    """The first of `near` (nearest first) where it is clearly nearer than the second, else all."""
    gaps = [min(gap(thing, anchor) for anchor in anchors) for thing in near]
    if len(near) > 1 and gaps[1] >= CLEARLY_NEARER * gaps[0] + touch(near[0]):
        return [near[0]]
    return list(near)


def owners(found: Things, anchor: Thing, rel: str) -> list[Thing]:
    """Who of `found` has, holds or wears `anchor`: whoever touches it most."""
    found = [thing for thing in found if thing.region is not anchor.region]
    held = {id(thing): contact(anchor, thing) for thing in found}
    least = _LEAST_ON if rel == "wearing" else 0.0
    touching = [t for t in found if held[id(t)] > least and (rel != "wearing" or _worn(anchor, t))]
    if not touching and rel == "with":
        near = [thing for thing in found if next_to(thing, anchor)]
        return clearly_nearest(sorted(near, key=lambda thing: gap(thing, anchor)), [anchor])
    touching.sort(key=lambda thing: -held[id(thing)])
    if len(touching) > 1:
        first, second = (held[id(thing)] for thing in touching[:2])
        return touching[:1] if first >= CLEARLY_MORE * second else touching
    return touching


def _worn(anchor: Thing, wearer: Thing) -> bool:
    """Whether the middle of what is worn lies over its wearer, or right above."""
    x0, y0, x1, y1 = wearer.box
    x, y = anchor.centre
    margin = 0.1 * wearer.width
    return x0 - margin <= x <= x1 + margin and y0 - anchor.height <= y <= y1
