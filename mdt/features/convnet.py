"""A small convolutional network whose inner values describe a picture: our own feature network.

Trained by `python -m mdt.features.train`; its weights ship with the package, each with a card.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional as F

from mdt.features.base import Features

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
#: Channels of the middle map that become spatial features.
_SPATIAL_CHANNELS = 16


class ConvNet(nn.Module):
    """Four stages, each halving the side (but the first) and ending in a residual convolution.

    Picture (b, 3, side_px, side_px) in [-1, 1] -> Features: the average of the last map, 16
    channels of the 8x8 map, and class probabilities where it has classes.

    Args:
        widths: channels of the stages, at sides 32, 16, 8 and 4.
        num_classes: 0: no classifier.
        side_px: of the pictures, 32 or more; where it is 64 or more, the first convolution halves
            it, so that the stages cost what they cost at half the side.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        num_classes: int = 10,
        side_px: int = 32,
    ) -> None:
        super().__init__()
        self.widths, self.num_classes, self.side_px = tuple(widths), num_classes, side_px
        self.name, self.sha256 = "convnet", ""
        first, *others = widths
        self.stem = _convolution(3, first, stride=1 if side_px < 64 else 2)
        pairs = list(zip(widths, others, strict=False))
        self.down = nn.ModuleList(_convolution(narrow, wide, stride=2) for narrow, wide in pairs)
        self.same = nn.ModuleList(_convolution(wide, wide) for _, wide in pairs)
        self.head = nn.Linear(widths[-1], num_classes) if num_classes else None

    def maps(self, x: Tensor) -> list[Tensor]:
        """The map after every stage, largest first."""
        x = self.stem(x)
        found = [x]
        for down, same in zip(self.down, self.same, strict=True):
            x = down(x)
            x = x + same(x)
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Features:
        """See the class."""
        maps = self.maps(x)
        pooled = maps[-1].mean((2, 3))
        chosen = next(m for m in maps if m.shape[-1] <= 8)
        spatial = chosen[:, :_SPATIAL_CHANNELS].flatten(1)
        probabilities = None if self.head is None else self.head(pooled).softmax(1)
        return Features(pooled, spatial, probabilities)

    def prepare(self, picture: np.ndarray) -> Tensor:
        """RGB uint8 (H, W, 3), any size -> (3, side_px, side_px) in [-1, 1], with antialiasing."""
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()
        side = (self.side_px, self.side_px)
        if x.shape[1:] != side:
            x = F.interpolate(x[None], side, mode="bicubic", antialias=True)[0].clamp(0, 255)
        return x / 127.5 - 1


def open_convnet(name: str = "features-cifar", folder: str | Path = WEIGHTS) -> ConvNet:
    """A network that `mdt.features.train` wrote, in eval(), checked against the sum in its card.

    Raises:
        ValueError: weights or card are missing, damaged, or do not fit each other.
    """
    path, card = Path(folder) / f"{name}.safetensors", read_card(name, folder)
    content = read_weights(path, card, f"The feature network's weights {path}", _again(folder))
    try:
        with torch.device("meta"):  # fresh weights would be drawn from the global generator
            network = ConvNet(tuple(card["widths"]), card["num_classes"], card.get("side_px", 32))
        weights = {key: value.float() for key, value in load(content).items()}
        network.load_state_dict(weights, strict=True, assign=True)
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        first = " ".join(str(error).split())[:200]
        raise ValueError(f"The feature network {path} does not fit its card: {first}") from None
    network.name, network.sha256 = name, card["sha256"]
    return network.eval().requires_grad_(False)


def read_card(name: str, folder: str | Path = WEIGHTS) -> dict[str, Any]:
    """What stands beside the weights: sizes, data, recipe, scores, SHA-256.

    Raises:
        ValueError: it is missing or cannot be read.
    """
    path = Path(folder) / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        card = None
    if isinstance(card, dict):
        return card
    raise ValueError(f"The card {path} is missing or damaged; {_again(folder)}.")


def read_weights(path: Path, card: dict[str, Any], which: str, again: str) -> bytes:
    """The bytes of a file of weights, checked against the sum in its card.

    Args:
        path: of the file.
        card: what stands beside it, with "sha256".
        which: begins the sentence of an error: "The feature network's weights ...".
        again: ends it, with what to do.

    Raises:
        ValueError: the file is missing or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise ValueError(f"{which} are missing; {again}.") from None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != card.get("sha256"):
        raise ValueError(
            f"{which} are damaged: their SHA-256 begins {sha256[:12]}, their card says "
            f"{str(card.get('sha256'))[:12]}; {again}."
        )
    return content


def _again(folder: str | Path) -> str:
    own = Path(folder).resolve() == WEIGHTS
    return "install the package again" if own else "train it again"


def _convolution(narrow: int, wide: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, wide, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(wide),
        nn.ReLU(inplace=True),
    )
