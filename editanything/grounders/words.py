"""Words that can be grounded by names, geometry and colour: the default grounder.

The nouns come from a `Names`: those that a picture came with (the example photos have them), and in
the default preset those that a small network is sure of. Any other noun is answered by a request to
point at the thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from editanything.command.types import Selector
from editanything.errors import InputError
from editanything.grounders.base import Grounder, Outcome, Scene
from editanything.grounders.names import NAMES, Names
from editanything.grounders.search import Search
from editanything.grounders.sights import Glimpse
from editanything.types import Mask


@runtime_checkable
class _Glimpsing(Protocol):
    """Names that tell what a picture shows without being asked."""

    def glimpse(self, seen: Scene) -> Glimpse: ...


@dataclass(frozen=True)
class Words(Grounder):
    """Finds what a selector means by names, place, size, colour and relation to other things.

    Attributes:
        names: who knows what regions are called: a `Names`, a key of `NAMES`, or "module:Class";
            or a mapping with its name and its options, as a preset writes it.
        least_share: a part that is known by its colour alone is at least this share of the picture.
    """

    names: Names | Mapping[str, Any] | str = "known"
    least_share: float = 0.001

    def __post_init__(self) -> None:
        if isinstance(self.names, str):
            object.__setattr__(self, "names", _names(self.names, {}))
        elif isinstance(self.names, Mapping):
            options = dict(self.names)
            name = options.pop("name", None)
            object.__setattr__(self, "names", _names(str(name), options))

    def find(self, seen: Scene, selector: Selector, *, selection: Mask | None = None) -> Outcome:
        """See `Grounder.find`."""
        assert not isinstance(self.names, (str, Mapping)), self.names
        return Search(seen, self.names, selection, self.least_share).find(selector)

    def glimpse(self, seen: Scene) -> Glimpse | None:
        """What a picture plainly shows, unasked; None where the names cannot tell."""
        return self.names.glimpse(seen) if isinstance(self.names, _Glimpsing) else None


def _names(name: str, options: Mapping[str, Any]) -> Names:
    if name not in NAMES and ":" not in name:
        raise InputError(f"There are no names {name!r}; there are: {', '.join(sorted(NAMES))}.")
    module, _, member = NAMES.get(name, name).partition(":")
    try:
        made: Names = getattr(import_module(module), member)(**options)
    except (ImportError, AttributeError) as error:
        raise InputError(f"The names {name!r} cannot be loaded: {error}.") from None
    except TypeError as error:
        raise InputError(f"The names {name!r} do not take these options: {error}.") from None
    return made
