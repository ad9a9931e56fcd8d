"""The small world: stickers with names, and scenes that are made of them."""

from __future__ import annotations

from mdt.data.stickers.crops import CropSource
from mdt.data.stickers.drawing_source import DrawingSource
from mdt.data.stickers.grounds import Light
from mdt.data.stickers.prompted import PromptSource
from mdt.data.stickers.scene_source import SceneSource
from mdt.data.stickers.scenes import Scene, Thing, scene, scene_at
from mdt.data.stickers.source import StickerSource

__all__ = [
    "CropSource",
    "DrawingSource",
    "Light",
    "PromptSource",
    "Scene",
    "SceneSource",
    "StickerSource",
    "Thing",
    "scene",
    "scene_at",
]
