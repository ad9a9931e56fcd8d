"""MDT v1 [GZC2023]: DiT with a position bias, trained also to fill in hidden tokens."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mdt.models.adaln import AdaLNTransformer, between
from mdt.models.conditioning import Label
from mdt.models.layers import AdaLNBlock, init_adaln_transformer
from mdt.models.masking import take
from mdt.models.network import saved_settings


class MDTv1(AdaLNTransformer):
    """Blocks in a row; the last `decode_layers` see all tokens in the masked pass too.

    Args:
        input_size: latent size, one number or (h, w).
        in_channels: latent channels.
        num_classes: classes; None: unconditional. Ignored where `text_dims` is given.
        patch_size: side of a token's patch.
        hidden_size: width.
        depth: number of blocks.
        num_heads: attention heads.
        decode_layers: blocks after the side-interpolater.
        mlp_ratio: hidden width of an MLP over `hidden_size`.
        learn_sigma: whether the variance is predicted too (2C output channels).
        null_class: whether there is a null class (needed for guidance).
        text_dims: (width of a text token, width of the pooled vector).
        side_layers: blocks of the side-interpolater (published: one).
        maskable: False for files stripped of what only the masked pass needs.
    """

    @saved_settings
    def __init__(
        self,
        input_size: int | Sequence[int] = 32,
        in_channels: int = 4,
        num_classes: int | None = 1000,
        patch_size: int = 2,
        hidden_size: int = 384,
        depth: int = 12,
        num_heads: int = 6,
        decode_layers: int = 2,
        mlp_ratio: float = 4.0,
        learn_sigma: bool = True,
        null_class: bool = True,
        text_dims: Sequence[int] | None = None,
        side_layers: int = 1,
        maskable: bool = True,
    ) -> None:
        super().__init__()
        if not 0 <= decode_layers <= depth:
            raise ValueError(f"decode_layers lies in 0 to depth={depth}; got {decode_layers}.")
        self.make_trunk(
            input_size=input_size,
            in_channels=in_channels,
            num_classes=num_classes,
            patch_size=patch_size,
            hidden_size=hidden_size,
            learn_sigma=learn_sigma,
            null_class=null_class,
            text_dims=text_dims,
        )
        self.make_masking(hidden_size, num_heads, mlp_ratio, side_layers, maskable)
        self.num_encoder = depth - decode_layers
        self.blocks = nn.ModuleList(
            AdaLNBlock(hidden_size, num_heads, mlp_ratio=mlp_ratio, bias_grid=self.grid)
            for _ in range(depth)
        )
        init_adaln_transformer(self)

    def depth_blocks(self) -> dict[str, nn.Module]:
        """The blocks in order of depth, for probes."""
        return {f"blocks.{i}": block for i, block in enumerate(self.blocks)}

    def forward(
        self, x: Tensor, t: Tensor, label: Label = None, kept: Tensor | None = None
    ) -> Tensor:
        """Denoise; see `Network`."""
        h, c, where, num_text = self.begin(x, t, label)
        encoder, decoder = self.blocks[: self.num_encoder], self.blocks[self.num_encoder :]
        if kept is None:
            for block in encoder:
                h = self.run(block, h, c, where)
            h = h + self.decoder_positions(where, num_text)
        else:
            split = self.split(kept, len(x), where, num_text)
            h, visible = take(h, split.kept), between(where, split.kept, split.kept)
            for block in encoder:
                h = self.run(block, h, c, visible)
            h = self.interpolate(h, c, where, split, num_text)
        for block in decoder:
            h = self.run(block, h, c, where)
        return self.finish(h, c, where)
