"""What everyday nouns name among ImageNet's kinds: a "dog" is one of 118 breeds (imagenet.txt)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).with_suffix(".txt")


@lru_cache(maxsize=1)
def everyday_nouns() -> dict[str, tuple[str, ...]]:
    """The nouns of the table, lower case and singular, each with the kinds that it names.

    Of a line's nouns the first comes first; a kind is a name, or "a .. b" for all from a to b.
    """
    lines = [line.partition("#")[0].strip() for line in _TABLE.read_text("utf-8").splitlines()]
    rules: dict[str, tuple[str, ...]] = {}
    for line in filter(None, lines):
        if line.startswith("="):
            rules |= {kind: (kind,) for kind in _split(line[1:], ",") if kind not in rules}
            continue
        nouns, _, kinds = line.partition(":")
        rules |= dict.fromkeys(_split(nouns, ","), tuple(_split(kinds, ";")))
    return {noun: tuple(_without_references(rules, kinds)) for noun, kinds in rules.items()}


def numbers(noun: str, kinds: Sequence[str]) -> tuple[int, ...]:
    """Which of `kinds` a noun names; () for a noun that the table does not know.

    A kind's own name counts where it has several words ("golden retriever"), so that no "kite" is a
    bird. Of "racing car" the last word decides where the whole is not known.

    Args:
        noun: lower case, singular.
        kinds: of a network, in ImageNet's order.
    """
    rules = everyday_nouns().get(noun)
    if rules is None and " " in noun:
        own = tuple(i for i, kind in enumerate(kinds) if kind.lower() == noun)
        return own or numbers(noun.rpartition(" ")[2], kinds)
    return tuple(sorted({i for rule in rules or () for i in _numbers(rule, kinds)}))


def _numbers(rule: str, kinds: Sequence[str]) -> range:
    first, _, last = (part.strip() for part in rule.partition(".."))
    start = kinds.index(first)
    return range(start, kinds.index(last) + 1 if last else start + 1)


def _without_references(rules: dict[str, tuple[str, ...]], kinds: Sequence[str]) -> Iterator[str]:
    for kind in kinds:
        if kind.startswith("^"):
            yield from _without_references(rules, rules[kind[1:]])
        else:
            yield kind


def _split(text: str, at: str) -> Iterator[str]:
    return (part.strip() for part in text.split(at) if part.strip())
