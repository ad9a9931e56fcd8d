"""Things that are only named, for the words after them: "see that lamp? make it brass"."""

from __future__ import annotations

from editanything.command.asides import mentioned, words_of
from editanything.command.discourse import Discourse, Unresolved
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.pictures import take_image
from editanything.command.readings import strip_opening
from editanything.command.splitting import starts_clause
from editanything.command.targets import targets


def points_out(tokens: Tokens, talk: Discourse) -> bool:
    """Whether a sentence only names a thing for the next one: "see that plane? remove it"."""
    tokens = strip_opening(tokens)
    opens = lexicon().said["mentions"]["opens"].at(words_of(tokens), 0) if tokens else None
    if opens is None or opens[1] == len(tokens):
        return False
    return _name(tokens[opens[1] :], talk)


def _name(tokens: Tokens, talk: Discourse) -> bool:
    try:
        found = targets(tokens, talk)
    except Unresolved:
        return False
    if found is not None:
        talk.name(*found.things)
    return found is not None


def past_mention(tokens: Tokens, talk: Discourse) -> Tokens:
    """`tokens` without what only names a thing: "that lamp in the corner, make it brass"."""
    at = _taken_up(tokens, talk) or _first_pause(tokens)
    while at and not strip_opening(tokens[:at]):  # "so, the tie, make it red"
        tokens = tokens[at + 1 :]
        at = _first_pause(tokens)
    rest = strip_opening(tokens[at + 1 :])
    if not at or not rest or not starts_clause(rest) or not _POINTS & set(words_of(rest)):
        return tokens
    before = tokens[:at]
    if {"degrees", "degree"} & set(words_of(before)):
        return tokens  # "the horizon is leaning 2 degrees to the left, straighten it"
    if before[0].word in {"take", "get"}:
        if take_image(before)[1] not in (None, "A"):
            return tokens  # "take the hat from image B, put it on the dog"
        return rest if _name(before[1:], talk) else tokens
    named = mentioned(before if before[0].word in {"there", "here"} else strip_opening(before))
    return rest if named is not None and _name(named, talk) else tokens


def _taken_up(tokens: Tokens, talk: Discourse) -> int:
    """Where "and" stands in `take the bike and move it`; 0 if taking is all or from elsewhere."""
    words = words_of(tokens)
    at = words.index("and") if "and" in words else 0
    if words[0] not in {"take", "get"} or at < 2 or _POINTS.isdisjoint(words[at + 2 : at + 4]):
        return 0
    try:
        found = targets(tokens[1:at], talk)
    except Unresolved:
        return 0
    here = found is not None and all(thing.image in (None, "A") for thing in found.things)
    return at if here and len(talk.images) == 1 else 0


def _first_pause(tokens: Tokens) -> int:
    """Where the first comma or arrow stands; 0 if there is none."""
    return next((at for at, token in enumerate(tokens) if token.kind in {"comma", "arrow"}), 0)


_POINTS = {"it", "them", "him", "her", "he", "she", "they", "this", "that", "those", "these"}
