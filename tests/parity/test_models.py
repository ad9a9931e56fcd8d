"""The networks against numbers recorded from the published code (float32, 1e-5 absolute)."""

import json
import math
import zlib
from pathlib import Path

import pytest
import torch

from mdt.checkpoint import load_published
from mdt.models import build_model
from mdt.models.attention import BACKENDS
from mdt.models.conditioning import timestep_features
from mdt.models.layers import relative_index, sincos_positions, unpatchify
from mdt.models.masking import kept_from_noise, split
from mdt.models.skips import TokenGate, constant_factors

NUMBERS = json.loads((Path(__file__).parent / "numbers_models.json").read_text())
TOLERANCE = 1e-5


def fill(name, shape, amplitude):
    """The recorded weights: amplitude·sin(0.7·i + crc32(name) mod 1000)."""
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    values = amplitude * torch.sin(0.7 * i + zlib.crc32(name.encode()) % 1000)
    return values.view(shape).float()


def fill_model(model, amplitude):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(fill(name, parameter.shape, amplitude))
    return model.eval()


def wave(*shape):
    return torch.sin(0.37 * torch.arange(math.prod(shape), dtype=torch.float64)).view(shape).float()


def tiny_mdt(version, **settings):
    config = NUMBERS[f"mdt/mdt{version}_tiny"]["config"]
    name = {"v1": "mdt_s2", "v2": "mdtv2_s2"}[version]
    sizes = {key: config[key] for key in ("input_size", "hidden_size", "depth", "num_heads")}
    model = build_model(name, **sizes, num_classes=10, decode_layers=2, **settings)
    return fill_model(model, 0.2)


def assert_same(out, recorded):
    first = next(v for k, v in recorded.items() if k.startswith("out_first"))
    close = torch.tensor(first)
    assert (out.flatten()[: len(close)] - close).abs().max() <= TOLERANCE
    assert abs(out.sum().item() - recorded["out_sum"]) <= out.numel() * TOLERANCE
    if "out_abs_sum" in recorded:
        assert abs(out.abs().sum().item() - recorded["out_abs_sum"]) <= out.numel() * TOLERANCE


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("backend", ["auto", "math", "sdpa", "recompute"])
@pytest.mark.parametrize("grad", [False, True])
def test_mdt_full_and_masked(version, backend, grad):
    recorded = NUMBERS[f"mdt/mdt{version}_tiny"]
    model = tiny_mdt(version)
    model.set_attention_backend(backend)
    x, t, label = wave(2, 4, 8, 8), torch.tensor([10, 500]), torch.tensor([3, 7])
    with torch.set_grad_enabled(grad):
        assert_same(model(x, t, label), recorded)
        kept = torch.tensor(recorded["masked"]["ids_keep"])
        assert_same(model(x, t, label, kept=kept), recorded["masked"])


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_mdt_guided(version):
    """Power-cosine guidance on three channels, as published (SYSTEMS 4.5)."""
    recorded = NUMBERS[f"mdt/mdt{version}_tiny"]["cfg"]
    model, x, t = tiny_mdt(version), wave(4, 4, 8, 8)[:2], torch.tensor([900, 300])
    scale, power = 3.8, 4
    with torch.no_grad():
        conditional = model(x, t, torch.tensor([3, 7]))
        null = model(x, t, model.null_label(torch.tensor([3, 7])))
    weight = 1 + (scale - 1) * (1 - torch.cos(math.pi * (1 - t / 1000) ** power)) / 2
    weight = weight[:, None, None, None]
    out = torch.cat([conditional, null])
    guided = null[:, :3] + weight * (conditional[:, :3] - null[:, :3])
    out[:, :3] = torch.cat([guided, guided])
    assert list(out.shape) == recorded["out_shape"]
    assert_same(out, recorded)
    fourth = torch.tensor(recorded["ch3_first4"])
    assert (out[0, 3].flatten()[:4] - fourth).abs().max() <= TOLERANCE


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_mask_is_the_recorded_one(version):
    masked = NUMBERS[f"mdt/mdt{version}_tiny"]["masked"]
    noise = 0.5 + 0.5 * torch.sin(1.3 * torch.arange(32, dtype=torch.float64)).view(2, 16)
    kept = kept_from_noise(noise, masked["ratio_used"])
    assert kept.tolist() == masked["ids_keep"]
    parts = split(kept, 2, 16)
    hidden = torch.zeros(2, 16).scatter_(1, parts.hidden, 1.0)
    assert hidden.tolist() == masked["mask"]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_load_published_gives_the_recorded_outputs(version, tmp_path):
    recorded = NUMBERS[f"mdt/mdt{version}_tiny"]
    state = {k: v.clone() for k, v in tiny_mdt(version).state_dict().items()}
    for name in [n for n in state if n.endswith("relative_position_bias_table")]:
        state[name.replace("bias_table", "index")] = torch.zeros(16, 16, dtype=torch.int64)
    torch.save(state, tmp_path / "model.pt")
    model = load_published(tmp_path / "model.pt")
    x, t, label = wave(2, 4, 8, 8), torch.tensor([10, 500]), torch.tensor([3, 7])
    assert_same(model(x, t, label), recorded)


