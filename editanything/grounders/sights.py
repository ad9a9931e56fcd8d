"""What is found in a picture without names: noun -> finder.

The sky, grass, faces and people without anything learned; other everyday things of photographs by a
network (`photographed`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from editanything import masks
from editanything.grounders.base import MADE_UP, Scene
from editanything.grounders.faces import find_faces
from editanything.grounders.grass import find_grass
from editanything.grounders.people import find_people
from editanything.grounders.photographed import find_photographed, is_everyday, plainest
from editanything.grounders.sky import find_sky, is_behind_portrait
from editanything.types import Mask, Region

Finder = Callable[[Scene], tuple[Mask, ...]]

_SUBJECT = "@subject"  # the finder that no noun names
_PLAINEST = 1  # nouns of things that are sought unasked: each may take seconds
_IS_SKY = 0.5  # IoU of what stands out and the sky, from which they are the same


def _sky(seen: Scene) -> tuple[Mask, ...]:
    sky = find_sky(seen.image)
    if sky is None or is_behind_portrait(sky, [one.mask for one in found(seen, "face")]):
        return ()
    return (sky,)


def _grass(seen: Scene) -> tuple[Mask, ...]:
    grass = find_grass(seen.image)
    return () if grass is None else (grass,)


def _faces(seen: Scene) -> tuple[Mask, ...]:
    return find_faces(seen.image)


def _people(seen: Scene) -> tuple[Mask, ...]:
    faces = [one.mask for one in found(seen, "face")]
    return find_people(seen.image, faces, _standing_out(seen)) if faces else ()


def _in_front(seen: Scene) -> tuple[Mask, ...]:
    people = [one.mask for one in found(seen, "person")]
    if people:
        return (masks.union(*people),)
    out = _standing_out(seen)
    if out is None:
        return ()
    sky = [one.mask for one in found(seen, "sky")]
    is_sky = bool(sky) and masks.iou(out, sky[0]) > _IS_SKY
    return () if is_sky else (out,)


@runtime_checkable
class _Telling(Protocol):
    """A picture in hand whose segmenter tells what stands out of it."""

    def subject(self) -> Mask | None: ...


def _standing_out(seen: Scene) -> Mask | None:
    return seen.subject() if isinstance(seen, _Telling) else None


#: What is sought, and who seeks it.
FINDERS: dict[str, Finder] = {
    "sky": _sky, "grass": _grass, "face": _faces, "person": _people,
}  # fmt: skip
#: Of these the finder alone answers for its nouns, also with nothing.
ALONE = frozenset({"sky", "face"})
#: Other nouns, lower case and singular, for the same.
SYNONYMS: dict[str, str] = {
    "heaven": "sky", "heavens": "sky", "skies": "sky", "firmament": "sky",
    "lawn": "grass", "meadow": "grass", "turf": "grass", "pasture": "grass",
    "visage": "face", "human face": "face", "faces": "face",
    "man": "person", "woman": "person", "boy": "person", "girl": "person", "guy": "person",
    "lady": "person", "gentleman": "person", "human": "person", "child": "person", "kid": "person",
    "model": "person", "people": "person",
}  # fmt: skip

_KEPT: WeakKeyDictionary[Scene, dict[str, tuple[Region, ...]]] = WeakKeyDictionary()
_SEEKING: WeakKeyDictionary[Scene, defaultdict[str, Lock]] = WeakKeyDictionary()


def is_sought(noun: str) -> bool:
    """Whether a finder answers for `noun` (lower case)."""
    sought = SYNONYMS.get(noun, noun)
    return sought in FINDERS or is_everyday(sought)


def is_alone(noun: str) -> bool:
    """Whether nobody else is asked for `noun` where its finder finds nothing."""
    return SYNONYMS.get(noun, noun) in ALONE


def subject(seen: Scene) -> Mask | None:
    """The people of a portrait, else the thing that plainly stands out; None where none does."""
    front = found(seen, _SUBJECT)
    return front[0].mask if front else None


@dataclass(frozen=True, eq=False)
class Glimpse:
    """What is seen in a picture without being asked for.

    Attributes:
        regions: labelled with what they are: things, faces, the sky.
        subject: what stands out, if anything does.
    """

    regions: tuple[Region, ...]
    subject: Mask | None


def glimpse(seen: Scene) -> Glimpse:
    """What a picture without names plainly shows; it takes some seconds, and all of it is kept."""
    nouns = (*plainest(seen, _PLAINEST), "face", "sky", "grass")
    return Glimpse(tuple(region for noun in nouns for region in found(seen, noun)), subject(seen))


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
    # A glimpse and an edit may seek the same thing at once: the second waits for the first.
    with _SEEKING.setdefault(seen, defaultdict(Lock))[sought]:
        if sought not in kept:
            before = getattr(seen, "before", None)
            if before is None:
                kept[sought] = tuple(Region(MADE_UP, mask, sought) for mask in _find(seen, sought))
            else:
                kept[sought] = _left(seen, found(before, sought))
        return kept[sought]


def _find(seen: Scene, sought: str) -> tuple[Mask, ...]:
    if sought == _SUBJECT:
        return _in_front(seen)
    return FINDERS[sought](seen) if sought in FINDERS else find_photographed(seen, sought)


def _left(after: Any, regions: Sequence[Region]) -> tuple[Region, ...]:
    """What is left of `regions` in a scene after a step, without what the step drew."""
    numbered = [replace(region, id=number) for number, region in enumerate(regions)]
    left: tuple[Region, ...] = after.follow(numbered)
    return tuple(replace(region, id=MADE_UP) for region in left if region.id != MADE_UP)
