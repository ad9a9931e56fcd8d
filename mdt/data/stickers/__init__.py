"""The small world: stickers with names, and scenes that are made of them."""

from __future__ import annotations

from mdt.data.stickers.source import StickerSource

__all__ = ["StickerSource"]
