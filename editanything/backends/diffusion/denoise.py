"""The sampling loop of UNets: guidance, ControlNets, and what keeps the rest of the picture.

Every pipeline of diffusers has a loop of its own; this one does for all UNets what they do
(tests hold it to theirs) and what none of them does: a strength of each ControlNet that differs
from pixel to pixel, a share of the steps that hold on to the picture, and soft masks.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from editanything.backends.diffusion.latents import decode
from editanything.backends.diffusion.prompts import Words
from editanything.errors import InputError
from editanything.progress import Progress, report, show

if TYPE_CHECKING:
    from editanything.backends.diffusion.loading import Loaded

PLAIN, INSTRUCTED, INPAINTING = 4, 8, 9  # channels of input
MOST_STEPS = 1000


@dataclass(frozen=True)
class Sampling:
    """How a picture is sampled.

    Attributes:
        steps: of the scheduler.
        guidance: scale of classifier-free guidance; up to 1: none.
        image_guidance: the same for the picture, where the network is told an instruction.
        strength: in (0, 1], the share of the noise that it starts from; 1: nothing is kept.
        guess: ControlNets are only seen by the conditional half, the shallow layers less.
        alignment: in 0..1, the share of the steps after which all that is not painted is set to
            the noised picture. At 1 it is also set at the end. None: only at the end.
        mix: in 0..1, how much of the noised picture comes into what is painted after each step.
        soft: a soft mask tells when a pixel is let free (differential diffusion), not how it is
            mixed.
        eta: noise of DDIM.
    """

    steps: int = 30
    guidance: float = 7.5
    image_guidance: float = 1.5
    strength: float = 1.0
    guess: bool = False
    alignment: float | None = 1.0
    mix: float = 0.0
    soft: bool = True
    eta: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int):
            raise InputError(f"steps is a whole number; got {self.steps!r}.")
        for name, least, most in (
            ("steps", 1, MOST_STEPS), ("guidance", 0, 100), ("image_guidance", 0, 100),
            ("strength", 0.01, 1), ("alignment", 0, 1), ("mix", 0, 1), ("eta", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise InputError(f"{name} must be between {least:g} and {most:g}; got {value!r}.")


@dataclass(frozen=True, eq=False)
class Steering:
    """A ControlNet at work.

    Attributes:
        net: the ControlNet.
        condition: (1, 3, H, W).
        scale: of its residuals: a number, or (H, W), one for each pixel.
        start: share of the steps from which on it works.
        end: share of the steps until which it works.
    """

    net: Any
    condition: torch.Tensor
    scale: float | torch.Tensor = 1.0
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True, eq=False)
class Canvas:
    """The picture that is painted on, as latents.

    Attributes:
        source: (1, 4, h, w), scaled as the UNet knows it.
        mask: (1, 1, h, w) in 0..1, where it is painted.
        seen: what the network is shown of it: (1, 5, h, w), the mask and the picture without
            what is painted, for an inpainting UNet; (1, 4, h, w), unscaled, for an instructed one.
    """

    source: torch.Tensor
    mask: torch.Tensor
    seen: torch.Tensor | None = None


@torch.no_grad()
def denoise(
    loaded: Loaded,
    scheduler: Any,
    words: Words,
    sampling: Sampling,
    noise: torch.Tensor,
    *,
    canvas: Canvas | None = None,
    steering: Sequence[Steering] = (),
    added: Mapping[str, Any] | None = None,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> torch.Tensor:
    """Latents (1, 4, h, w) of a new picture.

    Args:
        loaded: a pipeline with a UNet; its lock is held.
        scheduler: a fresh one: it keeps a state.
        words: the prompts.
        sampling: how.
        noise: (1, 4, h, w), standard normal.
        canvas: what is painted on; None: nothing.
        steering: ControlNets, their residuals added in this order.
        added: more conditions of the UNet, each with guidance's halves in a batch of two.
        generator: for schedulers that draw.
        progress: told after each step.

    Raises:
        InputError: a UNet that asks for a picture without one.
        Cancelled: the progress callback asked to stop.
    """
    loop = _Loop(loaded, scheduler, words, sampling, tuple(steering), canvas, dict(added or {}))
    loop.check()
    scheduler.set_timesteps(sampling.steps, device=loaded.device)
    times = loop.times()
    x = loop.start(noise, times)
    extra = _extra(scheduler, sampling, generator)
    for i, t in enumerate(times):
        out = loop.predict(x, t, i / len(times), (i + 1) / len(times))
        x = scheduler.step(out, t, x, **extra, return_dict=False)[0]
        x = loop.keep(x, noise, i, times)
        report(progress, (i + 1) / len(times), "painting")
        if not offloaded(loaded):  # or its networks would change places for every look
            show(progress, partial(decode, loaded, x))
    return x


def offloaded(loaded: Loaded) -> bool:
    """Whether the pipeline's networks take turns on the device."""
    return bool(getattr(loaded.pipe, "_all_hooks", None))


