"""Properties of the look-ahead (Zhou et al.); SGD without momentum has u = g."""

import pytest
import torch

from mdt.optim import Win
from mdt.optim.directions import BASES

ALL = ["adan", *(f"{base}-{mode}" for base in BASES for mode in ("win", "win2", "none"))]


@pytest.mark.parametrize(("mode", "ahead"), [("win", 0.5), ("win2", 0.75)])
def test_look_ahead_has_a_fixed_length_for_a_constant_direction(kit, mode, ahead):
    (p,) = kit.parameters(shapes=[(3,)])
    optimizer = Win([p], "sgd", mode=mode, lr=0.1, momentum=0.0)
    g = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    for _ in range(80):
        p.grad = g.clone()
        optimizer.step()
    gap = (p - optimizer.state[p]["x"]).detach()
    torch.testing.assert_close(gap, -ahead * 0.1 * g, rtol=0, atol=1e-12)


def test_without_decay_only_the_product_of_rate_and_direction_counts(kit):
    a, b = kit.parameters(), kit.parameters()
    one = Win(a, "sgd", mode="win2", lr=0.1)
    two = Win(b, "sgd", mode="win2", lr=0.1 / 4)
    for step in range(5):
        kit.give_gradients(a, step)
        kit.give_gradients(b, step)
        for p in b:
            p.grad *= 4
        one.step()
        two.step()
    for p, q in zip(a, b, strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-14)


@pytest.mark.parametrize("reckless", [(2.0, 8.0), (3.0, 7.0), (1.5, 0.3)])
@pytest.mark.parametrize("name", ALL)
def test_at_rate_zero_nothing_moves_and_training_starts_from_there(kit, name, reckless):
    params = kit.parameters(torch.float32)
    before = [p.detach().clone() for p in params]
    kw = {} if name == "adan" else {"reckless": reckless}
    optimizer = kit.build(name, params, lr=0.0, weight_decay=0.1, **kw)
    assert kit.equal(kit.run(optimizer, params, range(3)), before)
    optimizer.param_groups[0]["lr"] = 0.01
    after = kit.run(optimizer, params, range(3, 5))
    assert all(torch.isfinite(p).all() for p in after)
    assert not kit.equal(after, before)


def test_at_rate_zero_p_goes_to_the_mean_of_p_and_x(kit):
    (p,) = kit.parameters(shapes=[(3,)])
    optimizer = Win([p], "sgd", lr=0.1, weight_decay=0.1)
    kit.run(optimizer, [p], range(3))
    x, before = optimizer.state[p]["x"].clone(), p.detach().clone()
    optimizer.param_groups[0]["lr"] = 0.0
    kit.run(optimizer, [p], [3])
    assert torch.equal(optimizer.state[p]["x"], x)
    torch.testing.assert_close(p.detach(), (2 * x + before) / 3, rtol=0, atol=1e-15)
