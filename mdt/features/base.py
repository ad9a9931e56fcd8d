"""What a feature network is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from torch import Tensor


class Features(NamedTuple):
    """What a feature network says of b pictures, float32; None: it does not say."""

    pooled: Tensor  # (b, d): what is in the picture
    spatial: Tensor | None = None  # (b, s): and where
    probabilities: Tensor | None = None  # (b, classes)


class FeatureNetwork(Protocol):
    """Anything that turns pictures into features; a `torch.nn.Module` in eval() as a rule."""

    @property
    def name(self) -> str:
        """To be read by people."""

    @property
    def sha256(self) -> str:
        """Of the weights: features of other weights are never compared."""

    def prepare(self, picture: np.ndarray) -> Tensor:
        """One RGB uint8 picture (H, W, 3) of any size -> what the network takes (3, h, w)."""

    def __call__(self, x: Tensor) -> Features:
        """A batch of what `prepare` gives, (b, 3, h, w) -> features."""
