"""What a thing shall look like, said as a sentence: "make him look like he is holding a cup".

Only rows of words change here; whether a reading means anything is for the constructions to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from editanything.command import english
from editanything.command.asides import words_of
from editanything.command.heads import Tokens
from editanything.command.tokens import Token

_MAKING = {"make", "have", "let", "get"}
_LIKE = (["look", "like"], ["look", "as", "if"], ["look", "as", "though"], ["seem", "like"],
         ["appear", "like"], ["so", "it", "looks", "like"])  # fmt: skip
_WHO = {"it", "its", "he", "she", "they", "his", "her", "their"}
_IS = {"is", "are", "was", "were", "'s"}
_HAS = {"has", "have", "had", "got"}


def seeming(tokens: Tokens) -> Iterator[Tokens]:
    """The readings of `make X look like it is (has) Y`: X holds, wears, is or has Y."""
    words = words_of(tokens)
    if words[0] not in _MAKING:
        return
    for at in range(2, len(words) - 3):
        like = next((said for said in _LIKE if words[at : at + len(said)] == said), None)
        if like is None or words[1:at] == ["it"]:
            continue  # "make it look like it is raining" is the weather
        start = at + len(like)
        if words[start] not in _WHO:
            return
        start += 1
        if words[start] in _IS or words[start - 1] == "its":
            yield from _being(tokens, at, start + (words[start] in _IS))
        elif words[start] in _HAS:
            yield (Token("give", "give"), *tokens[1:at], *tokens[start + 1 :])
        return


def _being(tokens: Tokens, at: int, start: int) -> Iterator[Tokens]:
    said = tokens[start:]
    if not said:
        return
    base = english.verb_base(said[0].word) if said[0].word.endswith("ing") else None
    if base is not None:
        yield (*tokens[:at], Token(base, said[0].raw), *said[1:])
    if said[0].word not in {"made", "built"}:
        yield (*tokens[: at + 1], *said)


def tells(words: list[str]) -> bool:
    """Whether words are a sentence of their own, no look: "they are at the beach"."""
    return (
        len(words) > 1
        and words[0] in _WHO | {"there", "we", "i", "you", "somebody"}
        and (words[1] in _IS | _HAS or words[0] in {"they", "we", "i", "you", "there"})
    )
