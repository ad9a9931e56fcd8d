"""How training draws the times of a batch: (B,) in [0, 1], where 0 is clean and 1 is noise."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mdt.diffusion.schedule import nearest
from mdt.draws import Generators, StepGenerators, draw_noise, draw_uniform, shared

Times = Callable[[int, Generators], Tensor]


def uniform_times(batch: int, generator: Generators) -> Tensor:
    """(B,) float64 in [0, 1), independent."""
    return draw_uniform((batch,), generator, dtype=torch.float64)


def even_times(batch: int, generator: Generators) -> Tensor:
    """(B,) in [0, 1), one in each B-th of it and in random order: less noise in the loss.

    With `StepGenerators` B counts the whole batch. [Kingma et al. 2021, section 4.2, appendix I.1.]
    """
    total, rows = batch, range(batch)
    if isinstance(generator, StepGenerators):
        total, rows = generator.total, generator.rows
    source = shared(generator)
    begin = uniform_times(1, source)
    steps = torch.randperm(total, generator=source, device=source.device)[rows.start : rows.stop]
    return (begin + steps.double() / total) % 1


def logit_normal_times(
    batch: int, generator: Generators, mean: float = 0.0, std: float = 1.0
) -> Tensor:
    """(B,) in (0, 1), the logistic of a normal: middling times more often [Esser et al. 2024, 3.1].

    A mean above 0 leans to noise.
    """
    noise = draw_noise((batch,), generator, dtype=torch.float64)
    return torch.sigmoid(mean + std * noise)


#: name -> how training draws times; u = 0 is clean
TIMES: dict[str, Times] = {
    "uniform": uniform_times,
    "even": even_times,
    "logit_normal": logit_normal_times,
}


def find_times(told: str | dict[str, Any]) -> Times:
    """The way to draw times of a name of `TIMES`, or of {"name": ..., and its settings}.

    Raises:
        ValueError: an unknown name or setting (names the nearest).
    """
    more = {"name": told} if isinstance(told, str) else dict(told)
    name = str(more.pop("name", ""))
    if name not in TIMES:
        raise ValueError(f"There is no way {name!r} to draw times{nearest(name, TIMES)}")
    known = list(inspect.signature(TIMES[name]).parameters)[2:]
    for key in more:
        if key not in known:
            raise ValueError(f"The times {name} have no setting {key!r}{nearest(key, known)}")
    return partial(TIMES[name], **more)
