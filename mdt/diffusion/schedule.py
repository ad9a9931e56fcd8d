"""Schedules: how much signal and noise a picture holds at each time, x_t = α·x0 + σ·ε.

A schedule says two things: α and σ at the times that training draws (`at`), and the falling
`Level`s that a sampler walks (`levels`). Times are what the network is told.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from mdt.devices import move, widest


class Level(NamedTuple):
    """One noise level: x = alpha·x0 + sigma·ε, and the time that the network is told there."""

    t: float
    alpha: float
    sigma: float

    @property
    def log_snr_half(self) -> float:
        """λ = log(α/σ); ∞ without noise, -∞ without signal."""
        if self.sigma == 0:
            return math.inf
        return math.log(self.alpha / self.sigma) if self.alpha > 0 else -math.inf


class Schedule(Protocol):
    """What objectives and samplers' callers ask of a schedule."""

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(α, σ) at the network times t (B,), float64 (float32 where the device has no other)."""

    def time_from(self, u: Tensor) -> Tensor:
        """The network times of u (B,) in [0, 1): 0 is the clean end."""

    def levels(self, num_steps: int) -> list[Level]:
        """num_steps + 1 levels from pure noise to none; a sampler evaluates all but the last."""


class Discrete:
    """A chain of N noising steps with variances β [Ho et al. 2020]: t = 0 ... N - 1, α² + σ² = 1.

    Attributes:
        num_times: N.
        betas: (N,) float64.
        alphas_cumprod: (N,) float64, ᾱ = α².
        log_betas: (N,) float64, the largest log-variance of a learned range.
        posterior_log_variance: (N,) float64, log β̃ with its first value (-∞) replaced by the
            second, the smallest log-variance of a learned range [Nichol & Dhariwal 2021, eq. 15].
    """

    def __init__(self, betas: Tensor | Sequence[float]) -> None:
        """Raises ValueError where a β is not between 0 and 1, or fewer than two came."""
        self.betas = torch.as_tensor(betas, dtype=torch.float64)
        if self.betas.ndim != 1 or len(self.betas) < 2:
            raise ValueError(f"A schedule needs two βs or more; got {tuple(self.betas.shape)}.")
        if not bool(((self.betas > 0) & (self.betas < 1)).all()):
            low, high = float(self.betas.min()), float(self.betas.max())
            raise ValueError(f"βs lie between 0 and 1; these reach from {low:g} to {high:g}.")
        self.num_times = len(self.betas)
        self.alphas_cumprod = torch.cumprod(1 - self.betas, 0)
        self.log_betas = self.betas.log()
        before = torch.cat([torch.ones(1, dtype=torch.float64), self.alphas_cumprod[:-1]])
        variance = self.betas * (1 - before) / (1 - self.alphas_cumprod)
        self.posterior_log_variance = torch.cat([variance[1:2], variance[1:]]).log()
        self._tables: dict[torch.device, Tensor] = {}

    def table(self, t: Tensor) -> Tensor:
        """Rows t (B,) int64 of [α, σ, log β, log β̃]: (B, 4). t = -1: no noise, α = 1, σ = 0."""
        if t.device not in self._tables:
            clean = torch.tensor([[1.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
            columns = [
                self.alphas_cumprod.sqrt(),
                (1 - self.alphas_cumprod).sqrt(),
                self.log_betas,
                self.posterior_log_variance,
            ]
            rows = torch.cat([clean, torch.stack(columns, dim=1)])
            self._tables[t.device] = move(rows, t.device)
        return self._tables[t.device][t.long() + 1]

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(α, σ) at whole times t (B,), 0 to N - 1."""
        alpha, sigma, *_ = self.table(t).unbind(1)
        return alpha, sigma

    def time_from(self, u: Tensor) -> Tensor:
        """floor(N·u), int64."""
        return (u * self.num_times).long().clamp(0, self.num_times - 1)

    def level(self, t: float) -> Level:
        """The level at t; between whole times log(α/σ) is interpolated."""
        low = min(int(t), self.num_times - 2)
        rate = t - low
        half = self._half_log_snr()
        lam = float((1 - rate) * half[low] + rate * half[low + 1])
        return Level(float(t), *_unit_circle(lam))

    def levels(self, num_steps: int, spacing: str = "respaced") -> list[Level]:
        """Levels for a sampler, and α = 1, σ = 0 at the end.

        Args:
            num_steps: 1 to N (any number with "karras" and "log_snr").
            spacing: a key of `SPACINGS`, or a text for `respace` ("ddim50", "10,20").

        Raises:
            ValueError: an unknown spacing, or steps that do not fit.
        """
        if num_steps < 1:
            raise ValueError(f"Sampling takes 1 step or more; got {num_steps}.")
        if spacing in SPACINGS:
            times = SPACINGS[spacing](self, num_steps)
        elif any(letter.isdigit() for letter in spacing):
            times = [float(t) for t in respace(self.num_times, spacing)[::-1]]
            if len(times) != num_steps:
                raise ValueError(f"{spacing!r} makes {len(times)} steps, not {num_steps}.")
        else:
            raise ValueError(f"There is no spacing {spacing!r}{nearest(spacing, SPACINGS)}")
        return [*(self.level(t) for t in times), Level(0.0, 1.0, 0.0)]

    def _half_log_snr(self) -> Tensor:
        return 0.5 * (self.alphas_cumprod.log() - torch.log1p(-self.alphas_cumprod))

    def _times_of(self, lam: Tensor) -> list[float]:
        """Where log(α/σ) has the values lam: times between 0 and N - 1, by interpolation."""
        rising = self._half_log_snr().flip(0).contiguous()
        high = torch.searchsorted(rising, lam.contiguous()).clamp(1, self.num_times - 1)
        low = high - 1
        rate = ((lam - rising[low]) / (rising[high] - rising[low])).clamp(0, 1)
        return (self.num_times - 1 - (low + rate)).tolist()


