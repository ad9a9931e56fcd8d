"""The lexicon: plain text tables under lexicon/ that a person can read and extend.

A table has `[sections]` of lines `name: word, word, ...`; everything after `#` is a comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from editanything import colors

FOLDER = Path(__file__).parent / "lexicon"
Table = dict[str, dict[str, tuple[str, ...]]]  # section -> name -> words


def read_table(name: str, only: str = "") -> Table:
    """The sections of one table, or `only` one of them.

    Raises:
        ValueError: a line that is neither a section nor an entry.
    """
    table: Table = {}
    section: dict[str, tuple[str, ...]] = {}
    here = ""
    for number, line in enumerate((FOLDER / name).read_text("utf-8").splitlines(), 1):
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            here = line.strip("[]")
            section = table.setdefault(here, {})
        elif line and only in {"", here}:
            key, colon, words = line.partition(":")
            if not colon:
                raise ValueError(f"{name}, line {number}: expected `name: words`, got {line!r}.")
            section[key.strip()] = tuple(word.strip() for word in words.split(",") if word.strip())
    return table


class Phrases:
    """A set of phrases of one or more words, each with a value; finds the longest at a place."""

    def __init__(self, pairs: dict[str, str]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for phrase, value in pairs.items():
            words = tuple(phrase.split())
            self._by_first.setdefault(words[0], []).append((words, value))
        for options in self._by_first.values():
            options.sort(key=lambda option: -len(option[0]))

    def at(self, words: tuple[str, ...] | list[str], start: int) -> tuple[str, int] | None:
        """The value of the longest phrase that begins at `start`, and where it stops."""
        if start >= len(words):
            return None
        for phrase, value in self._by_first.get(words[start], ()):
            stop = start + len(phrase)
            if tuple(words[start:stop]) == phrase:
                return value, stop
        return None

    def ends(self, words: tuple[str, ...] | list[str]) -> int | None:
        """Where the longest phrase that closes `words` begins."""
        for start in range(max(0, len(words) - 8), len(words)):
            found = self.at(words, start)
            if found is not None and found[1] == len(words):
                return start
        return None

    def whole(self, words: tuple[str, ...] | list[str]) -> str | None:
        """The value of the phrase that is exactly `words`."""
        found = self.at(words, 0)
        return found[0] if found is not None and found[1] == len(words) else None

    def words(self) -> set[str]:
        """Every single word of every phrase."""
        return {
            word for options in self._by_first.values() for words, _ in options for word in words
        }


def _inverted(section: dict[str, tuple[str, ...]]) -> Phrases:
    pairs: dict[str, str] = {}
    for name, words in section.items():
        for word in words:
            pairs.setdefault(word, name)
    return Phrases(pairs)


@dataclass(frozen=True)
class Lexicon:
    """Every table, ready to ask."""

    kinds: dict[str, frozenset[str]]  # kind of a noun -> nouns
    compounds: Phrases  # nouns of several words
    groups: dict[str, Phrases]  # image, background, everything, ...
    plural_only: frozenset[str]
    invariant: frozenset[str]
    irregular: dict[str, str]
    regions: Phrases
    relations: Phrases
    superlatives: Phrases
    directions: Phrases
    postures: Phrases
    inside: frozenset[str]
    attributes: dict[str, Phrases]  # kind of an attribute -> its values
    changing: Phrases  # verbs of change -> attribute and value
    scenes: Phrases
    scene_nouns: frozenset[str]
    attribute_nouns: Phrases
    filters: Phrases
    quantities: Phrases
    sizes: Phrases
    amounts: Phrases
    opposites: Phrases
    said: dict[str, dict[str, Phrases]]  # phrases.txt
    size_tails: Phrases
    deeds: Phrases  # nouns that say what is to be done -> verbs
    world: frozenset[str]  # towns and countries: where a picture may be taken
    sets: dict[str, frozenset[str]]  # small sets that single rules ask for
    vocabulary: frozenset[str]  # what typing slips are repaired to
    openers: frozenset[str]  # the first words of all verbs
    core: frozenset[str]  # the words that most sentences are made of: likelier than others


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    nouns, places = read_table("nouns.txt"), read_table("places.txt")
    values, phrases = read_table("values.txt"), read_table("phrases.txt")
    groups = nouns["groups"]
    everything = {word for words in nouns["kinds"].values() for word in words}
    irregular = dict(pair.split("=") for pair in groups["irregular"])
    said = {
        section: {name: Phrases(dict.fromkeys(words, name)) for name, words in entries.items()}
        for section, entries in phrases.items()
    }
    return Lexicon(
        kinds={kind: frozenset(words) for kind, words in nouns["kinds"].items()},
        compounds=Phrases({word: word for word in sorted(everything) if " " in word}),
        groups={
            name: Phrases(dict.fromkeys(words, name))
            for name, words in groups.items()
            if name not in {"plural_only", "invariant", "irregular"}
        },
        plural_only=frozenset(groups["plural_only"]),
        invariant=frozenset(groups["invariant"]),
        irregular=irregular,
        regions=_inverted(places["regions"]),
        relations=_inverted(places["relations"]),
        superlatives=_inverted(places["superlatives"]),
        directions=_inverted(places["directions"]),
        postures=_inverted(places["postures"]),
        inside=frozenset(places["inside"]["words"]),
        attributes={
            kind: Phrases(dict.fromkeys(words, kind))
            for kind, words in values["attributes"].items()
        },
        changing=_inverted(values["changing"]),
        scenes=_inverted(values["scenes"]),
        scene_nouns=frozenset(values["scene_nouns"]["words"]),
        attribute_nouns=_inverted(values["attribute_nouns"]),
        filters=_inverted(values["comparatives"]),
        quantities=_inverted(values["quantities"]),
        sizes=_inverted(values["sizes"]),
        amounts=_inverted(values["amounts"]),
        opposites=_inverted(values["opposites"]),
        said=said,
        size_tails=said["sets"]["size_tails"],
        deeds=_inverted(phrases["deeds"]),
        world=frozenset((*nouns["words"]["towns"], *nouns["words"]["lands"])),
        sets={name: frozenset(words) for name, words in phrases["sets"].items()},
        openers=_openers() - set(phrases["function"]["words"]),
        core=_core(phrases),
        vocabulary=_vocabulary((nouns, places, values, phrases), everything, set(irregular)),
    )


def _vocabulary(tables: tuple[Table, ...], nouns: set[str], irregular: set[str]) -> frozenset[str]:
    """Every single word of the tables, of the constructions and of the colour names."""
    out = {word for noun in nouns for word in noun.split()} | irregular
    for table in tables:
        for entries in table.values():
            out |= {part for words in entries.values() for word in words for part in word.split()}
    out |= {part for name in colors.names() for part in name.split()} | set(colors.MODIFIERS)
    operations = (FOLDER / "operations.txt").read_text("utf-8")
    for line in operations.splitlines():
        if not line.startswith(("#", "[")):
            cleaned = "".join(c if c.isalpha() or c in "-'&" else " " for c in line)
            out |= set(cleaned.split())
    return frozenset(word for word in out if word.replace("-", "").isalpha() and word.islower())


def _openers() -> frozenset[str]:
    """The first words of the verbs of operations.txt."""
    verbs = read_table("operations.txt", "verbs")["verbs"]
    return frozenset(word.split()[0] for words in verbs.values() for word in words)


def _core(phrases: Table) -> frozenset[str]:
    """Little words, basic colours and shares of the frame, the first four verbs of every class."""
    verbs = read_table("operations.txt", "verbs")["verbs"]
    first = {word for words in verbs.values() for word in words[:4] if word.isalpha()}
    usual = set(phrases["sets"]["usual"]) | set(colors.EXAMPLES)
    return frozenset(phrases["function"]["words"]) | first | set(verbs) | usual