@dataclass(frozen=True, eq=False)
class _Loop:
    loaded: Loaded
    scheduler: Any
    words: Words
    sampling: Sampling
    steering: tuple[Steering, ...]
    canvas: Canvas | None
    added: dict[str, Any]

    @property
    def channels(self) -> int:
        return int(self.loaded.unet.config.in_channels)

    @property
    def guided(self) -> bool:
        return self.sampling.guidance > 1

    def check(self) -> None:
        seen = None if self.canvas is None else self.canvas.seen
        has = PLAIN + (0 if seen is None else seen.shape[1])
        if has != self.channels:
            raise InputError(
                f"{self.loaded.name} has a UNet with {self.channels} channels of input, but it is "
                f"given {has}: ordinary bases have {PLAIN}, inpainting ones {INPAINTING}, "
                f"instructed ones {INSTRUCTED}."
            )

    def times(self) -> torch.Tensor:
        """The timesteps that are taken: with a strength below 1, the later ones."""
        times = self.scheduler.timesteps
        if self.sampling.strength >= 1 or self.canvas is None:
            return times
        steps = self.sampling.steps
        taken = max(1, min(int(steps * self.sampling.strength), steps))
        first = (steps - taken) * getattr(self.scheduler, "order", 1)
        if hasattr(self.scheduler, "set_begin_index"):
            self.scheduler.set_begin_index(first)
        return times[first:]

    def start(self, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        pure = noise * self.scheduler.init_noise_sigma
        if self.canvas is None:
            return pure
        if self.sampling.strength < 1:
            return self.scheduler.add_noise(self.canvas.source, noise, times[:1])
        if self.sampling.mix > 0:
            noised = self.scheduler.add_noise(self.canvas.source, noise, times[:1])
            return torch.where(self.canvas.mask >= 0.5, pure, noised)
        return pure

    def predict(self, x: torch.Tensor, t: torch.Tensor, begin: float, end: float) -> torch.Tensor:
        """The network's answer with guidance; the step is the share `begin`..`end` of all."""
        copies = 1
        if self.guided:
            copies = 3 if self.channels == INSTRUCTED else 2
        given = self.scheduler.scale_model_input(torch.cat([x] * copies), t).to(self.loaded.dtype)
        words = self._words(copies)
        residuals = self._steer(given, t, words, begin, end)
        if self.canvas is not None and self.canvas.seen is not None:
            seen = self.canvas.seen.to(self.loaded.dtype)
            shown = [seen] * copies
            if copies == 3:  # without words nor picture
                shown[-1] = torch.zeros_like(seen)
            given = torch.cat([given, torch.cat(shown)], dim=1)
        out = self.loaded.unet(
            given,
            t,
            encoder_hidden_states=words,
            added_cond_kwargs=self._added(copies) or None,
            return_dict=False,
            **residuals,
        )[0].float()
        if copies == 3:  # Brooks et al. 2023, eq. 3
            told, shown_only, nothing = out.chunk(3)
            own = self.sampling.image_guidance
            return (
                nothing
                + self.sampling.guidance * (told - shown_only)
                + own * (shown_only - nothing)
            )
        if copies == 2:  # Ho & Salimans 2022, eq. 6
            without, told = out.chunk(2)
            return without + self.sampling.guidance * (told - without)
        return out

    def _words(self, copies: int) -> torch.Tensor:
        good, bad = self.words.positive, self.words.negative
        return torch.cat({1: [good], 2: [bad, good], 3: [good, bad, bad]}[copies])

    def _added(self, copies: int) -> dict[str, Any]:
        """More conditions; without guidance, only those of its conditional half."""
        if copies == 2:
            return self.added
        return {name: _second_half(value, copies) for name, value in self.added.items()}

    def _steer(
        self, given: torch.Tensor, t: torch.Tensor, words: torch.Tensor, begin: float, end: float
    ) -> dict[str, Any]:
        """The sum of the ControlNets' residuals."""
        half = self.sampling.guess and given.shape[0] == 2
        if half:
            given, words = given[1:], words[1:]
        total: list[torch.Tensor] = []
        for steer in self.steering:
            if begin < steer.start or end > steer.end:
                continue
            told = {}
            if self.added:
                told["added_cond_kwargs"] = self.added if not half else {
                    name: _second_half(value, 1) for name, value in self.added.items()
                }  # fmt: skip
            plain = not isinstance(steer.scale, torch.Tensor)
            down, middle = steer.net(
                given,
                t,
                encoder_hidden_states=words,
                controlnet_cond=steer.condition.to(given).expand(given.shape[0], -1, -1, -1),
                conditioning_scale=steer.scale if plain else 1.0,
                guess_mode=self.sampling.guess,
                return_dict=False,
                **told,
            )
            parts = [*down, middle]
            if isinstance(steer.scale, torch.Tensor):
                parts = [part * _resized(steer.scale, part) for part in parts]
            total = [a + b for a, b in zip(total, parts, strict=True)] if total else parts
        if not total:
            return {}
        if half:
            total = [torch.cat([torch.zeros_like(part), part]) for part in total]
        return {
            "down_block_additional_residuals": total[:-1],
            "mid_block_additional_residual": total[-1],
        }

    def keep(
        self, x: torch.Tensor, noise: torch.Tensor, i: int, times: torch.Tensor
    ) -> torch.Tensor:
        """After step `i`: what is not painted goes back to the picture, as noisy as `x`."""
        canvas, sampling, n = self.canvas, self.sampling, len(times)
        if canvas is None or self.channels == INSTRUCTED:
            return x
        last = i + 1 == n
        aligned = sampling.alignment is not None and i < sampling.alignment * n
        ends = last and sampling.alignment in (None, 1.0)
        if not (aligned or ends or sampling.mix > 0):
            return x
        known = canvas.source
        if not last:
            known = self.scheduler.add_noise(canvas.source, noise, times[i + 1 : i + 2])
        if sampling.mix > 0:
            mixed = (1 - sampling.mix) * x + sampling.mix * known
            x = torch.where(canvas.mask >= 0.5, mixed, x)
        if not (aligned or ends):
            return x
        free = canvas.mask
        if sampling.soft:  # Levin & Fried 2023: a pixel of softness s is let free at share 1 - s
            free = (canvas.mask >= 1 - i / n).to(x)
        return (1 - free) * known + free * x


def _second_half(value: Any, copies: int) -> Any:
    """Of a batch (without, with), the part with the words, `copies` times; also of lists."""
    if isinstance(value, (list, tuple)):
        return [_second_half(one, copies) for one in value]
    half = value[value.shape[0] // 2 :]
    return torch.cat([half] * copies)


def _resized(scale: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return F.interpolate(
        scale.to(like)[None, None], size=like.shape[-2:], mode="bilinear", align_corners=True
    )


def _extra(scheduler: Any, sampling: Sampling, generator: torch.Generator | None) -> dict[str, Any]:
    takes = inspect.signature(scheduler.step).parameters
    extra: dict[str, Any] = {}
    if "generator" in takes:
        extra["generator"] = generator
    if "eta" in takes:
        extra["eta"] = sampling.eta
    return extra
