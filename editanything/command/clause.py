"""What a builder of operations gets, what it may answer, and the small steps that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from editanything.command.constructions import Match
from editanything.command.discourse import IMAGE, SELECTION, Discourse
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.loose import Loose
from editanything.command.targets import Targets, targets
from editanything.command.types import Amount, Operation, Selector

Operations = tuple[Operation, ...]


class Ask(Exception):
    """A clause that is understood so far that we know what is missing or wrong.

    `about` names what it is about; `question` is asked in place of the reason's usual one; `final`
    says that no other reading of the clause shall be tried.
    """

    def __init__(
        self, reason: str, about: str = "", question: str = "", *, final: bool = False
    ) -> None:
        super().__init__(reason, about)
        self.reason = reason
        self.about = about
        self.question = question
        self.final = final or reason in _FINAL


#: Reasons that no other reading of the clause can put right.
_FINAL = {"unsafe", "nothing_to_do", "missing_source", "contradiction"}


@dataclass(frozen=True)
class Clause:
    """One way to read a clause: the match, what was loose in it, and what was said before."""

    match: Match
    loose: Loose
    talk: Discourse
    words: tuple[str, ...]  # all words of the clause

    @property
    def verb(self) -> str:
        """The words of the first literal."""
        return self.match.verb

    def slot(self, name: str) -> Tokens:
        """The tokens of a slot, empty if the construction has none."""
        return self.match.slots.get(name, ())

    def has(self, name: str) -> bool:
        """Whether the construction has this slot."""
        return name in self.match.slots

    def unnamed(self) -> Selector:
        """What is meant where no thing is named: the selection, else the whole picture."""
        named = self.talk.last and self.talk.last[-1] != SELECTION
        return SELECTION if self.talk.selection and not named else IMAGE

    def overall(self, name: str = "T") -> Targets | None:
        """The same, but "it" with nothing before it is the whole picture."""
        named = [token.word for token in self.slot(name)]
        alone = named in (["it"], ["this"], ["that"])
        if alone and not self.talk.last and not self.talk.selection:
            return Targets((IMAGE,))
        return self.things(name)

    def things(self, name: str = "T") -> Targets | None:
        """The things that a slot names."""
        return targets(self.slot(name), self.talk)


Builder = Callable[[Clause], "Operations | None"]


def each(found: Targets, make: Callable[[Selector], Operation | None]) -> Operations | None:
    """One operation for every thing; None if one cannot be made."""
    out = []
    for thing in found.things:
        operation = make(thing)
        if operation is None:
            return None
        preserve = found.kept or operation.preserve
        related = found.related or operation.related
        out.append(replace(operation, related=related, preserve=preserve))
    return tuple(out)


def without_sign(amount: Amount | None) -> tuple[Amount | None, bool]:
    """An amount without its minus sign, and whether it had one: then the opposite is meant."""
    if isinstance(amount, dict) and amount["value"] < 0:
        return {**amount, "value": -amount["value"]}, True
    return amount, False


def refuse_tones(clause: Clause) -> None:
    """`lower the highlights`, `lift the shadows` move nothing: they are parts of the light.

    Raises:
        Ask: unsupported.
    """
    words = [token.word for token in clause.slot("T") if token.word not in {"the", "my", "its"}]
    tone = len(words) == 1 and words[0] in lexicon().sets["tones"]
    if tone or lexicon().said["unsupported"]["quantities"].whole(words) is not None:
        raise Ask("unsupported", " ".join(words))


def simple(op: str) -> Builder:
    """The builder of an operation that has a target and nothing else."""

    def build(clause: Clause) -> Operations | None:
        found = clause.things()
        return None if found is None else each(found, lambda thing: Operation(op, thing))

    return build
