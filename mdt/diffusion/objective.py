"""What training minimises: squared errors, the bound of a learned variance, MDT's two passes.

`Objective` holds the settings; `passes` yields the loss of MDT's full pass and then that of its
masked pass, so that a loop may call backward after each and hold the activations of one only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mdt.devices import move
from mdt.diffusion.guidance import call
from mdt.diffusion.inpaint import Telling
from mdt.diffusion.prediction import (
    learned_log_variance,
    min_snr_weight,
    mixture,
    per_picture,
    split_variance,
    target,
    to_x0,
)
from mdt.diffusion.schedule import Discrete, Schedule, make_schedule, nearest
from mdt.diffusion.times import Times, find_times, uniform_times
from mdt.draws import Generators, draw_uniform, noise_like, shared
from mdt.models.conditioning import Label, drop_label
from mdt.models.masking import draw_kept

Terms = dict[str, Tensor]


def denoising_terms(
    out: Tensor,
    x0: Tensor,
    t: Tensor,
    noise: Tensor,
    *,
    schedule: Schedule,
    prediction: str = "eps",
    min_snr: float | None = None,
    mask: Tensor | None = None,
) -> Terms:
    """The loss of each picture, by term.

    Args:
        out: (B, C or 2C, h, w), the network's output for the noisy picture at `t`.
        x0: (B, C, h, w), clean.
        t: (B,) network times.
        noise: (B, C, h, w), that x0 was noised with.
        schedule: with a learned variance it must be a `Discrete` one.
        prediction: a key of `PREDICTIONS`.
        min_snr: γ of min-SNR weights; None: every time weighs the same.
        mask: (B, 1, h, w), 1 where the error counts; None: everywhere.

    Returns:
        "loss" (B,), to be learned from, and its parts without gradient: "mse" (B,), weighted, and,
        where the variance is learned, "vb" (B,) in bits per dimension.
    """
    alpha, sigma = schedule.at(t)
    out, variance = split_variance(out, x0.shape[1])
    error = target(x0, noise, alpha, sigma, prediction) - out
    mse = _mean(error.square(), mask)
    if min_snr is not None:
        # MDT weighs the squared error alone, not the bound.
        mse = mse * per_picture(min_snr_weight(alpha, sigma, prediction, min_snr), mse)
    terms = {"loss": mse, "mse": mse.detach()}
    if variance is not None:
        if not isinstance(schedule, Discrete):
            raise ValueError("A learned variance needs a schedule of discrete times, or no sigma.")
        x = noised(x0, noise, alpha, sigma)
        # Only the variance learns from the bound [Nichol & Dhariwal 2021, section 3.1].
        guess = to_x0(out.detach(), x, alpha, sigma, prediction)
        bound = variational_bound(x0, x, guess, variance, t, schedule)
        terms = {"loss": mse + bound, "mse": mse.detach(), "vb": bound.detach()}
    return terms


def _mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """(B, C, h, w) -> (B,), of what the mask (B, 1, h, w) leaves."""
    if mask is None:
        return values.flatten(1).mean(1)
    total = (values * mask).flatten(1).sum(1)
    return total / (mask.flatten(1).sum(1) * values.shape[1]).clamp(min=1)


def noised(x0: Tensor, noise: Tensor, alpha: Any, sigma: Any) -> Tensor:
    """α·x0 + σ·ε, with α and σ numbers or (B,)."""
    return per_picture(alpha, x0) * x0 + per_picture(sigma, x0) * noise


def variational_bound(
    x0: Tensor, x: Tensor, guess: Tensor, variance: Tensor, t: Tensor, schedule: Discrete
) -> Tensor:
    """One term of the variational bound of each picture, in bits per dimension [Ho et al. 2020].

    KL(q(x_{t-1} | x_t, x0) ‖ p(x_{t-1} | x_t)), and at t = 0 the likelihood of x0 in 8-bit steps
    (equations 5 and 13).

    Args:
        x0: (B, C, h, w), clean, in [-1, 1] where it is pixels.
        x: (B, C, h, w), noisy.
        guess: (B, C, h, w), the network's x0.
        variance: (B, C, h, w), the network's v.
        t: (B,) whole times.
        schedule: of these times.
    """
    here, there = schedule.table(t).unbind(1), schedule.table(t - 1).unbind(1)
    (alpha, sigma, largest, smallest), (alpha_s, sigma_s) = here, there[:2]
    beta = largest.exp()
    keep = alpha / alpha_s * (sigma_s / sigma) ** 2  # eq. 7
    add = alpha_s * beta / sigma**2
    shift = per_picture(add, x) * (x0 - guess)  # between the two means: x itself cancels
    log_q, log_p = per_picture(smallest, x), learned_log_variance(variance, smallest, largest)
    kl = 0.5 * (log_p - log_q - 1 + torch.exp(log_q - log_p) + shift.square() * torch.exp(-log_p))
    mean = per_picture(keep, x) * x + per_picture(add, x) * guess
    nll = -eight_bit_log_likelihood(x0, mean, 0.5 * log_p)
    bits = torch.where(per_picture(t == 0, kl).bool(), nll, kl)
    return bits.flatten(1).mean(1) / math.log(2)


def eight_bit_log_likelihood(x0: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Log-likelihood of x0 in a normal cut into steps of 2/255 in [-1, 1] [Ho et al. 2020, eq. 13].

    The normal's integral is approximated with tanh, as published code has it.
    """
    away, sharp = x0 - mean, torch.exp(-log_std)
    below, above = _normal_cdf(sharp * (away - 1 / 255)), _normal_cdf(sharp * (away + 1 / 255))
    inside = torch.where(x0 > 0.999, 1 - below, above - below)
    return torch.where(x0 < -0.999, above, inside).clamp(min=1e-12).log()


