"""Words that can be grounded by names, geometry and colour: the default grounder.

The nouns come from a `Names`; today these are the names that a picture came with (the example
photos have them). Any other noun is answered by a request to point at the thing: never by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from editanything.command.types import Selector
from editanything.errors import InputError
from editanything.grounders.base import Grounder, Outcome, Scene
from editanything.grounders.names import NAMES, Names
from editanything.grounders.search import Search
from editanything.types import Mask


@dataclass(frozen=True)
class Words(Grounder):
    """Finds what a selector means by names, place, size, colour and relation to other things.

    Attributes:
        names: who knows what regions are called: a `Names`, a key of `NAMES`, or "module:Class".
        least_share: a part that is known by its colour alone is at least this share of the picture.
    """

    names: Names | str = "known"
    least_share: float = 0.001

    def __post_init__(self) -> None:
        if isinstance(self.names, str):
            object.__setattr__(self, "names", _names(self.names))

    def find(self, seen: Scene, selector: Selector, *, selection: Mask | None = None) -> Outcome:
        """See `Grounder.find`."""
        assert not isinstance(self.names, str), self.names
        return Search(seen, self.names, selection, self.least_share).find(selector)


def _names(name: str) -> Names:
    if name not in NAMES and ":" not in name:
        raise InputError(f"There are no names {name!r}; there are: {', '.join(sorted(NAMES))}.")
    module, _, member = NAMES.get(name, name).partition(":")
    try:
        made: Names = getattr(import_module(module), member)()
    except (ImportError, AttributeError, TypeError) as error:
        raise InputError(f"The names {name!r} cannot be loaded: {error}.") from None
    return made
