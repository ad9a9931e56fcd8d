"""Which noun may stand for which: "couch" for a sofa, "animal" for a cat, "fruit" for an apple.

`synonyms.txt` comes first, written for this package. What it lacks is looked up in WordNet 3.0's
tree of nouns that can be seen (kinds.tsv.gz; its licence stands in lexicon/LICENCES.md);
`python -m editanything.command.kinds FOLDER` rebuilds that from WordNet's `data.noun` and
`index.noun`. The tree is opened only when a noun is no region's own name.
"""

from __future__ import annotations

import gzip
import io
import sys
from functools import lru_cache
from pathlib import Path

from editanything.command.nouns import is_person

HERE = Path(__file__).parent / "lexicon"
TREE = HERE / "kinds.tsv.gz"
#: How well a noun fits a region of another name. A lead of `CLEAR_LEAD` decides between regions.
EXACT, SAME, KIND, HEAD_WORD = 1.0, 0.98, 0.85, 0.8
#: WordNet's lexicographer files of things that can be seen: tops, animals, artifacts, bodies, food,
#: groups, objects, people, phenomena, plants, substances.
_SEEN = frozenset({3, 5, 6, 8, 13, 14, 17, 18, 19, 20, 27})
_TRANSFERRED = frozenset({18, 20})  # people, plants
_SENSES = 2  # of a noun that count, among those that can be seen: the first are the commonest
_MOST_WORDS = 2


@lru_cache(maxsize=8192)
def likeness(noun: str, label: str) -> float:
    """How well `noun` names a thing that is called `label`, both in the singular.

    Returns:
        1 for the name itself, less for a synonym, a kind ("animal" for a cat) and the last word of
        a compound ("dinner plate" for a plate); 0 where it is no name for it ("cat" for an animal).
    """
    if noun == label:
        return EXACT
    if label in _same().get(noun, ()) or label.endswith(f" {noun}"):
        return SAME
    if _is_kind_of(label, noun) or (noun == "person" and is_person(label)):
        return KIND
    shorter = noun.partition(" ")[2]
    if shorter and label not in _same() and likeness(shorter, label) >= SAME:
        return HEAD_WORD
    if shorter and shorter == label:
        return HEAD_WORD
    return _by_wordnet(noun, label)


@lru_cache(maxsize=1)
def _lines() -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    here = ""
    for line in (HERE / "synonyms.txt").read_text("utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            here = line.strip("[]")
        elif line:
            sections.setdefault(here, []).append(line)
    return {name: tuple(lines) for name, lines in sections.items()}


@lru_cache(maxsize=1)
def _same() -> dict[str, frozenset[str]]:
    out = {}
    for line in _lines()["same"]:
        words = frozenset(word.strip() for word in line.split(","))
        out.update(dict.fromkeys(words, words))
    return out


@lru_cache(maxsize=1)
def _listed_kinds() -> dict[str, frozenset[str]]:
    out = {}
    for line in _lines()["kinds"]:
        kind, _, words = line.partition(":")
        out[kind.strip()] = frozenset(word.strip() for word in words.split(","))
    return out


def _is_kind_of(label: str, kind: str) -> bool:
    return any(label in _listed_kinds().get(name, ()) for name in _same().get(kind, (kind,)))


def _by_wordnet(noun: str, label: str) -> float:
    tree = _tree()
    asked = tree.senses(noun)
    if not asked:
        return 0.0
    for sense in tree.senses(label) or tree.senses(label.rpartition(" ")[2]):
        if sense in asked:
            return SAME
        if not asked.isdisjoint(tree.above(sense)):
            return KIND
    return 0.0


class _Tree:
    """Nouns and what lies above each of their senses."""

    def __init__(self, path: Path) -> None:
        self._above: list[tuple[int, ...]] = []
        self._senses: dict[str, list[int]] = {}
        for number, line in enumerate(gzip.decompress(path.read_bytes()).decode().splitlines()):
            above, _, words = line.partition("\t")
            self._above.append(tuple(int(index) for index in above.split()))
            for noun in words.split(",") if words else ():
                self._senses.setdefault(noun, []).append(number)

    def senses(self, noun: str) -> frozenset[int]:
        """The commonest senses of a noun that can be seen."""
        return frozenset(self._senses.get(noun, ()))

    def above(self, sense: int) -> frozenset[int]:
        """All that a sense is a kind of."""
        found: set[int] = set()
        todo = list(self._above[sense])
        while todo:
            number = todo.pop()
            if number not in found:
                found.add(number)
                todo.extend(self._above[number])
        return frozenset(found)


@lru_cache(maxsize=1)
def _tree() -> _Tree:
    return _Tree(TREE)


def build_tree(folder: Path, target: Path) -> int:
    """Write our tree from WordNet's files (by its manual page wndb(5WN)); the number of lines.

    A line is one sense: `numbers of the lines that lie above it<tab>noun,noun`.
    """
    lines: dict[str, tuple[int, list[str]]] = {}  # offset -> lexicographer file, what lies above
    for line in (folder / "data.noun").read_text("latin-1").splitlines():
        fields = line.partition(" | ")[0].split()
        stop = 4 + 2 * int(fields[3], 16) if not line.startswith("  ") else 4
        common = any(word == word.lower() for word in fields[4:stop:2])
        if common and int(fields[1]) in _SEEN:
            links = zip(fields[stop + 1 :: 4], fields[stop + 2 :: 4], strict=False)
            lines[fields[0]] = int(fields[1]), [offset for sign, offset in links if sign == "@"]
    nouns: dict[str, list[str]] = {}  # offset -> its nouns
    for line in (folder / "index.noun").read_text("latin-1").splitlines():
        fields = line.split()
        if not line.startswith("  ") and fields[0].count("_") < _MOST_WORDS:
            senses = [offset for offset in fields[-int(fields[2]) :] if offset in lines]
            for offset in _plain(senses, lines):
                nouns.setdefault(offset, []).append(fields[0].replace("_", " "))
    kept = _reached(set(nouns), lines)
    number = {offset: str(index) for index, offset in enumerate(kept)}
    rows = [
        f"{' '.join(number[up] for up in lines[offset][1] if up in number)}"
        f"\t{','.join(nouns.get(offset, ()))}\n"
        for offset in kept
    ]
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        file.write("".join(rows).encode())
    target.write_bytes(out.getvalue())
    return len(rows)


def _plain(senses: list[str], lines: dict[str, tuple[int, list[str]]]) -> list[str]:
    """The commonest senses, without people and plants that bear the name of something else.

    WordNet knows a "dog" that is a woman, a "star" that is an actor, and an "apple" that is a tree.
    """
    files = [lines[sense][0] for sense in senses]
    plain = [
        sense
        for sense, file in zip(senses, files, strict=True)
        if file not in _TRANSFERRED or file == files[0]
    ]
    return plain[:_SENSES]


def _reached(found: set[str], lines: dict[str, tuple[int, list[str]]]) -> list[str]:
    """The synsets `found` and all above them, in WordNet's order."""
    todo = list(found)
    while todo:
        for above in lines[todo.pop()][1]:
            if above in lines and above not in found:
                found.add(above)
                todo.append(above)
    return sorted(found)


if __name__ == "__main__":
    build_tree(Path(sys.argv[1]), TREE)
