"""Signs that people leave out: "the kids faces", "its too dark", "its blurry fix it".

Only rows of words change here, before places are joined and before any sentence is read.
"""

from __future__ import annotations

from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind, singular
from editanything.command.tokens import Token

_COMMA = Token(",", ",", "comma")
_OWN = Token("'s", "'s", "own")
_DEGREES = {"too", "so", "very", "really", "way", "quite", "pretty", "rather", "just", "all", "not"}
_BEFORE = {"the", "my", "her", "his", "their", "our", "your", "that", "this", "these", "those"}
#: After these two things stand side by side: "give the kids hats".
_TWO_THINGS = {"give", "lend", "grant", "offer", "get", "buy", "show"}
_IS = {"is", "are", "looks", "look", "was", "were"}
_ALIVE = ("person", "animal")
_PRONOUNS = {"it", "them", "this", "that", "him", "her"}
_ASKING = {
    ("i", "need"), ("i", "want"), ("can", "you"), ("could", "you"), ("we", "need"), ("please",),
}  # fmt: skip
_NEVER_BEFORE = {"and", "to", "but", "so", "then", "that", "which", "who", "can", "you", "or"}


def punctuated(tokens: Tokens) -> Tokens:
    """`tokens` with the apostrophes and commas that were left out."""
    out: list[Token] = []
    for at, token in enumerate(tokens):
        if _begins_wish(tokens, at) and _is_statement(_last_part(out)):
            out.append(_COMMA)
        if _lists_quantity(tokens, at) or _takes_up(tokens, at, out):
            out.append(_COMMA)
        if token.word == "its" and _is_said_of_it(tokens, at):
            out += [Token("it", token.raw), Token("is", token.raw)]
            continue
        owner = _owner(tokens, at)
        out += [token] if owner is None else [Token(owner, token.raw), _OWN]
    return tuple(out)


def _lists_quantity(tokens: Tokens, at: int) -> bool:
    """Whether the next of `brightness up contrast down`, `contrast +5 saturation -10` begins."""
    words = [token.word for token in tokens]
    quantities = lexicon().quantities
    before = words[at - 1] if at else ""
    ended = before in {"up", "down", "percent"} or (at > 0 and tokens[at - 1].kind == "number")
    if not ended or quantities.at(words, at) is None or at + 1 == len(words):
        return False
    moves = words[at + 1] in {"up", "down"} or tokens[at + 1].kind == "number"
    return moves and any(quantities.at(words, n) is not None for n in range(max(0, at - 4), at))


def _takes_up(tokens: Tokens, at: int, out: list[Token]) -> bool:
    """Whether `the car | i don't want it in the photo` says more of what was just named."""
    if _word(tokens, at) != "i" or _word(tokens, at + 1) not in {"do", "want", "need", "would"}:
        return False
    part = [token.word for token in _last_part(out)]
    named = 1 < len(part) <= 5 and part[0] in _BEFORE and part[-1] not in _NEVER_BEFORE
    return named and bool({"it", "them"} & {token.word for token in tokens[at : at + 6]})


def _word(tokens: Tokens, at: int) -> str:
    return tokens[at].word if 0 <= at < len(tokens) else ""


def _is_said_of_it(tokens: Tokens, at: int) -> bool:
    """`its too dark`, `its blurry`: it is; "its dark side" is not."""
    after, then = _word(tokens, at + 1), tokens[at + 2 : at + 3]
    if after in _DEGREES:
        return True
    ends = not then or then[0].kind in {"comma", "stop"} or _begins_wish(tokens, at + 2)
    slants = after in lexicon().sets["slanting"]
    return ends and (slants or lexicon().opposites.whole([after]) is not None)


def _owner(tokens: Tokens, at: int) -> str | None:
    """The owner of `the kids faces`, `my moms hair`; None if the word owns nothing here."""
    token, after = tokens[at], tokens[at + 1 : at + 2]
    if token.kind != "word" or not after or after[0].kind != "word":
        return None
    if _word(tokens, at - 1) not in _BEFORE or _TWO_THINGS & {t.word for t in tokens[:at]}:
        return None
    typed = token.raw.casefold().removesuffix("s")
    if typed != token.raw.casefold() and typed.endswith("y") and is_kind(typed, *_ALIVE):
        return typed if _is_owned(after[0].word) else None  # "the babys hat"
    lemma, plural = singular(token.word)
    if not plural or not token.word.endswith("s") or not is_kind(lemma, *_ALIVE):
        return None
    if not _is_owned(after[0].word):
        return None
    several = singular(after[0].word)[1]
    known = lexicon().irregular
    irregular = token.word not in known and lemma in known.values()  # "mans" is no plural
    return token.word if several and not irregular else lemma


def _is_owned(word: str) -> bool:
    """Whether people and animals have or wear a thing; "behind" is a place."""
    noun = singular(word)[0]
    if lexicon().relations.at([word], 0) is not None:
        return False
    related = lexicon().groups["related"].whole([word]) is not None
    return related or is_kind(noun, "body", "clothing", "accessory")


def _begins_wish(tokens: Tokens, at: int) -> bool:
    """Whether `fix it`, `i need it green` begins here without a comma before it."""
    before, word = _word(tokens, at - 1), _word(tokens, at)
    if at < 2 or before in _NEVER_BEFORE or tokens[at - 1].kind != "word":
        return False
    if any(tuple(t.word for t in tokens[at : at + len(said)]) == said for said in _ASKING):
        return at + 1 < len(tokens)
    lex = lexicon()
    verb = word in lex.openers & lex.core or lex.said["vague"]["verbs"].whole([word]) is not None
    return verb and _word(tokens, at + 1) in _PRONOUNS


def _last_part(out: list[Token]) -> list[Token]:
    """The words since the last comma or stop."""
    start = next((n for n in range(len(out), 0, -1) if out[n - 1].kind in {"comma", "stop"}), 0)
    return out[start:]


def _is_statement(part: list[Token]) -> bool:
    """Whether words say how something is: "the grass is yellow"."""
    words = [token.word for token in part]
    if not words or words[0] in lexicon().openers & lexicon().core or words[0] in _IS:
        return False
    return any(word in _IS for word in words[1:-1])
