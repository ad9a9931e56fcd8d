"""Samplers: plain functions `(denoiser, x, levels, ...) -> x` from noise to a picture.

A sampler walks falling `Level`s and asks the denoiser at each of them but the last: N + 1 levels
are N evaluations (2N - 1 for Heun, which asks twice). It knows neither the schedule that made the
levels nor the network behind the denoiser. All arithmetic on coefficients is float64.

Every sampler takes
    callback: called after each step with a `Step`;
    progress: wraps the iterable of steps, e.g. `tqdm`.
Those that draw noise take
    generator: one, or one for each picture, so that picture number 7 is the same in any batch.
All raise ValueError for levels that do not fall, or noise without a generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mdt.diffusion.prediction import Denoised, Denoiser, learned_log_variance
from mdt.diffusion.schedule import Level, nearest
from mdt.draws import Generators, noise_like


class Step(NamedTuple):
    """What a callback is told."""

    done: int  # steps taken, from 1
    num_steps: int
    level: Level  # that was reached
    x: Tensor  # (B, C, h, w) there
    x0: Tensor  # (B, C, h, w), the clean picture as last guessed


Callback = Callable[[Step], object] | None
Progress = Callable[[Iterable[int]], Iterable[int]] | None


class Between(NamedTuple):
    """How x at a level follows from x and x0 at a noisier one: coefficients of q(x_s | x_t, x0).

    q = N(keep·x_t + add·x0, variance), and forward q(x_t | x_s) = N(scale·x_s, forward_variance)
    [Ho et al. 2020, eq. 2, 6 and 7; for any α and σ: Kingma et al. 2021, appendix A].
    """

    scale: float  # α_t/α_s
    forward_variance: float  # σ_t² - (α_t/α_s)²·σ_s², which is β where α² + σ² = 1
    keep: float
    add: float
    variance: float  # β̃


def between(here: Level, there: Level) -> Between:
    """The step from the noisier level `here` to `there`."""
    scale = here.alpha / there.alpha
    # σ_t²·(1 - SNR_t/SNR_s): no difference of numbers that are close to each other.
    forward = here.sigma**2 * -math.expm1(2 * (here.log_snr_half - there.log_snr_half))
    share = there.sigma**2 / here.sigma**2
    return Between(
        scale=scale,
        forward_variance=forward,
        keep=scale * share,
        add=there.alpha * forward / here.sigma**2,
        variance=forward * share,
    )


@torch.no_grad()
def ddpm(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[Level],
    *,
    generator: Generators | None = None,
    variance: str = "small",
    callback: Callback = None,
    progress: Progress = None,
) -> Tensor:
    """Ancestral sampling [Ho et al. 2020, algorithm 2], with the learned variance if there is one.

    Args:
        denoiser: see `mdt.diffusion.denoiser`.
        x: (B, C, h, w) at the first level.
        levels: falling.
        generator: see above.
        variance: where none is learned: "small" β̃, or "large" β.
        callback: see above.
        progress: see above.
    """
    if variance not in ("small", "large"):
        raise ValueError(f"variance is 'small' or 'large'; got {variance!r}.")
    for i, here, there in _steps(levels, progress):
        guess = denoiser(x, here)
        step = between(here, there)
        x = step.keep * x + step.add * guess.x0
        if there.sigma > 0:
            noise = noise_like(x, generator)
            x = x + _spread(guess, step, variance) * noise
        _report(callback, i, levels, x, guess.x0)
    return x


def _spread(guess: Denoised, step: Between, variance: str) -> Tensor | float:
    if guess.variance is None:
        return math.sqrt(step.variance if variance == "small" else step.forward_variance)
    smallest, largest = math.log(step.variance), math.log(step.forward_variance)
    return torch.exp(0.5 * learned_log_variance(guess.variance, smallest, largest))


@torch.no_grad()
def ddim(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[Level],
    *,
    eta: float = 0.0,
    generator: Generators | None = None,
    callback: Callback = None,
    progress: Progress = None,
) -> Tensor:
    """DDIM [Song et al. 2021, eq. 12]: order 1; eta 0 draws no noise, eta 1 is DDPM with β̃.

    Args:
        denoiser: see `mdt.diffusion.denoiser`.
        x: (B, C, h, w) at the first level.
        levels: falling.
        eta: 0 to 1, share of DDPM's noise (its standard deviation).
        generator: see above; needed where eta is above 0.
        callback: see above.
        progress: see above.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta lies between 0 (no noise) and 1 (as DDPM); got {eta:g}.")
    for i, here, there in _steps(levels, progress):
        x0 = denoiser(x, here).x0
        fresh = eta * math.sqrt(between(here, there).variance) if eta else 0.0
        ratio = math.sqrt(there.sigma**2 - fresh**2) / here.sigma
        x = ratio * x + (there.alpha - ratio * here.alpha) * x0
        if fresh > 0:
            x = x + fresh * noise_like(x, generator)
        _report(callback, i, levels, x, x0)
    return x


