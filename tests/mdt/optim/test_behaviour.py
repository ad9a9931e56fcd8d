"""What Adan and Win do in anyone's training loop."""

import copy
import functools
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.optim import OPTIMIZERS, Adan, Win
from mdt.optim.directions import BASES

ALL = ["adan", *(f"{base}-{mode}" for base in BASES for mode in ("win", "win2", "none"))]


# Lists of tensors and single tensors


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", ALL)
def test_foreach_equals_the_loop_bit_for_bit(kit, name, dtype):
    skips = {2: (0,), 4: (1, 3)}  # so that step counts differ
    results = []
    for foreach in (False, True, None):
        params = kit.parameters(dtype)
        optimizer = kit.build(
            name, params, lr=0.05, weight_decay=0.1, max_grad_norm=1.0, foreach=foreach
        )
        kit.run(optimizer, params, range(6), skips)
        results.append([*params, *(v for p in params for v in optimizer.state[p].values())])
    assert kit.equal(results[0], results[1])
    assert kit.equal(results[0], results[2])


def test_a_bucket_is_bounded_on_cpu_and_holds_every_parameter_once(kit, monkeypatch):
    monkeypatch.setattr("mdt.optim.base._bucket_elements", lambda *_: 10)
    params = kit.parameters(shapes=[(6,), (4,), (1,), (30,), (2,)])
    kit.give_gradients(params, 0)
    optimizer = Adan(params)
    sizes = [[p.numel() for p in part] for _, part in optimizer._buckets({"foreach": None, "step": 1}, params)]  # fmt: skip
    assert sizes == [[6, 4], [1], [30], [2]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ALL)
def test_a_large_tensor_may_be_updated_in_parts(kit, name, dtype, monkeypatch):
    shapes = [(37, 41), (3,), (64, 7), (2, 2)]
    results = []
    for elements in (0, 100, 10**6):
        monkeypatch.setattr("mdt.optim.base._bucket_elements", lambda *_, n=elements: n)
        params = kit.parameters(dtype, shapes)
        optimizer = kit.build(name, params, lr=0.05, weight_decay=0.1)
        kit.run(optimizer, params, range(3), {1: (0, 3)})
        results.append([*params, *(v for p in params for v in optimizer.state[p].values())])
    assert kit.equal(results[0], results[1])
    assert kit.equal(results[0], results[2])


def test_memory_layout_of_the_parameter_does_not_matter(kit):
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        p = torch.nn.Parameter(kit.parameters(shapes=[(2, 3, 4, 5)])[0].detach().to(memory_format=layout))  # fmt: skip
        results.append(kit.run(Win([p], "adan", lr=0.1), [p], range(3))[0])
    assert torch.equal(results[0], results[1])


# Against torch's own optimizers, where the method is the same


@pytest.mark.parametrize(
    ("base", "other", "kw"),
    [
        ("adamw", torch.optim.AdamW, {"eps": 1e-8}),
        # Adam here adds eps to the uncorrected root: the same without eps.
        ("adam", torch.optim.Adam, {"eps": 1e-30}),
    ],
)
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_mode_none_is_torch_adam(kit, base, other, kw, weight_decay):
    ours, theirs = kit.parameters(), kit.parameters()
    kw = {**kw, "lr": 0.03, "betas": (0.8, 0.95), "weight_decay": weight_decay}
    kit.run(Win(ours, base, mode="none", **kw), ours, range(10), {3: (1,)})
    kit.run(other(theirs, **kw), theirs, range(10), {3: (1,)})
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.9, True), (0.9, False), (0.0, False)])
def test_mode_none_is_torch_sgd(kit, momentum, nesterov):
    ours, theirs = kit.parameters(), kit.parameters()
    kw = {"lr": 0.03, "momentum": momentum, "nesterov": nesterov, "weight_decay": 0.1}
    kit.run(Win(ours, "sgd", mode="none", **kw), ours, range(10), {3: (1,)})
    kit.run(torch.optim.SGD(theirs, **kw), theirs, range(10), {3: (1,)})
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-13)


# Training


@pytest.mark.parametrize("name", ALL)
def test_finds_the_minimum_of_a_small_quadratic(kit, name):
    scale = torch.tensor([1.0, 3.0, 10.0], dtype=torch.float64)
    target = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
    p = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = kit.build(name, [p], lr=0.03 if "sgd" in name else 0.1, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)

    def closure():
        optimizer.zero_grad()
        loss = (scale * (p - target) ** 2).sum()
        loss.backward()
        return loss

    first = optimizer.step(closure)
    for _ in range(299):
        loss = optimizer.step(closure)
        schedule.step()
    assert loss.item() < 1e-4 * first.item()


