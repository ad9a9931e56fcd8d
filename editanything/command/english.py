"""English words: their classes and lemmas, from the table that LemmInflect ships.

The table (lexicon/english.tsv.gz, 70,000 words) comes from the SPECIALIST lexicon of the US
National Library of Medicine; `python -m editanything.command.english TABLE` rebuilds it from
LemmInflect's `lemma_lu.csv.gz`. It is opened only when a sentence has a word that our own
vocabulary does not know, and searched by bisection: a dict of it would take 0.2 s to build.
"""

from __future__ import annotations

import gzip
import io
import sys
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).parent / "lexicon" / "english.tsv.gz"
CLASS_LETTERS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r", "aux": "v"}


class WordTable:
    """The lines `word<tab>rest` of a sorted, compressed file, found by bisection."""

    def __init__(self, path: Path) -> None:
        self._lines = gzip.decompress(path.read_bytes()).decode().split("\n")

    def get(self, word: str) -> str | None:
        """What stands after the word, None if the table lacks it."""
        at = bisect_left(self._lines, f"{word}\t")
        found = at < len(self._lines) and self._lines[at].startswith(f"{word}\t")
        return self._lines[at].partition("\t")[2] if found else None

    def words(self, holding: str = "\t") -> Iterator[str]:
        """Every word of the table whose line holds these letters, in order."""
        return (line.partition("\t")[0] for line in self._lines if holding in line)


def write_table(lines: list[str], target: Path) -> None:
    """Write the lines of a table, sorted and compressed; the same lines give the same bytes."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        file.write("".join(sorted(lines)).encode())
    target.write_bytes(out.getvalue())


@lru_cache(maxsize=1)
def _table() -> WordTable:
    return WordTable(TABLE)


@lru_cache(maxsize=4096)
def entry(word: str) -> dict[str, tuple[str, ...]]:
    """Class letter (n, v, a, r) -> lemmas of a lower-case word; empty if it is not English."""
    fields = _table().get(word)
    if fields is None:
        return {}
    return {field[0]: tuple(field[2:].split("/")) for field in fields.split("\t")}


def nouns() -> Iterator[str]:
    """Every word of the table that can be a noun."""
    return _table().words("\tn:")


def is_english(word: str) -> bool:
    """Whether the table knows the word."""
    return bool(entry(word))


def verb_base(word: str) -> str | None:
    """The base form of an inflected verb ("removing" -> "remove"), None if it is no verb."""
    lemmas = entry(word).get("v")
    return lemmas[0] if lemmas else None


def is_participle(word: str) -> bool:
    """Whether a word is what has been done to a thing or what it does: "eaten", "drawn", "running".

    Forms that are a noun as well ("painting") are none.
    """
    base = verb_base(word)
    if base is None or base == word or word.endswith("s"):
        return False
    return word.endswith(("ed", "en", "wn", "ne", "rn", "lt", "nt", "ilt", "und", "ing")) and (
        "n" not in entry(word)
    )


def noun_base(word: str) -> str | None:
    """The singular of a noun ("buses" -> "bus"), None if the table has no such noun.

    Where a form belongs to two nouns ("leaves", "glasses") the one that the form itself does not
    name is the singular.
    """
    lemmas = entry(word).get("n")
    if not lemmas:
        return None
    other = [lemma for lemma in lemmas if lemma != word]
    return other[0] if other else word


def build_table(source: Path, target: Path) -> int:
    """Write our table from LemmInflect's; the number of words."""
    words: dict[str, list[str]] = {}
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            word, kind, lemmas = line.strip().split(",")[:3]
            if word.isalpha() and word.islower():
                words.setdefault(word, []).append(f"{CLASS_LETTERS[kind]}:{lemmas}")
    write_table([f"{word}\t" + "\t".join(words[word]) + "\n" for word in words], target)
    return len(words)


if __name__ == "__main__":
    build_table(Path(sys.argv[1]), TABLE)
