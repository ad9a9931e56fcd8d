"""The spectrum of the edit's features, with amplitudes of the second picture mixed in."""

from __future__ import annotations

import torch


def mix_amplitudes(features: torch.Tensor, reference: torch.Tensor, share: float) -> torch.Tensor:
    """Per channel: amplitude (1 - r)|F(x)| + r|F(x_ref)|, phase of x.

    Args:
        features: (B, C, h, w).
        reference: (B, C, h, w), zero outside what is taken.
        share: r in 0..1; 0 gives `features` back as they are.
    """
    if share == 0:
        return features
    own = torch.fft.fft2(features.float())
    other = torch.fft.fft2(reference.float()).abs()
    amplitude = (1 - share) * own.abs() + share * other
    mixed = torch.fft.ifft2(torch.polar(amplitude, own.angle())).real
    return mixed.to(features.dtype)