def euler(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[Level],
    *,
    callback: Callback = None,
    progress: Progress = None,
) -> Tensor:
    """Euler's method on the probability flow: order 1.

    Every straight frame (x over α, x over α + σ) gives the same step, which is DDIM's with eta 0.
    """
    return ddim(denoiser, x, levels, callback=callback, progress=progress)


@torch.no_grad()
def heun(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[Level],
    *,
    frame: str = "flow",
    callback: Callback = None,
    progress: Progress = None,
) -> Tensor:
    """Heun's method: order 2 [Karras et al. 2022, algorithm 1], Euler's for a step to no noise.

    Args:
        denoiser: see `mdt.diffusion.denoiser`; asked twice a step.
        x: (B, C, h, w) at the first level.
        levels: falling.
        frame: in which frame slopes are averaged. "flow": z = x/(α + σ) over τ = σ/(α + σ), where
            dz/dτ = ε - x0 stays finite at pure noise; "edm": z = x/α over σ/α, dz = ε, as in EDM.
        callback: see above.
        progress: see above.
    """
    if frame not in ("flow", "edm"):
        raise ValueError(f"frame is 'flow' or 'edm'; got {frame!r}.")
    if frame == "edm" and levels and levels[0].alpha == 0:
        raise ValueError("frame='edm' cannot begin at pure noise (α = 0); use frame='flow'.")

    def slope(at: Level, z: Tensor, x0: Tensor) -> Tensor:
        # ε = (x - α·x0)/σ, so that dz/dτ = (z - x0)/τ in either frame.
        return (z - x0) / _frame(at, frame)[1]

    for i, here, there in _steps(levels, progress):
        scale, begin = _frame(here, frame)
        z = x / scale
        x0 = denoiser(x, here).x0
        first = slope(here, z, x0)
        scale, end = _frame(there, frame)
        ahead = z + (end - begin) * first
        if there.sigma > 0:
            x0 = denoiser(scale * ahead, there).x0
            ahead = z + (end - begin) * 0.5 * (first + slope(there, ahead, x0))
        x = scale * ahead
        _report(callback, i, levels, x, x0)
    return x


def _frame(level: Level, frame: str) -> tuple[float, float]:
    """(what x is divided by, position) of the frame at a level."""
    scale = level.alpha if frame == "edm" else level.alpha + level.sigma
    return scale, level.sigma / scale


@torch.no_grad()
def dpmpp_2m(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[Level],
    *,
    callback: Callback = None,
    progress: Progress = None,
) -> Tensor:
    """DPM-Solver++(2M) [Lu et al. 2022, algorithm 2]: order 2 at one evaluation a step.

    The first step, and a last one to no noise, are of order 1.
    """
    last_x0, last_h = x, math.inf
    for i, here, there in _steps(levels, progress):
        x0 = denoiser(x, here).x0
        h = there.log_snr_half - here.log_snr_half
        # 1/(2r) with r = h_{i-1}/h_i; 0 where one of them has no bounds.
        half = 0.0 if math.isinf(last_h) or math.isinf(h) else h / (2 * last_h)
        ahead = (1 + half) * x0 - half * last_x0
        ratio = there.sigma / here.sigma
        x = ratio * x + (there.alpha - ratio * here.alpha) * ahead
        last_x0, last_h = x0, h
        _report(callback, i, levels, x, x0)
    return x


