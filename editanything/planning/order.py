"""The order of a plan's clauses: another one, and how what was set by number goes along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from editanything.errors import InputError
from editanything.types import Related, Step

T = TypeVar("T")
Place = tuple[int, int]  # clause of the command, and which of its steps


def clause_order(order: Sequence[int], count: int) -> tuple[int, ...]:
    """The order in which `count` clauses are carried out; as they were said where none is given.

    Raises:
        InputError: an order that leaves a clause out, or names one that is not there.
    """
    if not order:
        return tuple(range(count))
    if sorted(order) != list(range(count)):
        raise InputError(
            f"The order {list(order)} does not name each of the command's {count} clauses once."
        )
    return tuple(order)


def moved(steps: Sequence[Step], i: int, to: int) -> tuple[int, ...]:
    """The clauses' order once the clause of step `i` stands where that of step `to` stands."""
    order = list(dict.fromkeys(step.clause for step in steps))
    mine, theirs = steps[i].clause, steps[to].clause
    place = order.index(theirs)
    order.remove(mine)
    order.insert(place, mine)
    return tuple(order)


def places(steps: Sequence[Step]) -> list[Place]:
    """Which step of which clause each step is."""
    seen: dict[int, int] = {}
    found = []
    for step in steps:
        found.append((step.clause, seen.get(step.clause, 0)))
        seen[step.clause] = seen.get(step.clause, 0) + 1
    return found


def renumbered(settings: Mapping[int, T], old: Sequence[Step], new: Sequence[Step]) -> dict[int, T]:
    """What was set by the numbers of `old` steps, by the numbers that they have in `new`."""
    numbers = {place: number for number, place in enumerate(places(new))}
    was = places(old)
    return {
        numbers[was[number]]: value
        for number, value in settings.items()
        if number < len(was) and was[number] in numbers
    }


def renumbered_related(
    switched: Mapping[int, bool], old: Sequence[Related], new: Sequence[Related]
) -> dict[int, bool]:
    """Which related regions were switched, by their numbers in `new`."""
    numbers = {_same(related): number for number, related in enumerate(new)}
    return {
        numbers[_same(old[number])]: on
        for number, on in switched.items()
        if number < len(old) and _same(old[number]) in numbers
    }


def _same(related: Related) -> tuple[Any, ...]:
    region = related.region
    return related.type, region.shape, region.box, region.crop.tobytes()
