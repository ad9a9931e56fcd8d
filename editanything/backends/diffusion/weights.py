"""Where weights of diffusers' kinds are opened: safetensors alone, whatever their precision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

#: How the hub marks files in half precision: `model.fp16.safetensors`.
HALF = "fp16"


def open_weights(
    opener: Callable[..., Any],
    source: Any,
    *,
    dtype: torch.dtype,
    variant: str = "",
    **more: Any,
) -> Any:
    """What a `from_pretrained` makes of a hub id or folder.

    Some repositories have their safetensors in half precision only, others only the plain ones.
    They hold the same weights, so where those that are asked for are missing, the others are taken.

    Args:
        opener: the `from_pretrained` of a network or a pipeline.
        source: hub id or folder.
        dtype: of the weights once they are open, whatever the files have.
        variant: of the files that are wanted; empty for the plain ones.
        more: for `opener`.

    Raises:
        OSError, ValueError: neither can be opened; told of those that are asked for.
    """

    def attempt(kind: str) -> Any:
        named = {"variant": kind} if kind else {}
        return opener(source, use_safetensors=True, dtype=dtype, **named, **more)

    try:
        with _without_complaints():
            return attempt(variant)
    except (OSError, ValueError) as error:
        first = error
    try:
        return attempt("" if variant else HALF)
    except (OSError, ValueError):
        pass
    raise first  # here, not in the handler: there its own cause would be lost


@contextmanager
def _without_complaints() -> Iterator[None]:
    """Without diffusers' own lines of what is missing: there is a second attempt."""
    log = logging.getLogger("diffusers")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
