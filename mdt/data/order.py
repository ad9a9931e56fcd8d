"""Which picture comes when: a pure function of the seed and the position in the stream.

Every epoch is a permutation drawn from (seed, epoch), so that to resume one needs only a count,
and so that what is drawn does not depend on how many processes share the work.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: What a draw is for; draws for different things are independent.
_ORDER, _PICTURE = 0, 1


def picture(
    length: int,
    seed: int,
    position: int,
    *,
    shuffle: bool = True,
    blocks: tuple[int, ...] | None = None,
) -> tuple[int, int]:
    """The picture at a position of the endless stream.

    Args:
        length: number of pictures.
        seed: of the order.
        position: 0, 1, 2, …: pictures seen before this one.
        shuffle: whether epochs are permutations; else every epoch is 0 … length - 1.
        blocks: sizes of shards that lie one after the other. The shards are then taken in drawn
            order, one at a time, and the pictures in each in drawn order.

    Returns:
        (index, epoch)
    """
    epoch, place = divmod(position, length)
    if not shuffle:
        return place, epoch
    return int(_permutation(length, seed, epoch, blocks)[place]), epoch


def uniform(seed: int, position: int, count: int) -> list[float]:
    """Numbers in [0, 1) for the picture at a position: its flip, its crop."""
    words = _words(count, seed, _PICTURE, position)
    return [(int(word) >> 11) * 2.0**-53 for word in words]


@lru_cache(maxsize=3)  # a batch may reach from one epoch into the next
def _permutation(
    length: int, seed: int, epoch: int, blocks: tuple[int, ...] | None
) -> NDArray[np.int64]:
    if blocks is None:
        return np.argsort(_words(length, seed, _ORDER, epoch), kind="stable")
    assert sum(blocks) == length, "blocks are the sizes of all shards"
    words = _words(length + len(blocks), seed, _ORDER, epoch)
    turn = np.repeat(words[length:], blocks)
    block = np.repeat(np.arange(len(blocks)), blocks)
    return np.lexsort((words[:length], block, turn))


def _words(count: int, *key: int) -> NDArray[np.uint64]:
    """Random 64-bit words; unlike the methods of Generator, NumPy promises to keep this stream."""
    return np.random.PCG64(np.random.SeedSequence(key)).random_raw(count)
