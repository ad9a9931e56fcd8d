"""How far the work is: a callback that hears of it, may look at it, and may cancel it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from editanything.errors import Cancelled

if TYPE_CHECKING:
    from editanything.types import RGB

#: Called with the share of the work done (0..1) and what is being done; returning False cancels.
#: Where it also has a method `show`, it is shown how the work looks by now: see `show`.
Progress = Callable[[float, str], bool | None]


def report(progress: Progress | None, share: float, what: str) -> None:
    """Tell `progress` how far the work is.

    Raises:
        Cancelled: if the callback answers False.
    """
    if progress is not None and progress(share, what) is False:
        raise Cancelled


def part_of_progress(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """A progress callback for a part of the work that goes from share `start` to `stop`."""
    if progress is None:
        return None

    def part(share: float, what: str) -> bool | None:
        return progress(start + (stop - start) * share, what)

    if hasattr(progress, "show"):
        part.show = progress.show  # type: ignore[attr-defined]
    return part


def show(progress: Progress | None, make: Callable[[], RGB]) -> None:
    """Offer `progress` a look at the work so far.

    Args:
        progress: a callback; those without `show` care for no pictures.
        make: makes the picture; called, at once, only if somebody wants to see it.
    """
    see = getattr(progress, "show", None)
    if see is not None:
        see(make)


def shown_as(progress: Progress | None, turn: Callable[[Any], RGB]) -> Progress | None:
    """`progress`, which is shown `turn(picture)` of each picture that it is offered."""
    see = getattr(progress, "show", None)
    if progress is None or see is None:
        return progress
    inner = part_of_progress(progress, 0.0, 1.0)
    inner.show = lambda make: see(lambda: turn(make()))  # type: ignore[union-attr]
    return inner
