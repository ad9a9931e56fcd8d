"""The small network that says which pixels a thing shades or is mirrored in.

A U-Net of a million weights, trained by benchmarks/relations_train.py on scenes whose truth is
known, over the planes of clues.py. It is run here by matrix products alone, so that a removal does
not wait for torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.relations.clues import PLANES

Floats = NDArray[np.float32]
Net = Mapping[str, Floats]

_GRAIN = 64.0  # logits are rounded to 1/64, so that no machine's last bit decides
_INSIDE = PLANES.index("inside")


@dataclass(frozen=True, eq=False)
class Told:
    """What the network says of a thing; first of shadows, second of mirror images.

    Attributes:
        pixels: (2, h, w) logits of "shaded by the thing" and "the thing is mirrored here".
        there: (2,) logits of "it casts a shadow" and "it is mirrored".
    """

    pixels: Floats
    there: Floats


@cache
def weights(look: str = "first") -> Net:
    """The tensors that ship with the package, for the "first" look at a thing, or to look "again".

    Raises:
        InputError: the file is missing, or not the one that its card knows.
    """
    import mdt

    place = Path(mdt.__file__).parent / "weights" / "effects" / f"{look}.safetensors"
    try:
        card = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        content = place.read_bytes()
    except (OSError, ValueError):
        raise InputError(
            f"The network of shadows in {place} is missing or its card is damaged; install the "
            "package again."
        ) from None
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise InputError(
            f"The network of shadows in {place} is damaged: it is not what its card says; install "
            "the package again."
        )
    return opened(place)


def opened(path: Path) -> Net:
    """The tensors of a file, as float32."""
    from safetensors.numpy import load_file

    return {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}


def run(planes: Floats, net: Net | None = None) -> Told:
    """What the network says.

    Args:
        planes: (n, h, w) of `clues`.
        net: tensors; None: those of the package.
    """
    net = weights() if net is None else net
    height, width = planes.shape[1:]
    levels = sum(name.startswith("down.") and name.endswith(".weight") for name in net)
    side = 2 ** (levels - 1)
    x = np.pad(planes, ((0, 0), (0, -height % side), (0, -width % side)))
    inside = _means(x[_INSIDE], side)
    kept = []
    for i in range(levels):
        x = _relu(_halved(x, net, f"down.{i}") if i else _convolved(x, net, f"down.{i}"))
        k = 0
        while f"mix.{i}.{k}.weight" in net:
            x = _relu(x + _convolved(x, net, f"mix.{i}.{k}"))
            k += 1
        kept.append(x)
    there = _whether(x * inside, inside, net)
    for i, beside in enumerate(kept[-2::-1]):
        x = np.concatenate([x.repeat(2, 1).repeat(2, 2), beside])
        x = _relu(_convolved(x, net, f"up.{i}"))
    pixels = _convolved(x, net, "out")[:, :height, :width]
    return Told(_rounded(pixels), _rounded(there))


def _whether(deep: Floats, inside: Floats, net: Net) -> Floats:
    """(2,) from the mean and the most of the deepest features (c, h, w)."""
    mean = deep.sum((1, 2)) / max(float(inside.sum()), 1e-3)
    both = np.concatenate([mean, deep.max((1, 2))])
    return np.asarray(net["there.weight"] @ both + net["there.bias"], np.float32)


def _means(plane: Floats, side: int) -> Floats:
    height, width = plane.shape
    return plane.reshape(height // side, side, width // side, side).mean((1, 3))


def _convolved(x: Floats, net: Net, name: str) -> Floats:
    """A 3 x 3 convolution of (c, h, w) with a rim of zeros.

    Nine products with the plane, shifted: in rows that lie one behind the other, with a rim, each
    shift is the same memory from another place on, so nothing is copied.
    """
    kernel, bias = net[f"{name}.weight"], net[f"{name}.bias"]
    channels, height, width = x.shape
    row = width + 2
    rim = np.zeros((channels, height + 3, row), np.float32)
    rim[:, 1 : height + 1, 1 : width + 1] = x
    flat = rim.reshape(channels, -1)
    out = np.repeat(bias[:, None], height * row, 1)
    for dy in range(3):
        for dx in range(3):
            at = dy * row + dx
            taps = np.ascontiguousarray(kernel[:, :, dy, dx])
            out += taps @ flat[:, at : at + height * row]
    return out.reshape(-1, height, row)[:, :, :width]


def _halved(x: Floats, net: Net, name: str) -> Floats:
    """The same with a stride of 2."""
    kernel, bias = net[f"{name}.weight"], net[f"{name}.bias"]
    rim = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(rim, (3, 3), (1, 2))[:, ::2, ::2]
    height, width = windows.shape[1:3]
    columns = np.ascontiguousarray(windows.transpose(0, 3, 4, 1, 2)).reshape(-1, height * width)
    out = kernel.reshape(len(kernel), -1) @ columns + bias[:, None]
    return out.reshape(-1, height, width)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


def _rounded(logits: Floats) -> Floats:
    return (np.round(logits * _GRAIN) / _GRAIN).astype(np.float32)
