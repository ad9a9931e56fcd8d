"""A picture of which a part is drawn anew."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mdt import codec
from mdt.data.alpha import premultiplied, straight


class Known(NamedTuple):
    """What is known of a picture, and where it is not."""

    image: Tensor  # (1, C, H, W), 0 to 1; with alpha straight
    mask: Tensor  # (1, 1, H, W) bool, True where to draw anew
    latent: Tensor  # (1, c, h, w), of the picture; with alpha, of what is not to be drawn
    hidden: Tensor  # (1, 1, h, w) bool, True at latents that touch the mask


def known_picture(
    image: Any, mask: Any, *, vae: Any, num_channels: int, device: torch.device
) -> Known:
    """The picture and its mask on the device, and their latents.

    Args:
        image: uint8 (H, W, C), or (H, W) for one channel; PIL or array. With four channels, RGB
            is taken as RGBA that is nowhere clear, and what is to be drawn is cut out before the
            picture is encoded.
        mask: bool (H, W), or anything whose values from 128 on mean True.
        vae: see `mdt.codec`.
        num_channels: of the pictures.
        device: where to.

    Raises:
        ValueError: another type or shape, or sides that the VAE does not divide.
    """
    pixels, where = np.asarray(image), np.asarray(mask)
    where = where if where.dtype == bool else where >= 128
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if num_channels == 4 and pixels.ndim == 3 and pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, pixels.dtype)])
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != num_channels:
        raise ValueError(
            f"The image must be uint8 (H, W, {num_channels}); got {pixels.dtype} {pixels.shape}."
        )
    if where.shape != pixels.shape[:2]:
        raise ValueError(f"The mask must be {pixels.shape[:2]} as the image is; got {where.shape}.")
    for side in where.shape:
        latent_side(side, vae)
    levels = torch.tensor(pixels, device=device).permute(2, 0, 1)[None].float() / 255
    hole = torch.tensor(where, device=device)[None, None]
    hidden = F.max_pool2d(hole.float(), codec.pixels_per_latent(vae)) > 0
    x = 2 * levels - 1
    if num_channels == 4:
        x = premultiplied(255 * torch.where(hole, 0, levels))
    return Known(levels, hole, codec.encode(x, vae), hidden)


def latent_side(pixels: int, vae: Any) -> int:
    """A side in latents.

    Raises:
        ValueError: pixels that the VAE does not divide.
    """
    factor = codec.pixels_per_latent(vae)
    if pixels < 1 or pixels % factor:
        raise ValueError(f"Sizes must divide by {factor} for this VAE; got {pixels} pixels.")
    return pixels // factor


def shown(pixels: Tensor) -> Tensor:
    """Pixels (B, C, H, W) in [-1, 1] -> 0 to 1; with alpha: straight, in whole levels."""
    if pixels.shape[1] == 4:
        return straight(pixels).float() / 255
    return (pixels / 2 + 0.5).clamp(0, 1)


def set_into(x: Tensor, known: Known, vae: Any) -> Tensor:
    """Latents (B, c, h, w) -> pictures (B, C, H, W) in 0 to 1, exactly the known one outside."""
    beside = known.image.shape[1] == 4
    pixels = _decoded_beside(x, known, vae) if beside else codec.decode(x, vae)
    return torch.where(known.mask, shown(pixels), known.image)


def _decoded_beside(x: Tensor, known: Known, vae: Any) -> Tensor:
    """Latents of a picture that was drawn into a known one with alpha -> pixels in [-1, 1].

    What is known was encoded with a hole, and its latents tell the decoder of a clear edge there.
    So what comes out first is set into the picture, which is encoded once more: now the decoder
    sees no hole. What is left of a step at the rim fades out into the new part.

    Args:
        x: (B, c, h, w), drawn.
        known: with a picture of four channels.
        vae: see `mdt.codec`.
    """
    seen = premultiplied(255 * known.image)
    first = torch.where(known.mask, codec.decode(x, vae).clamp(-1, 1), seen)
    whole = torch.where(known.hidden, x, codec.encode(first, vae))
    drawn = codec.decode(whole, vae).clamp(-1, 1)
    return torch.where(known.mask, drawn + _step_at_rim(seen, drawn, known.mask), seen)


def _step_at_rim(known: Tensor, drawn: Tensor, mask: Tensor, reach_px: float = 12.0) -> Tensor:
    """What takes the step across the rim away: a membrane from there into the mask, else 0.

    It hangs on the difference between each known pixel (B, C, H, W) beside the mask and what was
    drawn next to it, and fades: the screened Poisson equation lap(e) = e / reach**2 inside
    [Perez et al. 2003, eq. 4; Bhat et al. 2008, section 3], solved by Jacobi's steps with
    Chebyshev's acceleration [Golub and Van Loan, section 11.2.8] to 1 % of the step.
    """
    inside = mask.to(drawn.dtype)
    beside = _neighbours(inside)
    step = torch.where(beside > 0, known - _neighbours(drawn * inside) / beside.clamp(min=1), 0)
    weight = _neighbours(torch.ones_like(inside)) + reach_px**-2
    radius = 4 / (4 + reach_px**-2)  # of Jacobi's step; the error falls by 1 - sqrt(2) / (2 reach)
    before = now = torch.where(mask, 0, step)
    omega = 2.0
    for _ in range(round(8 * reach_px)):
        omega = 1 / (1 - radius**2 * omega / 4)
        after = torch.where(mask, _neighbours(now) / weight, step)
        before, now = now, omega * (after - before) + before
    return torch.where(mask, now, 0)


def _neighbours(values: Tensor) -> Tensor:
    """The sum of a pixel's four neighbours in (B, C, H, W); beyond the frame it is 0."""
    wide = F.pad(values, (1, 1, 1, 1))
    return wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:] + wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1]
