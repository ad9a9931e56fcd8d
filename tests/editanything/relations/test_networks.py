"""The networks behind relations: the small one by matrix products, encoders of regions."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import mdt
from editanything.errors import InputError
from editanything.relations import find_edges
from editanything.relations.clues import PLANES
from editanything.relations.likeness import PatchFeatures, WordFeatures, cosines
from editanything.relations.network import run, weights
from editanything.types import Mask, Region


def test_the_matrix_products_are_the_convolutions_of_torch():
    import torch
    from torch.nn import functional as F

    rng = np.random.default_rng(0)
    planes = rng.normal(0, 1, (len(PLANES), 37, 50)).astype(np.float32)
    planes[PLANES.index("inside")] = 1
    net = {name: torch.from_numpy(tensor) for name, tensor in weights().items()}

    def conv(x, name, stride=1):
        return F.conv2d(x, net[f"{name}.weight"], net[f"{name}.bias"], stride, 1)

    levels = sum(name.startswith("down.") and name.endswith(".bias") for name in net)
    side = 2 ** (levels - 1)
    x = F.pad(torch.from_numpy(planes)[None], (0, -50 % side, 0, -37 % side))
    inside = F.avg_pool2d(x[:, PLANES.index("inside")], side)
    kept = []
    for i in range(levels):
        x = F.relu(conv(x, f"down.{i}", 2 if i else 1))
        for k in range(sum(n.startswith(f"mix.{i}.") and n.endswith(".bias") for n in net)):
            x = F.relu(x + conv(x, f"mix.{i}.{k}"))
        kept.append(x)
    deep = (x * inside)[0]
    both = torch.cat([deep.sum((1, 2)) / inside.sum(), deep.amax((1, 2))])
    there = net["there.weight"] @ both + net["there.bias"]
    for i, beside in enumerate(kept[-2::-1]):
        x = torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), beside], 1)
        x = F.relu(conv(x, f"up.{i}"))
    pixels = conv(x, "out")[0, :, :37, :50].numpy()
    told = run(planes)
    assert np.abs(told.pixels - pixels).max() < 0.5 / 64 + 1e-2
    assert np.abs(told.there - there.numpy()).max() < 0.5 / 64 + 1e-2


FOLDER = Path(mdt.__file__).parent / "weights" / "effects"


@pytest.mark.parametrize("look", ["first", "again"])
def test_a_card_knows_its_weights(look):
    card = json.loads((FOLDER / f"{look}.json").read_text(encoding="utf-8"))
    data = (FOLDER / f"{look}.safetensors").read_bytes()
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert card["parameters"] == sum(tensor.size for tensor in weights(look).values())


def test_weights_that_are_damaged_or_missing_are_one_sentence(tmp_path, monkeypatch):
    place = tmp_path / "weights" / "effects"
    shutil.copytree(FOLDER, place)
    monkeypatch.setattr(mdt, "__file__", str(tmp_path / "__init__.py"))
    ask = weights.__wrapped__  # what is held in memory is not read again
    assert ask("again").keys() == weights("again").keys()
    data = bytearray((place / "again.safetensors").read_bytes())
    data[-1] ^= 1
    (place / "again.safetensors").write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"is damaged: .* install the package again\."):
        ask("again")
    (place / "first.safetensors").unlink()
    with pytest.raises(InputError, match=r"is missing or its card is damaged"):
        ask("first")


def halves():
    """A picture with two striped discs and a plain one between them."""
    image = np.full((96, 192, 3), 120, np.uint8)
    rows, columns = np.mgrid[:96, :192]
    shapes = [np.hypot(rows - 48, columns - x) < 24 for x in (36, 96, 156)]
    for k in (0, 2):
        image[shapes[k] & (columns % 8 < 4)] = (220, 30, 30)
        image[shapes[k] & (columns % 8 >= 4)] = (30, 30, 200)
    image[shapes[1]] = (124, 30, 116)
    return image, shapes


@pytest.fixture(scope="module")
def patches():
    from transformers import Dinov2Config, Dinov2Model

    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14
    )
    return Dinov2Model(config)


def test_an_encoder_of_patches_and_that_of_words_answer_the_same_question(patches):
    image, shapes = halves()
    for features in (PatchFeatures(patches, side_px=224), WordFeatures()):
        alike = cosines(features, image, shapes)
        assert alike.shape == (3, 3)
        assert np.allclose(np.diag(alike), 1, atol=1e-4)
        assert alike[0, 2] > max(alike[0, 1], alike[1, 2])


def test_features_weigh_in_with_shape_and_colour():
    image, shapes = halves()
    regions = [Region(i + 1, Mask.of(m)) for i, m in enumerate(shapes)]
    for sign in (1.0, -1.0):

        def features(_image, masks, sign=sign):
            return np.array([[1, 0], [0, 1], [sign, 0]], np.float32)[: len(masks)]

        edges = find_edges(image, regions, features=features)
        twins = {(e.source, e.target) for e in edges if e.type in ("twin", "same_kind")}
        assert ((1, 3) in twins) == (sign > 0)
    assert all("features alike" in e.evidence for e in edges if e.type in ("twin", "same_kind"))


def test_a_network_that_is_not_there_is_told(tmp_path):
    image, shapes = halves()
    with pytest.raises(InputError, match="No network of patches"):
        PatchFeatures(str(tmp_path))(image, shapes)
