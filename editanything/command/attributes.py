"""What a thing becomes: colour, material, style, expression, ... from the words of a value."""

from __future__ import annotations

import re

from editanything import colors
from editanything.command import english, things
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind, is_person, is_picture_noun
from editanything.command.types import Selector

#: Things that are the frame itself rather than something in it.
FRAME = {"@image", "background"}
#: What is level where the picture is.
LEVELS = {"horizon", "skyline", "horizon line", "waterline", "shot", "camera"}
FRAME_NOUNS = {"image", "picture", "photo", "overall", "scene"}
_ARTICLES = {"a", "an", "the", "some", "its", "his", "her", "their"}
#: Order of the kinds where a word stands in several: the first that fits the noun wins.
_FOR_PEOPLE = ("expression", "age", "pose", "clothing", "state", "appearance", "hairstyle")
_FOR_HAIR = ("hairstyle", "state", "appearance")
_FOR_THINGS = (
    "material", "state", "appearance", "lighting", "age", "style", "pose", "expression",
)  # fmt: skip
_NEVER_VALUE = {
    "to", "of", "from", "and", "with", "into", "it", "them", "he", "she", "they", "is", "are",
    "the", "that", "should", "i", "you", "on", "at", "for", "not", "do", "than",
}  # fmt: skip
_NEVER_INSIDE = {"and", "to", "into", "the", "it", "but", "then", "is", "should"}


def value_text(tokens: Tokens) -> str:
    """The words of a value, without a leading article and without "instead of white"."""
    words = [token.value if token.kind == "quote" else token.word for token in tokens]
    for at in range(1, len(words) - 1):
        if words[at : at + 2] in (["instead", "of"], ["rather", "than"], ["in", "place"]):
            words = words[:at]
            break
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return " ".join(words).replace(" 's", "'s")


def has_article(tokens: Tokens) -> bool:
    """Whether the value begins with a, an or a number: a new thing, not a quality."""
    return bool(tokens) and (tokens[0].word in {"a", "an", "some"} or tokens[0].kind == "number")


_MORE_OF = {
    "deeper",
    "paler",
    "softer",
    "bolder",
    "richer",
    "warmer",
    "cooler",
    "stronger",
    "duller",
}


#: "the same red as the car", "as red as the car": the colour that is named, whatever it is like.
_ALIKE = re.compile(r"(?:exact |very )?(?:same|as) ([a-z][a-z ]*) as .+")
#: "a darker shade of green", "nice shade of blue".
_SHADE = re.compile(
    r"(?:(?:very|much|slightly|nice|lovely|different|certain|beautiful|bit|little) )*"
    r"((?:darker|lighter|paler|deeper|brighter|softer|bolder|richer|warmer|cooler|duller|dark|light"
    r"|pale|deep|bright|soft|bold|rich|warm|cool|dull|muted|pastel|vivid)?) ?"
    r"(?:shade|tone|hue|tint) of ([a-z][a-z ]*)"
)


def color_value(text: str) -> str | None:
    """The colour that a value names (as the user said it), also as a comparative, or None."""
    stripped = text
    for noun in (" color", " colour", " tone", " paint", " shade", " tint", " in color", " hue"):
        stripped = stripped.removesuffix(noun)
    for adverb in (
        "shade of ",
        "fresh coat of ",
        "coat of ",
        "more of a ",
        "little bit ",
        "little more ",
        "lot more ",
        "little ",
        "bit more ",
        "much ",
        "completely ",
        "fully ",
        "all ",
        "much ",
        "slightly ",
        "to ",
        "a ",
        "an ",
    ):
        stripped = stripped.removeprefix(adverb)
    found = _ALIKE.fullmatch(stripped) or _SHADE.fullmatch(stripped)
    if found is not None:
        stripped = found.expand(r"\1") if found.re is _ALIKE else f"{found[1]} {found[2]}".strip()
    if colors.is_color(stripped) or colors.comparative(stripped):
        return stripped
    if stripped in lexicon().sets["named_colors"]:
        return stripped
    first, _, base = stripped.partition(" ")
    if first in _MORE_OF and colors.is_color(base):
        return stripped
    words = stripped.replace(" and ", " ").split()
    if 1 < len(words) <= 4 and all(colors.is_color(word) for word in words):
        return stripped
    return None


def classify(tokens: Tokens, target: Selector) -> tuple[str, str] | None:
    """The attribute and the value that `tokens` say of `target`, None if they say none."""
    text = value_text(tokens)
    words = text.split()
    if not words or len(words) > 7:
        return None
    color = color_value(text)
    if color is not None:
        return "color", color
    if lexicon().attributes["state"].whole(words) is not None and words[0] == "on":
        return "state", text
    if (
        tokens[0].kind == "own"
        or words[0] in _NEVER_VALUE
        or words[-1] in _NEVER_VALUE
        or _NEVER_INSIDE & set(words)
    ):
        return None
    if _splits_noun(words, target):
        return None
    kind = attribute_of(text, target)
    if kind is not None:
        return kind, text
    return None


def _splits_noun(words: list[str], target: Selector) -> bool:
    """Whether the thing's last word is among the value's: "make the gold | ring silver".

    What a thing is made of is hardly painted itself, and a thing is no quality.
    """
    stuff = target.noun in colors.EXAMPLES or colors.is_color(target.noun)
    stuff = stuff or lexicon().attributes["material"].whole([target.noun]) is not None
    return stuff and len(words) > 1 and is_picture_noun(words[0])


def attribute_of(text: str, target: Selector) -> str | None:
    """The kind of a value that the lexicon knows, as it fits the noun of `target`."""
    lex = lexicon()
    words = text.split()
    order: tuple[str, ...] = _FOR_THINGS
    if target.noun in {"hair", "beard", "mustache"}:
        order = _FOR_HAIR
    elif is_person(target.noun) or is_kind(target.noun, "animal") or target.noun == "face":
        order = (*_FOR_PEOPLE, "style", "material", "lighting")
    for kind in order:
        if lex.attributes[kind].whole(words) is not None:
            return kind
    head = words[-1]
    for kind in order:  # "shiny red metal", "a big smile"
        if len(words) > 1 and lex.attributes[kind].whole([head]) is not None:
            return None if any(map(is_picture_noun, words[:-1])) else kind
    for kind in ("style", "material", "appearance"):
        if any(lex.attributes[kind].at(words, at) for at in range(len(words))):
            return kind
    if "material" in things.kinds(head) and not is_picture_noun(head):
        return "material"
    return "appearance" if lex.scenes.whole(words) is not None else None


def is_style(text: str) -> bool:
    """Whether a value names a style of picture."""
    words = text.split()
    style = lexicon().attributes["style"]
    return any(style.at(words, at) for at in range(len(words)))


def is_adjectival(tokens: Tokens) -> bool:
    """Whether unknown words can still say how something becomes: an adjective or a participle."""
    words = value_text(tokens).split()
    if not words or len(words) > 4 or words[0] in _NEVER_VALUE or words[-1] in _NEVER_VALUE:
        return False
    classes = english.entry(words[-1])
    if "a" in classes:
        return True
    return "v" in classes and "n" not in classes and not is_picture_noun(words[-1])
