"""Text -> tokens: quotes kept whole, contractions opened, numbers read, typing slips repaired."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from editanything import colors
from editanything.command import english, things
from editanything.command.lexicon import lexicon


@dataclass(frozen=True)
class Token:
    """One word, number, quotation or sign.

    `word` is its lower-case form after repair, `raw` the letters as typed. `kind` is word, number,
    quote, color, comma, stop, arrow, own (the possessive) or, after places.py, one of the kinds
    named there; `value` is what the kind adds: a number, the quoted text, a relation's name.
    """

    word: str
    raw: str
    kind: str = "word"
    value: str = ""
    known: bool = True

    @property
    def number(self) -> float | None:
        """The number that the token says, None if it says none."""
        return float(self.value) if self.kind == "number" else None


_PARTS = re.compile(
    r"""
    (?P<quote>"[^"]*"|“[^”]*”|«[^»]*»|(?<!\w)'[^']+'(?!\w)|(?<!\w)‘[^’]+’(?!\w)|`[^`]+`)
  | (?P<color>\#(?:[0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-z])|rgb\s*\(\s*\d+\s*,?\s*\d+\s*,?\s*\d+\s*\))
  | (?P<arrow>-+>|=+>|→|⇒|➜|(?<=\w)\s*[:=]\s)
  | (?P<ordinal>\d+(?:st|nd|rd|th)\b)
  | (?P<decade>(?:\d\d)?\d0['’]?s\b)
  | (?P<number>\d{1,9}\s?/\s?\d{1,9}(?!\d)|\d{1,9}(?:[.,]\d{1,9})?(?!\d))
  | (?P<unit>%|°)
  | (?P<amp>b\s?&\s?w\b|&|\+)
  | (?P<word>[^\W\d_]+(?:['’\-][^\W\d_]+)*['’]?)
  | (?P<comma>,)
  | (?P<stop>[.;!?…\n]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CONTRACTED = {
    "n't": "not", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would", "'m": "am",
}  # fmt: skip
_WHOLE = {
    "dont": "do not", "cant": "can not", "wont": "will not", "can't": "can not",
    "won't": "will not", "shan't": "shall not", "doesnt": "does not", "isnt": "is not",
    "shouldnt": "should not", "didnt": "did not", "im": "i am", "ive": "i have", "id": "i would",
    "let's": "let us", "lets": "let us", "it's": "it is", "that's": "that is", "what's": "what is",
    "there's": "there is", "here's": "here is", "who's": "who is", "he's": "he is",
    "she's": "she is", "cannot": "can not", "wanna": "want to", "gonna": "going to",
    "gimme": "give me", "lemme": "let me", "whats": "what is", "thats": "that is",
    "colour": "color", "colours": "colors", "coloured": "colored", "grey": "gray",
    "greyscale": "grayscale", "centre": "center", "pic": "picture", "pics": "pictures",
    "pls": "please", "plz": "please", "u": "you", "w/": "with", "bg": "background",
    "backgrounds": "background", "b&w": "black and white", "bw": "black and white", "&": "and",
    "+": "and", "w": "with", "pix": "pixels", "gotta": "got to", "thru": "through",
    "recolour": "recolor", "colourful": "colorful", "thx": "thanks", "n": "and",
    "tshirt": "t-shirt", "tee-shirt": "t-shirt", "moustache": "mustache", "favour": "favor",
    "favourite": "favorite", "neighbour": "neighbor", "airplane": "airplane", "ur": "your",
    "jewellery": "jewelry", "tyre": "tire", "tyres": "tires", "blonde": "blond",
}  # fmt: skip
_UNITS_AND_TEENS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)  # fmt: skip
NUMBERS = {word: float(n) for n, word in enumerate(_UNITS_AND_TEENS)} | {
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0,
    "ninety": 90.0, "hundred": 100.0, "dozen": 12.0, "couple": 2.0,
}  # fmt: skip
ORDINALS = {
    word: n
    for n, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
        ],
        1,
    )
} | {"last": -1}
#: Units and signs that never need repair, besides the lexicon's own words.
_SMALL = frozenset(
    [
        "px",
        "pct",
        "deg",
        "rgb",
        "hd",
        "uhd",
        "res",
        "mm",
        "cm",
        "x",
        "k",
        "p",
        "a",
        "i",
        "o",
        "s",
        "t",
        "b",
        "c",
        "d",
        "e",
    ]
)


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of a command. Unknown words are repaired where the vocabulary has a near one."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    out: list[Token] = []
    for match in _PARTS.finditer(text):
        out.extend(_tokens(match.lastgroup or "", match.group().strip()))
    return tuple(out)


def _tokens(kind: str, raw: str) -> Iterable[Token]:
    lower = raw.casefold()
    if kind == "quote":
        return [Token("“quote”", raw, "quote", raw[1:-1].strip())]
    if kind == "color":
        return [Token("".join(lower.split()), raw, "color")]
    if kind == "number":
        return [Token(lower, raw, "number", str(_number(lower)))]
    if kind == "ordinal":
        return [Token(lower, raw, "ordinal", re.sub(r"\D", "", lower))]
    if kind == "decade":
        return [Token(lower.replace("'", ""), raw)]
    if kind == "unit":
        return [Token({"%": "percent", "°": "degrees"}[lower], raw)]
    if kind in {"comma", "stop", "arrow"}:
        return [Token({"comma": ",", "stop": ".", "arrow": "->"}[kind], raw, kind)]
    return _word_tokens("b&w" if "&" in lower and len(lower) > 1 else lower, raw)


def _number(text: str) -> float:
    if "/" in text:
        above, below = (float(part) for part in text.split("/"))
        return above / below if below else 0.0
    return float(text.replace(",", "."))


def _word_tokens(word: str, raw: str) -> list[Token]:
    if word in _WHOLE:
        return [_plain(part, raw) for part in _WHOLE[word].split()]
    for ending, full in _CONTRACTED.items():
        if word.endswith(ending) and len(word) > len(ending):
            stem = word.removesuffix(ending)
            return [*_word_tokens(stem, raw.removesuffix(ending)), _plain(full, raw)]
    if word.endswith("'s"):
        return [*_word_tokens(word[:-2], raw[:-2]), Token("'s", "'s", "own")]
    if word.endswith("'"):
        own = [Token("'s", "'", "own")] if word.endswith("s'") else []
        return [*_word_tokens(word[:-1], raw[:-1]), *own]
    if "-" in word and word not in lexicon().vocabulary:
        parts = zip(word.split("-"), raw.split("-"), strict=True)
        return [token for part, typed in parts for token in _word_tokens(part, typed)]
    return [_plain(word, raw)]


def _plain(word: str, raw: str) -> Token:
    if word in NUMBERS and word != "one":
        return Token(word, raw, "number", str(NUMBERS[word]))
    if word in ORDINALS:
        return Token(word, raw, "ordinal", str(ORDINALS[word]))
    fixed = repair(american(word))
    if fixed in NUMBERS and fixed != "one":
        return Token(fixed, raw, "number", str(NUMBERS[fixed]))
    if fixed in _WHOLE and " " not in _WHOLE[fixed]:
        fixed = _WHOLE[fixed]
    return Token(fixed, raw, known=_is_known(fixed))


def _is_known(word: str) -> bool:
    return _is_common(word) or bool(things.kinds(word))


def _is_common(word: str) -> bool:
    if word in lexicon().vocabulary or word in _SMALL or english.is_english(word):
        return True
    return colors.comparative(word) is not None


def _likely_slip(word: str, candidate: str) -> bool:
    """Whether a rare word ("bleu", a place, a name) is likelier a slip of a usual one."""
    return sorted(word) == sorted(candidate) or (len(word) > 4 and candidate in lexicon().core)


_BRITISH = (
    ("our", "or"), ("isation", "ization"), ("ising", "izing"), ("ised", "ized"), ("ises", "izes"),
    ("ise", "ize"), ("tre", "ter"), ("ogue", "og"), ("lled", "led"), ("lling", "ling"),
    ("ller", "ler"), ("yse", "yze"), ("mould", "mold"), ("plough", "plow"), ("pyjama", "pajama"),
    ("kerb", "curb"), ("aeroplane", "airplane"), ("doughnut", "donut"), ("programme", "program"),
    ("armour", "armor"), ("gramme", "gram"), ("storey", "story"),
)  # fmt: skip


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
def repair(word: str) -> str:
    """The word, or the nearest word of the vocabulary if it is none.

    At most one edit in a word of up to five letters, two in a longer one (an edit puts in, leaves
    out, changes or swaps neighbouring letters). A correct English word is never touched.
    """
    if len(word) < 3 or len(word) > 24 or not word.isalpha() or _is_common(word):
        return word
    rare = bool(things.kinds(word))
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    limit = 1 if len(word) <= 5 else 2
    near = process.extract(
        word, _candidates(), scorer=OSA.distance, score_cutoff=limit, limit=12, processor=None
    )
    if rare:
        near = [found for found in near if _likely_slip(word, found[0])]
    if not near:
        return word
    return min(near, key=lambda found: _slip_cost(word, found[0], int(found[1])))[0]


def _slip_cost(word: str, candidate: str, distance: int) -> tuple[int, int, int, int, int, str]:
    """Swapped letters are the likeliest slip, then doubled ones; common words before others."""
    swapped = sorted(word) == sorted(candidate)
    doubled = set(word) == set(candidate)
    return (
        distance - (1 if swapped and distance > 1 else 0),
        0 if swapped else 1,
        0 if doubled else 1,
        0 if candidate in lexicon().core else 1,
        0 if word[0] == candidate[0] else 1,
        candidate,
    )


@lru_cache(maxsize=1)
def _candidates() -> tuple[str, ...]:
    """The vocabulary and the plurals of its nouns."""
    lex = lexicon()
    nouns = {word for words in lex.kinds.values() for word in words if " " not in word}
    plurals = {plural(noun) for noun in nouns if noun not in lex.plural_only}
    return tuple(sorted(word for word in lex.vocabulary | plurals if len(word) > 1))


def plural(noun: str) -> str:
    """The regular plural of a noun."""
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
