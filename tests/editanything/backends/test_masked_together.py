"""A generator of whole pictures redraws all regions of a step in one pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import mdt
from editanything.backends.masked import paint_in_place
from editanything.types import Task
from mdt.models import build_model
from mdt.schedulers import make_scheduler

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_two_things_and_a_shadow_are_one_set_of_masked_tokens():
    torch.manual_seed(0)
    network = build_model(
        "mdtv2_s2", input_size=16, in_channels=3, hidden_size=32, depth=2, num_heads=2,
        decode_layers=0, num_classes=2,
    )  # fmt: skip
    pipe = mdt.Pipeline(network.eval(), make_scheduler("flow"), id2label=("cat", "dog"))
    pipe.set_progress_bar_config(disable=True)
    image = np.full((64, 64, 3), 128, np.uint8)
    target, hole = np.zeros((2, 64, 64), bool)
    target[16:32, 8:16] = target[16:32, 48:56] = True
    hole[34:38, 8:30] = True
    task = Task("replace", image, target, target | hole, {"prompt": "cat"}, seed=3, hole=hole)
    steps = []
    painted = paint_in_place(pipe, task, "cat", 3, 1.5, lambda share, _: steps.append(share))
    changed = (painted.image != image).any(2)
    left = np.arange(64) < 32
    assert changed[target & left].mean() > 0.9
    assert changed[target & ~left].mean() > 0.9
    assert changed[hole].mean() > 0.8
    assert not (changed & ~(target | hole)).any()
    assert len(steps) == 3
