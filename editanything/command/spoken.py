"""Ways of speaking that say the same in fewer words: "every last crumb", "all bar one", dashes.

Only rows of words change here, before places are joined and before any sentence is read.
"""

from __future__ import annotations

from dataclasses import replace

from editanything.command.constructions import grammar
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.tokens import Token

_WHERE = {"in", "on", "at", "to", "towards", "by", "near", "beside", "behind", "under", "from"}
_OVER = {"above", "overhead", "below", "underneath", "beneath"}
_FAR = {"up", "over", "down", "out", "across", "way", "right"}
_ME = {
    (verb, after)
    for verb, words in (("get", ("shot", "rid")), ("give", ("shot", "rid")),
                        ("show", ("the", "it", "her", "him", "this", "my")))
    for after in words
}  # fmt: skip
_ENDS = {"", ",", ".", "and", "then", "please"}
_BACK = {"undo", "revert", "redo", "cancel"}
_BEFORE_EVERY = {"last", "single", "one"}
_EXCEPT = {("apart", "from"), ("aside", "from"), ("other", "than")}
_BAR = {"bar", "barring", "minus"}
_BIT = {"bit", "tad", "touch", "smidge", "smidgen", "little"}
_AFTER_IS = {
    "a", "an", "the", "too", "very", "so", "way", "really", "quite", "pretty", "rather", "not",
    "got", "just", "in", "on", "here", "there",
}  # fmt: skip
_BEFORE_NOUN = {"the", "that", "this", "my", "her", "his", "their", "its", "a", "an", "for"}


def plainly_spoken(tokens: Tokens) -> Tokens:
    """`tokens` with each such way of speaking said plainly."""
    tokens = _mild(_unnumbered(tokens))
    tokens = _letters(_in_color(_placed_last(_in_its_place(tokens))))
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


def _in_color(tokens: Tokens) -> Tokens:
    """`black and white with only the rose in color`: but keep the rose in color."""
    words = [token.word for token in tokens]
    for at in range(1, len(words) - 3):
        only = words[at] in {"with", "but", ","} and words[at + 1] in {"only", "just"}
        if only and words[-2:] == ["in", "color"]:
            keep = Token(",", ",", "comma"), Token("keep", tokens[at + 1].raw)
            return (*tokens[:at], *keep, *tokens[at + 2 :])
    return tokens


def _unnumbered(tokens: Tokens) -> Tokens:
    """`first crop it, second add a hat`, `1. crop it 2. add a hat`, `step 1 ...`: sentences."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        stop = at + (tokens[at].word == "step")
        counts = stop < len(tokens) and tokens[stop].kind in {"number", "ordinal"}
        counts = counts and (stop > at or not out or _ends_sentence(tokens, at))
        after = stop + 1
        while counts and after < len(tokens) and tokens[after].kind in {"stop", "comma", "arrow"}:
            after += 1
        opens = counts and after < len(tokens) and _is_order(tokens[after].word)
        if opens and (stop > at or tokens[stop].kind == "ordinal" or after > stop + 1):
            out += [Token(".", "", "stop")] if out else []
            at = after
        else:
            out.append(tokens[at])
            at += 1
    return tuple(out)


def _ends_sentence(tokens: Tokens, at: int) -> bool:
    """Whether a number may open a step here: after a pause, or with its own stop ("2. crop")."""
    listed = tokens[at].kind == "number" and tokens[at + 1 : at + 2] != ()
    listed = listed and tokens[at + 1].kind == "stop" and tokens[0].kind == "number"
    return tokens[at - 1].kind in {"comma", "stop"} or tokens[at - 1].word == "and" or listed


def _is_order(word: str) -> bool:
    return word in lexicon().openers & lexicon().core


def _mild(tokens: Tokens) -> Tokens:
    """`brighter, but not too much`: a bit."""
    words = [token.word for token in tokens]
    for at in range(1, len(words) - 2):
        if words[at : at + 3] in (["not", "too", "much"], ["not", "by", "much"]):
            start = at - 1 if words[at - 1] == "but" else at
            start -= tokens[start - 1].kind == "comma"
            bit = Token("a", ""), Token("bit", "")
            return (*tokens[:start], *bit, *tokens[at + 3 :]) if start else tokens
    return tokens


def _placed_last(tokens: Tokens) -> Tokens:
    """`remove the dust, lower right`: in the lower right, where nothing else follows."""
    words = [token.word for token in tokens]
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        region = lexicon().regions.at(words, at + 1) if tokens[at].kind == "comma" else None
        stop = region[1] if region is not None else 0
        portion = words[stop : stop + 1] in (["corner"], ["side"], ["edge"], ["half"])
        ends = words[stop + portion : stop + portion + 1] in ([], [","], ["."], ["please"])
        if out and ends and (portion or (region is not None and "-" in region[0])):
            moves = out[0].word in grammar().verbs["move"] - grammar().verbs["add"]
            out += [Token("to" if moves else "in", ""), Token("the", "")]
        else:
            out.append(tokens[at])
        at += 1
    return tuple(out)


def _in_its_place(tokens: Tokens) -> Tokens:
    """`remove the dog and put a cat there`, `..., and in its place put a cat`: where it was."""
    words = [token.word for token in tokens]
    gone = any(" ".join(words[:n]) in grammar().verbs["remove"] for n in (1, 2, 3))
    for at in range(3, len(words) if gone else 0):
        there = words[at] == "there" and words[at + 1 : at + 2] in ([], ["."], [","])
        stop = at + 1 if there else at + 3
        if not there and words[at:stop] not in (["in", "its", "place"], ["in", "their", "place"]):
            continue
        new = next((n for n in range(at - 1, 2, -1) if words[n] in _PUTTING), 0)
        was = tuple(Token(word, "") for word in ("where", "it", "was"))
        if words[stop : stop + 1] and words[stop] in _PUTTING:
            return (*tokens[:at], *was, *tokens[stop:])
        if new and words[new + 1] in {"a", "an", "some"} and not {",", "and"} & set(words[new:at]):
            return (*tokens[:at], *was, *tokens[stop:])
    return tokens


_PUTTING = {"put", "place", "add", "draw", "insert"}


def _letters(tokens: Tokens) -> Tokens:
    """`the word Paris`: letters with capitals after what names writing are as good as quoted."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        stop = at
        if out and out[-1].word in _WRITING and out[-1].kind == "word":
            while stop < len(tokens) and tokens[stop].kind == "word" and _is_capital(tokens[stop]):
                stop += 1
        if stop > at:
            raw = " ".join(token.raw for token in tokens[at:stop])
            out.append(Token("“quote”", raw, "quote", raw))
            at = stop
        else:
            out.append(tokens[at])
            at += 1
    return tuple(out)


