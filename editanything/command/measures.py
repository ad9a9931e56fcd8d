"""Amounts said in words or signs: "minus 45", "rotate it - 45", "half as bright".

Only rows of words change here, before places are joined and before any sentence is read.
"""

from __future__ import annotations

from dataclasses import replace

from editanything.command.constructions import grammar
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.tokens import Token

_UNITS = {"degrees", "degree", "deg", "percent", "px", "pixels", "pixel", "pct", "times", "x"}
_ANGLES = {"degrees", "degree", "deg"}
_NEGATIVE = {"minus", "negative"}
_JOINTS = {"and", "then", "but"}
_WAYS = {
    "clockwise", "counterclockwise", "anticlockwise", "counter", "anti", "left", "right", "to",
}  # fmt: skip
_TIMES = {"twice": 2.0, "thrice": 3.0}
_AS_BEFORE = (["as", "before"], ["as", "now"], ["as", "it", "is"], ["as", "it", "was"])


def measured(tokens: Tokens) -> Tokens:
    """`tokens` with signs and multiples as plain numbers."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        found = _signed(tokens, at, out) or _multiple(tokens, at) or _ratio(tokens, at)
        if found is None:
            out.append(tokens[at])
            at += 1
        else:
            plain, at = found
            out.extend(plain)
    return tuple(out)


def _ratio(tokens: Tokens, at: int) -> tuple[Tokens, int] | None:
    """`crop 16x9`, `crop it to four by five`: a shape of the frame."""
    words = [token.word for token in tokens]
    first, second = (tokens[n].number if n < len(tokens) else None for n in (at, at + 2))
    if first is None or second is None or words[at + 1] not in {"x", "by", "×"}:
        return None
    shaped = {"crop", "trim", "reframe"} & set(words[:at]) or {"crop", "ratio"} & set(
        words[at + 3 :]
    )
    whole = all(number == int(number) and 1 <= number <= 32 for number in (first, second))
    measured = words[at + 3 : at + 4] and words[at + 3] in _UNITS | {
        "times",
        "cm",
        "inches",
        "inch",
    }
    if not shaped or not whole or measured:
        return None
    word = f"{first:g}:{second:g}"
    return (Token(word, word, "ratio"),), at + 3


def _signed(tokens: Tokens, at: int, before: list[Token]) -> tuple[Tokens, int] | None:
    """`minus 45 degrees`; `- 45` where nothing but a sign can be meant."""
    token, number = tokens[at], tokens[at + 1 : at + 2]
    said = token.word in _NEGATIVE and token.kind == "word"
    dash = token.kind == "dash" and len(token.raw) == 1 and token.raw != "—"
    if not number or (number[0].number or 0.0) <= 0 or not (said or dash):
        return None
    if before and before[-1].kind == "number":
        return None  # "2 - 3 dogs"
    after = tokens[at + 2] if at + 2 < len(tokens) else None
    unit = after.word if after is not None and after.word in _UNITS else ""
    ends = after is None or after.kind in {"comma", "stop"} or after.word in _JOINTS
    if not unit and not ends:
        return None
    if said and {token.word for token in before[-6:]} & lexicon().sets["group_words"]:
        return None  # "everybody minus 2"
    number_token = number[0]
    raw = f"{token.raw} {number_token.raw}"
    if dash and not _turns(tokens, at, unit):
        # A dash may be a minus sign here, or only a pause: a word that nothing takes asks back.
        return (Token(f"- {number_token.word}", raw, "doubt"),), at + 2
    negative = -(number_token.number or 0.0)
    return (Token(f"-{number_token.word}", raw, "number", str(negative)),), at + 2


def _turns(tokens: Tokens, at: int, unit: str) -> bool:
    """Whether the clause turns a thing by the number here, and says no other way to turn it."""
    start = max((n + 1 for n in range(at) if tokens[n].kind in {"stop", "comma"}), default=0)
    stops = (n for n in range(at + 1, len(tokens)) if tokens[n].kind in {"stop", "comma"})
    stop = next(stops, len(tokens))
    words = [token.word for token in tokens[start:stop]]
    stop = next((n for n in range(at - start, len(words)) if words[n] in _JOINTS), len(words))
    verbs = grammar().verbs["rotate"] | grammar().verbs["straighten"]
    return (
        bool(verbs & set(words[: at - start]))
        and (not unit or unit in _ANGLES)
        and not _WAYS & set(words[:stop])
    )


def _multiple(tokens: Tokens, at: int) -> tuple[Tokens, int] | None:
    """`half as bright` is 50 percent less bright, `twice as sharp` 100 percent more sharp."""
    words = [token.word for token in tokens[at : at + 8]]
    number = tokens[at].number
    factor, skip = _TIMES.get(words[0], 0.0), 1
    if words[:2] == ["half", "as"]:
        percent, way, skip = 50.0, "less", 2
    elif factor and words[1:2] == ["as"]:
        percent, way, skip = 100 * (factor - 1), "more", 2
    elif number is not None and number > 1 and words[1:3] == ["times", "as"]:
        percent, way, skip = 100 * (number - 1), "more", 3
    else:
        return None
    for stop in (skip + 2, skip + 1):
        look = words[skip:stop]
        if len(look) == stop - skip and lexicon().filters.whole([way, *look]) is not None:
            tail = next((len(t) for t in _AS_BEFORE if words[stop : stop + len(t)] == t), 0)
            said = tokens[at + skip : at + stop]
            share = round(percent, 1)
            plain = (
                replace(tokens[at], word=f"{share:g}", kind="number", value=str(share)),
                Token("percent", ""),
                Token(way, ""),
                *said,
            )
            return plain, at + stop + tail
    return None
