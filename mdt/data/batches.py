"""Endless batches of a source, the same for any number of processes and from any start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import signature
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mdt.config import _suggest
from mdt.data.alpha import premultiplied
from mdt.data.order import picture, uniform
from mdt.data.picture import Draws
from mdt.data.source import Array, DataError, Source

#: How pictures are cropped: all the same, or drawn anew each time (see `mdt.data.picture.crop`).
CROPS = ("center", "random")


class Batch(NamedTuple):
    """This process's share of a batch.

    Attributes:
        x: (b, C, H, W), float32: pixels in [-1, 1], or latents as they are stored. Pictures with
            alpha have four channels, see `mdt.data.alpha`.
        label: (b,) or (b, L, K), int64; None: the source has no labels.
        position: of the first picture of the global batch in the stream.
    """

    x: Tensor
    label: Tensor | None
    position: int


class Row(NamedTuple):
    """One picture to read: its number, whether it is mirrored, where it is cropped."""

    number: int
    flip: bool = False
    draws: Draws | None = None


def batches(
    source: Source,
    *,
    batch: int,
    seed: int,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    flip: bool = False,
    crop: str = "center",
    workers: int = 0,
) -> Iterator[Batch]:
    """Batches without end; which pictures, and how, depends on `seed` and the position alone.

    Args:
        source: of pictures or cached latents.
        batch: pictures in the global batch; of each this process gets the rows from
            rank * batch // world up to (rank + 1) * batch // world.
        seed: of order, flips and crops.
        start: pictures seen so far, a multiple of `batch`.
        rank: of this process.
        world: number of processes.
        flip: mirror half of the pictures, left to right.
        crop: a name in `CROPS`.
        workers: processes that read ahead; 0: none. The batches do not depend on it.

    Raises:
        ValueError: arguments that do not fit each other or the source.
        DataError: a picture that cannot be read; names it.
    """
    _check(source, batch, seed, start, rank, world, flip, crop)
    mine = range(rank * batch // world, (rank + 1) * batch // world)

    def rows() -> Iterator[list[Row]]:
        for position in count(start, batch):
            yield [_row(source, seed, position + i, flip, crop) for i in mine]

    loaded = read_rows(source, rows(), workers=workers)
    return (Batch(*one, start + i * batch) for i, one in enumerate(loaded))


def read_rows(
    source: Source, rows: Iterable[list[Row]], *, workers: int = 0
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The pictures of each list of rows as (x, label) of `Batch`.

    Raises:
        DataError: a picture that cannot be read; names it.
    """
    loader: DataLoader[Any] = DataLoader(
        _Reader(source),
        sampler=rows,
        batch_size=None,
        collate_fn=_as_is,
        num_workers=workers,
        # Without one, the loader would take a draw from the global generator.
        generator=torch.Generator(),
    )
    for loaded in loader:
        if isinstance(loaded, DataError):
            raise loaded
        yield loaded


class _Reader(Dataset[Any]):
    """Lists of rows -> their pictures. Errors are returned: torch would wrap them in a trace."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __getitem__(self, rows: list[Row]) -> tuple[Tensor, Tensor | None] | DataError:
        try:
            read = [_read(self.source, row) for row in rows]
        except DataError as error:
            return error
        x = torch.from_numpy(np.stack([pixels for pixels, _ in read]))
        if x.dtype == torch.uint8:
            x = x.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
            x = premultiplied(x) if x.shape[1] == 4 else x.div_(127.5).sub_(1)
        labels = [label for _, label in read]
        return x, None if labels[0] is None else torch.from_numpy(np.asarray(labels))


def _read(source: Any, row: Row) -> tuple[Array, int | None]:
    if row.draws is not None:
        pixels, label = source.read(row.number, row.draws)
    elif row.flip and hasattr(source, "read_flipped"):
        return source.read_flipped(row.number)
    else:
        pixels, label = source.read(row.number)
    if row.flip:
        # (H, W, C), or (C, h, w) where it is no longer the bytes of a picture.
        pixels = pixels[:, ::-1] if pixels.dtype == np.uint8 else pixels[..., ::-1]
    return pixels, label


def _row(source: Source, seed: int, position: int, flip: bool, crop: str) -> Row:
    blocks = getattr(source, "blocks", None)
    number, _ = picture(len(source), seed, position, blocks=blocks)
    if not flip and crop == "center":
        return Row(number)
    mirror, far, down, right = uniform(seed, position, 4)
    return Row(number, flip and mirror < 0.5, (far, down, right) if crop == "random" else None)


def _check(
    source: Any, batch: int, seed: int, start: int, rank: int, world: int, flip: bool, crop: str
) -> None:
    if batch < world:
        raise ValueError(f"A batch of {batch} pictures cannot be shared by {world} processes.")
    if not 0 <= rank < world:
        raise ValueError(f"There is no process {rank} of {world}.")
    if seed < 0:
        raise ValueError(f"The seed of the order is 0 or more; got {seed}.")
    if start < 0 or start % batch:
        raise ValueError(f"The start is a multiple of the batch, {batch}; got {start}.")
    if crop not in CROPS:
        raise ValueError(f"There is no crop {crop!r}{_suggest(crop, CROPS)}")
    if crop != "center" and "draws" not in signature(source.read).parameters:
        raise ValueError("These pictures, such as cached latents, are cropped already: use center.")
    if flip and not getattr(source, "flips", True):
        if hasattr(source, "read_flipped"):
            raise ValueError("These latents were cached without flips: encode them with --flip.")
        raise ValueError("These pictures are not to be mirrored: set data.flip=false.")


def _as_is(loaded: Any) -> Any:
    return loaded
