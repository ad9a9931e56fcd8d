import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from mdt.config import config_folder, load
from mdt.features import FEATURES, ConvNet, convnet, open_convnet, open_features
from mdt.features.train import METHODS, Recipe, main, train
from mdt.features.views import crop_and_flip, jitter, random_crop

SHIPPED = [path.stem for path in sorted(convnet.WEIGHTS.glob("features-*.json"))]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_the_feature_networks_ship():
    assert "features-cifar" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_is_small_and_its_card_is_complete(name):
    network, card = open_convnet(name), convnet.read_card(name)
    path = convnet.WEIGHTS / f"{name}.safetensors"
    assert path.stat().st_size <= 3e6
    assert all(t.dtype == torch.float16 for t in load_file(path).values())
    assert (network.name, network.sha256) == (name, card["sha256"])
    assert not network.training
    assert card["licence"] and card["about"] and card["pictures_seen"] > 100_000
    assert Recipe(**card["recipe"]).method in METHODS
    assert 0.5 < card["scores"]["neighbours"] <= 1
    assert "/" not in card["recipe"]["data"]


def test_pictures_of_any_size_are_resized_with_antialiasing():
    network = open_features("cifar")
    small = noise(32, 32, 3)
    np.testing.assert_allclose(
        network.prepare(small).permute(1, 2, 0), small / 127.5 - 1, rtol=0, atol=1e-6
    )
    checks = np.indices((256, 192)).sum(0) % 2 * 255
    grey = network.prepare(np.repeat(checks[..., None], 3, 2).astype(np.uint8))
    assert grey.shape == (3, 32, 32)
    assert grey.abs().max() < 0.1  # without antialiasing it would be black or white
    # Shrinking a picture that was enlarged gives about the same features.
    wide = np.asarray(Image.fromarray(small).resize((64, 64), Image.Resampling.NEAREST))
    one, two = (network(network.prepare(x)[None]).pooled for x in (small, wide))
    other = network(network.prepare(noise(32, 32, 3, seed=1))[None]).pooled
    assert (one - two).norm() < 0.7 * (one - other).norm()


def test_features_have_their_sizes_and_do_not_depend_on_the_other_pictures():
    network = open_features("cifar")
    x = torch.stack([network.prepare(picture) for picture in noise(5, 20, 24, 3)])
    found = network(x)
    assert found.pooled.shape == (5, 256)
    assert found.spatial.shape == (5, 16 * 8 * 8)
    assert found.probabilities.shape == (5, 10)
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(5))
    alone = network(x[3:4])
    for a, b in zip(alone, found, strict=True):
        torch.testing.assert_close(a[0], b[3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("no weights", "weights .*are missing; train it again"),
        ("no card", "card .*is missing or damaged; train it again"),
        ("card is text", "card .*is missing or damaged; train it again"),
        ("one bit", "are damaged: their SHA-256 begins .*; train it again"),
        ("other widths", "does not fit its card: "),
    ],
)
def test_missing_or_damaged_weights_are_one_sentence(tmp_path, damage, sentence):
    name = "features-cifar"
    for ending in (".json", ".safetensors"):
        shutil.copy(convnet.WEIGHTS / f"{name}{ending}", tmp_path)
    card, weights = tmp_path / f"{name}.json", tmp_path / f"{name}.safetensors"
    if damage == "no weights":
        weights.unlink()
    elif damage == "no card":
        card.unlink()
    elif damage == "card is text":
        card.write_text("hello")
    elif damage == "one bit":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    else:
        card.write_text(json.dumps({**json.loads(card.read_text()), "widths": [32, 64, 96, 256]}))
    with pytest.raises(ValueError, match=sentence) as said:
        open_convnet(name, tmp_path)
    assert "\n" not in str(said.value)


def test_names_of_features():
    with pytest.raises(ValueError, match="no features 'cifr'; did you mean 'cifar'"):
        open_features("cifr")
    with pytest.raises(ValueError, match="there are: cifar, convnet, inception"):
        open_features("zzz")
    with pytest.raises(ValueError, match="bring their weights; leave out x"):
        open_features("cifar", "x")
    with pytest.raises(ValueError, match=r"name its \.safetensors with --weights"):
        open_features("convnet")
    with pytest.raises(ValueError, match=r"card no.json is missing or damaged; train it again"):
        open_features("convnet", "no.safetensors")
    with pytest.raises(ValueError, match=r"name their file .* with --weights"):
        open_features("inception")
    with pytest.raises(ValueError, match="cannot be loaded: No module"):
        open_features("no_such_module:Net")
    with pytest.raises(ValueError, match="no feature network: they lack name, sha256, prepare"):
        open_features("collections:OrderedDict")
    assert open_features("mdt.features:open_convnet", "features-cifar").name == "features-cifar"
    assert set(FEATURES) == {"cifar", "convnet", "inception"}


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """The network with random weights, by way of a file as the user has one."""
    from mdt.features.inception import Inception, open_inception

    draw = torch.Generator().manual_seed(0)
    state = Inception().net.state_dict()
    for value in state.values():
        if value.ndim > 1:
            fan_in = value[0].numel()
            value.copy_(torch.randn(value.shape, generator=draw) * (2 / fan_in) ** 0.5)
    path = tmp_path_factory.mktemp("inception") / "weights.safetensors"
    save_file(state, path)
    return open_inception(path)


