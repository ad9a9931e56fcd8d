"""A preset: one segmenter, one grounder and a chain of backends, named in one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Preset:
    """The settings of an editor, as in `configs/edit/*.yaml`.

    `grow_px` and `feather_px` replace the margins that each operation brings along (None: keep
    them); a picture of more than `max_megapixels` is refused.
    """

    segmenter: dict[str, Any]
    grounder: dict[str, Any]
    backends: list[dict[str, Any]]
    about: str = ""
    grow_px: float | None = None
    feather_px: float | None = None
    max_megapixels: float = 100.0

    def __post_init__(self) -> None:
        for name in ("grow_px", "feather_px"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 500:
                raise InputError(f"{name} must be between 0 and 500 pixels; got {value:g}.")
        if not self.max_megapixels > 0:
            raise InputError(f"max_megapixels must be above 0; got {self.max_megapixels:g}.")


def load_preset(name: str, overrides: Mapping[str, Any]) -> Preset:
    """The preset `name` (of `configs/edit/`, or a YAML path), with some settings replaced.

    Raises:
        InputError: unknown preset or setting; says which there are.
    """
    from mdt.config import ConfigError, find_config, load

    try:
        changes = [f"{key}={_as_yaml(value)}" for key, value in overrides.items()]
        return load(Preset, find_config("edit", name), changes)
    except ConfigError as error:
        raise InputError(str(error)) from None


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
