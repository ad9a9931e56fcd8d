"""What a user may change of a step before it runs, and what each change does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from editanything.command.types import Operation
from editanything.errors import InputError
from editanything.types import Mask, Step

#: Settings that decide how a clause is planned: they belong to its first step.
OF_CLAUSES = frozenset({"prompt", "mask"})
MOST_FEATHER_PX = 500
# The number that says how much, by operation.
_STRENGTH_PARAMS = {"modify": "strength", "filter": "amount"}


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they are kept: each of its kind and in its range.

    Raises:
        InputError: an unknown name (the nearest is told) or a value that it cannot have.
    """
    for name in settings:
        if name not in CHECKS:
            near = get_close_matches(name, CHECKS, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise InputError(
                f"A step has no setting {name!r}; there are: {', '.join(CHECKS)}.{hint}"
            )
    return {name: CHECKS[name](value) for name, value in settings.items()}


def _prompt(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"prompt is what the thing becomes, in words; got {value!r}.")
    return value.strip()


def _mask(value: Any) -> Mask:
    mask = Mask.of(value) if isinstance(value, np.ndarray) else value
    if not isinstance(mask, Mask):
        raise InputError(f"mask is a bool array (H, W) or a Mask; got {type(value).__name__}.")
    if mask.area == 0:
        raise InputError("The mask is empty: it selects no pixel of the picture.")
    return mask


def _number(name: str, least: float, most: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real or not least <= value <= most:
            raise InputError(f"{name} is a number from {least:g} to {most:g}; got {value!r}.")
        return float(value)

    return check


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InputError(f"seed is a whole number from 0 to 2^63 - 1; got {value!r}.")
    return value


#: Every setting of a step, and what checks it.
CHECKS: dict[str, Callable[[Any], Any]] = {
    "prompt": _prompt,
    "mask": _mask,
    "strength": _number("strength", 0.01, 1),
    "seed": _seed,
    "feather_px": _number("feather_px", 0, MOST_FEATHER_PX),
}


def has_strength(op: str) -> bool:
    """Whether a step of this operation can be done by halves."""
    return op in _STRENGTH_PARAMS


def changed_operation(operation: Operation, settings: Mapping[str, Any]) -> Operation:
    """The operation with another prompt.

    Raises:
        InputError: if it has none.
    """
    if "prompt" not in settings:
        return operation
    if operation.value is None:
        raise InputError(f"“{operation.op}” has no prompt: there is nothing that it becomes.")
    return replace(operation, value=settings["prompt"])


def changed_step(step: Step, settings: Mapping[str, Any]) -> Step:
    """The step with another strength, seed or feather.

    Raises:
        InputError: a strength where there is none.
    """
    plain = {name: settings[name] for name in ("seed", "feather_px") if name in settings}
    step = replace(step, **plain)
    if "strength" not in settings:
        return step
    name = _STRENGTH_PARAMS.get(step.op)
    if name is None:
        raise InputError(f"“{step.op}” has no strength; colours and filters have.")
    return replace(step, params={**step.params, name: settings["strength"]})


def fitting(mask: Mask, shape: tuple[int, int]) -> Mask:
    """`mask`, if it is one of a picture of `shape` = (H, W).

    Raises:
        InputError: if it is not.
    """
    if mask.shape != shape:
        raise InputError(
            f"The mask is {mask.shape[1]}x{mask.shape[0]} pixels but the picture is "
            f"{shape[1]}x{shape[0]} at this step; give a mask of that size."
        )
    return mask
