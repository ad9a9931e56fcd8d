"""Builders: scene and style of the whole picture, style of one thing."""

from __future__ import annotations

import re
from dataclasses import replace

from editanything.command.attributes import (
    FRAME,
    FRAME_NOUNS,
    color_value,
    is_style,
    value_text,
)
from editanything.command.clause import Clause, Operations
from editanything.command.discourse import IMAGE
from editanything.command.lexicon import lexicon
from editanything.command.pictures import take_image
from editanything.command.seeming import tells
from editanything.command.types import Operation, Selector


def scene(clause: Clause) -> Operations | None:
    """Time of day, season or weather of the whole picture."""
    text = value_text(clause.slot("E"))
    for tail in (" time", " season", " weather", " scene", " outside", " mode"):
        if lexicon().scenes.whole(text.split()) is None:
            text = text.removesuffix(tail)
    if not _is_scene(text.split()) or not _is_impersonal(clause):
        return None
    return (Operation("scene", Selector("@image"), value=text),)


def _is_scene(words: list[str]) -> bool:
    """`rainy evening`, `cold winter morning`, `sunny afternoon in may`."""
    scenes = lexicon().scenes
    if scenes.whole(words) is not None:
        return True
    stop = next((at for at, word in enumerate(words) if word in {"in", "at", "on"}), len(words))
    said = words[:stop]
    known = [scenes.whole([word]) is not None for word in said]
    kinds = all(ok or word in _WEATHERY for word, ok in zip(said, known, strict=True))
    return len(said) > 1 and any(known) and kinds


_WEATHERY = {
    "cold", "warm", "hot", "late", "early", "bright", "dark", "crisp", "grey", "gray", "dull",
    "wet", "dry", "frosty", "icy", "mild", "calm", "cool", "breezy", "gloomy", "dreary", "mid",
    "heavy", "light", "thick", "dense", "deep", "chilly", "freezing", "full", "lovely", "nice",
    "moonlit", "starry",
}  # fmt: skip


def _is_impersonal(clause: Clause) -> bool:
    """Whether the thing that becomes night is the scene itself."""
    if not clause.has("T"):
        it = clause.words[1:2] == ("it",) and bool(clause.talk.last)
        return not it or _is_frame(clause)
    words = [token.word for token in clause.slot("T")]
    while words and words[0] in _DETERMINERS:
        words = words[1:]
    if words == ["it"]:
        return not clause.talk.last or _is_frame(clause)
    scene_words, image = lexicon().scene_nouns, lexicon().groups["image"]
    if not words or words == ["everything"] or " ".join(words) in scene_words:
        return True
    if lexicon().scenes.whole(words) is not None:
        return True
    return all(
        image.whole([word]) or word in scene_words or word in {"in", "of", "the", "'s"}
        for word in words
    )


_DETERMINERS = {"the", "this", "whole", "entire", "my", "a", "that", "all"}


def _is_frame(clause: Clause) -> bool:
    return all(thing.noun in FRAME for thing in clause.talk.last)


_LOOKS = (
    "style", "filter", "effect", "look", "aesthetic", "vibe", "feel", "picture", "image", "photo",
    "photograph", "version", "treatment", "theme", "like", "styled",
)  # fmt: skip
_ALWAYS_A_LOOK = {"style", "filter", "effect", "look", "aesthetic"}
_STYLE_LEADS = (
    "the style of ",
    "style of ",
    "in the style of ",
    "like ",
    "in ",
    "look of ",
    "made by ",
)
#: "make it look like van gogh painted it": like van gogh's.
_BY = re.compile(r" (painted|drew|made|did|sketched|designed) (it|this|that)$")
#: "a vintage filter at 50%": nothing here mixes a style in by a share.
_STRENGTH = re.compile(r" (at|by|with) \d+ percent( strength| opacity)?$")
_STYLE_VERBS = {
    "cartoonify": "cartoon", "cartoonize": "cartoon", "cartoonise": "cartoon", "animefy": "anime",
    "anime-fy": "anime", "ghiblify": "ghibli", "pixarify": "pixar",
}  # fmt: skip


def style(clause: Clause) -> Operations | None:
    """Another look for the whole picture, or for one thing."""
    text = _style_text(clause)
    words = text.split()
    if not words or len(words) > 7 or color_value(text) or {"a", "an"} & set(words):
        return None
    if tells(words):
        return None  # "make it look like they are at the beach"
    return _styled(clause, _style_things(clause), text)


def _style_text(clause: Clause) -> str:
    """The name of the style, without "in the style of" and without "style", "filter", "look"."""
    if clause.verb in _STYLE_VERBS:
        return _STYLE_VERBS[clause.verb]
    text = _STRENGTH.sub("", _BY.sub("", value_text(clause.slot("L"))))
    for lead in _STYLE_LEADS:
        text = text.removeprefix(lead)
    for article in ("a ", "an ", "the ", "its "):
        text = text.removeprefix(article)
    for look in _LOOKS:
        shorter = text.removesuffix(f" {look}")
        if is_style(shorter) or look in _ALWAYS_A_LOOK:
            text = shorter
    return text


def _style_things(clause: Clause) -> tuple[Selector, ...]:
    """What gets the style; "it" with nothing before is the picture itself."""
    if not clause.has("T"):
        return (IMAGE,)
    found = clause.overall()
    return () if found is None else tuple(map(_without_style, found.things))


def _without_style(thing: Selector) -> Selector:
    """`the photo style` is the photo."""
    noun = thing.noun.removesuffix(" style").removesuffix(" art")
    if noun == thing.noun:
        return thing
    return IMAGE if noun in FRAME_NOUNS else replace(thing, noun=noun)


_INTO_LOOK = {"into", "in the style of", "look like", "like", "as", "in to", "to look like"}


def _styled(clause: Clause, things: tuple[Selector, ...], text: str) -> Operations | None:
    if not things or any(token.kind == "relation" for token in clause.slot("L")):
        return None
    whole = all(thing.noun == "@image" for thing in things)
    literals = clause.match.literals
    said = "style" in clause.words or any("style" in literal for literal in literals)
    vague = lexicon().said["vague"]["values"].whole(text.split()) is not None
    looks = bool({"look", "appear", "feel like"} & set(literals[1:2])) and not vague
    into = whole and (looks or bool(_INTO_LOOK & set(literals[1:2])))
    if not is_style(text) and not said and not into:
        return None
    if lexicon().filters.whole(text.split()) is not None and not said:
        return None  # "make the photo look brighter"
    if lexicon().said["unsupported"]["values"].whole(text.split()) is not None:
        return None
    if take_image(clause.slot("L"))[1] is not None:
        return None  # the style of another picture is a transfer
    if whole:
        return tuple(Operation("style", thing, value=text) for thing in things)
    if any(thing.noun == "background" for thing in things) and not is_style(text):
        return None
    if clause.verb == "give" and not said and not _ALWAYS_A_LOOK & set(literals):
        return None  # "give the wall a painting"
    return tuple(Operation("modify", thing, attribute="style", value=text) for thing in things)
