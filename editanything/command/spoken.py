"""Ways of speaking that say the same in fewer words: "every last crumb", "all bar one", dashes.

Only rows of words change here, before places are joined and before any sentence is read.
"""

from __future__ import annotations

from dataclasses import replace

from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.tokens import Token

_WHERE = {"in", "on", "at", "to", "towards", "by", "near", "beside", "behind", "under", "from"}
_FAR = {"up", "over", "down", "out", "across", "way", "right"}
_BEFORE_EVERY = {"last", "single", "one"}
_BAR = {"bar", "barring", "minus"}
_BIT = {"bit", "tad", "touch", "smidge", "smidgen", "little"}
_AFTER_IS = {
    "a", "an", "the", "too", "very", "so", "way", "really", "quite", "pretty", "rather", "not",
    "got", "just", "in", "on", "here", "there",
}  # fmt: skip
_BEFORE_NOUN = {"the", "that", "this", "my", "her", "his", "their", "its", "a", "an", "for"}


def plainly_spoken(tokens: Tokens) -> Tokens:
    """`tokens` with each such way of speaking said plainly."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        step = _dropped(tokens, at, out)
        if step:
            at += step
            continue
        out.append(_plainer(tokens, at, out))
        at += 1
    return tuple(out)


def _word(tokens: Tokens, at: int) -> str:
    return tokens[at].word if 0 <= at < len(tokens) else ""


def _dropped(tokens: Tokens, at: int, out: list[Token]) -> int:
    """How many words from `at` on say nothing."""
    sets, word, after = lexicon().sets, tokens[at].word, _word(tokens, at + 1)
    before = out[-1].word if out else ""
    if before == "every" and word in _BEFORE_EVERY and after not in {"", "of"}:
        return 1  # "every last crumb"
    if before in {"i", "we"} and word in sets["steadying"] and after in sets["wanting"]:
        return 1  # "i just want"
    far = word in _FAR and before not in _BEFORE_NOUN
    if far and out and after in _WHERE and _is_place_ahead(tokens, at + 1):
        return 1  # "up in the top left"
    if word in {"say", "like"} and tokens[at + 1 : at + 2] and tokens[at + 1].kind == "number":
        if before == ",":
            out.pop()
        return 1  # "some room above, say 150 px"
    if word == "me" and before in {"get", "give"} and after in {"shot", "rid"}:
        return 1
    opens = not out or out[-1].kind == "stop"
    if opens and word in sets["interjections"] and tokens[at + 1 : at + 2]:
        return 2 if tokens[at + 1].kind == "comma" else 0  # "right, ..."
    return 0


def _is_place_ahead(tokens: Tokens, at: int) -> bool:
    """Whether `in the top left`, `to the right` begins here."""
    start = at + 1 + (_word(tokens, at + 1) in {"the", "its", "that"})
    words = [token.word for token in tokens[start : start + 3]]
    return start > at + 1 and lexicon().regions.at(words, 0) is not None


def _plainer(tokens: Tokens, at: int, out: list[Token]) -> Token:
    """The token that means what the one at `at` means here."""
    token, after = tokens[at], tokens[at + 1 : at + 2]
    if token.word in _BAR and out and after and after[0].word in _BEFORE_NOUN:
        groups = {before.word for before in out[-6:]}
        if groups & lexicon().sets["group_words"]:
            return replace(token, word="except")  # "all the ducks bar the white one"
    if token.kind == "own" and after and after[0].word in _AFTER_IS:
        return Token("is", token.raw)  # "the picture's a bit dark"
    if not out and token.word in _BIT and after and after[0].kind == "word":
        return replace(token, word="slightly") if after[0].word not in {"of", "by"} else token
    if token.kind == "dash":
        opens = bool(after) and after[0].word in lexicon().openers | {
            "it",
            "please",
            "can",
            "could",
        }
        short = len(out) <= 3 and not (out and out[0].word in lexicon().openers)
        if short and not opens:
            return Token("->", token.raw, "arrow")  # "sky - purple"
        return Token(",", token.raw, "comma")
    return token
