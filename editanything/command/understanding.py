"""One clause -> operations: the first construction that fits one of its readings."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.asides import words_of
from editanything.command.clause import Ask, Clause, Operations
from editanything.command.constructions import Construction, grammar, matches
from editanything.command.discourse import IMAGE, Discourse, Unresolved
from editanything.command.heads import Tokens
from editanything.command.loose import Loose, take
from editanything.command.operations import BUILDERS, SIGNED
from editanything.command.phrases import noun_phrase
from editanything.command.places import join_places
from editanything.command.readings import readings
from editanything.command.refusals import explain, plainly
from editanything.command.tokens import tokenize
from editanything.command.types import Operation, Selector


class Failed(Exception):
    """A clause that gives no operation."""

    def __init__(self, reason: str, about: str = "", unknown: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason, self.about, self.unknown = reason, about, unknown


def understand(tokens: Tokens, talk: Discourse) -> tuple[Operations, Tokens]:
    """The operations of one clause, and its verb for a gapped clause after it.

    Raises:
        Failed, Ask, Unresolved: no reading of the clause gives an operation.
    """
    problems: list[Exception] = []
    for reading in readings(tokens, talk.selection):
        found = _read(reading, talk, problems)
        if found is not None:
            return found
    plain = plainly(tokens)
    for problem in problems:
        if isinstance(problem, Ask) and (plain is None or plain[0] != "unsupported"):
            raise problem
    for problem in problems:
        if isinstance(problem, Unresolved) and plain is None:
            raise problem
    raise Failed(*explain(tokens, talk))


def _read(
    tokens: Tokens, talk: Discourse, problems: list[Exception]
) -> tuple[Operations, Tokens] | None:
    """The operations of the first construction that fits."""
    loosened: dict[tuple[str, ...], tuple[Tokens, Loose]] = {(): (tokens, Loose())}
    for construction in grammar().candidates(words_of(tokens)):
        if construction.loose not in loosened:
            loosened[construction.loose] = take(construction.loose, tokens)
        body, loose = loosened[construction.loose]
        found = _build(construction, body, loose, tokens, talk, problems)
        if found is not None:
            return found
    return None


def _build(
    construction: Construction,
    body: Tokens,
    loose: Loose,
    tokens: Tokens,
    talk: Discourse,
    problems: list[Exception],
) -> tuple[Operations, Tokens] | None:
    for match in matches(construction, body):
        memory = talk.copy()
        clause = Clause(match, loose, memory, tuple(words_of(tokens)))
        try:
            ops = BUILDERS[construction.builder](clause)
        except (Ask, Unresolved) as problem:
            if isinstance(problem, Ask) and problem.final:
                raise
            problems.append(problem)
            continue
        lost = _lost_minus(construction.builder, body, tokens)
        if ops and lost:
            question = f"What does “{lost}” mean here? Say it without the minus sign."
            problems.append(Ask("no_value", lost, question))
        elif ops and not any(_is_foreign(op.target) for op in ops):
            remember(ops, talk)
            if construction.builder == "give" and words_of(clause.slot("T")) == ["it"]:
                talk.name(*memory.last)  # "give it a hat and put a ball next to it"
            length = len(match.verb.split())
            return ops, tokens[:length]
    return None


def _lost_minus(builder: str, body: Tokens, tokens: Tokens) -> str:
    """The first number below zero that a builder reads as if it were above; empty if there is none.

    What is loose comes to the builder with its sign; a number among a thing's words is its count.
    """
    if builder == "edit_text":
        return ""  # it is a letter there
    read = body if builder in SIGNED else tokens
    return next((token.word for token in read if (token.number or 0.0) < 0), "")


def _is_foreign(thing: Selector | None) -> bool:
    """Whether a thing lies in a reference picture: only the current one can be changed."""
    if thing is None:
        return False
    anchors = thing.relation.anchors if thing.relation is not None else ()
    return thing.image not in (None, "A") or any(map(_is_foreign, (*anchors, thing.part_of)))


def remember(ops: Operations, talk: Discourse) -> None:
    """Name what the operations were about, for the pronouns to come."""
    named = [thing for op in ops for thing in _named_by(op, talk)]
    talk.name(*named)
    talk.cropped = bool(ops) and ops[-1].op == "crop"
    talk.removed = bool(ops) and ops[-1].op == "remove" and not talk.rethought
    talk.copies = next((op.copies or 1 for op in ops[-1:] if op.op == "duplicate"), 0)


def _named_by(op: Operation, talk: Discourse) -> list[Selector]:
    if op.op == "exchange" and op.target is not None and op.other is not None:
        return [op.target, op.other]
    if op.op == "replace" and op.value and op.target is not None and op.target.noun != "background":
        return [_new(op.value, talk)]
    if op.op == "add" and op.value:
        return [_new(op.value, talk)]
    if op.op == "transfer" and op.subject is not None and op.mode != "style":
        return [replace(op.subject, image=None)]
    return [op.target] if op.target is not None else [IMAGE]


def _new(value: str, talk: Discourse) -> Selector:
    """The selector of something that the command itself brings in."""
    tokens = join_places(tokenize(value))
    try:
        found = noun_phrase(tokens, talk)
    except Unresolved:
        found = None
    return found if found is not None else Selector(value)
