"""Devices without float64 (Apple's): the one place that knows which, and what is done there."""

from __future__ import annotations

import torch
from torch import Tensor

#: Types of devices on which a float64 tensor cannot lie.
WITHOUT_FLOAT64 = {"mps"}


def widest(device: torch.device) -> torch.dtype:
    """The widest type that the device has: float64, or float32."""
    return torch.float32 if device.type in WITHOUT_FLOAT64 else torch.float64


def move(x: Tensor, device: torch.device) -> Tensor:
    """`x` on the device; float64 becomes float32 where there is none."""
    # Two steps: a copy that also changes the type would do so on either side.
    return (x.to(widest(device)) if x.dtype == torch.float64 else x).to(device)


def home_of_sums(device: torch.device) -> torch.device:
    """Where float64 sums of what the device finds are kept: there, or on the CPU."""
    return torch.device("cpu") if device.type in WITHOUT_FLOAT64 else device
