"""Kinds of things, and nouns of several words: from WordNet, for what our own lists lack.

The table (lexicon/things.tsv.gz) is made from the nouns of WordNet 3.0;
`python -m editanything.command.things FOLDER` rebuilds it from WordNet's `data.noun` and
`index.noun`. Our lists in nouns.txt always come first: they know what pictures show. Like the
English table it is opened only when a sentence needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from editanything.command.english import WordTable, write_table

TABLE = Path(__file__).parent / "lexicon" / "things.tsv.gz"
#: Letter in the table -> kind of thing; the kinds that nouns.txt has bear the same names.
KINDS = {
    "p": "person", "a": "animal", "c": "clothing", "y": "accessory", "b": "body", "v": "vehicle",
    "m": "material", "o": "object", "n": "name",
}  # fmt: skip
#: WordNet's lexicographer files of things that can be seen.
_SEEN = {5: "a", 6: "o", 8: "b", 10: "o", 13: "o", 17: "o", 18: "p", 19: "o", 20: "o", 27: "o"}
_ONLY_COMPOUNDS = {10}  # of what is said or written, only "road sign" and its like
_NAMED = {15, 17, 18}  # single places and people: words that are no typing slips
#: A synset below one of these words is of this kind as well.
_BELOW = {
    "clothing": "c", "footwear": "c", "headdress": "c", "garment": "c", "jewelry": "y",
    "adornment": "y", "vehicle": "v", "conveyance": "v", "fabric": "m", "metallic_element": "m",
    "wood": "m", "rock": "m", "alloy": "m", "building_material": "m", "leather": "m",
    "transparent_gem": "m", "opaque_gem": "m", "plastic": "m", "ceramic": "m", "glass": "m",
    "paper": "m",
}  # fmt: skip
_SENSES = 3  # of a noun that are looked at: the first is the commonest


@lru_cache(maxsize=1)
def _table() -> WordTable:
    return WordTable(TABLE)


@lru_cache(maxsize=4096)
def kinds(noun: str) -> frozenset[str]:
    """The kinds of a noun in the singular; empty where WordNet has no such thing to be seen."""
    letters = _table().get(noun)
    return frozenset(KINDS[letter] for letter in letters or "")


def nouns() -> Iterator[str]:
    """Every noun of the table."""
    return _table().words()


def is_thing(noun: str) -> bool:
    """Whether WordNet knows the noun, of one or of several words, as something to be seen."""
    return bool(kinds(noun) - {"name"})


@dataclass(frozen=True)
class _Synset:
    file: int  # lexicographer file
    words: tuple[str, ...]
    above: tuple[str, ...]  # offsets of its hypernyms
    instance: bool  # one single thing, such as a town


def _read_synsets(path: Path) -> dict[str, _Synset]:
    """Offset -> synset, by the manual page wndb(5WN)."""
    out = {}
    for line in path.read_text("latin-1").splitlines():
        if line.startswith("  "):
            continue
        fields = line.partition(" | ")[0].split()
        stop = 4 + 2 * int(fields[3], 16)
        links = list(zip(fields[stop + 1 :: 4], fields[stop + 2 :: 4], strict=False))
        out[fields[0]] = _Synset(
            int(fields[1]),
            tuple(fields[4:stop:2]),
            tuple(offset for sign, offset in links if sign in {"@", "@i"}),
            any(sign == "@i" for sign, _ in links),
        )
    return out


def _letters(offset: str, synsets: dict[str, _Synset], compound: bool) -> str:
    """The kinds of one sense of a noun."""
    synset = synsets[offset]
    plain = _SEEN.get(synset.file, "")
    if synset.instance and synset.file in _NAMED and not compound:
        return "n"
    if not plain or synset.instance or (synset.file in _ONLY_COMPOUNDS and not compound):
        return ""
    if plain == "p" and not any(word.islower() for word in synset.words):
        return ""
    found, open_offsets, seen = plain, [offset], set()
    while open_offsets:
        above = open_offsets.pop()
        if above not in seen:
            seen.add(above)
            open_offsets.extend(synsets[above].above)
            found += "".join(_BELOW.get(word, "") for word in synsets[above].words)
    return found


def build_table(folder: Path, target: Path) -> int:
    """Write our table from WordNet's files; the number of nouns."""
    synsets = _read_synsets(folder / "data.noun")
    lines = []
    for line in (folder / "index.noun").read_text("latin-1").splitlines():
        if line.startswith("  "):
            continue
        fields = line.split()
        noun = fields[0].replace("_", " ")
        if not noun.replace(" ", "").isalpha() or noun.count(" ") > 2:
            continue
        senses = fields[-int(fields[2]) :][:_SENSES]
        letters = next(
            (found for offset in senses if (found := _letters(offset, synsets, " " in noun))), ""
        )
        materials = "m" if any("m" in _letters(offset, synsets, False) for offset in senses) else ""
        if letters:
            lines.append(f"{noun}\t{''.join(sorted({*letters, *materials}))}\n")
    write_table(lines, target)
    return len(lines)


if __name__ == "__main__":
    build_table(Path(sys.argv[1]), TABLE)
