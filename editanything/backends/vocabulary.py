"""What a generator knows the names of: a user's words -> its prompt, or what is near."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from editanything.command.kinds import SAME, likeness
from editanything.errors import InputError
from mdt.words import split_words

COLORS = frozenset(
    {"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"}
    | {"grey"}
)
_SPELLINGS = {"gray": "grey", "violet": "purple"}
#: Of colours the generator knows no shades.
_SHADES = frozenset(("light", "dark", "bright", "pale", "deep", "vivid"))
#: What a plan sees to, not the generator.
_SIZES = frozenset(("small", "little", "tiny", "big", "large", "huge", "new", "another", "some"))

#: What a word means that is in the names or tags of several things, or only in those of another.
_USUAL = {
    "arm": "flexed biceps", "bag": "handbag", "ball": "soccer ball", "balloon": "",
    "beach": "beach with umbrella", "beer": "beer mug", "biker": "person biking",
    "boat": "sailboat", "book": "open book", "bow": "bow and arrow", "box": "package",
    "builder": "construction worker", "businessman": "office worker", "cab": "taxi",
    "cake": "birthday cake", "cheese": "cheese wedge", "chess": "chess pawn",
    "climber": "person climbing", "couple": "woman and man holding hands", "cup": "hot beverage",
    "cyclist": "person biking", "dancer": "woman dancing", "diamond": "gem stone",
    "doctor": "health worker", "dollar": "dollar banknote", "drop": "droplet",
    "earth": "globe showing Americas", "emoji": "grinning face", "face": "grinning face",
    "father christmas": "Santa Claus", "fireman": "man firefighter", "flag": "", "flame": "fire",
    "flower": "tulip", "fork": "fork and knife", "gem": "gem stone",
    "globe": "globe showing Americas", "grandfather": "old man", "grandma": "old woman",
    "grandmother": "old woman", "grandpa": "old man", "groom": "man in tuxedo",
    "hand": "raised hand", "high heel": "high-heeled shoe", "hiker": "person climbing",
    "honey": "honey pot", "jewel": "gem stone", "jogger": "person running", "juice": "beverage box",
    "kid": "child", "kitty": "cat", "lamp": "light bulb", "laughing face": "face with tears of joy",
    "letter": "envelope", "light": "light bulb", "lip": "mouth", "money": "money bag",
    "moon": "crescent moon", "motorbike": "motorcycle", "mug": "hot beverage",
    "nurse": "health worker", "orange": "tangerine", "palm": "palm tree", "pant": "jeans",
    "piano": "musical keyboard", "policewoman": "woman police officer", "poop": "pile of poo",
    "present": "gift", "pumpkin": "jack-o-lantern", "puppy": "dog", "puzzle": "puzzle piece",
    "race car": "racing car", "runner": "person running", "sad face": "frowning face",
    "santa": "Santa Claus", "saturn": "planet", "shoe": "running shoe", "shop": "convenience store",
    "skyscraper": "office building", "smile": "smiling face", "smiley": "grinning face",
    "snow": "snowflake", "spaceship": "rocket", "speech bubble": "speech balloon",
    "spy": "detective", "statue": "Statue of Liberty", "surfer": "person surfing",
    "swimmer": "person swimming", "teacup": "hot beverage", "thumb": "thumbs up", "toddler": "baby",
    "tower": "Tokyo tower", "tree": "deciduous tree", "trouser": "jeans", "wallet": "purse",
    "water": "droplet", "wine": "wine glass", "wizard": "mage", "worker": "construction worker",
    "yacht": "sailboat",
}  # fmt: skip

Words = tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Names and other words for them.

    Attributes:
        names: name -> its tags.
    """

    names: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, file: Path) -> Vocabulary:
        """Of a JSON file, {name: [tags]}.

        Raises:
            InputError: missing or damaged.
        """
        try:
            read = json.loads(file.read_text(encoding="utf-8"))
            return cls({str(name): tuple(map(str, tags)) for name, tags in read.items()})
        except (OSError, ValueError, AttributeError, TypeError):
            raise InputError(
                f"The names that the generator knows ({file.name}) are missing or damaged: install "
                "the package again."
            ) from None

    def prompt(self, text: str) -> str | None:
        """What to tell the generator for these words: a name, and a colour if they have one.

        None where it was not trained on any such thing.
        """
        words = [_SPELLINGS.get(word, word) for word in split_words(text)]
        words = [word for word in words if word not in _SIZES]
        whole = self._known(tuple(words))
        if whole is not None:
            return whole
        colors = [word for word in words if word in COLORS]
        if colors:
            words = [word for word in words if word not in _SHADES]
        name = self._known(tuple(word for word in words if word not in COLORS))
        if name is None or len(colors) != 1:
            return name
        plain = " ".join(word for word in name.split() if word.lower() not in COLORS)
        return f"{colors[0]} {plain or name}"

    def nearest(self, text: str, count: int = 4) -> list[str]:
        """Names that are spelled like the words, or share one."""
        words = set(split_words(text))
        sharing = [name for name in self.names if words & set(split_words(name))]
        near = difflib.get_close_matches(text.lower(), list(self.names), n=count, cutoff=0.6)
        return list(dict.fromkeys([*near, *sorted(sharing, key=len)]))[:count]

    def _known(self, words: Words) -> str | None:
        if not words:
            return None
        usual = _USUAL.get(" ".join(words))
        if words not in self._by_name and usual is not None and (usual in self.names or not usual):
            return usual or None
        named = self._by_name.get(words) or self._by_head.get(words)
        return named or self._tagged(words) or self._same(words)

    def _tagged(self, words: Words) -> str | None:
        """The shortest name of which they are a tag and another word, or a kind, or it one of them.

        Tags alone say what one thinks of: "king" at a crown, "man" at a snowman.
        """
        asked = " ".join(words)
        for name in self._by_tag.get(words, ()):
            noun = name.lower()
            heads = (noun, noun.rpartition(" ")[2])
            if any(likeness(asked, one) or likeness(one, asked) for one in heads):
                return name
        return None

    def _same(self, words: Words) -> str | None:
        """The shortest name that means the same: "couch" for a sofa."""
        asked = " ".join(words)
        return next((n for n in self._shortest_first if likeness(asked, n.lower()) >= SAME), None)

    @cached_property
    def _by_name(self) -> dict[Words, str]:
        # Of names that differ in their number alone ("eye", "eyes"), the singular.
        return {tuple(split_words(name)): name for name in reversed(self._shortest_first)}

    @cached_property
    def _by_head(self) -> dict[Words, str]:
        """Of several names that end so ("red apple", "slice of pizza"), the shortest."""
        found: dict[Words, str] = {}
        for name in self._shortest_first:
            words = tuple(split_words(name))
            for start in range(1, len(words)):
                found.setdefault(words[start:], name)
        return found

    @cached_property
    def _by_tag(self) -> dict[Words, list[str]]:
        """The things with a tag, the one whose own name is the shortest first."""
        found: dict[Words, list[str]] = {}
        for name in self._shortest_first:
            for tag in self.names[name]:
                found.setdefault(tuple(split_words(tag)), []).append(name)
        return found

    @cached_property
    def _shortest_first(self) -> list[str]:
        return sorted(self.names, key=lambda name: (len(name.split()), len(name)))
