import pytest
import torch
from torch import nn

from mdt.models import build_model, probe_norms
from mdt.models.skips import (
    SKIP_SCALES,
    ChannelGate,
    TokenGate,
    scale_skip,
    skip_factors,
    skip_nets,
)


@pytest.mark.parametrize("shape", [(2, 5, 32), (2, 9, 32), (2, 32, 3, 4)])
def test_channel_gate_starts_at_one_and_learns(shape):
    gate, skip = ChannelGate(32), torch.randn(shape)
    assert torch.equal(gate(skip), skip)
    (gate(skip) ** 2).sum().backward()
    assert gate.layer2.weight.grad.abs().max() > 0


def test_factors():
    assert skip_factors("constant", 3, 0.5) == [0.25, 0.5, 1.0]
    assert skip_factors("rsqrt2", 2, 0.5) == [1 / 2**0.5] * 2
    assert skip_factors("none", 2, 0.5) == skip_factors("gate", 2, 0.5) == [1.0, 1.0]


@pytest.mark.parametrize(("mode", "kappa"), [("constantly", 0.5), ("none", 0.0), ("none", 1.5)])
def test_bad_factors(mode, kappa):
    with pytest.raises(ValueError, match=r"skip_scale|kappa"):
        skip_factors(mode, 2, kappa)


def test_nets():
    assert isinstance(skip_nets("gate", [8, 8]), ChannelGate)
    assert [net.layer1.in_features for net in skip_nets("gate", [8, 4])] == [8, 4]
    assert isinstance(skip_nets("token_gate", [8, 8], 5), TokenGate)
    assert len(skip_nets("token_gates", [8, 8], 5)) == 2
    assert skip_nets("constant", [8, 8]) is None


def test_scaling_leaves_the_skip_itself():
    skip = torch.randn(2, 5, 8)
    copy = skip.clone()
    assert torch.equal(scale_skip(skip, 0, [0.5], None), 0.5 * copy)
    nets = nn.ModuleList([TokenGate(5), ChannelGate(8)])
    assert torch.equal(scale_skip(skip, 1, [1.0, 1.0], nets), copy)
    assert torch.equal(skip, copy)


def test_token_gate_names_its_limit():
    with pytest.raises(ValueError, match="made for 5 tokens and got 6"):
        TokenGate(5)(torch.randn(1, 6, 4))
    with pytest.raises(ValueError, match="skip_scale='gate'"):
        build_model("mdtv2_s2", skip_scale="token_gate", hidden_size=8, num_heads=2)


TINY = {
    "mdtv2_s2": {"hidden_size": 16, "depth": 6, "num_heads": 2, "decode_layers": 2},
    "uvit_s2": {"hidden_size": 16, "depth": 4, "num_heads": 2},
    "unet_s": {"width": 8, "multipliers": (1, 2), "num_blocks": 1, "attention_levels": (1,)},
}


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("mode", SKIP_SCALES[:4])
def test_every_network_with_long_skips_takes_every_mode(name, mode):
    torch.manual_seed(0)
    settings = {**TINY[name], "input_size": 8, "num_classes": 3}
    plain = build_model(name, **settings)
    scaled = build_model(name, **settings, skip_scale=mode, kappa=0.5)
    state = {k: torch.randn_like(v) * 0.1 for k, v in plain.state_dict().items()}
    plain.load_state_dict(state)
    own = {k: v for k, v in scaled.state_dict().items() if k not in state}
    scaled.load_state_dict(state | own)
    arguments = torch.randn(2, 4, 8, 8), torch.tensor([1, 2]), torch.tensor([0, 1])
    same = torch.equal(plain(*arguments), scaled(*arguments))
    assert same == (mode in ("none", "gate"))
    if name == "mdtv2_s2":
        assert scaled(*arguments, kept=torch.tensor([[0, 5], [3, 2]])).shape == (2, 8, 8, 8)


@pytest.mark.parametrize("name", TINY)
def test_probe_sees_every_depth_and_goes_away(name):
    torch.manual_seed(0)
    model = build_model(name, input_size=8, num_classes=None, **TINY[name])
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    with probe_norms(model) as norms:
        model(torch.randn(2, 4, 8, 8), torch.tensor([1, 2])).square().mean().backward()
    names = list(model.depth_blocks())
    for seen in (norms.features, norms.gradients, norms.weights):
        assert list(seen) == names
        assert min(seen.values()) > 0
    before = dict(norms.features)
    model(torch.randn(2, 4, 8, 8), torch.tensor([1, 2]))
    assert norms.features == before


def test_small_kappa_tames_the_features():
    """ScaleLong's claim in small: constant scaling lowers the norms on the way up."""
    largest = {}
    for kappa in (1.0, 0.5):
        torch.manual_seed(0)
        model = build_model(
            "uvit_s2", input_size=8, hidden_size=32, depth=8, num_heads=2, num_classes=None,
            skip_scale="constant", kappa=kappa,
        )  # fmt: skip
        for block in model.out_blocks:
            nn.init.normal_(block.skip_linear.weight, std=(1 / 32) ** 0.5)
        torch.manual_seed(1)
        with torch.no_grad(), probe_norms(model) as norms:
            model(torch.randn(4, 4, 8, 8), torch.tensor([1, 2, 3, 4]))
        largest[kappa] = max(norms.features.values())
    assert largest[0.5] < 0.8 * largest[1.0]
