"""Masked Diffusion Transformer: pictures made by latent mask modelling."""

from mdt.version import __version__

__all__ = ["__version__"]
