"""Words -> numbers, with no table of words: any phrase has ids, and phrases alike share some.

A word is known by the hash of itself and of its character 3-grams (with ^ before and $ behind), as
in fastText [Bojanowski et al. 2017], so that a word that was never seen still has the neighbours
that it is spelled like. A phrase is known by the hash of all of it, and of its pairs of words, so
that a known name ("fire engine") acts as one unit.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["NUM_IDS", "phrase_ids", "singular", "split_words", "word_ids"]

PADDING = 0
NUM_IDS = 32  # of `phrase_ids`
_WORD = re.compile(r"[^\W_]+")
_ARTICLES = frozenset(("a", "an", "the"))
#: What the rules of `singular` would get wrong.
_IRREGULAR = {
    "axes": "axe", "buses": "bus", "calves": "calf", "canoes": "canoe", "children": "child",
    "elves": "elf", "feet": "foot", "geese": "goose", "halves": "half", "hooves": "hoof",
    "knives": "knife", "leaves": "leaf", "lenses": "lens", "lives": "life", "loaves": "loaf",
    "men": "man", "mice": "mouse", "oxen": "ox", "people": "person", "scarves": "scarf",
    "shelves": "shelf", "teeth": "tooth", "thieves": "thief", "toes": "toe", "wives": "wife",
    "wolves": "wolf", "women": "woman", "werewolves": "werewolf",
}  # fmt: skip
_NO_PLURAL = frozenset(("bias", "canvas", "christmas", "gas", "lens", "pancreas"))
_LOSES_ES = re.compile(r"(ch|sh|x|zz|ss|(?<!sh)o|[^aeo]us)es$")
_KEEPS_S = re.compile(r"(ss|us|is)$")


def split_words(text: str) -> list[str]:
    """The words of a phrase: lower case, no accents (NFKD), no articles, no 's, in the singular."""
    marked = unicodedata.normalize("NFKD", text.replace("’", "'")).lower()
    plain = "".join(c for c in marked if not unicodedata.combining(c))
    plain = re.sub(r"'s\b", "", unicodedata.normalize("NFKC", plain))
    return [singular(word) for word in _WORD.findall(plain) if word not in _ARTICLES]


def singular(word: str) -> str:
    """One spelling for a lower-case noun and its plural; not always a word ("cookies": "cooky")."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 3 and word.endswith("s") and word not in _NO_PLURAL:
        if _LOSES_ES.search(word):
            word = word[:-2]
        elif not _KEEPS_S.search(word):
            word = word[:-1]
    # "cookie" and "pony" lose their number alike: both become -y.
    return word[:-2] + "y" if len(word) > 3 and word.endswith("ie") else word


def word_ids(
    text: str, *, num_rows: int = 12, num_ids: int = 16, buckets: int = 16384
) -> NDArray[np.int64]:
    """The ids of a phrase, one row a unit; 0 fills up.

    Row 0 is the phrase as a whole: its hash, then those of its pairs of neighbouring words. Every
    further row is one word: its hash, then those of its 3-grams. What is too long for a row or for
    the rows is left out; text without words gives zeros alone.

    Args:
        text: anything.
        num_rows: of the answer, 2 or more.
        num_ids: in a row, 1 or more.
        buckets: ids are below this, and 1 or more: the rows of an embedding table.

    Returns:
        (num_rows, num_ids), the same on every machine (CRC-32).

    Raises:
        ValueError: sizes too small.
    """
    if num_rows < 2 or num_ids < 1 or buckets < 2:
        raise ValueError(
            "Word ids need 2 rows, 1 id and 2 buckets or more; got "
            f"num_rows={num_rows}, num_ids={num_ids}, buckets={buckets}."
        )
    ids = np.full((num_rows, num_ids), PADDING, np.int64)
    words = split_words(text)
    if not words:
        return ids
    pairs = pairwise(words)
    rows = [[f"p:{' '.join(words)}", *(f"b:{a} {b}" for a, b in pairs)]]
    rows += [[f"w:{word}", *_grams(word)] for word in words]
    for row, keys in zip(ids, rows, strict=False):
        kept = keys[:num_ids]
        row[: len(kept)] = [1 + zlib.crc32(key.encode()) % (buckets - 1) for key in kept]
    return ids


def phrase_ids(text: str, buckets: int = 16384) -> NDArray[np.int64]:
    """The ids of a phrase in one row, those of its units one after the other: (NUM_IDS,)."""
    found = word_ids(text, buckets=buckets)
    found = found[found != PADDING][:NUM_IDS]
    return np.pad(found, (0, NUM_IDS - len(found)))


def _grams(word: str) -> list[str]:
    marked = f"^{word}$"
    return [f"g:{marked[i : i + 3]}" for i in range(len(marked) - 2)]
