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
_MAKING = {"make", "turn", "change", "get", "let", "have", "keep", "set", "render", "leave"}
_NEW = {"a", "an", "some"}


def wanted(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`more room on the left`, `50 px more sky at the top`, `another copy of the cup`."""
    if words[0] == "another":
        yield (_MAKE, *tokens)
    same = 2 if words[:2] == ["the", "same"] else int(words[0] == "same")
    joint = next((at for at in range(same + 1, len(words) - 1) if words[at] == "in"), 0)
    if same and joint:  # "same bottle but in green"
        thing = tokens[same : joint - (words[joint - 1] in {"but", "only", "just"})]
        yield (_MAKE, *spelt("the"), *thing, *tokens[joint + 1 :])
    room = set(words[1:5]) & lexicon().sets["room_words"]
    measured = tokens[0].kind == "number" and words[1:2] in (["px"], ["pixels"], ["percent"])
    if measured or (room and words[0] in {"more", "extra", "some", "a", "bit"}):
        yield (Token("add", "add"), *tokens)


_BEYOND = {"above": "top", "over": "top", "below": "bottom", "under": "bottom"}
_SIDES = {"left_of": "left", "right_of": "right", **_BEYOND}


def room_beyond(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`more space above her head`: more of the picture on that side."""
    rooms = lexicon().sets["room_words"]
    at = next((at for at, word in enumerate(words[1:7], 1) if word in rooms), 0)
    if not at or not {"more", "extra", "additional"} & set(words[:at]):
        return
    for token in tokens[at + 1 : at + 2]:
        side = _SIDES.get(token.value if token.kind == "relation" else token.word)
        if side is not None and tokens[at + 2 :]:
            yield (*spelt("add more space"), Token(side, token.raw, "region", side))


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
    yield from _comparative_first(tokens, words)
    lex = lexicon()
    stop = 0 if words[0] in _MAKING else min(len(words), 6)
    for at in range(1, stop):
        if lex.filters.whole(words[at:]) is not None or colors.comparative(words[-1]):
            yield (_MAKE, *tokens)
            break
    if words[:1] in (["as"], ["like"]) and words[1:2] in (["a"], ["an"]) and len(words) <= 6:
        yield (_MAKE, Token("the", ""), Token("picture", ""), Token("into", ""), *tokens[1:])
    yield from _colored(tokens, words)
    picture = (Token("the", ""), Token("picture", ""))
    verb = len(tokens) == 1 and words[0] in grammar().by_first
    if lex.filters.whole(words) is not None and not verb:  # "black and white"
        yield (_MAKE, *picture, *tokens)
    yield from _more_or_less(tokens, words)
    if tokens[-1].kind in {"region", "toward"} and lex.filters.whole(words[:-1]) is not None:
        yield (_MAKE, *tokens)  # "darker at the top"
    if len(tokens) <= 8 and words[0] not in grammar().by_first and _is_overall(words):
        yield (_MAKE, *picture, *tokens)


def _comparative_first(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`brighter sky`, `more vivid colors`."""
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


def _is_overall(words: list[str]) -> bool:
    """`winter`, `in the style of monet`, `anime style`: the picture altogether."""
    return (
        lexicon().scenes.whole(words) is not None
        or words[:4] == ["in", "the", "style", "of"]
        or words[-1] in {"style", "filter", "effect", "version", "look"}
    )


def _more_or_less(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`exposure +20%`, `saturation down a bit`, `more dramatic sky`, `higher resolution`."""
    lex = lexicon()
    named = lex.quantities.at(words, 0) or lex.said["unsupported"]["quantities"].at(words, 0)
    rest = tokens[named[1] :] if named is not None else ()
    if rest and rest[0].kind == "number" and rest[0].raw[:1] in {"+", "-", "–", "−"}:
        percent = () if words[-1] == "percent" else spelt("percent")
        yield (*spelt("increase the"), *tokens[: -len(rest)], *spelt("by"), *rest, *percent)
    if rest and rest[0].word in {"up", "down"}:
        verb = "increase the" if rest[0].word == "up" else "reduce the"
        yield (*spelt(verb), *tokens[: -len(rest)], *rest[1:])
    if words[0] in {"higher", "more", "better"} and words[1:] in (["resolution"], ["res"]):
        yield spelt("increase the resolution")
    if words[0] == "more" and len(words) <= 4 and singular(words[-1])[1] and named is None:
        yield (Token("add", "add"), *tokens)  # "more flowers"
    more = words[0] in {"more", "less"} and 2 < len(words) <= 4
    if more and is_adjective(words[1]) and not singular(words[-1])[1]:
        yield (_MAKE, *spelt("the"), *tokens[2:], *tokens[:2])


def spelt(words: str) -> Tokens:
    """Plain words as tokens."""
    return tuple(Token(word, word) for word in words.split())


def backdrop(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`plain white background`, `a beach background`, `put the bag on a white background`."""
    if words[-1] not in {"background", "backdrop"} or len(words) < 2:
        return
    stop = len(words) - 1
    start = next((at for at in range(stop, 0, -1) if words[at - 1] in _NEW | _BEFORE), 0)
    if start and words[start - 1] in _NEW:
        start -= 1
    if start and not _is_put(tokens[:start]):
        return
    keeps = lexicon().said["keep"]["verbs"].at(words, 0)
    body = tokens[start:stop]
    colored = colors.is_color(" ".join(token.word for token in body))  # "light gray background"
    if keeps or (start == 0 and words[0] in grammar().by_first and not colored):
        return
    body = body[body[0].word in _NEW :] if body else body
    if not 0 < len(body) <= 5 or any(token.kind != "word" for token in body):
        return
    said = [token.word for token in body]
    if set(said) & {"the", "this", "that"}:
        return
    background = spelt("the background")
    if all(is_adjective(word) for word in said):
        yield (_MAKE, *background, *body)
    elif is_picture_noun(said[-1]):
        a = () if singular(said[-1])[1] else spelt("a")
        yield (_MAKE, *background, *a, *body)


_BEFORE = {"on", "against", "onto", "with", "to", "have", "in front of", "over"}
_PUTTING = {
    "put", "place", "set", "show", "have", "want", "get", "give", "make", "change", "see", "save",
    "need", "export", "turn",
}  # fmt: skip


def _is_put(tokens: Tokens) -> bool:
    """Whether something that is there already is put before a new background.

    "put the bag on", "give it", "picture with"; "add a dog on" brings something in.
    """
    words = words_of(tokens)
    while words and words[-1] in _BEFORE:
        words = words[:-1]
    wish = lexicon().said["wishes"]["words"].at(words, 0)
    opens = wish[1] if wish is not None else int(words[:1] != [] and words[0] in _PUTTING)
    named = words[opens:]
    if not named:
        return bool(opens)
    pictures = lexicon().groups["image"].whole([w for w in named if w not in _DEFINITE]) is not None
    known = named[0] in _DEFINITE - {"a"} or named in (["it"], ["them"], ["me"], ["us"])
    return pictures or (opens > 0 and known)


_DEFINITE = {"the", "this", "that", "my", "her", "his", "our", "these", "those", "a"}


def _colored(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`walls white`, `both eyes light green`: a thing and, last, its plain colour."""
    if words[0] == "background" and colors.is_color(" ".join(words[1:])):
        yield (_MAKE, *tokens)
    plain = words[-1] in colors.EXAMPLES or words[-1] in {"gray", "beige", "navy", "turquoise"}
    if not plain or not 1 < len(words) <= 8 or words[0] in grammar().by_first:
        return
    start = len(words) - 1
    while start and colors.is_color(" ".join(words[start - 1 :])):
        start -= 1
    things = [token for token in tokens[:start] if token.kind == "word"]
    if things and is_picture_noun(things[-1].word) and not colors.is_color(things[-1].word):
        yield (_MAKE, *tokens)
