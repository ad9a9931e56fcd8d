"""Any segmenter, with its largest regions worded by a captioner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from editanything.captions import Captioner, build_captioner, labels
from editanything.errors import InputError
from editanything.types import RGB, Mask, Region, Seen, Segmenter, Selection


@dataclass(frozen=True)
class Labelled:
    """Settings; `look` holds a picture.

    Attributes:
        segmenter: another one: its settings, `{"name": "sam2", ...}`, or itself.
        captioner: a name of `captions.CAPTIONERS`, its settings, or itself.
        most: regions that are worded, the largest first.

    Raises:
        InputError: an unknown name or option, or a count below 1.
    """

    segmenter: Any = "sam2"
    captioner: Any = "blip2"
    most: int = 5

    def __post_init__(self) -> None:
        if self.most < 1:
            raise InputError(f"most is 1 or more; got {self.most}.")
        object.__setattr__(self, "segmenter", _segmenter(self.segmenter))
        object.__setattr__(self, "captioner", build_captioner(self.captioner))

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> LabelledSeen:
        """See `Segmenter.look`; nothing is worded before `regions` is asked for."""
        seen = self.segmenter.look(image, known=known)
        kind = LabelledConcepts if hasattr(seen, "concept") else LabelledSeen
        return kind(seen, self.captioner, self.most)


@dataclass(frozen=True, eq=False)
class LabelledSeen:
    """A picture in hand whose largest regions bear words."""

    seen: Seen
    captioner: Captioner
    most: int

    @property
    def image(self) -> RGB:
        """The picture that was looked at."""
        return self.seen.image

    @property
    def known(self) -> tuple[Region, ...]:
        """The named regions that the picture came with."""
        return self.seen.known

    def regions(self) -> tuple[Region, ...]:
        """The other segmenter's regions in its order, the largest with a label."""
        return self._regions

    @cached_property
    def _regions(self) -> tuple[Region, ...]:
        found = self.seen.regions()
        worded = labels(self.captioner, self.image, found, most=self.most)
        by_id = {region.id: region for region in worded}
        return tuple(by_id.get(region.id, region) for region in found)

    def subject(self) -> Mask | None:
        """What plainly stands out of the picture, where the other segmenter tells it."""
        told: Mask | None = getattr(self.seen, "subject", lambda: None)()
        return told

    def select(self, selection: Selection) -> Mask:
        """See `Seen.select`."""
        return self.seen.select(selection)


class LabelledConcepts(LabelledSeen):
    """The same, of a segmenter that understands words."""

    def concept(self, phrase: str) -> tuple[Region, ...]:
        """See `Sam3Seen.concept`."""
        seen: Any = self.seen
        found: tuple[Region, ...] = seen.concept(phrase)
        return found


def _segmenter(settings: Any) -> Segmenter:
    from importlib import import_module

    from editanything.segmenters import SEGMENTERS

    if not isinstance(settings, str | Mapping):
        made: Segmenter = settings
        return made
    options: dict[str, Any] = {"name": settings} if isinstance(settings, str) else dict(settings)
    name = options.pop("name", None)
    if not isinstance(name, str) or (name not in SEGMENTERS and ":" not in name):
        known = ", ".join(sorted(SEGMENTERS))
        raise InputError(f"There is no segmenter {name!r}; there are: {known}.")
    module, _, member = SEGMENTERS.get(name, name).partition(":")
    try:
        made = getattr(import_module(module), member)(**options)
    except (ImportError, AttributeError) as error:
        raise InputError(f"The segmenter {name!r} cannot be loaded: {error}.") from None
    except TypeError as error:
        raise InputError(f"The segmenter {name!r} does not take these options: {error}.") from None
    return made
