from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from editanything.cuts import (
    BACK,
    MAYBE_BACK,
    MAYBE_THING,
    MOST_UNSURE,
    THING,
    cut,
    tidy,
)


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


@pytest.fixture(scope="module")
def large():
    """A disc that blurred noise tells apart, every pixel unsure but a dot and a corner."""
    rng = np.random.default_rng(5)
    ys, xs = np.mgrid[:320, :400]
    truth = np.hypot(xs - 190, ys - 150) < 80
    noise = cv2.GaussianBlur(rng.normal(0, 120, (320, 400, 3)), (0, 0), 4)
    base = np.where(truth[..., None], (190, 120, 60), (70, 80, 150))
    image = np.clip(base + noise, 0, 255).astype(np.uint8)
    seeds = np.full(truth.shape, MAYBE_BACK, np.uint8)
    seeds[np.hypot(xs - 185, ys - 155) < 70] = MAYBE_THING
    seeds[150:153, 190:193] = THING
    seeds[300:303, 2:5] = THING
    seeds[140:143, 230:233] = BACK
    return image, truth, seeds


def test_many_unsure_pixels_are_never_cut_at_once(large, monkeypatch):
    image, truth, seeds = large
    unsure, plain = [], cv2.grabCut

    def counted(image, labels, *more):
        unsure.append(int(np.isin(labels, (MAYBE_BACK, MAYBE_THING)).sum()))
        return plain(image, labels, *more)

    before = seeds.copy()
    monkeypatch.setattr(cv2, "grabCut", counted)
    found = cut(image, seeds, most_unsure=MOST_UNSURE)
    assert (seeds == before).all()
    assert np.isin(seeds, (MAYBE_BACK, MAYBE_THING)).sum() > 3 * MOST_UNSURE
    assert max(unsure) <= 1.02 * MOST_UNSURE
    assert unsure[-1] < 0.1 * MOST_UNSURE  # a band along the rim
    assert (found & truth).sum() / (found | truth).sum() > 0.98
    assert found[150:153, 190:193].all()
    assert found[300:303, 2:5].all()
    assert not found[140:143, 230:233].any()


def test_a_cut_in_two_steps_is_the_same_again(large):
    image, _, seeds = large
    first = cut(image, seeds, most_unsure=MOST_UNSURE)
    cv2.setRNGSeed(11)
    assert (cut(image, seeds, most_unsure=MOST_UNSURE) == first).all()


def test_seeds_too_small_for_the_smaller_size_still_count():
    """A thing of so few pixels that none is left of it there."""
    image = np.full((420, 420, 3), 90, np.uint8)
    image[210:213, 211:213] = (220, 40, 40)
    seeds = np.full((420, 420), MAYBE_BACK, np.uint8)
    seeds[210:213, 211:213] = MAYBE_THING
    assert cut(image, seeds, most_unsure=MOST_UNSURE)[210:213, 211:213].all()


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
