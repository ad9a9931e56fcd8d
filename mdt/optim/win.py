"""Win and Win2: weight-decay-integrated Nesterov acceleration around any optimizer.

Zhou et al. 2023, ICLR, "Win: Weight-Decay-Integrated Nesterov Acceleration for Adaptive Gradient
Algorithms"; Zhou et al. 2024, JMLR 25(83), "... for Faster Network Training" (adds Win2).
"""

from __future__ import annotations

import difflib
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from mdt.optim import each
from mdt.optim.base import (
    Bucket,
    Group,
    ListOptimizer,
    check_betas,
    check_number,
    working_dtype,
)
from mdt.optim.directions import BASES

Tensors = list[Tensor] | tuple[Tensor, ...]
MODES = ("win", "win2", "none")


class Win(ListOptimizer):
    """Win(2) over a base optimizer's direction u, taken at the live parameters p.

    Beside p run one (Win) or two (Win2) sequences that start as copies of it. With L = lr λ and
    reckless steps g1, g2 (the papers' updates, fractions multiplied through by lr):

        x <- (x - lr u) / (1 + L)
        Win : p <- (g1 x + p - g1 lr u) / (1 + g1 + g1 L)
        Win2: y <- (g1 x + y - g1 lr u) / (1 + g1 + g1 L)
              p <- (g2 x + (g2/g1) y + p - g2 lr u) / (1 + g2 + g2/g1 + g2 L)

    The papers weigh the sequences by 1/(lr), 1/(g1 lr), 1/(g2 lr); only the ratios matter, and
    those hold no lr. So lr = 0 is no special case: x stays, and p becomes the weighted mean of p
    and x (and y), hence stays, bit for bit, where they are equal, as at the start of a warm-up.

    Evaluate, average and save the model as it is: p is the result. x and y are state that
    cannot be rebuilt; they are in `state_dict()`. Each parameter counts its own steps
    (`state["step"]`, an int64 tensor), and one without a gradient is left alone. Weight decay in
    mode "none" is that of the base itself: decoupled (adamw), L2 (adam, sgd), within the trust
    ratio (lamb), proximal (adan); in win and win2 it is L for adamw, sgd and adan.

    Args:
        params: parameters or groups of them, real floating point. Groups may differ in every
            setting but base and max_grad_norm.
        base: adamw, adam, sgd, lamb or adan: a key of `mdt.optim.directions.BASES`.
        lr: learning rate; may be 0.
        mode: win, win2, or none (the base alone).
        reckless: g1, g2 > 0.
        betas: of the base's moments (adan: three; the default means Adan's own). Unused by sgd.
        eps: None is the base's own: 1e-8, lamb 1e-6.
        weight_decay: λ; None is the base's own: 0.01 for adamw and lamb, else 0.
        max_grad_norm: clip the norm of all gradients together to this; 0 does not clip; None is
            the base's own: 1 for lamb, else 0.
        momentum: of sgd.
        nesterov: of sgd.
        foreach: update many tensors at once (True), one by one (False), or whichever is faster
            on the parameter's device (None).

    Raises:
        ValueError: on settings or parameters that cannot be used.
    """

    shared_settings = ("base", "max_grad_norm")

    def __init__(
        self,
        params: ParamsT,
        base: str = "adamw",
        *,
        lr: float = 1e-3,
        mode: str = "win",
        reckless: tuple[float, float] = (2.0, 8.0),
        betas: tuple[float, ...] = (0.9, 0.999),
        eps: float | None = None,
        weight_decay: float | None = None,
        max_grad_norm: float | None = None,
        momentum: float = 0.9,
        nesterov: bool = True,
        foreach: bool | None = None,
    ) -> None:
        _check_choice("base", base, tuple(BASES))
        own = BASES[base]
        defaults = {
            "lr": lr,
            "base": base,
            "mode": mode,
            "reckless": reckless,
            # A default for two moments says nothing about a base with three.
            "betas": own.betas if betas in ((0.9, 0.999), [0.9, 0.999]) else betas,
            "eps": own.eps if eps is None else eps,
            "weight_decay": own.weight_decay if weight_decay is None else weight_decay,
            "max_grad_norm": own.max_grad_norm if max_grad_norm is None else max_grad_norm,
            "momentum": momentum,
            "nesterov": nesterov,
            "foreach": foreach,
        }
        super().__init__(params, defaults)

    def _check(self, group: Group) -> None:
        for name in ("lr", "eps", "weight_decay", "max_grad_norm"):
            check_number("Win", name, group[name])
        check_number("Win", "momentum", group["momentum"], below=1)
        _check_choice("mode", group["mode"], MODES)
        check_betas(f"Win over {group['base']}", group["betas"], len(BASES[group["base"]].betas))
        reckless = group["reckless"]
        if not isinstance(reckless, (tuple, list)) or len(reckless) != 2:
            raise ValueError(f"Win: reckless must be two numbers above 0; got {reckless!r}.")
        for i, step in enumerate(reckless):
            check_number("Win", f"reckless[{i}]", step)
            if step == 0:
                raise ValueError("Win: reckless steps must be above 0; mode='none' has none.")

    def _state_names(self, group: Group) -> set[str]:
        ahead = {"none": (), "win": ("x",), "win2": ("x", "y")}[group["mode"]]
        return {"step", *BASES[group["base"]].state_names, *ahead}

    def _start(self, group: Group, p: Tensor, g: Tensor) -> dict[str, Tensor]:
        state = BASES[group["base"]].start(p, g)
        for name in self._state_names(group) & {"x", "y"}:
            state[name] = p.detach().to(working_dtype(p), copy=True)
        return {**state, "step": torch.zeros((), dtype=torch.int64)}

    def _count(self, group: Group, p: Tensor) -> int:  # noqa: ARG002
        self.state[p]["step"] += 1
        return int(self.state[p]["step"])

    def _is_elementwise(self, group: Group) -> bool:
        return BASES[group["base"]].elementwise

    def _clip_eps(self) -> float:
        # LAMB divides by max(|g| / max_grad_norm, 1), without an eps.
        return 0.0 if self.defaults["base"] == "lamb" else super()._clip_eps()

    @torch.no_grad()
    def _update(self, group: Group, bucket: Bucket) -> None:
        base, plain = BASES[group["base"]], group["mode"] == "none"
        decay = base.plain_decay if plain else base.win_decay
        lr, wd = float(group["lr"]), group["weight_decay"]
        if decay == "l2" and wd:
            bucket.grads = list(each.add(bucket.grads, bucket.params, alpha=wd))
        u = base.direction(bucket, group)
        if plain:
            _plain(bucket.params, u, lr, wd, decay)
        else:
            _look_ahead(bucket, u, lr, lr * wd if decay == "proximal" else 0.0, group)


