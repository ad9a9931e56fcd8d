"""What a source of pictures is, and the error that all of them raise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class DataError(ValueError):
    """Pictures that cannot be used: which, what came, what to do."""


class Source(Protocol):
    """Pictures by number, read on demand; it can be pickled and read in several processes.

    A source may also have these; ours do where they make sense:

    - `blocks`, tuple of int: how many pictures lie together in each shard, in order, where to read
      one shard after the other is much faster than to read here and there;
    - `identity`, str: a digest of what it holds;
    - `read(index, draws)`: with a drawn crop, see `mdt.data.picture.decode`;
    - `flips`, bool: whether it may be mirrored, which is wrong where a label tells of places,
      and `read_flipped(index)`: a flipped picture that is more than its mirror.

    Attributes:
        classes: names of the classes, by label; None: the pictures have no labels.
        shape: (C, H, W) of every picture.
    """

    classes: tuple[str, ...] | None
    shape: tuple[int, int, int]

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[Array, int | None]:
        """Picture `index` and its label.

        Pictures are uint8 (H, W, 3), RGB, or (H, W, 4), RGBA with straight alpha; cached latents
        are float32 (C, h, w).

        Raises:
            DataError: the picture cannot be read; names it.
        """
        ...


def digest(*parts: bytes | str | Array | Iterable[str]) -> str:
    """The SHA-256 of several things, each told apart from the next."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            raw = part.tobytes()
        elif isinstance(part, bytes):
            raw = part
        else:
            raw = "\0".join([part] if isinstance(part, str) else part).encode()
        total.update(hashlib.sha256(raw).digest())
    return total.hexdigest()


def check_labels(labels: Array, num_classes: int, where: str) -> None:
    """Refuse labels outside the classes.

    Raises:
        DataError: names the first such label.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(wrong):
        raise DataError(
            f"{where}: picture {wrong[0]} has the label {labels[wrong[0]]}, but there are "
            f"{num_classes} classes (0 to {num_classes - 1}); read it with labels=False, or "
            "correct the labels."
        )
