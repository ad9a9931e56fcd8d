"""Pixels in [-1, 1] <-> latents; the only place that knows a VAE's scale factors.

Without a VAE (None) the latents are the pixels.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor


def encode(pixels: Tensor, vae: Any = None) -> Tensor:
    """Pixels (B, 3, H, W) in [-1, 1] -> latents (B, C, h, w), float32: the mean, not a draw."""
    if vae is None:
        return pixels
    coded = vae.encode(pixels.to(vae.dtype))
    latents = coded.latent_dist.mode() if hasattr(coded, "latent_dist") else coded[0]
    shift, scale = _units(vae)
    return (latents.float() - shift) * scale


def decode(latents: Tensor, vae: Any = None) -> Tensor:
    """Latents (B, C, h, w) -> pixels (B, 3, H, W), float32, about [-1, 1]."""
    if vae is None:
        return latents
    shift, scale = _units(vae)
    return vae.decode((latents / scale + shift).to(vae.dtype)).sample.float()


def pixels_per_latent(vae: Any = None) -> int:
    """The side of the square of pixels that one latent stands for."""
    if vae is None:
        return 1
    if vae.config.get("pixels_per_latent"):
        return int(vae.config["pixels_per_latent"])
    levels = vae.config.get("encoder_block_out_channels") or vae.config.get("block_out_channels")
    return int(2 ** (len(levels) - 1))


def _units(vae: Any) -> tuple[float, float]:
    """(shift, scale) that bring latents to about zero mean and unit variance."""
    return vae.config.get("shift_factor") or 0.0, vae.config.get("scaling_factor") or 1.0
