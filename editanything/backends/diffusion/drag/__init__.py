"""Cross-image drag: an edit that looks, layer by layer, at a part of a second picture.

`settings` says how much, `fitting` brings the second picture to the edit's size, `run` is the drag
around any pipeline with a UNet, and `apply` the one around a step of a plan.
"""

from __future__ import annotations

from editanything.backends.diffusion.drag.settings import DragSettings, drag_settings

__all__ = ["DragSettings", "drag_settings"]
