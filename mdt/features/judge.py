"""The judge of drawn things: says what a picture of one thing on a plain ground shows.

Trained apart from any generator, on views of its own (`mdt.features.shown`), by
`python -m mdt.features.train configs/evaluate/judge.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mdt.features.convnet import WEIGHTS, ConvNet, open_convnet, read_card

#: Pictures that the network sees at a time: kernels round alike for one shape alone.
_NUM_ROWS = 16


@dataclass(frozen=True)
class Judge:
    """A classifier of names, with what they are.

    Attributes:
        network: that was trained to name stickers.
        names: by class.
        groups: of the names, by class: "food", "animals", ...
    """

    network: ConvNet
    names: tuple[str, ...]
    groups: tuple[str, ...]

    @torch.no_grad()
    def probabilities(self, pictures: Sequence[np.ndarray]) -> Tensor:
        """Of each name for each picture: (n, names).

        Args:
            pictures: uint8 (H, W, 3), or (H, W, 4) with straight alpha, which is put on white.
        """
        x = torch.stack([self.network.prepare(flat(picture)) for picture in pictures])
        rows = []
        for part in torch.split(x, _NUM_ROWS):
            filled = torch.cat([part, part[-1:].expand(_NUM_ROWS - len(part), -1, -1, -1)])
            found = self.network(filled).probabilities
            assert found is not None, "a judge has classes"
            rows.append(found[: len(part)])
        return torch.cat(rows)

    def accuracies(self, pictures: Sequence[np.ndarray], names: Sequence[str]) -> dict[str, float]:
        """How often the judge sees what the pictures are said to show.

        Args:
            pictures: see `probabilities`.
            names: of `self.names`, one a picture.

        Returns:
            Shares: "top1_group" (the group of the likeliest name is right), "top1_name",
            "top5_name" (the name is one of the five likeliest).

        Raises:
            ValueError: a name that the judge does not know, or another number of names.
        """
        if len(pictures) != len(names) or not len(names):
            raise ValueError(
                f"Every picture has a name; there are {len(pictures)} pictures and {len(names)} "
                "names."
            )
        number = {name: i for i, name in enumerate(self.names)}
        for name in names:
            if name not in number:
                raise ValueError(f"The judge does not know the name {name!r}.")
        true = np.array([number[name] for name in names])
        first = self.probabilities(pictures).topk(5, dim=1).indices.numpy()
        groups = np.array(self.groups)
        return {
            "top1_group": float((groups[first[:, 0]] == groups[true]).mean()),
            "top1_name": float((first[:, 0] == true).mean()),
            "top5_name": float((first == true[:, None]).any(axis=1).mean()),
        }


def flat(picture: np.ndarray) -> np.ndarray:
    """A picture without alpha: uint8 (H, W, 3); what has alpha is put on white."""
    if picture.shape[2] == 3:
        return picture
    alpha = picture[..., 3:].astype(np.float32) / 255
    out: np.ndarray = np.rint(picture[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return out


def open_judge(folder: str | Path = WEIGHTS / "judge") -> Judge:
    """The judge of a folder: judge.safetensors and judge.json, checked against its sum.

    Raises:
        ValueError: weights or card are missing, damaged, or do not fit each other.
    """
    card, network = read_card("judge", folder), open_convnet("judge", folder)
    names, groups = (tuple(card.get(key, ())) for key in ("names", "groups"))
    if not len(names) == len(groups) == network.num_classes:
        raise ValueError(
            f"The network in {folder} is no judge: its card tells {len(names)} names and "
            f"{len(groups)} groups of {network.num_classes} classes."
        )
    return Judge(network, names, groups)
