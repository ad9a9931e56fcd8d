"""Loose parts of a clause: amounts, directions, factors, angles, axes, sides, times.

They may stand nearly anywhere ("slightly move the cup left", "move the cup to the left a bit"), so
they are taken out of the clause before a construction is matched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_picture_noun
from editanything.command.tokens import Token
from editanything.command.types import Amount

_UNITS = {
    "px": "px", "pixels": "px", "pixel": "px", "percent": "%", "%": "%", "pct": "%",
}  # fmt: skip
_DIRECTION_OF = {"top": "up", "bottom": "down"}
_DETERMINERS = {"the", "a", "an", "this", "that", "my", "his", "her", "its", "their", "your"}
_FACTORS = {"twice": 2.0, "double": 2.0, "thrice": 3.0, "triple": 3.0, "quadruple": 4.0}


@dataclass(frozen=True)
class Loose:
    """What was taken out of a clause; None where it did not say so."""

    amount: Amount | None = None
    direction: str | None = None
    factor: float | None = None  # of the size: 2.0 is twice as large
    percent: float | None = None  # how much larger or smaller
    angle: float | None = None  # degrees, clockwise
    minus: bool = False  # whether the number of degrees was said with a minus sign
    axis: str | None = None
    sides: tuple[str, ...] | None = None
    times: int | None = None
    bare: float | None = None  # "by 20": a number without a unit


Taken = tuple[Tokens, Loose]


def take(kinds: tuple[str, ...], tokens: Tokens) -> Taken:
    """`tokens` without the loose parts of these kinds, and what they said."""
    loose = Loose()
    for kind in kinds:
        tokens, loose = TAKERS[kind](tokens, loose)
    return tokens, loose


def _words(tokens: Tokens) -> list[str]:
    return [token.word for token in tokens]


def _cut(tokens: Tokens, start: int, stop: int) -> Tokens:
    return tokens[:start] + tokens[stop:]


def _number_at(tokens: Tokens, at: int) -> float | None:
    return tokens[at].number if 0 <= at < len(tokens) else None


def _back(tokens: Tokens, start: int, words: Collection[str]) -> int:
    """`start` moved back over little words such as "by", "about", "another"."""
    while start and tokens[start - 1].word in words:
        start -= 1
    return start


def _measure(tokens: Tokens) -> tuple[int, int, float, str] | None:
    """The first `NUMBER unit`: where it starts and stops, the number and the unit."""
    for at in range(1, len(tokens)):
        number = _number_at(tokens, at - 1)
        unit = _UNITS.get(tokens[at].word)
        if number is not None and unit is not None:
            start = _back(tokens, at - 1, lexicon().sets["before_number"])
            return start, at + 1, number, unit
    return None


def _amount(tokens: Tokens, loose: Loose) -> Taken:
    found = _measure(tokens)
    if found is not None:
        start, stop, number, unit = found
        return _cut(tokens, start, stop), replace(loose, amount={"value": number, "unit": unit})
    words = _words(tokens)
    for at in range(len(words)):
        size = lexicon().amounts.at(words, at)
        if size is not None and not (_is_far(tokens, at) if size[1] - at == 1 else False):
            start = _back(tokens, at, {"by", "just", "only"}) if at else at
            return _cut(tokens, start, size[1]), replace(loose, amount=size[0])
    for at in range(len(words) - 1):
        start = at + 1 + (words[at + 1] == "a")
        share = _SHARES.get(words[start]) if start < len(words) and words[at] == "by" else None
        if share is not None:
            amount: Amount = {"value": share, "unit": "%"}
            return _cut(tokens, at, start + 1), replace(loose, amount=amount)
        if words[at] == "by" and _number_at(tokens, at + 1) is not None:
            return _cut(tokens, at, at + 2), replace(loose, bare=_number_at(tokens, at + 1))
    return tokens, loose


def _is_far(tokens: Tokens, at: int) -> bool:
    """Whether "way" or "far" inside a clause is part of a place: "the far left", "on the way"."""
    if at == 0 or tokens[at].word not in {"way", "far"}:
        return False
    after = tokens[at + 1 : at + 2]
    goes = bool(after) and (after[0].kind == "toward" or _is_more(after[0].word))
    return not goes or tokens[at - 1].word in _DETERMINERS | {"all"}


def _is_more(word: str) -> bool:
    """Whether "way" before the word says how much: "way up", "way bigger"."""
    lex = lexicon()
    looks = lex.sizes.whole([word]) or lex.filters.whole([word])
    return word in _GOING or looks is not None


_GOING = {"up", "down", "left", "right", "higher", "lower", "more", "less"}


def _direction(tokens: Tokens, loose: Loose) -> Taken:
    for at, token in enumerate(tokens):
        if token.kind == "toward":
            value = _DIRECTION_OF.get(token.value, token.value)
            start, stop = at - (at > 1 and tokens[at - 1].kind == "origin"), at + 1
            return _cut(tokens, start, stop), replace(loose, direction=value)
    words = _words(tokens)
    for at in range(1, len(words)):
        found = lexicon().directions.at(words, at)
        if found is None or words[at - 1] == "upside":
            continue
        if words[at - 1] in _DETERMINERS and found[1] < len(words):
            continue
        if found[1] < len(words) and is_picture_noun(words[found[1]]):
            continue
        start = _back(
            tokens, at, {"to", "towards", "toward", "further", "more", "all", "way", "the"}
        )
        return _cut(tokens, max(1, start), found[1]), replace(loose, direction=found[0])
    return tokens, loose


_SHARES = {"half": 50.0, "third": 33.3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}


def _factor(tokens: Tokens, loose: Loose) -> Taken:
    words = _words(tokens)
    for at in range(len(words)):
        number = _number_at(tokens, at)
        if number is not None and words[at + 1 : at + 2] in (["x"], ["times"]):
            start = _back(tokens, at, {"by", "to", "about"})
            stop = at + 2
            return _end_size(tokens, start, stop), replace(loose, factor=number)
        if words[at] == "x" and _number_at(tokens, at + 1) is not None:
            return _cut(tokens, at, at + 2), replace(loose, factor=_number_at(tokens, at + 1))
        if words[at : at + 3] == ["a", "factor", "of"] and _number_at(tokens, at + 3) is not None:
            start = _back(tokens, at, {"by"})
            return _cut(tokens, start, at + 4), replace(loose, factor=_number_at(tokens, at + 3))
        share = _SHARES.get(words[at])
        start = at - 1 - (words[at - 1 : at] == ["a"])
        if share is not None and words[start : start + 1] == ["by"]:
            return _cut(tokens, start, at + 1), replace(loose, percent=share)
        multiple = 0.5 if words[at] == "half" else _FACTORS.get(words[at])
        if multiple is not None and words[at - 1 : at] == ["to"]:
            return _end_size(tokens, at - 1, at + 1), replace(loose, factor=multiple)
    return _percent(tokens, loose)


def _end_size(tokens: Tokens, start: int, stop: int) -> Tokens:
    """Cut, together with "its size", "the size" or "as big" after it."""
    tail = lexicon().size_tails.at(_words(tokens), stop)
    return _cut(tokens, start, stop if tail is None else tail[1])


def _percent(tokens: Tokens, loose: Loose) -> Taken:
    found = _measure(tokens)
    if found is None or found[3] != "%":
        return _bare_factor(tokens, loose)
    start, stop, number, _ = found
    to = start > 0 and tokens[start - 1].word == "to"
    rest = _end_size(tokens, start - to, stop)
    if to or len(rest) < len(tokens) - (stop - start):
        return rest, replace(loose, factor=number / 100)
    return rest, replace(loose, percent=number)


def _bare_factor(tokens: Tokens, loose: Loose) -> Taken:
    for at in range(1, len(tokens)):
        number = _number_at(tokens, at)
        if number is not None and tokens[at - 1].word in {"by", "to"} and at + 1 == len(tokens):
            start = _back(tokens, at, {"by", "to"})
            return _cut(tokens, start, at + 1), replace(loose, factor=number)
        if tokens[at].word in {"twice", "thrice"} and at + 1 == len(tokens):
            return _cut(tokens, at, at + 1), replace(loose, factor=_FACTORS[tokens[at].word])
    if tokens and tokens[0].word in _FACTORS:
        return tokens, replace(loose, factor=_FACTORS[tokens[0].word])
    if tokens and tokens[0].word == "halve":
        return tokens, replace(loose, factor=0.5)
    return tokens, loose


_COUNTER = (
    ["counter", "clockwise"],
    ["anti", "clockwise"],
    ["counterclockwise"],
    ["anticlockwise"],
)
_TURNS = {
    ("a", "quarter", "turn"): 90.0, ("a", "quarter"): 90.0, ("quarter", "turn"): 90.0,
    ("a", "half", "turn"): 180.0, ("half", "turn"): 180.0, ("halfway",): 180.0,
    ("half", "way"): 180.0, ("upside", "down"): 180.0, ("all", "the", "way", "around"): 360.0,
    ("sideways",): 90.0,
}  # fmt: skip


def _angle(tokens: Tokens, loose: Loose) -> Taken:
    sign = 1.0
    for way in (*_COUNTER, ["clockwise"]):
        words = _words(tokens)
        for at in range(len(words)):
            if words[at : at + len(way)] == way:
                sign = 1.0 if way == ["clockwise"] else -1.0
                start = _back(tokens, at, {"in", "a", "the"})
                stop = at + len(way) + (words[at + len(way) :][:1] == ["direction"])
                tokens = _cut(tokens, start, stop)
                loose = replace(loose, angle=sign * 90.0)
                break
        if loose.angle is not None:
            break
    return _degrees(tokens, loose, sign)


def _degrees(tokens: Tokens, loose: Loose, sign: float) -> Taken:
    words = _words(tokens)
    for at in range(1, len(words)):
        number = _number_at(tokens, at)
        unit = words[at + 1 : at + 2]
        if number is not None and unit and unit[0] in {"degrees", "degree", "deg", "o"}:
            start = _back(tokens, at, {"by", "about", "to"})
            return _cut(tokens, start, at + 2), _turned(loose, sign, number)
        if number is not None and words[at - 1] == "by":
            return _cut(tokens, at - 1, at + 1), _turned(loose, sign, number)
        if (
            number is not None
            and (number < 0 or number in {45.0, 90.0, 180.0, 270.0})
            and at + 1 == len(words)
        ):
            return _cut(tokens, at, at + 1), _turned(loose, sign, number)
    for phrase, angle in _TURNS.items():
        for at in range(1, len(words)):
            if tuple(words[at : at + len(phrase)]) == phrase:
                start = _back(tokens, at, {"by"})
                return _cut(tokens, start, at + len(phrase)), replace(loose, angle=sign * angle)
    return tokens, loose


def _turned(loose: Loose, sign: float, degrees: float) -> Loose:
    return replace(loose, angle=sign * degrees, minus=degrees < 0)


_AXES = {
    ("horizontally",): "horizontal", ("vertically",): "vertical", ("upside", "down"): "vertical",
    ("left", "to", "right"): "horizontal", ("right", "to", "left"): "horizontal",
    ("top", "to", "bottom"): "vertical", ("sideways",): "horizontal", ("horizontal",): "horizontal",
    ("vertical",): "vertical", ("left", "and", "right"): "horizontal",
    ("left", "right"): "horizontal",
    ("up", "and", "down"): "vertical", ("over",): "", ("around",): "",
    ("bottom", "to", "top"): "vertical",
    ("left", "for", "right"): "horizontal", ("upsidedown",): "vertical",
}  # fmt: skip


def _axis(tokens: Tokens, loose: Loose) -> Taken:
    words = _words(tokens)
    for phrase, axis in _AXES.items():
        for at in range(1, len(words)):
            stop = at + len(phrase)
            if tuple(words[at:stop]) != phrase:
                continue
            about = words[stop : stop + 1] == ["axis"]
            start = max(1, _back(tokens, at, lexicon().sets["around_axis"]))
            while stop < len(words) and words[stop] in {"axis", "direction", "flipped"}:
                stop += 1
            # Mirroring about the vertical axis swaps left and right.
            named = (
                {"horizontal": "vertical", "vertical": "horizontal"}[axis]
                if about and axis
                else axis
            )
            return _cut(tokens, start, stop), replace(loose, axis=named or loose.axis)
    for at, token in enumerate(tokens):
        if at and token.kind == "toward" and token.value in {"left", "right"}:
            return _cut(tokens, at, at + 1), replace(loose, axis="horizontal")
    return tokens, loose


_SIDE_WORDS = {
    "left": ("left",), "right": ("right",), "top": ("top",), "bottom": ("bottom",), "up": ("top",),
    "down": ("bottom",), "upwards": ("top",), "downwards": ("bottom",), "upward": ("top",),
    "downward": ("bottom",), "leftwards": ("left",), "rightwards": ("right",), "above": ("top",),
    "below": ("bottom",), "horizontally": ("left", "right"), "vertically": ("top", "bottom"),
    "sideways": ("left", "right"), "outwards": ("left", "right", "top", "bottom"),
    "wider": ("left", "right"), "taller": ("top", "bottom"),
    "everywhere": ("left", "right", "top", "bottom"),
    "outward": ("left", "right", "top", "bottom"), "leftward": ("left",), "rightward": ("right",),
}  # fmt: skip


def _sides(tokens: Tokens, loose: Loose) -> Taken:
    named: list[tuple[str, tuple[str, ...]]] = []
    kept: list[Token] = []
    for at, token in enumerate(tokens):
        sides = _side_of(token) if at else ()
        if not sides:
            if token.word != "of" or at == 0 or not _side_of(tokens[at - 1]):
                kept.append(token)  # "the top of the picture": of it
            continue
        named.append((token.word, sides))
        while (
            kept
            and kept[-1].word in {"and", "to", "the", "on", "at", ",", "both", "by"}
            and len(kept) > 1
        ):
            kept.pop()
    while kept and kept[-1].word in {
        "side",
        "sides",
        "edge",
        "of",
        "direction",
        "directions",
        "edges",
    }:
        kept.pop()
    exact = [sides for word, sides in named if word not in {"wider", "taller"}]
    found = [side for sides in exact or [sides for _, sides in named] for side in sides]
    if not found:
        return tokens, loose
    if kept[-1].word in {"the", "to", "on", "at"}:
        kept.pop()
    return tuple(kept), replace(loose, sides=tuple(found))


def _side_of(token: Token) -> tuple[str, ...]:
    if token.kind == "sides":
        return tuple(token.value.split())
    if token.kind in {"toward", "region", "origin"}:
        return {
            "left": ("left",), "right": ("right",), "top": ("top",), "bottom": ("bottom",),
        }.get(token.value, ())  # fmt: skip
    return _SIDE_WORDS.get(token.word, ())


def _times(tokens: Tokens, loose: Loose) -> Taken:
    words = _words(tokens)
    for at in range(1, len(words)):
        number = _number_at(tokens, at)
        if number is not None and words[at + 1 : at + 2] in (["times"], ["time"], ["x"]):
            return _cut(tokens, at, at + 2), replace(loose, times=max(1, int(number)))
        if words[at] in {"once", "twice", "thrice"}:
            times = {"once": 1, "twice": 2, "thrice": 3}[words[at]]
            return _cut(tokens, at, at + 1), replace(loose, times=times)
    return tokens, loose


TAKERS: dict[str, Callable[[Tokens, Loose], Taken]] = {
    "amount": _amount,
    "direction": _direction,
    "factor": _factor,
    "angle": _angle,
    "axis": _axis,
    "sides": _sides,
    "times": _times,
}
