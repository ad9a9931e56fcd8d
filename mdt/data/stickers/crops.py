"""Crops of regions and what they may be called, for learning which words name which region.

A crop is one sticker, with others before and behind it, on a ground, with a mask that may be as
rough as a segmenter's; or a region that is no thing, which no words name. It is drawn at the crop's
own size: a whole scene would take thirty times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.colors import PAINTS, color_word, painted
from mdt.data.stickers.grounds import draw_ground
from mdt.data.stickers.named_photos import NamedPhotos
from mdt.data.stickers.photos import patch
from mdt.data.stickers.phrases import key, phrases
from mdt.data.stickers.rough import nothing, of_photo, roughened
from mdt.data.stickers.source import StickerSource
from mdt.words import NUM_IDS, phrase_ids

#: Phrases that come with a crop: its name, others that are true, others of its kind, any others.
NUM_TEXTS = 12
_OTHERS_TRUE, _OF_ITS_KIND = 5, 2
#: Rows of the label that hold the keys of all that is true.
_CALLED_ROWS = 2
_NOTHING = 0.2  # of the crops show a region that is no thing
_PAINT = 0.2
_NUM_GROUNDS, _GROUND_PX = 96, 128


class CropSource:
    """Crops of regions, drawn on the fly from what `mdt data stickers` wrote.

    Args:
        path: of the folder of stickers.
        size: of the crops' sides, in pixels.
        seed: of the crops.
        count: how many crops there are; none is kept.
        split: of the stickers, see `StickerSource`.
        styles: of the stickers.
        groups: of the stickers.
        buckets: of the word ids, as the network has.
        photos: share of the crops that are parts of photographs, which no words name; things then
            stand before photographs as well.
        named: photographs of one thing each, see `NamedPhotos`; "": none.
        named_share: of the crops that are taken from these.

    Raises:
        DataError: see `StickerSource`; a size under 32, no crops.
    """

    flips = False  # mirrored ones are drawn as such

    def __init__(
        self,
        path: str | Path,
        *,
        size: int = 64,
        seed: int = 0,
        count: int = 1_000_000,
        split: str = "train",
        styles: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        buckets: int = 16384,
        photos: float = 0.0,
        named: str | Path = "",
        named_share: float = 0.25,
    ) -> None:
        for what, given, least in (("size", size, 32), ("seed", seed, 0), ("count", count, 1)):
            if not isinstance(given, int) or given < least:
                raise DataError(f"The {what} of crops is {least} or more; got {given!r}.")
        self.stickers = StickerSource(path, split=split, styles=styles, groups=groups)
        for what, share in (("photos", photos), ("named photographs", named_share)):
            if not 0 <= share <= 1:
                raise DataError(f"The share of {what} among crops lies in 0 to 1; got {share!r}.")
        self.size, self.seed, self.count, self.buckets = size, seed, count, buckets
        self.photos = photos
        self.named, self.named_share = (NamedPhotos(named) if named else None), named_share
        self.classes: tuple[str, ...] | None = None
        self.shape = (4, size, size)
        self.identity = digest(
            self.stickers.identity,
            f"crops {size} {seed} {count} {buckets} {photos}",
            *([self.named.identity, f"{named_share}"] if self.named else []),
        )
        known = sorted({int(label) for label in self.stickers.labels})
        names, tags, kinds = self.stickers.names, self.stickers.tags, self.stickers.kinds
        self._called = {i: phrases(names[i], tags[i], kinds[i]) for i in known}
        self._all = sorted({phrase for called in self._called.values() for phrase in called})
        self._kinds: dict[str, list[str]] = {}
        for i in known:
            self._kinds.setdefault(kinds[i], []).append(names[i])
        self._smalls: dict[int, Array] = {}
        self._cuts: dict[int, Array] = {}
        self._grounds: dict[int, Array] = {}
        self._ids = lru_cache(maxsize=65536)(self._row)

    def __getstate__(self) -> dict[str, object]:
        """What is kept in memory stays behind: another process draws it again."""
        return {**self.__dict__, "_cuts": {}, "_smalls": {}, "_grounds": {}, "_ids": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._ids = lru_cache(maxsize=65536)(self._row)

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[Array, Array]:
        """Crop `index` and its words.

        Returns:
            float32 (4, size, size): RGB in [-1, 1], and the region as -1 and 1; and int64
            (2 + NUM_TEXTS, 1 + NUM_IDS): two rows with the keys (`phrases.key`) of all that the
            region may be called, 0 behind, then phrases, true and not: key, then ids.

        Raises:
            DataError: a sticker cannot be read; names it.
        """
        rng = np.random.Generator(np.random.PCG64([self.seed, 2, index]))
        if self.named is not None and rng.random() < self.named_share:
            image, mask, called = self.named.crop(rng, self.size)
            name = called[0] if called else self._all[0]
            return _packed(_degraded(rng, image), mask), self._label(rng, name, "", called, "")
        number = int(rng.integers(len(self.stickers)))
        paint = str(rng.choice(list(PAINTS))) if rng.random() < _PAINT else ""
        cut = self._cut(number, paint)
        if cut is None:
            cut, paint = self._cut(number, ""), ""
        assert cut is not None, "a sticker as it is can be had"
        image, mask = self._drawn(rng, cut)
        called = self._called[int(self.stickers.labels[number])]
        bare = rng.random() < _NOTHING
        mask = nothing(rng, mask) if bare else roughened(rng, mask)
        if self.photos and rng.random() < self.photos:
            bare, (image, mask) = True, of_photo(rng, self.size)
        label = int(self.stickers.labels[number])
        name, kind = self.stickers.names[label], self.stickers.kinds[label]
        words = self._label(rng, name, kind, () if bare else called, paint)
        return _packed(_degraded(rng, image), mask), words

    # --- pictures

    def _drawn(self, rng: np.random.Generator, cut: Array) -> tuple[Array, Array]:
        """(RGB float32 (size, size, 3) in [0, 1], bool (size, size) where the thing is seen)."""
        size = self.size
        image = self._photo_or_ground(rng)
        for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.5 else 0):
            image, _ = _over(image, _put(rng, self._any(rng), size, centred=False))
        layer = _put(rng, cut, size, centred=True)
        if rng.random() < 0.5:
            moved = rng.integers(-size // 8, size // 8 + 1, 2)
            shade = cv2.blur(np.roll(layer[..., 3], tuple(moved), (0, 1)), (5, 5))
            image = image * (1 - 0.45 * shade[..., None])
        image, mask = _over(image, layer)
        if rng.random() < 0.25:
            before = _put(rng, self._any(rng), size, centred=False)
            seen = mask & (before[..., 3] < 0.5)
            if seen.sum() > 0.5 * mask.sum():
                image, _ = _over(image, before)
                mask = seen
        return image, mask

    def _any(self, rng: np.random.Generator) -> Array:
        cut = self._cut(int(rng.integers(len(self.stickers))), "")
        assert cut is not None, "a sticker as it is can be had"
        return cut

    def _cut(self, number: int, paint: str) -> Array | None:
        """A sticker without its clear border, colours times alpha; None: cannot be painted."""
        if paint:
            small = self._small(number)
            new = None if color_word(small) == paint else painted(small, paint)
            return None if new is None else _times_alpha(new)
        if number not in self._cuts:
            self._cuts[number] = _times_alpha(self._small(number))
        return self._cuts[number]

    def _small(self, number: int) -> Array:
        """A sticker without its clear border, as large as a crop; straight alpha."""
        if number not in self._smalls:
            pixels, _ = self.stickers.read(number)
            rows, columns = (np.flatnonzero((pixels[..., 3] > 25).any(axis=i)) for i in (1, 0))
            pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            factor = self.size / max(pixels.shape[:2])
            goal = tuple(max(2, round(side * factor)) for side in pixels.shape[1::-1])
            small = cv2.resize(_times_alpha(pixels), goal, interpolation=cv2.INTER_AREA)
            color = small[..., :3] * (255 / np.maximum(small[..., 3:], 1.0))
            color = np.rint(np.minimum(color, 255)).astype(np.uint8)
            self._smalls[number] = np.dstack([color, small[..., 3]])
        return self._smalls[number]

    def _photo_or_ground(self, rng: np.random.Generator) -> Array:
        if self.photos and rng.random() < 0.25:
            return np.clip(patch(rng, self.size) / 255, 0, 1)
        return self._ground(rng)

    def _ground(self, rng: np.random.Generator) -> Array:
        if rng.random() < 0.15:
            return np.full((self.size, self.size, 3), rng.random(3), np.float32)
        number = int(rng.integers(_NUM_GROUNDS))
        if number not in self._grounds:
            own = np.random.Generator(np.random.PCG64([self.seed, 3, number]))
            self._grounds[number] = draw_ground(own, _GROUND_PX).image.astype(np.float32)
        part = int(rng.integers(40, _GROUND_PX + 1))
        top, left = rng.integers(0, _GROUND_PX - part + 1, 2)
        ground = self._grounds[number][top : top + part, left : left + part]
        ground = cv2.resize(ground, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        return np.clip(ground, 0, 1)

    # --- words

    def _label(
        self, rng: np.random.Generator, name: str, kind: str, called: tuple[str, ...], paint: str
    ) -> Array:
        colored = tuple(f"{paint} {phrase}" for phrase in called) if paint else ()
        true = (*called, *colored)
        said = list(called[:1])
        if len(true) > 1:
            said += [true[i] for i in rng.permutation(np.arange(1, len(true)))[:_OTHERS_TRUE]]
        same = self._kinds.get(kind, self._all)
        said += [same[rng.integers(len(same))] for _ in range(_OF_ITS_KIND)]
        if rng.random() < 0.3:
            said.append(f"{rng.choice(list(PAINTS))} {name}")
        said += [self._all[i] for i in rng.integers(len(self._all), size=NUM_TEXTS - len(said))]
        out = np.zeros((_CALLED_ROWS + NUM_TEXTS, 1 + NUM_IDS), np.int64)
        keys = [int(self._ids(phrase)[0]) for phrase in true][: _CALLED_ROWS * (1 + NUM_IDS)]
        out[:_CALLED_ROWS].reshape(-1)[: len(keys)] = keys
        for row, phrase in zip(out[_CALLED_ROWS:], said, strict=True):
            row[:] = self._ids(phrase)
        return out

    def _row(self, phrase: str) -> Array:
        return np.concatenate([[key(phrase)], phrase_ids(phrase, self.buckets)])


def _packed(image: Array, mask: Array) -> Array:
    x = np.concatenate([image.transpose(2, 0, 1), mask[None].astype(np.float32)])
    return np.ascontiguousarray(2 * x - 1, np.float32)


def _put(rng: np.random.Generator, cut: Array, size: int, *, centred: bool) -> Array:
    """A sticker in an empty crop, turned and stretched a little: float32 (size, size, 4)."""
    height, width = cut.shape[:2]
    factor = rng.uniform(0.55, 0.95) if centred else rng.uniform(0.4, 1.1)
    room = 0.07 * size if centred else 0.55 * size
    turn = np.radians(rng.normal(0, 7.0))
    across, down = factor * np.exp(rng.normal(0, 0.08, 2))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos * across, -sin * down], [sin * across, cos * down]])
    if rng.random() < 0.5:
        matrix[:, 0] *= -1
    middle = size / 2 + rng.uniform(-room, room, 2)
    shift = middle - matrix @ np.array([width / 2, height / 2])
    whole = np.concatenate([matrix, shift[:, None]], axis=1)
    return cv2.warpAffine(cut, whole, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32) / 255


def _times_alpha(rgba: Array) -> Array:
    color = rgba[..., :3] * (rgba[..., 3:].astype(np.float32) / 255)
    return np.dstack([np.rint(color).astype(np.uint8), rgba[..., 3]])


def _over(image: Array, layer: Array) -> tuple[Array, Array]:
    return image * (1 - layer[..., 3:]) + layer[..., :3], layer[..., 3] >= 0.5


def _degraded(rng: np.random.Generator, image: Array) -> Array:
    """Of fewer pixels, of another light, noisy: half of the crops each, some a lot."""
    size = image.shape[0]
    if rng.random() < 0.5:
        small = int(rng.integers(size // 3, size))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image = (image - 0.5) * rng.uniform(0.7, 1.2) + 0.5 + rng.uniform(-0.1, 0.1)
        image = image * (1 + rng.uniform(-0.06, 0.06, 3).astype(np.float32))
    if rng.random() < 0.3:
        image = image + np.float32(rng.uniform(0, 0.06)) * rng.standard_normal(
            image.shape, np.float32
        )
    return np.clip(image, 0, 1).astype(np.float32)
