"""A preset: one segmenter, one grounder and a chain of backends, named in one YAML file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from editanything.errors import InputError

# Where each kind's dict of names lives; a name may also be written "package.module:Attribute".
HOMES = {
    "segmenter": ("editanything.segmenters", "SEGMENTERS"),
    "grounder": ("editanything.grounders", "GROUNDERS"),
    "backend": ("editanything.backends", "BACKENDS"),
}


MOST_IMAGES = 12
_OF_BACKEND = re.compile(r"backends\.(\d+)\.([\w.]+)")
#: "package.module:Attribute"; "cuda:0" and addresses are none.
_CODE = re.compile(r"[^\s:/\\]+:[^\d\s:/\\]\S*")


@dataclass(frozen=True)
class Preset:
    """The settings of an editor, as in `configs/edit/*.yaml`.

    `grow_px` and `feather_px` replace the margins that each operation brings along (None: keep
    them); a picture of more than `max_megapixels` is refused; an edit makes `images` variants, each
    of the next seed.
    """

    segmenter: dict[str, Any]
    grounder: dict[str, Any]
    backends: list[dict[str, Any]]
    about: str = ""
    grow_px: float | None = None
    feather_px: float | None = None
    max_megapixels: float = 100.0
    images: int = 1

    def __post_init__(self) -> None:
        for name in ("grow_px", "feather_px"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 500:
                raise InputError(f"{name} must be between 0 and 500 pixels; got {value:g}.")
        if not 1 <= self.images <= MOST_IMAGES:
            raise InputError(f"images must be 1 to {MOST_IMAGES}; got {self.images!r}.")
        if not self.max_megapixels > 0:
            raise InputError(f"max_megapixels must be above 0; got {self.max_megapixels:g}.")


def load_preset(name: str, overrides: Mapping[str, Any]) -> Preset:
    """The preset `name` (of `configs/edit/`, or a YAML path), with some settings replaced.

    Raises:
        InputError: unknown preset or setting; says which there are.
    """
    from mdt.config import ConfigError, find_config, load

    inner = {key: value for key, value in overrides.items() if _OF_BACKEND.fullmatch(key)}
    plain = {key: value for key, value in overrides.items() if key not in inner}
    try:
        changes = [f"{key}={_as_yaml(value)}" for key, value in plain.items()]
        preset = load(Preset, find_config("edit", name), changes)
    except ConfigError as error:
        raise InputError(str(error)) from None
    for key, value in inner.items():
        _set_in_backend(preset, key, value)
    return preset


def read_settings(lines: Iterable[str]) -> dict[str, str]:
    """Settings as they are typed, each KEY=VALUE; empty ones are passed over.

    Raises:
        InputError: one without a key or a value's place.
    """
    settings = {}
    for line in filter(str.strip, lines):
        key, separator, value = line.strip().partition("=")
        if not separator or not key.strip():
            raise InputError(f"A setting is KEY=VALUE; got {line.strip()!r}.")
        settings[key.strip()] = value.strip()
    return settings


def load_foreign_preset(name: str, overrides: Mapping[str, Any], ours: Preset) -> Preset:
    """`load_preset` for settings that anybody may have written: of a recipe, or of a page.

    Args:
        name: of the preset.
        overrides: of its settings.
        ours: a preset that the user has chosen; what it names may be run.

    Raises:
        InputError: as `load_preset`, and for settings that name code which `ours` does not.
    """
    preset = load_preset(name, overrides)
    foreign = sorted(set(_code_in(vars(preset))) - set(_code_in(vars(ours))))
    if foreign:
        raise InputError(
            f"“{foreign[0]}” names code, which is not run for a recipe's or a page's word: start "
            "with a preset (--preset) that names it."
        )
    return preset


def names_code(text: str) -> bool:
    """Whether a text could be the name of code: "package.module:Attribute"."""
    return bool(_CODE.fullmatch(text.strip()))


def _code_in(value: Any) -> Iterator[str]:
    """All texts within that could name code."""
    if isinstance(value, str):
        yield from [value] if names_code(value) else []
    elif isinstance(value, (Mapping, list, tuple)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _code_in(one)


def _set_in_backend(preset: Preset, key: str, value: Any) -> None:
    """`backends.0.loras.1.weight=0.5`: any option of a backend, however deep."""
    found = _OF_BACKEND.fullmatch(key)
    assert found is not None, key
    number, names = int(found[1]), found[2].split(".")
    if number >= len(preset.backends):
        raise InputError(f"{key}: this preset has {len(preset.backends)} backends, from 0 on.")
    place: Any = preset.backends[number]
    try:
        for name in names[:-1]:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        last: Any = int(names[-1]) if isinstance(place, list) else names[-1]
        place[last] = _value(value)
    except (ValueError, IndexError, TypeError, AttributeError):
        raise InputError(f"There is no {key} in this preset that could be set.") from None


def _value(value: Any) -> Any:
    """What a word of the command line means: a number, a list, yes or no; else the word itself."""
    if not isinstance(value, str):
        return value
    named = {"true": True, "false": False, "null": None, "none": None}
    if value.lower() in named:
        return named[value.lower()]
    try:
        return json.loads(value)
    except ValueError:
        return value


def build(kind: str, settings: Mapping[str, Any]) -> Any:
    """The part that `settings` names: `{"name": "classical", **options}` -> an object.

    Raises:
        InputError: an unknown name or option; says which there are.
    """
    options = dict(settings)
    name = options.pop("name", None)
    module, attribute = HOMES[kind]
    known: Mapping[str, str] = getattr(import_module(module), attribute)
    if not isinstance(name, str) or (name not in known and ":" not in name):
        raise InputError(f"There is no {kind} {name!r}; there are: {', '.join(sorted(known))}.")
    target, _, member = known.get(name, name).partition(":")
    try:
        return getattr(import_module(target), member)(**options)
    except (ImportError, AttributeError) as error:
        raise InputError(f"The {kind} {name!r} cannot be loaded: {error}.") from None
    except TypeError as error:
        raise InputError(f"The {kind} {name!r} does not take these options: {error}.") from None


def _as_yaml(value: Any) -> str:
    return "null" if value is None else str(value)
