"""Stickers, scenes and pictures with holes: what the autoencoder of the generator has to keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.examples import cut_out, of_scene, part
from mdt.data.stickers.scenes import scene_at
from mdt.data.stickers.source import StickerSource

#: What picture i shows is what stands at i mod their number.
_TURNS = ("sticker", "scene", "sticker", "hole", "sticker", "scene", "sticker", "scene hole")


class DrawingSource:
    """RGBA pictures: half stickers, a third scenes, some of both with holes.

    Args:
        path: of the folder of stickers.
        size: of the pictures' sides, in pixels.
        seed: of scenes and holes.
        count: how many pictures there are; none is kept.
        split: of the stickers, see `StickerSource`.
        styles: of the stickers.
        groups: of the stickers.

    Raises:
        DataError: see `StickerSource`; a size under 32, no pictures.
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
                raise DataError(f"The {what} of drawings is {least} or more; got {given!r}.")
        self.stickers = StickerSource(path, size=size, split=split, styles=styles, groups=groups)
        self.size, self.seed, self.count = size, seed, count
        self.classes: tuple[str, ...] | None = None
        self.shape = (4, size, size)
        self.identity = digest(self.stickers.identity, f"drawings {size} {seed} {count}")

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[Array, int | None]:
        """Picture `index`, RGBA uint8 (H, W, 4), straight alpha; drawings have no labels.

        Raises:
            DataError: a sticker cannot be read; names it.
        """
        turn = _TURNS[index % len(_TURNS)]
        rng = np.random.Generator(np.random.PCG64([self.seed, 1, index]))
        number = int(rng.integers(len(self.stickers)))
        if turn == "sticker":
            return self.stickers.read(number)[0], None
        if turn == "hole":
            return cut_out(part(rng, self.stickers, number)), None
        scene = scene_at(self.seed, index, self.stickers, self.size)
        if turn == "scene hole" and scene.things:
            return cut_out(of_scene(rng, scene)), None
        solid = np.full(scene.image.shape[:2], 255, np.uint8)
        return np.dstack([scene.image, solid]), None
