import json
import pickle

import numpy as np
import pytest
import torch

from mdt.cli import main
from mdt.config import load
from mdt.convert import open_segmenter
from mdt.data import DataError, batches, open_source
from mdt.data.stickers.collages import collage, weathered
from mdt.data.stickers.photos import PHOTOS, patch, photos
from mdt.data.stickers.prompted import click, rough_box, zoomed
from mdt.data.stickers.shapes import SHAPES, shape
from mdt.models.segmenter_objective import DRAWS, NUM_THINGS, ROW, SegmenterObjective
from mdt.runs import Run, open_weights
from mdt.settings import TrainSettings
from mdt.train import train


@pytest.fixture(scope="module")
def source(stickers):
    return open_source("prompted", stickers, size=64, seed=3, split="all", num_scenes=4)


def test_a_picture_is_a_pure_function_of_its_number(source, stickers):
    again = pickle.loads(pickle.dumps(source))
    for index in (0, 5, 6):
        (x, label), (y, other) = source.read(index), again.read(index)
        assert np.array_equal(x, y)
        assert np.array_equal(label, other)
    assert not np.array_equal(source.read(0)[0], source.read(1)[0])
    other = open_source("prompted", stickers, size=64, seed=4, split="all", num_scenes=4)
    assert not np.array_equal(source.read(0)[0], other.read(0)[0])
    assert source.identity == again.identity != other.identity


def test_prompts_lie_where_the_truth_is(source):
    for index in range(12):
        x, label = source.read(index)
        assert x.shape == (4, 64, 64)
        assert x.dtype == np.float32
        assert np.abs(x[:3]).max() <= 1
        assert label.shape == (NUM_THINGS, ROW)
        for k, row in enumerate(label):
            mask = (x[3].astype(int) >> k) & 1
            assert mask.sum() >= 60
            ys, xs = np.nonzero(mask)
            tight = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
            spans = np.array([np.ptp(xs) + 1, np.ptp(ys) + 1] * 2)
            assert (np.abs(row[:4] - tight) <= 0.15 * spans + 1).all()
            assert mask[row[5], row[4]]
            assert (row[6:] >= 0).all()
            assert (row[6:] < DRAWS).all()


def test_the_trainers_batches_are_what_the_objective_takes(source):
    from mdt.models import build_model

    batch = next(batches(source, batch=2, seed=0))
    assert batch.x.shape == (2, 4, 64, 64)
    assert batch.label.dtype == torch.int64
    network = build_model(
        "segmenter",
        input_size=64, fine_width=16, mid_width=16, width=48, depth=1, prompt_width=32,
    )  # fmt: skip
    (terms,) = SegmenterObjective().passes(network, batch.x, batch.label, generator=None)
    assert torch.isfinite(terms["loss"]).all()


def test_a_run_is_exported_as_the_network_of_its_averaged_weights(stickers, tmp_path):
    recipe = tmp_path / "segmenter.yaml"
    recipe.write_text(
        "model: {name: segmenter, input_size: 64, fine_width: 16, mid_width: 16, width: 48, depth: 1,"
        " prompt_width: 32}\n"
        f"data: {{name: prompted, path: {json.dumps(str(stickers))}, size: 64,"
        " settings: {split: all, scenes: 0}}\n"
        "objective: {name: segmenter}\noptimizer: {name: adamw, lr: 1.0e-3}\n"
        "steps: 1\nbatch: 2\nprogress: false\nema: {widths: [0.1]}\n"
    )
    train(load(TrainSettings, recipe), tmp_path / "one")
    assert main(["export", str(tmp_path / "one"), "-o", str(tmp_path / "net")]) == 0
    averaged = open_weights(Run(tmp_path / "one").newest()).state_dict()
    exported = open_segmenter(tmp_path / "net").state_dict()
    assert exported.keys() == averaged.keys()
    assert all(torch.equal(exported[name], value) for name, value in averaged.items())


def test_a_part_belongs_to_its_thing():
    """What is painted on a thing is a thing, and the thing holds it."""

    def sticker(rng):
        return np.full((32, 32, 4), 255, np.uint8)

    held = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        image, masks = collage(rng, 96, sticker)
        assert image.shape == (96, 96, 3)
        for i, part in enumerate(masks[1:]):
            held += bool(part.any() and not (part & ~masks[i]).any())
    assert held >= 3


def test_weather_keeps_the_picture_recognisable():
    rng = np.random.default_rng(0)
    image = np.zeros((64, 64, 3), np.float32)
    image[16:48, 16:48] = 255
    for _ in range(20):
        out = weathered(rng, image)
        assert out.dtype == np.uint8
        assert out[24:40, 24:40].mean() > out[:10].mean() + 40


@pytest.mark.parametrize("draw", [one for one, _ in SHAPES], ids=lambda one: one.__name__)
def test_shapes_are_silhouettes(draw):
    for seed in range(4):
        alpha = draw(np.random.default_rng(seed), 40)
        assert alpha.shape == (40, 40)
        assert 0 <= alpha.min() <= alpha.max() <= 1
        assert 0.004 < (alpha > 0.5).mean() < 0.9
    assert shape(np.random.default_rng(0), 20).shape == (20, 20)


def test_photographs_are_those_that_are_not_measured_on():
    assert len(photos()) == len(PHOTOS)
    assert not {"astronaut.png", "chelsea.png", "camera.png", "coins.png"} & set(PHOTOS)
    piece = patch(np.random.default_rng(0), 40)
    assert piece.shape == (40, 40, 3)
    assert piece.std() > 1


def test_zooming_keeps_the_thing():
    ids = np.zeros((64, 64), np.uint8)
    ids[20:40, 10:30], ids[50:60, 50:60] = 1, 2
    image = np.repeat(ids[..., None] * 100, 3, axis=2)
    for seed in range(8):
        part, cut = zoomed(np.random.default_rng(seed), image, ids)
        assert part.shape == (64, 64, 3)
        assert np.unique(cut).max() >= 1
        for k in np.unique(cut[cut > 0]):
            assert abs(part[cut == k].mean() - 100 * k) < 12


def test_zooming_has_room_for_what_is_wide():
    ids = np.zeros((96, 96), np.uint8)
    ids[45:53, 20:76] = 1
    image = np.repeat(ids[..., None] * 100, 3, axis=2)
    whole = 0
    for seed in range(20):
        _, cut = zoomed(np.random.default_rng(seed), image, ids)
        whole += not (cut[:, 0].any() or cut[:, -1].any())
    assert whole >= 10


def test_boxes_and_clicks_of_a_mask():
    mask = np.zeros((50, 50), bool)
    mask[10:30, 5:45] = True
    rng = np.random.default_rng(1)
    boxes = np.array([rough_box(rng, mask) for _ in range(50)])
    assert (boxes == [5, 10, 45, 30]).all(1).any()
    assert boxes.min() >= 0
    assert boxes.max() <= 50
    places = np.array([click(rng, mask) for _ in range(60)])
    assert mask[places[:, 1], places[:, 0]].all()
    deep = np.abs(places - [24.5, 19.5]).max(0)
    assert (deep < [20, 10]).all()


def test_what_cannot_be_is_refused(stickers):
    with pytest.raises(DataError, match=r"scenes is a share from 0 to 1; got 2"):
        open_source("prompted", stickers, scenes=2)
    with pytest.raises(DataError, match="count of pictures is 1 or more"):
        open_source("prompted", stickers, count=0)
