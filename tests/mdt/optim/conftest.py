"""What the optimizer tests share, as one fixture: `kit`."""

from types import SimpleNamespace

import pytest
import torch

from mdt.optim import Adan, Win

SHAPES = [(3,), (2, 5), (), (4, 1, 2)]


def build(name, params, **kw):
    if name == "adan":
        return Adan(params, **kw)
    base, mode = name.split("-")
    return Win(params, base, mode=mode, **kw)


def parameters(dtype=torch.float64, shapes=SHAPES, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return [
        torch.nn.Parameter(torch.randn(s, generator=rng, dtype=torch.float64).to(dtype))
        for s in shapes
    ]


def give_gradients(params, step, skip=()):
    rng = torch.Generator().manual_seed(1000 + step)
    for i, p in enumerate(params):
        g = torch.randn(p.shape, generator=rng, dtype=torch.float64).to(p.dtype)
        p.grad = None if i in skip else g


def run(optimizer, params, steps, skips=None):
    for step in steps:
        give_gradients(params, step, (skips or {}).get(step, ()))
        optimizer.step()
    return [p.detach().clone() for p in params]


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(
        build=build,
        parameters=parameters,
        give_gradients=give_gradients,
        run=run,
        equal=equal,
    )
