"""Text -> tokens: quotes kept whole, contractions opened, numbers read, typing slips repaired."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from editanything import colors
from editanything.command import english
from editanything.command.lexicon import lexicon
from editanything.command.numerals import NUMBERS, ORDINALS
from editanything.command.spelling import american, is_known, repair


@dataclass(frozen=True)
class Token:
    """One word, number, quotation or sign.

    `word` is its lower-case form after repair, `raw` the letters as typed. `kind` is word, number,
    quote, color, comma, stop, arrow, dash, ratio, own (the possessive) or, after places.py, one of
    the kinds named there; `value` is what the kind adds: a number, the quoted text, a relation's
    name.
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
  | (?P<color>\#(?:[0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-z])
      |rgb\s*\(\s*\d{1,9}(?:\s*,?\s*\d{1,9}){2}\s*\))
  | (?P<arrow>-+>|=+>|→|⇒|➜|(?<=\w)\s*[:=]\s)
  | (?P<dash>(?<=[\w"'”)])(?<!\bby)(?:\s+[-–−]+|\s*—)\s+(?=\w))
  | (?P<ordinal>\d{1,9}(?:st|nd|rd|th)\b)
  | (?P<decade>(?:\d\d)?\d0['’]?s\b)
  | (?P<ratio>(?<![\d:.])\d{1,2}:\d{1,2}(?![\d:]))
  | (?P<solid>[234]-?d\b)
  | (?P<price>[$€£¥]\s?\d{1,9}(?:[.,]\d{1,9})*|\d{1,9}(?:[.,]\d{1,9})?\s?[€£¥$](?!\w)
      |(?<![\w.-])\d{2,9}(?:-\d{2,9})+(?![\w.-]))
  | (?P<number>(?:(?:(?<![\w.)%°"'”–—−-])[-–−+]|(?<=\bby\s)[-–−+]\s?)(?!\d+(?:s|st|nd|rd|th|d)\b))?
      (?:\d{1,9}\s?/\s?\d{1,9}(?!\d)|\d{1,9}(?:[.,]\d{1,9})?(?!\d)))
  | (?P<unit>%|°)
  | (?P<amp>b\s?&\s?w\b|&|\+)
  | (?P<word>[^\W\d_]+(?:['’\-][^\W\d_]+)*['’]?)
  | (?P<comma>,)
  | (?P<stop>[.;!?…\n]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MINUS = "-–−"  # typed as a hyphen, an en dash (by a phone) or the sign itself
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
    "ppl": "people", "foto": "photo", "fotos": "photos", "hes": "he is", "shes": "she is",
    "theres": "there is", "theyre": "they are", "arent": "are not", "jewellery": "jewelry",
    "tyre": "tire", "tyres": "tires", "blonde": "blond",
    "ccw": "counterclockwise", "cw": "clockwise",
}  # fmt: skip


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of a command. Unknown words are repaired where the vocabulary has a near one."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    out: list[Token] = []
    typed = re.findall(r"[^\W\d_]+", text)
    named = 2 * sum(word[0].isupper() for word in typed) < len(typed)  # capitals mean names
    for match in _PARTS.finditer(text):
        opens = not out or out[-1].kind in {"stop", "comma", "dash"} or out[-1].word in _OPENERS
        raw = match.group().strip()
        if named and not opens and raw.istitle() and raw.isalpha() and raw.lower() not in _WHOLE:
            out.extend(_name(raw))
        else:
            out.extend(_tokens(match.lastgroup or "", raw, opens))
    return tuple(_mended(out))


def _mended(tokens: list[Token]) -> Iterable[Token]:
    """`form image B` is from it: the one slip between two right words that is common."""
    for at, token in enumerate(tokens):
        before, after = (tokens[at - 1].word if at else "the"), tokens[at + 1 : at + 2]
        slipped = token.word == "form" and before not in {"the", "a", "its", "this", "of", "to"}
        if slipped and after and after[0].word in _AFTER_FROM:
            token = replace(token, word="from")
        yield token


_AFTER_FROM = {
    "the", "image", "picture", "photo", "my", "a", "this", "that", "reference", "second", "left",
    "right", "top", "bottom",
}  # fmt: skip
#: Words after which a clause opens, and a slip is most likely one of a verb.
_OPENERS = {"then", "please", "you", "also", "just"}


def _name(raw: str) -> list[Token]:
    """A word with a capital inside a sentence is no slip, whatever it is."""
    word = raw.casefold()
    if is_known(word):
        return _word_tokens(word, raw)
    return [Token(word, raw, known=False)]


def _tokens(kind: str, raw: str, opens: bool) -> Iterable[Token]:
    lower = raw.casefold()
    if kind == "quote":
        return [Token("“quote”", raw, "quote", raw[1:-1].strip())]
    if kind == "color":
        return [Token("".join(lower.split()), raw, "color")]
    if kind == "number":
        less, digits = lower[0] in _MINUS, lower.lstrip(f"{_MINUS}+ ")
        number = -_number(digits) if less else _number(digits)
        return [Token("-" * less + digits, raw, "number", str(number))]
    if kind == "ordinal":
        return [Token(lower, raw, "ordinal", re.sub(r"\D", "", lower))]
    if kind == "dash":
        return [Token("-", raw, "dash")]
    if kind in {"decade", "price"}:  # "80's"; "$19.99" and "555-1234" are letters, no amounts
        return [Token(lower.replace("'", ""), raw)]
    if kind in {"ratio", "solid"}:
        return [Token(lower.replace("-", ""), raw, "ratio" if kind == "ratio" else "word")]
    if kind == "unit":
        return [Token({"%": "percent", "°": "degrees"}[lower], raw)]
    if kind in {"comma", "stop", "arrow"}:
        return [Token({"comma": ",", "stop": ".", "arrow": "->"}[kind], raw, kind)]
    return _word_tokens("b&w" if "&" in lower and len(lower) > 1 else lower, raw, opens)


def _number(text: str) -> float:
    if "/" in text:
        above, below = (float(part) for part in text.split("/"))
        return above / below if below else 0.0
    return float(text.replace(",", "."))


def _word_tokens(word: str, raw: str, opens: bool = False) -> list[Token]:
    """A word and its endings, however many one cares to type: "you'd've", "the dog's's's"."""
    endings: list[Token] = []  # the last one first
    while not _is_whole(word, raw):
        cut, ending = _ending(word, raw)
        if not cut:
            break
        endings += ending
        opens = opens and not word.endswith(("'", "'s"))  # what owns something is no verb
        word, raw = word[:-cut], raw[:-cut]
    return [*_stem(word, raw, opens), *reversed(endings)]


def _ending(word: str, raw: str) -> tuple[int, list[Token]]:
    """How many letters of an ending a word has, and what it says."""
    for ending, full in _CONTRACTED.items():
        if word.endswith(ending) and len(word) > len(ending):
            return len(ending), [_plain(full, raw)]
    if word.endswith("'s"):
        return 2, [Token("'s", "'s", "own")]
    if word.endswith("'"):
        return 1, [Token("'s", "'", "own")] if word.endswith("s'") else []
    return 0, []


def _is_whole(word: str, raw: str) -> bool:
    return word in _WHOLE and raw != "ID"


def _stem(word: str, raw: str, opens: bool) -> list[Token]:
    if _is_whole(word, raw):
        return [_plain(part, raw) for part in _WHOLE[word].split()]
    if "-" in word and word not in lexicon().vocabulary:
        whole = _hyphenated(word, raw)
        if whole is not None:
            return [whole]
        parts = zip(word.split("-"), raw.split("-"), strict=True)
        return [token for part, typed in parts for token in _part_tokens(part, typed)]
    return [_plain(word, raw, opens)]


def _hyphenated(word: str, raw: str) -> Token | None:
    """`half-eaten`, `horse-drawn`, `hi-vis` as one word; None where the parts are words for us."""
    lex, parts = lexicon(), word.split("-")
    said = any(kind.whole(parts) for kind in (*lex.attributes.values(), lex.scenes, lex.filters))
    little = lex.said["function"]["words"].words()
    if said or colors.is_color(parts[-1]) or parts[-1] in little or not all(parts):
        return None
    fixed = [american(part if len(part) <= 3 else repair(part, False)) for part in parts]
    if not english.is_participle(fixed[-1]) and not ends_open(fixed):
        return None
    return Token("-".join(fixed), raw, known=all(map(is_known, fixed)))


def ends_open(parts: list[str]) -> bool:
    """Whether the last part is a quality or no word at all: "half-open", "hi-vis"."""
    classes = english.entry(parts[-1])
    return len(parts) == 2 and (
        (not classes and not is_known(parts[-1])) or ("a" in classes and "n" not in classes)
    )


def _part_tokens(word: str, raw: str) -> list[Token]:
    """A part of `hi-vis`: so short a one is no slip."""
    short = len(word) <= 3 and word not in _WHOLE
    return (
        [Token(word, raw, known=is_known(word))]
        if short and not is_known(word)
        else _word_tokens(word, raw)
    )


def _plain(word: str, raw: str, opens: bool = False) -> Token:
    fixed = american(repair(american(word), opens))
    if fixed in NUMBERS and fixed != "one":
        return Token(fixed, raw, "number", str(NUMBERS[fixed]))
    if fixed in ORDINALS:
        return Token(fixed, raw, "ordinal", str(ORDINALS[fixed]))
    if fixed in _WHOLE and " " not in _WHOLE[fixed]:
        fixed = _WHOLE[fixed]
    return Token(fixed, raw, known=is_known(fixed))
