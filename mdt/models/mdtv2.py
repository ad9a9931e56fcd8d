"""MDT v2 [GZC2023]: a U-shaped encoder with long skips, a decoder with a shortcut to the input."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mdt.models.adaln import AdaLNTransformer, between
from mdt.models.attention import Positions
from mdt.models.conditioning import Label
from mdt.models.layers import AdaLNBlock, init_adaln_transformer
from mdt.models.masking import take
from mdt.models.network import saved_settings
from mdt.models.skips import scale_skip, skip_factors, skip_nets


class MDTv2(AdaLNTransformer):
    """`en_inblocks`, mirrored `en_outblocks` with skips, `de_blocks` with the input as skip.

    The decoder's shortcut carries all noisy tokens in the masked pass too, as published.

    Args:
        input_size: latent size, one number or (h, w).
        in_channels: latent channels.
        num_classes: classes; None: unconditional. Ignored where `text_dims` is given.
        patch_size: side of a token's patch.
        hidden_size: width.
        depth: number of blocks; `depth - decode_layers` is even.
        num_heads: attention heads.
        decode_layers: blocks of the decoder (published: XL 4, S 6).
        mlp_ratio: hidden width of an MLP over `hidden_size`.
        learn_sigma: whether the variance is predicted too (2C output channels).
        null_class: whether there is a null class (needed for guidance).
        text_dims: (width of a text token, width of the pooled vector).
        side_layers: blocks of the side-interpolater (published: one).
        maskable: False for files stripped of what only the masked pass needs.
        skip_scale: ScaleLong's mode for the long skips, one of `skips.SKIP_SCALES`.
        kappa: κ of skip_scale "constant".
        decoder_kappa: factor of the decoder's shortcut in mode "constant" (the outermost: 1).
        num_words: ids of hashed words (`mdt.words`) that the label is made of; None: the label is
            a class or a text.
        word_dim: of an id's vector.
        mask_channel: whether the input has one more channel, which says what is to be drawn.
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
        decode_layers: int = 4,
        mlp_ratio: float = 4.0,
        learn_sigma: bool = True,
        null_class: bool = True,
        text_dims: Sequence[int] | None = None,
        side_layers: int = 1,
        maskable: bool = True,
        skip_scale: str = "none",
        kappa: float = 0.7,
        decoder_kappa: float = 1.0,
        num_words: int | None = None,
        word_dim: int = 128,
        mask_channel: bool = False,
    ) -> None:
        super().__init__()
        half = _half_depth(depth, decode_layers)
        self.make_trunk(
            input_size=input_size,
            in_channels=in_channels,
            num_classes=num_classes,
            patch_size=patch_size,
            hidden_size=hidden_size,
            learn_sigma=learn_sigma,
            null_class=null_class,
            text_dims=text_dims,
            words=None if num_words is None else (num_words, word_dim),
            mask_channel=mask_channel,
        )
        self.make_masking(hidden_size, num_heads, mlp_ratio, side_layers, maskable)

        def blocks(count: int, *, skip: bool) -> nn.ModuleList:
            return nn.ModuleList(
                AdaLNBlock(
                    hidden_size, num_heads, mlp_ratio=mlp_ratio, bias_grid=self.grid, skip=skip
                )
                for _ in range(count)
            )

        self.en_inblocks = blocks(half, skip=False)
        self.en_outblocks = blocks(half, skip=True)
        self.de_blocks = blocks(decode_layers, skip=True)
        # The decoder's shortcut is the last of the skips, outside all others.
        outermost = (
            [decoder_kappa] if skip_scale == "constant" else skip_factors(skip_scale, 1, 1.0)
        )
        self.skip_factors = skip_factors(skip_scale, half, kappa) + outermost
        self.skip_nets = skip_nets(skip_scale, [hidden_size] * (half + 1))
        init_adaln_transformer(self)

    def depth_blocks(self) -> dict[str, nn.Module]:
        """The blocks in order of depth, for probes."""
        return {
            f"{name}.{i}": block
            for name in ("en_inblocks", "en_outblocks", "de_blocks")
            for i, block in enumerate(getattr(self, name))
        }

    def forward(
        self, x: Tensor, t: Tensor, label: Label = None, kept: Tensor | None = None
    ) -> Tensor:
        """Denoise; see `Network`."""
        h, c, where, num_text = self.begin(x, t, label)
        entry = h  # every noisy token, with its position
        if kept is None:
            h = self.encode(h, c, where) + self.decoder_positions(where, num_text)
        else:
            split = self.split(kept, len(x), where, num_text)
            h = self.encode(take(h, split.kept), c, between(where, split.kept, split.kept))
            h = self.interpolate(h, c, where, split, num_text)
        if self.de_blocks:
            entry = scale_skip(entry, len(self.en_outblocks), self.skip_factors, self.skip_nets)
        for block in self.de_blocks:
            h = self.run(block, h, c, where, entry)
        return self.finish(h, c, where)

    def encode(self, h: Tensor, c: Tensor, where: Positions) -> Tensor:
        """The U-shaped encoder over the tokens at hand."""
        skips = []
        for block in self.en_inblocks:
            h = self.run(block, h, c, where)
            skips.append(h)
        for j, block in enumerate(self.en_outblocks):
            skip = scale_skip(skips.pop(), j, self.skip_factors, self.skip_nets)
            h = self.run(block, h, c, where, skip)
        return h


def _half_depth(depth: int, decode_layers: int) -> int:
    if not 0 <= decode_layers <= depth:
        raise ValueError(f"decode_layers lies in 0 to depth={depth}; got {decode_layers}.")
    if (depth - decode_layers) % 2:
        raise ValueError(
            f"MDTv2 mirrors its encoder, so depth - decode_layers must be even; got {depth} - "
            f"{decode_layers} = {depth - decode_layers}. Use decode_layers={decode_layers + 1} "
            f"or depth={depth + 1}."
        )
    return (depth - decode_layers) // 2
