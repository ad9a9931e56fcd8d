"""A saved state continues bit for bit; what cannot be continued is refused."""

import copy
import io
import json

import pytest
import torch
from safetensors.torch import load, save

from mdt.optim import Adan, Win
from mdt.optim.directions import BASES

ALL = ["adan", *(f"{base}-{mode}" for base in BASES for mode in ("win", "win2", "none"))]


def through_files(state_dict):
    """A state that went through one safetensors file and one JSON file."""
    tensors = {f"{i}.{k}": v for i, s in state_dict["state"].items() for k, v in s.items()}
    assert all(isinstance(v, torch.Tensor) for v in tensors.values())
    groups = json.loads(json.dumps(state_dict["param_groups"]))
    state = {}
    for key, value in load(save({k: v.contiguous() for k, v in tensors.items()})).items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    return {"state": state, "param_groups": groups}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ALL)
def test_resumes_exactly(kit, name, dtype):
    skips = {1: (2,), 5: (0,)}
    kw = {"lr": 0.05, "weight_decay": 0.1, "max_grad_norm": 1.0}
    params = kit.parameters(dtype)
    straight = kit.run(kit.build(name, params, **kw), params, range(8), skips)

    params = kit.parameters(dtype)
    first = kit.build(name, params, **kw)
    kit.run(first, params, range(4), skips)
    saved = through_files(first.state_dict())
    resumed = kit.build(name, params, **{**kw, "lr": 9.0})  # the saved rate counts
    resumed.load_state_dict(saved)
    assert kit.equal(kit.run(resumed, params, range(4, 8), skips), straight)


def test_a_loaded_state_is_a_copy_and_torch_save_and_deepcopy_work(kit):
    params = kit.parameters()
    first = Win(params, "adan", mode="win2", lr=0.1)
    kit.run(first, params, range(3))
    saved = first.state_dict()
    second = Win(params, "adan", mode="win2", lr=0.1)
    second.load_state_dict(saved)
    kept = copy.deepcopy(saved)
    kit.run(second, params, range(3, 5))
    for i, state in kept["state"].items():
        assert kit.equal(saved["state"][i].values(), state.values())

    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    twin = copy.deepcopy(second)
    twins = twin.param_groups[0]["params"]
    assert kit.equal(kit.run(twin, twins, [5]), kit.run(second, params, [5]))


def test_state_of_half_precision_parameters_is_float32(kit):
    (p,) = kit.parameters(torch.bfloat16, shapes=[(3,)])
    optimizer = Win([p], "adan", mode="win2", lr=0.1)
    kit.run(optimizer, [p], range(2))
    kinds = {k: v.dtype for k, v in optimizer.state[p].items()}
    assert kinds.pop("step") == torch.int64
    assert set(kinds.values()) == {torch.float32}
    assert p.dtype == torch.bfloat16


def test_adan_reads_a_state_in_its_authors_layout(kit):
    """Counter in the group, a flag that we do not have, names of ours in the state."""
    params = kit.parameters(shapes=[(2,)])
    optimizer = Adan(params, lr=0.1)
    kit.run(optimizer, params, range(2))
    saved = optimizer.state_dict()
    saved["param_groups"][0]["fused"] = False
    other = Adan(params, lr=0.1)
    other.load_state_dict(saved)
    assert other.param_groups[0]["step"] == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s["param_groups"][0].update(base="adam"), "base='adam'"),
        (lambda s: s["param_groups"][0].update(mode="win2"), "mode='win2'"),
        (lambda s: s["param_groups"][0].pop("reckless"), "lacks reckless"),
        (lambda s: s["state"][0].pop("x"), "lacks x"),
        (lambda s: s["state"][0].update(x=torch.zeros(7)), r"x of shape \(7,\)"),
    ],
)
def test_a_state_of_another_optimizer_is_refused_and_changes_nothing(kit, change, sentence):
    params = kit.parameters()
    optimizer = Win(params)
    kit.run(optimizer, params, range(2))
    before = copy.deepcopy(optimizer.state_dict())
    saved = copy.deepcopy(before)
    change(saved)
    with pytest.raises(ValueError, match=sentence):
        optimizer.load_state_dict(saved)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for i in before["state"]:
        assert kit.equal(after["state"][i].values(), before["state"][i].values())


def test_torch_adamw_state_is_refused_by_adan(kit):
    params = kit.parameters()
    other = torch.optim.AdamW(params)
    kit.run(other, params, [0])
    with pytest.raises(ValueError, match=r"lacks .*no_prox.* not saved by Adan"):
        Adan(params).load_state_dict(other.state_dict())
