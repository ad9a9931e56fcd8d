"""Commands without a verb: "sky -> purple", "bg blur", "white background", "walls white".

Only rows of words change here; whether a reading means anything is for the constructions to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from editanything import colors
from editanything.command.asides import words_of
from editanything.command.attributes import color_value, value_text
from editanything.command.constructions import grammar, verb_length
from editanything.command.heads import Tokens, is_adjective
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_picture_noun, singular
from editanything.command.tokens import Token

_MAKE = Token("make", "make")
_NEW = {"a", "an", "some"}


def wanted(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`more room on the left`, `50 px more sky at the top`, `another copy of the cup`."""
    if words[0] == "another":
        yield (_MAKE, *tokens)
    room = set(words[1:5]) & lexicon().sets["room_words"]
    measured = tokens[0].kind == "number" and words[1:2] in (["px"], ["pixels"], ["percent"])
    if measured or (room and words[0] in {"more", "extra", "some", "a", "bit"}):
        yield (Token("add", "add"), *tokens)


def arrow(tokens: Tokens) -> Iterator[Tokens]:
    """`sky -> purple`, `car: red`, `face: blur`."""
    for at, token in enumerate(tokens):
        if token.kind == "arrow" and 0 < at < len(tokens) - 1:
            left, right = tokens[:at], tokens[at + 1 :]
            if right[0].word in grammar().by_first and len(right) <= 2:
                yield (*right[:1], *left, *right[1:])
            yield (_MAKE, *left, *right)
            yield (Token("replace", ""), *left, Token("with", ""), *right)
            if left[0].word in grammar().by_first:
                yield (*left, *right)
            yield right


def on_selection(tokens: Tokens) -> Iterator[Tokens]:
    """A verb without its thing means the selection."""
    words = words_of(tokens)
    longest = verb_length(words)
    it = Token("it", "it")
    if longest:
        yield (*tokens[:longest], it, *tokens[longest:])
    elif words[0] in grammar().by_first:
        yield (tokens[0], it, *tokens[1:])
    new = words[0] in _NEW and len(words) > 1
    if new and color_value(value_text(tokens)) is None:  # "a stone path leading to a cottage"
        yield (Token("replace", "replace"), it, Token("with", "with"), *tokens)
    vague = lexicon().said["vague"]["verbs"].at(words, 0)
    if not longest and words[0] not in grammar().by_first and vague is None:
        yield (_MAKE, it, *tokens)


def telegram(tokens: Tokens) -> Iterator[Tokens]:
    """`bg blur`, `brighter`, `more saturated`, `winter`, `anime style`."""
    words = words_of(tokens)
    if (
        1 < len(tokens) <= 6
        and words[0] not in grammar().by_first
        and words[-1] in grammar().by_first
        and words[-1] not in {"is", "light", "up"}
    ):
        yield (tokens[-1], *tokens[:-1])
    lex = lexicon()
    for stop in (1, 2):
        looks = lex.filters.whole(words[:stop]) or lex.sizes.whole(words[:stop])
        comparative = colors.comparative(words[0]) if stop == 1 else None
        if (
            stop < len(words) <= 6
            and words[0].endswith("er") + (words[0] in {"more", "less"})
            and (looks or comparative)
        ):
            yield (_MAKE, *tokens[stop:], *tokens[:stop])
    for at in range(1, min(len(words), 6)):
        if lex.filters.whole(words[at:]) is not None or colors.comparative(words[-1]):
            yield (_MAKE, *tokens)
            break
    if words[:1] in (["as"], ["like"]) and words[1:2] in (["a"], ["an"]) and len(words) <= 6:
        yield (_MAKE, Token("the", ""), Token("picture", ""), Token("into", ""), *tokens[1:])
    yield from _backdrop(tokens, words)
    yield from _colored(tokens, words)
    if len(tokens) <= 8 and words[0] not in grammar().by_first:
        picture = (Token("the", ""), Token("picture", ""))
        if lex.filters.whole(words) is not None:
            yield (_MAKE, *picture, *tokens)
        if (
            lex.scenes.whole(words) is not None
            or words[:4] == ["in", "the", "style", "of"]
            or words[-1] in {"style", "filter", "effect", "version", "look"}
        ):
            yield (_MAKE, *picture, *tokens)


def spelt(words: str) -> Tokens:
    """Plain words as tokens."""
    return tuple(Token(word, word) for word in words.split())


def _backdrop(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`plain white background`, `blurry background`, `a beach background`."""
    named = words[-1] in {"background", "backdrop"} and 1 < len(words) <= 6
    article = words[0] in _NEW
    body = tokens[1:-1] if article else tokens[:-1]
    keeps = lexicon().said["keep"]["verbs"].at(words, 0)
    colored = colors.is_color(" ".join(token.word for token in body))  # "light gray background"
    if not named or not body or keeps or (words[0] in grammar().by_first and not colored):
        return
    if any(token.kind != "word" or token.word in {"the", "this", "that"} for token in body):
        return
    said = [token.word for token in body]
    background = spelt("the background")
    if all(is_adjective(word) for word in said):
        yield (_MAKE, *background, *body)
    elif is_picture_noun(said[-1]):
        a = () if singular(said[-1])[1] else spelt("a")
        yield (_MAKE, *background, *a, *body)


def _colored(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`walls white`, `both eyes light green`: a thing and, last, its plain colour."""
    plain = words[-1] in colors.EXAMPLES or words[-1] in {"gray", "beige", "navy", "turquoise"}
    if not plain or not 1 < len(words) <= 8 or words[0] in grammar().by_first:
        return
    start = len(words) - 1
    while start and colors.is_color(" ".join(words[start - 1 :])):
        start -= 1
    things = [token for token in tokens[:start] if token.kind == "word"]
    if things and is_picture_noun(things[-1].word) and not colors.is_color(things[-1].word):
        yield (_MAKE, *tokens)