def respace(num_times: int, sections: int | str | Sequence[int]) -> list[int]:
    """The times that a shorter chain keeps, rising [Nichol & Dhariwal 2021].

    Args:
        num_times: N of the long chain.
        sections: 250, or "250": that many, spread evenly from 0 to N - 1; "10,20": the chain is cut
            in equal parts of which 10 and 20 are kept; "ddim50": every (N/50)th from 0 on.

    Raises:
        ValueError: more times than there are, or an uneven ddim stride.
    """
    if isinstance(sections, str) and sections.startswith("ddim"):
        wanted = _count(sections.removeprefix("ddim"))
        for stride in range(1, num_times):
            if len(range(0, num_times, stride)) == wanted:
                return list(range(0, num_times, stride))
        raise ValueError(f"No whole stride makes {wanted} steps out of {num_times}.")
    if isinstance(sections, str):
        sections = [_count(part) for part in sections.split(",")]
    counts = [sections] if isinstance(sections, int) else list(sections)
    size, extra = divmod(num_times, len(counts))
    times: list[int] = []
    start = 0
    for i, count in enumerate(counts):
        length = size + (i < extra)
        if not 1 <= count <= length:
            raise ValueError(f"{count} steps cannot be chosen from a section of {length} times.")
        gap = 1.0 if count == 1 else (length - 1) / (count - 1)
        position = 0.0  # summed, not multiplied, so that halves round as published
        for _ in range(count):
            times.append(start + round(position))
            position += gap
        start += length
    return times


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(
            f"Sections are whole numbers, as in '250', '10,20' or 'ddim50'; got {text!r}."
        ) from None


def _respaced(schedule: Discrete, num_steps: int) -> list[float]:
    # One step from time 0, as the published rule has it, would make nothing out of noise.
    if num_steps == 1:
        return [schedule.num_times - 1.0]
    return [float(t) for t in respace(schedule.num_times, num_steps)[::-1]]


