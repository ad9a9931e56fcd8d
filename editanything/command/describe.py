"""A selector said back in plain English, for plans and questions."""

from __future__ import annotations

from editanything.command.lexicon import lexicon
from editanything.command.types import Relation, Selector

SPECIAL = {"@selection": "the selection", "@image": "the picture", "*": "everything"}
RELATION_WORDS = {
    "left_of": "to the left of",
    "right_of": "to the right of",
    "in_front_of": "in front of",
    "next_to": "next to",
}


def describe(selector: Selector) -> str:
    """The words for a selector: "the 2 red cups on the left", "everything except the cat"."""
    words = SPECIAL.get(selector.noun) or _noun_phrase(selector)
    if selector.region and _is_portion(selector):
        place = selector.region.replace("-", " ")
        alone = selector.noun in {place, "middle"}
        words = f"the {selector.noun}" if alone else f"the {place} {selector.noun}"
    elif selector.region:
        words += f" at the {selector.region.replace('-', ' ')}"
    if selector.relation is not None:
        words += f" {_relation(selector.relation)}"
    if selector.part_of is not None:
        words += f" of {describe(selector.part_of)}"
    if selector.exclude is not None:
        words += f" except {describe(selector.exclude)}"
    if selector.image not in (None, "A"):
        words += f" of image {selector.image}"
    return words


def _is_portion(selector: Selector) -> bool:
    """Whether a noun is a part of whatever it lies in: "the left half of the cup"."""
    portions = lexicon().groups["portion"]
    alone = selector.noun in {selector.region, "middle"}
    return alone or portions.whole([selector.noun]) is not None


def _noun_phrase(selector: Selector) -> str:
    parts = ["all the" if selector.count == "all" else "the"]
    if isinstance(selector.count, int) and selector.count > 1:
        parts.append(str(selector.count))
    if selector.ordinal is not None:
        n, start = selector.ordinal
        parts.append(f"{n}{_suffix(n)}" if n > 0 else "last")
        tail = f" from the {start}" if start else ""
    else:
        tail = ""
    if selector.superlative:
        parts.append(selector.superlative)
    parts += selector.attrs
    many = selector.count == "all" or (isinstance(selector.count, int) and selector.count > 1)
    parts.append(_plural(selector.noun) if many else selector.noun)
    return " ".join(parts) + tail


_SAME = {"sheep", "fish", "deer", "moose", "text", "water", "snow", "*"}


def _plural(noun: str) -> str:
    lex = lexicon()
    if noun == "person":
        return "people"
    if noun in lex.plural_only or noun in _SAME:
        return noun
    for many, one in lex.irregular.items():
        if one == noun:
            return many
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun if noun.endswith("s") and not noun.endswith("ss") else noun + "es"
    return noun + "s"


def _suffix(n: int) -> str:
    return "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def _relation(relation: Relation) -> str:
    rel = RELATION_WORDS.get(relation.rel, relation.rel.replace("_", " "))
    return f"{rel} {' and '.join(describe(anchor) for anchor in relation.anchors)}"
