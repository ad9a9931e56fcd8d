"""A U-Net in the manner of ADM [Dhariwal and Nichol, 2021], with ScaleLong in its long skips."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdt.models.attention import Bias, attn
from mdt.models.conditioning import Label, timestep_features
from mdt.models.layers import pair
from mdt.models.network import Network, saved_settings
from mdt.models.skips import scale_skip, skip_factors, skip_nets


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm over up to 32 groups, as many as divide the channels."""
    groups = next(g for g in (32, 16, 8, 4, 2, 1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


def zeroed(layer: nn.Conv2d | nn.Conv1d) -> nn.Module:
    """The layer with all weights zero, so that its branch starts silent."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ResBlock(nn.Module):
    """Residual block, scaled and shifted by the condition; may halve or double the size."""

    def __init__(self, channels: int, out: int, embedding: int, *, resize: str = "") -> None:
        super().__init__()
        assert resize in ("", "down", "up"), resize
        self.resize = resize
        self.norm1 = group_norm(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.embed = nn.Linear(embedding, 2 * out)
        self.norm2 = group_norm(out)
        self.conv2 = zeroed(nn.Conv2d(out, out, 3, padding=1))
        self.shortcut = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def _resized(self, x: Tensor) -> Tensor:
        if self.resize == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2.0) if self.resize == "up" else x

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(B, C, h, w) under the condition (B, E)."""
        h = self.conv1(self._resized(F.silu(self.norm1(x))))
        scale, shift = self.embed(F.silu(c))[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(F.silu(torch.addcmul(shift, self.norm2(h), 1 + scale)))
        return self.shortcut(self._resized(x)) + h


class PixelAttention(nn.Module):
    """Self-attention over pixels; a text's tokens come in as further keys [GLIDE]."""

    def __init__(self, channels: int, head_width: int, text_width: int | None) -> None:
        super().__init__()
        self.num_heads = max(1, channels // head_width)
        if channels % self.num_heads:
            raise ValueError(f"{channels} channels do not divide into heads of {head_width}.")
        self.backend = "auto"
        self.norm = group_norm(channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.text_kv = nn.Linear(text_width, 2 * channels) if text_width else None
        self.proj = zeroed(nn.Conv1d(channels, channels, 1))

    def forward(
        self, x: Tensor, text: Tensor | None = None, blocked: Tensor | None = None
    ) -> Tensor:
        """(B, C, h, w), with text tokens (B, L, E) and their padding (B, L)."""
        flat = self.norm(x).flatten(2)  # B C N
        q, k, v = self.qkv(flat).unflatten(1, (3, self.num_heads, -1)).mT.unbind(1)  # B H N D
        bias = None
        if self.text_kv is not None and text is not None and blocked is not None:
            kv = self.text_kv(text).unflatten(-1, (2, self.num_heads, -1))  # B L 2 H D
            text_k, text_v = kv.permute(2, 0, 3, 1, 4)
            k, v = torch.cat([text_k, k], dim=2), torch.cat([text_v, v], dim=2)
            bias = Bias(blocked=F.pad(blocked, (0, flat.shape[2])))
        out = attn(q, k, v, bias, self.backend)
        return x + self.proj(out.mT.flatten(1, 2)).view_as(x)


class Stage(nn.Module):
    """One step of the U: a residual block, and attention where the level has it."""

    def __init__(self, block: nn.Module, attention: PixelAttention | None = None) -> None:
        super().__init__()
        self.block, self.attention = block, attention

    def forward(self, x: Tensor, c: Tensor, text: Tensor | None, blocked: Tensor | None) -> Tensor:
        """(B, C, h, w) -> (B, C', h', w')."""
        x = self.block(x, c)
        return x if self.attention is None else self.attention(x, text, blocked)


class UNet(Network):
    """Levels of halved size; every output on the way down is a long skip on the way up.

    Args:
        input_size: size that it is trained at, one number or (h, w); others work as well.
        in_channels: channels.
        num_classes: classes; None: unconditional. Ignored where `text_dims` is given.
        width: channels of the first level.
        multipliers: channels of each level over `width`.
        num_blocks: residual blocks of a level.
        attention_levels: levels with attention, 0 = full size.
        head_width: channels of an attention head.
        learn_sigma: whether the variance is predicted too (2C output channels).
        null_class: whether there is a null class (needed for guidance).
        text_dims: (width of a text token, width of the pooled vector).
        skip_scale: ScaleLong's mode for the long skips, one of `skips.SKIP_SCALES`.
        kappa: κ of "constant"; with N skips choose κ^(N-1) of at least about 0.1 (N = 9: 0.75).
    """

    @saved_settings
    def __init__(
        self,
        input_size: int | Sequence[int] = 32,
        in_channels: int = 4,
        num_classes: int | None = 1000,
        width: int = 128,
        multipliers: Sequence[int] = (1, 2, 2),
        num_blocks: int = 2,
        attention_levels: Sequence[int] = (1, 2),
        head_width: int = 64,
        learn_sigma: bool = True,
        null_class: bool = True,
        text_dims: Sequence[int] | None = None,
        skip_scale: str = "none",
        kappa: float = 0.75,
    ) -> None:
        super().__init__()
        if not multipliers or num_blocks < 1:
            raise ValueError("A UNet needs at least one level and one block a level.")
        self.in_channels, self.width, self.num_levels = in_channels, width, len(multipliers)
        self._check_size(pair(input_size))
        embedding = 4 * width
        self.time_embed = nn.Sequential(
            nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )
        self.make_label_embedder(embedding, num_classes, text_dims, null_class=null_class)
        text_width = embedding if text_dims is not None else None

        def stage(channels: int, out: int, level: int, resize: str = "") -> Stage:
            heads = None
            if level in attention_levels and not resize:
                heads = PixelAttention(out, head_width, text_width)
            return Stage(ResBlock(channels, out, embedding, resize=resize), heads)

        self.entry = nn.Conv2d(in_channels, width, 3, padding=1)
        channels = width
        skips = [channels]
        self.down = nn.ModuleList()
        for level, factor in enumerate(multipliers):
            for _ in range(num_blocks):
                self.down.append(stage(channels, factor * width, level))
                channels = factor * width
                skips.append(channels)
            if level + 1 < self.num_levels:
                self.down.append(stage(channels, channels, level, "down"))
                skips.append(channels)
        attention = PixelAttention(channels, head_width, text_width)
        self.middle = nn.ModuleList(
            [
                Stage(ResBlock(channels, channels, embedding), attention),
                Stage(ResBlock(channels, channels, embedding)),
            ]
        )
        self.skip_factors = skip_factors(skip_scale, len(skips), kappa)
        self.skip_nets = skip_nets(skip_scale, skips[::-1])
        self.up = nn.ModuleList()
        for level, factor in reversed(list(enumerate(multipliers))):
            for _ in range(num_blocks + 1):
                self.up.append(stage(channels + skips.pop(), factor * width, level))
                channels = factor * width
            if level:
                self.up.append(stage(channels, channels, level, "up"))
        self.norm = group_norm(channels)
        outputs = in_channels * (2 if learn_sigma else 1)
        self.exit = zeroed(nn.Conv2d(channels, outputs, 3, padding=1))

    def _check_size(self, size: tuple[int, int]) -> None:
        shrink = 2 ** (self.num_levels - 1)
        if size[0] % shrink or size[1] % shrink:
            raise ValueError(
                f"This UNet halves its input {self.num_levels - 1} times; a {size[0]}x{size[1]} "
                f"input (height x width) does not divide by {shrink}."
            )

    def depth_blocks(self) -> dict[str, nn.Module]:
        """The blocks in order of depth, for probes."""
        return {
            f"{name}.{i}": block
            for name in ("down", "middle", "up")
            for i, block in enumerate(getattr(self, name))
        }

    def forward(
        self, x: Tensor, t: Tensor, label: Label = None, kept: Tensor | None = None
    ) -> Tensor:
        """Denoise; see `Network`. `kept` is refused."""
        self.no_masked_pass(kept)
        self.check_input(x, self.in_channels)
        self._check_size((x.shape[2], x.shape[3]))
        features = timestep_features(t, self.width).to(self.entry.weight.dtype)
        vector, text, blocked = self.embed_label(label, len(x))
        c = self.time_embed(features)
        c = c if vector is None else c + vector
        h = self.entry(x)
        skips = [h]
        for block in self.down:
            h = self.run(block, h, c, text, blocked)
            skips.append(h)
        for block in self.middle:
            h = self.run(block, h, c, text, blocked)
        j = 0
        for block in self.up:
            if block.block.resize != "up":
                skip = scale_skip(skips.pop(), j, self.skip_factors, self.skip_nets)
                h, j = torch.cat([h, skip], dim=1), j + 1
            h = self.run(block, h, c, text, blocked)
        return self.exit(F.silu(self.norm(h)))
