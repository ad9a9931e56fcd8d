"""Learning-rate functions: step -> a factor of the peak learning rate, nothing remembered.

Directly, `group["lr"] = peak * cosine(step, total_steps=10_000)`, or through torch:
`LambdaLR(optimizer, make_schedule("wsd", total_steps=10_000, warmup_steps=500))`. Steps count from
0 and may be any quantity (pictures seen, a fraction of the run) as long as all have the same unit.
Every function may begin with a linear warm-up (Goyal et al. 2017, arXiv:1706.02677, section 2.2).
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any

__all__ = ["SCHEDULES", "constant", "cosine", "inverse_sqrt", "make_schedule", "warmup", "wsd"]


def warmup(step: float, *, warmup_steps: float) -> float:
    """Linear from 0 at step 0 to 1 at `warmup_steps`, then 1 (Goyal et al. 2017, section 2.2)."""
    _check(step=step, warmup_steps=warmup_steps)
    return min(1.0, step / warmup_steps) if warmup_steps else 1.0


def constant(step: float, *, warmup_steps: float = 0) -> float:
    """1 after the warm-up: the rate of MDT and DiT (Peebles & Xie 2023, arXiv:2212.09748)."""
    return warmup(step, warmup_steps=warmup_steps)


def cosine(
    step: float, *, total_steps: float, warmup_steps: float = 0, final: float = 0.0
) -> float:
    """Half a cosine from 1 to `final` at `total_steps` (SGDR, arXiv:1608.03983, eq. 5)."""
    _check(total_steps=total_steps, final=final)
    _check_order(warmup_steps, total_steps)
    progress = _progress(step, warmup_steps, total_steps)
    decay = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))
    return warmup(step, warmup_steps=warmup_steps) * decay


def wsd(
    step: float,
    *,
    total_steps: float,
    warmup_steps: float = 0,
    decay_steps: float | None = None,
    final: float = 0.0,
    shape: str = "sqrt",
) -> float:
    """Warm-up, stable, decay (Hu et al. 2024, MiniCPM, arXiv:2404.06395).

    Args:
        step: from 0.
        total_steps: when the decay ends.
        warmup_steps: when the stable stage begins.
        decay_steps: length of the decay; None is a fifth of `total_steps`.
        final: factor at the end.
        shape: "sqrt": 1 - √progress, the better cool-down in Hägele et al. 2024
            (arXiv:2405.18392); or "linear".
    """
    _check(total_steps=total_steps, final=final)
    if shape not in ("sqrt", "linear"):
        raise ValueError(f"wsd: there is no shape {shape!r}; there are sqrt, linear.")
    decay_steps = 0.2 * total_steps if decay_steps is None else decay_steps
    _check(decay_steps=decay_steps)
    _check_order(warmup_steps, total_steps)
    progress = _progress(step, total_steps - decay_steps, total_steps)
    fallen = math.sqrt(progress) if shape == "sqrt" else progress
    return warmup(step, warmup_steps=warmup_steps) * (1 - (1 - final) * fallen)


def inverse_sqrt(step: float, *, reference_steps: float, warmup_steps: float = 0) -> float:
    """1 / √max(step / reference_steps, 1): EDM2's rate (Karras et al. 2024, arXiv:2312.02696)."""
    _check(step=step, reference_steps=reference_steps)
    if reference_steps == 0:
        raise ValueError("reference_steps must be above 0; the rate is constant until then.")
    return warmup(step, warmup_steps=warmup_steps) / math.sqrt(max(step / reference_steps, 1.0))


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "warmup": warmup,
    "cosine": cosine,
    "wsd": wsd,
    "inverse_sqrt": inverse_sqrt,
}


def make_schedule(name: str, **settings: Any) -> Callable[[float], float]:
    """The function `name` of `SCHEDULES` with its settings: step -> factor.

    Raises:
        ValueError: unknown name or setting, or a value that cannot be used.
    """
    if name not in SCHEDULES:
        near = difflib.get_close_matches(name, SCHEDULES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SCHEDULES)}."
        raise ValueError(f"There is no learning-rate function {name!r}; {hint}")
    schedule = partial(SCHEDULES[name], **settings)
    try:
        inspect.signature(SCHEDULES[name]).bind(0, **settings)
    except TypeError as error:
        raise ValueError(f"Learning-rate function {name}: {error}.") from None
    schedule(0)
    return schedule


def _progress(step: float, start: float, end: float) -> float:
    """Where `step` lies between `start` and `end`, in [0, 1]."""
    if step >= end:
        return 1.0
    return (step - start) / (end - start) if step > start else 0.0


def _check(**values: float) -> None:
    for name, value in values.items():
        if not (isinstance(value, Real) and 0 <= value < math.inf):
            raise ValueError(f"{name} must be a finite number, at least 0; got {value!r}.")


def _check_order(warmup_steps: float, total_steps: float) -> None:
    _check(warmup_steps=warmup_steps, total_steps=total_steps)
    if warmup_steps > total_steps or total_steps == 0:
        raise ValueError(
            f"total_steps must be above 0 and hold the warm-up; got {total_steps!r} with "
            f"warmup_steps {warmup_steps!r}."
        )
