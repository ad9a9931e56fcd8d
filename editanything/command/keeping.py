"""What must stay: "but don't touch the face", "keep its shadow", "except the red one"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from editanything import colors
from editanything.command.asides import words_of
from editanything.command.clause import Operations
from editanything.command.discourse import Discourse, Unresolved, is_owner
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.targets import targets
from editanything.command.types import Operation, Selector

_EXCEPTIONS = {"except", "except for", "but not", "not", "excluding", "sparing"}
_CONSTRUCTIONS = {"only", "just", "nothing"}


@dataclass(frozen=True)
class Keep:
    """Things that must not change, and whether they were said as an exception ("except X")."""

    things: tuple[Selector, ...]
    exception: bool = False


def starts_keep(tokens: Tokens, at: int) -> bool:
    """Whether words of keeping begin here."""
    words = words_of(tokens)
    return lexicon().said["keep"]["verbs"].at(words, at) is not None


def keeping(tokens: Tokens, talk: Discourse, after: bool) -> Keep | None:
    """The things that a clause says must stay, None if it says nothing of the kind.

    `after` says that an operation stands before: only then can "not X" or "except X" follow it.
    """
    said, words = lexicon().said["keep"], words_of(tokens)
    for at in range(1, len(words)):
        if said["stays"].at(words, at) is not None:
            stop = said["stays"].at(words, at)
            if stop is not None and (
                stop[1] == len(words) or said["tails"].whole(words[stop[1] :])
            ):
                return _kept(tokens[:at], talk, False)
    found = said["verbs"].at(words, 0)
    if found is None or found[1] == len(words):
        return None
    phrase = " ".join(words[: found[1]])
    if words[found[1]] in _CONSTRUCTIONS or (phrase in _EXCEPTIONS and not after):
        return None
    rest = tokens[found[1] :]
    while len(rest) > 2 and colors.is_color(rest[-1].word) and not is_owner(rest[-2].word):
        rest = rest[:-1]  # "keep the rose red"
    start = said["tails"].ends(words_of(rest))
    if start:
        rest = rest[:start]
    return _kept(rest, talk, phrase in _EXCEPTIONS)


def _kept(tokens: Tokens, talk: Discourse, exception: bool) -> Keep | None:
    try:
        found = targets(tokens, talk)
    except Unresolved:
        return None
    return None if found is None else Keep(found.things, exception)


def with_keep(ops: Operations, keeps: list[Keep]) -> Operations:
    """The operations, each with what must stay beside it."""
    for keep in keeps:
        for thing in keep.things:
            ops = tuple(_with_one(op, thing, keep.exception) for op in ops)
    return ops


def _with_one(op: Operation, thing: Selector, exception: bool) -> Operation:
    target = op.target
    related = lexicon().groups["related"].whole([thing.noun]) is not None
    if related and target is not None and thing.part_of in (None, target):
        return replace(op, related_keep=(*(op.related_keep or ()), thing.noun))
    if exception and target is not None and target.count == "all" and target.exclude is None:
        return replace(op, target=replace(target, exclude=thing))
    if target is not None and target.exclude == thing:
        return op  # "keep the rose and make everything else gray"
    return replace(op, preserve=(*(op.preserve or ()), thing))
