"""Masked Diffusion Transformer: pictures made by latent mask modelling."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mdt.version import __version__

if TYPE_CHECKING:
    from mdt import diffusion, optim
    from mdt.checkpoint import load_published
    from mdt.models import build_model
    from mdt.pipeline import Pipeline

__all__ = ["Pipeline", "__version__", "build_model", "diffusion", "load_published", "optim"]

# Imported at first use: torch takes seconds, and `mdt --help` should not.
_HOMES = {"Pipeline": "pipeline", "build_model": "models", "load_published": "checkpoint"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"mdt.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"mdt.{name}")
    raise AttributeError(f"module 'mdt' has no attribute {name!r}")
