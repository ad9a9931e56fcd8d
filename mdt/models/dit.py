"""DiT: the plain diffusion transformer with adaLN-Zero [Peebles and Xie, 2023]."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mdt.models.adaln import AdaLNTransformer
from mdt.models.conditioning import Label
from mdt.models.layers import AdaLNBlock, init_adaln_transformer, sincos_positions
from mdt.models.network import saved_settings


class DiT(AdaLNTransformer):
    """Blocks in a row, fixed sin-cos positions, no position bias, no masked pass.

    Args:
        input_size: latent size, one number or (h, w).
        in_channels: latent channels.
        num_classes: classes; None: unconditional. Ignored where `text_dims` is given.
        patch_size: side of a token's patch.
        hidden_size: width.
        depth: number of blocks.
        num_heads: attention heads.
        mlp_ratio: hidden width of an MLP over `hidden_size`.
        learn_sigma: whether the variance is predicted too (2C output channels).
        null_class: whether there is a null class (needed for guidance).
        text_dims: (width of a text token, width of the pooled vector).
    """

    has_bias_tables = False

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
        mlp_ratio: float = 4.0,
        learn_sigma: bool = True,
        null_class: bool = True,
        text_dims: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
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
        self.register_buffer("pos_embed", sincos_positions(hidden_size, self.grid)[None])
        self.blocks = nn.ModuleList(
            AdaLNBlock(hidden_size, num_heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        init_adaln_transformer(self)

    def depth_blocks(self) -> dict[str, nn.Module]:
        """The blocks in order of depth, for probes."""
        return {f"blocks.{i}": block for i, block in enumerate(self.blocks)}

    def forward(
        self, x: Tensor, t: Tensor, label: Label = None, kept: Tensor | None = None
    ) -> Tensor:
        """Denoise; see `Network`. `kept` is refused."""
        self.no_masked_pass(kept)
        h, c, where, _num_text = self.begin(x, t, label)
        for block in self.blocks:
            h = self.run(block, h, c, where)
        return self.finish(h, c, where)
