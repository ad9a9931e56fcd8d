"""What stands before and in the noun of a phrase: quantity, order, adjectives, compounds."""

from __future__ import annotations

from dataclasses import dataclass

from editanything import colors
from editanything.command import english
from editanything.command.discourse import Discourse, is_owner
from editanything.command.lexicon import lexicon
from editanything.command.nouns import (
    can_be_noun,
    is_compound,
    is_person,
    is_picture_noun,
    singular,
)
from editanything.command.tokens import Token
from editanything.command.types import Count, Selector

Tokens = tuple[Token, ...]


ARTICLES = {"the", "a", "an", "this", "that", "these", "those", "some", "your", "my", "our"}


_ALL = {"all", "every", "each", "any", "whole", "entire", "several", "many", "various"}


_OF_GROUP: dict[str, Count] = {
    "couple": 2, "pair": 2, "group": "all", "bunch": "all", "lot": "all", "lots": "all",
    "set": "all", "number": "all", "row": "all", "pile": "all", "cluster": "all",
}  # fmt: skip


@dataclass
class Head:
    """What stands before and in the noun of a phrase, while it is being read."""

    count: Count | None = None
    ordinal: int | None = None
    superlative: str | None = None
    region: str | None = None
    owner: Selector | None = None
    both: bool = False
    one_of: bool = False  # "the largest of the three boats"
    whole: bool = False  # "the whole picture"


def read_before(tokens: Tokens, head: Head, talk: Discourse) -> int:
    """Read quantity, article, ordinal, superlative, region and owner; where the noun begins."""
    at = 0
    while at < len(tokens):
        step = (
            _read_quantity(tokens, at, head)
            or _read_order(tokens, at, head)
            or _read_owner(tokens, at, head, talk)
        )
        if not step:
            break
        at = step
    return at


def _read_quantity(tokens: Tokens, at: int, head: Head) -> int:
    token, word = tokens[at], tokens[at].word
    after = tokens[at + 1].word if at + 1 < len(tokens) else ""
    if word == "one" and after == "of":
        head.one_of = True
        return at + 2
    if word == "one" and head.count is None and _is_noun_next(tokens, at):
        return at + 1
    if word in _OF_GROUP and after == "of":
        head.count = _OF_GROUP[word]
        return at + 2
    if word == "couple" and not can_be_noun(after or "of"):
        return 0  # two people, not two of something
    if word in {"both", "couple"}:
        head.count, head.both = 2, word == "both"
    elif word in _ALL or (word == "few" and at):
        head.count = "all" if word not in {"whole", "entire"} else head.count
        head.whole = word in {"whole", "entire"}
    elif token.kind == "number" and after not in {"percent", "degrees"} and at + 1 < len(tokens):
        head.count = int(float(token.value))
    elif word == "of" and (head.superlative is not None or head.ordinal is not None):
        head.one_of = True
    elif word not in ARTICLES and not (word == "of" and at):
        return 0
    return at + 1


def _is_noun_next(tokens: Tokens, at: int) -> bool:
    """Whether a noun follows: "one boat"; "the one on the left" is one itself."""
    return any(
        t.kind == "word" and can_be_noun(t.word) and not is_place(t)
        for t in tokens[at + 1 : at + 2]
    )


def _read_order(tokens: Tokens, at: int, head: Head) -> int:
    lex = lexicon()
    words = [token.word for token in tokens]
    if tokens[at].kind == "ordinal" and head.region and is_third(words, at):
        return 0
    if tokens[at].kind == "ordinal":
        head.ordinal = int(tokens[at].value)
        return at + 1
    found = lex.superlatives.at(words, at)
    if found is not None and found[1] < len(tokens):
        head.superlative = found[0]
        return found[1]
    found = lex.regions.at(words, at)
    third = found is not None and is_third(words, found[1])
    follows = found is not None and found[1] < len(tokens)
    if found is not None and follows and (third or tokens[found[1]].kind == "word"):
        if lex.compounds.at([*words[:-1], singular(words[-1])[0]], at) is not None:
            return 0  # "front door"
        if words[found[1]] in {"of", "and"}:
            return 0
        if words[at] == "front" and words[found[1]] in lex.sets["front_parts"]:
            return 0
        head.region = found[0]
        return found[1]
    return 0


def is_third(words: list[str], at: int) -> bool:
    """Whether "third" is a share here: "the bottom third (of the picture)"."""
    return words[at : at + 1] == ["third"] and words[at + 1 : at + 2] in ([], ["of"])


def _read_owner(tokens: Tokens, at: int, head: Head, talk: Discourse) -> int:
    if not is_owner(tokens[at].word) or at + 1 == len(tokens):
        return 0
    head.owner = talk.owner(tokens[at].word)
    return at + 1


def in_noun(tokens: Tokens, at: int, start: int) -> bool:
    """Whether the token still belongs to the adjectives and nouns of the phrase."""
    lex = lexicon()
    token = tokens[at]
    if token.kind == "color":
        return True
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if token.word == "other" and following is not None and following.word != "than":
        return True
    if token.word == "couple":
        return True
    if at > start and following is not None and following.word == "by" and _is_passive(token.word):
        return False
    if token.kind != "word" or token.word in STOPS:
        return False
    if lex.relations.at([token.word], 0) is not None:
        return token.word == "inside" and following is not None and following.word == "of"
    posture = lex.postures.at([token.word], 0) is not None
    if posture and at > start and following is not None:
        return not is_place(following)
    if posture and at > start:
        return False
    if at > start and (_is_past_participle_phrase(token, following) or doing(tokens[at:])):
        return False
    return not (at > start and lex.regions.at([token.word], 0) is not None and following is None)


