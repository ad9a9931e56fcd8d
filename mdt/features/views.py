"""Random views of a batch of pictures, all pictures at once; every draw from a given generator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Share of the picture's area that a random crop shows.
_AREA = (0.25, 1.0)
_STRENGTH = 0.4


def crop_and_flip(pixels: Tensor, draw: torch.Generator, margin_px: int = 4) -> Tensor:
    """(b, c, h, w) shifted by up to `margin_px` (the rest reflected) and mirrored, half of them."""
    b, _, h, w = pixels.shape
    shift = torch.randint(0, 2 * margin_px + 1, (2, b, 1), generator=draw)
    mirrored = torch.rand(b, 1, generator=draw) < 0.5
    columns = torch.where(mirrored, torch.arange(w).flip(0), torch.arange(w))
    rows = _reflect(torch.arange(h) + shift[0] - margin_px, h)
    columns = _reflect(columns + shift[1] - margin_px, w)
    picture = torch.arange(b)[:, None, None]
    return pixels.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


def random_crop(x: Tensor, draw: torch.Generator) -> Tensor:
    """(b, c, h, w) -> the same size: a random part of 25 to 100 % of the area, half mirrored."""
    b = len(x)
    low, high = _AREA
    side = (low + (high - low) * torch.rand(b, generator=draw)).sqrt()
    stretch = torch.exp((torch.rand(b, generator=draw) - 0.5) * 0.5)
    width, height = (side * stretch).clamp(max=1), (side / stretch).clamp(max=1)
    centre = (2 * torch.rand(2, b, generator=draw) - 1) * (1 - torch.stack([width, height]))
    sign = torch.where(torch.rand(b, generator=draw) < 0.5, -1.0, 1.0)
    zero = torch.zeros(b)
    matrix = torch.stack([width * sign, zero, centre[0], zero, height, centre[1]], 1).view(b, 2, 3)
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def jitter(x: Tensor, draw: torch.Generator) -> Tensor:
    """(b, 3, h, w) in [-1, 1] with brightness, contrast and saturation changed; some turn grey."""
    bright, contrast, colour = 1 + _STRENGTH * (
        2 * torch.rand(3, len(x), 1, 1, 1, generator=draw) - 1
    )
    colour = torch.where(torch.rand(len(x), 1, 1, 1, generator=draw) < 0.2, 0.0, colour)
    x = (x + 1) * bright - 1
    x = torch.lerp(x.mean((1, 2, 3), keepdim=True), x, contrast)
    return torch.lerp(x.mean(1, keepdim=True), x, colour)


def _reflect(index: Tensor, length: int) -> Tensor:
    """Indices outside [0, length) mirrored back at the edge."""
    return (length - 1) - ((length - 1) - index.abs()).abs()
