"""Builders: undo, redo, variations, compare."""

from __future__ import annotations

from editanything.command.clause import Clause, Operations
from editanything.command.lexicon import lexicon
from editanything.command.nouns import singular
from editanything.command.types import Operation


def undo(clause: Clause) -> Operations | None:
    """Back by one step, by several, or to the start."""
    steps = _steps(clause)
    return None if steps is None else (Operation("undo", steps=steps),)


_AFRESH = {
    "start over",
    "start again",
    "start from scratch",
    "start over from scratch",
    "start again from scratch",
    "reset",
}


def redo(clause: Clause) -> Operations | None:
    """Forward again."""
    steps = _steps(clause)
    return None if steps is None else (Operation("redo", steps=steps),)


def _steps(clause: Clause) -> int | str | None:
    words = {token.word for token in clause.slot("Q") if token.kind == "word"}
    if clause.verb in _AFRESH and not words - {
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
            - lexicon().sets["step_words"]
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
    last = clause.slot("Q")[-1].word if clause.slot("Q") else ""
    if words - lexicon().sets["step_words"] and last not in {"change", "edit", "step"}:
        return None
    if clause.verb in {"cancel", "reverse", "repeat that"} and not clause.slot("Q"):
        return 1 if clause.verb != "reverse" else None
    if clause.verb == "restore" and not numbers:
        return None
    times = {"few": 3, "twice": 2, "thrice": 3, "couple": 2}
    for word in sorted(words & set(times)):
        return numbers[0] if numbers else times[word]
    return numbers[0] if numbers else 1


def variations(clause: Clause) -> Operations | None:
    """Several results of the same command."""
    tokens = clause.slot("Q")
    nouns = [singular(token.word)[0] for token in tokens if token.kind == "word"]
    if (
        not set(nouns) & lexicon().sets["variant_nouns"]
        or set(nouns) - lexicon().sets["variant_nouns"] - lexicon().sets["variant_words"]
    ):
        return None
    numbers = [int(token.number) for token in tokens if token.number is not None]
    one = bool({"another", "a", "an", "one"} & set(nouns)) and not {"few", "couple"} & set(nouns)
    n = numbers[0] if numbers else 3 if "few" in nouns else 1 if one else 4
    return (Operation("variations", n=n),) if n > 0 else None


def compare(clause: Clause) -> Operations | None:
    """The picture beside what it was."""
    if any(token.word not in lexicon().sets["compare_words"] for token in clause.slot("Q")):
        return None
    return (Operation("compare"),)
