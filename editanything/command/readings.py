"""Wishes, statements, telegrams -> imperatives: the readings of a clause, likeliest first.

"the car should be removed" reads as "remove the car"; "i want the walls blue" as "make the walls
blue"; "sky -> purple" as "make the sky purple". Only rows of words change here; whether a reading
means anything is for the constructions to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from editanything import colors
from editanything.command import english
from editanything.command.asides import words_of
from editanything.command.complaints import complaint, elided
from editanything.command.constructions import grammar, verb_length
from editanything.command.heads import Tokens
from editanything.command.lexicon import Phrases, lexicon
from editanything.command.nominal import nominal, welcomed
from editanything.command.seeming import seeming
from editanything.command.telegrams import (
    arrow,
    backdrop,
    color_cast,
    on_selection,
    portrait_mode,
    room_beyond,
    spelt,
    telegram,
    terse,
    wanted,
)
from editanything.command.tokens import Token

_MAKE = Token("make", "make")
_PLACES = {"region", "toward", "relation"}


def strip_polite(tokens: Tokens) -> tuple[Tokens, bool]:
    """`tokens` without courtesy at both ends, and whether a request ("could you") opened them."""
    rest = strip_opening(tokens)
    opening = [token.word for token in tokens[: len(tokens) - len(rest)]]
    asked = bool(set(opening) & _ASKING)
    return _strip_end(rest, lexicon().said["trailing"]["words"]), asked


_ASKING = {
    "please", "kindly", "could", "can", "would", "will", "mind", "may", "might", "what", "how",
    "why", "possible", "want", "like", "let", "need", "way", "able",
}  # fmt: skip


def strip_opening(tokens: Tokens) -> Tokens:
    """`tokens` without the courtesy, fillers and conjunctions that open them."""
    polite, start = lexicon().said["polite"]["words"], 0
    words = words_of(tokens)
    while start < len(tokens):
        if _is_manner(words[start]) and start + 1 < len(tokens):
            start += 1
            continue
        joint = words[start] in {"and", "but"} and start + 1 < len(tokens)
        if joint or tokens[start].kind in {"comma", "stop"}:
            start += 1
            continue
        found = polite.at(words, start)
        if found is None or _is_needed(words[start:], found[1] - start):
            break
        start = found[1]
    return tokens[start:]


def _is_needed(words: list[str], stop: int) -> bool:
    """Whether what looks like courtesy carries the command ("do again", "again")."""
    if lexicon().said["wishes"]["there"].at(words, 0) is not None:
        return True
    if words[:2] in (["there", "is"], ["there", "are"]):
        return True
    if words[:stop] == ["plus"] or stop == len(words):
        return words[0] in {"again", "undo"}
    return words[:stop] == ["do"] and words[stop] in {
        "again",
        "that",
        "not",
        "nothing",
        "something",
        "your",
        "some",
        "whatever",
        "stuff",
        "this",
        "it",
    }


def _strip_end(tokens: Tokens, trailing: Phrases) -> Tokens:
    while tokens:
        if tokens[-1].kind in {"comma", "stop"} or tokens[-1].word in {"and", "then"}:
            tokens = tokens[:-1]
            continue
        if len(tokens) > 2 and _is_manner(tokens[-1].word):
            tokens = tokens[:-1]
            continue
        start = trailing.ends(words_of(tokens))
        if start is None or start == 0 or tokens[start - 1].word in {"the", "a", "an", "start"}:
            return tokens
        tokens = tokens[:start]
    return tokens


_NEEDED = {"horizontally", "vertically", "only"}


def _is_manner(word: str) -> bool:
    """Whether a word only says how carefully an edit is made: an adverb that no table holds."""
    if not word.endswith("ly") or word in _NEEDED | lexicon().amounts.words():
        return False
    return not set(english.entry(word)) & set("nva")


def readings(tokens: Tokens, selection: bool) -> Iterator[Tokens]:
    """The ways to read a clause as an imperative."""
    overall = (*portrait_mode(words_of(tokens)), *color_cast(words_of(tokens))) if tokens else ()
    if overall or not tokens:  # nothing else can be meant
        yield from overall
        return
    yield from seeming(tokens)
    yield from nominal(tokens)
    yield from room_beyond(tokens, words_of(tokens))
    yield from welcomed(tokens)
    yield from _wished(tokens)
    yield from _quality_first(tokens, words_of(tokens))
    yield from elided(tokens)
    yield tokens
    adverb = lexicon().amounts.at(words_of(tokens), 0)
    if adverb is not None and adverb[1] < len(tokens):  # "slightly brighten the face"
        tokens = (*tokens[adverb[1] :], *tokens[: adverb[1]])
        yield tokens
    yield from complaint(tokens, words_of(tokens))
    yield from _inflected(tokens)
    for at, token in enumerate(tokens):
        if token.word in {"only", "just", "solely", "merely"}:  # "change only the color of ..."
            yield tokens[:at] + tokens[at + 1 :]
    yield from _stated(tokens, bare=False)
    yield from arrow(tokens)
    yield from _parted(tokens)
    yield from _carried_off(tokens)
    yield from _by_making(tokens, words_of(tokens))
    if selection:
        yield from on_selection(tokens)
    if 1 < len(tokens) <= 6 and tokens[-1].word in {"gone", "begone"}:  # "dog gone"
        yield (Token("remove", "remove"), *tokens[:-1])
    yield from terse(tokens, words_of(tokens))
    yield from wanted(tokens, words_of(tokens))
    yield from backdrop(tokens, words_of(tokens))
    more = [token.word for token in tokens[1:2]] == ["more"] and len(tokens) > 2
    if more and (tokens[0].kind == "number" or tokens[0].word in {"some", "few", "one"}):
        yield (Token("add", "add"), tokens[0], *tokens[2:])  # "three more lanterns on the wall"
    words = words_of(tokens)
    if 2 < len(words) <= 6 and words[-2] in {"more", "less"} and words[0] not in grammar().by_first:
        yield (_MAKE, *tokens)  # "sky more dramatic"
    scene = lexicon().scenes.whole(words[:-1]) is not None
    if scene and words[-1] in {"version", "mood", "look", "light", "lighting", "weather"}:
        yield (_MAKE, *spelt("the picture"), *tokens[:-1])  # "winter version"
    yield from telegram(tokens)


def _wished(tokens: Tokens) -> Iterator[Tokens]:
    """`i want X (to be) Y`, `no more X`, `there should be X`."""
    said, words = lexicon().said["wishes"], words_of(tokens)
    for kind in ("dislike", "there"):
        found = said[kind].at(words, 0)
        if found is not None and found[1] < len(tokens):
            verb = "remove" if kind == "dislike" else "add"
            yield (Token(verb, verb), *_without_place(tokens[found[1] :], kind))
    lack = said["lacks"].at(words, 0)
    if lack is not None and tokens[lack[1] :] and _is_some(tokens[lack[1]]):
        yield (Token("add", "add"), *tokens[lack[1] :])
    found = said["words"].at(words, 0)
    if found is None or found[1] == len(tokens):
        return
    rest = tokens[found[1] :]
    that = rest[0].word == "that"
    clause = rest[1:] if that else rest if words[found[1] - 1] == "that" else ()
    if len(clause) > 1 and clause[0].word in _SUBJECTS:
        yield from _that(clause)
        if that:
            return
    yield from _stated(rest, bare=True)
    yield from _having(rest, words_of(rest))
    yield from _quality_first(rest, words_of(rest))
    yield from _participle_last(rest)
    if words[0] not in {"get", "have", "let", "see"}:
        yield from _inflected(rest)
        yield (_MAKE, *rest)
        yield rest
    if _is_some(rest[0]):
        yield (Token("add", "add"), *rest)
    if rest[0].word in {"her", "him", "me", "us"} and [t.word for t in rest[1:2]] == ["with"]:
        yield (Token("give", "give"), rest[0], *rest[2:])  # "i want to see her with short hair"


_SUBJECTS = {"the", "my", "you", "her", "his", "its", "this", "these", "those", "all", "it"}


def _that(tokens: Tokens) -> Iterator[Tokens]:
    """`i want that you remove it`, `i need that the sky is blue`: what comes after "that"."""
    if tokens[0].word == "you":
        yield tokens[1:]
    else:
        is_ = {"is": "be", "are": "be"}
        plain = (replace(t, word=is_[t.word]) if t.word in is_ else t for t in tokens)
        yield from _stated(tuple(plain), bare=True)


def _is_some(token: Token) -> bool:
    """Whether something new is said by the word: "a", "some", "three"."""
    return token.word in {"a", "an", "some", "more", "another"} or token.kind == "number"


def _without_place(tokens: Tokens, kind: str) -> Tokens:
    """`i don't want the bag there`: without its `there`."""
    if kind == "dislike" and tokens[-1].word in {"there", "here", "anymore"} and len(tokens) > 1:
        return tokens[:-1]
    return tokens


def _stated(tokens: Tokens, *, bare: bool) -> Iterator[Tokens]:
    """`X should be Y`; after a wish (`bare`) also `X to be Y`, `X were Y`."""
    said, words = lexicon().said["wishes"], words_of(tokens)
    for at in range(1, len(words)):
        gone = said["gone"].at(words, at)
        kept = words[0] in {"leave", "keep"}  # the verb of a gap: "leave | the rest can go"
        if gone is not None and gone[1] == len(words) and (bare or gone[1] - at > 1) and not kept:
            yield (Token("remove", "remove"), *tokens[:at])
        passive = said["passive"].at(words, at)
        if (
            passive is not None
            and passive[1] < len(words)
            and (base := _participle(words[passive[1]]))
        ):
            yield (Token(base, base), *tokens[:at], *tokens[passive[1] + 1 :])
        owned = said["owning"].at(words, at)
        if owned is not None and words[owned[1] : owned[1] + 1] in (["a"], ["an"], ["some"]):
            yield (Token("give", "give"), *tokens[:at], *tokens[owned[1] :])
        if passive is not None and words[passive[1] : passive[1] + 1] in (["a"], ["an"], ["some"]):
            yield (Token("give", "give"), *tokens[:at], *tokens[passive[1] :])
        found = said["copula"].at(words, at)
        if found is None or found[1] == len(words):
            continue
        if not bare and (found[1] - at == 1 or words[at] == "to"):
            continue
        yield from _become(tokens[:at], tokens[found[1] :], looks="look" in words[at : found[1]])
    for at in range(1, len(words) - 1):
        if words[at] in {"should", "must"} or words[at : at + 2] in (
            ["needs", "to"],
            ["has", "to"],
            ["ought", "to"],
            ["need", "to"],
            ["have", "to"],
        ):
            yield (_MAKE, *tokens[:at], *tokens[at + 1 + (words[at + 1] == "to") :])


def _quality_first(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`make more big the moon`, `paint red the door`: the quality before its thing."""
    start = int(words[0] in {"make", "paint", "turn", "color"})
    if words[start : start + 1] == ["the"]:
        return
    for at in range(start + 1, min(len(words) - 1, start + 4)):
        if words[at] not in {"the", "my", "his", "her", "this", "that", "these", "those"}:
            continue
        said, lex = words[start:at], lexicon()
        looks = lex.filters.whole(said) or lex.sizes.whole(said)
        if looks is not None or colors.is_color(" ".join(said)):
            yield (tokens[0] if start else _MAKE, *tokens[at:], *tokens[start:at])
        return


