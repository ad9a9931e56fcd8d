import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdt.data.order import picture, uniform

SEEDS = st.integers(0, 2**70)


def epoch_of(length, seed, epoch, **more):
    got = [picture(length, seed, epoch * length + i, **more) for i in range(length)]
    assert {e for _, e in got} == {epoch}
    return [index for index, _ in got]


@given(st.integers(1, 50), SEEDS, st.integers(0, 1000))
def test_each_epoch_holds_each_picture_once(length, seed, epoch):
    assert sorted(epoch_of(length, seed, epoch)) == list(range(length))
    assert epoch_of(length, seed, epoch, shuffle=False) == list(range(length))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), SEEDS)
def test_blocks_are_read_one_at_a_time(sizes, seed):
    blocks = tuple(sizes)
    order = epoch_of(sum(blocks), seed, 3, blocks=blocks)
    assert sorted(order) == list(range(sum(blocks)))
    block = np.repeat(np.arange(len(blocks)), blocks)[order]
    assert 1 + np.count_nonzero(np.diff(block)) == len(blocks)


def test_epochs_and_seeds_differ():
    orders = [epoch_of(40, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    blocks = (10, 10, 10, 10)
    firsts = {epoch_of(40, 0, e, blocks=blocks)[0] // 10 for e in range(20)}
    assert firsts == {0, 1, 2, 3}
    inside = {tuple(i % 10 for i in epoch_of(40, 0, e, blocks=blocks)[:10]) for e in range(5)}
    assert len(inside) == 5


def test_every_place_is_equally_likely():
    counts = np.zeros((5, 5))
    for epoch in range(2000):
        counts[np.arange(5), epoch_of(5, 7, epoch)] += 1
    assert np.abs(counts - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)


def test_the_order_is_the_one_that_old_runs_saw():
    assert epoch_of(10, 0, 0) == [3, 2, 1, 8, 6, 0, 7, 4, 5, 9]
    assert epoch_of(10, 0, 1, blocks=(3, 3, 4)) == [7, 6, 9, 8, 1, 0, 2, 4, 5, 3]
    assert uniform(0, 5, 2) == pytest.approx([0.3830084316030604, 0.11212920241750313], abs=0)


def test_numbers_of_pictures_are_uniform_and_independent_of_each_other():
    drawn = np.array([uniform(3, position, 4) for position in range(4000)])
    assert 0 <= drawn.min() < drawn.max() < 1
    assert np.abs(drawn.mean(0) - 0.5).max() < 0.025
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.08
    assert abs(np.corrcoef(drawn[1:, 0], drawn[:-1, 0])[0, 1]) < 0.08