def test_inception_takes_published_weights_by_torchvisions_names(inception, tmp_path):
    assert len(inception.sha256) == 64
    names = set(inception.net.state_dict())
    # Of the file that circulates; no auxiliary classifier, 1008 classes.
    assert {"Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.bn.running_var"} <= names
    assert not [name for name in names if name.startswith("Aux")]
    assert inception.net.fc.weight.shape == (1008, 2048)
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "else.safetensors")
    with pytest.raises(ValueError, match="holds no Inception v3 of 1008 classes") as said:
        open_features("inception", tmp_path / "else.safetensors")
    assert "\n" not in str(said.value)
    with pytest.raises(ValueError, match="does not exist"):
        open_features("inception", tmp_path / "none.pth")


def test_inception_gives_the_features_of_the_published_metrics(inception):
    with torch.no_grad():
        found = inception(inception.prepare(noise(40, 48, 3))[None])
    assert found.pooled.shape == (1, 2048)
    assert found.spatial.shape == (1, 2023)
    assert found.probabilities.shape == (1, 1008)
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert all(torch.isfinite(part).all() for part in found)


def test_inception_pools_as_the_graph_of_2015(inception):
    x = torch.rand(1, 2048, 4, 4)
    maps = {}

    def note(name):
        return lambda _, given: maps.__setitem__(name, given[0])

    blocks = {name: getattr(inception.net, name) for name in ("Mixed_7b", "Mixed_7c")}
    hooks = [
        block.branch_pool.register_forward_pre_hook(note(name)) for name, block in blocks.items()
    ]
    with torch.no_grad():
        blocks["Mixed_7c"](x)
        blocks["Mixed_7b"](x[:, :1280])
    for hook in hooks:
        hook.remove()
    # The corner sees the four values that there are: their largest, or their mean.
    corner = x[0, :, :2, :2]
    torch.testing.assert_close(maps["Mixed_7c"][0, :, 0, 0], corner.amax((1, 2)))
    torch.testing.assert_close(maps["Mixed_7b"][0, :, 0, 0], corner[:1280].mean((1, 2)))


def test_inception_resizes_as_tensorflow_1_did(inception):
    rows = np.arange(4, dtype=np.uint8)[:, None, None] * 50
    x = inception.prepare(np.broadcast_to(rows, (4, 6, 3)))
    assert x.shape == (3, 299, 299)
    # Output row i lies at 4 i / 299 of the input; beyond the last row there is only that row.
    place = np.minimum(np.arange(299) * 4 / 299, 3)
    expected = np.broadcast_to(((place * 50) - 128) / 128, (3, 299)).T[:, None]
    np.testing.assert_allclose(x.permute(1, 2, 0), expected.repeat(299, 1), rtol=0, atol=1e-5)


def test_views_show_the_picture_and_repeat_with_the_generator():
    pixels = torch.from_numpy(noise(6, 3, 12, 12))

    def draw(view, x=pixels):
        return view(x, torch.Generator().manual_seed(3))

    views = draw(crop_and_flip)
    assert views.shape == pixels.shape and views.dtype == torch.uint8
    assert torch.equal(views, draw(crop_and_flip))
    for i in range(6):
        # The middle of a view is a shifted, perhaps mirrored, part of its own picture.
        wanted = views[i, :, 4:8, 4:8]
        parts = [
            turned[:, y : y + 4, x : x + 4]
            for turned in (pixels[i], pixels[i].flip(2))
            for y in range(9)
            for x in range(9)
        ]
        assert any(torch.equal(part, wanted) for part in parts)
    unit = pixels.float() / 127.5 - 1
    crops = draw(random_crop, unit)
    assert crops.shape == unit.shape
    assert crops.abs().max() <= 1
    assert not torch.equal(crops, random_crop(unit, torch.Generator().manual_seed(4)))
    grey = torch.full((500, 3, 2, 2), 0.5)
    changed = draw(jitter, grey)
    assert (changed[:, 0] - changed[:, 1]).abs().max() < 1e-6  # a grey picture stays grey
    assert changed.std() > 0.1


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    """Sixteen pictures each of stripes down and stripes across, of any colour."""
    folder = tmp_path_factory.mktemp("two")
    draw = np.random.default_rng(0)
    for name in ("across", "down"):
        (folder / name).mkdir()
        for i in range(16):
            wave = np.sin(np.arange(32) * draw.uniform(0.6, 1.2) + draw.uniform(0, 6))
            wave = np.broadcast_to(wave if name == "down" else wave[:, None], (32, 32))
            colour = draw.uniform(30, 110, 3)
            picture = (128 + wave[..., None] * colour).astype(np.uint8)
            Image.fromarray(picture).save(folder / name / f"{i}.png")
    return folder


