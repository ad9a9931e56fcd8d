"""Pictures with alpha <-> four channels in [-1, 1]: the only place that knows how.

Colours are multiplied by alpha, and alpha is the fourth channel, of the same range. What is clear
is then one point (-1 everywhere) rather than any colour at all, an edge fades as the eye sees it,
and a mean of pixels, which is all that an autoencoder's blur is, cannot bleed hidden colours.
"""

from __future__ import annotations

import torch
from torch import Tensor


def premultiplied(rgba: Tensor) -> Tensor:
    """RGBA (..., 4, H, W), uint8 values of straight alpha -> float32 in [-1, 1], same shape."""
    rgba = rgba.to(torch.float32)
    color, alpha = rgba[..., :3, :, :], rgba[..., 3:, :, :]
    return torch.cat([color * (alpha / 255), alpha], dim=-3).div_(127.5).sub_(1)


def straight(x: Tensor) -> Tensor:
    """The inverse of `premultiplied`: (..., 4, H, W) in [-1, 1] -> RGBA uint8, straight alpha.

    It is exact but for the colours of clear pixels, which become 0. What lies outside of the range,
    as a network may give it, is cut.
    """
    levels = ((x.to(torch.float32) + 1) * 127.5).clamp(0, 255)
    color, alpha = levels[..., :3, :, :], levels[..., 3:, :, :]
    alpha = alpha.round()
    color = torch.where(alpha > 0, color * 255 / alpha.clamp(min=1), 0)
    return torch.cat([color, alpha], dim=-3).round().clamp(0, 255).to(torch.uint8)
