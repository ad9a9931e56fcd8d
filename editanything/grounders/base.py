"""What a grounder answers, and how it asks back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from editanything.command.types import Selector
from editanything.errors import Refusal
from editanything.masks import union
from editanything.types import Mask, Region, Seen

HOW_TO_POINT = (
    "Click it or draw a box around it: in the app with the Click or Box tool, on the command line "
    "with --select x,y or --box x0,y0,x1,y1, in Python with selection=..."
)


@dataclass(frozen=True, eq=False)
class Grounding:
    """What a selector means in a picture: one mask per thing, and how it was found."""

    masks: tuple[Mask, ...]
    by: str  # "your selection", "the words", "its colour", ...

    def __post_init__(self) -> None:
        assert self.masks, "nothing found is a Refusal, not an empty Grounding"

    def union(self) -> Mask:
        """All of it as one mask."""
        return union(*self.masks)


class Grounder(Protocol):
    """Anything that finds what words mean in a picture."""

    def ground(self, seen: Seen, selector: Selector, *, selection: Mask | None) -> Grounding:
        """The masks that `selector` means.

        Raises:
            Refusal: reason "not_found", "wrong_count" or "tie", with the question to ask back and
                the ids of the regions that could be meant.
        """
        ...


def not_found(what: str, known: Sequence[str] = ()) -> Refusal:
    """Nothing in the picture is known by these words."""
    listed = f" I know here: {', '.join(known)}." if known else ""
    return Refusal(
        f"I cannot find “{what}” by words in this picture.{listed} {HOW_TO_POINT}.",
        reason="not_found",
        question=f"Where is “{what}”? Click it or draw a box around it.",
    )


def wrong_count(what: str, asked: int, found: Sequence[Region]) -> Refusal:
    """There are more or fewer of them than the user said."""
    return Refusal(
        f"You said {asked}, but I find {len(found)} for “{what}”; say which ones, or click them.",
        reason="wrong_count",
        question=f"I find {len(found)}, you said {asked}: which do you mean?",
        candidates=tuple(region.id for region in found),
    )


def tie(what: str, found: Sequence[Region]) -> Refusal:
    """Several are equally good."""
    return Refusal(
        f"There are {len(found)} for “{what}”: say “all”, “the left one”, “the largest”, "
        "or click the one that you mean.",
        reason="tie",
        question=f"Which of the {len(found)} do you mean?",
        candidates=tuple(region.id for region in found),
    )
