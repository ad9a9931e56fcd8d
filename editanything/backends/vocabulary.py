"""What a generator knows the names of: a user's words -> its prompt, or what is near."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from editanything.errors import InputError
from mdt.words import split_words

COLORS = frozenset(
    {"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"}
    | {"grey"}
)
_SPELLINGS = {"gray": "grey", "violet": "purple"}
#: What a plan sees to, not the generator.
_SIZES = frozenset(("small", "little", "tiny", "big", "large", "huge", "new", "another", "some"))

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
        return self._by_name.get(words) or self._by_head.get(words) or self._by_tag.get(words)

    @cached_property
    def _by_name(self) -> dict[Words, str]:
        return {tuple(split_words(name)): name for name in self.names}

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
    def _by_tag(self) -> dict[Words, str]:
        """Of several things with a tag, the one whose own name is the shortest."""
        found: dict[Words, str] = {}
        for name in self._shortest_first:
            for tag in self.names[name]:
                found.setdefault(tuple(split_words(tag)), name)
        return found

    @cached_property
    def _shortest_first(self) -> list[str]:
        return sorted(self.names, key=lambda name: (len(name.split()), len(name)))
