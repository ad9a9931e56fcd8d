"""Pictures <-> latents of a loaded pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from editanything.backends.diffusion.loading import Loaded
    from editanything.types import RGB


def encode(loaded: Loaded, image: RGB) -> torch.Tensor:
    """The most likely latents, (1, 4, h, w), scaled as the UNet knows them; nothing is drawn."""
    import torch

    vae = loaded.pipe.vae
    values = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        code = vae.encode(values.to(loaded.device, vae.dtype)).latent_dist.mode()
    return (code * vae.config.scaling_factor).to(loaded.dtype)


def decode(loaded: Loaded, latents: torch.Tensor) -> RGB:
    """RGB uint8 (H, W, 3) of one picture's latents."""
    import torch

    vae = loaded.pipe.vae
    with torch.no_grad():
        values = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor).sample[0]
    rgb = ((values.float() / 2 + 0.5).clamp(0, 1) * 255).round()
    return rgb.permute(1, 2, 0).cpu().numpy().astype(np.uint8)
