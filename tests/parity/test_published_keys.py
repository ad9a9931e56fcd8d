"""The published key and shape tables load strictly; on the meta device, so nothing is held."""

import json
from pathlib import Path

import pytest
import torch

from mdt import checkpoint
from mdt.checkpoint import CheckpointError, load_published
from mdt.models import build_model

TABLES = json.loads((Path(__file__).parent / "published_keys.json").read_text())
NAMES = {
    "MDTv2_XL_2": "mdtv2_xl2",
    "MDTv2_S_2": "mdtv2_s2",
    "MDT_XL_2": "mdt_xl2",
    "MDT_S_2": "mdt_s2",
    "DiT_XL_2": "dit_xl2",
    "DiT_S_2": "dit_s2",
}
TRAINING_ONLY = ("sideblocks.", "mask_token")


def published_state(name):
    table = TABLES[name]
    shapes = dict(table["rest"])
    for blocks, (count, inner) in table["lists"].items():
        for i in range(count):
            shapes |= {f"{blocks}.{i}.{key}": shape for key, shape in inner.items()}
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


def load(state, monkeypatch, **arguments):
    monkeypatch.setattr(checkpoint, "read_tensors", lambda _path: dict(state))
    return load_published("published.pt", **arguments)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stripped", [False, True])
def test_published_table_loads(name, stripped, monkeypatch):
    state = published_state(name)
    if stripped:
        state = {k: v for k, v in state.items() if not k.startswith(TRAINING_ONLY)}
    model = load(state, monkeypatch)
    ours = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    assert ours == {k: tuple(v.shape) for k, v in state.items() if not k.endswith("_index")}
    with torch.device("meta"):
        built = build_model(NAMES[name])
    for key in ("depth", "num_heads", "hidden_size", "patch_size", "learn_sigma", "num_classes"):
        assert model.config[key] == built.config[key]
    assert model.config.get("decode_layers") == built.config.get("decode_layers")
    if stripped and not name.startswith("DiT"):
        with pytest.raises(ValueError, match="mask token"):
            model.split(torch.zeros(1, 2, dtype=torch.int64), 1, None, 0)


@pytest.mark.parametrize("name", NAMES)
def test_one_missing_or_surplus_tensor_is_refused(name, monkeypatch):
    state = published_state(name)
    surplus = state | {"blocks.0.extra": torch.empty(3, device="meta")}
    with pytest.raises(CheckpointError, match=r"besides blocks\.0\.extra"):
        load(surplus, monkeypatch)
    key = next(key for key in state if key.endswith("0.attn.proj.bias"))
    del state[key]
    with pytest.raises(CheckpointError, match=f"lacks {key}"):
        load(state, monkeypatch)


def test_arguments_that_contradict_the_file(monkeypatch):
    with pytest.raises(CheckpointError, match="16 heads by its bias table"):
        load(published_state("MDT_XL_2"), monkeypatch, num_heads=8)
    with pytest.raises(CheckpointError, match="6 decoder blocks"):
        load(published_state("MDTv2_S_2"), monkeypatch, decode_layers=4)
    with pytest.raises(CheckpointError, match="no decoder"):
        load(published_state("DiT_S_2"), monkeypatch, decode_layers=2)
    model = load(published_state("MDT_S_2"), monkeypatch, decode_layers=3)
    assert model.config["decode_layers"] == 3
