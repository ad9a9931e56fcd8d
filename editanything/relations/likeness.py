"""How alike two regions are to a network: the same question, put to whichever encoder there is.

The package's own network of words and regions answers it out of the box. Networks of transformers
(DINO, DINOv2, CLIP's vision side) answer it by their patches: a region's feature is the mean over
the patches that it covers (Amir et al. 2022 compare parts across pictures that way).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.libraries import networks
from editanything.types import RGB, Bool2D

Floats = NDArray[np.float32]


class Features(Protocol):
    """An encoder of regions."""

    def __call__(self, image: RGB, shapes: Sequence[Bool2D]) -> Floats:
        """Unit vectors (n, d), one for each of n >= 1 masks (H, W) of an image (H, W, 3)."""
        ...


def cosines(features: Features, image: RGB, shapes: Sequence[Bool2D]) -> Floats:
    """(n, n) how alike each two of n regions are, -1..1."""
    vectors = features(image, shapes)
    return np.clip(vectors @ vectors.T, -1, 1)


@dataclass(frozen=True)
class WordFeatures:
    """The network of words and regions that ships with the package.

    Attributes:
        weights: folder of another one; "": the shipped one.
    """

    weights: str = ""

    def __call__(self, image: RGB, shapes: Sequence[Bool2D]) -> Floats:
        """See `Features`."""
        vectors = _words(self.weights).regions(image, list(shapes))
        return _unit(np.asarray(vectors, np.float32))


@cache
def _words(folder: str) -> Any:
    networks()
    from mdt.features.words import open_words

    try:
        return open_words(folder) if folder else open_words()
    except ValueError as error:
        raise InputError(str(error)) from None


@dataclass
class PatchFeatures:
    """A vision transformer of transformers, such as DINOv2.

    Attributes:
        model: a `PreTrainedModel` whose last hidden state is made of patches, or a folder or a
            name on the hub, as `AutoModel.from_pretrained` takes it.
        side_px: the picture's longer side as the network sees it, a multiple of its patches.
        device: of torch.
    """

    model: Any
    side_px: int = 448
    device: str = "cpu"
    _net: Any = field(default=None, init=False, repr=False)

    def __call__(self, image: RGB, shapes: Sequence[Bool2D]) -> Floats:
        """See `Features`."""
        grid = self._patches(image)
        size = grid.shape[1], grid.shape[0]
        out = []
        for shape in shapes:
            share = cv2.resize(shape.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            share = share / max(float(share.sum()), 1e-6)
            out.append((grid * share[..., None]).sum((0, 1)))
        return _unit(np.array(out, np.float32))

    def _patches(self, image: RGB) -> Floats:
        """(rows, columns, d) of the picture's patches."""
        import torch

        net = self._opened()
        patch = int(net.config.patch_size)
        k = self.side_px / max(image.shape[:2])
        rows, columns = (max(1, round(n * k / patch)) for n in image.shape[:2])
        small = cv2.resize(image, (columns * patch, rows * patch), interpolation=cv2.INTER_AREA)
        levels = (small.astype(np.float32) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
        pixels = torch.from_numpy(levels.astype(np.float32)).permute(2, 0, 1)[None]
        with torch.no_grad():
            told = net(pixels.to(self.device), interpolate_pos_encoding=True)
        tokens = told.last_hidden_state[0].float().cpu().numpy()
        return tokens[len(tokens) - rows * columns :].reshape(rows, columns, -1)

    def _opened(self) -> Any:
        if self._net is None:
            net = self.model
            if isinstance(net, str):
                from transformers import AutoModel

                try:
                    net = AutoModel.from_pretrained(net)
                except (OSError, ValueError) as error:
                    raise InputError(f"No network of patches in {self.model!r}: {error}") from None
            self._net = net.to(self.device).eval()
        return self._net


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
