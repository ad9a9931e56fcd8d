"""Commands that speak of the session, and what is said when an edit is done."""

from __future__ import annotations

from collections.abc import Callable

from editanything.command.describe import describe
from editanything.command.types import Command
from editanything.errors import InputError
from editanything.ui.session import Outcome, Session


def report(outcome: Outcome) -> str:
    """What was done, and what was left alone."""
    if outcome.wanted > 1:
        if len(outcome.results) == 1:
            return "All seeds give the same picture: this edit leaves nothing to chance."
        return f"{len(outcome.results)} variations: click the one to keep."
    if len(outcome.results) > 1:
        return f"Done again: {len(outcome.results)} edits, as the recipe says."
    result = outcome.results[0]
    done = "; ".join(step.what for step in result.plan.steps if step.on)
    notes = " ".join(result.plan.notes)
    share = float(result.mask.mean())
    rest = "" if share == 1 else f" {share:.1%} may differ; every other pixel is as it was."
    return f"Done: {done}.{rest} {notes}".strip()


def _undo(session: Session, command: Command) -> tuple[str, bool | None]:
    asked = command.ops[0].steps or 1
    done = session.undo(len(session.history) if asked == "all" else int(asked))
    return (f"Undone: {done} step{'s' * (done != 1)}." if done else "Nothing to undo."), False


def _redo(session: Session, command: Command) -> tuple[str, bool | None]:
    asked = command.ops[0].steps or 1
    done = session.redo(len(session.history) if asked == "all" else int(asked))
    return (f"Redone: {done} step{'s' * (done != 1)}." if done else "Nothing to redo."), False


def _select(session: Session, command: Command) -> tuple[str, bool | None]:
    count = session.select_words(command)
    target = command.ops[0].target
    assert target is not None, command
    return f"Selected {describe(target)}: {count} pixels.", False


def _compare(session: Session, _: Command) -> tuple[str, bool | None]:
    if session.history.before is None:
        raise InputError("There is nothing to compare yet: run an edit first.")
    return "Drag the line to compare.", True


SESSION_COMMANDS: dict[str, Callable[[Session, Command], tuple[str, bool | None]]] = {
    "undo": _undo,
    "redo": _redo,
    "select": _select,
    "compare": _compare,
}
