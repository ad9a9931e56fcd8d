"""Nouns: singular and plural, and what kind of thing a noun is."""

from __future__ import annotations

from functools import lru_cache

from editanything import colors
from editanything.command import english, things
from editanything.command.lexicon import lexicon


@lru_cache(maxsize=4096)
def singular(word: str) -> tuple[str, bool]:
    """The lemma of a noun in lower case, and whether the word was its plural."""
    lex = lexicon()
    if word in lex.plural_only:
        return word, False
    if word in lex.irregular:
        lemma = lex.irregular[word]
        return lemma, lemma != word
    if word in lex.invariant or not word.endswith(("s", "n", "i", "a", "e", "x")):
        return word, False
    return _regular(word)


def _regular(word: str) -> tuple[str, bool]:
    ours = _in_lexicon(word)
    if ours is not None:
        return ours, ours != word
    lemma = english.noun_base(word)
    if lemma is not None:
        return lemma, lemma != word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y", True
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1], True
    return word, False


@lru_cache(maxsize=1)
def _picture_nouns() -> frozenset[str]:
    return frozenset(word for words in lexicon().kinds.values() for word in words)


def _in_lexicon(word: str) -> str | None:
    """The lemma of a word that is a listed noun or the regular plural of one."""
    nouns = _picture_nouns()
    if word in nouns:
        return word
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if word.endswith(ending) and word.removesuffix(ending) + instead in nouns:
            return word.removesuffix(ending) + instead
    return None


def is_picture_noun(word: str) -> bool:
    """Whether the lexicon lists this noun, in the singular or in the plural."""
    return word in lexicon().irregular or _in_lexicon(word) is not None


def is_kind(noun: str, *kinds: str) -> bool:
    """Whether a noun (in the singular) is one of `kinds`; of a compound the last word counts.

    WordNet is asked only for nouns that our own lists do not have.
    """
    lex = lexicon()
    last = noun.rpartition(" ")[2]
    for name in (noun, last):
        if name in _picture_nouns():
            return any(name in lex.kinds[kind] for kind in kinds)
        known = things.kinds(name) - {"name"}
        if known:
            return not known.isdisjoint(kinds)
    return False


def is_person(noun: str) -> bool:
    """Whether a noun names people (a face is part of one)."""
    return is_kind(noun, "person") and noun not in {"face", "subject", "figure"}


def can_be_noun(word: str) -> bool:
    """Whether a word may head a noun phrase: a noun of English or a word nobody knows."""
    if is_picture_noun(word):
        return True
    if colors.is_color(word):
        return False
    if word in lexicon().vocabulary and not english.is_english(word):
        return not word.isalpha() or word not in _closed_words()
    if word in _closed_words():
        return False
    classes = english.entry(word)
    return not classes or "n" in classes


def can_name(words: list[str]) -> bool:
    """Whether the words of a noun can name a thing: "ice cream", "the mustard", "traffic light".

    A colour word is a noun only alone ("the mustard"): in "wall mint" it says what the wall is to
    become. The basic colours are never things.
    """
    if can_be_noun(words[-1]) or is_compound(words):
        return True
    alone = len(words) == 1 and words[0] not in colors.EXAMPLES
    noun = things.is_thing(words[0]) or "n" in english.entry(words[0])
    return alone and colors.is_color(words[0]) and noun


def is_compound(words: list[str]) -> bool:
    """Whether words belong together as one noun of several words."""
    lex = lexicon()
    lemmas = [*words[:-1], singular(words[-1])[0]]
    return len(words) > 1 and (
        lex.compounds.whole(lemmas) is not None or things.is_thing(" ".join(lemmas))
    )


def is_name(names: list[str]) -> bool:
    """Whether words are one noun; "hair short" and "photo look" are not."""
    verbs = {"look", "looks", "say", "says", "back"}
    unlike = _is_quality(names[-1]) or names[-1] in verbs
    return not (unlike and len(names) > 1 and not is_compound(names)) and can_name(names)


def _is_quality(word: str) -> bool:
    kinds = ("hairstyle", "appearance", "state")
    said = any(lexicon().attributes[kind].whole([word]) is not None for kind in kinds)
    return said and not is_picture_noun(word)


@lru_cache(maxsize=1)
def _closed_words() -> frozenset[str]:
    """Articles, prepositions, pronouns and their like: never a noun."""
    lex = lexicon()
    sides = {"left", "right", "middle", "center"}
    nouns = {"reference", "image", "half", "time", "second", "bit", "lot", "x", "selected"}
    return frozenset(lex.said["function"]["words"].words() - nouns) | sides
