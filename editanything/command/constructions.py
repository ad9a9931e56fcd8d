"""Constructions: the patterns of lexicon/operations.txt, and matching them to a clause.

A pattern is a row of literal words (with alternatives, some optional) and slots. Matching tries
every way to cut the clause at the literal words, shortest slots first; whether a slot's words are a
noun phrase, a colour and so on is for the builder of the operation to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from editanything.command.heads import Tokens
from editanything.command.lexicon import FOLDER, lexicon

FILTERS = (
    "blur", "sharpen", "brighten", "darken", "grayscale", "saturate", "desaturate", "pixelate",
    "denoise", "contrast", "flatten", "warm", "cool", "sepia", "vignette",
)  # fmt: skip
#: Filters that undo each other: a little less of the one is a little more of the other.
OPPOSITES = {
    "brighten": "darken", "darken": "brighten", "blur": "sharpen", "sharpen": "blur",
    "saturate": "desaturate", "desaturate": "saturate", "contrast": "flatten",
    "flatten": "contrast", "warm": "cool", "cool": "warm",
}  # fmt: skip


@dataclass(frozen=True)
class Slot:
    """A place in a pattern that the clause's own words fill."""

    name: str


@dataclass(frozen=True)
class Literal:
    """Fixed words: one of `options`, or nothing where `optional`."""

    options: tuple[tuple[str, ...], ...]
    optional: bool = False


@dataclass(frozen=True)
class Construction:
    """One pattern and the name of the function that builds its operation."""

    builder: str
    loose: tuple[str, ...]  # what is taken out of the clause before matching
    parts: tuple[Slot | Literal, ...]

    def required(self) -> tuple[frozenset[str], ...]:
        """For every literal that must be there, the words that it can begin with."""
        return tuple(
            frozenset(option[0] for option in part.options)
            for part in self.parts
            if isinstance(part, Literal) and not part.optional
        )