def _leading(schedule: Discrete, num_steps: int) -> list[float]:
    stride = schedule.num_times // num_steps
    if stride < 1:
        raise ValueError(f"{num_steps} steps do not fit in a chain of {schedule.num_times} times.")
    return [float(stride * i) for i in reversed(range(num_steps))]


def _trailing(schedule: Discrete, num_steps: int) -> list[float]:
    n = schedule.num_times
    if num_steps > n:
        raise ValueError(f"{num_steps} steps do not fit in a chain of {n} times.")
    return [float(round(n - i * n / num_steps) - 1) for i in range(num_steps)]


def _karras(schedule: Discrete, num_steps: int) -> list[float]:
    half = schedule._half_log_snr()  # noqa: SLF001
    sigmas = karras_sigmas(num_steps, math.exp(-half[0]), math.exp(-half[-1]))
    return schedule._times_of(-torch.tensor(sigmas, dtype=torch.float64).log())  # noqa: SLF001


def _even_log_snr(schedule: Discrete, num_steps: int) -> list[float]:
    half = schedule._half_log_snr()  # noqa: SLF001
    lam = torch.linspace(float(half[-1]), float(half[0]), num_steps, dtype=torch.float64)
    return schedule._times_of(lam)  # noqa: SLF001


#: name -> times of a chain, falling. "respaced": both ends, as MDT samples; "leading": every kth
#: from 0, as published DDIM; "trailing": every kth from the end (Lin et al. 2023); "karras": EDM,
#: eq. 5; "log_snr": even in log(α/σ), as DPM-Solver.
SPACINGS: dict[str, Callable[[Discrete, int], list[float]]] = {
    "respaced": _respaced,
    "leading": _leading,
    "trailing": _trailing,
    "karras": _karras,
    "log_snr": _even_log_snr,
}


def karras_sigmas(
    num_steps: int, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0
) -> list[float]:
    """num_steps noise-to-signal ratios, falling [Karras et al. 2022, eq. 5 without its final 0].

    Raises:
        ValueError: fewer than 1 step, or ends that are not 0 < sigma_min < sigma_max.
    """
    if num_steps < 1 or not 0 < sigma_min < sigma_max:
        raise ValueError(
            "Karras' sigmas need 1 step or more and 0 < sigma_min < sigma_max; "
            f"got {num_steps}, {sigma_min:g}, {sigma_max:g}."
        )
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return [(high + i / max(num_steps - 1, 1) * (low - high)) ** rho for i in range(num_steps)]


class Flow:
    """The straight path x_t = (1 - t)·x0 + t·ε [Liu et al. 2022; Lipman et al. 2022].

    Args:
        shift: sampling spends more steps on noise where it is above 1 [Esser et al. 2024, eq. 23].
        num_times: the network is told num_times·t, so that its sinusoids tell times apart.
    """

    def __init__(self, shift: float = 1.0, num_times: int = 1000) -> None:
        if shift <= 0:
            raise ValueError(f"shift must be above 0 (1: none); got {shift:g}.")
        self.shift, self.num_times = shift, num_times

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(1 - t, t) for network times t (B,)."""
        sigma = _wide(t) / self.num_times
        return 1 - sigma, sigma

    def time_from(self, u: Tensor) -> Tensor:
        """num_times·u."""
        return u * self.num_times

    def levels(self, num_steps: int) -> list[Level]:
        """Even in t, then shifted; starts at pure noise, α = 0."""
        if num_steps < 1:
            raise ValueError(f"Sampling takes 1 step or more; got {num_steps}.")
        even = [1 - i / num_steps for i in range(num_steps + 1)]
        times = [self.shift * t / (1 + (self.shift - 1) * t) for t in even]
        return [Level(self.num_times * t, 1 - t, t) for t in times]


class Karras:
    """EDM's noise levels [Karras et al. 2022] for data of unit variance.

    The picture is held at unit variance, x = (x0 + s·ε)/√(1 + s²), which is EDM's c_in times its
    noisy picture; EDM's raw network output is then minus a v-prediction. The network is told
    log(s)/4.

    Args:
        sigma_min: least s of a sampler.
        sigma_max: largest s.
        rho: how steps crowd at low noise (7).
        log_mean: mean of log s in training (P_mean).
        log_std: its spread (P_std).
    """

    def __init__(
        self,
        sigma_min: float = 0.002,
        sigma_max: float = 80.0,
        rho: float = 7.0,
        log_mean: float = -1.2,
        log_std: float = 1.2,
    ) -> None:
        self.sigma_min, self.sigma_max, self.rho = sigma_min, sigma_max, rho
        self.log_mean, self.log_std = log_mean, log_std
        karras_sigmas(2, sigma_min, sigma_max, rho)  # refuses impossible ends

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(1, s)/√(1 + s²) for t = log(s)/4."""
        s = (4 * _wide(t)).exp()
        alpha = (1 + s * s).rsqrt()
        return alpha, s * alpha

    def time_from(self, u: Tensor) -> Tensor:
        """log(s)/4 of a log-normal s: even u give EDM's training noise."""
        tiny = torch.finfo(u.dtype).eps
        return (self.log_mean + self.log_std * torch.special.ndtri(u.clamp(tiny, 1 - tiny))) / 4

    def levels(self, num_steps: int) -> list[Level]:
        """Equation 5, and no noise at the end."""
        sigmas = karras_sigmas(num_steps, self.sigma_min, self.sigma_max, self.rho)
        levels = [Level(math.log(s) / 4, *_unit_circle(-math.log(s))) for s in sigmas]
        return [*levels, Level(levels[-1].t, 1.0, 0.0)]


