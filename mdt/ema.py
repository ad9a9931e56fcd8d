"""Averages of the weights: power-function and classic ones, and any other width after the run.

A power-function average weighs step t in proportion to t^γ, so that its width stays the same share
σ_rel of the run [Karras et al. 2024, "Analyzing and Improving the Training Dynamics", section 3].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mdt.optim import each


def gamma_from_width(width: float) -> float:
    """γ of the power function whose standard deviation is `width` of the run [eq. 126].

    Raises:
        ValueError: a width outside of (0, 0.28]: beyond that γ would be below 0.
    """
    if not 0 < width <= 0.28:
        raise ValueError(f"The width of an average lies above 0, up to 0.28; got {width:g}.")
    # σ² = (γ + 1) / ((γ + 2)² (γ + 3)), solved for γ.
    inverse = width**-2
    roots = np.roots([1, 7, 16 - inverse, 12 - inverse])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-9))


def power_decay(step: int, width: float) -> float:
    """β_t = (1 - 1/t)^(γ + 1): what is kept of the average at step t = 1, 2, ... [eq. 127]."""
    return (1 - 1 / step) ** (gamma_from_width(width) + 1)


def classic_decay(step: int, decay: float) -> float:
    """A constant decay that starts as a plain mean, so that the first weights do not linger."""
    return min(decay, (step - 1) / step)


class Ema:
    """Averages of a network's parameters.

    Args:
        model: whose parameters are averaged; its buffers are not.
        widths: σ_rel of power-function averages.
        decays: of classic averages.

    Raises:
        ValueError: widths or decays out of range.
    """

    def __init__(
        self, model: nn.Module, widths: Sequence[float] = (0.05, 0.10), decays: Sequence[float] = ()
    ) -> None:
        for decay in decays:
            if not 0 <= decay < 1:
                raise ValueError(f"A decay lies from 0 up to, but not including, 1; got {decay:g}.")
        self.rules: list[tuple[str, Callable[[int, float], float], float]]
        self.rules = [(f"power_{w:g}", power_decay, w) for w in widths]
        self.rules += [(f"decay_{d:g}", classic_decay, d) for d in decays]
        for width in widths:
            gamma_from_width(width)
        names = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        self.averages = {
            key: {name: p.detach().clone() for name, p in names} for key, _, _ in self.rules
        }

    @property
    def names(self) -> list[str]:
        """Of the averages, the one to draw pictures from first."""
        return [name for name, _, _ in self.rules]

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after step 1, 2, ..."""
        now: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        for name, rule, value in self.rules:
            average = list(self.averages[name].values())
            each.lerp_(average, now, 1 - rule(step, value))


def _profile_product(a: tuple[float, float], b: tuple[float, float]) -> float:
    """∫ of two averages' weights over the run, each (γ, end) [Karras et al. 2024, eq. 135]."""
    (gamma_a, end_a), (gamma_b, end_b) = a, b
    # Where the shorter one ends, the longer one has t^γ left of its weight.
    exponent = gamma_b if end_a < end_b else -gamma_a
    top = (gamma_a + 1) * (gamma_b + 1) * (end_a / end_b) ** exponent
    return top / ((gamma_a + gamma_b + 1) * max(end_a, end_b))


def posthoc_weights(
    snapshots: Sequence[tuple[float, float]], wanted: tuple[float, float]
) -> np.ndarray:
    """How much of each snapshot makes the average that comes nearest to the wanted one.

    Least squares between the averages' profiles [Karras et al. 2024, section 3.2].

    Args:
        snapshots: (σ_rel, step at which it was taken).
        wanted: (σ_rel, step at which it ends).

    Returns:
        (len(snapshots),) float64, of sum one.
    """
    profiles = [(gamma_from_width(width), float(step)) for width, step in snapshots]
    goal = (gamma_from_width(wanted[0]), float(wanted[1]))
    products = np.array([[_profile_product(a, b) for b in profiles] for a in profiles])
    against = np.array([_profile_product(a, goal) for a in profiles])
    # The system is badly conditioned where snapshots lie close, so it is solved by lstsq.
    weights = np.linalg.lstsq(products, against, rcond=None)[0]
    return weights / weights.sum()


def combine(
    snapshots: Iterable[Mapping[str, Tensor]], weights: Sequence[float]
) -> dict[str, Tensor]:
    """Σ weight · snapshot, by parameter, summed in float32 (float64 where it is given)."""
    total: dict[str, Tensor] = {}
    for snapshot, weight in zip(snapshots, weights, strict=True):
        for name, value in snapshot.items():
            wide = value if value.dtype == torch.float64 else value.float()
            part = wide * float(weight)
            total[name] = total[name] + part if name in total else part
    return total
