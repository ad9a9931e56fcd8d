"""Builders: undo, redo, variations, compare."""

from __future__ import annotations

from editanything.command.clause import Clause, Operations
from editanything.command.types import Operation

_STEP_WORDS = {
    "the", "last", "previous", "step", "steps", "change", "changes", "edit", "edits", "that", "it", "this", "action",
    "actions", "operation", "operations", "my", "time", "times", "one", "thing", "things", "by", "to", "what", "you", "did", "just", "a", "most", "recent", "command", "commands",
    "modification", "modifications", "latest", "back", "please", "few", "couple", "of", "more", "past", "again", "state", "version",
}  # fmt: skip


def undo(clause: Clause) -> Operations | None:
    """Back by one step, by several, or to the start."""
    steps = _steps(clause)
    return None if steps is None else (Operation("undo", steps=steps),)


def redo(clause: Clause) -> Operations | None:
    """Forward again."""
    steps = _steps(clause)
    return None if steps is None else (Operation("redo", steps=steps),)


def _steps(clause: Clause) -> int | str | None:
    words = {token.word for token in clause.slot("Q") if token.kind == "word"}
    if clause.verb in {"start over", "reset"} and not words - {
        "everything",
        "all",
        "the",
        "image",
        "picture",
        "photo",
        "it",
    }:
        return "all"
    numbers = [int(token.number) for token in clause.slot("Q") if token.number is not None]
    if words & {"everything", "all", "original", "beginning", "start"} and not numbers:
        return (
            "all"
            if not words
            - _STEP_WORDS
            - {
                "everything",
                "all",
                "original",
                "beginning",
                "start",
                "image",
                "picture",
                "photo",
                "from",
            }
            else None
        )
    if words - _STEP_WORDS:
        return None
    if clause.verb in {"cancel", "reverse", "repeat that"} and not clause.slot("Q"):
        return 1 if clause.verb != "reverse" else None
    if clause.verb == "restore" and not numbers:
        return None
    if "few" in words and not numbers:
        return 3
    return numbers[0] if numbers else 1


_VARIANT_WORDS = {"variation", "variant", "version", "alternative", "option", "take", "result", "proposal", "idea", "possibility", "candidate", "choice"}  # fmt: skip


_VARIANT_FILL = {"me", "a", "an", "some", "different", "more", "other", "few", "another", "new", "several", "of", "it", "this", "the", "that", "random", "please", "alternate", "alternative", "possible", "picture", "image", "photo", "result", "edit", "last", "couple", "distinct", "various", "additional", "extra", "for", "one", "my", "your", "best"}  # fmt: skip


def variations(clause: Clause) -> Operations | None:
    """Several results of the same command."""
    from editanything.command.nouns import singular

    tokens = clause.slot("Q")
    nouns = [singular(token.word)[0] for token in tokens if token.kind == "word"]
    if not set(nouns) & _VARIANT_WORDS or set(nouns) - _VARIANT_WORDS - _VARIANT_FILL:
        return None
    numbers = [int(token.number) for token in tokens if token.number is not None]
    one = bool({"another", "a", "an", "one"} & set(nouns)) and not {"few", "couple"} & set(nouns)
    n = numbers[0] if numbers else 3 if "few" in nouns else 1 if one else 4
    return (Operation("variations", n=n),) if n > 0 else None


def compare(clause: Clause) -> Operations | None:
    """The picture beside what it was."""
    allowed = {
        "with",
        "to",
        "the",
        "original",
        "before",
        "and",
        "after",
        "image",
        "picture",
        "photo",
        "it",
        "against",
        "this",
        "that",
        "versions",
        "version",
        "result",
        "both",
        "edit",
        "side",
        "by",
        "first",
        "edited",
        "one",
        "source",
        "results",
        "old",
        "new",
        "between",
        "them",
        "two",
        "unedited",
        "previous",
        "current",
        "starting",
    }
    if any(token.word not in allowed for token in clause.slot("Q")):
        return None
    return (Operation("compare"),)