def linear(num_times: int = 1000, first: float = 1e-4, last: float = 0.02) -> Discrete:
    """β even from `first` to `last` for 1000 times, as DDPM, DiT and MDT; scaled for other N."""
    scale = 1000 / num_times
    return Discrete(
        torch.linspace(scale * first, scale * last, num_times, dtype=torch.float64).clamp(max=0.999)
    )


def scaled_linear(num_times: int = 1000, first: float = 8.5e-4, last: float = 0.012) -> Discrete:
    """√β even from √first to √last, as Stable Diffusion."""
    roots = torch.linspace(first**0.5, last**0.5, num_times, dtype=torch.float64)
    return Discrete(roots**2)


def cosine(num_times: int = 1000, offset: float = 0.008) -> Discrete:
    """ᾱ = cos²(π/2·(t/N + s)/(1 + s)), β at most 0.999 [Nichol & Dhariwal 2021, eq. 17]."""
    t = torch.arange(num_times + 1, dtype=torch.float64) / num_times
    signal = torch.cos((t + offset) / (1 + offset) * math.pi / 2) ** 2
    return Discrete((1 - signal[1:] / signal[:-1]).clamp(max=0.999))


#: name -> maker of a schedule
SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "linear": linear,
    "scaled_linear": scaled_linear,
    "cosine": cosine,
    "flow": Flow,
    "karras": Karras,
}


def make_schedule(name: str, **settings: float) -> Schedule:
    """The schedule `name` of `SCHEDULES`.

    Raises:
        ValueError: an unknown name (names the nearest) or setting.
    """
    if name not in SCHEDULES:
        raise ValueError(f"There is no schedule {name!r}{nearest(name, SCHEDULES)}")
    try:
        return SCHEDULES[name](**settings)
    except TypeError as error:
        raise ValueError(f"Schedule {name}: {error}.") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error's sentence: the name that was probably meant, or all there are."""
    plain = str(name).lower().replace("++", "pp").replace("-", "_").replace(" ", "_")
    known = list(known)
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}."


def _unit_circle(lam: float) -> tuple[float, float]:
    """(α, σ) with α² + σ² = 1 and log(α/σ) = lam."""
    # Each from its own side, so that neither is 1 minus something close to 1.
    return (1 + math.exp(-2 * lam)) ** -0.5, (1 + math.exp(2 * lam)) ** -0.5


def _wide(t: Tensor) -> Tensor:
    return t.to(widest(t.device))
