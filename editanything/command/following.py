"""What may follow a noun, as far as its words alone tell."""

from __future__ import annotations

from dataclasses import replace

from editanything import colors
from editanything.command.discourse import Discourse
from editanything.command.heads import Tokens, doing, is_place
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_person
from editanything.command.types import Relation, Selector

#: Relations that a picture in the picture has ("on the wall"); the whole one has none of them.
_IN_VIEW = {"on", "above", "below", "under", "behind", "next_to", "between"}


def is_a_thing(after: Tokens, selector: Selector) -> bool:
    """Whether a picture is one in the picture: several of them, or one on the wall."""
    if selector.count != 1 or selector.ordinal or selector.superlative or selector.region:
        return True
    words = [token.word for token in after]
    skipped = skip_posture(after) if after else 0
    if skipped == len(after):
        return False
    found = lexicon().relations.at(words, skipped)
    name = found[0] if found is not None else after[skipped].value
    return after[skipped].kind == "relation" or name in _IN_VIEW


def skip_posture(tokens: Tokens) -> int:
    """How many words of posture open the tokens: "standing" before a place."""
    found = lexicon().postures.at([token.word for token in tokens], 0)
    if found is not None and found[1] < len(tokens):
        return found[1]
    if tokens[0].word.endswith("ed") and len(tokens) > 1 and is_place(tokens[1]):
        return 1
    return 0


def is_share(selector: Selector, whole: Selector) -> bool:
    """Whether `half of the people` is some of them, and nobody says which."""
    some = selector.noun in {"half", "third", "quarter", "most", "part", "rest"}
    return some and selector.region is None and whole.count == "all"


def is_some_of(thing: Selector, words: list[str]) -> bool:
    """Whether `all but two of the chairs` are chairs, not everything."""
    return isinstance(thing.count, int) and thing.count > 1 and "of" in words


def with_deed(tokens: Tokens, selector: Selector) -> tuple[Selector, int]:
    """A thing with what it does there ("staring at us"), and how many words say that."""
    skipped = skip_posture(tokens)
    does = 0 if skipped else doing(tokens)
    if does:
        selector = replace(selector, attrs=(*selector.attrs, tokens[0].word))
    return selector, skipped or does


def after_says(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    """`that says "STOP"`: a thing with that text."""
    del talk
    words = [token.word for token in tokens]
    saying = {"says", "reads", "saying", "reading", "labeled", "labelled"}
    if tokens[-1].kind != "quote" or len(tokens) not in {2, 3} or words[-2] not in saying:
        return None
    text = Selector("text", (tokens[-1].value.casefold(),))
    return replace(selector, relation=Relation("with", (text,)))


def deed(tokens: Tokens) -> Tokens:
    """The doer in `(that) the woman is holding`; () if nobody holds or wears the thing."""
    words = [token.word for token in tokens]
    start = words[0] in {"that", "which"}
    stop = len(words) - 1 - (words[-1] == "on")
    if stop - start < 2 or words[stop] not in _DEEDS:
        return ()
    stop -= words[stop - 1] in {"is", "are", "was", "were", "has", "have"}
    return tokens[start:stop]


_DEEDS = {
    "holding", "wearing", "carrying", "riding", "pushing", "pulling", "holds", "wears", "carries",
    "rides", "has", "have", "wear", "hold", "owns",
}  # fmt: skip


def in_color(tokens: Tokens, name: str, wearer: Selector) -> tuple[Selector, ...] | None:
    """`the lady in red` wears red clothes."""
    text = " ".join(token.word for token in tokens)
    if name == "in" and is_person(wearer.noun) and colors.is_color(text):
        return (Selector("clothes", tuple(text.split())),)
    return None


def eyewear(thing: Selector) -> Selector:
    """The glasses that a person wears are one thing."""
    if thing.noun == "glass" and thing.count == "all":
        return replace(thing, noun="glasses", count=1)
    return thing


def seen_from(opening: list[str], selector: Selector, words: list[str]) -> int:
    """How many words say from where "the closest tree" is closest: "to the camera"."""
    if selector.superlative not in {"nearest", "farthest"} or opening[0] not in {"to", "from"}:
        return 0
    start = 1 + (words[1:2] == ["the"])
    return start + 1 if set(words[start : start + 1]) & lexicon().sets["viewers"] else 0


def portion_of(whole: Selector, word: str, region: str) -> Selector:
    """The left half of the plate is a part of it, that of the picture the picture there."""
    if region in {"foreground", "background"}:
        return Selector(word, part_of=whole)  # "the front of the house"
    if whole.noun.startswith("@") and word not in {"third", "quarter"}:
        return replace(whole, region=region)
    return Selector(word, region=region, part_of=None if whole.noun == "@image" else whole)
