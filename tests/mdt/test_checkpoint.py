import argparse
import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from mdt.checkpoint import CheckpointError, load_published, read_tensors
from mdt.models import build_model

TINY = {"input_size": 8, "hidden_size": 32, "depth": 2, "num_heads": 4, "num_classes": 3}


def tiny(name="mdtv2_s2", **settings):
    torch.manual_seed(0)
    if name != "dit_s2":
        settings = {"decode_layers": 0, **settings}
    model = build_model(name, **{**TINY, **settings}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


def run(model, **more):
    x = torch.linspace(-1, 1, 2 * model.in_channels * 64).view(2, model.in_channels, 8, 8)
    with torch.no_grad():
        return model(x, torch.tensor([5, 900]), torch.tensor([0, 3]), **more)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize(
    ("name", "settings", "arguments"),
    [
        ("mdt_s2", {"decode_layers": 1}, {"decode_layers": 1}),
        ("mdtv2_s2", {"depth": 3, "decode_layers": 1}, {}),
        ("mdtv2_s4", {"depth": 4, "decode_layers": 2, "learn_sigma": False, "in_channels": 3}, {}),
        ("mdt_s2", {"decode_layers": 2, "side_layers": 0, "maskable": False}, {}),
        ("dit_s2", {"mlp_ratio": 2.0}, {"num_heads": 4}),
    ],
)
def test_round_trip(tmp_path, suffix, name, settings, arguments):
    model = tiny(name, **settings)
    path = tmp_path / f"model{suffix}"
    if suffix == ".pt":
        torch.save(model.state_dict(), path)
    else:
        save_file(model.state_dict(), path)
    loaded = load_published(str(path), **arguments)
    assert torch.equal(run(loaded), run(model))
    assert type(loaded) is type(model)
    assert not loaded.training
    assert all(p.requires_grad for p in loaded.parameters())


@pytest.mark.parametrize("wrapper", ["ema", "model"])
def test_training_checkpoints_are_unwrapped(tmp_path, wrapper):
    model = tiny()
    content = {wrapper: model.state_dict(), "args": argparse.Namespace(lr=1e-4), "opt": {}}
    torch.save(content, tmp_path / "x.pt")
    assert torch.equal(run(load_published(tmp_path / "x.pt")), run(model))


def test_half_precision_files_become_float32(tmp_path):
    torch.save({k: v.half() for k, v in tiny().state_dict().items()}, tmp_path / "x.pt")
    model = load_published(tmp_path / "x.pt")
    assert {p.dtype for p in model.parameters()} == {torch.float32}


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def write(path, kind):
    state = tiny().state_dict()
    if kind == "pickle with code":
        torch.save({**state, "x": Evil()}, path)
    elif kind == "plain pickle with code":
        path.write_bytes(pickle.dumps(Evil()))
    elif kind == "truncated":
        torch.save(state, path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif kind == "text":
        path.write_text("not a checkpoint")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "other model":
        torch.save(torch.nn.Linear(2, 3).state_dict(), path)
    elif kind == "one tensor":
        torch.save(torch.zeros(3), path)
    elif kind == "numbers":
        torch.save({"a": 1.0}, path)
    elif kind == "empty dict":
        torch.save({}, path)
    else:
        torch.save(state | WRONG[kind], path)


WRONG = {
    "wrong shape": {"en_inblocks.0.mlp.fc2.weight": torch.zeros(32, 127)},
    "wrong rank": {"x_embedder.proj.weight": torch.zeros(32, 4)},
    "wrong table": {
        "en_inblocks.0.attn.rel_pos_bias.relative_position_bias_table": torch.zeros(40, 4)
    },
    "wrong index": {
        "en_inblocks.0.attn.rel_pos_bias.relative_position_index": torch.zeros(9, 9)
    },
    "not square": {"pos_embed": torch.zeros(1, 15, 32)},
    "odd heads": {
        "en_inblocks.0.attn.rel_pos_bias.relative_position_bias_table": torch.zeros(52, 5)
    },
    "odd outputs": {"final_layer.linear.weight": torch.zeros(20, 32)},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("pickle with code", r"holds code or objects \(\w+\.system\)"),
        ("plain pickle with code", r"(holds code|cannot be read)"),
        ("truncated", "truncated"),
        ("text", "cannot be read"),
        ("empty", "cannot be read"),
        ("other model", "no published MDT or DiT checkpoint: .* weight, bias"),
        ("one tensor", "holds no weights, but a single tensor"),
        ("numbers", "holds a float under 'a'"),
        ("empty dict", "holds no weights, but nothing"),
        ("wrong shape", "fc2.weight is 32x127 instead of 32x128"),
        ("wrong rank", "x_embedder.proj.weight is 32x4, not 4-dimensional"),
        ("wrong table", "bias_table is 40x4 instead of 52x4"),
        ("wrong index", "index is 9x9; .* must be 16x16"),
        ("not square", "15 tokens"),
        ("odd heads", "width 32 does not divide into 5 heads"),
        ("odd outputs", "gives 5 channels"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, kind, says):
    path = tmp_path / "bad.pt"
    write(path, kind)
    with pytest.raises(CheckpointError, match=says) as caught:
        load_published(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(CheckpointError, match="does not exist"):
        load_published(tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match="is a folder"):
        read_tensors(tmp_path)


def test_truncated_safetensors(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(tiny().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated"):
        load_published(path)


def test_unpublished_dit_width_asks_for_num_heads(tmp_path):
    torch.save(tiny("dit_s2").state_dict(), tmp_path / "x.pt")
    with pytest.raises(ValueError, match="num_heads"):
        load_published(tmp_path / "x.pt")
    with pytest.raises(ValueError, match="does not divide into 5 heads"):
        load_published(tmp_path / "x.pt", num_heads=5)
