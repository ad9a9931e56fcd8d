"""Cross-image drag: an edit that looks, layer by layer, at a part of a second picture."""

from __future__ import annotations

from editanything.backends.diffusion.drag.apply import around, drag_reference
from editanything.backends.diffusion.drag.fitting import Fitted, fit_reference
from editanything.backends.diffusion.drag.run import Control, Taken, dragging
from editanything.backends.diffusion.drag.settings import DragSettings

__all__ = [
    "Control",
    "DragSettings",
    "Fitted",
    "Taken",
    "around",
    "drag_reference",
    "dragging",
    "fit_reference",
]
