"""Deeds said as nouns: "slight blur on the background", "quick crop to the face".

Only rows of words change here; whether a reading means anything is for the constructions to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from editanything.command.asides import words_of
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.tokens import Token

_ABOUT = {"of", "on", "for", "to", "onto", "over", "in", "across", "from"}
_NEW = {"a", "an", "some", "another", "maybe", "perhaps"}
_LAYING = {"put", "place", "lay", "slap", "stick", "draw", "use"}
_PICTURE = (Token("the", "the"), Token("picture", "picture"))


def nominal(tokens: Tokens) -> Iterator[Tokens]:
    """The readings of a deed that is said as a noun."""
    words, sets = words_of(tokens), lexicon().sets
    effect = bool(sets["deeds_as_effects"].intersection(words[2:3]))
    if effect and words[0] in _LAYING and words[1] in {"a", "some"}:
        yield (Token("add", "add"), *tokens[1:])  # "put a mosaic over the face"
    if words[0] == "give":
        yield from _given(tokens, words)
        return
    at = 1 if words[0] in {"a", "an"} and len(words) > 1 else 0
    first = at
    while at < len(words) - 1 and (
        words[at] in sets["deed_degrees"]
        or tokens[at].kind == "number"
        or words[at] in {"degree", "degrees"}
    ):
        at += 1
    deed, before, rest = words[at], tokens[first:at], tokens[at + 1 :]
    laid = deed in sets["deeds_as_effects"] and words[at + 1 : at + 2] in (["over"], ["on"])
    if at == first and deed not in sets["deeds_only"] and not laid:
        return
    if deed in sets["deeds_as_effects"]:
        yield from _effect(tokens[first:], rest)
    verb = lexicon().deeds.whole([deed])
    if verb is None:
        return
    named = Token(verb, tokens[at].raw)
    if verb == "crop" and rest:
        yield (named, *rest)
        return
    way = tuple(token for token in before if token.word not in sets["deed_manners"])
    about = next((n for n, token in enumerate(rest) if token.word in {"of", "for", "to", "on"}), -1)
    if about >= 0 and about + 1 < len(rest):
        yield (named, *rest[about + 1 :], *rest[:about], *way)
    else:
        yield (named, *_PICTURE, *rest, *way)


def _given(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`give the knife a half turn`, `give the photo a horizontal flip`."""
    for at in range(3, len(words)):
        verb = lexicon().deeds.whole([words[at]])
        start = next((n for n in range(at - 1, 1, -1) if words[n] in {"a", "an"}), 0)
        between = tokens[start + 1 : at]
        if verb not in {"rotate", "flip"} or not start:
            continue
        if all(_is_degree(token) for token in between):
            if verb == "rotate":
                yield (Token(verb, tokens[at].raw), *tokens[1:])
            yield (Token(verb, tokens[at].raw), *tokens[1:start], *between, *tokens[at + 1 :])


def _is_degree(token: Token) -> bool:
    degrees = lexicon().sets["deed_degrees"] | {"degree", "degrees"}
    return token.kind == "number" or token.word in degrees


def _effect(tokens: Tokens, rest: Tokens) -> Iterator[Tokens]:
    """`slight blur on the crowd`: apply it to the crowd."""
    apply = Token("apply", "apply")
    stop = len(tokens) - len(rest)
    if len(rest) == 1 and rest[0].kind in {"region", "toward"}:
        part = rest[0].value if rest[0].value == "background" else f"{rest[0].value} half"
        place = (Token(word, word) for word in f"to the {part}".split())
        yield (apply, *tokens[:stop], *place)
    elif rest and rest[0].word in _ABOUT:
        yield (apply, *tokens[:stop], Token("to", "to"), *rest[1:])
    else:
        yield (apply, *tokens)


def welcomed(tokens: Tokens) -> Iterator[Tokens]:
    """`a rug under the table would be nice`: add it; `removing the bin would be great`."""
    words = words_of(tokens)
    start = lexicon().said["wishes"]["welcome"].ends(words)
    if not start:
        return
    head = tokens[:start]
    while len(head) > 1 and head[0].word in {"maybe", "perhaps"}:
        head = head[1:]
    if head[0].word in _NEW or head[0].kind == "number":
        yield (Token("add", "add"), *head)
    elif head[0].word.endswith("ing"):
        yield head
