"""The processes that draw together; one, unless a launcher started more."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TypeVar

import numpy as np
import torch

T = TypeVar("T")


class Group:
    """The processes of this launch, each with its device; a context that ends with them.

    Args:
        device: "cpu", "cuda", ...; None: CUDA where there is one, each process its own.

    Raises:
        ValueError: a device that is not there, or a launch that cannot work.
    """

    def __init__(self, device: str | None = None) -> None:
        from mdt.launch import check_launch

        check_launch()
        self.device = _find_device(device)
        self.rank, self.world = 0, 1
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from accelerate import PartialState

            state = PartialState(cpu=self.device.type == "cpu")
            self.rank, self.world = state.process_index, state.num_processes
            self.device = state.device

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After an error the others may never come to a meeting.
        if self.world > 1 and error is None:
            from mdt.launch import part

            part()

    @property
    def main(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def agree(self, ask: Callable[[], T]) -> T:
        """What the main process finds, for all; its error too, so that all end alike.

        Raises:
            ValueError: what `ask` raised on the main process, also in place of an OSError.
        """
        if self.world == 1:
            return ask()
        from accelerate.utils import broadcast_object_list

        told: list[object] = [None, None]
        if self.main:
            try:
                told[0] = ask()
            except (ValueError, OSError) as error:
                told[1] = str(error)
        value, fault = broadcast_object_list(told)
        if fault is not None:
            raise ValueError(fault)
        return value

    def rounds(self, items: Sequence[T]) -> Iterator[tuple[list[T], T | None]]:
        """(one item for each process, fewer at the end; the own one or None), in order."""
        for first in range(0, len(items), self.world):
            some = list(items[first : first + self.world])
            yield some, some[self.rank] if self.rank < len(some) else None

    def gather(self, array: np.ndarray) -> list[np.ndarray]:
        """The arrays of all processes, of one shape, in order; all must call this."""
        if self.world == 1:
            return [array]
        from accelerate.utils import gather

        whole = gather(torch.from_numpy(array)[None].contiguous().to(self.device))
        return list(whole.cpu().numpy())


def _find_device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"There is no device {name!r}; there are cpu and cuda.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("This machine has no CUDA; use --device cpu.")
    return device
