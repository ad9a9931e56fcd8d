"""Noise from explicit generators: one for the batch, or one for each picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

Generators = torch.Generator | Sequence[torch.Generator]


def make_generators(
    seeds: Iterable[int], device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """A generator for each picture, by its seed."""
    return [torch.Generator(device).manual_seed(seed) for seed in seeds]


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
    if generator is None:
        raise ValueError("This draws noise: give generator=, one or one for each picture.")
    drawn = dtype if dtype == torch.float64 else torch.float32
    if isinstance(generator, torch.Generator):
        noise = torch.randn(tuple(shape), generator=generator, device=generator.device, dtype=drawn)
        return noise.to(device, dtype)
    if len(generator) != shape[0]:
        raise ValueError(f"There are {shape[0]} pictures and {len(generator)} generators.")
    rows = [
        torch.randn(tuple(shape[1:]), generator=g, device=g.device, dtype=drawn) for g in generator
    ]
    return torch.stack([row.to(device, dtype) for row in rows])


def noise_like(x: Tensor, generator: Generators | None) -> Tensor:
    """`draw_noise` of x's shape, place and type."""
    return draw_noise(x.shape, generator, device=x.device, dtype=x.dtype)
