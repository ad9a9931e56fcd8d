"""Where the clauses of a sentence may end, and whether words begin a new one."""

from __future__ import annotations

from editanything.command.asides import words_of
from editanything.command.constructions import grammar, verb_length
from editanything.command.heads import Tokens
from editanything.command.keeping import starts_keep
from editanything.command.lexicon import lexicon
from editanything.command.readings import strip_opening, strip_polite

MAX_CLAUSE_WORDS = 60
MAX_LOOK_AHEAD = 3 * MAX_CLAUSE_WORDS  # words in which the end of a clause is sought
_JOINTS = {"and", "then", "but", "while", "also", "plus", "afterwards", "yet", "though"}


def split_at(tokens: Tokens, kinds: set[str]) -> list[Tokens]:
    """The parts between tokens of these kinds; empty parts are left out."""
    parts: list[Tokens] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.kind in kinds:
            parts.append(tokens[start:at])
            start = at + 1
    return [part for part in (*parts, tokens[start:]) if part]


def trim(tokens: Tokens) -> Tokens:
    """`tokens` without conjunctions at their end and courtesy at both ends."""
    while tokens and (tokens[-1].kind == "comma" or tokens[-1].word in _JOINTS):
        tokens = tokens[:-1]
    return strip_polite(tokens)[0] if tokens else tokens


_IS = {"is", "are", "was", "were"}
_KEEPS_OFTEN = {"without", "while", "but", "except", "not", "sparing", "excluding"}


def ends(tokens: Tokens) -> list[int]:
    """Where the first clause may stop, the likeliest first.

    A joint ("and", a comma) before a verb most likely ends it; the words up to there may still
    hold a gap ("... and the grass yellow"); a joint before a verb may also join two nouns.
    """
    joints: list[int] = []
    verbal: list[int] = []
    for at in range(1, len(tokens)):
        denied = tokens[at].word == "not" and tokens[at - 1].word in _IS  # "every car that is not"
        if tokens[at].word in _KEEPS_OFTEN and starts_keep(tokens, at) and not denied:
            (verbal if tokens[at].word in {"without", "while"} else joints).append(at)
            continue
        if not is_joint(tokens, at):
            continue
        joints.append(at)
        rest = strip_opening(tokens[at : at + 20])
        if rest and (starts_clause(rest) or starts_keep(rest, 0)):
            verbal.append(at)
    first = verbal[0] if verbal else len(tokens)
    near = [at for at in reversed(joints) if at < first]
    far = [at for at in (*verbal[1:], len(tokens)) if at > first]
    order = [first, *near, *far][:12]
    return [stop for stop in order if stop <= MAX_CLAUSE_WORDS] or [min(first, MAX_CLAUSE_WORDS)]


def is_joint(tokens: Tokens, at: int) -> bool:
    """Whether a comma or a conjunction stands here."""
    return tokens[at].kind == "comma" or (tokens[at].kind == "word" and tokens[at].word in _JOINTS)


def starts_clause(tokens: Tokens) -> bool:
    """Whether the words begin with a verb of the grammar, a wish or a statement."""
    words = words_of(tokens)
    said = lexicon().said
    if words[0] in grammar().by_first:
        return not (
            len(words) > 1
            and words[0] in _ALSO_NOUNS
            and words[1] in {"should", "to", "of", "on", "in"}
        )
    if any(said["wishes"][kind].at(words, 0) for kind in ("words", "dislike", "there")):
        return True
    if any(
        said["wishes"]["copula"].at(words, at)
        for at in range(1, min(8, len(words) - 1))
        if words[at] != "to" and words[at] not in {"be", "look"}
    ):
        return True
    head = said["vague"]["verbs"].at(words, 0) or said["unsupported"]["verbs"].at(words, 0)
    return head is not None


_ALSO_NOUNS = {"paint", "color", "light", "shade", "cut", "frame", "mask", "plant", "lock", "copy"}


def joined_verbs(tokens: Tokens) -> tuple[Tokens, int] | None:
    """The first verb of `blur and darken the wall`, and where the next one begins."""
    words = words_of(tokens)
    first = verb_length(words)
    at = first
    while first and at < len(words) - 1 and is_joint(tokens, at):
        at += 1
    if at == first or not verb_length(words[at:]):
        return None
    return tokens[:first], at
