"""Data whose perfect denoiser is a formula, and a network that takes milliseconds."""

import math
from types import SimpleNamespace

import pytest
import torch

from mdt.diffusion.prediction import Denoised
from mdt.models import build_model


@pytest.fixture(scope="session")
def gaussian():
    """Pixels of mean m and spread s: x_t ~ N(α·m, α²s² + σ²), and all there is to know of them."""
    m, s = 0.3, 0.5

    def spread(level):
        return math.sqrt((level.alpha * s) ** 2 + level.sigma**2)

    def denoise(x, level):
        gain = level.alpha * s**2 / spread(level) ** 2
        return Denoised(m + gain * (x - level.alpha * m))

    def flow(x, here, there):
        """Where the probability flow carries x: the same quantile of the other normal."""
        return there.alpha * m + spread(there) / spread(here) * (x - here.alpha * m)

    return SimpleNamespace(mean=m, std=s, denoise=denoise, flow=flow)


@pytest.fixture
def tiny():
    """Build a small network with some life in its zero-initialised parts."""

    def build(name="mdtv2_s2", seed=0, **settings):
        defaults = {"input_size": 8, "num_classes": 5}
        if name != "unet_s":
            defaults |= {"hidden_size": 32, "depth": 4, "num_heads": 2}
        if name.startswith("mdt"):
            defaults |= {"decode_layers": 2}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = build_model(name, **{**defaults, **settings})
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
        return model.eval()

    return build
