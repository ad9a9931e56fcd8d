"""What adjectives say of a thing: its colour, its size, how light it is, where it stands.

A colour can be checked on the thing alone. "Small", "tall" and "dark" compare: they mean those that
clearly stand out from the others of their name, and where none does, nothing is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from editanything.colors import name_of, parse_color, to_oklab
from editanything.grounders.things import Thing

Things = Sequence[Thing]

_LEAST_SHARE = 0.5  # of a thing's pixels have the colour, where several are compared
_LEAST_ALONE = 0.15  # where only one could be meant: light and shade spare little of some things
_LIGHTENING = frozenset({"light", "pale", "bright", "pastel", "lighter", "brighter"})
_DARKENING = frozenset({"dark", "deep", "darker"})


@dataclass(frozen=True)
class Measure:
    """What things are compared by; the thing with the most is meant.

    Attributes:
        of: the quantity, above 0.
        lead: one is ahead of another by this factor (`ratio`) or this difference.
        stands_out: the same for one that is "small" rather than "the smallest".
        alike: what they are where none is ahead.
    """

    of: Callable[[Thing], float]
    lead: float
    stands_out: float
    alike: str
    ratio: bool = True

    def ranked(self, found: Things) -> list[Thing]:
        """The things with the most first."""
        return sorted(found, key=self.of, reverse=True)

    def ahead(self, thing: Thing, other: Thing, by: float | None = None) -> bool:
        """Whether a thing has clearly more than another."""
        by = self.lead if by is None else by
        more, less = self.of(thing), self.of(other)
        return more >= by * less if self.ratio else more >= less + by


def _size(of: Callable[[Thing], float], alike: str, lead: float, stands_out: float) -> Measure:
    return Measure(of, lead, stands_out, f"equally {alike}")


def _place(of: Callable[[Thing], float], alike: str) -> Measure:
    return Measure(of, 0.012, 0.05, f"equally far {alike}", ratio=False)


# A mask that is a pixel off at forty pixels' width is a tenth off in area.
_AREA, _LENGTH = (1.12, 1.3), (1.06, 1.15)
#: By the names of the parser's superlatives, and further ones for adjectives.
MEASURES: dict[str, Measure] = {
    "largest": _size(lambda t: t.area, "large", *_AREA),
    "smallest": _size(lambda t: 1 / t.area, "small", *_AREA),
    "tallest": _size(lambda t: t.height, "tall", *_LENGTH),
    "shortest": _size(lambda t: 1 / t.height, "short", *_LENGTH),
    "widest": _size(lambda t: t.width, "wide", *_LENGTH),
    "narrowest": _size(lambda t: 1 / t.width, "narrow", *_LENGTH),
    "longest": _size(lambda t: max(t.width, t.height), "long", *_LENGTH),
    "lightest": Measure(lambda t: t.lab[0], 0.02, 0.07, "equally light", ratio=False),
    "darkest": Measure(lambda t: 1 - t.lab[0], 0.02, 0.07, "equally dark", ratio=False),
    "leftmost": _place(lambda t: 1 - t.centre[0] / t.mask.shape[1], "left"),
    "rightmost": _place(lambda t: t.centre[0] / t.mask.shape[1], "right"),
    "topmost": _place(lambda t: 1 - t.centre[1] / t.mask.shape[0], "up"),
    "bottommost": _place(lambda t: t.centre[1] / t.mask.shape[0], "down"),
    "nearest": _place(lambda t: t.foot / t.mask.shape[0], "to the front"),
    "farthest": _place(lambda t: 1 - t.foot / t.mask.shape[0], "to the back"),
}
# Measure -> adjectives in the positive, and in the comparative or superlative.
_ADJECTIVES: dict[str, tuple[str, str]] = {
    "largest": ("big large huge giant", "bigger larger biggest largest"),
    "smallest": ("small little tiny mini", "smaller tinier littler smallest tiniest"),
    "tallest": ("tall high", "taller higher tallest"),
    "shortest": ("short low", "shorter shortest"),
    "widest": ("wide broad thick fat", "wider broader thicker fatter widest broadest thickest"),
    "narrowest": ("narrow thin slim", "narrower thinner slimmer narrowest thinnest slimmest"),
    "longest": ("long", "longer longest"),
    "lightest": ("light bright pale", "lighter brighter paler lightest brightest palest"),
    "darkest": ("dark dim", "darker dimmer darkest dimmest"),
}
#: Adjective -> its measure, and whether any lead is enough ("smaller", "smallest").
COMPARING: dict[str, tuple[Measure, bool]] = {
    word: (MEASURES[name], bool(degree))
    for name, degrees in _ADJECTIVES.items()
    for degree, words in enumerate(degrees)
    for word in words.split()
}


@dataclass(frozen=True)
class Looks:
    """The adjectives of a selector, by what they ask for."""

    colors: tuple[str, ...] = ()
    comparing: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # nothing here can see whether a thing is "wooden"


def sort_adjectives(attrs: Sequence[str]) -> Looks:
    """`("small", "dark", "red", "wooden")` -> a comparison, the colour "dark red", and the rest."""
    colors, comparing, others = [], [], []
    at = 0
    while at < len(attrs):
        stop = next(
            (
                s
                for s in range(len(attrs), at, -1)
                if parse_color(" ".join(attrs[at:s])) is not None
            ),
            at,
        )
        if stop > at:
            colors.append(" ".join(attrs[at:stop]))
        elif attrs[at] in COMPARING:
            comparing.append(attrs[at])
        else:
            others.append(attrs[at])
        at = max(stop, at + 1)
    return Looks(tuple(colors), tuple(comparing), tuple(others))


def color_names(color: str) -> frozenset[str]:
    """The basic names that pixels of a colour may bear: "light red" is red, or pink."""
    rgb, base = parse_color(color), parse_color(color.rsplit(maxsplit=1)[-1])
    return frozenset(name_of(value) for value in (rgb, base) if value is not None)


def of_color(found: Things, color: str) -> list[Thing]:
    """Those of `found` that have a colour; where only one could be meant, some of it is enough."""
    names = color_names(color)
    least = _LEAST_ALONE if len(found) == 1 else _LEAST_SHARE
    named = [thing for thing in found if thing.share_named(names) >= least]
    return [thing for thing in named if _shade_fits(thing, color)]


def _shade_fits(thing: Thing, color: str) -> bool:
    """Whether something dark red is nearer to dark red than to light red."""
    first, _, base = color.partition(" ")
    if not base or first not in _LIGHTENING | _DARKENING:
        return True
    dark, light = parse_color(f"dark {base}"), parse_color(f"light {base}")
    if dark is None or light is None:
        return True
    middle = (to_oklab(dark)[0] + to_oklab(light)[0]) / 2
    return (thing.lab[0] >= middle) == (first in _LIGHTENING)


def standing_out(found: Things, word: str, count: int | str) -> list[Thing]:
    """Those of `found` that are clearly "small", "tall", ...; where none is, all that may be."""
    measure, any_lead = COMPARING[word]
    by = measure.lead if any_lead else measure.stands_out
    ranked = measure.ranked(found)
    if isinstance(count, int):
        clear = len(ranked) > count and measure.ahead(ranked[count - 1], ranked[count], by)
        if clear or len(ranked) <= count:
            return ranked[:count]
        return [t for t in ranked if not measure.ahead(ranked[count - 1], t, by)]
    steps = [_step(measure, *pair) for pair in pairwise(ranked)]
    if not steps:
        return list(found)
    widest = max(range(len(steps)), key=steps.__getitem__)
    clear = measure.ahead(ranked[widest], ranked[widest + 1], by)
    return ranked[: widest + 1] if clear else list(found)


def _step(measure: Measure, thing: Thing, other: Thing) -> float:
    more, less = measure.of(thing), measure.of(other)
    return more / max(less, 1e-9) if measure.ratio else more - less
