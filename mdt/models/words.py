"""Regions and words in one space: how well any words name a region of a picture.

Two towers [Radford et al. 2021, CLIP], compared by a sigmoid each [Zhai et al. 2023, SigLIP], not
by a softmax: "none of these" must be an answer. Words come as the hashes of `mdt.words`, so any
word has a place, near those that it is spelled like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from mdt.draws import Generators
from mdt.models.network import saved_settings


class WordRegions(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Regions (B, 4, h, w) and phrases (N, K) -> (B, N) logits that they belong together.

    The ids are those of `mdt.words.phrase_ids`, in any number K.

    Args:
        in_channels: 4: RGB in [-1, 1], and the region as -1 and 1.
        input_size: side of the crops in pixels, a multiple of 16.
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of the side.
        buckets: rows of the table of word ids.
        word_width: of a row.
        width: of the common space.
    """

    config_name = "config.json"
    _supports_gradient_checkpointing = False

    @saved_settings
    def __init__(
        self,
        in_channels: int = 4,
        input_size: int = 64,  # noqa: ARG002 (kept in the config)
        widths: tuple[int, ...] = (32, 64, 112, 192),
        buckets: int = 16384,
        word_width: int = 64,
        width: int = 128,
    ) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.stem = _Convolution(in_channels, widths[0], stride=2)
        self.down = nn.ModuleList(_Convolution(a, b, stride=2) for a, b in pairs)
        self.same = nn.ModuleList(_Convolution(b, b) for _, b in pairs)
        self.see = nn.Sequential(nn.LayerNorm(2 * widths[-1]), nn.Linear(2 * widths[-1], width))
        self.table = nn.Embedding(buckets, word_width, padding_idx=0)
        self.read = nn.Sequential(
            nn.LayerNorm(word_width),
            nn.Linear(word_width, width),
            nn.GELU(),
            nn.Linear(width, width),
        )
        self.scale = nn.Parameter(torch.tensor(10.0).log())  # as SigLIP begins
        self.bias = nn.Parameter(torch.tensor(-10.0))

    def depth_blocks(self) -> dict[str, nn.Module]:
        """Its stages, for sharding."""
        return {f"down{i}": block for i, block in enumerate(self.down)}

    def regions(self, x: Tensor) -> Tensor:
        """(B, 4, h, w) -> (B, width), of length one."""
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for down, same in zip(self.down, self.same, strict=True):
            x = down(x)
            x = x + same(x)
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return F.normalize(self.see(pooled.float()).float(), dim=1)

    def phrases(self, ids: Tensor) -> Tensor:
        """(N, K) int64 -> (N, width), of length one."""
        rows = self.table(ids).float()
        count = (ids != 0).sum(1, keepdim=True).clamp(min=1)
        return F.normalize(self.read(rows.sum(1) / count.sqrt()).float(), dim=1)

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        """See the class."""
        return self.compare(self.regions(x), self.phrases(ids))

    def compare(self, regions: Tensor, phrases: Tensor) -> Tensor:
        """What `regions` and `phrases` gave -> (B, N) logits."""
        return self.scale.exp() * regions @ phrases.T + self.bias


class _Convolution(nn.Module):
    """Convolution, group norm, SiLU."""

    def __init__(self, narrow: int, wide: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(narrow, wide, 3, stride, padding=1, bias=False)
        self.norm = nn.GroupNorm(max(1, wide // 16), wide)

    def forward(self, x: Tensor) -> Tensor:
        """(B, narrow, h, w) -> (B, wide, h / stride, w / stride)."""
        return F.silu(self.norm(self.conv(x)))


@dataclass(frozen=True)
class WordsObjective:
    """Every region of the batch against every phrase of the batch, a sigmoid each.

    A phrase is true for a region if it is among all that the region may be called, whichever
    region of the batch it came with. `label` is what `mdt.data.stickers.crops` gives.

    Attributes:
        name_weight: of a cross entropy of each thing's name among it and all phrases that are not
            true of the thing: to be the likeliest is learned sooner than to be likely.
    """

    name_weight: float = 0.0
    num_passes: int = 1
    mask_ratio: None = None

    def passes(
        self, model: Any, x0: Tensor, label: Any = None, *, generator: Generators
    ) -> Iterator[dict[str, Tensor]]:
        """One pass: "loss" (B,), "mse" (B,), the share of errors, and "u", zeros."""
        del generator
        if label is None:
            raise ValueError("Words are learned from crops with words: use data.name=crops.")
        called, texts = label[:, :2].flatten(1), label[:, 2:].flatten(0, 1)
        keys, first = _unique(texts[:, 0])
        logits = model(x0, texts[first, 1:]).float()
        true = (called[:, :, None] == keys).any(1)
        loss = F.softplus(torch.where(true, -logits, logits)).sum(1)
        if self.name_weight:
            loss = loss + self.name_weight * _misnamed(logits, true, keys == called[:, :1])
        wrong = ((logits > 0) != true).float().mean(1)
        yield {"loss": loss, "mse": wrong, "u": torch.zeros(len(x0), device=x0.device)}


def _misnamed(logits: Tensor, true: Tensor, own: Tensor) -> Tensor:
    """(B,) cross entropy of each region's name among it and all that is not true of the region.

    0 for regions that are no thing.

    Args:
        logits: (B, N).
        true: (B, N) which phrases are.
        own: (B, N) which phrase is the name, if any.
    """
    rivals = logits.masked_fill(true & ~own, -torch.inf)
    mine = torch.where(own, logits, 0).sum(1)
    return torch.where(own.any(1), rivals.logsumexp(1) - mine, 0)


def _unique(keys: Tensor) -> tuple[Tensor, Tensor]:
    """The keys without doubles and padding (0), and where each first is."""
    found, inverse = torch.unique(keys, return_inverse=True)
    places = torch.arange(len(keys), device=keys.device)
    first = torch.full_like(found, len(keys)).scatter_reduce(0, inverse, places, "amin")
    return found[found != 0], first[found != 0]