@torch.no_grad()
def unipc(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[Level],
    *,
    order: int = 2,
    callback: Callback = None,
    progress: Progress = None,
) -> Tensor:
    """UniPC of data prediction with B₂(h) = e^h - 1 [Zhao et al. 2023, algorithms 1, 2 and 8].

    Args:
        denoiser: see `mdt.diffusion.denoiser`.
        x: (B, C, h, w) at the first level.
        levels: falling.
        order: of the predictor, 1 to 3; the corrector adds one.
        callback: see above.
        progress: see above.
    """
    if order not in (1, 2, 3):
        raise ValueError(f"UniPC's order is 1, 2 or 3; got {order!r}.")
    past: list[tuple[float, Tensor]] = []  # (λ, x0) of the last levels, newest last
    now: Tensor | None = None
    num_steps = len(levels) - 1
    for i, here, there in _steps(levels, progress):
        if now is None:
            now = denoiser(x, here).x0
        # Orders rise with what is known, and fall to 1 for the last step, as published.
        known = past[-(min(order, num_steps - i) - 1) :] if min(order, num_steps - i) > 1 else []
        known = [] if there.sigma == 0 else [p for p in known if math.isfinite(p[0])]
        past.append((here.log_snr_half, now))
        guess = now
        ahead = _unipc_step(x, here, there, now, known, None)
        if i + 1 < num_steps:
            now = denoiser(ahead, there).x0
            ahead = _unipc_step(x, here, there, guess, known, now)
        x = ahead
        _report(callback, i, levels, x, guess)
    return x


def _unipc_step(
    x: Tensor,
    here: Level,
    there: Level,
    x0: Tensor,
    known: list[tuple[float, Tensor]],
    reached: Tensor | None,
) -> Tensor:
    """UniP, or UniC where x0 at `there` (`reached`) is known already."""
    h = there.log_snr_half - here.log_snr_half
    rates = [(lam - here.log_snr_half) / h for lam, _ in known]
    slopes = [(past - x0) / r for (_, past), r in zip(known, rates, strict=True)]
    if reached is not None:
        rates, slopes = [*rates, 1.0], [*slopes, reached - x0]
    weights = _unipc_weights(h, rates, corrects=reached is not None)
    grown = -math.expm1(-h)  # B(h) for data prediction
    x = there.sigma / here.sigma * x + there.alpha * grown * x0
    for weight, slope in zip(weights, slopes, strict=True):
        x = x + there.alpha * grown * weight * slope
    return x


def _unipc_weights(h: float, rates: list[float], *, corrects: bool) -> list[float]:
    """Solve for a: R(h)·a = φ(h)/B(h), theorem 3.1; 1/2 where it is one unknown, as published."""
    if len(rates) <= 1:
        return [0.5] * len(rates)
    assert corrects or math.isfinite(h), "a step to no noise is of order 1"
    expm1 = math.expm1(-h)
    phi = expm1 / -h - 1
    b: list[float] = []
    for k in range(1, len(rates) + 1):
        b.append(phi * math.factorial(k) / expm1)
        phi = phi / -h - 1 / math.factorial(k + 1)
    matrix = torch.tensor([[r**k for r in rates] for k in range(len(rates))], dtype=torch.float64)
    return torch.linalg.solve(matrix, torch.tensor(b, dtype=torch.float64)).tolist()


#: name -> sampler
SAMPLERS: dict[str, Callable[..., Tensor]] = {
    "ddpm": ddpm,
    "ddim": ddim,
    "euler": euler,
    "heun": heun,
    "dpmpp_2m": dpmpp_2m,
    "unipc": unipc,
}


def find_sampler(name: str) -> Callable[..., Tensor]:
    """The sampler `name` of `SAMPLERS`.

    Raises:
        ValueError: there is none; names the nearest.
    """
    if name not in SAMPLERS:
        raise ValueError(f"There is no sampler {name!r}{nearest(name, SAMPLERS)}")
    return SAMPLERS[name]


def _steps(levels: Sequence[Level], progress: Progress) -> Iterator[tuple[int, Level, Level]]:
    """(index, level here, level to go to), after a check that noise falls."""
    if len(levels) < 2:
        raise ValueError(f"A sampler needs two levels or more; got {len(levels)}.")
    for i in range(len(levels) - 1):
        if not levels[i].log_snr_half < levels[i + 1].log_snr_half:
            raise ValueError(
                "Levels must fall from noise to picture; level "
                f"{i} is (α, σ) = {_brief(levels[i])} and level {i + 1} {_brief(levels[i + 1])}."
            )
    indices: Any = range(len(levels) - 1)
    for i in indices if progress is None else progress(indices):
        yield i, levels[i], levels[i + 1]


def _brief(level: Level) -> str:
    return f"({level.alpha:.4g}, {level.sigma:.4g})"


def _report(callback: Callback, i: int, levels: Sequence[Level], x: Tensor, x0: Tensor) -> None:
    if callback is not None:
        callback(Step(i + 1, len(levels) - 1, levels[i + 1], x, x0))
