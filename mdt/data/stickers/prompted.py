"""Pictures with things in them and clicks and boxes that mean these, for a segmenter to learn."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.collages import collage, weathered
from mdt.data.stickers.scene_source import SceneSource
from mdt.models.segmenter_objective import DRAWS, NUM_THINGS, ROW

_LEAST_AREA = 60  # pixels that a thing shows
_LEAST_SEEN = 0.25  # share of a scene's thing that is left after zooming in


class PromptSource:
    """Collages and scenes with truth and prompts; see `mdt.data.source.Source`.

    A picture is float32 (4, size, size): RGB in [-1, 1], and a number whose bit k says whether the
    pixel is of the k-th thing asked for. A label is int64 (4, ROW): for each thing its box, a click
    on it, and draws; see `mdt.models.segmenter_objective.prompts_of`. Of fewer things some are
    asked for again, by other clicks.

    Args:
        path: of the folder of stickers.
        size: of the pictures' sides, in pixels.
        seed: of all draws.
        count: how many pictures there are; none is kept.
        split: of the stickers, see `StickerSource`.
        scenes: share of the pictures that are scenes; the others are collages.
        num_scenes: how many scenes there are, each shown again and again in other ways, as they
            take long to draw.

    Raises:
        DataError: see `SceneSource`; shares out of range.
    """

    flips = False  # boxes and clicks would stay where they are

    def __init__(
        self,
        path: str | Path,
        *,
        size: int = 192,
        seed: int = 0,
        count: int = 10_000_000,
        split: str = "train",
        scenes: float = 0.5,
        num_scenes: int = 3000,
    ) -> None:
        if not 0 <= scenes <= 1:
            raise DataError(f"scenes is a share from 0 to 1; got {scenes!r}.")
        if not isinstance(count, int) or count < 1:
            raise DataError(f"The count of pictures is 1 or more; got {count!r}.")
        self.scenes = SceneSource(path, size=size, seed=seed, count=num_scenes, split=split)
        self.size, self.seed, self.count = size, seed, count
        self.scene_share = scenes
        self.classes: tuple[str, ...] | None = None
        self.shape = (4, size, size)
        told = f"{seed} {count} {scenes}"
        self.identity = digest(self.scenes.identity, told)
        self._drawn = lru_cache(maxsize=num_scenes)(self._draw_scene)
        self._read_sticker = lru_cache(maxsize=1500)(self._trimmed)

    def __len__(self) -> int:
        return self.count

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in vars(self).items() if k not in ("_drawn", "_read_sticker")}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._drawn = lru_cache(maxsize=len(self.scenes))(self._draw_scene)
        self._read_sticker = lru_cache(maxsize=1500)(self._trimmed)

    def read(self, index: int) -> tuple[Array, Array]:
        """Picture `index` and its prompts, a pure function of the seed and the index.

        Raises:
            DataError: a sticker cannot be read; names it.
        """
        rng = np.random.Generator(np.random.PCG64([self.seed, index, 1]))
        while True:
            image, masks = self._picture(rng)
            masks = [mask for mask in masks if np.count_nonzero(mask) >= _LEAST_AREA]
            if masks:
                break
        chosen = rng.permutation(len(masks))[:NUM_THINGS]
        picked = [masks[chosen[k % len(chosen)]] for k in range(NUM_THINGS)]
        rows = np.zeros((NUM_THINGS, ROW), np.int64)
        bits = np.zeros((self.size, self.size), np.float32)
        for k, mask in enumerate(picked):
            bits += mask * np.float32(2**k)
            rows[k, :4] = rough_box(rng, mask)
            rows[k, 4:6] = click(rng, mask)
            rows[k, 6:] = rng.integers(DRAWS, size=3)
        levels = weathered(rng, image)
        out = np.empty((4, self.size, self.size), np.float32)
        out[:3] = levels.transpose(2, 0, 1) / np.float32(127.5) - 1
        out[3] = bits
        return out, rows

    def _picture(self, rng: np.random.Generator) -> tuple[Array, list[Array]]:
        if rng.random() >= self.scene_share:
            return collage(rng, self.size, self._sticker)
        image, ids = self._drawn(int(rng.integers(len(self.scenes))))
        if rng.random() < 0.6:
            image, ids = zoomed(rng, image, ids)
        if rng.random() < 0.5:
            image, ids = image[:, ::-1], ids[:, ::-1]
        masks = [ids == k for k in range(1, int(ids.max()) + 1)]
        return image.astype(np.float32), masks

    def _draw_scene(self, number: int) -> tuple[Array, Array]:
        """A scene's picture and uint8 (size, size): 0, or 1 + the number of the thing seen."""
        drawn = self.scenes.scene(number)
        ids = np.zeros(drawn.image.shape[:2], np.uint8)
        for k, thing in enumerate(drawn.things, 1):
            ids[thing.mask] = k
        return drawn.image, ids

    def _sticker(self, rng: np.random.Generator) -> Array:
        rgba = self._read_sticker(int(rng.integers(len(self.scenes.stickers))))
        return rgba[:, ::-1] if rng.random() < 0.5 else rgba

    def _trimmed(self, number: int) -> Array:
        rgba = self.scenes.stickers.read(number)[0]
        ys, xs = np.nonzero(rgba[..., 3] > 25)
        return rgba[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] if len(ys) else rgba


def zoomed(rng: np.random.Generator, image: Array, ids: Array) -> tuple[Array, Array]:
    """A square part of a scene around one of its things, at the scene's size."""
    size = len(ids)
    there = np.unique(ids[ids > 0])
    if not len(there):
        return image, ids
    one = ids == there[rng.integers(len(there))]
    ys, xs = np.nonzero(one)
    span = max(np.ptp(ys), np.ptp(xs)) + 1
    side = int(np.clip(span * rng.uniform(1.1, 2.2), size / 4, size))
    y = int(
        np.clip((ys.min() + ys.max()) / 2 + rng.normal(0, 0.1) * side - side / 2, 0, size - side)
    )
    x = int(
        np.clip((xs.min() + xs.max()) / 2 + rng.normal(0, 0.1) * side - side / 2, 0, size - side)
    )
    part, cut = image[y : y + side, x : x + side], ids[y : y + side, x : x + side].copy()
    for k in there:  # a rim of a thing is no thing
        if np.count_nonzero(cut == k) < _LEAST_SEEN * np.count_nonzero(ids == k):
            cut[cut == k] = 0
    large = cv2.resize(part, (size, size), interpolation=cv2.INTER_CUBIC)
    return large, cv2.resize(cut, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)


def rough_box(rng: np.random.Generator, mask: Array) -> Array:
    """The box of a mask as people draw it, int (4,) XYXY: tight, or each side off by up to 15 %."""
    size = len(mask)
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
    spans = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    if rng.random() < 0.7:
        slack = rng.uniform(-0.02, 0.15 if rng.random() < 0.5 else 0.05, 4)
        box += slack * spans * np.array([-1, -1, 1, 1])
    return np.clip(np.rint(box), 0, size).astype(np.int64)


def click(rng: np.random.Generator, mask: Array) -> tuple[int, int]:
    """A click on a mask, x and y: half of them lie deep inside, as people click."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    deep = np.flatnonzero(depth >= (0.5 if rng.random() < 0.5 else 0.15) * depth.max())
    y, x = divmod(int(deep[rng.integers(len(deep))]), mask.shape[1])
    return x, y