def test_trains_under_accelerate_and_a_gradient_scaler(kit):
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model = torch.nn.Linear(3, 2)
    optimizer = Win(model.parameters(), "adan", lr=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 3))
    model, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        accelerator.backward(loss)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]

    (p,) = kit.parameters(torch.float32, shapes=[(3,)])
    before, scaler = p.detach().clone(), torch.amp.GradScaler("cpu", init_scale=4.0)
    optimizer = Adan([p], lr=0.1)
    for gradient, moves in ((float("inf"), False), (1.0, True)):
        optimizer.zero_grad()
        scaler.scale((p * gradient).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(p, before) is not moves
    torch.testing.assert_close(p.detach(), before - 0.1, rtol=0, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ALL), st.lists(st.sets(st.integers(0, 3)), min_size=1, max_size=5))
def test_a_parameter_without_a_gradient_is_left_alone(kit, name, present):
    """With counters of its own, a parameter moves as if it were alone in the optimizer."""
    params = kit.parameters()
    optimizer = kit.build(name, params, lr=0.1, max_grad_norm=0.0)
    lone = kit.parameters()
    alone = [kit.build(name, [p], lr=0.1, max_grad_norm=0.0) for p in lone]
    for step, chosen in enumerate(present):
        skip = set(range(4)) - chosen
        before = [p.detach().clone() for p in params]
        states = copy.deepcopy([optimizer.state[p] for p in params])
        kit.run(optimizer, params, [step], {step: skip})
        kit.give_gradients(lone, step, skip)
        for i in range(4):
            if i in skip:
                assert torch.equal(params[i], before[i])
                assert kit.equal(optimizer.state[params[i]].values(), states[i].values())
            else:
                alone[i].step()
    if name != "adan":  # Adan counts per group, as its authors do
        assert kit.equal(params, lone)
        counts = [int(optimizer.state[p].get("step", torch.tensor(0))) for p in params]
        assert counts == [sum(i in chosen for chosen in present) for i in range(4)]


@pytest.mark.parametrize("name", ALL)
def test_no_gradients_at_all_is_no_error(kit, name):
    params = kit.parameters()
    before = [p.detach().clone() for p in params]
    kit.build(name, params, lr=0.1, max_grad_norm=1.0).step()
    assert kit.equal(params, before)


# Groups and bad input


def test_add_param_group_takes_its_own_settings(kit):
    params = kit.parameters()
    optimizer = Win(params[:2], "adamw", lr=0.1, max_grad_norm=1.0)
    kit.run(optimizer, params[:2], range(2))
    optimizer.add_param_group({"params": params[2:], "lr": 0.0, "mode": "none"})
    before = [p.detach().clone() for p in params]
    kit.run(optimizer, params, [2])
    assert kit.equal(params[2:], before[2:])
    assert not kit.equal(params[:2], before[:2])
    assert "x" not in optimizer.state[params[2]]


@pytest.mark.parametrize(
    ("name", "kw", "sentence"),
    [
        *((n, {"lr": v}, "lr must be a finite") for n in ALL for v in (-1.0, float("nan"), "fast")),
        ("adan", {"betas": (0.9, 0.99)}, "betas must be 3 numbers"),
        ("adan", {"betas": (0.9, 0.99, 1.0)}, r"betas\[2\] must be in \[0, 1\); got 1.0"),
        ("adan-win", {"betas": (0.9, 0.99)}, "Win over adan: betas must be 3 numbers"),
        ("adamw-win", {"betas": 0.9}, "betas must be 2 numbers"),
        ("adamw-win", {"eps": -1e-8}, "eps must be"),
        ("adamw-win", {"weight_decay": float("inf")}, "weight_decay must be"),
        ("adan", {"max_grad_norm": -1}, "max_grad_norm must be"),
        ("sgd-win", {"momentum": 1.5}, "momentum must be"),
        ("adamw-win", {"reckless": (2.0,)}, "reckless must be two"),
        ("adamw-win", {"reckless": (0.0, 8.0)}, "reckless steps must be above 0"),
        ("adamw-win", {"mode": "wn2"}, "no mode 'wn2'; did you mean 'win2'"),
    ],
)
def test_bad_settings_get_one_sentence(kit, name, kw, sentence):
    base, _, mode = name.partition("-")
    make = Adan if name == "adan" else functools.partial(Win, base=base, mode=mode)
    with pytest.raises(ValueError, match=sentence) as error:
        make(kit.parameters(), **kw)
    assert "\n" not in str(error.value)


