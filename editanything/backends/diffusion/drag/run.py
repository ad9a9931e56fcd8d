"""A drag around any pipeline: while it lasts, every step reads the second picture first.

A pipeline calls its ControlNets and then its UNet. Ahead of the first of them, in every step, the
second picture, noised to the same time, goes through all of them (the write pass); then the
pipeline's own pass reads what was left. So no pipeline needs to know of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import nn

from editanything.backends.diffusion.drag.hooks import Hooks
from editanything.backends.diffusion.drag.layers import attentions, normalisations
from editanything.backends.diffusion.drag.settings import DragSettings
from editanything.errors import InputError

_PLAIN_CHANNELS, _INPAINTING_CHANNELS = 4, 9


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet of the edit, and what it gets while the second picture is read.

    Attributes:
        net: the ControlNet.
        condition: (1, 3, H, W), the region map of the source, or the whole second picture.
        scale: of its residuals.
        takes: whether it is reached into as the UNet is: the inpainting one is.
    """

    net: nn.Module
    condition: torch.Tensor
    scale: float
    takes: bool = False


@dataclass(frozen=True, eq=False)
class Taken:
    """What a drag takes from, all on the networks' device.

    Attributes:
        latents: (1, 4, h, w), the second picture, scaled as the UNet knows it.
        noise: (n, 4, h, w), the same in all steps; one for each of n pictures made at once.
        mask: bool (h, w), the part that is taken.
        prompt: (1, L, D), words for the second picture.
        pooled: (1, D'), where the UNet asks for them too (SDXL).
    """

    latents: torch.Tensor
    noise: torch.Tensor
    mask: torch.Tensor
    prompt: torch.Tensor
    pooled: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if not self.mask.any():
            raise InputError("drag: nothing is taken from the second picture: its mask is empty.")
        assert self.latents.shape[1:] == self.noise.shape[1:], (
            self.latents.shape,
            self.noise.shape,
        )
        assert self.latents.shape[2:] == self.mask.shape, (self.latents.shape, self.mask.shape)


@contextmanager
def dragging(
    unet: nn.Module,
    scheduler: Any,
    taken: Taken,
    edited: torch.Tensor,
    *,
    controls: Sequence[Control] = (),
    settings: DragSettings | None = None,
) -> Iterator[None]:
    """While it lasts, what this thread runs through `unet` takes from the second picture.

    Args:
        unet: a UNet2DConditionModel with 4 or 9 channels.
        scheduler: the pipeline's, for its noise.
        taken: what is taken.
        edited: bool (h, w) of the latents, the part of the picture that is edited.
        controls: the ControlNets that the pipeline calls.
        settings: how much goes over.

    Raises:
        InputError: a network that this cannot reach into.
    """
    settings = settings or DragSettings()
    if not edited.any():
        raise InputError("drag: nothing of the picture is edited: the mask is empty.")
    hooks = Hooks(settings, taken.mask, edited, taken.noise.shape[0])
    run = _Run(unet, scheduler, taken, tuple(controls), hooks)
    try:
        for net, whole in [(unet, False), *((c.net, True) for c in controls if c.takes)]:
            if settings.attention:
                hooks.attend(attentions(net, settings.attention_weight, whole=whole))
            if settings.adain:
                hooks.normalise(normalisations(net, settings.groupnorm_weight))
        for net in (*(control.net for control in controls), unet):
            hooks.enter(net, run.before)
        hooks.leave(unet, run.after)
        yield
    finally:
        hooks.remove()


@dataclass(eq=False)
class _Run:
    """The passes of one drag."""

    unet: nn.Module
    scheduler: Any
    taken: Taken
    controls: tuple[Control, ...]
    hooks: Hooks
    channels: int = field(init=False)

    def __post_init__(self) -> None:
        self.channels = int(cast("Any", self.unet).config.in_channels)
        if self.channels not in (_PLAIN_CHANNELS, _INPAINTING_CHANNELS):
            raise InputError(
                f"drag: a UNet has {_PLAIN_CHANNELS} or {_INPAINTING_CHANNELS} channels of input; "
                f"this one has {self.channels}: choose an ordinary or an inpainting base."
            )

    def before(self, net: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Ahead of the edit's pass through a network: in each step, the second picture's first."""
        del net
        if self.hooks.mode != "off":
            return
        time = args[1] if len(args) > 1 else kwargs["timestep"]
        self.hooks.mode = "write"
        try:
            with torch.no_grad():
                self._write(time, kwargs.get("added_cond_kwargs"))
        except BaseException:
            self.hooks.mode = "off"
            raise
        self.hooks.mode = "read"

    def after(self, net: nn.Module, args: Any, out: Any) -> None:
        """The edit's pass is over, and so is the step."""
        del net, args, out
        if self.hooks.mode == "read":
            self.hooks.bank.clear()
            self.hooks.mode = "off"

    def _write(self, time: Any, added: Mapping[str, Any] | None) -> None:
        taken = self.taken
        n = taken.noise.shape[0]
        latents = taken.latents.expand_as(taken.noise)
        times = torch.as_tensor(time, device=latents.device).reshape(-1)[:1].repeat(n)
        # x_t of the second picture: the forward process at the step's own time.
        noised = self.scheduler.add_noise(latents, taken.noise, times)
        noised = self.scheduler.scale_model_input(noised, time).to(latents.dtype)
        words = taken.prompt.expand(n, -1, -1)
        told = {"added_cond_kwargs": self._added(added, n)} if added else {}
        residuals = self._residuals(noised, time, words, told)
        if self.channels == _INPAINTING_CHANNELS:
            hole = torch.zeros_like(noised[:, :1])
            noised = torch.cat([noised, hole, latents], dim=1)
        self.unet(noised, time, encoder_hidden_states=words, return_dict=False, **told, **residuals)

    def _residuals(
        self, noised: torch.Tensor, time: Any, words: torch.Tensor, told: Mapping[str, Any]
    ) -> dict[str, Any]:
        downs: list[torch.Tensor] = []
        middle: torch.Tensor | None = None
        for control in self.controls:
            down, mid = control.net(
                noised,
                time,
                encoder_hidden_states=words,
                controlnet_cond=control.condition.expand(noised.shape[0], -1, -1, -1),
                conditioning_scale=control.scale,
                return_dict=False,
                **told,
            )
            downs = [a + b for a, b in zip(downs, down, strict=True)] if downs else list(down)
            middle = mid if middle is None else middle + mid
        if middle is None:
            return {}
        return {
            "down_block_additional_residuals": downs,
            "mid_block_additional_residual": middle,
        }

    def _added(self, added: Mapping[str, Any], n: int) -> dict[str, Any]:
        """What SDXL is told beside the words: sizes as in the edit, the second picture's words."""
        own = {name: _last(value, n) for name, value in added.items()}
        if self.taken.pooled is not None and "text_embeds" in own:
            own["text_embeds"] = self.taken.pooled.expand(n, -1)
        return own


def _last(value: Any, n: int) -> Any:
    """The last `n` of a batch, or of each of several."""
    return [_last(one, n) for one in value] if isinstance(value, (list, tuple)) else value[-n:]
