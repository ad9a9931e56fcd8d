"""Features that get the mean and the spread of others: adaptive instance normalisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and biased variance per picture and channel, both (B, C, 1)."""

    mean: torch.Tensor
    variance: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor, mask: torch.Tensor) -> Statistics:
        """Of the pixels of `features` (B, C, h, w) in `mask`, bool (h, w) with a pixel or more."""
        inside = features[:, :, mask].float()
        variance, mean = torch.var_mean(inside, dim=2, keepdim=True, correction=0)
        return cls(mean, variance)

    @property
    def deviation(self) -> torch.Tensor:
        """The standard deviation, at least 0.001, so that flat features can be divided by it."""
        return self.variance.clamp(min=_LEAST_VARIANCE).sqrt()

    def repeated(self, times: int) -> Statistics:
        """For a batch that holds the pictures `times` times."""
        return Statistics(self.mean.repeat(times, 1, 1), self.variance.repeat(times, 1, 1))


def normalised(features: torch.Tensor, mask: torch.Tensor, goal: Statistics) -> torch.Tensor:
    """`features` (B, C, h, w) with the pixels in `mask`, bool (h, w), brought to `goal`.

    x <- (x - mean) / deviation * goal.deviation + goal.mean, own mean and deviation over `mask`.
    Pixels outside the mask stay as they are.
    """
    own = Statistics.of(features, mask)
    inside = features[:, :, mask].float()
    out = features.clone()
    moved = (inside - own.mean) / own.deviation * goal.deviation + goal.mean
    out[:, :, mask] = moved.to(features.dtype)
    return out
