"""The network of photographs: folded exactly, names what it sees, refuses what is damaged."""

import json
import shutil

import numpy as np
import pytest
import skimage.data
import torch
from torch.nn import functional as F

from mdt.features.convnet import WEIGHTS
from mdt.features.photographs import main, open_photographs, write_photographs
from mdt.models.efficientnet import EfficientNetLite, folded

#: Expansion, channels, kernel, stride and number of the blocks, as published.
PUBLISHED = [
    (1, 16, 3, 1, 1), (6, 24, 3, 2, 2), (6, 40, 5, 2, 2), (6, 80, 3, 2, 3),
    (6, 112, 5, 1, 3), (6, 192, 5, 2, 4), (6, 320, 3, 1, 1),
]  # fmt: skip


def random_checkpoint():
    """A checkpoint under the published names, with batch normalisation that does something."""
    draws = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(shape, generator=draws)

    out = {}

    def norm(name, channels):
        out[f"{name}.weight"] = 1 + 0.1 * normal(channels)
        out[f"{name}.bias"] = 0.1 * normal(channels)
        out[f"{name}.running_mean"] = 0.1 * normal(channels)
        out[f"{name}.running_var"] = 1 + 0.2 * normal(channels).abs()

    out["_conv_stem.weight"] = normal(32, 3, 3, 3) / 5
    norm("_bn0", 32)
    last, i = 32, 0
    for expansion, channels, kernel, _, num in PUBLISHED:
        for _ in range(num):
            inner, name = last * expansion, f"_blocks.{i}"
            if expansion > 1:
                out[f"{name}._expand_conv.weight"] = normal(inner, last, 1, 1) / last**0.5
                norm(f"{name}._bn0", inner)
            out[f"{name}._depthwise_conv.weight"] = normal(inner, 1, kernel, kernel) / kernel
            norm(f"{name}._bn1", inner)
            out[f"{name}._project_conv.weight"] = normal(channels, inner, 1, 1) / inner**0.5
            norm(f"{name}._bn2", channels)
            last, i = channels, i + 1
    out["_conv_head.weight"] = normal(1280, 320, 1, 1) / 320**0.5
    norm("_bn1", 1280)
    out["_fc.weight"], out["_fc.bias"] = normal(1000, 1280) / 1280**0.5, normal(1000)
    return out


def published_logits(state, picture):
    """Logits (1000,) of a whole picture, as the published network computes them: unfolded."""

    def conv(x, name, stride=1, groups=1):
        kernel = state[f"{name}.weight"]
        short = [max((-(-n // stride) - 1) * stride + kernel.shape[-1] - n, 0) for n in x.shape[2:]]
        (top, left) = (n // 2 for n in short)
        x = F.pad(x, (left, short[1] - left, top, short[0] - top))
        return F.conv2d(x, kernel, stride=stride, groups=groups)

    def norm(x, name):
        parts = [state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *parts, eps=1e-3)

    x = (torch.from_numpy(picture).permute(2, 0, 1).float()[None] - 127) / 128
    x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    i = 0
    for expansion, _, _, stride, num in PUBLISHED:
        for k in range(num):
            name, y = f"_blocks.{i}", x
            if expansion > 1:
                y = F.relu6(norm(conv(y, f"{name}._expand_conv"), f"{name}._bn0"))
            y = conv(y, f"{name}._depthwise_conv", stride if k == 0 else 1, y.shape[1])
            y = F.relu6(norm(y, f"{name}._bn1"))
            y = norm(conv(y, f"{name}._project_conv"), f"{name}._bn2")
            x, i = (x + y if y.shape == x.shape and k > 0 else y), i + 1
    x = F.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3))
    return (x @ state["_fc.weight"].T + state["_fc.bias"])[0]


@pytest.fixture(scope="module")
def network():
    return open_photographs()


@pytest.mark.parametrize("shape", [(96, 96), (65, 130)])
def test_folded_and_place_by_place_it_says_what_the_published_network_says(shape):
    state = random_checkpoint()
    ours = EfficientNetLite()
    ours.load_state_dict(folded(state))
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    with torch.no_grad():
        places = ours.eval()(torch.from_numpy(picture).permute(2, 0, 1).float()[None])
    assert places.shape == (1, 1000, *(-(-n // 32) for n in shape))
    torch.testing.assert_close(
        places.mean((2, 3))[0], published_logits(state, picture), atol=1e-4, rtol=1e-4
    )


def test_the_shipped_network_names_photographs(network):
    for name, kinds in {
        "chelsea": {"tabby", "tiger cat", "Egyptian cat"},
        "coffee": {"espresso", "cup", "coffee mug"},
    }.items():
        picture = np.ascontiguousarray(getattr(skimage.data, name)()[:288, :416])
        logits = network.places(picture).mean((1, 2))
        assert network.kinds[int(logits.argmax())] in kinds


def test_its_card_is_complete(network):
    path = WEIGHTS / "photographs" / "photographs.safetensors"
    card = json.loads(path.with_suffix(".json").read_text())
    assert path.stat().st_size < 9.5e6
    assert card["licence"] == "Apache-2.0"
    assert "not trained here" in card["origin"]
    assert card["parameters"] == sum(p.numel() for p in network.network.parameters())
    assert len(set(network.kinds)) == 1000


def test_a_checkpoint_is_converted_by_a_command(tmp_path, monkeypatch):
    state = random_checkpoint()
    torch.save(state, tmp_path / "published.pth")
    words = [str(tmp_path / "published.pth"), "-o", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["mdt.features.photographs", *words])
    main()
    ours = open_photographs(tmp_path / "out").network.state_dict()
    for name, value in folded(state).items():
        if name in ("head.weight", "kinds.weight"):  # in 8 bits
            step = value.flatten(1).abs().amax(1) / 127
            assert ((ours[name] - value).flatten(1).abs().amax(1) <= 0.51 * step).all()
        else:
            assert torch.equal(ours[name], value.half().float())
    assert open_photographs(tmp_path / "out").kinds == open_photographs().kinds


def test_another_checkpoint_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no checkpoint of EfficientNet-Lite0: it lacks '_bn0"):
        write_photographs({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path)


def test_damaged_missing_or_strange_weights_are_told(tmp_path):
    own = WEIGHTS / "photographs"
    with pytest.raises(ValueError, match=r"card .* is missing or damaged"):
        open_photographs(tmp_path)
    shutil.copy(own / "photographs.json", tmp_path)
    with pytest.raises(ValueError, match="are missing; install the package again"):
        open_photographs(tmp_path)
    content = bytearray((own / "photographs.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "photographs.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="are damaged: their SHA-256"):
        open_photographs(tmp_path)
    shutil.copy(own / "photographs.safetensors", tmp_path)
    card = json.loads((own / "photographs.json").read_text())
    (tmp_path / "photographs.json").write_text(json.dumps({**card, "kinds": card["kinds"][:10]}))
    with pytest.raises(ValueError, match="names 10 of 1000 kinds"):
        open_photographs(tmp_path)
