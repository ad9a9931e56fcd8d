"""The small network that says which pixels a thing shades or is mirrored in.

A U-Net of 0.28 million weights, trained by benchmarks/relations_train.py on scenes whose truth is
known, over the planes of clues.py. It is run here by matrix products alone, so that a removal does
not wait for torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MULTIPLE = 16  # of pixels, that the network's levels need
_GRAIN = 64.0  # logits are rounded to 1/64, so that no machine's last bit decides


@cache
def weights() -> Mapping[str, Floats]:
    """The tensors that ship with the package."""
    import mdt

    return opened(Path(mdt.__file__).parent / "weights" / "effects" / "effects.safetensors")


def opened(path: Path) -> Mapping[str, Floats]:
    """The tensors of a file, as float32."""
    from safetensors.numpy import load_file

    return {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}


def run(planes: Floats, net: Mapping[str, Floats] | None = None) -> Floats:
    """Logits (2, h, w) of "shaded by the thing" and "the thing is mirrored here".

    Args:
        planes: (n, h, w) of `clues`.
        net: tensors; None: those of the package.
    """
    net = weights() if net is None else net
    height, width = planes.shape[1:]
    more = -height % _MULTIPLE, -width % _MULTIPLE
    x = np.pad(planes, ((0, 0), (0, more[0]), (0, more[1])))
    levels = 1 + sum(name.startswith("mix.") and name.endswith(".weight") for name in net)
    kept = []
    for i in range(levels):
        x = _relu(_convolved(x, net, f"down.{i}", stride=1 if i == 0 else 2))
        if i:
            x = _relu(x + _convolved(x, net, f"mix.{i - 1}"))
        kept.append(x)
    for i, side in enumerate(kept[-2::-1]):
        x = np.concatenate([x.repeat(2, 1).repeat(2, 2), side])
        x = _relu(_convolved(x, net, f"up.{i}"))
    logits = _convolved(x, net, "out")[:, :height, :width]
    return (np.round(logits * _GRAIN) / _GRAIN).astype(np.float32)


def _convolved(x: Floats, net: Mapping[str, Floats], name: str, stride: int = 1) -> Floats:
    """A 3 x 3 convolution of (c, h, w) with a rim of zeros."""
    kernel, bias = net[f"{name}.weight"], net[f"{name}.bias"]
    rim = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(rim, (3, 3), (1, 2))[:, ::stride, ::stride]
    height, width = windows.shape[1:3]
    columns = np.ascontiguousarray(windows.transpose(0, 3, 4, 1, 2)).reshape(-1, height * width)
    out = kernel.reshape(len(kernel), -1) @ columns + bias[:, None]
    return out.reshape(-1, height, width)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)
