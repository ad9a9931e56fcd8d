"""What a grounder answers: one of a few frozen outcomes, and how each asks back.

Something is found, or nothing is, or more or fewer than the user said, or several that are equally
good. There is no fifth outcome: a region is never picked in silence where another was as good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from editanything.command.types import Selector
from editanything.errors import Refusal
from editanything.masks import union
from editanything.types import RGB, Mask, Region, Selection

HOW_TO_POINT = (
    "Click it or draw a box around it: in the app with the Click or Box tool, on the command line "
    "with --select x,y or --box x0,y0,x1,y1, in Python with selection=..."
)
#: How the subject of a picture without names was found.
STANDS_OUT = "what stands out"
MADE_UP = -1  # the id of a region that is none of the picture's own, such as all that is red
_MOST_NAMES = 12


class Scene(Protocol):
    """What a grounder needs of a picture: every `Seen` is one, and so is what a plan foresees."""

    @property
    def image(self) -> RGB:
        """The picture."""
        ...

    @property
    def known(self) -> tuple[Region, ...]:
        """The regions that bear names."""
        ...

    def regions(self) -> tuple[Region, ...]:
        """All regions, named ones first."""
        ...


@runtime_checkable
class Selecting(Protocol):
    """A picture in hand that tells what a box means."""

    def select(self, selection: Selection) -> Mask:
        """The pixels that are meant."""
        ...


def came_with_names(scene: Scene) -> bool:
    """Whether what the picture shows is known by name: more than what edits have set there."""
    return any(region.label and not region.made for region in scene.known)


@dataclass(frozen=True, eq=False)
class Found:
    """What a selector means in a picture: one region per thing, and how it was found."""

    regions: tuple[Region, ...]
    by: str  # "your selection", "its name", "its colour", ...

    def __post_init__(self) -> None:
        assert self.regions, "nothing found is a NotFound"

    @property
    def masks(self) -> tuple[Mask, ...]:
        """One mask per thing."""
        return tuple(region.mask for region in self.regions)

    def union(self) -> Mask:
        """All of it as one mask."""
        return union(*self.masks)


@dataclass(frozen=True, eq=False)
class NotFound:
    """Nothing in the picture is meant by these words.

    Attributes:
        what: the words.
        names: what the picture is known to show.
        candidates: things of this name, none of which fits the rest of what was said.
        guess: what stands out of a picture without names, and may be meant.
    """

    what: str
    names: tuple[str, ...] = ()
    candidates: tuple[Region, ...] = ()
    guess: Mask | None = None

    def refusal(self) -> Refusal:
        """The question to ask back."""
        if self.candidates:
            said = f"There is no “{self.what}” here: {_none_of(len(self.candidates))}."
        elif self.names:
            more = ", …" if len(self.names) > _MOST_NAMES else ""
            shown = ", ".join(self.names[:_MOST_NAMES])
            said = f"There is no “{self.what}” here; I see: {shown}{more}."
        else:
            said = f"I cannot find “{self.what}” by words in this picture."
        told = question = ""
        if self.guess is not None:
            told = "If it is what stands out there, say “the subject” instead. Else point at it. "
            question = "I have selected what stands out: if that is it, run this again. Else click"
        return Refusal(
            f"{said} {told}{HOW_TO_POINT}.",
            reason="not_found",
            question=f"{said} {question or 'Click'} what you mean, or draw a box around it.",
            candidates=_ids(self.candidates),
            guess=self.guess,
        )


@dataclass(frozen=True, eq=False)
class Miscount:
    """There are more or fewer of them than the user said."""

    what: str
    asked: int
    candidates: tuple[Region, ...]

    def refusal(self) -> Refusal:
        """The question to ask back."""
        count = len(self.candidates)
        return Refusal(
            f"You said {self.asked}, but I find {count} for “{self.what}”; say which ones, or "
            "click them.",
            reason="wrong_count",
            question=f"I find {count}, you said {self.asked}: which do you mean?",
            candidates=_ids(self.candidates),
        )


@dataclass(frozen=True, eq=False)
class Tie:
    """Several are equally good."""

    what: str
    candidates: tuple[Region, ...]
    why: str = ""  # where it is not plain why: "they are equally large"

    def refusal(self) -> Refusal:
        """The question to ask back."""
        count = len(self.candidates)
        why = f" ({self.why})" if self.why else ""
        return Refusal(
            f"There are {count} for “{self.what}”{why}: say “all”, “the left one”, “the largest”, "
            "or click the one that you mean.",
            reason="tie",
            question=f"Which of the {count} do you mean{f': {self.why}' if self.why else ''}?",
            candidates=_ids(self.candidates),
        )


@dataclass(frozen=True, eq=False)
class Unclear:
    """Words that need something first: a selection, or a thing in front."""

    message: str
    reason: str
    question: str

    def refusal(self) -> Refusal:
        """The question to ask back."""
        return Refusal(self.message, reason=self.reason, question=self.question)


Outcome = Found | NotFound | Miscount | Tie | Unclear


class Grounder(Protocol):
    """Anything that finds what words mean in a picture; a subclass only needs `find`."""

    def find(self, seen: Scene, selector: Selector, *, selection: Mask | None = None) -> Outcome:
        """What `selector` means in the picture, where `selection` is what the user points at."""
        ...

    def ground(self, seen: Scene, selector: Selector, *, selection: Mask | None = None) -> Found:
        """What `selector` means, or the question to ask back.

        Raises:
            Refusal: reason "not_found", "wrong_count", "tie" or "unresolved_reference", with the
                ids of the regions that could be meant.
        """
        outcome = self.find(seen, selector, selection=selection)
        if isinstance(outcome, Found):
            return outcome
        raise outcome.refusal()


def _none_of(count: int) -> str:
    return "the only one does not fit" if count == 1 else f"none of the {count} fits"


def _ids(regions: Sequence[Region]) -> tuple[int, ...]:
    return tuple(region.id for region in regions if region.id != MADE_UP)
