"""A device without float64, played by torch's "meta" device, whose tensors have no content."""

import contextlib
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mdt import devices
from mdt.data import Batch
from mdt.diffusion.objective import OBJECTIVES, make_objective
from mdt.diffusion.schedule import make_schedule
from mdt.models import build_model
from mdt.train import _backward
from mdt.watch import Window, by_level

HERE, THERE = torch.device("cpu"), torch.device("meta")


class Apple(TorchDispatchMode):
    """Refuses float64 on the device, and lets what is copied from it be ones."""

    def __torch_dispatch__(self, func, _types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default and kwargs.get("device") == HERE:
            dtype = kwargs.get("dtype") or args[0].dtype
            assert dtype == args[0].dtype, "a copy that changes the type does so on the device"
            return torch.ones(args[0].shape, dtype=dtype)
        out = func(*args, **kwargs)
        for one in out if isinstance(out, tuple | list) else [out]:
            if isinstance(one, torch.Tensor) and one.device == THERE:
                assert one.dtype != torch.float64, func
        return out


@pytest.fixture
def apple(monkeypatch):
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", {"mps", "meta"})
    return Apple()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_step_puts_no_float64_on_a_device_that_has_none(name, apple):
    sizes = {"hidden_size": 32, "depth": 4, "num_heads": 2, "decode_layers": 2}
    sigma = OBJECTIVES[name]["schedule"] != "flow"
    network = build_model(
        "mdtv2_s4", input_size=8, in_channels=3, num_classes=2, learn_sigma=sigma, **sizes
    ).to("meta")
    parts = SimpleNamespace(objective=make_objective(name), model=network, encoder=None)
    accelerator = SimpleNamespace(
        device=THERE,
        num_processes=1,
        process_index=0,
        no_sync=lambda _: contextlib.nullcontext(),
        autocast=contextlib.nullcontext,
        backward=torch.Tensor.backward,
    )
    batch = Batch(torch.zeros(4, 3, 8, 8), torch.tensor([0, 1, 0, 1]), 0)
    settings = SimpleNamespace(micro_batch=2, batch=4, seed=0)
    state = SimpleNamespace(window=Window(), step=0, attempt=0)
    with apple:
        sums = _backward(parts, batch, state, settings, accelerator)
    assert (sums.device, sums.dtype) == (HERE, torch.float64)
    assert sums[0].sum() == 4
    assert network.final_layer.linear.weight.grad is not None


@pytest.mark.parametrize("name", ["linear", "flow", "karras"])
def test_schedules_keep_to_what_the_device_has(name, apple):
    schedule = make_schedule(name)
    with apple:
        amounts = schedule.at(torch.zeros(3, dtype=torch.float32, device=THERE))
    assert {one.dtype for one in amounts} == {torch.float32}
    assert {one.dtype for one in schedule.at(torch.zeros(3))} == {torch.float64}


def test_elsewhere_nothing_is_cut_short():
    assert devices.widest(torch.device("mps")) == torch.float32
    assert devices.home_of_sums(torch.device("mps")) == HERE
    for kind in ("cpu", "cuda"):
        assert devices.widest(torch.device(kind)) == torch.float64
        assert devices.home_of_sums(torch.device(kind)) == torch.device(kind)
    u = torch.full((2,), 1 / 3, dtype=torch.float64)
    assert devices.move(u, HERE) is u
    assert by_level(u, torch.ones(2)).dtype == torch.float64
