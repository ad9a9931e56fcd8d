"""What stands beside a command: fillers, reasons, assurances, complaints, mentions of a thing."""

from __future__ import annotations

from dataclasses import replace

from editanything import colors
from editanything.command.constructions import grammar
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.tokens import Token


def words_of(tokens: Tokens) -> list[str]:
    """The words of the tokens; a quotation is no word."""
    return [token.word if token.kind != "quote" else "" for token in tokens]


def without_fillers(tokens: Tokens) -> Tokens:
    """`tokens` without "um", "you know" and, after the first word, "please"."""
    fillers, words = lexicon().said["fillers"]["words"], words_of(tokens)
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        found = fillers.at(words, at)
        if words[at : at + 2] == ["i", "mean"] and _corrects(tokens, at):
            out += [tokens[at], replace(tokens[at + 1], word="meant")]
            at += 2
            continue
        if found is None or (at == 0 and words[0] in {"please", "kindly", "pls", "plz"}):
            out.append(tokens[at])
            at += 1
        else:
            at = found[1]
            if at < len(tokens) and tokens[at].kind == "comma" and not _starts(tokens[at + 1 :]):
                at += 1
                if out and out[-1].kind == "comma":  # "the, you know, cable"
                    out.pop()
    return tuple(out)


def _corrects(tokens: Tokens, at: int) -> bool:
    """Whether "i mean" takes back what was said: "the cat, i mean the dog", "sorry i mean her".

    "The, i mean, cable" only hesitates.
    """
    if at == 0 or at + 2 >= len(tokens):
        return False
    if tokens[at - 1].word in _MISTAKEN:
        return True
    paused = at > 1 and tokens[at - 1].kind in {"comma", "stop", "dash"}
    return paused and tokens[at - 2].word not in _HESITANT and tokens[at + 2].kind == "word"


_MISTAKEN = {"sorry", "no", "wait", "oops", "whoops", "or", "actually", "oh", "ah"}
_HESITANT = {"the", "a", "an", "that", "this", "my", "her", "his", "its", "of", "to", "and", "with"}


def _starts(tokens: Tokens) -> bool:
    """Whether a verb of the grammar comes next."""
    return bool(tokens) and tokens[0].word in lexicon().openers & lexicon().core


def without_reasons(tokens: Tokens) -> Tokens:
    """`tokens` up to "because ...", "so that it ..."; what comes after the next comma stays."""
    reasons, words = lexicon().said["reasons"]["words"], words_of(tokens)
    start = next((at for at in range(2, len(words)) if reasons.at(words, at)), len(tokens))
    stop = next((at for at in range(start, len(words)) if tokens[at].kind == "comma"), len(tokens))
    return tokens[:start] + tokens[stop:]


def without_comment(tokens: Tokens) -> Tokens:
    """`tokens` without ", they ruin the view", ", it was raining": said of what is asked for."""
    words = words_of(tokens)
    for at in range(2, len(words) - 2):
        says = tokens[at].kind == "comma" and words[at + 1] in _SUBJECTS
        if says and not set(words[at + 2 :]) & _WISHED:
            return tokens[:at]
    return tokens


_SUBJECTS = {"it", "they", "he", "she", "that", "this", "these", "those", "which", "i", "we"}
_WISHED = {"should", "must", "want", "wants", "need", "needs", "would", "ought", "make", "then"}


def without_statement(tokens: Tokens) -> Tokens:
    """`tokens` after "the kids love it but", "my sister hates this photo, so": mere small talk.

    Only words that open no clause and have a verb of their own are left away.
    """
    words = words_of(tokens)
    if words[0] in grammar().by_first and words[0] != "i":
        return tokens
    for at in range(2, min(len(words) - 1, 14)):
        if tokens[at].kind == "comma" or words[at] in {"but", "so"}:
            said = set(words[1:at])
            return tokens[at + 1 :] if said & (_FINITE | _FEELS) else tokens
    return tokens


_FINITE = {"is", "are", "was", "were", "has", "have", "had", "am", "does", "did", "do"}
_FEELS = {
    "love", "loves", "like", "likes", "liked", "loved", "hate", "hates", "hated", "took", "take",
    "bought", "got", "said", "says", "think", "thinks", "know", "knows", "wants", "made", "see",
    "saw", "looks", "look", "shot", "noticed", "realized", "forgot", "came", "went", "worked",
}  # fmt: skip


def is_contrast(tokens: Tokens) -> bool:
    """Whether words only say what a thing does not become: ", not brown", ", rather than blue"."""
    words = words_of(tokens)
    start = 2 if words[:2] in (["rather", "than"], ["instead", "of"], ["and", "not"]) else 0
    start = start or (words[:1] in (["not"], ["never"]))
    rest = " ".join(word for word in words[start:] if word not in {"a", "an", "."})
    return bool(start) and (colors.is_color(rest) or _is_quality(rest.split()))


def _is_quality(words: list[str]) -> bool:
    lex = lexicon()
    return bool(words) and any(kind.whole(words) for kind in lex.attributes.values())


def is_assurance(tokens: Tokens) -> bool:
    """Whether words only say that the result shall look right: "fill in the background"."""
    words = [word for word in words_of(tokens) if word not in {",", "."}]
    return lexicon().said["assurances"]["words"].whole(words) is not None


def mentioned(tokens: Tokens) -> Tokens | None:
    """The thing that words name without asking for anything: "there is a logo on the wall"."""
    said, words = lexicon().said["mentions"], words_of(tokens)
    if is_complaint(tokens):
        return None
    opens = said["opens"].at(words, 0)
    if opens is not None:
        tokens, words = tokens[opens[1] :], words[opens[1] :]
    elif words[0] in grammar().by_first:
        return None
    for at in range(1, len(words)):
        says = said["says"].at(words, at)
        if says is not None:
            rest = tokens[says[1] :]
            if words[at] in {"has", "have"}:
                return rest
            placed = rest and (rest[0].kind in _PLACED or lexicon().relations.at(words, says[1]))
            return tokens[:at] + rest if placed else tokens[:at]
    return tokens or None


_PLACED = {"relation", "region", "extreme"}


def is_complaint(tokens: Tokens) -> bool:
    """Whether words only say what is wrong: "that pole ruins the shot", "it is too dark"."""
    said, words = lexicon().said["wishes"], words_of(tokens)
    if said["dislike"].at(words, 0) is not None:
        return True
    if words[0] in grammar().by_first:
        return False
    if "too" in words:
        return True
    return any(said["gone"].at(words, at) is not None for at in range(1, len(words)))
