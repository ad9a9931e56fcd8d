"""Text -> Command: sentences to clauses to operations, with what was said before in mind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from editanything.command.asides import (
    is_assurance,
    is_complaint,
    is_contrast,
    without_comment,
    without_fillers,
    without_reasons,
    without_statement,
    words_of,
)
from editanything.command.attributes import color_value, value_text
from editanything.command.checks import check, merge
from editanything.command.clause import Ask, Operations
from editanything.command.complaints import answer, is_fault
from editanything.command.dictated import dictated
from editanything.command.discourse import Discourse, Unresolved
from editanything.command.heads import Tokens
from editanything.command.keeping import Keep, keeping, with_keep
from editanything.command.lexicon import lexicon
from editanything.command.measures import measured
from editanything.command.mentions import past_mention, points_out
from editanything.command.nouns import can_be_noun
from editanything.command.places import join_places
from editanything.command.readings import strip_opening, strip_polite
from editanything.command.refusals import (
    NEEDS_VALUE,
    is_plain_thing,
    opening_refusal,
    refuse,
    unsafe_words,
)
from editanything.command.second_thoughts import instead, joined, second_thought
from editanything.command.spelling import near_verbs
from editanything.command.splitting import (
    MAX_LOOK_AHEAD,
    ends,
    is_joint,
    joined_verbs,
    split_at,
    starts_clause,
    trim,
)
from editanything.command.spoken import plainly_spoken
from editanything.command.targets import targets
from editanything.command.tokens import Token, tokenize
from editanything.command.types import Command
from editanything.command.understanding import Failed, remember, understand
from editanything.command.unpunctuated import punctuated

MAX_CHARACTERS = 20_000
MAX_CHANGES_OF_MIND = 3


def parse(text: str, *, images: tuple[str, ...] = ("A",), selection: bool = False) -> Command:
    """Understand one command in plain English. Never raises for any text.

    Args:
        text: what the user typed.
        images: labels of the pictures in the session: "A" is edited, the others are references.
        selection: whether a part of the picture is selected; then "it" is that part.

    Returns:
        The operations in the order spoken, or the reason why not and a question to ask back.
    """
    said = measured(dictated(without_fillers(tokenize(text[:MAX_CHARACTERS]))))
    tokens = join_places(plainly_spoken(punctuated(said)))
    command = _understood(text, tokens, images, selection)
    if command.reason not in {"no_operation", "vague", "nonsense", "no_target"}:
        return command
    for other in _other_verbs(tokens):
        again = _understood(text, other, images, selection)
        if again.status == "ok":
            return again
    return command


def _other_verbs(tokens: Tokens) -> Iterator[Tokens]:
    """`tokens` with a usual verb that is one slip away from the first word: "sap the two cups".

    Only where that word opens nothing, and the words name no thing.
    """
    if len(tokens) < 2 or tokens[0].kind != "word" or starts_clause(tokens):
        return
    if strip_opening(tokens) != tokens or tokens[0].word in lexicon().core:
        return
    talk = Discourse(selection=False, images=("A",))
    if is_plain_thing(tokens, talk):
        return
    for verb in near_verbs(tokens[0].word):
        yield (replace(tokens[0], word=verb), *tokens[1:])


def _understood(text: str, tokens: Tokens, images: tuple[str, ...], selection: bool) -> Command:
    if not any(token.kind not in {"comma", "stop", "arrow"} for token in tokens):
        return refuse(text, "empty")
    words = words_of(tokens)
    bad = unsafe_words(words) or unsafe_words(" ".join(words).replace("-", " ").split())
    if bad is not None:
        return refuse(text, "unsafe", bad)
    try:
        ops = merge(_considered(tokens, Discourse(selection=selection, images=images), "?" in text))
        check(ops)
    except Failed as failed:
        return refuse(text, failed.reason, failed.about, failed.unknown)
    except Ask as ask:
        return refuse(text, ask.reason, ask.about, question=ask.question)
    except Unresolved as unresolved:
        return refuse(text, "unresolved_reference", unresolved.word)
    return Command(text, "ok", ops=ops)


def _considered(
    tokens: Tokens, talk: Discourse, question_mark: bool, changes: int = MAX_CHANGES_OF_MIND
) -> Operations:
    """The operations of every sentence, without what is taken back in the next breath."""
    thought = second_thought(tokens) if changes and len(tokens) <= MAX_LOOK_AHEAD else None
    if thought is None:
        return _sentences(tokens, talk, question_mark)
    first, later, sure = thought
    try:
        before = _considered(first, talk.copy(), question_mark, changes - 1)
    except (Failed, Ask, Unresolved):
        return _sentences(tokens, talk, question_mark)
    for said in joined(first, later):
        try:
            again = replace(talk, rethought=True)
            found = instead(before, _sentences(said, again, question_mark), sure)
        except (Failed, Ask, Unresolved):
            continue
        if found is not None:
            return found
    return _sentences(tokens, talk, question_mark)


def _sentences(tokens: Tokens, talk: Discourse, question_mark: bool) -> Operations:
    """The operations of every sentence, in order; constraints hold for all of them."""
    ops: Operations = ()
    keeps: list[Keep] = []
    failed: Failed | None = None
    sentences = [part for one in split_at(tokens, {"stop"}) for part in _listed(one)]
    for sentence in sentences:
        if sentence is not sentences[-1] and points_out(sentence, talk):
            continue
        sentence = past_mention(sentence, talk)
        body, asked = strip_polite(sentence)
        if not body:
            continue
        reason = opening_refusal(words_of(body), asked, question_mark)
        if reason == "not_an_edit" and (wish := _after_question(body)):
            body, reason = wish, None
        if reason is not None:
            failed = failed or Failed(reason, " ".join(words_of(body)))
            continue
        ops, kept = _sentence(body, talk, ops)
        keeps.extend(kept)
    if not ops:
        if keeps:
            raise Failed("nothing_to_do")
        raise failed or Failed("not_an_edit")
    if failed is not None and failed.reason == "not_an_edit" and question_mark:
        raise failed
    return with_keep(ops, keeps)


def _after_question(tokens: Tokens) -> Tokens:
    """`why isn't she smiling, make her smile`: the wish after a question; () if there is none."""
    at = next((at for at, token in enumerate(tokens) if token.kind == "comma"), 0)
    rest = strip_polite(tokens[at + 1 :])[0] if at else ()
    return rest if rest and starts_clause(rest) and at > 1 else ()


def _listed(tokens: Tokens) -> list[Tokens]:
    """`cap: red, gloves: black`, `sky dark, dog sharp`: a list of such is as many sentences."""
    parts = split_at(tokens, {"comma"})
    arrows = all(sum(token.kind == "arrow" for token in part) == 1 for part in parts)
    looks = not starts_clause(parts[0]) if parts else False
    looks = looks and all(1 < len(part) <= 4 and _ends_in_look(part) for part in parts)
    return parts if len(parts) > 1 and (arrows or looks) else [tokens]


def _ends_in_look(tokens: Tokens) -> bool:
    """`background blurry`, `dog sharp`: a thing and what it shall look like."""
    last = [tokens[-1].word]
    return lexicon().filters.whole(last) is not None and not starts_clause(tokens)


def _sentence(tokens: Tokens, talk: Discourse, ops: Operations) -> tuple[Operations, list[Keep]]:
    """Read a sentence as it stands, or else without the reasons or the small talk in it."""
    tries = dict.fromkeys(
        (tokens, without_reasons(tokens), without_comment(tokens), without_statement(tokens))
    )
    problems: list[Failed | Ask | Unresolved] = []
    for said in tries:
        memory = talk.copy()
        try:
            found = _clauses(said, memory, ops)
        except (Failed, Ask, Unresolved) as problem:
            problems.append(problem)
            continue
        talk.become(memory)
        return found
    raise problems[0]


def _clauses(tokens: Tokens, talk: Discourse, ops: Operations) -> tuple[Operations, list[Keep]]:
    """Read a sentence clause by clause; the longest clause that parses is taken first."""
    keeps: list[Keep] = []
    verb: Tokens = ()
    complaint: Operations = ()  # what "that pole ruins the shot" asks for, if nothing follows
    while tokens:
        tokens = strip_opening(tokens)
        if not tokens or (ops and (is_assurance(tokens) or is_contrast(tokens))):
            break
        result = _first_clause(tokens[:MAX_LOOK_AHEAD], talk, verb, ops)
        if isinstance(result.found, Keep):
            keeps.append(result.found)
            talk.spared = result.found.things
        else:
            said = tokens[: result.stop]
            complains = is_complaint(said) or is_fault(said)
            found = result.found if complains else answer(complaint, result.found, words_of(said))
            again = complains and not complaint
            if not (again and {op.target for op in found} <= {op.target for op in ops}):
                ops = (*(ops if complains else _without_answered(ops, complaint, found)), *found)
            complaint = found if complains else ()
            verb = result.verb or verb
        tokens = tokens[result.stop :]
    return ops, keeps


def _without_answered(ops: Operations, complaint: Operations, found: Operations) -> Operations:
    """`ops` without a complaint that the next clause answers: "that sign is ugly, blur it"."""
    things = {op.target for op in complaint}
    answered = bool(things) and any(op.target in things for op in found)
    return ops[: len(ops) - len(complaint)] if answered else ops


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
    stops = ends(tokens)
    pair = (
        _verbs_joined(tokens, talk, ops)
        or _parallel(tokens, stops[0], talk)
        or _parallel_gapped(tokens, stops[0], talk, verb)
    )
    if pair is not None:
        return pair
    problems: list[Exception] = []
    for stop in stops:
        part = trim(tokens[:stop])
        read = _one_clause(part, talk, verb, problems, ops) if part else None
        if read is not None:
            return _Read(read.found, read.verb, stop)
    raise _gravest(problems)


def _verbs_joined(tokens: Tokens, talk: Discourse, ops: Operations) -> _Read | None:
    """`brighten and sharpen the ring`: the thing comes after the last of several verbs."""
    found = joined_verbs(tokens)
    if found is None:
        return None
    verb, start = found
    memory = talk.copy()
    try:
        rest = _first_clause(tokens[start:], memory, (), ops)
        if isinstance(rest.found, Keep):
            return None
        first = understand((*verb, Token("it", "it")), memory.copy())[0]
    except (Failed, Ask, Unresolved):
        return None
    if {op.target for op in first} != {op.target for op in rest.found}:
        return None
    remember(rest.found, talk)
    return _Read((*first, *rest.found), rest.verb, start + rest.stop)


def _one_clause(
    part: Tokens, talk: Discourse, verb: Tokens, problems: list[Exception], ops: Operations
) -> _Read | None:
    """One clause, as what must stay, as a whole, or with the verb of the one before."""
    kept = keeping(part, talk, bool(ops))
    if kept is not None:
        return _Read(kept)
    if len(part) <= 3 and not starts_clause(part):
        gapped = _gapped(part, verb, talk, [])
        if gapped is not None:
            return _Read(gapped, verb)
    try:
        return _Read(*understand(part, talk))
    except (Failed, Ask, Unresolved) as problem:
        problems.append(problem)
    found = _gapped(part, verb, talk, problems) or _same_again(part, talk, ops)
    return None if found is None else _Read(found, verb)


def _same_again(part: Tokens, talk: Discourse, ops: Operations) -> Operations | None:
    """`..., and the gate too`, `do the same to the gate`: the last operation on another thing."""
    said, words = lexicon().said["same"]["words"], words_of(part)
    found = said.at(words, 0)
    named = part[found[1] :] if found is not None else part
    if not ops or ops[-1].op in {"scene", "style"}:
        return None
    if ops[-1].target is None or not named or color_value(value_text(named)):
        return None
    if found is None and starts_clause(part):
        return None
    try:
        things = targets(named, talk)
    except Unresolved:
        return None
    if things is None or ops[-1].target in things.things:
        return None
    again = tuple(replace(ops[-1], target=thing, related=None) for thing in things.things)
    remember(again, talk)
    return again


def _parallel_gapped(tokens: Tokens, first: int, talk: Discourse, verb: Tokens) -> _Read | None:
    """The same inside a gap: `..., the dog white and the bird red`."""
    if not verb or starts_clause(tokens):
        return None
    pair = _parallel((*verb, *tokens), first + len(verb), talk)
    return None if pair is None else _Read(pair.found, verb, pair.stop - len(verb))


def _parallel(tokens: Tokens, first: int, talk: Discourse) -> _Read | None:
    """`make the sky sunset and the grass yellow`: both halves have a thing and a value.

    Read as one thing "sky sunset and grass" it would be yellow altogether.
    """
    if tokens[0].word not in NEEDS_VALUE:
        return None
    joints = [at for at in range(1, first) if is_joint(tokens, at)]
    for number, at in enumerate(joints[:4]):
        stop = joints[number + 1] if number + 1 < len(joints) else first
        rest = trim(tokens[at:stop])
        try:
            read = understand(trim(tokens[:at]), talk.copy())
            understand((*read[1], *rest), replace(talk.copy(), selection=False))
        except (Failed, Ask, Unresolved):
            continue
        ops, verb = understand(trim(tokens[:at]), talk)
        return _Read(ops, verb, at)
    return None


def _gapped(
    part: Tokens, verb: Tokens, talk: Discourse, problems: list[Exception]
) -> Operations | None:
    """A clause that leaves out the verb of the one before: "... and the grass yellow".

    A short one may leave out the thing as well: "make the sky brighter and sharper".
    """
    if not verb or part[0].word in {"looks", "seems", "is"}:
        return None
    tries: list[Tokens] = [] if starts_clause(part) else [(*verb, *part)]
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
