"""Commands without a verb: "sky -> purple", "bg blur", "white background", "walls white".

Only rows of words change here; whether a reading means anything is for the constructions to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from editanything import colors
from editanything.command.asides import words_of
from editanything.command.attributes import color_value, is_style, value_text
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
    if words[0] in {"extra", "additional"} and len(words) > 1:
        yield (Token("add", "add"), *tokens)
    same = 2 if words[:2] == ["the", "same"] else int(words[0] == "same")
    joint = next((at for at in range(same + 1, len(words) - 1) if words[at] == "in"), 0)
    if same and joint:  # "same bottle but in green"
        thing = tokens[same : joint - (words[joint - 1] in {"but", "only", "just"})]
        yield (_MAKE, *spelt("the"), *thing, *tokens[joint + 1 :])
    room = set(words[1:5]) & lexicon().sets["room_words"]
    measured = tokens[0].kind == "number" and words[1:2] in (["px"], ["pixels"], ["percent"])
    if measured or (room and words[0] in {"more", "extra", "some", "a", "bit"}):
        yield (Token("add", "add"), *tokens)


def portrait_mode(words: list[str]) -> Iterator[Tokens]:
    """`portrait mode`, `add some depth of field`, `give it a bokeh effect`: blur what is behind."""
    start = 0
    if words[0] == "the":
        return  # "the blurred background" asks for nothing
    while start < len(words) - 1 and words[start] in _APPLYING:
        start += 1
    said = " ".join(words[start:])
    if said in lexicon().sets["portrait_modes"] and not (start == 0 and said == "bokeh"):
        yield spelt("blur the background")


_APPLYING = {
    "add", "use", "apply", "give", "turn", "on", "make", "it", "a", "an", "some", "more", "me",
    "the", "do", "put", "in", "this", "picture", "photo", "with", "to", "nice",
}  # fmt: skip
_AIM = ["so", "there", "is"]
_BEYOND = {"above": "top", "over": "top", "below": "bottom", "under": "bottom"}
_SIDES = {"left_of": "left", "right_of": "right", **_BEYOND}


def room_beyond(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`more space above her head`: more of the picture on that side."""
    aim = next((at for at in range(2, len(words) - 3) if words[at : at + 3] == _AIM), 0)
    room = lexicon().sets["room_words"] & set(words[aim + 3 :])
    if (
        aim and room and "more" in words[aim + 3 : aim + 5]
    ):  # "extend it so there is more room above"
        yield from room_beyond(tokens[aim + 3 :], words[aim + 3 :])
        yield (Token("add", "add"), *tokens[aim + 3 :])
        return
    rooms = lexicon().sets["room_words"]
    at = next((at for at, word in enumerate(words[1:7], 1) if word in rooms), 0)
    if not at or not {"more", "extra", "additional", "add", "leave", "some"} & set(words[:at]):
        return
    for token in tokens[at + 1 : at + 2]:
        if token.word in {"around", "all around"} and tokens[at + 2 :] and words[at] != "border":
            around = Token("on all sides", token.raw, "sides", "left right top bottom")
            yield (*spelt("add more space"), around)
        side = _SIDES.get(token.value if token.kind == "relation" else token.word)
        if side is not None and tokens[at + 2 :]:
            yield (*spelt("add more space"), Token(side, token.raw, "region", side))