STOPS = {
    "of", "and", "or", "from", "to", "for", "as", "that", "which", "who", "whose", "is", "are",
    "except", "not",
    "excluding", "but", "besides", "apart", "other", "then", "be", "by", "into", "so", "while",
    "the", "a", "an", "its", "his", "her", "their", "my", "your", "it", "them", "him", "should",
    "must", "needs", "with", "than", "if", "because", "when", "where", "he", "she", "they", "i",
    "you", "we", "was", "were", "has", "have", "does", "do", "both", "all", "every", "without",
    "off", "out", "away", "aside", "up", "down", "more", "less", "belonging",
}  # fmt: skip


def _is_passive(word: str) -> bool:
    """Whether a word can be what is done by somebody: "worn by the man"."""
    base = english.verb_base(word)
    return word == "cast" or (base is not None and base != word and not word.endswith("s"))


def is_place(token: Token) -> bool:
    """Whether a token begins an expression of place or a relation."""
    if token.kind in {"relation", "region", "toward", "extreme"}:
        return True
    return lexicon().relations.at([token.word], 0) is not None


def _is_past_participle_phrase(token: Token, following: Token | None) -> bool:
    return following is not None and token.word.endswith("ed") and is_place(following)


_AT_US = {"us", "me", "him", "her", "them", "camera", "everyone"}


def doing(tokens: Tokens) -> int:
    """How many words say what somebody does there: "photobombing", "staring at the camera"."""
    word = tokens[0].word
    classes = english.entry(word)
    unknown = not classes and not is_picture_noun(word)  # "photobombing"
    if tokens[0].kind != "word" or not word.endswith("ing") or set("na") & set(classes):
        return 0
    if not unknown and "v" not in classes:
        return 0
    if lexicon().relations.at([word], 0) or lexicon().postures.at([word], 0):
        return 0
    rest = [token.word for token in tokens[1:4]]
    little = [w for w in rest if w not in {"at", "to", "the", "into", "behind"}]
    if little[:1] and little[0] in _AT_US:
        return 2 + rest.index(little[0])
    return 1 if len(tokens) == 1 or is_place(tokens[1]) else 0


def worn(head: Head) -> bool:
    """Whether the owner is somebody who could wear the thing."""
    return head.owner is not None and is_person(head.owner.noun)


def inside_compound(word: str) -> bool:
    """Whether a word can stand before the last one of a compound noun."""
    if word in STOPS or (singular(word)[1] and word not in {"sports", "clothes"}):
        return False
    return is_picture_noun(word) or _may_modify(word)


def _may_modify(word: str) -> bool:
    classes = english.entry(word)
    return not classes or bool(set("na") & set(classes)) or word.endswith(("ing", "ed"))


def lemma_of(names: list[str]) -> tuple[str, bool]:
    """The noun of the words of a compound, and whether it stood in the plural."""
    whole = " ".join(names)
    if whole in lexicon().plural_only:
        return whole, False
    last, plural = singular(names[-1])
    return " ".join([*names[:-1], last]), plural


def split_attributes(words: list[str]) -> tuple[list[str], list[str]]:
    """The adjectives of a phrase, in order, and the words of its noun."""
    lex = lexicon()
    lemmas = [*words[:-1], singular(words[-1])[0]]
    for start in range(len(words) - 1):
        found = lex.compounds.at(lemmas, start)
        ours = found is not None and found[1] == len(words)
        if (
            ours
            or _is_of_stuff(words, start)
            or (not _describes(words[start]) and is_compound(words[start:]))
        ):
            return [word for word in words[:start] if word != "and"], words[start:]
    at = 0
    while at < len(words) - 1 and is_adjective(words[at]):
        at += 1
    return words[:at], words[at:]


def _is_of_stuff(words: list[str], start: int) -> bool:
    """Whether a colour's name is the stuff or the plant here: "coffee stain", "lemon tree"."""
    stuff = words[start]
    if not colors.is_color(stuff) or stuff in colors.EXAMPLES or stuff in colors.MODIFIERS:
        return False
    held = singular(words[-1])[0] in lexicon().sets["of_stuff"] and start == len(words) - 2
    return (held and "n" in english.entry(stuff)) or is_compound(words[start:])


def _describes(word: str) -> bool:
    """Whether a word is so plainly a quality that it opens no compound: "the red fox"."""
    lex = lexicon()
    kinds = ("material", "state", "appearance", "age")
    return (
        (colors.is_color(word) and word not in colors.MODIFIERS)
        or lex.sizes.whole([word]) is not None
        or any(lex.attributes[kind].whole([word]) for kind in kinds)
    )


def is_adjective(word: str) -> bool:
    """Whether a word before a noun describes it rather than names a kind of it."""
    lex = lexicon()
    if "-" in word and word not in lex.vocabulary:
        return True
    if word in colors.MODIFIERS or colors.is_color(word):
        return True
    if any(lex.attributes[kind].whole([word]) for kind in ("material", "state", "appearance")):
        return True
    if lex.sizes.whole([word]) or word == "other":
        return True
    if is_picture_noun(word):
        return False
    classes = english.entry(word)
    if "a" in classes:
        return "n" not in classes or word in lex.vocabulary or not word.endswith(("ing", "er"))
    return "n" not in classes and word.endswith(("ed", "ing", "en")) and "v" in classes
