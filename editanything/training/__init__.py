"""Training on Stable Diffusion bases: SAM-ControlNet, textual inversion, DreamBooth and LoRA.

The trainer is `mdt.train`: the networks, the pictures and the objectives here are named in the YAML
files of configs/train/photo as "editanything.training.module:Name". What is frozen (autoencoder,
text encoder, UNet) is read from the base's folder and is no part of a checkpoint.
"""

from __future__ import annotations

__all__: list[str] = []
