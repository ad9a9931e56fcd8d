"""What is wrong, read as its cure: "the sky is too dark", "the picture is upside down".

Only rows of words change here; whether a reading means anything is for the constructions to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from editanything.colors import is_color
from editanything.command.asides import words_of
from editanything.command.clause import Operations
from editanything.command.discourse import IMAGE
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.telegrams import spelt
from editanything.command.tokens import Token

_MAKE = Token("make", "make")
_TOO = {
    "too", "way", "far", "much", "a", "bit", "little", "very", "so", "really", "quite", "rather",
    "kind", "of", "pretty", "overly", "somewhat", "slightly", "just", "all",
}  # fmt: skip
_IS = {"is", "are", "looks", "look", "seems", "seem"}
_DULL = {"dull", "flat", "pale", "boring", "weak", "lifeless", "faint"}
_BRIGHT = {"bright", "strong", "loud", "harsh", "much"}


def complaint(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """The readings of what is wrong with a thing or the picture."""
    for at in range(1, len(words) - 1):
        if words[at] in _IS:
            yield from _cured(tokens[:at], words[at], words[at + 1 :])
    start = 2 if words[:2] in (["there", "is"], ["there", "are"]) else 0
    if words[0] == "not" and words[-1] == "enough":  # "not bright enough"
        yield from _lacking(spelt("the picture"), "is", words[1:])
    lack = start + 2 if words[start : start + 2] == ["not", "enough"] else 0
    if lack and _is_quantity(words, lack):  # "there is not enough light in the room"
        yield (Token("increase", "increase"), Token("the", "the"), *tokens[lack:])
    if words[0] == "too":  # "too dark"
        wanted = lexicon().opposites.whole(words[1:])
        if wanted is not None:
            yield (_MAKE, *spelt("the picture"), *spelt(wanted))
    much = words[start : start + 2] in (["too", "much"], ["so", "much"], ["too", "many"])
    if much and _is_quantity(words, start + 2):  # "there is so much grain in this shot"
        yield (Token("reduce", "reduce"), Token("the", "the"), *tokens[start + 2 :])


def _cured(thing: Tokens, verb: str, said: list[str]) -> Iterator[Tokens]:
    """`thing` is `said`: make it what it is not.

    That a thing is dark may just tell which one is meant; of the picture and of its colours it is
    a complaint.
    """
    start = 0
    while start < len(said) - 1 and said[start] in _TOO:
        start += 1
    quality = said[start:]
    if quality in (["upside", "down"], ["upsidedown"]):
        yield (Token("rotate", "rotate"), *thing, *spelt("upside down"))
    if quality[:1] == ["not"] and len(said) > 1:
        yield from _lacking(thing, verb, quality[1:])
    if quality == ["sideways"]:
        yield (Token("rotate", "rotate"), *thing)
    if quality in (["crooked"], ["tilted"], ["slanted"], ["wonky"]) and _is_frame(thing):
        yield (Token("straighten", "straighten"), *thing)
    if quality == ["flat"] and _is_frame(thing):
        yield (_MAKE, *thing, *spelt("more contrasty"))
    colors = lexicon().attribute_nouns.whole(words_of(thing)[-1:]) == "color"
    wanted = lexicon().opposites.whole(quality)
    cast = is_color(" ".join(quality)) and _is_frame(thing) and (start or verb not in {"is", "are"})
    if cast:  # "the photo is too yellow"
        yield spelt("reduce the color cast")
    if colors and len(quality) == 1 and quality[0] in _DULL | _BRIGHT:
        wanted = "more saturated" if quality[0] in _DULL else "less saturated"
    if wanted is not None and (start or verb not in {"is", "are"} or colors or _is_frame(thing)):
        yield (_MAKE, *thing, *spelt(wanted))


def _lacking(thing: Tokens, verb: str, quality: list[str]) -> Iterator[Tokens]:
    """`the picture is not bright enough`, `... not straight`: make it so."""
    enough = quality[-1:] == ["enough"]
    quality = quality[:-1] if enough else quality
    if not (enough or _is_frame(thing) or verb not in {"is", "are"}):
        return
    if quality in (["straight"], ["level"]):
        yield (Token("straighten", "straighten"), *thing)
    elif lexicon().filters.whole(quality) is not None or lexicon().sizes.whole(quality) is not None:
        yield (_MAKE, *thing, *spelt(" ".join(quality)))


def is_fault(tokens: Tokens) -> bool:
    """Whether words only say what is wrong: "the sky is a bit dull", "it looks flat"."""
    words = words_of(tokens)
    at = next((at for at in range(len(words) - 1) if words[at] in _IS), -1)
    quality = words[at + 1 :] if at >= 0 else []
    while len(quality) > 1 and quality[0] in _TOO:
        quality = quality[1:]
    wrong = quality in (["flat"], ["upside", "down"], ["sideways"])
    return bool(quality) and (wrong or lexicon().opposites.whole(quality) is not None)


def answer(complaint: Operations, found: Operations, words: list[str]) -> Operations:
    """`the food looks dull, add contrast`: a filter of nothing named is for what was wrong."""
    things = {op.target for op in complaint}
    named = any(lexicon().groups["image"].whole([word]) for word in words)
    overall = all(op.op == "filter" and op.target == IMAGE for op in found)
    if len(things) != 1 or named or not overall:
        return found
    return tuple(replace(op, target=complaint[0].target) for op in found)


def elided(tokens: Tokens) -> Iterator[Tokens]:
    """`..., and looks flat`: it does."""
    if len(tokens) > 1 and tokens[0].word in {"looks", "seems", "is"}:
        it = (Token("it", ""),)
        yield from _cured(it, tokens[0].word, words_of(tokens[1:]))


def _is_frame(thing: Tokens) -> bool:
    """Whether words name the picture itself: "it", "this photo", "my picture"."""
    words = [word for word in words_of(thing) if word not in {"the", "this", "my", "whole"}]
    return words in ([], ["it"], ["that"]) or lexicon().groups["image"].whole(words) is not None


def _is_quantity(words: list[str], at: int) -> bool:
    lex = lexicon()
    unsupported = lex.said["unsupported"]["quantities"]
    return lex.quantities.at(words, at) is not None or unsupported.at(words, at) is not None
