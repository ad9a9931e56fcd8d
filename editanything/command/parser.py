"""Text -> Command: sentences to clauses to operations, with what was said before in mind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from editanything.command.checks import check, merge
from editanything.command.clause import Ask, Clause, Operations
from editanything.command.constructions import Construction, grammar, matches
from editanything.command.discourse import Discourse, Unresolved
from editanything.command.heads import Tokens
from editanything.command.keeping import Keep, keeping, starts_keep, with_keep
from editanything.command.lexicon import lexicon
from editanything.command.loose import Loose, take
from editanything.command.nouns import can_be_noun
from editanything.command.operations import BUILDERS
from editanything.command.phrases import noun_phrase
from editanything.command.places import join_places
from editanything.command.readings import readings, strip_opening, strip_polite, words_of
from editanything.command.refusals import (
    NEEDS_VALUE,
    explain,
    opening_refusal,
    plainly,
    refuse,
    unsafe_words,
)
from editanything.command.tokens import Token, tokenize
from editanything.command.types import Command, Operation, Selector

MAX_CLAUSE_WORDS = 60
MAX_LOOK_AHEAD = 3 * MAX_CLAUSE_WORDS  # words in which the end of a clause is sought
MAX_CHARACTERS = 20_000
_JOINTS = {"and", "then", "but", "while", "also", "plus", "afterwards", "yet", "though"}


#: Reasons that no other reading of the clause can put right.
_FINAL = {"unsafe", "nothing_to_do", "missing_source", "contradiction"}


class Failed(Exception):
    """A clause that gives no operation."""

    def __init__(self, reason: str, about: str = "", unknown: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason, self.about, self.unknown = reason, about, unknown


def parse(text: str, *, images: tuple[str, ...] = ("A",), selection: bool = False) -> Command:
    """Understand one command in plain English. Never raises for any text.

    Args:
        text: what the user typed.
        images: labels of the pictures in the session: "A" is edited, the others are references.
        selection: whether a part of the picture is selected; then "it" is that part.

    Returns:
        The operations in the order spoken, or the reason why not and a question to ask back.
    """
    tokens = join_places(tokenize(text[:MAX_CHARACTERS]))
    if not any(token.kind not in {"comma", "stop", "arrow"} for token in tokens):
        return refuse(text, "empty")
    bad = unsafe_words(words_of(tokens))
    if bad is not None:
        return refuse(text, "unsafe", bad)
    talk = Discourse(selection=selection, images=images)
    try:
        ops = _sentences(tokens, talk, "?" in text)
        ops = merge(ops)
        check(ops)
    except Failed as failed:
        return refuse(text, failed.reason, failed.about, failed.unknown)
    except Ask as ask:
        return refuse(text, ask.reason, ask.about, question=ask.question)
    except Unresolved as unresolved:
        return refuse(text, "unresolved_reference", unresolved.word)
    return Command(text, "ok", ops=ops)


def _sentences(tokens: Tokens, talk: Discourse, question_mark: bool) -> Operations:
    """The operations of every sentence, in order; constraints hold for all of them."""
    ops: Operations = ()
    keeps: list[Keep] = []
    failed: Failed | None = None
    for sentence in _split_at(tokens, {"stop"}):
        body, asked = strip_polite(sentence)
        if not body:
            continue
        reason = opening_refusal(words_of(body), asked, question_mark)
        if reason is not None:
            failed = failed or Failed(reason, " ".join(words_of(body)))
            continue
        found, kept = _clauses(body, talk, ops)
        ops = found
        keeps.extend(kept)
    if not ops:
        if keeps:
            raise Failed("nothing_to_do")
        raise failed or Failed("not_an_edit")
    if failed is not None and failed.reason == "not_an_edit" and question_mark:
        raise failed
    return with_keep(ops, keeps)


def _split_at(tokens: Tokens, kinds: set[str]) -> list[Tokens]:
    parts: list[Tokens] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.kind in kinds:
            parts.append(tokens[start:at])
            start = at + 1
    return [part for part in (*parts, tokens[start:]) if part]


def _clauses(tokens: Tokens, talk: Discourse, ops: Operations) -> tuple[Operations, list[Keep]]:
    """Read a sentence clause by clause; the longest clause that parses is taken first."""
    keeps: list[Keep] = []
    verb: Tokens = ()
    while tokens:
        tokens = strip_opening(tokens)
        if not tokens:
            break
        result = _first_clause(tokens[:MAX_LOOK_AHEAD], talk, verb, ops)
        if isinstance(result.found, Keep):
            keeps.append(result.found)
        else:
            ops = (*ops, *result.found)
            verb = result.verb or verb
        tokens = tokens[result.stop :]
    return ops, keeps


@dataclass(frozen=True)
class _Read:
    """A clause that was understood: its operations, its verb for gapping, where it stops."""

    found: Operations | Keep
    verb: Tokens = ()
    stop: int = 0


def _first_clause(tokens: Tokens, talk: Discourse, verb: Tokens, ops: Operations) -> _Read:
    """The longest or likeliest first clause of a sentence that can be read.

    Raises:
        Failed, Ask, Unresolved: none can.
    """
    ends = _ends(tokens)
    pair = _parallel(tokens, ends[0], talk) or _parallel_gapped(tokens, ends[0], talk, verb)
    if pair is not None:
        return pair
    problems: list[Exception] = []
    for stop in ends:
        part = _trim(tokens[:stop])
        read = _one_clause(part, talk, verb, problems, bool(ops)) if part else None
        if read is not None:
            return _Read(read.found, read.verb, stop)
    raise _gravest(problems)


def _one_clause(
    part: Tokens, talk: Discourse, verb: Tokens, problems: list[Exception], after: bool
) -> _Read | None:
    """One clause, as what must stay, as a whole, or with the verb of the one before."""
    kept = keeping(part, talk, after)
    if kept is not None:
        return _Read(kept)
    if len(part) <= 3 and not _starts_clause(part):
        gapped = _gapped(part, verb, talk, [])
        if gapped is not None:
            return _Read(gapped, verb)
    try:
        return _Read(*understand(part, talk))
    except (Failed, Ask, Unresolved) as problem:
        problems.append(problem)
    gapped = _gapped(part, verb, talk, problems)
    return None if gapped is None else _Read(gapped, verb)


def _parallel_gapped(tokens: Tokens, first: int, talk: Discourse, verb: Tokens) -> _Read | None:
    """The same inside a gap: `..., the dog white and the bird red`."""
    if not verb or _starts_clause(tokens):
        return None
    pair = _parallel((*verb, *tokens), first + len(verb), talk)
    return None if pair is None else _Read(pair.found, verb, pair.stop - len(verb))


def _parallel(tokens: Tokens, first: int, talk: Discourse) -> _Read | None:
    """`make the sky sunset and the grass yellow`: both halves have a thing and a value.

    Read as one thing "sky sunset and grass" it would be yellow altogether.
    """
    if tokens[0].word not in NEEDS_VALUE:
        return None
    joints = [at for at in range(1, first) if _is_joint(tokens, at)]
    for number, at in enumerate(joints[:4]):
        stop = joints[number + 1] if number + 1 < len(joints) else first
        rest = _trim(tokens[at:stop])
        try:
            read = understand(_trim(tokens[:at]), talk.copy())
            understand((*read[1], *rest), replace(talk.copy(), selection=False))
        except (Failed, Ask, Unresolved):
            continue
        ops, verb = understand(_trim(tokens[:at]), talk)
        return _Read(ops, verb, at)
    return None


def _gapped(
    part: Tokens, verb: Tokens, talk: Discourse, problems: list[Exception]
) -> Operations | None:
    """A clause that leaves out the verb of the one before: "... and the grass yellow".

    A short one may leave out the thing as well: "make the sky brighter and sharper".
    """
    if not verb:
        return None
    tries: list[Tokens] = [] if _starts_clause(part) else [(*verb, *part)]
    if len(part) <= 3:
        tries.append((*verb, Token("it", "it"), *part))
    if not any(can_be_noun(token.word) for token in part):
        tries.reverse()
    for tokens in tries:
        try:
            return understand(tokens, talk)[0]
        except (Failed, Ask, Unresolved) as problem:
            problems.append(problem)
    return None


def _gravest(problems: list[Exception]) -> Exception:
    """The most telling of the reasons why no reading fitted."""
    for problem in problems:
        if isinstance(problem, Ask):
            return problem
    for problem in problems:
        if isinstance(problem, Unresolved):
            return problem
    return problems[0] if problems else Failed("no_operation")


def _trim(tokens: Tokens) -> Tokens:
    while tokens and (tokens[-1].kind == "comma" or tokens[-1].word in _JOINTS):
        tokens = tokens[:-1]
    return strip_polite(tokens)[0] if tokens else tokens


_KEEPS_OFTEN = {"without", "while", "but", "except", "not", "sparing", "excluding"}


def _ends(tokens: Tokens) -> list[int]:
    """Where the first clause may stop, the likeliest first.

    A joint ("and", a comma) before a verb most likely ends it; the words up to there may still
    hold a gap ("... and the grass yellow"); a joint before a verb may also join two nouns.
    """
    joints: list[int] = []
    verbal: list[int] = []
    for at in range(1, len(tokens)):
        if tokens[at].word in _KEEPS_OFTEN and starts_keep(tokens, at):
            (verbal if tokens[at].word in {"without", "while"} else joints).append(at)
            continue
        if not _is_joint(tokens, at):
            continue
        joints.append(at)
        rest = strip_opening(tokens[at : at + 20])
        if rest and (_starts_clause(rest) or starts_keep(rest, 0)):
            verbal.append(at)
    first = verbal[0] if verbal else len(tokens)
    near = [at for at in reversed(joints) if at < first]
    far = [at for at in (*verbal[1:], len(tokens)) if at > first]
    order = [first, *near, *far][:12]
    return [stop for stop in order if stop <= MAX_CLAUSE_WORDS] or [min(first, MAX_CLAUSE_WORDS)]


def _is_joint(tokens: Tokens, at: int) -> bool:
    return tokens[at].kind == "comma" or (tokens[at].kind == "word" and tokens[at].word in _JOINTS)


def _starts_clause(tokens: Tokens) -> bool:
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
    for problem in problems:
        if isinstance(problem, Ask):
            raise problem
    for problem in problems:
        if isinstance(problem, Unresolved) and plainly(tokens) is None:
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
            if isinstance(problem, Ask) and problem.reason in _FINAL:
                raise
            problems.append(problem)
            continue
        if ops and not any(_is_foreign(op.target) for op in ops):
            remember(ops, talk)
            length = len(match.verb.split())
            return ops, tokens[:length]
    return None


def _is_foreign(thing: Selector | None) -> bool:
    """Whether a thing lies in a reference picture: only the current one can be changed."""
    return thing is not None and thing.image not in (None, "A")


def remember(ops: Operations, talk: Discourse) -> None:
    """Name what the operations were about, for the pronouns to come."""
    named = [thing for op in ops for thing in _named_by(op, talk)]
    talk.name(*named)


def _named_by(op: Operation, talk: Discourse) -> list[Selector]:
    if op.op == "exchange" and op.target is not None and op.other is not None:
        return [op.target, op.other]
    if op.op == "replace" and op.value and op.target is not None and op.target.noun != "background":
        return [_new(op.value, talk)]
    if op.op == "add" and op.value:
        return [_new(op.value, talk)]
    if op.op == "transfer" and op.subject is not None and op.mode != "style":
        return [replace(op.subject, image=None)]
    return [op.target] if op.target is not None and op.target.noun != "@image" else []


def _new(value: str, talk: Discourse) -> Selector:
    """The selector of something that the command itself brings in."""
    tokens = join_places(tokenize(value))
    try:
        found = noun_phrase(tokens, talk)
    except Unresolved:
        found = None
    return found if found is not None else Selector(value)
