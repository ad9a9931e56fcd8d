"""Stickers as they may be shown: on any plain ground, at any size, blurred, turned, half hidden.

The judge of drawn things is trained on these views, all pictures of a batch at once; every draw is
from a given generator. None of it is what a generator of stickers is trained with.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_PLAIN = 0.4  # of the views are on white, or nearly so
_HIDDEN = 0.15  # of the views lose a part
_SMALLEST = 0.4  # of the side: to what a view is shrunk before it is enlarged again


def on_white(rgba: Tensor) -> Tensor:
    """(b, 4, h, w) uint8, straight alpha -> RGB (b, 3, h, w) float32 in [-1, 1] on white."""
    colour, alpha = rgba[:, :3].float() / 127.5 - 1, rgba[:, 3:].float() / 255
    return colour * alpha + 1 - alpha


def sticker_views(rgba: Tensor, draw: torch.Generator) -> Tensor:
    """(b, 4, h, w) uint8, straight alpha -> RGB (b, 3, h, w) float32 in [-1, 1]: drawn views."""
    x = rgba.float() / 255
    x = torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], 1)
    x = _placed(x, draw)
    grounds = _grounds(len(x), rgba.shape[-2:], draw)
    x = 2 * (x[:, :3] + (1 - x[:, 3:]) * grounds) - 1
    x = _part_hidden(x, 2 * grounds - 1, draw)
    return _degraded(_recoloured(x, draw), draw).clamp(-1, 1)


def _uniform(draw: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=draw)


def _placed(x: Tensor, draw: torch.Generator) -> Tensor:
    """Scaled to 60 to 118 %, stretched, turned by up to 14 degrees, half mirrored, shifted."""
    b = len(x)
    scale = _uniform(draw, 0.6, 1.18, b)
    stretch = torch.exp(_uniform(draw, -0.14, 0.14, b))
    angle = _uniform(draw, -0.25, 0.25, b)
    sign = torch.where(torch.rand(b, generator=draw) < 0.5, -1.0, 1.0)
    room = (1 - scale).abs() + 0.06
    dx, dy = (_uniform(draw, -1, 1, b) * room for _ in range(2))
    cos, sin = angle.cos() / scale, angle.sin() / scale
    rows = [cos * stretch * sign, -sin * sign, dx, sin * stretch, cos, dy]
    grid = F.affine_grid(torch.stack(rows, 1).view(b, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)


def _grounds(b: int, size: torch.Size, draw: torch.Generator) -> Tensor:
    """(b, 3, h, w) in [0, 1]: light, of one colour, shaded from corner to corner, or mottled."""
    light = _uniform(draw, 0.9, 1, b, 1, 1, 1).expand(b, 3, 1, 1)
    plain = torch.rand(b, 3, 1, 1, generator=draw)
    corners = F.interpolate(
        torch.rand(b, 3, 2, 2, generator=draw), size=tuple(size), mode="bilinear"
    )
    mottled = F.interpolate(
        torch.rand(b, 3, 9, 9, generator=draw), size=tuple(size), mode="bicubic"
    )
    mottled = (plain + 0.6 * (mottled - 0.5)).clamp(0, 1)
    kind = torch.rand(b, 1, 1, 1, generator=draw)
    out = torch.where(kind < _PLAIN, light, plain).expand(b, 3, *size)
    out = torch.where(kind > 0.65, corners, out)
    return torch.where(kind > 0.8, mottled, out)


def _part_hidden(x: Tensor, grounds: Tensor, draw: torch.Generator) -> Tensor:
    """Some lose a rectangle to the ground."""
    b, _, h, w = x.shape
    side = _uniform(draw, 0.2, 0.5, 2, b, 1)
    start = torch.rand(2, b, 1, generator=draw) * (1 - side)
    rows, columns = torch.arange(h) / h, torch.arange(w) / w
    down = (rows >= start[0]) & (rows < start[0] + side[0])
    across = (columns >= start[1]) & (columns < start[1] + side[1])
    hidden = down[:, None, :, None] & across[:, None, None, :]
    hidden &= torch.rand(b, 1, 1, 1, generator=draw) < _HIDDEN
    return torch.where(hidden, grounds, x)


def _recoloured(x: Tensor, draw: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation, and each channel a little by itself."""
    b = len(x)
    bright = _uniform(draw, 0.8, 1.15, b, 1, 1, 1) * _uniform(draw, 0.94, 1.06, b, 3, 1, 1)
    contrast, colour = (_uniform(draw, 0.7, 1.25, b, 1, 1, 1) for _ in range(2))
    x = (x + 1) * bright - 1
    x = torch.lerp(x.mean((1, 2, 3), keepdim=True), x, contrast)
    return torch.lerp(x.mean(1, keepdim=True), x, colour)


def _degraded(x: Tensor, draw: torch.Generator) -> Tensor:
    """Half is made of fewer pixels (the same number for an eighth of a batch), a third noisy."""
    side = x.shape[-1]
    parts = []
    for part in x.chunk(8):
        small = round(side * float(_uniform(draw, _SMALLEST, 1.6, 1)))
        if small < side:
            part = F.interpolate(part, size=(small, small), mode="area")
            part = F.interpolate(part, size=(side, side), mode="bilinear")
        parts.append(part)
    x = torch.cat(parts)
    amount = (_uniform(draw, -0.2, 0.1, len(x), 1, 1, 1)).clamp(min=0)
    return x + amount * torch.randn(x.shape, generator=draw)
