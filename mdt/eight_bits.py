"""Weights of a file in 8 bits: half the bytes of fp16, for large networks that are only run.

Each row of a matrix (each output channel of a convolution) is rounded to integers from -127 to 127
with a scale of its own [symmetric per-channel quantisation, as in Krishnamoorthi 2018].
Small and one-dimensional tensors stay in fp16. They are computed with in float32: what is saved is
room, not time.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

#: Smaller tensors are not worth it.
LEAST_NUMBERS = 4096
_STEPS = 127
_SCALE = "/scale"


def packed(tensors: Mapping[str, Tensor], least: int = LEAST_NUMBERS) -> dict[str, Tensor]:
    """Tensors for a safetensors file: int8 with "NAME/scale" beside it, or fp16.

    Args:
        tensors: of floating point.
        least: tensors of fewer numbers stay in fp16.
    """
    out: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim < 2 or tensor.numel() < least:
            out[name] = tensor.half().contiguous()
            continue
        rows = tensor.float().flatten(1)
        scale = (rows.abs().amax(1) / _STEPS).clamp(min=torch.finfo(torch.float32).tiny)
        steps = torch.round(rows / scale[:, None]).clamp(-_STEPS, _STEPS)
        out[name] = steps.to(torch.int8).view(tensor.shape).contiguous()
        out[name + _SCALE] = scale
    return out


def unpacked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The float32 tensors of what `packed` made.

    Raises:
        ValueError: an int8 tensor without its scale, or with one of another length.
    """
    out: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(_SCALE):
            continue
        value = tensor.float()
        if tensor.dtype == torch.int8:
            scale = tensors.get(name + _SCALE)
            if scale is None or scale.shape != tensor.shape[:1]:
                raise ValueError(f"{name} is in 8 bits, but its scale is missing or does not fit.")
            value = value * scale.view(-1, *[1] * (tensor.ndim - 1))
        out[name] = value
    return out
