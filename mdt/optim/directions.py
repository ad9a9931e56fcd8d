"""Update directions u: what an optimizer would subtract, times the learning rate.

Each function takes a bucket and the settings of its group, updates the moments in the states and
returns u, one new tensor or moment per parameter, not to be written to. g is the gradient, m, v,
n are moments, k counts steps from 1. To add a direction: one function and one entry in `BASES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mdt.optim import each
from mdt.optim.base import Bucket, Group, zeros

# How weight decay λ enters. l2: g <- g + λp. decoupled: p <- (1 - lr λ) p before the step.
# proximal: p <- p / (1 + lr λ) after it. inside: the direction itself holds it.
Decay = Literal["l2", "decoupled", "proximal", "inside"]


def adan(bucket: Bucket, group: Group) -> list[Tensor]:
    """Adan (Xie et al. 2024, arXiv:2208.06677, Algorithm 1), its betas being 1 - the paper's.

    As in the authors' implementation, and not in the paper, moments start at zero and are
    corrected for it, and eps stands outside the root.
    """
    (b1, b2, b3), k, g = group["betas"], bucket.k, bucket.grads
    m, v = bucket.state("exp_avg"), bucket.state("exp_avg_diff")
    n, g_prev = bucket.state("exp_avg_sq"), bucket.state("neg_pre_grad")
    each.add_(g_prev, g)  # d = g - g_prev; stored negated so that no temporary is needed
    each.lerp_(m, g, 1 - b1)  # m <- b1 m + (1 - b1) g
    each.lerp_(v, g_prev, 1 - b2)  # v <- b2 v + (1 - b2) d
    each.mul_(g_prev, b2)
    each.add_(g_prev, g)  # g + b2 d
    each.mul_(n, b3)  # n <- b3 n + (1 - b3) (g + b2 d)²
    each.addcmul_(n, g_prev, g_prev, value=1 - b3)
    each.copy_(g_prev, g)
    each.neg_(g_prev)
    den = each.sqrt(n)
    each.div_(den, (1 - b3**k) ** 0.5)
    each.add_(den, group["eps"])
    u = each.div(m, 1 - b1**k)
    each.add_(u, v, alpha=b2 / (1 - b2**k))
    each.div_(u, den)
    return list(u)


def adamw(bucket: Bucket, group: Group) -> list[Tensor]:
    """Adam's direction m̂ / (√v̂ + eps) (Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1)."""
    (b1, b2), k = group["betas"], bucket.k
    m, v = _moments(bucket, b1, b2)
    den = each.sqrt(v)
    each.div_(den, (1 - b2**k) ** 0.5)
    each.add_(den, group["eps"])
    u = each.div(m, 1 - b1**k)
    each.div_(u, den)
    return list(u)


def adam(bucket: Bucket, group: Group) -> list[Tensor]:
    """Adam in the form of its section 2, last lines: eps is added to the uncorrected root √v."""
    (b1, b2), k = group["betas"], bucket.k
    m, v = _moments(bucket, b1, b2)
    den = each.sqrt(v)
    each.add_(den, group["eps"])
    u = each.div(m, (1 - b1**k) / (1 - b2**k) ** 0.5)
    each.div_(u, den)
    return list(u)


def sgd(bucket: Bucket, group: Group) -> list[Tensor]:
    """Momentum, or Nesterov's (Sutskever et al. 2013, in torch's form); dampening 0."""
    mu, g, b = group["momentum"], bucket.grads, bucket.state("momentum")
    each.mul_(b, mu)  # b <- mu b + g
    each.add_(b, g)
    return list(each.add(g, b, alpha=mu)) if group["nesterov"] else b


def lamb(bucket: Bucket, group: Group) -> list[Tensor]:
    """LAMB (You et al. 2020, arXiv:1904.00962, Algorithm 2): each tensor moves by its own norm.

    r = m̂ / (√v̂ + eps) + λp, u = r |p| / |r|; the ratio is 1 where a norm is 0, and for λ = 0.
    """
    decay = group["weight_decay"]
    r = adamw(bucket, group)
    if decay == 0:
        return r
    each.add_(r, bucket.params, alpha=decay)
    norms = zip(each.norm(bucket.params, 2), each.norm(r, 2), strict=True)
    ratios = [torch.where((p > 0) & (r > 0), p / r, 1.0) for p, r in norms]
    each.mul_(r, ratios)
    return r


def _moments(bucket: Bucket, b1: float, b2: float) -> tuple[list[Tensor], list[Tensor]]:
    g, m, v = bucket.grads, bucket.state("exp_avg"), bucket.state("exp_avg_sq")
    each.lerp_(m, g, 1 - b1)  # m <- b1 m + (1 - b1) g
    each.mul_(v, b2)  # v <- b2 v + (1 - b2) g²
    each.addcmul_(v, g, g, value=1 - b2)
    return m, v


def start_adan(p: Tensor, g: Tensor) -> dict[str, Tensor]:
    """Zero moments; the previous gradient is the present one, so that the first d is 0."""
    moments = {name: zeros(p) for name in ("exp_avg", "exp_avg_sq", "exp_avg_diff")}
    return {**moments, "neg_pre_grad": zeros(p).sub_(g)}


def start_adam(p: Tensor, g: Tensor) -> dict[str, Tensor]:  # noqa: ARG001
    """Zero moments."""
    return {"exp_avg": zeros(p), "exp_avg_sq": zeros(p)}


def start_sgd(p: Tensor, g: Tensor) -> dict[str, Tensor]:  # noqa: ARG001
    """No momentum yet."""
    return {"momentum": zeros(p)}


@dataclass(frozen=True)
class Base:
    """A direction, how its state starts, how weight decay enters, and its default settings.

    Attributes:
        direction: (bucket, settings) -> u.
        start: (parameter, first gradient) -> state.
        state_names: the names in that state.
        plain_decay: weight decay without look-ahead.
        win_decay: weight decay in Win and Win2.
        betas: default, and how many there are.
        elementwise: whether u of an element depends on that element's own values alone.
    """

    direction: Callable[[Bucket, Group], list[Tensor]]
    start: Callable[[Tensor, Tensor], dict[str, Tensor]]
    state_names: tuple[str, ...]
    plain_decay: Decay
    win_decay: Decay
    betas: tuple[float, ...] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 0.0
    elementwise: bool = True


ADAN_STATE = ("exp_avg", "exp_avg_sq", "exp_avg_diff", "neg_pre_grad")
ADAM_STATE = ("exp_avg", "exp_avg_sq")

BASES: dict[str, Base] = {
    "adamw": Base(adamw, start_adam, ADAM_STATE, "decoupled", "proximal", weight_decay=1e-2),
    "adam": Base(adam, start_adam, ADAM_STATE, "l2", "l2"),
    "sgd": Base(sgd, start_sgd, ("momentum",), "l2", "proximal"),
    "lamb": Base(
        lamb, start_adam, ADAM_STATE, "inside", "inside",
        eps=1e-6, weight_decay=0.01, max_grad_norm=1.0, elementwise=False,
    ),
    "adan": Base(
        adan, start_adan, ADAN_STATE, "proximal", "proximal", betas=(0.98, 0.92, 0.99)
    ),
}  # fmt: skip
