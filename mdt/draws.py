"""Randomness as an argument: one generator for the batch, or one for each picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
import torch
from torch import Tensor

Generators = torch.Generator | Sequence[torch.Generator]


def make_generators(
    seeds: Iterable[int], device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """A generator for each picture, by its seed."""
    return [torch.Generator(device).manual_seed(seed) for seed in seeds]


class StepGenerators(Sequence[torch.Generator]):
    """The generators of a training step: one for each picture, and one that all of it shares.

    What a picture draws depends on (seed, step, its row in the whole batch) alone, so it does not
    depend on how the batch is cut into processes and micro-batches, and nothing has to be saved
    to go on after a stop.

    Args:
        seed: of the run; any whole numbers.
        step: counts from 0.
        rows: of the whole batch, which of its pictures are here.
        total: pictures of the whole batch.
    """

    def __init__(self, seed: Sequence[int], step: int, rows: range, total: int) -> None:
        self.rows, self.total = rows, total
        self.shared = _generator(*seed, step)
        self._each = [_generator(*seed, step, 1 + row) for row in rows]

    def __len__(self) -> int:
        return len(self._each)

    @overload
    def __getitem__(self, index: int) -> torch.Generator: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[torch.Generator]: ...
    def __getitem__(self, index: int | slice) -> torch.Generator | Sequence[torch.Generator]:
        """The generator of a picture, counted from the first one here."""
        return self._each[index]


def _generator(*key: int) -> torch.Generator:
    (seed,) = np.random.SeedSequence(key).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed) >> 1)


def shared(generator: Generators) -> torch.Generator:
    """The generator for what is drawn once a step."""
    if isinstance(generator, StepGenerators):
        return generator.shared
    return generator if isinstance(generator, torch.Generator) else generator[0]


def draw_noise(
    shape: Sequence[int],
    generator: Generators | None,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Standard normal noise of the shape (B, ...), drawn where the generators live.

    Args:
        shape: (B, ...).
        generator: one for the batch, or a sequence with one for each picture.
        device: where the noise shall be.
        dtype: its type; half types are drawn in float32.

    Raises:
        ValueError: no generator, or as many as do not fit.
    """
    drawn = dtype if dtype == torch.float64 else torch.float32
    return _draw(torch.randn, shape, generator, drawn).to(device, dtype)


def draw_uniform(
    shape: Sequence[int], generator: Generators | None, *, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Numbers in [0, 1) of the shape (B, ...), where the generators live; see `draw_noise`."""
    return _draw(torch.rand, shape, generator, dtype)


def noise_like(x: Tensor, generator: Generators | None) -> Tensor:
    """`draw_noise` of x's shape, place and type."""
    return draw_noise(x.shape, generator, device=x.device, dtype=x.dtype)


def _draw(
    law: object, shape: Sequence[int], generator: Generators | None, dtype: torch.dtype
) -> Tensor:
    assert callable(law)
    if generator is None:
        raise ValueError("This draws noise: give generator=, one or one for each picture.")
    if isinstance(generator, torch.Generator):
        return law(tuple(shape), generator=generator, device=generator.device, dtype=dtype)
    if len(generator) != shape[0]:
        raise ValueError(f"There are {shape[0]} pictures and {len(generator)} generators.")
    rows = [law(tuple(shape[1:]), generator=g, device=g.device, dtype=dtype) for g in generator]
    return torch.stack(rows)
