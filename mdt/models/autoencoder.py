"""A small convolutional autoencoder [Kingma & Welling 2013; Rombach et al. 2022].

It has the face of a VAE of diffusers (`encode(x).latent_dist`, `decode(z).sample`, a scaling and a
shift in its config), so that `mdt.codec` and `mdt.Pipeline` take it as one. Most of the width lies
at the latents' resolution, where it costs least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from mdt.draws import Generators, noise_like
from mdt.models.network import saved_settings


class ResBlock(nn.Module):
    """Norm, SiLU, convolution, twice, beside a shortcut; begins as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        groups = max(1, width // 16)
        self.norm1, self.conv1 = nn.GroupNorm(groups, width), nn.Conv2d(width, width, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(groups, width), nn.Conv2d(width, width, 3, padding=1)
        for parameter in self.conv2.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) -> the same."""
        h = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(h)))


class Autoencoder(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Pictures (B, C, H, W) in [-1, 1] <-> latents (B, c, H/8, W/8).

    Args:
        in_channels: C; 4: RGB times alpha, and alpha.
        latent_channels: c.
        width: channels at the latents' resolution.
        fine_width: channels at twice that resolution.
        encoder_depth: residual blocks of the encoder.
        decoder_depth: residual blocks of the decoder.
        scaling_factor: what brings latents to unit variance; see `mdt.codec`.
        shift_factor: what is taken off before that.
        pixels_per_latent: 8.
    """

    config_name = "config.json"
    _supports_gradient_checkpointing = False

    @saved_settings
    def __init__(
        self,
        in_channels: int = 3,
        latent_channels: int = 16,
        width: int = 192,
        fine_width: int = 64,
        encoder_depth: int = 3,
        decoder_depth: int = 4,
        scaling_factor: float = 1.0,  # noqa: ARG002 (kept in the config)
        shift_factor: float = 0.0,  # noqa: ARG002
        pixels_per_latent: int = 8,
    ) -> None:
        super().__init__()
        if pixels_per_latent != 8:
            raise ValueError(f"pixels_per_latent is 8 in this version; got {pixels_per_latent}.")
        wide = [ResBlock(width) for _ in range(encoder_depth)]
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(16 * in_channels, fine_width, 3, padding=1),
            ResBlock(fine_width),
            nn.Conv2d(fine_width, width, 3, stride=2, padding=1),
            *wide,
            nn.GroupNorm(max(1, width // 16), width),
            nn.SiLU(),
            nn.Conv2d(width, 2 * latent_channels, 3, padding=1),
        )
        wide = [ResBlock(width) for _ in range(decoder_depth)]
        half = max(16, fine_width // 2)
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, width, 3, padding=1),
            *wide,
            nn.Conv2d(width, 4 * fine_width, 3, padding=1),
            nn.PixelShuffle(2),
            ResBlock(fine_width),
            ResBlock(fine_width),
            nn.Conv2d(fine_width, 4 * half, 3, padding=1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(half, 4 * in_channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def depth_blocks(self) -> dict[str, nn.Module]:
        """Its two halves, for sharding."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def encode(self, x: Tensor) -> Any:
        """Pictures (B, C, H, W), sides that divide by 8, -> an output with `latent_dist`.

        Raises:
            ValueError: another number of channels, or sides that do not divide.
        """
        if x.ndim != 4 or x.shape[1] != self.config.in_channels or x.shape[2] % 8 or x.shape[3] % 8:
            raise ValueError(
                f"This autoencoder takes (B, {self.config.in_channels}, H, W) with sides that "
                f"divide by 8; got {tuple(x.shape)}."
            )
        x = x.contiguous(memory_format=torch.channels_last)  # what convolutions are fastest on
        from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
        from diffusers.models.modeling_outputs import AutoencoderKLOutput

        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(self.encoder(x)))

    def decode(self, z: Tensor) -> Any:
        """Latents (B, c, h, w) -> an output with `sample`, (B, C, 8 h, 8 w)."""
        from diffusers.models.autoencoders.vae import DecoderOutput

        return DecoderOutput(sample=self.decoder(z))

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(reconstruction, latents' mean, their log variance); `noise` as the latents."""
        dist = self.encode(x).latent_dist
        z = dist.mean + dist.std * noise.to(dist.mean.dtype)
        return self.decoder(z), dist.mean, dist.logvar


@dataclass(frozen=True)
class AutoencoderObjective:
    """|error| + squared error + |error of the gradients| + kl · KL to the unit normal.

    Args:
        kl: weight of the divergence, small: the latents are to be learned by a generator, but
            detail comes first.
        edges: weight of the gradients' error, which keeps thin lines.

    Raises:
        ValueError: weights below 0.
    """

    kl: float = 1e-4
    edges: float = 1.0
    num_passes: int = 1
    mask_ratio: None = None

    def __post_init__(self) -> None:
        if self.kl < 0 or self.edges < 0:
            raise ValueError(f"kl and edges are 0 or more; got {self.kl:g} and {self.edges:g}.")

    def passes(
        self, model: Any, x0: Tensor, label: Any = None, *, generator: Generators
    ) -> Iterator[dict[str, Tensor]]:
        """One pass: "loss" (B,), "mse" (B,) and "u", zeros; see `mdt.diffusion.objective`."""
        del label
        network = getattr(model, "module", model)
        size = (len(x0), network.config.latent_channels, x0.shape[2] // 8, x0.shape[3] // 8)
        noise = noise_like(x0.new_empty(size), generator)
        out, mean, log_variance = model(x0, noise)
        error = out.float() - x0
        across = (error[..., 1:] - error[..., :-1]).abs().flatten(1).mean(1)
        down = (error[:, :, 1:] - error[:, :, :-1]).abs().flatten(1).mean(1)
        mse = error.square().flatten(1).mean(1)
        loss = error.abs().flatten(1).mean(1) + mse + self.edges * (across + down)
        mean, log_variance = mean.float(), log_variance.float()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        loss = loss + self.kl * divergence.flatten(1).sum(1) / x0.shape[1]
        yield {"loss": loss, "mse": mse.detach(), "u": torch.zeros(len(x0), device=x0.device)}
