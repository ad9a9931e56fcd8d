"""Hooks that write a layer's share of the second picture, or let the edit read it.

They are PyTorch's own hooks, so that taking them off leaves the network as it was, and they do
nothing in other threads: somebody else may run the same network at the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from editanything.backends.diffusion.drag.adain import Statistics, normalised
from editanything.backends.diffusion.drag.bank import (
    Bank,
    Tokens,
    as_map,
    as_tokens,
    mask_at,
    size_of,
)
from editanything.backends.diffusion.drag.fourier import mix_amplitudes
from editanything.backends.diffusion.drag.settings import DragSettings

Mode = Literal["off", "write", "read"]
Call = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(eq=False)
class Hooks:
    """The hooks of one drag and what they share.

    Attributes:
        settings: how much goes over.
        taken: bool (h, w) at the latents' size, the part of the second picture that is taken.
        edited: bool (h, w), the part of the picture that is edited.
        pictures: how many are made at once; a batch of twice as many has the unconditional half
            of guidance first.
    """

    settings: DragSettings
    taken: torch.Tensor
    edited: torch.Tensor
    pictures: int
    mode: Mode = "off"
    bank: Bank = field(default_factory=Bank.empty)
    _owner: int = field(default_factory=threading.get_ident)
    _handles: list[RemovableHandle] = field(default_factory=list)
    _plain: dict[nn.Module, torch.Tensor] = field(default_factory=dict)
    _masks: dict[tuple[bool, tuple[int, int]], torch.Tensor] = field(default_factory=dict)

    def attend(self, layers: list[nn.Module]) -> None:
        """Reach into self-attentions."""
        for layer in layers:
            self._handles.append(
                layer.register_forward_pre_hook(self._guarded(self._before), with_kwargs=True)
            )
            self._handles.append(
                layer.register_forward_hook(self._guarded(self._after), with_kwargs=True)
            )

    def normalise(self, layers: list[nn.Module]) -> None:
        """Reach behind resnets and middle blocks."""
        for layer in layers:
            self._handles.append(layer.register_forward_hook(self._guarded(self._normalise)))

    def enter(self, net: nn.Module, before: Callable[..., None]) -> None:
        """Call `before(net, args, kwargs)` ahead of every pass of a network."""
        self._handles.append(net.register_forward_pre_hook(self._guarded(before), with_kwargs=True))

    def leave(self, net: nn.Module, after: Callable[..., None]) -> None:
        """Call `after(net, args, output)` behind every pass of a network."""
        self._handles.append(net.register_forward_hook(self._guarded(after)))

    def remove(self) -> None:
        """Take all hooks off and forget everything."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self.bank.clear()
        self._plain.clear()
        self._masks.clear()

    def _guarded(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        def own_thread_only(*call: Any) -> Any:
            return hook(*call) if threading.get_ident() == self._owner else None

        return own_thread_only

    def mask(self, size: tuple[int, int], *, edited: bool) -> torch.Tensor:
        """What is taken, or what is edited, at the size of a layer."""
        key = (edited, size)
        if key not in self._masks:
            self._masks[key] = mask_at(self.edited if edited else self.taken, size)
        return self._masks[key]

    def _before(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        normed, rest, named = _split(args, kwargs)
        if self.mode == "write":
            size = size_of(normed.shape[1], (self.taken.shape[0], self.taken.shape[1]))
            taken = self.mask(size, edited=False)
            self.bank.tokens[layer] = Tokens.of(normed, taken)
            return None
        if self.mode != "read" or layer not in self.bank.tokens:
            return None
        tokens = self.bank.tokens[layer]
        times = self._times(normed)
        mixed = self._mixed(normed, tokens, times)
        seen = torch.cat([mixed, tokens.taken.repeat(times, 1, 1).to(mixed.dtype)], dim=1)
        if times == 2 and self.settings.style_fidelity > 0:
            self._plain[layer] = normed[: self.pictures]
        return (mixed, *rest), named | {"encoder_hidden_states": seen}

    def _mixed(self, normed: torch.Tensor, tokens: Tokens, times: int) -> torch.Tensor:
        share = self.settings.frequency
        if share == 0:
            return normed
        size = (tokens.map.shape[2], tokens.map.shape[3])
        reference = tokens.map.repeat(times, 1, 1, 1)
        return as_tokens(mix_amplitudes(as_map(normed, size), reference, share))

    def _after(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: torch.Tensor
    ) -> torch.Tensor | None:
        plain = self._plain.pop(layer, None)
        if plain is None:
            return None
        _, rest, named = _split(args, kwargs)
        # `forward` and not a call: what is plain is not hooked.
        alone = layer.forward(plain, *rest, **named | {"encoder_hidden_states": None})
        return self._faithful(out, alone)

    def _faithful(self, out: torch.Tensor, plain: torch.Tensor) -> torch.Tensor:
        """The unconditional half as s * plain + (1 - s) * out, the rest as it is."""
        s = self.settings.style_fidelity
        out = out.clone()
        half = out[: self.pictures]
        out[: self.pictures] = plain if s == 1 else s * plain + (1 - s) * half
        return out

    def _normalise(self, layer: nn.Module, args: Any, out: torch.Tensor) -> torch.Tensor | None:
        del args
        size = (out.shape[2], out.shape[3])
        if self.mode == "write":
            taken = self.mask(size, edited=False)
            self.bank.statistics[layer] = Statistics.of(out, taken)
            return None
        if self.mode != "read" or layer not in self.bank.statistics:
            return None
        times = self._times(out)
        goal = self.bank.statistics[layer].repeated(times)
        moved = normalised(out, self.mask(size, edited=True), goal)
        if times == 2 and self.settings.style_fidelity > 0:
            return self._faithful(moved, out[: self.pictures])
        return moved

    def _times(self, batch: torch.Tensor) -> int:
        """2 under guidance, 1 without, and where only the conditional half is given."""
        times, rest = divmod(batch.shape[0], self.pictures)
        assert rest == 0, (batch.shape, self.pictures)
        assert times in (1, 2), (batch.shape, self.pictures)
        return times


def _split(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[torch.Tensor, tuple[Any, ...], dict[str, Any]]:
    """The tokens that an attention is called with, and the rest of its call."""
    named = dict(kwargs)
    if args:
        return args[0], args[1:], named
    return named.pop("hidden_states"), (), named
