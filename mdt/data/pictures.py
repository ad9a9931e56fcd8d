"""What sources of picture files share: labels, checks at the start, decoding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import numpy as np

from mdt.data.picture import Draws, check, decode, upright_size
from mdt.data.source import Array, DataError

#: Of pictures that cannot be read, so many are named.
NUM_NAMED = 5
#: Header checks wait for the disk, not for the processor.
_NUM_THREADS = 8

Size = int | tuple[int, int] | None


class PictureSource(ABC):
    """Picture files, wherever they lie; see `mdt.data.source.Source`.

    Args:
        size: side, or (H, W), that every picture is filled and cropped to; None: all pictures
            must be of one size already.
    """

    classes: tuple[str, ...] | None = None
    blocks: tuple[int, ...] | None = None
    identity: str
    shape: tuple[int, int, int]

    def __init__(self, size: Size) -> None:
        self.size = check_size(size)
        self.labels: Array | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, index: int) -> str:
        """What a user knows the picture by."""

    @abstractmethod
    def data(self, index: int) -> bytes:
        """The bytes of the picture's file."""

    def read(self, index: int, draws: Draws | None = None) -> tuple[Array, int | None]:
        """Picture `index`, RGB uint8 (H, W, 3), and its label.

        Args:
            index: of the picture.
            draws: see `mdt.data.picture.decode`; None: the middle.

        Raises:
            DataError: it cannot be read, or is not of the size of the others; names it.
        """
        try:
            pixels = decode(self.data(index), self.size if draws is None else self.shape[1:], draws)
        except (DataError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"The picture {self.name(index)} cannot be read: {reason}.") from None
        if pixels.shape[:2] != self.shape[1:]:
            raise DataError(
                f"The picture {self.name(index)} is {_by(pixels.shape[:2])} and the first one is "
                f"{_by(self.shape[1:])}: give a size that all are cropped to."
            )
        return pixels, None if self.labels is None else int(self.labels[index])

    def settle_shape(self) -> None:
        """Set `shape`: the size that was asked for, or the first picture's."""
        if self.size is not None:
            self.shape = (3, *self.size)
            return
        try:
            self.shape = (3, *upright_size(self.data(0)))
        except (DataError, OSError) as error:
            raise DataError(f"The picture {self.name(0)} cannot be read: {error}.") from None


def check_size(size: Size | Sequence[int]) -> tuple[int, int] | None:
    """A size as (H, W).

    Raises:
        DataError: it is not one or two whole numbers from 1 on.
    """
    if size is None:
        return None
    pair = list(size) if isinstance(size, Sequence) else [size, size]
    if len(pair) != 2 or not all(isinstance(side, int) and side >= 1 for side in pair):
        raise DataError(f"The size is a number of pixels, or height and width; got {size!r}.")
    return pair[0], pair[1]


def complaints(count: int, open_: Callable[[int], IO[bytes]]) -> list[str]:
    """Read the header of every picture; why it cannot be used, or "".

    Args:
        count: of pictures.
        open_: a picture's file, at its start.
    """

    def complaint(index: int) -> str:
        try:
            with open_(index) as file:
                check(file)
        except (DataError, OSError) as error:
            return str(getattr(error, "strerror", None) or error)
        return ""

    with ThreadPoolExecutor(_NUM_THREADS) as pool:
        return list(pool.map(complaint, range(count)))


def good_ones(said: Sequence[str], name: Callable[[int], str], *, skip: bool) -> Array:
    """The numbers of the pictures without a complaint.

    Args:
        said: of every picture, see `complaints`.
        name: of a picture, for the error.
        skip: whether to leave out the others; else they are refused.

    Raises:
        DataError: counts the pictures that cannot be read and names the first ones.
    """
    bad = [index for index, text in enumerate(said) if text]
    if bad and not (skip and len(bad) < len(said)):
        named = ", ".join(f"{name(index)} ({said[index]})" for index in bad[:NUM_NAMED])
        more = f" and {len(bad) - NUM_NAMED} more" if len(bad) > NUM_NAMED else ""
        hint = "remove them" if skip else "remove them, or leave them out with skip_unreadable=True"
        raise DataError(
            f"{len(bad)} of {len(said)} pictures cannot be read: {named}{more}; {hint}."
        )
    return np.array([index for index, text in enumerate(said) if not text], dtype=np.int64)


def _by(size: Sequence[int]) -> str:
    return f"{size[1]}x{size[0]} pixels"