def test_the_method_stickers_and_pictures_with_alpha_belong_together(tmp_path, two_classes):
    told = {"data": f"folder:{two_classes}", "test": f"folder:{two_classes}"}
    with pytest.raises(ValueError, match="pictures without it, and the method is stickers"):
        train(Recipe(**told, method="stickers", out=str(tmp_path)))


@pytest.mark.parametrize("method", ["classifier", "simclr"])
def test_a_network_learns_and_is_written_with_its_card(tmp_path, two_classes, method):
    told = {"data": f"folder:{two_classes}", "test": f"folder:{two_classes}", "method": method}
    sizes = {"widths": [4, 8, 8, 16], "epochs": 8, "batch": 16, "lr": 0.1}
    said = []
    recipe = Recipe(**told, **sizes, out=str(tmp_path / "one"), licence="ours")
    path = train(recipe, said.append)
    assert path.stat().st_size < 20_000
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in said]
    # A single step of so small a batch is noisy.
    assert len(losses) == 8 and np.mean(losses[4:]) < losses[0]
    network = open_features("convnet", path)
    card = convnet.read_card("features-cifar", tmp_path / "one")
    assert card["pictures_seen"] == 8 * 32
    assert card["licence"] == "ours" and str(tmp_path) not in json.dumps(card)
    assert card["scores"]["neighbours"] >= 0.5
    if method == "classifier":
        assert card["scores"]["accuracy"] > 0.8
        assert network.num_classes == 2
    else:
        assert network.head is None
    again = train(Recipe(**told, **sizes, out=str(tmp_path / "two"), licence="ours"), said.append)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "path", sorted((config_folder() / "evaluate").glob("features-*.yaml")), ids=lambda p: p.stem
)
def test_a_shipped_recipe_is_understood_and_made_the_shipped_weights(path):
    recipe = load(Recipe, path, ["data=folder:a", "test=folder:b"])
    assert path.read_text().startswith("# ")
    assert recipe.name == path.stem
    if recipe.name not in SHIPPED:
        return
    made = convnet.read_card(recipe.name)["recipe"]
    assert {k: v for k, v in made.items() if k not in ("data", "test")} == {
        k: getattr(recipe, k) for k in made if k not in ("data", "test")
    }


def test_bad_recipes_are_one_sentence(tmp_path, capsys, two_classes):
    path = str(config_folder() / "evaluate" / "features-cifar.yaml")
    flat = two_classes / "down"
    cases = {
        "no method 'magic'; there are: classifier, simclr": ["method=magic"],
        "lr must be above 0": ["lr=0"],
        "three numbers or more": ["widths=[8]"],
        "did you mean 'epochs'": ["epoch=3"],
        "has no classes": [f"data=folder:{flat}"],
    }
    for sentence, settings in cases.items():
        told = ["data=folder:none", f"test=folder:{two_classes}", f"out={tmp_path}", *settings]
        assert main([path, *told]) == 2
        out, err = capsys.readouterr()
        assert sentence in err and "Traceback" not in err and not out
    assert main([]) == 0


def test_fewer_pictures_than_a_batch_are_refused_before_anything_is_written(tmp_path, two_classes):
    told = {"data": f"folder:{two_classes}", "test": f"folder:{two_classes}"}
    with pytest.raises(ValueError, match=r"32 pictures, too few for a batch of 64.*batch=32"):
        train(Recipe(**told, batch=64, widths=[8, 8, 8], out=str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_a_network_of_other_widths_keeps_its_sizes():
    network = ConvNet((4, 8, 12), 0).eval()
    found = network(torch.zeros(2, 3, 32, 32))
    assert found.pooled.shape == (2, 12)
    assert found.spatial.shape == (2, 12 * 64)
    assert found.probabilities is None