def _normal_cdf(x: Tensor) -> Tensor:
    return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@dataclass(frozen=True)
class Objective:
    """The settings of a loss; `terms` gives it for a batch.

    Args:
        schedule: how noise grows.
        prediction: a key of `PREDICTIONS`.
        times: how times are drawn, such as a value of `TIMES`.
        min_snr: γ of min-SNR weights [Hang et al. 2023], or None.
        label_drop: how often a label is replaced by the null label, for guidance.
        mask_ratio: share of tokens that the masked pass hides, or (low, high) to draw the share
            once a step; None: no masked pass.
        masked_weight: of the masked pass; published: 1.
        alternate: share of the steps that are a masked pass alone, the others being a full pass
            alone: half of the work of a step for other noise levels. None: both passes in every
            step, as published.
        shared: whether both passes see the same noise and the same dropped labels. Published: no.

    Raises:
        ValueError: an unknown prediction, or shares out of range.
    """

    schedule: Schedule
    prediction: str = "eps"
    times: Times = uniform_times
    min_snr: float | None = None
    label_drop: float = 0.1
    mask_ratio: float | tuple[float, float] | None = None
    masked_weight: float = 1.0
    shared: bool = False
    alternate: float | None = None

    def __post_init__(self) -> None:
        mixture(self.prediction, 0.5, 0.5)
        ratio = self.mask_ratio
        shares = ratio if isinstance(ratio, tuple) and len(ratio) == 2 else (ratio,)
        names = ("label_drop", "masked_weight", "min_snr", "alternate")
        told = [*(("mask_ratio", one) for one in shares), *((n, getattr(self, n)) for n in names)]
        for name, value in told:
            if value is None and name not in ("label_drop", "masked_weight"):
                continue
            if not isinstance(value, int | float) or isinstance(value, bool):
                more = ", or two: [0.3,0.5]" if name == "mask_ratio" else ""
                raise ValueError(f"{name} is a number{more}; got {value!r}.")  # noqa: TRY004
            if name in ("label_drop", "mask_ratio") and not 0 <= value < 1:
                raise ValueError(f"{name} lies from 0 up to, but not including, 1; got {value:g}.")
        if self.alternate is not None and (self.mask_ratio is None or not 0 <= self.alternate <= 1):
            raise ValueError(
                "alternate is a share from 0 to 1 and needs a mask_ratio; got "
                f"{self.alternate:g} with mask_ratio {self.mask_ratio}."
            )
        if self.min_snr is not None and self.min_snr <= 0:
            raise ValueError(f"min_snr is above 0, or None for no weights; got {self.min_snr:g}.")

    def passes(
        self,
        model: Callable[..., Tensor],
        x0: Tensor,
        label: Label = None,
        *,
        generator: Generators,
    ) -> Iterator[Terms]:
        """The terms of the full pass, then of the masked pass; the step's loss is their sum.

        Args:
            model: a `Network`, also wrapped for several processes.
            x0: (B, C, h, w) clean latents or pixels; for a network with a mask channel
                (B, 2C + 1, h, w): the picture, what is known of it, and 1 where it is to be drawn:
                only there it is noised, and only there the error counts.
            label: (B,) classes, (B, L, K) ids of words, a `Text`, or None.
            generator: source of times, noise, dropped labels and hidden tokens; one for the
                batch, one for each picture, or `StepGenerators`.

        Yields:
            See `denoising_terms`, and "u" (B,): how far from clean (0) to noise (1) a picture is.
            The masked pass is weighted already, and tells "hidden" (B,), the share of tokens
            hidden, too.
        """
        network: Any = getattr(model, "module", model)
        mask = None
        if network.config.get("mask_channel"):
            x0, known, mask = x0.tensor_split((len(x0[0]) // 2, -1), dim=1)
            model = Telling(model, known, mask)
        u = move(self.times(len(x0), generator), x0.device)
        t = self.schedule.time_from(u)
        full, masked = self._which(generator)
        noise, told = noise_like(x0, generator), self._told(network, label, generator)
        if full:
            yield {**self._terms(model, x0, t, noise, told, None, mask), "u": u}
        if not masked or self.mask_ratio is None:
            return
        if full and not self.shared:
            # As published: the same picture and time, but another noise and other dropped labels.
            noise, told = noise_like(x0, generator), self._told(network, label, generator)
        tokens = network.num_tokens(x0)
        kept = draw_kept(len(x0), tokens, self.mask_ratio, generator=generator, device=x0.device)
        terms = self._terms(model, x0, t, noise, told, kept, mask)
        terms = {name: self.masked_weight * value for name, value in terms.items()}
        hidden = torch.full_like(terms["mse"], 1 - kept.shape[1] / tokens)
        yield {**terms, "u": u, "hidden": hidden}

    @property
    def num_passes(self) -> int:
        """How many passes a step has."""
        return 1 if self.mask_ratio is None or self.alternate is not None else 2

    def _which(self, generator: Generators) -> tuple[bool, bool]:
        """Whether this step has a full and a masked pass."""
        if self.mask_ratio is None:
            return True, False
        if self.alternate is None:
            return True, True
        masked = float(draw_uniform((1,), shared(generator))) < self.alternate
        return not masked, masked

    def terms(
        self,
        model: Callable[..., Tensor],
        x0: Tensor,
        label: Label = None,
        *,
        generator: Generators,
    ) -> Terms:
        """All terms at once, (B,) each: "loss", "mse", "vb", and those of the masked pass.

        `terms(...)["loss"].mean()` is what to call backward on. See `passes` for the arguments.
        """
        full, *masked = self.passes(model, x0, label, generator=generator)
        for part in (full, *masked):
            for told in ("u", "hidden"):
                part.pop(told, None)
        for part in masked:
            full |= {f"masked_{name}": value for name, value in part.items()}
            full["loss"] = full["loss"] + part["loss"]
        return full

    def _told(self, network: Any, label: Label, generator: Generators) -> Label:
        if label is None or self.label_drop == 0:
            return label
        return drop_label(label, network.null_label(label), self.label_drop, generator)

    def _terms(
        self,
        model: Callable[..., Tensor],
        x0: Tensor,
        t: Tensor,
        noise: Tensor,
        label: Label,
        kept: Tensor | None,
        mask: Tensor | None,
    ) -> Terms:
        x = noised(x0, noise, *self.schedule.at(t))
        out = call(model, x, t, label, kept)
        return denoising_terms(
            out.to(x0.dtype),
            x0,
            t,
            noise,
            schedule=self.schedule,
            prediction=self.prediction,
            min_snr=self.min_snr,
            mask=mask,
        )


#: name -> settings. "mdt" and "mdtv2" as published; "dit" without the masked pass and weights;
#: "flow" the rectified flow with middling times; "mdt_flow" that in both passes.
OBJECTIVES: dict[str, dict[str, Any]] = {
    "dit": {"schedule": "linear"},
    "mdt": {"schedule": "linear", "mask_ratio": 0.3},
    "mdtv2": {"schedule": "linear", "min_snr": 5.0, "mask_ratio": (0.3, 0.5)},
    "flow": {"schedule": "flow", "prediction": "flow", "times": "logit_normal"},
    "mdt_flow": {
        "schedule": "flow",
        "prediction": "flow",
        "times": "logit_normal",
        "mask_ratio": (0.3, 0.5),
    },
}


def settings_of(name: str, **settings: Any) -> dict[str, Any]:
    """The settings of the objective `name`, with some changed; schedule and prediction are named.

    Raises:
        ValueError: an unknown name (names the nearest) or setting.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"There is no objective {name!r}{nearest(name, OBJECTIVES)}")
    known = [field for field in Objective.__dataclass_fields__ if not field.startswith("_")]
    for key in settings:
        if key not in known:
            raise ValueError(f"An objective has no setting {key!r}{nearest(key, known)}")
    return {"prediction": "eps", **OBJECTIVES[name], **settings}


def make_objective(name: str, **settings: Any) -> Objective:
    """The objective `name` of `OBJECTIVES`, with some settings changed.

    Args:
        name: a key of `OBJECTIVES`.
        settings: of `Objective`. A schedule may be a name of `make_schedule`; times a name of
            `TIMES`, or {"name": ..., and settings of that function}; a mask ratio a list of two.

    Raises:
        ValueError: an unknown name (names the nearest) or setting.
    """
    made = settings_of(name, **settings)
    if isinstance(made["schedule"], str):
        made["schedule"] = make_schedule(made["schedule"])
    if "times" in made and not callable(made["times"]):
        made["times"] = find_times(made["times"])
    if isinstance(made.get("mask_ratio"), list):
        made["mask_ratio"] = tuple(made["mask_ratio"])
    return Objective(**made)
