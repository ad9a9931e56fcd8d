"""A Stable Diffusion base as training needs it: opened from its folder, and frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from editanything.backends.diffusion.weights import open_weights
from editanything.errors import InputError
from editanything.hub import only_here
from mdt.draws import Generators, draw_noise, draw_uniform

_BROKEN = (OSError, ValueError, KeyError, RuntimeError, ImportError)


def open_part(base: str, part: str) -> Any:
    """A part of a pipeline's folder or hub id, in float32: "unet", "vae", ...

    Raises:
        InputError: no such folder or part; safetensors alone are opened.
    """
    import diffusers
    import transformers

    home, kind = {
        "unet": (diffusers, "UNet2DConditionModel"),
        "vae": (diffusers, "AutoencoderKL"),
        "scheduler": (diffusers, "DDPMScheduler"),
        "text_encoder": (transformers, "CLIPTextModel"),
        "tokenizer": (transformers, "CLIPTokenizer"),
    }[part]
    if not base:
        raise InputError("Say which base is trained on: model.base=FOLDER (or a hub id).")
    opener = getattr(home, kind).from_pretrained
    more: dict[str, Any] = {"subfolder": part, **only_here(base)}
    try:
        if part in {"unet", "vae", "text_encoder"}:
            # transformers would otherwise keep the precision of the file.
            return open_weights(opener, base, dtype=torch.float32, **more)
        return opener(base, **more)
    except _BROKEN as error:
        first = str(error).strip().split("\n")[0][:160]
        where = base if Path(base).exists() else f"{base} (no folder here)"
        raise InputError(
            f"The {part} of {where} cannot be opened: {first} Give the folder of a Stable "
            "Diffusion pipeline with safetensors, or a hub id where there is a network."
        ) from None


@dataclass(eq=False)
class Frozen:
    """The parts of a base that do not learn; each is opened when it is first asked for."""

    base: str
    _parts: dict[str, Any] = field(default_factory=dict)

    def part(self, name: str, device: torch.device | None = None) -> Any:
        """A part in eval(), without gradients, on a device."""
        if name not in self._parts:
            opened = open_part(self.base, name)
            if isinstance(opened, torch.nn.Module):
                opened.eval().requires_grad_(False)
            self._parts[name] = opened
        found = self._parts[name]
        if device is not None and isinstance(found, torch.nn.Module) and found.device != device:
            found.to(device)
        return found

    def latents(self, pixels: Tensor, generator: Generators) -> Tensor:
        """Scaled latents (B, c, h, w) of pixels (B, 3, H, W) in [-1, 1], drawn [VAE]."""
        vae = self.part("vae", pixels.device)
        with torch.no_grad():
            spread = vae.encode(pixels).latent_dist
        noise = draw_noise(spread.mean.shape, generator, device=pixels.device)
        return (spread.mean + spread.std * noise) * vae.config.scaling_factor

    def tokens(self, captions: Sequence[str], device: torch.device) -> Tensor:
        """Token ids (B, L), padded."""
        tokenizer = self.part("tokenizer")
        ids = tokenizer(
            list(captions), padding="max_length", truncation=True, return_tensors="pt",
            max_length=tokenizer.model_max_length,
        ).input_ids  # fmt: skip
        return ids.to(device)

    def noised(self, latents: Tensor, generator: Generators) -> Noised:
        """Latents at times that are drawn, and what the network has to say of them."""
        scheduler = self.part("scheduler")
        total = int(scheduler.config.num_train_timesteps)
        drawn = draw_uniform((len(latents), 1), generator)[:, 0]
        t = (drawn * total).long().to(latents.device)
        noise = draw_noise(latents.shape, generator, device=latents.device)
        kind = scheduler.config.prediction_type
        if kind not in {"epsilon", "v_prediction"}:
            raise InputError(
                f"{self.base} predicts {kind}; epsilon or v_prediction can be trained."
            )
        target = noise if kind == "epsilon" else scheduler.get_velocity(latents, noise, t)
        return Noised(scheduler.add_noise(latents, noise, t), t, target, t / total)


@dataclass(frozen=True, eq=False)
class Noised:
    """Noisy latents (B, c, h, w), their times (B,) int64, the target, and the times in [0, 1)."""

    x: Tensor
    t: Tensor
    target: Tensor
    u: Tensor

    def terms(self, predicted: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """What an objective yields: the mean squared error of every picture (B,), weighted."""
        each = (predicted.float() - self.target.float()).square().mean((1, 2, 3))
        loss = each if weight is None else each * weight.to(each.device)
        return {"loss": loss, "mse": each.detach(), "u": self.u}


@lru_cache(maxsize=4)
def frozen(base: str) -> Frozen:
    """The base's frozen parts, held once a process."""
    return Frozen(base)


def dropped(captions: Sequence[str], share: float, generator: Generators) -> list[str]:
    """Captions of which a share is drawn to be empty, so that guidance works."""
    if not share:
        return list(captions)
    drawn = draw_uniform((len(captions), 1), generator)[:, 0].tolist()
    return ["" if u < share else text for u, text in zip(drawn, captions, strict=True)]


def check_share(name: str, value: float) -> None:
    """Refuse what is no share.

    Raises:
        ValueError: outside of 0 to 1.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is 0 to 1; got {value:g}.")