def terse(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """The short orders of those who do this all day."""
    yield from _into_color(tokens, words)
    yield from _revived(words)
    switched = words[-1] in {"on", "off"} and 1 < len(words) <= 4
    if switched and words[0] not in grammar().by_first and is_picture_noun(words[-2]):
        yield (Token("turn", ""), tokens[-1], *tokens[:-1])  # "lights on"
    yield from _signed(tokens, words)
    yield from _canvas(tokens, words)
    yield from _version(tokens, words)


def _canvas(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`canvas +200 px right`, `canvas 10% bigger on all sides`: extend it."""
    measured = any(token.kind == "number" for token in tokens[1:3])
    if words[0] == "canvas" and measured:
        rest = tuple(t for t in tokens[1:] if t.word not in {"bigger", "larger", "wider", "and"})
        yield (*spelt("extend the canvas by"), *rest)


def _version(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`twilight version of this house`, `an anime version of my dog`."""
    at = next((at for at in range(1, len(words) - 2) if words[at : at + 2] == _VERSION), 0)
    look = tokens[words[0] in _NEW : at]
    if not at or not look or words[0] in grammar().by_first:
        return
    if lexicon().scenes.whole(words_of(look)) is not None:
        yield (_MAKE, *spelt("the picture"), *look)
    elif is_style(" ".join(words_of(look))):
        yield (_MAKE, *tokens[at + 2 :], *spelt("look like"), *look)


_VERSION = ["version", "of"]


def _signed(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`sharpen the eyes +15`, `brighten face -10`: by so many percent."""
    amount = tokens[-1]
    verbs = grammar().verbs
    if amount.kind != "number" or amount.raw[:1] not in _SIGNS or len(tokens) < 3:
        return
    verb = " ".join(words[: verb_length(words)])
    if verb in verbs["filter"] - verbs["blur"] - verbs["pixelate"]:  # a radius is no percentage
        yield (*tokens[:-1], *spelt("by"), amount, *spelt("percent"))


_SIGNS = {"+", "-", "–", "−"}


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


def color_cast(words: list[str]) -> Iterator[Tokens]:
    """`less yellow`, `a bit more blue`, `too much red`: the cast of the whole picture."""
    start = next((at for at, word in enumerate(words[:4]) if word in {"more", "less", "much"}), -1)
    little = set(words[: max(start, 0)]) <= {"a", "bit", "little", "slightly", "too", "so", "lot"}
    if start >= 0 and little and colors.is_color(" ".join(words[start + 1 :])):
        yield spelt("reduce the color cast")


def _more_or_less(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`exposure +20%`, `saturation down a bit`, `more dramatic sky`, `higher resolution`."""
    lex = lexicon()
    named = lex.quantities.at(words, 0) or lex.said["unsupported"]["quantities"].at(words, 0)
    rest = tokens[named[1] :] if named is not None else ()
    if rest and rest[0].kind == "number" and rest[0].raw[:1] in _SIGNS:
        yield (*spelt("increase the"), *_shared(tokens[: -len(rest)], rest))
    if rest and rest[0].word in {"up", "down"}:
        verb = "increase the" if rest[0].word == "up" else "reduce the"
        yield (*spelt(verb), *_shared(tokens[: -len(rest)], rest[1:]))
    if words[0] in {"higher", "more", "better"} and words[1:] in (["resolution"], ["res"]):
        yield spelt("increase the resolution")
    if words[0] == "more" and len(words) <= 4 and singular(words[-1])[1] and named is None:
        yield (Token("add", "add"), *tokens)  # "more flowers"
    more = words[0] in {"more", "less"} and 2 < len(words) <= 4
    if more and is_adjective(words[1]) and not singular(words[-1])[1]:
        yield (_MAKE, *spelt("the"), *tokens[2:], *tokens[:2])


def _shared(named: Tokens, rest: Tokens) -> Tokens:
    """`saturation` and `-15% on the grass`, `10`, `a bit`: of what, and by how much."""
    if not rest or rest[0].kind != "number":
        return (*named, *rest)
    unit = rest[1:2] if [t.word for t in rest[1:2]] in (["percent"], ["px"]) else ()
    where = rest[1 + len(unit) :]
    return (*named, *where, *spelt("by"), rest[0], *(unit or spelt("percent")))


def _revived(words: list[str]) -> Iterator[Tokens]:
    """`restore the faded colors`, `bring the colors back to life`: more saturation."""
    named = [word for word in words if word not in _FADED]
    verb = next((verb for verb in _REVIVING if named[: len(verb)] == list(verb)), None)
    rest = named[len(verb) :] if verb is not None else []
    if rest in (["color"], ["colors"], ["colors", "to", "life"], ["colors", "back", "to", "life"]):
        yield spelt("increase the saturation")


_FADED = {"the", "its", "faded", "original", "dull", "washed", "out", "lost", "old", "some"}
_REVIVING = (
    ("restore",), ("revive",), ("bring", "back"), ("enliven",), ("enrich",), ("refresh",),
    ("liven", "up"), ("bring",),
)  # fmt: skip


def _into_color(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`background to white`, `hair to blond`."""
    at = words.index("to") if "to" in words[1:] else 0
    named = words[at + 1 : at + 2] in (["the"], ["a"], ["my"])
    colored = 0 < at <= 4 and not named and colors.is_color(" ".join(words[at + 1 :]))
    if colored and words[0] not in grammar().by_first:
        yield (_MAKE, *tokens[:at], *tokens[at + 1 :])


def spelt(words: str) -> Tokens:
    """Plain words as tokens."""
    return tuple(Token(word, word) for word in words.split())


def backdrop(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`plain white background`, `a beach background`, `put the bag on a white background`."""
    tokens = _on_color(tokens, words)
    words = words_of(tokens)
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


def _on_color(tokens: Tokens, words: list[str]) -> Tokens:
    """`isolate the shoe on pure white` as on a pure white background."""
    at = next((at for at in range(len(words) - 1, 0, -1) if words[at] in {"on", "against"}), 0)
    said = [word for word in words[at + 1 :] if word not in {"a", "plain", "pure"}]
    pure = said and colors.is_color(" ".join(said)) and not is_picture_noun(said[-1])
    return (*tokens, *spelt("background")) if at and pure else tokens


_BEFORE = {"on", "against", "onto", "with", "to", "have", "in front of", "over"}
_PUTTING = {
    "put", "place", "set", "show", "have", "want", "get", "give", "make", "change", "see", "save",
    "need", "export", "turn", "isolate", "shoot", "display", "present",
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
