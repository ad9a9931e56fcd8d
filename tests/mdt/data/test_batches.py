from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.data import SOURCES, DataError, batches, open_source, picture
from mdt.data.batches import read_rows
from mdt.data.order import uniform
from mdt.data.picture import MIN_SHARE


class Ramp:
    """A source in memory: picture i is filled with i, brighter to the right; label i % 3."""

    classes = ("a", "b", "c")
    shape = (3, 2, 4)

    def __init__(self, length=23, blocks=None):
        self.length, self.blocks = length, blocks

    def __len__(self):
        return self.length

    def read(self, index):
        return np.full((2, 4, 3), index, np.uint8) + np.arange(4, dtype=np.uint8)[
            :, None
        ], index % 3


def take(count, source=None, **more):
    more = {"batch": 6, "seed": 5, "flip": True, **more}
    return list(islice(batches(source or Ramp(), **more), count))


def same(a, b):
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.label, other.label)
        assert one.position == other.position


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**40))
def test_the_shares_of_all_processes_are_the_global_batch(batch, world, seed):
    world = min(batch, world)
    whole = take(5, batch=batch, seed=seed)
    parts = [take(5, batch=batch, seed=seed, rank=r, world=world) for r in range(world)]
    for i, one in enumerate(whole):
        assert torch.equal(torch.cat([part[i].x for part in parts]), one.x)
        assert torch.equal(torch.cat([part[i].label for part in parts]), one.label)
        assert {part[i].position for part in parts} == {one.position} == {i * batch}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(0, 12), st.sampled_from([None, (5, 10, 8)]))
def test_a_start_is_the_same_as_having_run_there(batch, steps, blocks):
    source = Ramp(blocks=blocks)
    run = take(steps + 2, source, batch=batch)
    same(take(2, source, batch=batch, start=steps * batch), run[steps:])


@pytest.mark.parametrize("blocks", [None, (5, 10, 8)])
def test_each_epoch_sees_each_picture_once(blocks):
    one = take(46, Ramp(blocks=blocks), batch=1, flip=False)
    seen = [round((float(b.x[0, 0, 0, 0]) + 1) * 127.5) for b in one]
    assert sorted(seen[:23]) == sorted(seen[23:]) == list(range(23))
    assert seen == [picture(23, 5, p, blocks=blocks)[0] for p in range(46)]
    assert [int(b.label[0]) for b in one] == [i % 3 for i in seen]


def test_half_of_the_pictures_are_mirrored_anew_in_each_epoch():
    mirrored = torch.cat([b.x[:, 0, 0, 0] > b.x[:, 0, 0, 3] for b in take(200)])
    assert 0.45 < mirrored.float().mean() < 0.55
    assert mirrored.tolist() == [uniform(5, p, 4)[0] < 0.5 for p in range(1200)]
    assert not any((b.x[:, 0, 0, 0] > b.x[:, 0, 0, 3]).any() for b in take(9, flip=False))


def test_pictures_that_are_floats_are_mirrored_left_to_right_too():
    source = Ramp(8)
    rows = np.arange(24, dtype=np.float32).reshape(3, 2, 4)
    source.read = lambda index: (rows + 100 * index, 0)
    (batch,) = take(1, source, batch=8)
    numbers = [picture(8, 5, p)[0] for p in range(8)]
    for one, number in zip(batch.x, numbers, strict=True):
        here = torch.from_numpy(rows + 100 * number)
        assert torch.equal(one, here) or torch.equal(one, here.flip(-1))
    assert len({bool(one[0, 0, 0] > one[0, 0, 3]) for one in batch.x}) == 2


def test_what_has_places_in_its_labels_is_not_mirrored():
    source = Ramp()
    source.flips = False
    with pytest.raises(ValueError, match="These pictures are not to be mirrored"):
        take(1, source)
    assert {name for name, kind in SOURCES.items() if getattr(kind, "flips", None) is False} == {
        "crops",
        "prompted",
        "regions",
    }


def test_pixels_are_scaled_to_minus_one_to_one():
    x = take(1, Ramp(256), batch=256, flip=False)[0].x
    assert x.dtype == torch.float32
    assert x.shape == (256, 3, 2, 4)
    assert x.is_contiguous()
    assert torch.equal(x[:, 0, 0, 0].sort()[0], torch.arange(256) / 127.5 - 1)


@pytest.mark.parametrize("crop", ["center", "random"])
def test_workers_change_nothing_and_the_global_generator_is_left_alone(classes, crop):
    source = open_source("folder", classes, size=12)
    before = torch.get_rng_state()
    alone = take(7, source, crop=crop)
    same(take(7, source, crop=crop, workers=2), alone)
    assert torch.equal(torch.get_rng_state(), before)
    assert alone[0].x.shape == (6, 3, 12, 12)


def test_random_crops_are_drawn_anew(tmp_path, draw, encoded):
    (tmp_path / "a.png").write_bytes(encoded(draw(0, 40, 60)))
    source = open_source("folder", tmp_path, size=(16, 20))
    center = take(3, source, crop="center", flip=False)
    assert torch.equal(center[0].x[0], center[2].x[5])
    random = torch.cat([b.x for b in take(3, source, crop="random", flip=False)])
    assert random.shape == (18, 3, 16, 20)
    assert len(random.flatten(1).unique(dim=0)) == 18
    zooms = [1 / (1 - uniform(5, p, 4)[1] * (1 - MIN_SHARE)) for p in range(18)]
    assert 1 <= min(zooms) < max(zooms) <= 1.25


def test_sources_without_labels():
    source = Ramp()
    source.classes = None
    source.read = lambda index: (np.zeros((2, 4, 3), np.uint8), None)
    assert take(1, source)[0].label is None


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_breaks_is_named_in_one_sentence(classes, workers):
    source = open_source("folder", classes)
    broken = classes / "bee" / "2.png"
    broken.write_bytes(broken.read_bytes()[:-200])
    with pytest.raises(
        DataError, match=r"The picture .*bee.2\.png cannot be read: .*\.$"
    ) as caught:
        take(4, source, workers=workers)
    assert "\n" not in str(caught.value)


def test_rows_in_an_order_of_ones_own():
    from mdt.data.batches import Row

    lists = [[Row(3), Row(3, flip=True)], [Row(0)]]
    (a, labels), (b, _) = read_rows(Ramp(), lists)
    assert torch.equal(a[0], a[1].flip(-1))
    assert labels.tolist() == [0, 0]
    assert b.shape == (1, 3, 2, 4)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"batch": 2, "world": 3}, "shared by 3 processes"),
        ({"rank": 2, "world": 2}, "no process 2 of 2"),
        ({"seed": -1}, "0 or more; got -1"),
        ({"start": 7}, "a multiple of the batch, 6; got 7"),
        ({"start": -6}, "a multiple of the batch"),
        ({"crop": "centre"}, "did you mean 'center'"),
        ({"crop": "random"}, "cropped already"),
    ],
)
def test_arguments_that_do_not_fit(more, words):
    with pytest.raises(ValueError, match=words):
        take(1, **more)
