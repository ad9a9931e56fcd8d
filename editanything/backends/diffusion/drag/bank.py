"""What is kept of the second picture between its pass and the edit's: tokens of its mask alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from editanything.backends.diffusion.drag.adain import Statistics
from editanything.errors import InputError


@dataclass(frozen=True, eq=False)
class Tokens:
    """What one layer's self-attention saw of the second picture.

    Attributes:
        taken: (B, n, C), normalised tokens of the n places in the mask.
        map: (B, C, h, w), all tokens, zero outside the mask.
    """

    taken: torch.Tensor
    map: torch.Tensor

    @classmethod
    def of(cls, normed: torch.Tensor, mask: torch.Tensor) -> Tokens:
        """Of a layer's tokens (B, h * w, C) and a bool mask (h, w)."""
        flat = mask.flatten()
        return cls(normed[:, flat].clone(), as_map(normed * flat[None, :, None], mask.shape))


@dataclass(eq=False)
class Bank:
    """Per layer, what the second picture left there; emptied after every step."""

    tokens: dict[torch.nn.Module, Tokens]
    statistics: dict[torch.nn.Module, Statistics]

    @classmethod
    def empty(cls) -> Bank:
        """Nothing yet."""
        return cls({}, {})

    def clear(self) -> None:
        """Forget everything."""
        self.tokens.clear()
        self.statistics.clear()


def as_map(tokens: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """(B, h * w, C) -> (B, C, h, w)."""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], *size)


def as_tokens(features: torch.Tensor) -> torch.Tensor:
    """(B, C, h, w) -> (B, h * w, C)."""
    return features.flatten(2).transpose(1, 2)


def mask_at(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A bool mask (h, w) at another size: nearest, or all that it touches where nothing is left."""
    whole = mask[None, None].float()
    near = F.interpolate(whole, size=size, mode="nearest")[0, 0] > 0.5
    if near.any() or not mask.any():
        return near
    return F.adaptive_max_pool2d(whole, size)[0, 0] > 0.5


def size_of(tokens: int, latent: tuple[int, int]) -> tuple[int, int]:
    """(h, w) of a layer with so many tokens, of latents of size `latent` halved some times.

    Raises:
        InputError: no halving has so many.
    """
    height, width = latent
    while height * width > tokens and (height > 1 or width > 1):
        height, width = -(-height // 2), -(-width // 2)
    if height * width != tokens:
        raise InputError(
            f"drag: a layer has {tokens} tokens, which is no halving of latents of "
            f"{latent[1]}x{latent[0]}; this network cannot be dragged into."
        )
    return height, width
