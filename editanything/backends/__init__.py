"""Backends: each paints the steps of a plan, one crop at a time."""

from __future__ import annotations

from importlib import import_module

from editanything.errors import InputError
from editanything.types import Backend

__all__ = ["BACKENDS", "make_backend"]

#: Where each backend's class is; imported when asked for, so that naming one costs nothing.
BACKENDS: dict[str, str] = {
    "classical": "editanything.backends.classical:Classical",
}


def make_backend(name: str) -> Backend:
    """The backend called `name`: a key of `BACKENDS`, or `package.module:Class` of your own.

    Raises:
        InputError: if there is no such backend.
    """
    module, _, attribute = BACKENDS.get(name, name).partition(":")
    if not attribute:
        raise InputError(
            f"There is no backend {name!r}; choose one of {', '.join(BACKENDS)}, "
            "or give your own as package.module:Class."
        )
    try:
        made: Backend = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise InputError(f"The backend {name!r} cannot be loaded: {error}.") from error
    return made
