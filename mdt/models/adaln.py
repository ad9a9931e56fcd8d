"""The trunk that MDT v1, MDT v2 and DiT share: embed, condition, masked encoder, final layer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdt.models import masking
from mdt.models.attention import Positions
from mdt.models.conditioning import Label, TimestepEmbedder
from mdt.models.layers import (
    AdaLNBlock,
    FinalLayer,
    PatchEmbed,
    pair,
    relative_index,
    resize_positions,
    sincos_positions,
    token_grid,
    unpatchify,
)
from mdt.models.network import Network


class AdaLNTransformer(Network):
    """Base of the networks whose blocks are modulated by time and label [DiT]."""

    has_bias_tables = True

    def make_trunk(
        self,
        *,
        input_size: Any,
        in_channels: int,
        num_classes: int | None,
        patch_size: int,
        hidden_size: int,
        learn_sigma: bool,
        null_class: bool,
        text_dims: Any,
        words: tuple[int, int] | None = None,
        mask_channel: bool = False,
    ) -> None:
        """Everything but the blocks. Raises ValueError on sizes that do not fit together."""
        self.in_channels, self.patch_size = in_channels + mask_channel, patch_size
        self.grid = token_grid(pair(input_size), patch_size)
        self.out_channels = in_channels * (2 if learn_sigma else 1)
        self.x_embedder = PatchEmbed(patch_size, self.in_channels, hidden_size)
        self.t_embedder = TimestepEmbedder(hidden_size)
        self.make_label_embedder(
            hidden_size, num_classes, text_dims, null_class=null_class, words=words
        )
        self.final_layer = FinalLayer(hidden_size, patch_size, self.out_channels)

    def make_masking(
        self, hidden_size: int, num_heads: int, mlp_ratio: float, side_layers: int, maskable: bool
    ) -> None:
        """What the masked pass needs: decoder positions, mask token, side-interpolater."""
        self.pos_embed = nn.Parameter(sincos_positions(hidden_size, self.grid)[None])
        self.decoder_pos_embed = nn.Parameter(sincos_positions(hidden_size, self.grid)[None])
        token = nn.Parameter(0.02 * torch.randn(1, 1, hidden_size)) if maskable else None
        self.register_parameter("mask_token", token)
        self.sideblocks = nn.ModuleList(
            AdaLNBlock(hidden_size, num_heads, mlp_ratio=mlp_ratio, bias_grid=self.grid)
            for _ in range(side_layers)
        )
        # Without a token no pass reaches them, and DDP waits for every gradient that may come.
        self.sideblocks.requires_grad_(maskable)

    @property
    def has_masked_pass(self) -> bool:
        """Whether `kept` is taken: there is a mask token to fill in."""
        return getattr(self, "mask_token", None) is not None

    def num_tokens(self, x: Tensor) -> int:
        """How many tokens the input (B, C, h, w) has."""
        rows, columns = self.grid_of(x)
        return rows * columns

    def grid_of(self, x: Tensor) -> tuple[int, int]:
        """(rows, columns) of the tokens of the input (B, C, h, w)."""
        return token_grid((x.shape[2], x.shape[3]), self.patch_size)

    def begin(self, x: Tensor, t: Tensor, label: Label) -> tuple[Tensor, Tensor, Positions, int]:
        """(tokens (B, L + N, D), condition (B, D), where they lie, L text tokens in front)."""
        self.check_input(x, self.in_channels)
        grid = self.grid_of(x)
        tokens = self.x_embedder(x) + resize_positions(self.pos_embed, self.grid, grid)
        vector, text, blocked = self.embed_label(label, len(x))
        c = self.t_embedder(t) if vector is None else self.t_embedder(t) + vector
        num_text = 0
        if text is not None and blocked is not None:
            num_text = text.shape[1]
            blocked = F.pad(blocked, (0, tokens.shape[1]))
            tokens = torch.cat([text, tokens], dim=1)
        index = relative_index(grid, num_text).to(x.device) if self.has_bias_tables else None
        return tokens, c, Positions(grid, index, blocked), num_text

    def finish(self, tokens: Tensor, c: Tensor, where: Positions) -> Tensor:
        """Tokens (B, L + N, D) -> (B, out_channels, h, w)."""
        picture = tokens[:, -where.grid[0] * where.grid[1] :]
        return unpatchify(self.final_layer(picture, c), where.grid, self.patch_size)

    def decoder_positions(self, where: Positions, num_text: int) -> Tensor:
        """(1, L + N, D), zero for text."""
        table = resize_positions(self.decoder_pos_embed, self.grid, where.grid)
        return F.pad(table, (0, 0, num_text, 0))

    def split(self, kept: Tensor, batch: int, where: Positions, num_text: int) -> masking.Split:
        """The tokens of the masked pass.

        Raises:
            ValueError: if this model came without the parts that the pass needs, or see `split`.
        """
        if self.mask_token is None:
            raise ValueError(
                "This model came without its mask token, so it has no masked pass (kept=...)."
            )
        return masking.split(kept, batch, where.grid[0] * where.grid[1]).after(num_text)

    def interpolate(
        self, h: Tensor, c: Tensor, where: Positions, split: masking.Split, num_text: int
    ) -> Tensor:
        """The side-interpolater [MDT, section 3.3]: fill in the hidden tokens, in picture order.

        Published as mask·block(x) + (1 - mask)·x over all tokens. Only the hidden ones change, so
        only they ask, and only they pass through the block's MLP.
        """
        num_hidden = split.hidden.shape[1]
        positions = masking.take(self.decoder_positions(where, num_text), split.order)
        hidden = self.mask_token.expand(len(h), num_hidden, -1).to(h.dtype)
        h = torch.cat([h, hidden], dim=1) + positions
        if num_hidden:
            side = between(where, split.hidden, split.order)
            for block in self.sideblocks:
                filled = self.run(block, h, c, side, None, num_hidden)
                h = torch.cat([h[:, :-num_hidden], filled], dim=1)
        return masking.take(h, split.restore)


def between(where: Positions, queries: Tensor, keys: Tensor) -> Positions:
    """The positions of some tokens asking some tokens; ids (R, Q) and (R, K).

    Text tokens are among the first keys, in order, if there are any.
    """
    assert where.index is not None, "positions of a whole picture have an index"
    index = where.index[0][queries[:, :, None], keys[:, None, :]]
    blocked = where.blocked
    return Positions(where.grid, index, None if blocked is None else blocked[:, : keys.shape[1]])
