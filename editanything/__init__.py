"""EditAnything: change the regions of a picture by a sentence; no other pixel changes.

import editanything

editor = editanything.Editor.from_preset("default")
result = editor.edit("photo.jpg", "make the cup teal", selection=mask)
result.save("edited.png")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mdt.version import __version__

if TYPE_CHECKING:
    from editanything.command import Command, parse
    from editanything.editor import Editor, EditResult
    from editanything.errors import InputError, Refusal
    from editanything.plan import EditPlan
    from editanything.recipe import Recipe
    from editanything.types import Mask, Point, Selection

__all__ = [
    "Command",
    "EditPlan",
    "EditResult",
    "Editor",
    "InputError",
    "Mask",
    "Point",
    "Recipe",
    "Refusal",
    "Selection",
    "__version__",
    "parse",
]

# Imported at first use, so that `import editanything` and `editanything --help` are instant.
_HOMES = {
    "Command": "command",
    "parse": "command",
    "Editor": "editor",
    "EditResult": "editor",
    "EditPlan": "plan",
    "InputError": "errors",
    "Refusal": "errors",
    "Recipe": "recipe",
    "Mask": "types",
    "Point": "types",
    "Selection": "types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'editanything' has no attribute {name!r}")
    return getattr(import_module(f"editanything.{_HOMES[name]}"), name)
