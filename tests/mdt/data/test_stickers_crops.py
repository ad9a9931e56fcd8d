"""Crops of regions: what is said of them is so."""

import json
import pickle

import numpy as np
import pytest
import torch

from mdt.cli import main
from mdt.config import load
from mdt.data import CropSource, DataError, batches, open_source
from mdt.data.stickers.crops import NUM_TEXTS
from mdt.data.stickers.phrases import key, phrases
from mdt.data.stickers.rough import nothing, of_photo, roughened
from mdt.features.judge import open_judge
from mdt.features.train import Recipe
from mdt.features.train import train as train_features
from mdt.models import WordRegions
from mdt.runs import Run, open_weights
from mdt.settings import TrainSettings
from mdt.train import train
from mdt.words import NUM_IDS, phrase_ids

NUM = 80


@pytest.fixture(scope="module")
def source(stickers):
    return CropSource(stickers, size=48, seed=3, split="all", buckets=512)


@pytest.fixture(scope="module")
def crops(source):
    return [source.read(i) for i in range(NUM)]


def test_a_crop_is_a_function_of_seed_and_number(source, crops, stickers):
    again = pickle.loads(pickle.dumps(source))
    for number in (7, 3, 50):
        for one, other in zip(again.read(number), crops[number], strict=True):
            assert np.array_equal(one, other)
    other = CropSource(stickers, size=48, seed=4, split="all", buckets=512)
    assert not np.array_equal(other.read(3)[0], crops[3][0])
    assert other.identity != source.identity


def test_kinds_of_values(crops):
    for x, label in crops:
        assert x.shape == (4, 48, 48) and x.dtype == np.float32
        assert np.abs(x).max() <= 1 and set(np.unique(x[3])) <= {-1.0, 1.0}
        assert (x[3] > 0).any()
        assert label.shape == (2 + NUM_TEXTS, 1 + NUM_IDS) and label.dtype == np.int64


def test_what_is_said_first_is_true_and_what_is_nothing_has_no_names(source, crops):
    things = [label for _, label in crops if label[:2].any()]
    assert 0.65 < len(things) / NUM < 0.92  # a fifth is nothing
    known = source.stickers.names
    for label in things:
        true, said = set(label[:2].ravel().tolist()), label[2:, 0]
        assert said[0] in true and said[0] in {key(name) for name in known}
        assert set(said.tolist()) - true  # and others that are not true
    for _, label in crops:
        assert (label[2:, 0] != 0).all()
    name = known[0]
    rows = [row for label in things for row in label[2:] if row[0] == key(name)]
    assert rows and np.array_equal(rows[0][1:], phrase_ids(name, 512))


def test_masks_of_things_cover_a_good_part_of_their_crop(crops):
    shares = [(x[3] > 0).mean() for x, label in crops if label[:2].any()]
    assert 0.1 < np.mean(shares) < 0.7


def test_phrases_are_name_tags_and_kinds_without_doubles():
    said = phrases("red apple", ("fruit", "Apples", "red"), "food-fruit")
    assert said == ("red apple", "fruit", "Apples", "red", "food")
    assert phrases("Apple", ("apples", "?"), "food-fruit") == ("Apple", "food", "fruit")
    assert phrases("traffic light", (), "transport-ground") == ("traffic light",)
    assert phrases("bus", (), "transport-ground") == ("bus", "vehicle")
    assert key("The Apples!") == key("apple") != key("pear")
    assert key("?!") == 0


def test_rough_masks_keep_most_and_nothing_keeps_little():
    mask = np.zeros((64, 64), bool)
    mask[16:50, 20:44] = True
    rng = np.random.default_rng(0)
    rough = [roughened(rng, mask) for _ in range(100)]
    assert all((each & mask).sum() > 0.5 * mask.sum() for each in rough)
    assert sum(not np.array_equal(each, mask) for each in rough) > 25
    for _ in range(100):
        none = nothing(rng, mask)
        assert none.any() and (none & mask).sum() < 0.25 * mask.sum()


def test_parts_of_photographs_are_named_by_nothing(stickers):
    source = CropSource(stickers, size=48, seed=3, split="all", photos=1.0)
    for number in range(12):
        x, label = source.read(number)
        assert not label[:2].any() and (x[3] > 0).any() and label[2:, 0].all()
    rng = np.random.default_rng(0)
    for _ in range(40):
        image, mask = of_photo(rng, 32)
        assert image.shape == (32, 32, 3) and image.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 1
        assert mask.shape == (32, 32) and mask.any()


def test_bad_settings_are_one_sentence(stickers):
    with pytest.raises(DataError, match=r"share of photos among crops lies in 0 to 1; got 1\.5"):
        CropSource(stickers, photos=1.5)
    for settings in ({"size": 8}, {"count": 0}, {"seed": -1}):
        with pytest.raises(DataError, match="of crops is"):
            open_source("crops", stickers, **settings)


def test_batches_and_a_training_that_is_stopped_and_resumed(source, stickers, tmp_path):
    x, label, _ = next(batches(source, batch=4, seed=0))
    assert x.shape == (4, 4, 48, 48) and x.dtype == torch.float32
    assert label.shape == (4, 2 + NUM_TEXTS, 1 + NUM_IDS)
    recipe = tmp_path / "words.yaml"
    recipe.write_text(
        "model: {name: words, input_size: 32, widths: [8, 8, 8, 8], buckets: 512, word_width: 8, width: 16}\n"
        f"data: {{name: crops, path: {json.dumps(str(stickers))}, size: 32, settings: {{split: all, buckets: 512}}}}\n"
        "objective: {name: words}\noptimizer: {name: adamw, lr: 1.0e-3}\n"
        "steps: 4\nbatch: 8\nsave_every: 2\nprogress: false\nema: {widths: [0.1]}\n"
    )
    settings = load(TrainSettings, recipe)
    train(settings, tmp_path / "one")
    one = Run(tmp_path / "one")
    whole = one.tensors(4, "model")
    for part in one.place(4).iterdir():
        part.unlink()
    one.place(4).rmdir()
    train(settings, tmp_path / "one")
    resumed = one.tensors(4, "model")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    network = open_weights(one.place(4))
    assert network(x[:2, :, :32, :32], torch.zeros(3, NUM_IDS, dtype=torch.int64)).shape == (2, 3)
    # Exported, it is the network of the averaged weights, and another run begins from it.
    assert main(["export", str(tmp_path / "one"), "-o", str(tmp_path / "net")]) == 0
    exported = WordRegions.from_pretrained(tmp_path / "net").state_dict()
    assert all(torch.equal(exported[name], value) for name, value in network.state_dict().items())
    begun = load(TrainSettings, recipe, [f"init={tmp_path / 'net'}", "steps=1", "optimizer.lr=0"])
    train(begun, tmp_path / "two")
    kept = Run(tmp_path / "two").tensors(1, "model")
    assert all(torch.equal(exported[name], value) for name, value in kept.items())


def test_a_judge_is_trained_alike_twice_and_knows_its_names(stickers, tmp_path):
    told = {"data": f"stickers:{stickers}", "test": f"stickers:{stickers}", "method": "stickers"}
    sizes = {"widths": [4, 8, 8, 16], "epochs": 1, "views": 4, "batch": 8, "name": "judge"}
    one, two = (
        train_features(Recipe(**told, **sizes, out=str(tmp_path / out))) for out in ("a", "b")
    )
    assert one.read_bytes() == two.read_bytes()
    judge, source = open_judge(tmp_path / "a"), CropSource(stickers, split="all").stickers
    assert judge.names == tuple(source.names) and judge.groups == tuple(source.groups)
