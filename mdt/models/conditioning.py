"""What a network is told: the time, and a class, a text or nothing."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mdt.draws import Generators, draw_uniform


class Text(NamedTuple):
    """A text as its encoder gives it. A row whose `mask` is all False means: no text."""

    tokens: Tensor  # (B, L, E)
    pooled: Tensor  # (B, P)
    mask: Tensor  # (B, L) bool, True at tokens, False at padding


#: (B,) int64 classes; (B, L, K) int64 ids of hashed words (`mdt.words`); a text as an encoder gives
#: it; or unconditional.
Label = Tensor | Text | None


def timestep_features(t: Tensor, dim: int, max_period: float = 10000.0) -> Tensor:
    """[cos(t·f), sin(t·f)] with f falling geometrically from 1 to 1/max_period; (B, dim) float32.

    Args:
        t: (B,) times, 0 to 999 where the network was trained on the published schedule.
        dim: number of features, even.
        max_period: longest period over 2π.
    """
    half = dim // 2
    steps = torch.arange(half, dtype=torch.float32, device=t.device)
    angles = t.float()[:, None] * torch.exp(-math.log(max_period) * steps / half)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class TimestepEmbedder(nn.Module):
    """Time -> (B, width): 256 sinusoids, then two linear layers."""

    def __init__(self, width: int, num_features: int = 256) -> None:
        super().__init__()
        self.num_features = num_features
        self.mlp = nn.Sequential(nn.Linear(num_features, width), nn.SiLU(), nn.Linear(width, width))

    def reset_parameters(self) -> None:
        """As published: normal weights of spread 0.02."""
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, t: Tensor) -> Tensor:
        """Embed the times (B,)."""
        features = timestep_features(t, self.num_features)
        return self.mlp(features.to(next(self.mlp.parameters()).dtype))


class LabelEmbedder(nn.Module):
    """Class -> (B, width); the row after the last class is the null class of guidance."""

    def __init__(self, num_classes: int, width: int, *, null_class: bool = True) -> None:
        super().__init__()
        self.num_classes, self.null_class = num_classes, null_class
        self.embedding_table = nn.Embedding(num_classes + null_class, width)

    def reset_parameters(self) -> None:
        """As published: a normal of spread 0.02."""
        nn.init.normal_(self.embedding_table.weight, std=0.02)

    def forward(self, label: Tensor) -> Tensor:
        """Embed the classes (B,).

        Raises:
            ValueError: a class that the table does not have.
        """
        rows = self.num_classes + self.null_class
        if label.device.type == "cpu" and not torch.compiler.is_compiling() and label.numel():
            low, high = int(label.min()), int(label.max())
            if low < 0 or high >= rows:
                null = f" (or {self.num_classes} for none)" if self.null_class else ""
                raise ValueError(
                    f"There is no class {low if low < 0 else high}; this model knows 0 to "
                    f"{self.num_classes - 1}{null}."
                )
        return self.embedding_table(label)


class TextEmbedder(nn.Module):
    """Text -> (its tokens at the network's width, a vector to add to the time's).

    A text that is absent is replaced by a learned token and a learned vector.
    """

    def __init__(self, token_dim: int, pooled_dim: int, width: int) -> None:
        super().__init__()
        self.token_proj = nn.Linear(token_dim, width)
        self.pooled_proj = nn.Linear(pooled_dim, width)
        self.null_token = nn.Parameter(torch.zeros(1, 1, width))
        self.null_pooled = nn.Parameter(torch.zeros(1, width))

    def reset_parameters(self) -> None:
        """Small normal weights, so that the text starts as a whisper."""
        for layer in (self.token_proj, self.pooled_proj):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.null_token, std=0.02)
        nn.init.normal_(self.null_pooled, std=0.02)

    def forward(self, text: Text) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, width) tokens, (B, width) vector, (B, L) bool: True where nothing is to be seen.

        Raises:
            ValueError: widths that differ from the encoder this network was made for.
        """
        self._check(text)
        absent = ~text.mask.any(dim=1)  # B
        tokens = torch.where(absent[:, None, None], self.null_token, self.token_proj(text.tokens))
        pooled = torch.where(absent[:, None], self.null_pooled, self.pooled_proj(text.pooled))
        blocked = ~text.mask
        blocked = torch.cat([blocked[:, :1] & ~absent[:, None], blocked[:, 1:]], dim=1)
        return tokens, pooled, blocked

    def _check(self, text: Text) -> None:
        wanted = self.token_proj.in_features, self.pooled_proj.in_features
        came = text.tokens.shape[-1], text.pooled.shape[-1]
        if wanted != came:
            raise ValueError(
                f"This model reads text tokens of width {wanted[0]} and a pooled vector of width "
                f"{wanted[1]}; got {came[0]} and {came[1]}."
            )
        if text.mask.dtype != torch.bool or text.mask.shape != text.tokens.shape[:2]:
            raise ValueError(
                f"The text's mask must be bool {tuple(text.tokens.shape[:2])}; got "
                f"{str(text.mask.dtype).removeprefix('torch.')} {tuple(text.mask.shape)}."
            )


