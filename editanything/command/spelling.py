"""Typing slips and spellings: the word of the vocabulary that was meant."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

from editanything import colors
from editanything.command import english, things
from editanything.command.lexicon import lexicon
from editanything.command.numerals import NUMBERS, ORDINALS

#: Units and letters that never need repair, besides the lexicon's own words.
_SMALL = frozenset([
    "px", "pct", "deg", "rgb", "hd", "uhd", "res", "mm", "cm", "x", "k", "p", "a", "i", "o", "s",
    "t", "b", "c", "d", "e",
])  # fmt: skip
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BRITISH = (
    ("our", "or"), ("isation", "ization"), ("ising", "izing"), ("ised", "ized"), ("ises", "izes"),
    ("ise", "ize"), ("tre", "ter"), ("ogue", "og"), ("lled", "led"), ("lling", "ling"),
    ("ller", "ler"), ("yse", "yze"), ("mould", "mold"), ("plough", "plow"), ("pyjama", "pajama"),
    ("kerb", "curb"), ("aeroplane", "airplane"), ("doughnut", "donut"), ("programme", "program"),
    ("armour", "armor"), ("gramme", "gram"), ("storey", "story"), ("licence", "license"),
)  # fmt: skip
_LONG = 7  # letters from which on any English noun may be what was meant


def is_known(word: str) -> bool:
    """Whether the lexicon, the English table or WordNet has the word."""
    return _is_common(word) or bool(things.kinds(word))


def _is_common(word: str) -> bool:
    if word in lexicon().vocabulary or word in _SMALL or word in NUMBERS or word in ORDINALS:
        return True
    return english.is_english(word) or colors.comparative(word) is not None


@lru_cache(maxsize=4096)
def american(word: str) -> str:
    """The American spelling of a British word, where the vocabulary has only that one."""
    known = lexicon().vocabulary
    if word in known or len(word) < 5:
        return word
    for british, ours in _BRITISH:
        spelt = word.replace(british, ours)
        if spelt != word and (spelt in known or _base_in(spelt, known)):
            return spelt
    return word


def _base_in(word: str, known: frozenset[str]) -> bool:
    """Whether an inflected form belongs to a word of the vocabulary."""
    bases = {lemma for lemmas in english.entry(word).values() for lemma in lemmas}
    return not bases.isdisjoint(known)


@lru_cache(maxsize=4096)
def repair(word: str, opens: bool = False) -> str:
    """The word, or the nearest word of the vocabulary if it is none.

    At most one edit in a word of up to five letters, two in a longer one (an edit puts in, leaves
    out, changes or swaps neighbouring letters). A correct English word is never touched. A long
    word that is one letter off any English noun is that noun.

    Args:
        word: in lower case.
        opens: whether it opens a clause, where a verb is likelier than anything else.
    """
    if not 3 <= len(word) <= 24 or not word.isalpha() or _is_common(word) or _is_plural(word):
        return word
    limit = 1 if len(word) <= 5 else 2
    near = _near(word, _candidates(), limit)
    if things.kinds(word):
        near = [found for found in near if _likely_slip(word, found[0])]
    if len(word) >= _LONG and not any(distance == 1 for _, distance in near):
        near = _near(word, _english(), 1) or near
    if not near:
        return word
    return min(near, key=lambda found: _slip_cost(word, found[0], found[1], opens))[0]


def _is_plural(word: str) -> bool:
    """Whether a word is several of a noun that only WordNet has: "blokes" are no blouses."""
    return len(word) > 5 and word.endswith("s") and bool(things.kinds(word[:-1]))


def near_verbs(word: str) -> list[str]:
    """The usual verbs that are one slip away from a word, the likeliest first."""
    if not 3 <= len(word) <= 24 or not word.isalpha():
        return []
    verbs = tuple(sorted(lexicon().openers & lexicon().core))
    near = _near(word, verbs, 1)
    near = [found for found in near if _kind_of_slip(word, found[0]) < 3 and found[1]]
    near.sort(key=lambda found: _slip_cost(word, found[0], found[1], True))
    return [found[0] for found in near][:3]


def _near(word: str, candidates: tuple[str, ...], limit: int) -> list[tuple[str, int]]:
    """The candidates within `limit` edits, with their distances."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(
        word, candidates, scorer=OSA.distance, score_cutoff=limit, limit=None, processor=None
    )
    return [(candidate, int(distance)) for candidate, distance, _ in found]


def _likely_slip(word: str, candidate: str) -> bool:
    """Whether a rare word ("bleu", a place, a name) is likelier a slip of a usual one."""
    return sorted(word) == sorted(candidate) or (len(word) > 4 and candidate in lexicon().core)


def _slip_cost(
    word: str, candidate: str, distance: int, opens: bool
) -> tuple[int, int, int, int, int, str]:
    """Swapped letters are the likeliest slip, then lost, doubled and neighbouring ones.

    Before all that stands a verb of the grammar where a clause opens.
    """
    swapped = sorted(word) == sorted(candidate)
    verb = opens and candidate in lexicon().openers
    return (
        distance - (1 if swapped and distance > 1 else 0) - (1 if verb else 0),
        0 if swapped else _kind_of_slip(word, candidate),
        0 if {candidate, candidate.removesuffix("s")} & lexicon().core else 1,
        0 if set(word) == set(candidate) else 1,
        0 if word[0] == candidate[0] else 1,
        candidate,
    )


def _kind_of_slip(word: str, candidate: str) -> int:
    """1 for a lost, doubled or neighbouring letter, 2 for one too many, 3 for any other."""
    if len(word) < len(candidate):
        return 1
    if len(word) > len(candidate):
        return 1 if set(word) == set(candidate) else 2
    pairs = [(a, b) for a, b in zip(word, candidate, strict=True) if a != b]
    return 1 if all(b in _neighbours(a) for a, b in pairs) else 3


@lru_cache(maxsize=32)
def _neighbours(letter: str) -> str:
    """The letters beside one on the keyboard."""
    for number, row in enumerate(_ROWS):
        at = row.find(letter)
        if at >= 0:
            beside = [row[max(0, at - 1) : at + 2]]
            beside += [
                other[max(0, at - 1) : at + 2]
                for other in _ROWS[max(0, number - 1) : number + 2]
                if other != row
            ]
            return "".join(beside)
    return ""


@lru_cache(maxsize=1)
def _candidates() -> tuple[str, ...]:
    """The vocabulary, the plurals of its nouns, numbers and ordinals."""
    lex = lexicon()
    nouns = {word for words in lex.kinds.values() for word in words if " " not in word}
    plurals = {_plural(noun) for noun in nouns if noun not in lex.plural_only}
    every = lex.vocabulary | plurals | NUMBERS.keys() | ORDINALS.keys()
    return tuple(sorted(word for word in every if len(word) > 1))


@lru_cache(maxsize=1)
def _english() -> tuple[str, ...]:
    """Every long noun of the English table and of WordNet."""
    every = chain(english.nouns(), (noun for noun in things.nouns() if " " not in noun))
    return tuple(word for word in every if len(word) >= _LONG - 1)


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