_WRITING = {"word", "words", "text", "phrase", "letters", "letter", "caption", "lettering"}


def _is_capital(token: Token) -> bool:
    return token.raw[:1].isupper() and not token.raw.islower()


def _word(tokens: Tokens, at: int) -> str:
    return tokens[at].word if 0 <= at < len(tokens) else ""


def _dropped(tokens: Tokens, at: int, out: list[Token]) -> int:
    """How many words from `at` on say nothing."""
    sets, word, after = lexicon().sets, tokens[at].word, _word(tokens, at + 1)
    before = out[-1].word if out else ""
    if before == "except" and word in {"from", "than"}:
        return 1  # "apart from", "other than"
    if before == "every" and word in _BEFORE_EVERY and after not in {"", "of"}:
        return 1  # "every last crumb"
    if before in {"i", "we"} and word in sets["steadying"] and after in sets["wanting"]:
        return 1  # "i just want"
    if out and word in _FAR and before not in _BEFORE_NOUN and _far(tokens, at):
        return _far(tokens, at)
    if (
        word in {"say", "like"}
        and before != "would"
        and tokens[at + 1 : at + 2]
        and tokens[at + 1].kind == "number"
    ):
        if before == ",":
            out.pop()
        return 1  # "some room above, say 150 px"
    if word in {"here", "there"} and before in {"this", "that"} and after not in _ENDS:
        return 1  # "this here should go"
    if word == "me" and (before, after) in _ME:
        return 1  # "get me rid of", "show me the dog in red"
    opens = not out or out[-1].kind == "stop"
    if opens and word in sets["interjections"] and tokens[at + 1 : at + 2]:
        return 2 if tokens[at + 1].kind == "comma" else 0  # "right, ..."
    return _denied(tokens, at, opens)


def _far(tokens: Tokens, at: int) -> int:
    """How many words only say that a place is far: "up in the top left", "up there in the sky"."""
    after = _word(tokens, at + 1)
    if after == "there" and _word(tokens, at + 2) in _WHERE:
        return 2
    return int(after in _WHERE and _is_place_ahead(tokens, at + 1))


def _denied(tokens: Tokens, at: int, opens: bool) -> int:
    """How many words of a "no" or "not" only stress what is said beside them."""
    word, after = tokens[at].word, _word(tokens, at + 1)
    if opens and word == "no" and after in _BACK:
        return 1  # "no undo that"
    spared = word == "not" and after in {"just", "only"} and len(tokens) == at + 3
    return 3 if spared and _word(tokens, at + 2) == "one" else 0  # "three of those, not just one"


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
    if out and after and (token.word, after[0].word) in _EXCEPT:
        return replace(token, word="except")
    if token.word == "round" and out and after and after[0].word in _BEFORE_NOUN - {"for"}:
        return replace(token, word="around")  # "a scarf round the neck"
    if token.word in _OVER and out:
        return _side(token, after, out)
    if token.kind == "own" and after and (after[0].word in _AFTER_IS or _leans(tokens, at)):
        return Token("is", token.raw)  # "the picture's a bit dark"
    if not out and token.word in _BIT and after and after[0].kind == "word":
        return replace(token, word="slightly") if after[0].word not in {"of", "by"} else token
    return _pause(token, after, out) if token.kind == "dash" else token


def _side(token: Token, after: Tokens, out: list[Token]) -> Token:
    """`more room above` is at the top."""
    if after and after[0].kind not in {"comma", "stop", "number"}:
        return token
    room = {before.word for before in out[-4:]} & lexicon().sets["room_words"]
    side = "top" if token.word in {"above", "overhead"} else "bottom"
    return Token(side, token.raw, "region", side) if room else token


def _leans(tokens: Tokens, at: int) -> bool:
    """`the horizon's leaning 2 degrees`: is leaning."""
    counted = tokens[at + 2].kind in {"number", "comma"} if len(tokens) > at + 2 else False
    return counted and tokens[at + 1].word in lexicon().sets["slanting"]


def _pause(token: Token, after: Tokens, out: list[Token]) -> Token:
    """A dash: an arrow after a thing ("sky - purple"), else a comma."""
    polite = {"it", "please", "can", "could"}
    opens = bool(after) and after[0].word in lexicon().openers | polite
    if len(out) <= 3 and not (out and out[0].word in lexicon().openers) and not opens:
        return Token("->", token.raw, "arrow")
    return Token(",", token.raw, "comma")
