"""Backends: each paints the steps of a plan, one crop at a time."""

from __future__ import annotations

# name -> "module:class"; a preset's `backends: [{name: ...}]` are keys of this dict.
BACKENDS: dict[str, str] = {
    "classical": "editanything.backends.classical:Classical",
    "mdt": "editanything.backends.mdt:Mdt",
    "diffusion": "editanything.backends.diffusion.backend:Diffusion",
}
