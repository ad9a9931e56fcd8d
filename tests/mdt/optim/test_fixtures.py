"""Adan and Win against steps recorded from their authors' code (tests/parity/numbers_optim.json).

Tolerances: 1e-9 in float64; 1e-7 where clipping is active, because the reference accumulates the
clip norm in float32.
"""

import json
from pathlib import Path

import pytest
import torch

from mdt.optim import Adan, Win

FIXTURES = json.loads((Path(__file__).parents[2] / "parity" / "numbers_optim.json").read_text())
ADAN = [k for k, v in FIXTURES.items() if "adan_" in k and "kw" in v]
WIN = [k for k in FIXTURES if "win_" in k]
# The restart happens between steps 3 and 4 of its fixture.
RESTART = "optim/adan_restart_opt_after_step3"


def tolerance(name, settings):
    return 1e-7 if "clip" in name or 0 < settings.get("max_grad_norm", 0) < 1e6 else 1e-9


def parameter(values, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


def check_run(optimizer, p, fixture, atol, restart_after=None):
    for i, (grad, expected) in enumerate(
        zip(fixture["grads"], fixture["trajectory"], strict=True), start=1
    ):
        p.grad = torch.tensor(grad, dtype=p.dtype)
        optimizer.step()
        torch.testing.assert_close(
            p.detach(), torch.tensor(expected, dtype=p.dtype), rtol=0, atol=atol
        )
        if i == restart_after:
            optimizer.restart_opt()
    for key, expected in fixture.get("final_state", {}).items():
        value = optimizer.state[p][key]
        wanted = torch.tensor(expected, dtype=value.dtype)
        torch.testing.assert_close(value, wanted, rtol=0, atol=atol)


def test_every_fixture_is_run():
    assert (len(ADAN), len(WIN), len(FIXTURES)) == (8, 27, 37)


@pytest.mark.parametrize("foreach", [False, True, None])
@pytest.mark.parametrize("name", ADAN)
def test_adan(name, foreach):
    fixture = FIXTURES[name]
    single = name.endswith("float32")
    dtype = torch.float32 if single else torch.float64
    p = parameter(fixture["p0"], dtype)
    optimizer = Adan([p], **fixture["kw"], foreach=foreach)
    atol = 1e-6 if single else tolerance(name, fixture["kw"])
    check_run(optimizer, p, fixture, atol, restart_after=3 if name == RESTART else None)


@pytest.mark.parametrize(
    "name", [n for n in ADAN if "no_prox" not in n and not n.endswith(("step3", "float32"))]
)
def test_win_over_adan_without_look_ahead_is_adan(name):
    fixture = FIXTURES[name]
    p = parameter(fixture["p0"])
    optimizer = Win([p], "adan", mode="none", **fixture["kw"])
    check_run(optimizer, p, fixture, tolerance(name, fixture["kw"]))


@pytest.mark.parametrize("foreach", [False, True, None])
@pytest.mark.parametrize("name", WIN)
def test_win(name, foreach):
    fixture = FIXTURES[name]
    settings = dict(fixture["kw"])
    mode = settings.pop("acceleration_mode")
    p = parameter(fixture["p0"])
    optimizer = Win([p], name.split("_")[1], mode=mode, **settings, foreach=foreach)
    check_run(optimizer, p, fixture, tolerance(name, settings))


def test_adan_clips_by_one_norm_over_all_groups():
    fixture = FIXTURES["optim/adan_two_groups_global_clip1"]
    p, q = parameter(fixture["p0"]), parameter(fixture["q0"])
    groups = [
        {"params": [p], "weight_decay": fixture["wd_p"]},
        {"params": [q], "weight_decay": fixture["wd_q"]},
    ]
    optimizer = Adan(groups, lr=fixture["lr"], max_grad_norm=1.0)
    for (grad_p, grad_q), expected in zip(fixture["grads"], fixture["trajectory"], strict=True):
        p.grad = torch.tensor(grad_p, dtype=torch.float64)
        q.grad = torch.tensor(grad_q, dtype=torch.float64)
        optimizer.step()
        found = {"p": p, "q": q, "p_grad_after": p.grad, "q_grad_after": q.grad}
        for key, value in found.items():
            wanted = torch.tensor(expected[key], dtype=torch.float64)
            torch.testing.assert_close(value.detach(), wanted, rtol=0, atol=1e-7)


def test_adan_counts_steps_per_group():
    fixture = FIXTURES["optim/adan_late_parameter"]
    p, q = parameter(fixture["p0"]), parameter(fixture["q0"])
    optimizer = Adan([p, q], lr=fixture["lr"])
    for i, expected in enumerate(fixture["trajectory_p_q"]):
        p.grad = torch.tensor([fixture["grad"]], dtype=torch.float64)
        q.grad = p.grad.clone() if i >= 2 else None
        optimizer.step()
        found = torch.stack([p.detach()[0], q.detach()[0]])
        wanted = torch.tensor(expected, dtype=torch.float64)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)
