"""Schedulers of diffusers: which noise schedule and prediction they stand for, and how to ask them.

A pipeline's scheduler settings are the one place where its noise schedule and prediction are kept;
the samplers of `mdt.diffusion` read them from there.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler
from torch import Tensor

from mdt.diffusion.objective import settings_of
from mdt.diffusion.prediction import mixture, target, to_x0
from mdt.diffusion.schedule import Discrete, Flow, Level, cosine, nearest, scaled_linear

#: diffusers' names of predictions -> ours
PREDICTION_TYPES = {
    "epsilon": "eps",
    "sample": "x0",
    "v_prediction": "v",
    "flow_prediction": "flow",
}
#: diffusers' spacings that have another name here
_SPACINGS = {"linspace": "respaced", None: "respaced"}
#: our schedule -> diffusers' settings
_SETTINGS: dict[str, dict[str, Any]] = {
    "linear": {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02},
    "scaled_linear": {"beta_schedule": "scaled_linear", "beta_start": 8.5e-4, "beta_end": 0.012},
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
    "flow": {"use_flow_sigmas": True, "flow_shift": 1.0},
}


def make_scheduler(schedule: str = "linear", prediction: str | None = None) -> Any:
    """DPM-Solver++(2M) of diffusers for a network trained so.

    Args:
        schedule: "linear" (as published), "scaled_linear", "cosine" or "flow".
        prediction: a key of `PREDICTIONS`; None: "flow" with that schedule, else "eps".

    Raises:
        ValueError: an unknown name, or a flow prediction with another schedule.
    """
    if schedule not in _SETTINGS:
        raise ValueError(f"There is no schedule {schedule!r}{nearest(schedule, _SETTINGS)}")
    if prediction is None:
        prediction = "flow" if schedule == "flow" else "eps"
    mixture(prediction, 0.5, 0.5)
    if (schedule == "flow") != (prediction == "flow"):
        raise ValueError(
            "The flow schedule and the flow prediction go together; "
            f"got schedule {schedule!r} and prediction {prediction!r}."
        )
    (kind,) = [theirs for theirs, ours in PREDICTION_TYPES.items() if ours == prediction]
    return DPMSolverMultistepScheduler(prediction_type=kind, **_SETTINGS[schedule])


def scheduler_of(objective: Mapping[str, Any]) -> Any:
    """The scheduler for a network that was trained with these settings of a denoiser's objective.

    Raises:
        ValueError: an unknown name or setting, or a schedule and a prediction that train together
            but that no scheduler walks.
    """
    told = settings_of(**objective)
    return make_scheduler(told["schedule"], told["prediction"])


def noise_schedule(scheduler: Any) -> tuple[Discrete | Flow, str]:
    """(schedule, prediction) that a scheduler's settings stand for.

    Raises:
        ValueError: a prediction that is not ours.
    """
    config = scheduler.config
    if not hasattr(scheduler, "betas"):
        return Flow(config.get("shift", 1.0)), "flow"
    kind = config.get("prediction_type", "epsilon")
    if kind not in PREDICTION_TYPES:
        raise ValueError(f"There is no prediction_type {kind!r}{nearest(kind, PREDICTION_TYPES)}")
    if config.get("use_flow_sigmas"):
        return Flow(config.get("flow_shift", 1.0)), "flow"
    return _discrete(scheduler), PREDICTION_TYPES[kind]


def levels_of(scheduler: Any, num_steps: int) -> list[Level]:
    """The levels that our samplers walk: the schedule and spacing of a scheduler's settings."""
    schedule, _ = noise_schedule(scheduler)
    if isinstance(schedule, Flow):
        return schedule.levels(num_steps)
    config = scheduler.config
    spacing = "karras" if config.get("use_karras_sigmas") else config.get("timestep_spacing")
    return schedule.levels(num_steps, _SPACINGS.get(spacing, spacing))


def _discrete(scheduler: Any) -> Discrete:
    """The chain of βs, in float64 where the settings give it."""
    config = scheduler.config
    count, first, last = config.num_train_timesteps, config.beta_start, config.beta_end
    if config.get("trained_betas") is not None:
        return Discrete(config.trained_betas)
    if config.beta_schedule == "linear":
        return Discrete(torch.linspace(first, last, count, dtype=torch.float64))
    if config.beta_schedule == "scaled_linear":
        return scaled_linear(count, first, last)
    if config.beta_schedule == "squaredcos_cap_v2":
        return cosine(count)
    return Discrete(scheduler.betas)


def fresh(scheduler: Any) -> Any:
    """A copy to walk with, so that two callers do not disturb each other.

    A learned variance is for DDPM alone; the other schedulers that know the setting cut the
    prediction to three channels.
    """
    learned = str(scheduler.config.get("variance_type", "")).startswith("learned")
    if learned and not isinstance(scheduler, DDPMScheduler):
        return type(scheduler).from_config(scheduler.config, variance_type=None)
    return type(scheduler).from_config(scheduler.config)


def takes_variance(scheduler: Any) -> bool:
    """Whether the scheduler wants the learned variance beside the prediction."""
    learned = str(scheduler.config.get("variance_type", "")).startswith("learned")
    return learned and isinstance(scheduler, DDPMScheduler)


def set_times(scheduler: Any, num_steps: int, device: torch.device) -> None:
    """Choose the times of a walk of num_steps."""
    if hasattr(scheduler, "betas"):
        scheduler.set_timesteps(num_steps, device=device)
    else:  # its own choice of flow times spends a step on nothing
        scheduler.set_timesteps(
            sigmas=np.linspace(1, 1 / num_steps, num_steps).tolist(), device=device
        )


def scaled_input(scheduler: Any, x: Tensor, t: Tensor) -> Tensor:
    """What the network is shown of x."""
    if hasattr(scheduler, "scale_model_input"):
        return scheduler.scale_model_input(x, t)
    return x


def step_settings(scheduler: Any, generator: Any) -> dict[str, Any]:
    """What `step` of this scheduler takes besides prediction, time and x."""
    takes = inspect.signature(scheduler.step).parameters
    return {"generator": generator} if "generator" in takes else {}


def pin(
    out: Tensor, x: Tensor, t: float, known: Tensor, mask: Tensor, told: tuple[Discrete | Flow, str]
) -> Tensor:
    """The prediction `out`, outside the mask replaced by the one that stands for `known`.

    Args:
        out: (B, C or 2C, h, w) of the network.
        x: (B, C, h, w) as the network saw it.
        t: the time it was told.
        known: (B or 1, C, h, w).
        mask: (B or 1, 1, h, w) bool, True where to draw anew.
        told: (schedule, prediction) of `noise_schedule`.
    """
    _, prediction = told
    alpha, sigma = _amounts(t, told)
    right = target(known, (x - alpha * known) / sigma, alpha, sigma, prediction)
    count = x.shape[1]
    return torch.cat([torch.where(mask, out[:, :count], right), out[:, count:]], dim=1)


def guess(out: Tensor, x: Tensor, t: float, told: tuple[Discrete | Flow, str]) -> Tensor:
    """The clean latents (B, C, h, w) that the prediction `out` stands for; see `pin`."""
    _, prediction = told
    return to_x0(out[:, : x.shape[1]], x, *_amounts(t, told), prediction)


def _amounts(t: float, told: tuple[Discrete | Flow, str]) -> tuple[float, float]:
    """(α, σ) at the time t."""
    schedule, _ = told
    if isinstance(schedule, Flow):
        sigma = t / schedule.num_times
        return 1 - sigma, sigma
    _, alpha, sigma = schedule.level(t)
    return alpha, sigma
