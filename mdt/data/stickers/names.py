"""What the stickers show: names, tags and groups, and which stickers are left out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

#: Emojibase's numbers of groups -> ours. Components (2) and flags (9) are left out.
GROUPS = {
    0: "smileys",
    1: "people",
    3: "animals",
    4: "food",
    5: "travel",
    6: "activities",
    7: "objects",
    8: "symbols",
}
#: Of the symbols only plain shapes are kept: the rest are letters and signs in squares.
_SHAPES = re.compile(r"(red|orange|yellow|green|blue|purple|brown|black|white) (circle|square)$")
#: What a part after a colon says, where "with" does not.
_PARTS = {"bald": "bald {}", "beard": "{} with a beard"}
#: Families, listed one by one, and second views of what there is already.
_NO_NAME = re.compile(r",|facing right")
#: Labels that nobody would say, or that say what is done, not what is seen.
_SAID = {
    "admission tickets": "tickets", "american football": "football", "articulated lorry": "truck",
    "automobile": "car", "badminton": "badminton racket", "baguette bread": "baguette",
    "bowling": "bowling ball and pins", "building construction": "building site",
    "camping": "camping tent", "chart decreasing": "falling chart",
    "chart increasing": "rising chart", "chart increasing with yen": "rising chart with yen",
    "construction": "construction barrier", "cooking": "frying pan", "couch and lamp": "couch",
    "dashing away": "puff of air", "delivery truck": "delivery van", "dizzy": "dizzy star",
    "field hockey": "hockey stick", "fishing pole": "fishing rod", "flying disc": "frisbee",
    "flying saucer": "ufo", "foggy": "foggy bridge", "game die": "die",
    "honeybee": "bee", "ice hockey": "ice hockey stick", "kick scooter": "scooter",
    "lacrosse": "lacrosse stick", "lady beetle": "ladybug",
    "locked": "padlock",
    "locked with key": "padlock with key", "locked with pen": "padlock with pen",
    "mantelpiece clock": "mantel clock", "mobile phone": "phone",
    "moai": "stone head", "no entry": "no entry sign", "performing arts": "theatre masks",
    "ping pong": "ping pong paddle", "pizza": "slice of pizza", "ringed planet": "planet",
    "rolling on the floor laughing": "laughing tilted face", "sake": "bottle of sake",
    "shallow pan of food": "pan of food", "star-struck": "star-struck face",
    "sport utility vehicle": "suv", "tennis": "tennis ball", "thong sandal": "flip-flop",
    "hundred points": "100 sign", "two hearts": "pair of hearts", "unlocked": "open padlock",
    "wrapped gift": "gift",
}  # fmt: skip
_CLOCK = re.compile(r"\w+( o'clock|-thirty)$")
#: Words that tell twins apart (a man, a woman and a person who surf; a cat and its face).
_TWINS = re.compile(r"\b(wo)?m[ae]n\b|\bpersons?\b|\bpeople\b|\bfaces?\b|\bwith\b|[^a-z]+")
#: This share of the names is never trained on.
HELD_SHARE = 0.05


@dataclass(frozen=True)
class Name:
    """What a sticker shows.

    Attributes:
        name: such as "red apple".
        tags: other words for it.
        group: a value of `GROUPS`.
        kind: a finer group, such as "food-fruit".
    """

    name: str
    tags: tuple[str, ...]
    group: str
    kind: str


def read_names(data: bytes, groups: bytes) -> dict[str, Name]:
    """Names by hexcode (see `hexcode`), of all stickers that are kept.

    Skin tones are variants in these files, not entries, so they are left out by themselves.

    Args:
        data: of Emojibase's `en/data.json`.
        groups: of its `meta/groups.json`.
    """
    kinds = json.loads(groups)["subgroups"]
    found = {}
    for entry in json.loads(data):
        group = GROUPS.get(entry.get("group", 2))
        name = clean(entry["label"])
        if (
            group is None
            or _NO_NAME.search(name)
            or (group == "symbols" and not _SHAPES.match(name))
        ):
            continue
        tags = tuple(dict.fromkeys(tag.replace("_", " ") for tag in entry.get("tags", ())))
        found[hexcode(entry["hexcode"])] = Name(name, tags, group, kinds[str(entry["subgroup"])])
    return found


def hexcode(text: str) -> str:
    """Code points in upper case, "-" between, without the selector of the coloured variant."""
    return text.upper().replace("-FE0F", "")


def clean(label: str) -> str:
    """A name as one would say it: "man: bald" is a bald man."""
    label = label.replace("’", "'")
    thing, colon, part = label.partition(": ")
    if colon:
        return _PARTS.get(part, "{} with " + part).format(thing)
    return f"clock at {label}" if _CLOCK.match(label) else _SAID.get(label, label)


def held(name: str) -> bool:
    """Whether a name is never trained on: a fixed rule, by its hash.

    Twins, such as "man surfing" and "woman surfing", "cat" and "cat face", share their lot.
    """
    words = _TWINS.sub(" ", name.lower()).split() or [name.lower()]
    word = hashlib.sha256(" ".join(words).encode()).digest()[:8]
    return int.from_bytes(word, "big") < HELD_SHARE * 2**64
