"""Small photographs of one thing each, with its name: what stickers can't teach of real things.

CIFAR-10 and data sets like it: a class is the name of what fills the picture. No masks come with
them: what differs from the rim is one, about as rough as a segmenter's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from mdt.crops import crop_region
from mdt.data.parquet import ParquetSource
from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.rough import nothing, roughened

#: What things of CIFAR-10's classes may be called.
CALLED: Mapping[str, tuple[str, ...]] = {
    "airplane": ("airplane", "plane", "aeroplane", "aircraft", "vehicle"),
    "automobile": ("car", "automobile", "vehicle"),
    "bird": ("bird", "animal"),
    "cat": ("cat", "kitten", "pet", "animal", "mammal"),
    "deer": ("deer", "animal", "mammal"),
    "dog": ("dog", "puppy", "pet", "animal", "mammal"),
    "frog": ("frog", "animal"),
    "horse": ("horse", "animal", "mammal"),
    "ship": ("ship", "boat", "vehicle"),
    "truck": ("truck", "lorry", "vehicle"),
}
_NOTHING = 0.3  # of the crops show no thing
_RIM_FROM = 0.88  # of the way from the middle to the frame: what lies beyond shows the ground
_LEAST_SPREAD = 60.0  # of its colours, in levels squared
_MIDDLE = 1.5
_LEAST, _MOST = 0.12, 0.85  # of the picture, that a mask covers; else a disc stands for it
_DISC = 0.8


class NamedPhotos:
    """Photographs of one thing each.

    Args:
        path: a Parquet file or folder, see `ParquetSource`, with the names of its classes.

    Raises:
        DataError: see `ParquetSource`; a class without a name in `CALLED`.
    """

    def __init__(self, path: str | Path) -> None:
        self._source = ParquetSource(path)
        names = tuple(self._source.classes or ())
        unknown = [name for name in names if name not in CALLED]
        if not names or unknown:
            told = f"'{unknown[0]}'" if unknown else "classes without names"
            raise DataError(f"{path} holds {told}; named photographs are of {', '.join(CALLED)}.")
        self.names = names
        self.identity = digest(self._source.identity, "named photos")

    def __len__(self) -> int:
        return len(self._source)

    def crop(self, rng: np.random.Generator, size: int) -> tuple[Array, Array, tuple[str, ...]]:
        """A thing at random, or a region beside it, around it or within it that is none.

        Returns:
            RGB float32 (size, size, 3) in [0, 1], its mask bool (size, size), and what it may be
            called, its name first; nothing for what is no thing.
        """
        pixels, label = self._source.read(int(rng.integers(len(self))))
        picture = np.ascontiguousarray(pixels[..., :3])
        if rng.random() < 0.5:
            picture = np.ascontiguousarray(picture[:, ::-1])
        bare = rng.random() < _NOTHING
        thing = cut(picture)
        mask = nothing(rng, thing) if bare else roughened(rng, thing)
        whole = crop_region(picture, mask if mask.any() else ~mask, size)
        image = (whole[:3].transpose(1, 2, 0) + 1) / 2
        return image, whole[3] > 0, () if bare else CALLED[self.names[label or 0]]


def cut(picture: Array) -> Array:
    """The thing that fills a small picture, roughly: bool (H, W).

    What differs from the rim's colours and lies in the middle; GrabCut finds nothing in most
    pictures as small as these.
    """
    height, width = picture.shape[:2]
    levels = cv2.GaussianBlur(picture, (3, 3), 0).astype(np.float32)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    out = np.sqrt(rows * rows + columns * columns)
    rim = levels[np.maximum(np.abs(rows), np.abs(columns)) > _RIM_FROM]
    spread = np.cov(rim, rowvar=False) + _LEAST_SPREAD * np.eye(3)
    off = levels - rim.mean(axis=0)
    other = np.log1p(np.einsum("...i,ij,...j->...", off, np.linalg.inv(spread), off))
    score = other - _MIDDLE * out**2
    grey = cv2.normalize(score, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    _, found = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    if len(stats) > 1:
        mask = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        if _LEAST < mask.mean() < _MOST:
            return mask
    return out < _DISC