class WordEmbedder(nn.Module):
    """Hashed words -> (tokens at the network's width, a vector to add to the time's).

    A token is the sum of learned vectors of its ids, the word's own and those of its parts, over
    the root of their number [Bojanowski et al. 2017]. Row 0 of the ids is the whole phrase, which
    the vector knows apart from the mean of the words.

    Args:
        num_words: ids, 0 (padding) among them.
        dim: of an id's vector.
        width: of the network.
    """

    def __init__(self, num_words: int, dim: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_words, dim)
        self.token_proj = nn.Linear(dim, width)
        self.pooled_proj = nn.Sequential(
            nn.Linear(2 * dim, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.null_token = nn.Parameter(torch.zeros(1, 1, width))
        self.null_pooled = nn.Parameter(torch.zeros(1, width))

    def reset_parameters(self) -> None:
        """Ids of unit length, so that words differ from the start."""
        nn.init.normal_(self.table.weight, std=self.table.embedding_dim**-0.5)
        for parameter in (self.null_token, self.null_pooled):
            nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, K) int64 -> as `TextEmbedder`; a row of zeros alone is padding.

        Raises:
            ValueError: ids that the table does not have.
        """
        if ids.device.type == "cpu" and not torch.compiler.is_compiling() and ids.numel():
            low, high = int(ids.min()), int(ids.max())
            if low < 0 or high >= self.table.num_embeddings:
                raise ValueError(
                    f"Words have ids from 0 up to, but not including, {self.table.num_embeddings}; "
                    f"got {low if low < 0 else high}."
                )
        there = ids > 0
        vectors = (self.table(ids) * there[..., None]).sum(2)
        vectors = vectors / there.sum(2).clamp(min=1).sqrt()[..., None]
        known = there.any(2)  # (B, L)
        absent = ~known.any(1)
        words = vectors[:, 1:].sum(1) / known[:, 1:].sum(1).clamp(min=1)[:, None]
        pooled = self.pooled_proj(torch.cat([vectors[:, 0], words], dim=-1))
        tokens = torch.where(absent[:, None, None], self.null_token, self.token_proj(vectors))
        pooled = torch.where(absent[:, None], self.null_pooled, pooled)
        blocked = torch.cat([~known[:, :1] & ~absent[:, None], ~known[:, 1:]], dim=1)
        return tokens, pooled, blocked


def drop_label(
    label: Label, null: Label, probability: float, generator: Generators | None = None
) -> Label:
    """Replace each image's label by the null label with some probability (published: 0.1).

    Args:
        label: the labels.
        null: the null labels of the same shape, `model.null_label(label)`.
        probability: share to drop.
        generator: source of randomness, on the labels' device or on CPU; one or one for each.
    """
    if label is None or null is None or probability == 0:
        return label
    first = label.tokens if isinstance(label, Text) else label
    if generator is None:
        draws = torch.rand(len(first), device=first.device)
    else:
        draws = draw_uniform((len(first),), generator).to(first.device)
    drop = draws < probability
    if isinstance(label, Text):
        assert isinstance(null, Text), "the null of a text is a text"
        pairs = zip(label, null, strict=True)
        return Text(*(torch.where(_like(drop, a), b, a) for a, b in pairs))
    assert isinstance(null, Tensor), "the null of a class is a class"
    return torch.where(_like(drop, label), null, label)


def _like(rows: Tensor, x: Tensor) -> Tensor:
    return rows.reshape(-1, *[1] * (x.ndim - 1))
