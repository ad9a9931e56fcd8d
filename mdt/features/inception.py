"""The Inception v3 of the FID, with its published weights from a file of the user's.

The architecture is torchvision's with three pooling layers changed to what the TensorFlow graph of
2015 does; the weights are those that circulate as `pt_inception-2015-12-05`. Distances in these
features are comparable with published ones; nothing is downloaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import inception as tv

from mdt.checkpoint import read_tensors
from mdt.features.base import Features

_SIDE_PX = 299
_NUM_CLASSES = 1008
#: As in ADM's evaluator: so many channels of the 17x17 map are the spatial features (2023 values).
_SPATIAL_CHANNELS = 7


def _average(x: Tensor) -> Tensor:
    """What lies outside the map does not count: at the edge it is the mean of fewer values."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    """The graph of 2015 takes the maximum, in its last block alone."""
    return F.max_pool2d(x, 3, stride=1, padding=1)


def _pooling(kind: Any, pool: Callable[[Tensor], Tensor]) -> Any:
    """A block of torchvision's with another pooling in its last branch."""

    def forward(self: Any, x: Tensor) -> list[Tensor]:
        return [*kind._forward(self, x)[:-1], self.branch_pool(pool(x))]  # noqa: SLF001

    return type(kind.__name__, (kind,), {"_forward": forward})


class Inception(nn.Module):
    """Picture (b, 3, 299, 299) in [-1, 1] -> pooled (b, 2048), spatial (b, 2023), classes (1008).

    The class probabilities leave out the last layer's bias, as the published Inception scores do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.name, self.sha256 = "inception", ""
        blocks = [tv.BasicConv2d, _pooling(tv.InceptionA, _average), tv.InceptionB]
        blocks += [_pooling(tv.InceptionC, _average), tv.InceptionD]
        blocks += [_pooling(tv.InceptionE, _average), tv.InceptionAux]
        net: Any = tv.Inception3(
            _NUM_CLASSES, aux_logits=False, init_weights=False, inception_blocks=blocks
        )
        net.Mixed_7c = _pooling(tv.InceptionE, _maximum)(2048)
        self.net = net

    def forward(self, x: Tensor) -> Features:
        """See the class."""
        net, spatial = self.net, x
        for name, layer in net.named_children():
            if name == "avgpool":
                break
            x = layer(x)
            if name == "Mixed_6d":
                spatial = x[:, :_SPATIAL_CHANNELS].flatten(1)
        pooled = x.mean((2, 3))
        return Features(pooled, spatial, F.linear(pooled, net.fc.weight).softmax(1))

    def prepare(self, picture: np.ndarray) -> Tensor:
        """RGB uint8 (H, W, 3) of any size -> (3, 299, 299) in [-1, 1].

        Bilinear as TensorFlow 1 did it: sample i is at i * H / 299, without antialiasing. The
        published numbers were made so; they would change with a better resize.
        """
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()
        x = _stretch(_stretch(x).transpose(1, 2)).transpose(1, 2)
        return (x - 128) / 128


def open_inception(weights: str | Path | None = None) -> Inception:
    """The network with published weights (.pth or .safetensors), in eval().

    Raises:
        ValueError: no file named, or one that is missing, damaged or of another network.
    """
    if weights is None:
        raise ValueError(
            "The features 'inception' need the published weights, which do not ship with this "
            "package: name their file (pt_inception-2015-12-05) with --weights."
        )
    state = read_tensors(weights)
    with torch.device("meta"):  # fresh weights would be drawn from the global generator
        network = Inception()
    try:
        network.net.load_state_dict(
            {key: value.float() for key, value in state.items()}, strict=True, assign=True
        )
    except RuntimeError as error:
        first = " ".join(str(error).split())[:160]
        raise ValueError(
            f"{weights} holds no Inception v3 of {_NUM_CLASSES} classes in torchvision's layout: "
            f"{first} ..."
        ) from None
    with Path(weights).open("rb") as file:
        network.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return network.eval().requires_grad_(False)


def _stretch(x: Tensor) -> Tensor:
    """(c, n, m) -> (c, 299, m), by the rule in `Inception.prepare`."""
    n = x.shape[1]
    place = torch.arange(_SIDE_PX, dtype=torch.float32) * (n / _SIDE_PX)
    above = place.floor().long()
    below = (above + 1).clamp(max=n - 1)
    return torch.lerp(x[:, above], x[:, below], (place - above)[:, None])
