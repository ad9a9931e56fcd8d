"""What can go wrong for a user: each error is one clear sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from editanything.types import Mask


class InputError(ValueError):
    """Bad input: a file, an option or a value that cannot be used. Says what, and what to do."""


class Refusal(ValueError):
    """A command that is understood, or half understood, but not carried out.

    Attributes:
        reason: one of the reason codes of docs/commands.md ("no_target", "unsupported", ...).
        question: what to ask the user back; may be empty.
        candidates: ids of regions that the user may click to answer; may be empty.
        guess: what may be meant, for the user to confirm; nothing is done to it unasked.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        question: str = "",
        candidates: tuple[int, ...] = (),
        guess: Mask | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.question = question
        self.candidates = candidates
        self.guess = guess


class Cancelled(Exception):
    """The caller's progress callback asked to stop; the picture at work was not written."""
