"""Settings: one YAML file and `key=value` overrides become one frozen, checked dataclass.

Nothing else in the project reads YAML.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class ConfigError(ValueError):
    """A setting that cannot be used: which, what came, what would do."""


def config_folder() -> Path:
    """The folder of the shipped YAML files: `configs/` of the checkout, or the installed copy."""
    package = Path(__file__).resolve().parent
    installed = package / "_configs"
    return installed if installed.is_dir() else package.parent / "configs"


def find_config(kind: str, name: str) -> Path:
    """The file of a shipped setting (`kind` = folder, "edit"), or `name` itself if it is a path.

    Raises:
        ConfigError: if there is none; names those that there are.
    """
    folder = config_folder() / kind
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path
        raise ConfigError(f"The settings file {name} does not exist.")
    path = folder / f"{name}.yaml"
    if path.is_file():
        return path
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    raise ConfigError(f"There is no {kind} preset {name!r}{_suggest(name, known)}")


def load(schema: type[T], path: str | Path, overrides: Sequence[str] = ()) -> T:
    """The settings in `path`, changed by `key=value` overrides, as a value of `schema`.

    Args:
        schema: a frozen dataclass; its defaults fill what the file leaves out.
        path: a YAML file.
        overrides: dotted keys, `("lr=3e-4", "model.depth=12")`.

    Raises:
        ConfigError: unknown key (names the nearest), wrong type, broken YAML, missing file.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        given = OmegaConf.load(path)
    except FileNotFoundError:
        raise ConfigError(f"The settings file {path} does not exist.") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        first = " ".join(str(error).split())
        raise ConfigError(f"{path} cannot be read as YAML: {first}") from None
    _refuse_unknown_keys(schema, OmegaConf.to_container(given), str(path))
    for override in overrides:
        if "=" not in override:
            raise ConfigError(f"A setting is given as key=value; got {override!r}.")
    try:
        # `key=` alone is an empty text, not null.
        typed = OmegaConf.from_dotlist([o + '""' if o.endswith("=") else o for o in overrides])
        merged = OmegaConf.merge(given, typed)
        _refuse_unknown_keys(schema, OmegaConf.to_container(merged), str(path))
        settings = OmegaConf.merge(OmegaConf.structured(schema), merged)
        return OmegaConf.to_object(settings)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None)
        where = f"{key}: " if key else ""
        raise ConfigError(f"{path}: {where}{str(error).splitlines()[0]}") from None


def save(settings: Any, path: str | Path) -> None:
    """Write a settings dataclass as YAML, complete, so that `load` gives it back."""
    from omegaconf import OmegaConf

    OmegaConf.save(OmegaConf.structured(settings), path)


def _refuse_unknown_keys(schema: type[Any], given: Any, path: str) -> None:
    if not isinstance(given, dict):
        raise ConfigError(f"{path} must hold `key: value` lines; it holds {type(given).__name__}.")
    fields = {field.name: field.type for field in dataclasses.fields(schema)}
    for key in given:
        if key not in fields:
            raise ConfigError(f"{path}: there is no setting {key!r}{_suggest(str(key), fields)}")


def _suggest(name: str, known: Sequence[str] | dict[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(known)}."
