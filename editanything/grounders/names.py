"""Which regions a noun may name: the one place where a model of words and regions can come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from editanything.command.kinds import likeness
from editanything.grounders.base import Scene
from editanything.types import Region


@dataclass(frozen=True, eq=False)
class Named:
    """A region that a noun may name, and how well: 1 = its very name, 0 = not at all."""

    region: Region
    score: float

    def __post_init__(self) -> None:
        assert 0 <= self.score <= 1, self.score


class Names(Protocol):
    """Anything that knows what regions are called."""

    def find(self, seen: Scene, noun: str) -> tuple[Named, ...]:
        """The regions that `noun` (one thing, lower case, singular) may name, best first.

        What it does not believe in is left out; () where the noun names nothing in the picture.
        """
        ...


@runtime_checkable
class Learned(Protocol):
    """Names that know some of several words ("smiling face with halo")."""

    def whole(self, seen: Scene, words: tuple[str, ...]) -> str | None:
        """The name of exactly these words, as `mdt.words` splits them; None: there is none.

        Nor is there one where a picture came with names.
        """
        ...


@dataclass(frozen=True)
class KnownNames:
    """The names that a picture came with, and what else these may be called."""

    def find(self, seen: Scene, noun: str) -> tuple[Named, ...]:
        """See `Names.find`."""
        scored = [Named(region, _likeness(noun, region.label)) for region in seen.known]
        named = [one for one in scored if one.region.label and one.score > 0]
        return tuple(sorted(named, key=lambda one: -one.score))


def _likeness(noun: str, label: str) -> float:
    """As `likeness`; words that are written with hyphens or apart are the same."""
    told = likeness(noun, label)
    return told if told or "-" not in label else likeness(noun, label.replace("-", " "))


# name -> "module:class"; `grounder: {name: words, names: ...}` in a preset is a key of this dict.
NAMES: dict[str, str] = {
    "known": "editanything.grounders.names:KnownNames",
    "encoder": "editanything.grounders.encoder:EncoderNames",
}
