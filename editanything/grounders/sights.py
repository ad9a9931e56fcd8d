"""What is found in a picture without names and without having been learned: noun -> finder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from editanything.grounders.base import MADE_UP, Scene
from editanything.grounders.faces import find_faces
from editanything.grounders.sky import find_sky, is_behind_portrait
from editanything.types import Mask, Region

Finder = Callable[[Scene], tuple[Mask, ...]]


def _sky(seen: Scene) -> tuple[Mask, ...]:
    sky = find_sky(seen.image)
    if sky is None or is_behind_portrait(sky, [one.mask for one in found(seen, "face")]):
        return ()
    return (sky,)


def _faces(seen: Scene) -> tuple[Mask, ...]:
    return find_faces(seen.image)


#: What is sought, and who seeks it. The finder alone answers for its nouns, also with nothing.
FINDERS: dict[str, Finder] = {"sky": _sky, "face": _faces}
#: Other nouns, lower case and singular, for the same.
SYNONYMS: dict[str, str] = {
    "heaven": "sky", "heavens": "sky", "skies": "sky", "firmament": "sky",
    "visage": "face", "human face": "face", "faces": "face",
}  # fmt: skip

_KEPT: WeakKeyDictionary[Scene, dict[str, tuple[Region, ...]]] = WeakKeyDictionary()


def is_sought(noun: str) -> bool:
    """Whether a finder answers for `noun` (lower case)."""
    return SYNONYMS.get(noun, noun) in FINDERS


def found(seen: Scene, noun: str) -> tuple[Region, ...]:
    """What `noun` names in the picture, labelled with what was sought; () for nothing. Kept.

    After a step of a plan it is what is left of what was found before: a sky that was made orange
    would not be believed in again.

    Args:
        seen: the picture, or a scene that a plan foresees.
        noun: one of which `is_sought` holds.
    """
    sought = SYNONYMS.get(noun, noun)
    kept = _KEPT.setdefault(seen, {})
    if sought not in kept:
        before = getattr(seen, "before", None)
        if before is None:
            kept[sought] = tuple(Region(MADE_UP, mask, sought) for mask in FINDERS[sought](seen))
        else:
            kept[sought] = _left(seen, found(before, sought))
    return kept[sought]


def _left(after: Any, regions: Sequence[Region]) -> tuple[Region, ...]:
    """What is left of `regions` in a scene after a step, without what the step drew."""
    numbered = [replace(region, id=number) for number, region in enumerate(regions)]
    left: tuple[Region, ...] = after.follow(numbered)
    return tuple(replace(region, id=MADE_UP) for region in left if region.id != MADE_UP)
