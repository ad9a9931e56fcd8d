"""What a network predicts, and how to turn one prediction into another.

With x = α·x0 + σ·ε every prediction is a mixture a·x0 + b·ε, so two lines of algebra do them all:
with d = α·b - σ·a,  x0 = (b·x - σ·out)/d  and  ε = (α·out - a·x)/d.
α and σ are numbers, or (B,) tensors with one value for each picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mdt.diffusion.schedule import Level, nearest

Amount = float | Tensor


class Denoised(NamedTuple):
    """What a denoiser says of a noisy picture."""

    x0: Tensor  # (B, C, h, w): the mean of the clean picture
    variance: Tensor | None = None  # (B, C, h, w): -1 ... 1, from log β̃ to log β, where learned


Denoiser = Callable[[Tensor, Level], Denoised]

#: name -> (a, b) of the prediction a·x0 + b·ε, given α and σ
PREDICTIONS: dict[str, Callable[[Amount, Amount], tuple[Amount, Amount]]] = {
    "eps": lambda alpha, sigma: (0.0, 1.0),  # noqa: ARG005  [Ho et al. 2020]
    "x0": lambda alpha, sigma: (1.0, 0.0),  # noqa: ARG005
    "v": lambda alpha, sigma: (-sigma, alpha),  # [Salimans & Ho 2022]
    "flow": lambda alpha, sigma: (-1.0, 1.0),  # noqa: ARG005  [Liu et al. 2022]
}


def mixture(prediction: str, alpha: Amount, sigma: Amount) -> tuple[Amount, Amount]:
    """(a, b) of `prediction`.

    Raises:
        ValueError: an unknown prediction.
    """
    if prediction not in PREDICTIONS:
        raise ValueError(f"There is no prediction {prediction!r}{nearest(prediction, PREDICTIONS)}")
    return PREDICTIONS[prediction](alpha, sigma)


def to_x0(out: Tensor, x: Tensor, alpha: Amount, sigma: Amount, prediction: str) -> Tensor:
    """The clean picture that a prediction `out` for the noisy x (B, C, h, w) stands for."""
    if prediction == "x0":
        return out
    alpha, sigma = per_picture(alpha, x), per_picture(sigma, x)
    a, b = mixture(prediction, alpha, sigma)
    return (b * x - sigma * out) / (alpha * b - sigma * a)


def to_eps(out: Tensor, x: Tensor, alpha: Amount, sigma: Amount, prediction: str) -> Tensor:
    """The noise that a prediction `out` for the noisy x (B, C, h, w) stands for."""
    if prediction == "eps":
        return out
    alpha, sigma = per_picture(alpha, x), per_picture(sigma, x)
    a, b = mixture(prediction, alpha, sigma)
    return (alpha * out - a * x) / (alpha * b - sigma * a)


def target(x0: Tensor, eps: Tensor, alpha: Amount, sigma: Amount, prediction: str) -> Tensor:
    """What a perfect network would put out for x = α·x0 + σ·ε."""
    a, b = mixture(prediction, per_picture(alpha, x0), per_picture(sigma, x0))
    return a * x0 + b * eps


def convert(out: Tensor, x: Tensor, alpha: Amount, sigma: Amount, source: str, to: str) -> Tensor:
    """The prediction `out` of kind `source` for the noisy x, as one of kind `to`."""
    if source == to:
        return out
    x0 = to_x0(out, x, alpha, sigma, source)
    eps = to_eps(out, x, alpha, sigma, source)
    return target(x0, eps, alpha, sigma, to)


def min_snr_weight(alpha: Amount, sigma: Amount, prediction: str, gamma: float) -> Amount:
    """The weight of a squared error so that, seen at x0, it is min(SNR, γ) [Hang et al. 2023].

    An error e of the output is an error (σ/d)·e of x0: for ε this is min(SNR, γ)/SNR, for v of a
    variance-preserving path min(SNR, γ)/(SNR + 1).
    """
    a, b = mixture(prediction, alpha, sigma)
    d = alpha * b - sigma * a
    snr = (alpha / sigma) ** 2
    least = snr.clamp(max=gamma) if isinstance(snr, Tensor) else min(snr, gamma)
    return least * (sigma / d) ** 2


def split_variance(out: Tensor, channels: int) -> tuple[Tensor, Tensor | None]:
    """(prediction, learned variance or None) of a network's output for `channels` channels.

    Raises:
        ValueError: an output that has neither as many channels nor twice as many.
    """
    if out.shape[1] == channels:
        return out, None
    if out.shape[1] == 2 * channels:
        return out[:, :channels], out[:, channels:]
    raise ValueError(
        f"For {channels} channels a network puts out {channels}, or {2 * channels} with a learned "
        f"variance; got {out.shape[1]}."
    )


def learned_log_variance(variance: Tensor, smallest: Amount, largest: Amount) -> Tensor:
    """Log-variance between log β̃ (at -1) and log β (at 1) [Nichol & Dhariwal 2021, eq. 15]."""
    share = (variance + 1) / 2
    return share * per_picture(largest, variance) + (1 - share) * per_picture(smallest, variance)


def denoiser(
    model: Callable[..., Tensor], prediction: str = "eps", *, clip: float | None = None
) -> Denoiser:
    """A network `model(x, t)` as the function that samplers ask: (x, level) -> Denoised.

    Args:
        model: such as `guided(...)` gives; t comes as (B,) float32.
        prediction: a key of `PREDICTIONS`.
        clip: bound of |x0|: 1 for pixels in [-1, 1], None for latents.

    Raises:
        ValueError: an unknown prediction, or a bound that is not above 0.
    """
    mixture(prediction, 0.5, 0.5)
    if clip is not None and clip <= 0:
        raise ValueError(f"clip bounds |x0| and must be above 0; got {clip:g}.")

    def denoise(x: Tensor, level: Level) -> Denoised:
        t = torch.full((len(x),), level.t, dtype=torch.float32, device=x.device)
        out, variance = split_variance(model(x, t).to(x.dtype), x.shape[1])
        x0 = to_x0(out, x, level.alpha, level.sigma, prediction)
        return Denoised(x0 if clip is None else x0.clamp(-clip, clip), variance)

    return denoise


def per_picture(value: Any, x: Tensor) -> Any:
    """A number as it is; a (B,) tensor in x's type and as (B, 1, 1, 1), to multiply x with."""
    if not isinstance(value, Tensor):
        return value
    shape: Sequence[int] = [-1, *[1] * (x.ndim - 1)] if value.ndim == 1 else value.shape
    return value.to(x.dtype).reshape(shape)
