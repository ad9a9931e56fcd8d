"""English for what a scene shows: "a blue apple and two cats on grass"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mdt.data.stickers.colors import WORD

_NUMBERS = {2: "two", 3: "three", 4: "four"}
#: Where the head of a name ends: "glass of milk", "man in tuxedo", "person swimming".
_TAIL = re.compile(
    r" (of|with|in|on|over|behind|without|from|to|at|for|under|and)\b"
    r"|(?<=man|men|son|ple|ace|age|obe|art|eaf|and) \w+ing\b"
)
#: A head that is plural as it is: one of it takes no article.
_PLURAL = re.compile(r"(?<![suioa])s$|ss?es$|\b(people|men|women|dice)$")
#: Names of what is not counted, or of what there is one of.
_NO_ARTICLE = re.compile(
    r"^(bacon|butter|salt|rice|bread|coral|fire|fog|money|soap|(cooked|curry) rice|garlic|wood"
    r"|ginger root|broccoli|popcorn|spaghetti|sushi|dna|Santa Claus|Mrs\. Claus|Mx Claus|mount fuji"
    r"|Tokyo tower|Statue of Liberty|bread|yarn|thread|confetti|canned food|art)$"
)
_SAME = re.compile(r"(sheep|fish|deer|shrimp|squid|bison|salmon|moose|dice)$")
_IRREGULAR = {
    "man": "men", "woman": "women", "person": "people", "child": "children", "mouse": "mice",
    "goose": "geese", "foot": "feet", "tooth": "teeth", "leaf": "leaves", "wolf": "wolves",
    "knife": "knives", "loaf": "loaves", "snowman": "snowmen", "ox": "oxen", "elf": "elves",
    "scarf": "scarves", "cactus": "cacti",
}  # fmt: skip


def colored(name: str, word: str | None) -> str:
    """A name with a colour; one that the name has gives way: "red apple" -> "blue apple"."""
    if word is None:
        return name
    replaced, count = WORD.subn(word, name, count=1)
    return replaced if count else f"{word} {name}"


def one(noun: str) -> str:
    """A noun with its article: "a blue apple", "an owl", "scissors"."""
    if _NO_ARTICLE.match(WORD.sub("", noun, count=1).strip()) or _PLURAL.search(_head(noun)):
        return noun
    vowel = re.match(r"(?!one\b|eu|ewe|uni|us|ut|UFO)[aeiou]|hour|x-", noun, re.IGNORECASE)
    return f"{'an' if vowel else 'a'} {noun}"


def many(noun: str, count: int) -> str:
    """A noun with a number: "two cats", "two glasses of milk"."""
    head = _head(noun)
    plural = head if _PLURAL.search(head) else _plural(head)
    return f"{_NUMBERS.get(count, str(count))} {plural}{noun[len(head) :]}"


def listed(nouns: Iterable[str]) -> str:
    """Nouns, counted where they are the same, in the order of their first coming."""
    return joined(
        [one(noun) if count == 1 else many(noun, count) for noun, count in Counter(nouns).items()]
    )


def joined(parts: Sequence[str]) -> str:
    """One text of several: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _head(noun: str) -> str:
    tail = _TAIL.search(noun)
    return noun[: tail.start()] if tail else noun


def _plural(head: str) -> str:
    before, space, last = head.rpartition(" ")
    if last.lower() in _IRREGULAR:
        last = _IRREGULAR[last.lower()]
    elif _SAME.search(last):
        pass
    elif re.search(r"(s|x|z|ch|sh)$", last):
        last += "es"
    elif re.search(r"[^aeiou]y$", last):
        last = last[:-1] + "ies"
    elif re.search(r"(tomato|potato|mango|volcano)$", last):
        last += "es"
    else:
        last += "s"
    return before + space + last