def test_unknown_base_names_the_right_one(kit):
    with pytest.raises(ValueError, match="no base 'adamww'; did you mean 'adamw'"):
        Win(kit.parameters(), "adamww")


@pytest.mark.parametrize("name", ["adan", "adamw-win"])
def test_groups_that_cannot_be_are_refused_and_not_kept(kit, name):
    params = kit.parameters()
    optimizer = kit.build(name, params[:1])
    for group, sentence in [
        ({"params": params[1:2], "max_grad_norm": 5.0}, "max_grad_norm holds for all"),
        ({"params": params[1:2], "lr": -1}, "lr must be"),
        ({"params": [torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))]}, "real floating"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            optimizer.add_param_group(group)
        assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("name", ["adan", "adamw-win"])
def test_a_sparse_gradient_is_refused_before_anything_moves(kit, name):
    table = torch.nn.Embedding(4, 2, sparse=True)
    (p,) = kit.parameters(torch.float32, shapes=[(2,)])
    p.grad = torch.ones(2)
    before = p.detach().clone()
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(ValueError, match="sparse gradient"):
        kit.build(name, [p, table.weight]).step()
    assert torch.equal(p, before)


def test_win_settings_default_to_those_of_the_base(kit):
    found = {base: Win(kit.parameters(), base).defaults for base in BASES}
    assert {b: d["weight_decay"] for b, d in found.items()} == {
        "adamw": 0.01, "adam": 0.0, "sgd": 0.0, "lamb": 0.01, "adan": 0.0,
    }  # fmt: skip
    assert {b: d["eps"] for b, d in found.items() if d["eps"] != 1e-8} == {"lamb": 1e-6}
    assert {b: d["max_grad_norm"] for b, d in found.items() if d["max_grad_norm"]} == {"lamb": 1.0}
    assert found["adan"]["betas"] == (0.98, 0.92, 0.99)


def test_clipping_shrinks_the_gradients_in_place_to_one_norm_across_dtypes(kit):
    params = [*kit.parameters(torch.float32), *kit.parameters(torch.bfloat16), *kit.parameters()]
    kit.give_gradients(params, 0)
    wide = [p.grad.double().clone() for p in params]
    norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in wide]))
    Adan(params, max_grad_norm=0.5).step()
    for p, g in zip(params, wide, strict=True):
        tolerance = 1e-2 if p.dtype == torch.bfloat16 else 1e-6
        torch.testing.assert_close(p.grad.double(), g * 0.5 / norm, rtol=tolerance, atol=0)


def test_clipping_adds_eps_to_the_norm_and_is_as_exact_as_the_gradients(kit):
    """As Adan's authors clip; LAMB has no eps there."""
    for make, eps in ((Adan, 0.3), (functools.partial(Win, base="lamb", mode="none"), 0.0)):
        params = kit.parameters()
        kit.give_gradients(params, 0)
        before = [p.grad.clone() for p in params]
        norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in before]))
        make(params, max_grad_norm=0.5, eps=0.3).step()
        for p, g in zip(params, before, strict=True):
            torch.testing.assert_close(p.grad, g * (0.5 / (norm + eps)), rtol=1e-14, atol=0)


def test_lamb_moves_a_tensor_of_zeros(kit):
    """Its trust ratio is 1 where a norm is 0: else what starts at 0 would stay there."""
    zero = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    (moved,) = kit.run(Win([zero], "lamb", mode="none", lr=0.1), [zero], range(1))
    torch.testing.assert_close(
        moved.abs(), torch.full((3,), 0.1, dtype=torch.float64), rtol=1e-4, atol=0
    )


def test_every_named_optimizer_takes_parameters_and_a_rate(kit):
    for name, make in OPTIMIZERS.items():
        params = kit.parameters()
        before = [p.detach().clone() for p in params]
        assert not kit.equal(kit.run(make(params, lr=0.1), params, range(2)), before), name


def test_steps_are_the_same_whatever_the_order_of_parameters(kit):
    results = []
    for order in itertools.islice(itertools.permutations(range(4)), 0, 24, 7):
        params = kit.parameters()
        optimizer = Win([params[i] for i in order], "lamb", mode="win2", lr=0.1, max_grad_norm=0.0)
        results.append(kit.run(optimizer, params, range(3)))
    assert all(kit.equal(r, results[0]) for r in results[1:])