UVIT_MODES = {
    "org": {},
    "inv_sqrt2_CS": {"skip_scale": "rsqrt2"},
    "CS_kappa0.7": {"skip_scale": "constant", "kappa": 0.7},
    "LS_shared": {"skip_scale": "token_gate"},
    "LS_nonshared": {"skip_scale": "token_gates"},
}


@pytest.mark.parametrize("mode", UVIT_MODES)
def test_uvit_with_scalelong(mode):
    recorded = NUMBERS["other/scalelong_uvit_tiny"]["modes"][mode]
    model = build_model(
        "uvit_s2", input_size=8, in_channels=3, hidden_size=32, depth=4, num_heads=4,
        num_classes=None, **UVIT_MODES[mode],
    )  # fmt: skip
    fill_model(model, 0.4)
    assert sum(p.numel() for p in model.parameters()) == recorded["n_params"]
    assert [n for n, _ in model.named_parameters() if n.startswith("se.")] == recorded["se_keys"]
    assert_same(model(wave(2, 3, 8, 8), torch.tensor([10, 500])), recorded)


def test_published_token_gate():
    recorded = NUMBERS["other/scalelong_LS_module"]
    gate = fill_model(TokenGate(17), 0.8)
    assert {n: list(p.shape) for n, p in gate.named_parameters()} == recorded["shapes"]
    out = gate.gate(wave(2, 17, 4))[..., 0]
    assert (out - torch.tensor(recorded["out"]).view_as(out)).abs().max() <= TOLERANCE


def test_constant_factors():
    table = {k: v for k, v in NUMBERS["other/scalelong_CS_coefficients"].items() if k[0] == "n"}
    for name, factors in table.items():
        count, kappa = name[1:].split("_k")
        assert constant_factors(int(count), float(kappa)) == pytest.approx(factors, abs=1e-12)


def test_uvit_s2_cifar10_parameter_count():
    recorded = NUMBERS["other/uvit_s2_cifar10"]
    with torch.device("meta"):
        model = build_model(
            "uvit_s2", in_channels=3, num_classes=None, skip_scale="token_gate"
        )  # fmt: skip
    assert sum(p.numel() for p in model.parameters()) == recorded["n_params_LS"]
    assert sum(p.numel() for p in model.se.parameters()) == recorded["se_params"]


COUNTS = {k: v for k, v in NUMBERS["mdt/mdt_param_counts"].items() if k.startswith("MDT")}


@pytest.mark.parametrize("name", COUNTS)
def test_mdt_parameter_counts(name):
    """The recorded counts and tensor numbers include the stored indices, which we do not have."""
    family, size, rest = name.replace("MDT_", "MDTv1_").split("_", 2)
    layers = int(rest.split("=")[1].rstrip(")"))
    ours = f"{'mdt' if family == 'MDTv1' else 'mdtv2'}_{size.lower()}2"
    with torch.device("meta"):
        model = build_model(ours, decode_layers=layers)
    state = model.state_dict()
    tables = sum(key.endswith("relative_position_bias_table") for key in state)
    assert sum(p.numel() for p in model.parameters()) == COUNTS[name]["parameters"]
    assert len(state) + tables == COUNTS[name]["tensors"]


def test_relative_index():
    recorded = NUMBERS["mdt/rel_pos_index_3x3"]
    assert relative_index((3, 3))[0].tolist() == recorded["index"]


def test_sincos_positions():
    recorded = torch.tensor(NUMBERS["mdt/sincos_2d_grid3_dim8"]["table"])
    assert (sincos_positions(8, (3, 3)) - recorded).abs().max() <= 1e-6


def test_timestep_features():
    recorded = NUMBERS["mdt/timestep_embedding_dim8"]
    out = timestep_features(torch.tensor(recorded["t"]), 8)
    assert (out - torch.tensor(recorded["values"])).abs().max() <= TOLERANCE


def test_unpatchify():
    tokens = torch.arange(128.0).view(1, 4, 32)
    recorded = torch.tensor(NUMBERS["mdt/unpatchify"]["out"]).view(1, 8, 4, 4)
    assert torch.equal(unpatchify(tokens, (2, 2), 2), recorded)


def test_backend_table_names_what_parity_covers():
    assert {"recompute", "math", "sdpa"} <= set(BACKENDS)
