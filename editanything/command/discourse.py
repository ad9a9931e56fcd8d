"""What has been named so far, for "it", "them", "her" and "the one"."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from editanything.command.nouns import is_kind, is_person
from editanything.command.types import Selector

SELECTION = Selector("@selection")
IMAGE = Selector("@image")
PERSON = Selector("person")

_IT = {
    "it", "this", "that", "itself", "this one", "that one", "the same one", "this thing",
    "this part", "this area", "this bit", "this section", "this region", "this spot", "that part",
    "that area", "that bit", "that section", "that region", "that spot",
}  # fmt: skip
_THEM = {
    "them", "these", "those", "they", "both", "these ones", "those ones", "both of them",
    "all of them", "themselves",
}  # fmt: skip
_SOMEBODY = {"him", "her", "he", "she", "himself", "herself", "me", "myself", "us"}
_OWNERS = {
    "his": "person", "her": "person", "their": "last", "its": "last", "my": "none", "your": "none",
    "our": "none",
}  # fmt: skip


#: Words for many people: none of them is "her" or "him".
_CROWDS = {
    "crowd", "audience", "people", "group", "family", "team", "band", "couple", "public", "choir",
    "crew", "queue", "orchestra", "staff", "army", "police",
}  # fmt: skip


class Unresolved(Exception):
    """A pronoun with nothing to refer to."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass
class Discourse:
    """The things named so far in one command. One parse owns it and changes it."""

    selection: bool
    images: tuple[str, ...]
    last: tuple[Selector, ...] = ()
    person: Selector | None = None
    noun: str | None = None  # for "one"
    spared: tuple[Selector, ...] = ()  # what is to stay, for "everything else"
    copies: int = 0  # that were made of what was named last, for "both"
    framed: bool = False  # whether the whole picture was named
    cropped: bool = False  # whether the picture was cropped last: then it is "it" as well
    removed: bool = False  # whether what was named last is gone: then the picture is "it"
    rethought: bool = False  # whether a second thought is read: then nothing is gone yet
    known: dict[Any, Any] = field(default_factory=dict)  # phrases read with this memory

    def copy(self) -> Discourse:
        """Another one with the same memory."""
        return replace(self)

    def become(self, other: Discourse) -> None:
        """Remember what the other one does."""
        self.__dict__.update(other.__dict__)

    def about(self, noun: str) -> Discourse:
        """Another one in which "one" is a `noun`: "all cars but the red one"."""
        return replace(self, noun=self.noun if noun == "*" else noun, known={})

    def name(self, *things: Selector) -> None:
        """Remember what was just named."""
        self.known, self.copies = {}, 0
        named = tuple(thing for thing in things if thing.image in (None, "A"))
        self.framed = self.framed or IMAGE in named
        named = tuple(thing for thing in named if thing.noun != "@image")
        if named:
            self.last = named
        for thing in things:
            self._remember_person(thing)
            if not thing.noun.startswith(("@", "*")):
                self.noun = thing.noun

    def _remember_person(self, thing: Selector) -> None:
        if is_person(thing.noun) and thing.count == 1 and thing.noun not in _CROWDS:
            self.person = thing
        elif thing.part_of is not None:
            self._remember_person(thing.part_of)
        elif thing.relation is not None and len(thing.relation.anchors) == 1:
            self._remember_person(thing.relation.anchors[0])  # "the wall behind the girl"

    def pronoun(self, words: str) -> tuple[Selector, ...] | None:
        """What a pronoun means; None if `words` is none.

        Raises:
            Unresolved: if there is nothing that it could mean.
        """
        if words == "us":
            return (self.person or self._selected() or replace(PERSON, count="all"),)
        if words in _SOMEBODY:
            return (self.person or self._selected() or PERSON,)
        if words in _THEM or words in _IT:
            found = self.last if words in _THEM else self.last[-1:]
            if words in _THEM and self.copies and len(found) == 1:
                found = (self._with_copies(found[0]),)
            if not found and (self.selection or self.framed):
                found = (SELECTION if self.selection else IMAGE,)
            if not found:
                raise Unresolved(words)
            return found
        return None

    def _with_copies(self, thing: Selector) -> Selector:
        """`duplicate the spoon and make both red`: the thing and its copies."""
        picked = thing.ordinal or thing.superlative or thing.region or thing.relation
        if picked or not isinstance(thing.count, int):
            return thing
        return replace(thing, count=thing.count + self.copies)

    def _selected(self) -> Selector | None:
        return SELECTION if self.selection and not self.last else None

    def owner(self, word: str) -> Selector | None:
        """Whose "his", "her", "its" or "their" is; None for "my" and "your".

        Raises:
            Unresolved: if there is nothing that it could mean.
        """
        kind = _OWNERS[word]
        if kind == "none":
            return None
        if kind == "person":
            if self.person is None and self.last and is_kind(self.last[-1].noun, "animal"):
                return self.last[-1]
            return self.person or self._selected() or PERSON
        if self.last:
            return self.last[-1]
        if self.selection:
            return SELECTION
        if word == "their":
            return PERSON
        raise Unresolved(word)


def is_owner(word: str) -> bool:
    """Whether a word is a possessive pronoun."""
    return word in _OWNERS
