"""U-ViT [Bao et al., 2023]: time and label as tokens, long skips between mirrored blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdt.models.attention import Attention, Positions
from mdt.models.conditioning import Label, timestep_features
from mdt.models.layers import (
    Mlp,
    PatchEmbed,
    pair,
    resize_positions,
    token_grid,
    unpatchify,
)
from mdt.models.network import Network, saved_settings
from mdt.models.skips import scale_skip, skip_factors, skip_nets


class UViTBlock(nn.Module):
    """A pre-norm transformer block; with a long skip: x <- skip_linear(cat[x, skip]) first."""

    def __init__(self, width: int, num_heads: int, mlp_ratio: float, *, skip: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, num_heads, qkv_bias=False)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, int(width * mlp_ratio), tanh=False)
        self.skip_linear = nn.Linear(2 * width, width) if skip else None

    def forward(self, x: Tensor, where: Positions, skip: Tensor | None = None) -> Tensor:
        """One block over (B, N, C) tokens."""
        if self.skip_linear is not None:
            assert skip is not None, "this block needs its long skip"
            x = self.skip_linear(torch.cat([x, skip], dim=-1))
        x = x + self.attn(self.norm1(x), where)
        return x + self.mlp(self.norm2(x))


class UViT(Network):
    """`in_blocks`, one `mid_block`, mirrored `out_blocks`; parameters are named as published.

    Args:
        input_size: size in pixels or latents, one number or (h, w).
        in_channels: channels.
        num_classes: classes; None: unconditional. Ignored where `text_dims` is given.
        patch_size: side of a token's patch.
        hidden_size: width.
        depth: blocks beside the middle one, even.
        num_heads: attention heads.
        mlp_ratio: hidden width of an MLP over `hidden_size`.
        learn_sigma: whether the variance is predicted too (2C output channels).
        null_class: whether there is a null class (needed for guidance).
        text_dims: (width of a text token, width of the pooled vector).
        mlp_time: whether the time token passes an MLP (published: only in some models).
        conv: whether a 3x3 convolution ends the network.
        skip_scale: ScaleLong's mode for the long skips, one of `skips.SKIP_SCALES`.
        kappa: κ of skip_scale "constant"; choose κ^(depth/2 - 1) of at least about 0.1.
    """

    @saved_settings
    def __init__(
        self,
        input_size: int | Sequence[int] = 32,
        in_channels: int = 4,
        num_classes: int | None = 1000,
        patch_size: int = 2,
        hidden_size: int = 512,
        depth: int = 12,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        learn_sigma: bool = False,
        null_class: bool = True,
        text_dims: Sequence[int] | None = None,
        mlp_time: bool = False,
        conv: bool = True,
        skip_scale: str = "none",
        kappa: float = 0.7,
    ) -> None:
        super().__init__()
        if depth < 0 or depth % 2:
            raise ValueError(
                f"U-ViT mirrors its blocks around a middle one, so depth must be even; got {depth}."
            )
        self.in_channels, self.patch_size = in_channels, patch_size
        self.grid = token_grid(pair(input_size), patch_size)
        self.out_channels = in_channels * (2 if learn_sigma else 1)
        self.patch_embed = PatchEmbed(patch_size, in_channels, hidden_size)
        self.time_embed = (
            nn.Sequential(
                nn.Linear(hidden_size, 4 * hidden_size),
                nn.SiLU(),
                nn.Linear(4 * hidden_size, hidden_size),
            )
            if mlp_time
            else nn.Identity()
        )
        self.make_label_embedder(hidden_size, num_classes, text_dims, null_class=null_class)
        self.num_extra = 1 if self.y_embedder is None else 2
        num_tokens = self.num_extra + self.grid[0] * self.grid[1]
        self.pos_embed = nn.Parameter(torch.zeros(1, num_tokens, hidden_size))

        def block(*, skip: bool) -> UViTBlock:
            return UViTBlock(hidden_size, num_heads, mlp_ratio, skip=skip)

        half = depth // 2
        self.in_blocks = nn.ModuleList(block(skip=False) for _ in range(half))
        self.mid_block = block(skip=False)
        self.out_blocks = nn.ModuleList(block(skip=True) for _ in range(half))
        self.norm = nn.LayerNorm(hidden_size)
        self.decoder_pred = nn.Linear(hidden_size, patch_size**2 * self.out_channels)
        width = self.out_channels
        self.final_layer = nn.Conv2d(width, width, 3, padding=1) if conv else nn.Identity()
        self._reset()
        # After the start above, as published: the calibration nets keep PyTorch's own start.
        self.skip_factors = skip_factors(skip_scale, half, kappa)
        self.se = skip_nets(
            skip_scale, [hidden_size] * half, None if text_dims is not None else num_tokens
        )

    def _reset(self) -> None:
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def depth_blocks(self) -> dict[str, nn.Module]:
        """The blocks in order of depth, for probes."""
        ins = {f"in_blocks.{i}": block for i, block in enumerate(self.in_blocks)}
        outs = {f"out_blocks.{i}": block for i, block in enumerate(self.out_blocks)}
        return {**ins, "mid_block": self.mid_block, **outs}

    def forward(
        self, x: Tensor, t: Tensor, label: Label = None, kept: Tensor | None = None
    ) -> Tensor:
        """Denoise; see `Network`. `kept` is refused."""
        self.no_masked_pass(kept)
        self.check_input(x, self.in_channels)
        grid = token_grid((x.shape[2], x.shape[3]), self.patch_size)
        h, where = self.embed(x, t, label, grid)
        skips = []
        for block in self.in_blocks:
            h = self.run(block, h, where)
            skips.append(h)
        h = self.run(self.mid_block, h, where)
        for j, block in enumerate(self.out_blocks):
            skip = scale_skip(skips.pop(), j, self.skip_factors, self.se)
            h = self.run(block, h, where, skip)
        h = self.decoder_pred(self.norm(h[:, -grid[0] * grid[1] :]))
        return self.final_layer(unpatchify(h, grid, self.patch_size))

    def embed(
        self, x: Tensor, t: Tensor, label: Label, grid: tuple[int, int]
    ) -> tuple[Tensor, Positions]:
        """Tokens [text, class, time, picture] and where they lie."""
        vector, text, blocked = self.embed_label(label, len(x))
        features = timestep_features(t, self.pos_embed.shape[-1])
        time = self.time_embed(features.to(self.pos_embed.dtype))[:, None]
        if text is not None and vector is not None:
            time = time + vector[:, None]
        extra, table = self.pos_embed[:, : self.num_extra], self.pos_embed[:, self.num_extra :]
        table = torch.cat([extra, resize_positions(table, self.grid, grid)], dim=1)
        named = [] if vector is None or text is not None else [vector[:, None]]
        h = torch.cat([*named, time, self.patch_embed(x)], dim=1) + table
        if text is not None and blocked is not None:
            blocked = F.pad(blocked, (0, h.shape[1]))
            h = torch.cat([text, h], dim=1)
        return h, Positions(grid, blocked=blocked)
