"""Adan: adaptive Nesterov momentum (Xie et al. 2024, TPAMI, arXiv:2208.06677)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from mdt.optim import each
from mdt.optim.base import Bucket, Group, ListOptimizer, check_betas, check_number
from mdt.optim.directions import ADAN_STATE, adan, start_adan


class Adan(ListOptimizer):
    """Adan, step for step as its authors run it.

    The step counter belongs to the parameter group (`group["step"]`, a plain int, as in the
    authors' state files, which load here): a parameter whose first gradient comes later gets the
    group's bias correction. `Win(params, base="adan", mode="none")` is the same method with a
    counter per parameter.

    Usual learning rates are 2 to 10 times those of AdamW; the first step moves every coordinate
    by lr, so warm-up matters. Memory: four tensors per parameter.

    Args:
        params: parameters or groups of them, real floating point.
        lr: learning rate; may be 0.
        betas: of the gradient, its difference and the square; one minus the paper's.
        eps: added to the root of the second moment.
        weight_decay: λ, proximal, or decoupled as in AdamW with `no_prox`.
        max_grad_norm: clip the norm of all gradients together to this; 0 does not clip.
        no_prox: decay the parameter before the step instead of after it.
        foreach: update many tensors at once (True), one by one (False), or whichever is faster
            on the parameter's device (None).

    Raises:
        ValueError: on settings or parameters that cannot be used.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.98, 0.92, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        max_grad_norm: float = 0.0,
        no_prox: bool = False,
        *,
        foreach: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "max_grad_norm": max_grad_norm,
            "no_prox": no_prox,
            "foreach": foreach,
            "step": 0,
        }
        super().__init__(params, defaults)

    def restart_opt(self) -> None:
        """Forget all moments and counters; the next step is like the first one."""
        self.state.clear()
        for group in self.param_groups:
            group["step"] = 0

    def _check(self, group: Group) -> None:
        for name in ("lr", "eps", "weight_decay", "max_grad_norm"):
            check_number("Adan", name, group[name])
        check_betas("Adan", group["betas"], 3)

    def _state_names(self, group: Group) -> set[str]:  # noqa: ARG002
        return set(ADAN_STATE)

    def _step_group(self, group: Group, params: list[Tensor]) -> None:
        group["step"] += 1
        super()._step_group(group, params)

    def _count(self, group: Group, p: Tensor) -> int:  # noqa: ARG002
        return int(group["step"])

    def _start(self, group: Group, p: Tensor, g: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        return start_adan(p, g)

    @torch.no_grad()
    def _update(self, group: Group, bucket: Bucket) -> None:
        lr, p = float(group["lr"]), bucket.params
        shrink = lr * group["weight_decay"]
        u = adan(bucket, group)
        if shrink and group["no_prox"]:
            each.mul_(p, 1 - shrink)
        each.add_(p, u, alpha=-lr)
        if shrink and not group["no_prox"]:
            each.div_(p, 1 + shrink)
