"""The one thing in front of a picture whose parts bear no names, if the segmenter tells one."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from editanything import masks
from editanything.grounders.base import MADE_UP, Scene
from editanything.types import Mask, Region


@runtime_checkable
class Telling(Protocol):
    """A picture in hand whose segmenter tells what stands out of it."""

    def subject(self) -> Mask | None:
        """The thing in front; None where none is plain."""
        ...


@runtime_checkable
class Foreseen(Protocol):
    """A scene after a step that is not carried out yet (`planning.after.After`)."""

    @property
    def before(self) -> Scene:
        """The scene that the step acts on."""
        ...

    def follow(self, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        """Regions of the scene before: those that are left, where they are then."""
        ...


def subject(seen: Scene) -> Mask | None:
    """The thing that stands out of the picture; after a step, what is left of it."""
    if isinstance(seen, Telling):
        return seen.subject()
    if not isinstance(seen, Foreseen):
        return None
    before = subject(seen.before)
    if before is None:
        return None
    left = [region.mask for region in seen.follow((Region(MADE_UP, before),))]
    return masks.union(*left) if left else None
