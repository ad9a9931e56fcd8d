"""What dictation writes down: "period", "comma", "two hundred", "quote open unquote", "like".

Only rows of words change here, before places are joined and before any sentence is read.
"""

from __future__ import annotations

from editanything.command.constructions import grammar
from editanything.command.heads import Tokens, is_adjective
from editanything.command.lexicon import lexicon
from editanything.command.tokens import Token

_STOPS = {("full", "stop"), ("period",), ("new", "line"), ("exclamation", "mark"),
          ("exclamation", "point"), ("question", "mark")}  # fmt: skip
_DETERMINERS = {"the", "a", "an", "this", "that", "my", "each", "every", "no", "of", "any", "and"}
_HUNDRED, _THOUSAND = 100.0, 1000.0


def dictated(tokens: Tokens) -> Tokens:
    """`tokens` with spoken signs as signs, and numbers of several words as one."""
    tokens = _corrected(tokens)
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        found = _quoted(tokens, at) or _sign(tokens, at) or _number(tokens, at, out)
        if found is not None:
            sign, at = found
            out.append(sign)
        elif _hesitates(tokens, at, out):
            at += 1
        else:
            out.append(tokens[at])
            at += 1
    return tuple(out)


def _corrected(tokens: Tokens) -> Tokens:
    """`make the ocean no i mean the sky blue`: what was named last is named anew."""
    words = [token.word for token in tokens]
    for at in range(2, len(words) - 2):
        said = next((said for said in _MEANT if words[at : at + len(said)] == said), None)
        stop = at + len(said) if said is not None else 0
        paused = tokens[at - 1].kind in {"comma", "stop", "dash"}
        if said is None or paused or words[stop : stop + 1] not in (["the"], ["my"], ["that"]):
            continue
        first = next((n for n in range(at - 1, 0, -1) if words[n] in {"the", "my", "that"}), 0)
        return (*tokens[:first], *tokens[stop:]) if first else tokens
    return tokens


_MEANT = (["no", "i", "meant"], ["no", "i", "mean"], ["sorry", "i", "meant"], ["i", "meant"])


def _words(tokens: Tokens, at: int, count: int) -> tuple[str, ...]:
    return tuple(token.word for token in tokens[at : at + count])


def _quoted(tokens: Tokens, at: int) -> tuple[Token, int] | None:
    """`quote open unquote`, `open quote sale close quote`."""
    start = at + 1 if _words(tokens, at, 1) == ("quote",) else 0
    start = at + 2 if _words(tokens, at, 2) == ("open", "quote") else start
    for stop in range(start + 1, len(tokens)) if start else ():
        for end in (("unquote",), ("end", "quote"), ("close", "quote")):
            if _words(tokens, stop, len(end)) == end:
                said = " ".join(token.raw for token in tokens[start:stop])
                return Token("“quote”", said, "quote", said), stop + len(end)
    return None


def _sign(tokens: Tokens, at: int) -> tuple[Token, int] | None:
    """A comma or a stop that was spoken, unless the words name one: "remove the comma"."""
    if _names_sign(tokens, at):
        return None
    if tokens[at].word == "comma" and 0 < at < len(tokens) - 1:
        return Token(",", tokens[at].raw, "comma"), at + 1
    for said in _STOPS:
        stop = at + len(said)
        if _words(tokens, at, len(said)) != said:
            continue
        ends = stop == len(tokens) or tokens[stop].kind == "stop" or _opens(tokens[stop])
        if ends and (at or (said == ("new", "line") and stop < len(tokens))):
            return Token(".", tokens[at].raw, "stop"), stop
    return None


def _opens(token: Token) -> bool:
    lex = lexicon()
    polite = lex.said["polite"]["words"].at([token.word], 0) is not None
    return polite or token.word in lex.openers & lex.core


def _names_sign(tokens: Tokens, at: int) -> bool:
    """Whether `comma` or `period` is a thing here: "the period", "a missing comma"."""
    before = at - 1
    while before >= 0 and tokens[before].kind == "word" and _describes(tokens[before].word):
        before -= 1
    named = before >= 0 and tokens[before].word in _DETERMINERS
    verb = at == 1 and tokens[0].word in grammar().by_first
    style = {"style", "painting"} & {token.word for token in tokens[:at]}
    return named or verb or bool(style)


def _describes(word: str) -> bool:
    return word != "one" and is_adjective(word) and lexicon().regions.at([word], 0) is None


def _number(tokens: Tokens, at: int, out: list[Token]) -> tuple[Token, int] | None:
    """`forty five`, `two hundred and fifty`, `a hundred`, `a couple hundred`, `two point five`."""
    first = tokens[at]
    value, stop = _spelt(first), at + 1
    if first.word == "one" and _words(tokens, at + 1, 1) in {("hundred",), ("point",)}:
        value = 1.0
    if value is None:
        return None
    while stop < len(tokens):
        joint = value >= _HUNDRED and tokens[stop].word == "and"
        after = _spelt(tokens[stop + joint]) if stop + joint < len(tokens) else None
        grown = None if after is None else _joined(value, after, spoken=not joint)
        if grown is None:
            break
        value, stop = grown, stop + joint + 1
    if _words(tokens, stop, 1) == ("point",) and stop + 1 < len(tokens):
        tenth = _spelt(tokens[stop + 1])
        if tenth is not None and tenth < 10:
            value, stop = value + tenth / 10, stop + 2
    hundreds = first.word in {"hundred", "thousand", "couple"} and value >= _HUNDRED
    if hundreds and out and out[-1].word in {"a", "an"}:
        out.pop()
    elif stop == at + 1:
        return None
    raw = " ".join(token.raw for token in tokens[at:stop])
    return Token(f"{value:g}", raw, "number", str(value)), stop


def _spelt(token: Token) -> float | None:
    """The value of a number that is spelt out."""
    if token.word == "thousand":
        return _THOUSAND
    return token.number if token.raw.isalpha() else None


def _joined(value: float, after: float, *, spoken: bool) -> float | None:
    """`value` and the number word after it as one number; None if they are two numbers."""
    if after in {_HUNDRED, _THOUSAND} and 1 <= value < after and spoken:
        return value * after
    if 20 <= value < _HUNDRED and value % 10 == 0 and 1 <= after < 10 and spoken:
        return value + after
    return value + after if value >= _HUNDRED and value % _HUNDRED == 0 and after < 100 else None


_SOME = {"a", "an", "some", "really"}


def _hesitates(tokens: Tokens, at: int, out: list[Token]) -> bool:
    """Whether "like" only fills a pause: "can you like remove it", "add like a puppy"."""
    if tokens[at].word != "like" or at + 1 == len(tokens):
        return False
    lex, before, after = lexicon(), out[-1].word if out else "", tokens[at + 1]
    asking = not out or lex.said["polite"]["words"].at([before], 0) is not None or before == "you"
    if asking and after.word in lex.openers & lex.core:
        return True
    looks = lex.filters.whole([after.word]) or lex.sizes.whole([after.word])
    if looks and before in {"it", "this", "that", "them", "be"}:
        return True  # "make it like brighter"
    some = after.word in _SOME or after.kind == "number"
    return some and before in grammar().verbs["add"] - {"make", "paint"}