def _plain(p: list[Tensor], u: list[Tensor], lr: float, wd: float, decay: str) -> None:
    """The base optimizer's own step."""
    if decay == "decoupled" and wd:
        each.mul_(p, 1 - lr * wd)
    each.add_(p, u, alpha=-lr)
    if decay == "proximal" and wd:
        each.div_(p, 1 + lr * wd)


def _look_ahead(bucket: Bucket, u: list[Tensor], lr: float, L: float, group: Group) -> None:
    """Win or Win2; x first, then the sequences that follow it."""
    (g1, g2), p, x = group["reckless"], bucket.params, bucket.state("x")
    each.add_(x, u, alpha=-lr)
    if L:
        each.div_(x, 1 + L)
    if group["mode"] == "win":
        _follow(p, each.sub(x, p), 1.0, u, lr, L, g1)
        return
    y = bucket.state("y")
    _follow(y, each.sub(x, y), 1.0, u, lr, L, g1)
    pull = each.sub(x, p)
    each.add_(pull, each.sub(y, p), alpha=1 / g1)
    _follow(p, pull, 1 + 1 / g1, u, lr, L, g2)


def _follow(
    z: list[Tensor],
    pull: Tensors,
    weight: float,
    u: list[Tensor],
    lr: float,
    L: float,
    g: float,
) -> None:
    """Let z follow its anchors a: z <- (g Σ w a + z - g lr u) / (1 + g Σ w + g L).

    Given are weight = Σ w and pull = Σ w (a - z), which is overwritten. Written as an increment,
    z += g (pull - lr u - L z) / (1 + g Σ w + g L), so that a step at lr = 0 changes no bit where
    every a equals z.
    """
    each.add_(pull, u, alpha=-lr)
    if L:
        each.add_(pull, z, alpha=-L)
    each.add_(z, pull, alpha=g / (1 + g * (weight + L)))


def _check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        near = difflib.get_close_matches(str(value), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
        raise ValueError(f"Win: there is no {name} {value!r}; {hint}")
