"""Parts of other packages, by a name that settings can hold."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mdt.config import ConfigError


def imported(name: str) -> Any:
    """What "package.module:Attr" names.

    Raises:
        ConfigError: no such module, or nothing of that name in it.
    """
    module, _, member = name.partition(":")
    try:
        return getattr(import_module(module), member)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{name!r} cannot be loaded: {error}.") from None
