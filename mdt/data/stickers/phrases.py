"""What a sticker may be called: its name, its tags, and words for what kind of thing it is."""

from __future__ import annotations

import zlib

from mdt.words import split_words

#: By kind, or by what a kind begins with, the longest first; "": no word fits all of a kind.
_KINDS = {
    "animal": ("animal",), "animal-mammal": ("animal", "mammal"), "animal-bird": ("animal", "bird"),
    "animal-bug": ("animal", "bug"), "animal-marine": ("animal", "sea animal"),
    "animal-reptile": ("animal", "reptile"), "cat-face": ("animal", "cat", "cat face"),
    "monkey-face": ("animal", "monkey"), "food": ("food",), "food-fruit": ("food", "fruit"),
    "food-vegetable": ("food", "vegetable"), "food-sweet": ("food", "sweet", "dessert"),
    "drink": ("drink",), "person": ("person",), "family": ("person",), "hand": ("hand",),
    "hands": ("hand",), "body-parts": ("body part",), "face": ("face", "smiley", "emoji"),
    "heart": ("heart",), "clothing": ("clothing", "clothes"), "tool": ("tool",),
    "musical-instrument": ("musical instrument", "instrument"), "plant-flower": ("plant", "flower"),
    "plant-other": ("plant",), "place-building": ("building",), "place-religious": ("building",),
    "transport-ground": ("vehicle",), "transport-air": ("vehicle",),
    "transport-water": ("vehicle",), "money": ("money",), "phone": ("phone",), "lock": ("lock",),
    "book-paper": ("paper",), "dishware": ("dish",), "geometric": ("shape",),
    "award-medal": ("award",),
}  # fmt: skip
#: What is filed under vehicles and is none.
_NO_VEHICLES = frozenset(
    ("light", "sign", "pump", "barrier", "stop", "wheel", "buoy", "anchor", "seat", "track",
     "siren", "parachute", "map", "motorway", "tire", "construction")
)  # fmt: skip


def phrases(name: str, tags: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """All that a sticker may be called, its name first, without doubles.

    Args:
        name: such as "red apple".
        tags: other words for it.
        kind: such as "food-fruit", see `mdt.data.stickers.names.Name`.
    """
    words = _KINDS.get(kind, _KINDS.get(kind.partition("-")[0], ()))
    if words == ("vehicle",) and not _NO_VEHICLES.isdisjoint(split_words(name)):
        words = ()
    found: dict[int, str] = {}
    for phrase in (name, *tags, *words):
        found.setdefault(key(phrase), phrase)
    found.pop(0, None)
    return tuple(found.values())


def key(phrase: str) -> int:
    """The same number for phrases of the same words, whatever their case, number and articles.

    0: the phrase has no words.
    """
    words = split_words(phrase)
    return zlib.crc32(" ".join(words).encode()) if words else 0
