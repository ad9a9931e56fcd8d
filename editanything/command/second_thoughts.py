"""Changes of mind: "make it red, no wait, blue", "crop him out... or just erase him"."""

from __future__ import annotations

from editanything.command.asides import words_of
from editanything.command.clause import Operations
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.splitting import starts_clause
from editanything.command.tokens import Token

_PAUSES = {"comma", "stop", "dash"}


def second_thought(tokens: Tokens) -> tuple[Tokens, Tokens, bool] | None:
    """What was said first, what is said instead, and whether the words for it leave no doubt.

    None if nobody changes their mind. The last change of mind counts: what comes before it may
    hold another one.
    """
    words, said = words_of(tokens), lexicon().said["second_thoughts"]
    for at in range(len(tokens) - 1, 1, -1):
        if tokens[at - 1].kind not in _PAUSES and words[at] not in {"or", "no", "nope"}:
            continue
        for kind in ("sure", "maybe"):
            found = said[kind].at(words, at)
            if found is None or (words[at] in {"no", "or"} and not _is_break(tokens, at, found[1])):
                continue
            first, later = _unmarked(tokens[:at]), _bare(tokens[found[1] :])
            if first and later:
                plain = kind == "sure" or _corrects(words[at : found[1]], later)
                return first, later, plain
    return None


def _corrects(words: list[str], later: Tokens) -> bool:
    """Whether a thing alone after "actually", "sorry" is named in place of the last one.

    "delete the cat, sorry, the dog"; with "too" or "and" it comes on top.
    """
    said = set(words_of(later))
    adds = said & {"too", "also", "well", "and", "plus", "both", "either"}
    opens = later[0].word in _ARTICLES
    return bool(_MISTAKEN & set(words)) and opens and not adds and not starts_clause(later)


_MISTAKEN = {"actually", "sorry", "rather"}
_ARTICLES = {"the", "that", "this", "his", "her", "its", "those", "these"}


def _is_break(tokens: Tokens, at: int, stop: int) -> bool:
    """Whether "no" takes something back ("no, the cat") rather than wants none ("no hat")."""
    paused = stop < len(tokens) and tokens[stop].kind in _PAUSES
    return stop - at > 1 or paused


def _unmarked(tokens: Tokens) -> Tokens:
    """`tokens` without a pause or another such word at their end: ". actually, make that green"."""
    said, tokens = lexicon().said["second_thoughts"], _bare(tokens)
    for kind in ("sure", "maybe"):
        start = said[kind].ends(words_of(tokens))
        if start and tokens[start - 1].kind in _PAUSES:
            return _bare(tokens[:start])
    return tokens


def _bare(tokens: Tokens) -> Tokens:
    while tokens and tokens[0].kind in _PAUSES:
        tokens = tokens[1:]
    while tokens and tokens[-1].kind in _PAUSES:
        tokens = tokens[:-1]
    return tokens


def joined(first: Tokens, later: Tokens) -> tuple[Tokens, Tokens]:
    """Both as one sentence ("make it red, blue"), and as two."""
    return (*first, Token(",", ",", "comma"), *later), (*first, Token(".", ".", "stop"), *later)


def instead(before: Operations, both: Operations, sure: bool) -> Operations | None:
    """The operations without the one that was taken back; None if none was.

    Words such as "actually" take back only what is then said anew of the same thing.
    """
    count = len(before)
    if not count or len(both) <= count or both[: count - 1] != before[: count - 1]:
        return None
    if not sure and both[count].target != before[-1].target:
        return None
    return (*before[:-1], *both[count:])
