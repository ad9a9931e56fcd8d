"""Looks: tried words by the kind of region, for hair, clothes, eyes, people, things and scenes.

A look is a command and what the networks are told with it. The app offers the commands; the
diffusion backend's option `look` takes a name, so that a preset or `--set backends.0.look=NAME`
says more than a command can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from editanything.errors import InputError

KINDS = ("hair", "clothes", "contact lenses", "person", "object", "season", "style")


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        name: to choose it by.
        kind: of the region that it is for, one of `KINDS`.
        text: the command; "it" is what is selected.
        prompt: what the networks are told in place of the command's words.
        negative: what it should not be like, beside what the preset says.
        options: others of the backend that suit it.
    """

    name: str
    kind: str
    text: str
    prompt: str
    negative: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self
        assert self.text, self
        assert self.prompt, self


@dataclass(frozen=True)
class _File:
    looks: list[Look]


@cache
def looks() -> tuple[Look, ...]:
    """All looks, by kind."""
    from mdt.config import load

    found = load(_File, Path(__file__).with_name("looks.yaml")).looks
    return tuple(sorted(found, key=lambda look: KINDS.index(look.kind)))


def find_look(name: str) -> Look:
    """The look of that name.

    Raises:
        InputError: there is none; says which are near.
    """
    by_name = {look.name: look for look in looks()}
    if name not in by_name:
        near = get_close_matches(name, by_name, 4) or list(by_name)
        raise InputError(f"There is no look {name!r}; there are: {', '.join(near)}.")
    return by_name[name]


def with_look(options: Mapping[str, Any], negative: str = "") -> dict[str, Any]:
    """A backend's options, with what its `look` says in their place.

    Args:
        options: `look` is a name, or absent.
        negative: what is told beside the look's negative words, where the options have none.

    Raises:
        InputError: there is no such look.
    """
    own = dict(options)
    name = own.pop("look", None)
    if name is None:
        return own
    look = find_look(str(name))
    told = (look.negative, own.get("negative", negative))
    words = {"prompt": look.prompt, "negative": ", ".join(part for part in told if part)}
    return own | words | look.options
