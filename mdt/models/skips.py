"""ScaleLong: how strongly long skips come in, and probes that show what it does [HZY2023].

Long skips are counted in decode order: j = 0 is the deepest (popped first), j = N-1 the outermost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

#: none; constant: κ^(N-1-j); rsqrt2: 1/√2; gate: learned, per channel, one at the start;
#: token_gate(s): the published calibration net, shared (or one a skip), bound to a token count.
SKIP_SCALES = ("none", "constant", "rsqrt2", "gate", "token_gate", "token_gates")


def constant_factors(num_skips: int, kappa: float) -> list[float]:
    """κ^(i-1) with i = 1 the outermost skip (ScaleLong-CS), in decode order, deepest first."""
    return [kappa ** (num_skips - 1 - j) for j in range(num_skips)]


class TokenGate(nn.Module):
    """The published calibration net: a gate per token from the mean over channels.

    gate = σ(W2·relu(W1·mean_c(skip))), skip <- gate·skip; fixed to `num_tokens` tokens.
    """

    def __init__(self, num_tokens: int, reduction: int = 16) -> None:
        super().__init__()
        self.num_tokens = num_tokens
        self.layer1 = nn.Linear(num_tokens, max(1, num_tokens // reduction))
        self.layer2 = nn.Linear(max(1, num_tokens // reduction), num_tokens)

    def gate(self, skip: Tensor) -> Tensor:
        """(B, L, 1) factors in (0, 1) for a skip of (B, L, C)."""
        if skip.shape[1] != self.num_tokens:
            raise ValueError(
                f"The published token gate was made for {self.num_tokens} tokens and got "
                f"{skip.shape[1]}; use skip_scale='gate' for other sizes and masked passes."
            )
        return self.layer2(self.layer1(skip.mean(-1)).relu()).sigmoid()[..., None]

    def forward(self, skip: Tensor) -> Tensor:
        """The skip (B, L, C), scaled."""
        return self.gate(skip) * skip


class ChannelGate(nn.Module):
    """A gate per channel from the mean over tokens or pixels: 2·σ(W2·relu(W1·mean)).

    W2 starts at zero, so that the gate starts at exactly one and a loaded checkpoint is not
    disturbed. Takes any number of tokens, (B, L, C), or pixels, (B, C, h, w).
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(4, channels // reduction)
        self.layer1, self.layer2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at one."""
        nn.init.zeros_(self.layer2.weight)
        nn.init.zeros_(self.layer2.bias)

    def forward(self, skip: Tensor) -> Tensor:
        """The skip, scaled."""
        image = skip.ndim == 4
        mean = skip.mean((2, 3)) if image else skip.mean(1)
        gate = 2 * self.layer2(self.layer1(mean).relu()).sigmoid()  # B C
        return skip * (gate[:, :, None, None] if image else gate[:, None])


def skip_factors(mode: str, num_skips: int, kappa: float) -> list[float]:
    """The fixed factors of the skips, in decode order; 1 where the mode has none.

    Raises:
        ValueError: an unknown mode, or κ outside (0, 1].
    """
    if mode not in SKIP_SCALES:
        raise ValueError(f"skip_scale is one of {', '.join(SKIP_SCALES)}; got {mode!r}.")
    if not 0 < kappa <= 1:
        raise ValueError(f"kappa lies in (0, 1] (published: 0.5 to 0.95); got {kappa:g}.")
    if mode == "constant":
        return constant_factors(num_skips, kappa)
    return [1 / math.sqrt(2) if mode == "rsqrt2" else 1.0] * num_skips


def skip_nets(mode: str, channels: list[int], num_tokens: int | None = None) -> nn.Module | None:
    """The learned part: one net shared by all skips, a list with one for each, or none.

    Args:
        mode: one of `SKIP_SCALES`.
        channels: channels of each skip in decode order; a channel gate is shared if all are equal.
        num_tokens: tokens of a skip, for the published token gate; None: it cannot work here.

    Raises:
        ValueError: a token gate where it cannot work.
    """
    if mode.startswith("token_gate"):
        if num_tokens is None:
            raise ValueError(
                "The published token gate is bound to one token count, which this network does "
                "not have; use skip_scale='gate'."
            )
        if mode == "token_gate":
            return TokenGate(num_tokens)
        return nn.ModuleList(TokenGate(num_tokens) for _ in channels)
    if mode != "gate":
        return None
    if len(set(channels)) == 1:
        return ChannelGate(channels[0])
    return nn.ModuleList(ChannelGate(count) for count in channels)


def scale_skip(skip: Tensor, j: int, factors: list[float], nets: nn.Module | None) -> Tensor:
    """The skip that is popped as number `j`, scaled."""
    if nets is not None:
        return nets[j](skip) if isinstance(nets, nn.ModuleList) else nets(skip)
    return skip if factors[j] == 1.0 else skip * factors[j]


class _HasDepth(Protocol):
    def depth_blocks(self) -> dict[str, nn.Module]: ...


@dataclass
class Norms:
    """What `probe_norms` saw, by block name in order of depth; mean L2 norm of an image.

    `weights` is filled when the probe closes, from the gradients that are there by then.
    """

    features: dict[str, float] = field(default_factory=dict)  # ‖h‖ that leaves the block
    gradients: dict[str, float] = field(default_factory=dict)  # ‖∂loss/∂h‖
    weights: dict[str, float] = field(default_factory=dict)  # ‖∂loss/∂parameters‖ of the block


@contextmanager
def probe_norms(model: _HasDepth) -> Iterator[Norms]:
    """Record feature and gradient norms per depth while the block runs forward and backward.

    Example:
        >>> with probe_norms(model) as norms:
        ...     model(x, t, label).square().mean().backward()
        >>> norms.features  # {"in_blocks.0": 31.2, ...}
    """
    norms, blocks = Norms(), model.depth_blocks()

    def watch(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, out: Tensor) -> None:
            norms.features[name] = _norm(out)
            if out.requires_grad:
                out.register_hook(  # type: ignore[no-untyped-call]
                    lambda grad: norms.gradients.__setitem__(name, _norm(grad))
                )

        return hook

    handles = [block.register_forward_hook(watch(name)) for name, block in blocks.items()]
    try:
        yield norms
        norms.gradients = {
            name: norms.gradients[name] for name in blocks if name in norms.gradients
        }
        for name, block in blocks.items():
            grads = [p.grad.float().norm() for p in block.parameters() if p.grad is not None]
            if grads:
                norms.weights[name] = float(torch.stack(grads).norm())
    finally:
        for handle in handles:
            handle.remove()


def _norm(x: Tensor) -> float:
    return float(x.detach().float().flatten(1).norm(dim=1).mean())
