"""What is found in a picture without names and without having been learned: noun -> finder."""

from __future__ import annotations

from collections.abc import Callable
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

    Args:
        seen: the picture.
        noun: one of which `is_sought` holds.
    """
    sought = SYNONYMS.get(noun, noun)
    kept = _KEPT.setdefault(seen, {})
    if sought not in kept:
        kept[sought] = tuple(Region(MADE_UP, mask, sought) for mask in FINDERS[sought](seen))
    return kept[sought]