@dataclass(frozen=True)
class Grammar:
    """All constructions in order, and the verbs."""

    constructions: tuple[Construction, ...]
    by_first: dict[str, tuple[int, ...]]  # first word -> numbers of constructions
    open_first: tuple[int, ...]  # constructions that begin with a slot
    required: tuple[tuple[frozenset[str], ...], ...]
    verbs: dict[str, frozenset[str]]  # name of a verb class -> its phrases

    def candidates(self, words: list[str]) -> list[Construction]:
        """The constructions that could match these words, in order."""
        if not words:
            return []
        present = set(words)
        numbers = sorted({*self.by_first.get(words[0], ()), *self.open_first})
        return [
            self.constructions[n]
            for n in numbers
            if all(not first.isdisjoint(present) for first in self.required[n])
        ]


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """The grammar of operations.txt, read once.

    Raises:
        ValueError: a line that cannot be read.
    """
    verbs: dict[str, tuple[str, ...]] = {}
    sections: list[tuple[str, list[str]]] = []
    for line in (FOLDER / "operations.txt").read_text("utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if _HEADING.fullmatch(line):
            sections.append((line.strip("[]"), []))
        elif line and sections[-1][0] == "verbs":
            name, _, words = line.partition(":")
            verbs[name.strip()] = tuple(word.strip() for word in words.split(","))
        elif line:
            sections[-1][1].append(line)
    every = _with_filters(verbs)
    found = [
        Construction(builder, tuple(heading.split()[1:]), parts)
        for heading, lines in sections
        for builder in heading.split()[0].split(",")
        for line in lines
        for parts in _compile(line, every)
    ]
    by_first: dict[str, set[int]] = {}
    open_first: list[int] = []
    for number, construction in enumerate(found):
        first = construction.parts[0]
        if isinstance(first, Slot):
            open_first.append(number)
            continue
        for option in first.options:
            by_first.setdefault(option[0], set()).add(number)
    return Grammar(
        tuple(found),
        {word: tuple(sorted(numbers)) for word, numbers in by_first.items()},
        tuple(open_first),
        tuple(construction.required() for construction in found),
        {name: frozenset(words) for name, words in every.items()},
    )


def verb_length(words: list[str]) -> int:
    """How many words the longest verb has that `words` begin with; 0 if they begin with none."""
    every = grammar().verbs.values()
    lengths = (n for n in range(min(4, len(words)), 0, -1) if _is_verb(" ".join(words[:n]), every))
    return next(lengths, 0)


def _is_verb(phrase: str, every: Iterable[frozenset[str]]) -> bool:
    return any(phrase in phrases for phrases in every)


def _with_filters(verbs: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """`verbs` with the class `filter`: the verbs of every filter."""
    words = tuple(word for name in FILTERS for word in verbs.get(name, ()))
    return {**verbs, "filter": words}


_HEADING = re.compile(r"\[[a-z_, ]+\]")
_PIECE = re.compile(r"<(\w)>|@(\w+)|\(([^()]*)\)|\[([^\[\]]*)\]|([^\s<>@()\[\]]+)")


def _compile(line: str, verbs: dict[str, tuple[str, ...]]) -> Iterator[tuple[Slot | Literal, ...]]:
    """The patterns of one line; a group that holds a slot, or an optional first word, makes two."""
    match = re.search(r"[\[(][^\[\]()]*<[^\[\]()]*[\])]", line) or re.match(r"\[[^\]]*\]", line)
    if match is not None:
        inside = match.group()[1:-1].split("|")
        for option in (*inside, "") if match.group()[0] == "[" else inside:
            yield from _compile(
                f"{line[: match.start()]}{option}{line[match.end() :]}".strip(), verbs
            )
        return
    parts: list[Slot | Literal] = []
    for slot, verb, group, maybe, word in _PIECE.findall(line):
        if slot:
            parts.append(Slot(slot))
        elif verb:
            parts.append(Literal(_options(verbs[verb])))
        elif group or maybe:
            parts.append(Literal(_options(tuple((group or maybe).split("|"))), bool(maybe)))
        else:
            parts.append(Literal(((word,),)))
    yield tuple(parts)


def _options(phrases: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        sorted((tuple(phrase.split()) for phrase in phrases if phrase), key=lambda p: -len(p))
    )


@dataclass(frozen=True)
class Match:
    """One way to read a clause: the first literal's words, and the tokens of every slot."""

    verb: str
    slots: dict[str, Tokens]
    literals: tuple[str, ...]


def matches(construction: Construction, tokens: Tokens, limit: int = 60) -> Iterator[Match]:
    """Every way (up to `limit`) in which the construction covers all the tokens."""
    words = [token.word if token.kind != "quote" else "" for token in tokens]
    for number, (slots, literals) in enumerate(_match(construction.parts, tokens, words, 0)):
        if number == limit:
            return
        yield Match(literals[0] if literals else "", slots, literals)


_Found = tuple[dict[str, Tokens], tuple[str, ...]]


def _match(
    parts: tuple[Slot | Literal, ...], tokens: Tokens, words: list[str], at: int
) -> Iterator[_Found]:
    if not parts:
        if at == len(tokens):
            yield {}, ()
        return
    part, rest = parts[0], parts[1:]
    if isinstance(part, Literal):
        yield from _match_literal(part, rest, tokens, words, at)
        return
    if not rest:
        if at < len(tokens):
            yield {part.name: tokens[at:]}, ()
        return
    for stop in range(at + 1, len(tokens) + 1):
        if _cuts(tokens, words, stop):
            continue
        for slots, literals in _match(rest, tokens, words, stop):
            yield {part.name: tokens[at:stop], **slots}, literals


def _cuts(tokens: Tokens, words: list[str], stop: int) -> bool:
    """Whether a slot would end inside a noun: "make the traffic | light green"."""
    if stop < len(tokens) and tokens[stop].kind == "own":
        return True
    if stop + 1 >= len(words):
        return False
    if words[stop - 2 : stop] == ["of", "her"]:
        return True  # "the sleeves of her | dress longer"
    return lexicon().compounds.whole(words[stop - 1 : stop + 1]) is not None


def _match_literal(
    part: Literal, rest: tuple[Slot | Literal, ...], tokens: Tokens, words: list[str], at: int
) -> Iterator[_Found]:
    for option in part.options:
        stop = at + len(option)
        if words[at : at + 1] == [option[0]] and tuple(words[at:stop]) == option:
            for slots, literals in _match(rest, tokens, words, stop):
                yield slots, (" ".join(option), *literals)
    if part.optional:
        yield from _match(rest, tokens, words, at)
