"""Photo-grade painting with the pipelines of `diffusers`: Stable Diffusion, SDXL, FLUX, Qwen."""

from __future__ import annotations

__all__: list[str] = []
