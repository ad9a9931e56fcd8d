"""Scenes as a source of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.scenes import Scene, scene_at
from mdt.data.stickers.source import StickerSource


class SceneSource:
    """Scenes drawn on the fly from what `mdt data stickers` wrote; see `mdt.data.source.Source`.

    Args:
        path: of the folder of stickers.
        size: of the scenes' sides, in pixels.
        seed: of the scenes.
        count: how many scenes there are; none is kept.
        split: of the stickers, see `StickerSource`.
        styles: of the stickers.
        groups: of the stickers.

    Raises:
        DataError: see `StickerSource`; a size under 32, no scenes.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: int = 128,
        seed: int = 0,
        count: int = 100_000,
        split: str = "train",
        styles: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
    ) -> None:
        for what, given, least in (("size", size, 32), ("seed", seed, 0), ("count", count, 1)):
            if not isinstance(given, int) or given < least:
                raise DataError(f"The {what} of scenes is {least} or more; got {given!r}.")
        self.stickers = StickerSource(path, split=split, styles=styles, groups=groups)
        self.size, self.seed, self.count = size, seed, count
        self.classes: tuple[str, ...] | None = None
        self.shape = (3, size, size)
        self.identity = digest(self.stickers.identity, f"{size} {seed} {count}")

    def __len__(self) -> int:
        return self.count

    def scene(self, index: int) -> Scene:
        """Scene `index`, with the truth about it.

        Raises:
            DataError: a sticker cannot be read; names it.
        """
        return scene_at(self.seed, index, self.stickers, self.size)

    def read(self, index: int) -> tuple[Array, int | None]:
        """The picture of scene `index`, RGB uint8 (H, W, 3); scenes have no labels.

        Raises:
            DataError: a sticker cannot be read; names it.
        """
        return self.scene(index).image, None
