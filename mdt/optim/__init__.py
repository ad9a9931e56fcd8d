"""Optimizers and learning-rate functions.

`OPTIMIZERS` is what a YAML's `name:` may say; every entry is called as `(params, **settings)`.
"""

from collections.abc import Callable

import torch

from mdt.optim.adan import Adan
from mdt.optim.schedules import SCHEDULES, make_schedule
from mdt.optim.win import Win

__all__ = ["OPTIMIZERS", "SCHEDULES", "Adan", "Win", "make_schedule"]

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adan": Adan,
    "win": Win,
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}
