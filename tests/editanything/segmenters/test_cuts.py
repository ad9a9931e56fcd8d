from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from editanything.segmenters.cuts import BACK, MAYBE_BACK, MAYBE_THING, THING, cut, tidy


@pytest.fixture(scope="module")
def noisy():
    """A noisy orange square on noisy blue, and seeds that are off by some pixels."""
    rng = np.random.default_rng(3)
    truth = np.zeros((90, 120), bool)
    truth[25:65, 40:90] = True
    base = np.where(truth[..., None], (200, 120, 40), (60, 80, 160))
    image = np.clip(base + rng.normal(0, 25, base.shape), 0, 255).astype(np.uint8)
    seeds = np.full(truth.shape, BACK, np.uint8)
    seeds[18:72, 32:98] = MAYBE_BACK
    seeds[30:60, 45:85] = MAYBE_THING
    return image, truth, seeds


def test_the_thing_is_found_and_the_seeds_stay(noisy):
    image, truth, seeds = noisy
    before = seeds.copy()
    found = cut(image, seeds)
    assert (found & truth).sum() / (found | truth).sum() > 0.98
    assert (seeds == before).all()


def test_equal_seeds_give_equal_cuts_in_any_thread_and_with_any_number_of_them(noisy):
    image, _, seeds = noisy
    first = cut(image, seeds)
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: cut(image, seeds), range(8)))
    num_threads = cv2.getNumThreads()
    try:
        for count in (1, 2, 4):
            cv2.setNumThreads(count)
            cv2.setRNGSeed(count)  # what others drew before does not matter
            others.append(cut(image, seeds))
    finally:
        cv2.setNumThreads(num_threads)
    assert all((other == first).all() for other in others)


def test_sure_seeds_are_obeyed(noisy):
    image, _, seeds = noisy
    seeds = seeds.copy()
    seeds[5:9, 5:9] = THING
    seeds[40:44, 60:64] = BACK
    found = cut(image, seeds)
    assert found[5:9, 5:9].all()
    assert not found[40:44, 60:64].any()


@pytest.mark.parametrize("value", [BACK, THING, MAYBE_BACK, MAYBE_THING])
def test_one_sided_seeds_are_their_own_answer(value):
    seeds = np.full((20, 20), value, np.uint8)
    found = cut(np.zeros((20, 20, 3), np.uint8), seeds)
    assert found.all() == (value in (THING, MAYBE_THING))
    assert found.any() == found.all()


def test_tidying_fills_small_holes_and_drops_specks():
    mask = np.zeros((60, 60), bool)
    mask[10:40, 10:40] = True
    mask[20:22, 20:22] = False
    mask[50:52, 50:52] = True
    tidied = tidy(mask)
    assert tidied[20:22, 20:22].all()
    assert not tidied[50:52].any()
    must = np.zeros((60, 60), bool)
    must[51, 51] = True
    kept = tidy(mask, must=must)
    assert kept.sum() == 4
    assert kept[51, 51]
    assert not tidy(np.zeros((5, 5), bool)).any()
