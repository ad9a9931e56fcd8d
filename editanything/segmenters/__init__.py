"""Segmenters: a picture in, regions and clickable things out.

`SEGMENTERS` names the ones that there are; `make_segmenter("classical", working_px=640)` builds
one. Each entry imports what it needs only when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from editanything.errors import InputError
from editanything.types import Segmenter

__all__ = ["SEGMENTERS", "make_segmenter"]


def _classical(**settings: Any) -> Segmenter:
    from editanything.segmenters.classical import Classical

    return Classical(**settings)


SEGMENTERS: dict[str, Callable[..., Segmenter]] = {"classical": _classical}


def make_segmenter(name: str, **settings: Any) -> Segmenter:
    """The segmenter called `name` with its settings.

    Raises:
        InputError: an unknown name or setting; the message says what there is.
    """
    if name not in SEGMENTERS:
        raise InputError(f"There is no segmenter {name!r}; choose from: {', '.join(SEGMENTERS)}.")
    try:
        return SEGMENTERS[name](**settings)
    except TypeError as error:
        raise InputError(f"The segmenter {name!r} cannot be set up so: {error}.") from error
