"""The parts that the transformers share. Attribute names are those of the published files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdt.models.attention import Attention, Positions


def sincos_positions(width: int, grid: tuple[int, int]) -> Tensor:
    """2-D sin-cos positions, (rows·columns, width): first half columns, each half [sin, cos].

    Args:
        width: a multiple of 4.
        grid: (rows, columns).

    Raises:
        ValueError: if the width does not divide by 4.
    """
    if width % 4:
        raise ValueError(f"Sin-cos positions need a width that divides by 4; got {width}.")
    rows, columns = torch.meshgrid(
        torch.arange(grid[0], dtype=torch.float64),
        torch.arange(grid[1], dtype=torch.float64),
        indexing="ij",
    )
    frequency = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angles = [x.reshape(-1, 1) * frequency for x in (columns, rows)]
    return torch.cat([f for a in angles for f in (a.sin(), a.cos())], dim=1).float()


def resize_positions(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Position table (1, rows·columns, width) for another grid, interpolated where it differs."""
    if old == new:
        return table
    picture = table.reshape(1, *old, -1).permute(0, 3, 1, 2)
    picture = F.interpolate(picture.float(), size=new, mode="bicubic", align_corners=False)
    return picture.flatten(2).transpose(1, 2).to(table.dtype)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x·(1 + scale) + shift, in one pass; shift and scale are (B, 1, C)."""
    return torch.addcmul(shift, x, 1 + scale)


class PatchEmbed(nn.Module):
    """(B, channels, h, w) -> (B, rows·columns, width)."""

    def __init__(self, patch_size: int, in_channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, width, patch_size, stride=patch_size)

    def reset_parameters(self) -> None:
        """As published: Xavier as if the kernel were a linear layer."""
        nn.init.xavier_uniform_(self.proj.weight.view(len(self.proj.weight), -1))
        if self.proj.bias is not None:
            nn.init.zeros_(self.proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Embed the patches."""
        return self.proj(x).flatten(2).transpose(1, 2)


def unpatchify(x: Tensor, grid: tuple[int, int], patch_size: int) -> Tensor:
    """Tokens (B, rows·columns, p·p·C), inner order (row, column, channel) -> (B, C, h, w)."""
    x = x.reshape(len(x), *grid, patch_size, patch_size, -1)  # B r c p q C
    return x.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, width: int, hidden: int, *, tanh: bool) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.approximate = "tanh" if tanh else "none"

    def forward(self, x: Tensor) -> Tensor:
        """Map each token."""
        return self.fc2(F.gelu(self.fc1(x), approximate=self.approximate))


class AdaLNBlock(nn.Module):
    """A transformer block with adaLN-Zero [DiT], for MDT with a bias table and a long skip."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        *,
        mlp_ratio: float = 4.0,
        bias_grid: tuple[int, int] | None = None,
        skip: bool = False,
    ) -> None:
        super().__init__()
        self.skip_linear = nn.Linear(2 * width, width) if skip else None
        self.attn = Attention(width, num_heads, bias_grid, qkv_bias=True)
        self.mlp = Mlp(width, int(width * mlp_ratio), tanh=True)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(
        self,
        x: Tensor,
        c: Tensor,
        where: Positions,
        skip: Tensor | None = None,
        num_queries: int | None = None,
    ) -> Tensor:
        """One block; with `num_queries`, only the last so many tokens change and come out.

        Args:
            x: (B, N, C) tokens.
            c: (B, C) condition.
            where: where the tokens lie.
            skip: (B, N, C), only for blocks made with `skip`.
            num_queries: how many tokens ask.
        """
        if self.skip_linear is not None:
            assert skip is not None, "this block needs its long skip"
            x = self.skip_linear(torch.cat([x, skip], dim=-1))
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation(c)[:, None].chunk(
            6, dim=-1
        )
        h = self.attn(modulate(layer_norm(x), shift1, scale1), where, num_queries)
        x = torch.addcmul(x if num_queries is None else x[:, -num_queries:], gate1, h)
        return torch.addcmul(x, gate2, self.mlp(modulate(layer_norm(x), shift2, scale2)))


def layer_norm(x: Tensor) -> Tensor:
    """LayerNorm without weights, ε = 1e-6."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class FinalLayer(nn.Module):
    """Tokens -> patches, under one last adaLN."""

    def __init__(self, width: int, patch_size: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, patch_size * patch_size * out_channels)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(B, N, C) tokens under the condition (B, C) -> (B, N, p·p·out_channels)."""
        shift, scale = self.adaLN_modulation(c)[:, None].chunk(2, dim=-1)
        return self.linear(modulate(layer_norm(x), shift, scale))


def init_adaln_transformer(model: nn.Module) -> None:
    """The published start: Xavier layers, normal embeddings; adaLN outputs and the end zero."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in model.modules():
        reset = getattr(module, "reset_parameters", None)
        if reset is not None and type(module).__module__.startswith("mdt.models"):
            reset()
        if isinstance(module, AdaLNBlock | FinalLayer):
            silent: list[nn.Module] = [module.adaLN_modulation]
            silent += [module.linear] if isinstance(module, FinalLayer) else []
            for parameter in nn.ModuleList(silent).parameters():
                nn.init.zeros_(parameter)


def pair(size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) from one number or two.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(size, int):
        return size, size
    if len(size) != 2 or not all(isinstance(side, int) for side in size):
        raise ValueError(f"A size is one whole number or (height, width); got {size!r}.")
    return size[0], size[1]


def token_grid(size: tuple[int, int], patch_size: int) -> tuple[int, int]:
    """(rows, columns) of patches in a picture of `size` = (h, w).

    Raises:
        ValueError: if the patches do not fill it.
    """
    if patch_size < 1 or min(size) < patch_size or size[0] % patch_size or size[1] % patch_size:
        raise ValueError(
            f"A {size[0]}x{size[1]} input (height x width) does not divide into patches of "
            f"{patch_size}; use sizes that are multiples of {patch_size}."
        )
    return size[0] // patch_size, size[1] // patch_size


def relative_index(grid: tuple[int, int], num_text: int = 0) -> Tensor:
    """Row of the bias table for each (query, key): (Δr + H-1)(2W-1) + (Δc + W-1), Δ = query - key.

    Args:
        grid: (H, W) of the tokens.
        num_text: text tokens before the picture's; their pairs use the table's last three rows.

    Returns:
        (1, num_text + N, num_text + N) int64.
    """
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    d_row = rows[:, None] - rows[None, :] + grid[0] - 1
    d_column = columns[:, None] - columns[None, :] + grid[1] - 1
    index = d_row * (2 * grid[1] - 1) + d_column
    num_offsets = (2 * grid[0] - 1) * (2 * grid[1] - 1)
    index = F.pad(index, (num_text, 0), value=num_offsets)  # image asks text
    index = F.pad(index, (0, 0, num_text, 0), value=num_offsets + 1)  # text asks image
    index[:num_text, :num_text] = num_offsets + 2
    return index[None]