def _having(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`could the dog have a hat`, `can she get longer hair`: give it."""
    at = next((at for at in range(1, len(words) - 1) if words[at] in {"have", "get"}), 0)
    if at and words[0] in _SUBJECTS | {"she", "he", "they"}:
        somebody = {"she": "her", "he": "him", "they": "them"}.get(words[0], words[0])
        yield (
            Token("give", "give"),
            replace(tokens[0], word=somebody),
            *tokens[1:at],
            *tokens[at + 1 :],
        )


def _become(thing: Tokens, value: Tokens, *, looks: bool) -> Iterator[Tokens]:
    """`thing` is to be `value`: a passive, a place, or a quality."""
    while len(value) > 1 and value[0].word in {
        "all",
        "both",
        "more_",
        "totally",
        "fully",
        "completely",
    }:
        value = value[1:]
    base = _participle(value[0].word)
    if base is not None:
        yield (Token(base, base), *thing, *value[1:])
    placed = value[0].kind in _PLACES or lexicon().relations.at(words_of(value), 0) is not None
    if looks and placed:  # "get her to look at the camera"
        yield (_MAKE, *thing, Token("look", "look"), *value)
    elif placed:
        yield (Token("move", "move"), *thing, *value)
    yield (_MAKE, *thing, *value)


def _participle(word: str) -> str | None:
    """The verb of a participle ("removed", "painting") that our constructions know."""
    if not word.endswith(("ed", "ing", "en", "t", "n", "ne", "own", "t")):
        return None
    base = english.verb_base(word)
    if base is None and word.endswith("ed"):
        base = next((b for b in (word[:-2], word[:-1], word[:-3]) if b in grammar().by_first), None)
    return base if base != word and base in grammar().by_first else None


def _participle_last(tokens: Tokens) -> Iterator[Tokens]:
    """`get the car painted red`: the participle after the thing is the verb."""
    for at in range(1, len(tokens)):
        base = _participle(tokens[at].word)
        if base is not None:
            yield (Token(base, base), *tokens[:at], *tokens[at + 1 :])


def _by_making(tokens: Tokens, words: list[str]) -> Iterator[Tokens]:
    """`fix up the fence by making it white`: make the fence white."""
    vague = lexicon().said["vague"]["verbs"].at(words, 0)
    at = next((at for at in range(2, len(words) - 2) if words[at] == "by"), 0)
    base = _participle(words[at + 1]) if at else None
    if vague is None or base is None or vague[1] >= at:
        return
    thing, rest = tokens[vague[1] : at], tokens[at + 2 :]
    if rest[0].word in {"it", "them"}:
        rest = (*thing, *rest[1:])
    yield (Token(base, tokens[at + 1].raw), *rest)


def _inflected(tokens: Tokens) -> Iterator[Tokens]:
    """`removing the dog`, `removed the dog`, `to remove the dog`."""
    if tokens[0].word == "to" and len(tokens) > 1:
        tokens = tokens[1:]
        yield tokens
    base = _participle(tokens[0].word)
    if base is not None:
        yield (Token(base, tokens[0].raw), *tokens[1:])


def _carried_off(tokens: Tokens) -> Iterator[Tokens]:
    """`yank out the plug`, `shoo the birds away`: any verb with "out", "off" or "away" removes."""
    words = words_of(tokens)
    if len(tokens) < 3 or "v" not in english.entry(words[0]) or words[0] in _NEVER_REMOVE:
        return
    if words[1] in _AWAY and words[0] not in grammar().by_first:
        yield (Token("remove", "remove"), *tokens[2:])
    if _AWAY & set(words[2:]):
        yield (Token("remove", "remove"), *tokens[1:])


def _parted(tokens: Tokens) -> Iterator[Tokens]:
    """`tone this down a bit`, `brighten the alley up`: a verb and its particle."""
    words = words_of(tokens)
    for at in range(2, len(words)):
        placed = words[at] in {"in", "over"} and words[at + 1 : at + 2] not in ([], [","])
        if placed and tokens[at + 1].word in _DETERMINERS:
            continue  # "put a moon in the sky"
        if words[at] in _PARTICLES and verb_length([words[0], words[at]]) == 2:
            yield (tokens[0], tokens[at], *tokens[1:at], *tokens[at + 1 :])

    lit = next((at for at in range(2, len(words) - 1) if words[at] in {"on", "off"}), 0)
    if lit and words[0] in {"turn", "switch"} and lexicon().relations.at(words, lit + 1):
        yield (tokens[0], tokens[lit], *tokens[1:lit], *tokens[lit + 1 :])


_DETERMINERS = {"the", "a", "an", "my", "her", "his", "its", "their", "this", "that", "front"}
_PARTICLES = {"up", "down", "out", "off", "away", "in", "over", "back"}
_AWAY = {"out", "off", "away"}
_NEVER_REMOVE = {
    "even", "fill", "stretch", "spread", "space", "level", "round", "balance", "cool", "finish",
    "figure", "work", "check", "point", "roll", "start", "dry", "print", "flesh", "hollow", "sort",
    "lay", "hang", "straighten", "smooth", "thin", "flatten", "light", "open", "close", "sharpen",
    "clear", "fold", "bend", "brighten", "darken", "lighten", "soften", "blur", "tone", "mute",
    "color", "paint", "dress", "pose", "act", "look", "stand", "face", "write", "spell", "draw",
    "move", "turn", "switch", "make", "change", "put", "have", "let", "keep", "leave", "fade",
    "zoom", "crop", "extend", "bring", "carry", "send", "show", "replace", "swap", "add", "place",
}  # fmt: skip
