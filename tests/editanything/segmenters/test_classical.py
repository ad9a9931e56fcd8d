from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.errors import InputError
from editanything.masks import iou
from editanything.preset import build
from editanything.segmenters import SEGMENTERS
from editanything.segmenters.classical import Classical
from editanything.types import Mask, Point, Region, Selection


def scene(height=240, width=320, seed=0):
    """A red disc and a yellow box on noisy green, and their masks."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[0:height, 0:width]
    disc = np.hypot(ys - 0.5 * height, xs - 0.3 * width) < 0.2 * height
    box = (abs(ys - 0.5 * height) < 0.25 * height) & (abs(xs - 0.75 * width) < 0.1 * width)
    image = np.empty((height, width, 3))
    image[:] = (60, 120, 70)
    image[disc], image[box] = (200, 50, 40), (220, 200, 60)
    image += rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), disc, box


@pytest.fixture(scope="module")
def held():
    image, disc, box = scene()
    return Classical().look(image), disc, box


def click(x, y, positive=True):
    return Point(float(x), float(y), positive)


def test_the_name_leads_to_the_class():
    assert build("segmenter", {"name": "classical", "prompt_px": 300}) == Classical(prompt_px=300)
    assert list(SEGMENTERS) == ["classical", "guided", "sam", "sam2", "sam3", "labelled"]


@pytest.mark.parametrize(
    "setting", [{"min_regions": 50}, {"prompt_px": 8}, {"max_regions": 10**6}, {"min_regions": 0}]
)
def test_settings_that_cannot_be_are_refused(setting):
    with pytest.raises(InputError, match="got"):
        Classical(**setting)


def test_only_pictures_are_looked_at():
    for array in (np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3))):
        with pytest.raises(InputError, match="RGB uint8"):
            Classical().look(array)
    region = Region(1, Mask.everything((9, 9)), "thing")
    with pytest.raises(InputError, match="thing"):
        Classical().look(np.zeros((5, 5, 3), np.uint8), known=(region,))


def test_the_regions_are_a_partition_and_the_things_are_among_them(held):
    seen, disc, box = held
    regions = seen.regions()
    assert 3 <= len(regions) <= 40
    assert (
        sum(region.mask.full().astype(int) for region in regions).tolist()
        == np.ones((240, 320), int).tolist()
    )
    for truth in (disc, box):
        assert max(iou(region.mask, Mask.of(truth)) for region in regions) > 0.92
    assert seen.regions() is regions


def test_a_box_says_how_large_the_thing_is():
    """A lamp whose glow fades into the night: colours alone find its bright middle only."""
    ys, xs = np.mgrid[0:160, 0:200]
    glow = np.clip(1 - np.hypot(ys - 80, xs - 100) / 36, 0, 1)[..., None]
    noise = np.random.default_rng(0).normal(0, 6, (160, 200, 3))
    image = np.clip(24 + 500 * glow**5 + noise, 0, 255).astype(np.uint8)
    truth = Mask.of(np.hypot(ys - 80, xs - 100) < 30)
    found = Classical().look(image).select(Selection(boxes=(truth.box,)))
    assert iou(found, truth) > 0.5


def test_known_regions_come_first_and_ids_are_unique():
    image, disc, _ = scene()
    known = (Region(7, Mask.of(disc), "ball"),)
    regions = Classical().look(image, known=known).regions()
    assert regions[0] is known[0]
    assert len({region.id for region in regions}) == len(regions)
    assert all(region.label == "" for region in regions[1:])


@pytest.mark.parametrize("points", [((96, 120),), ((80, 110), (110, 135))])
def test_a_click_finds_the_thing_under_it(held, points):
    seen, disc, _ = held
    found = seen.select(Selection(points=tuple(click(*point) for point in points)))
    assert iou(found, Mask.of(disc)) > 0.95


def test_clicks_add_up_and_negative_ones_take_away(held):
    seen, disc, box = held
    both = seen.select(Selection(points=(click(96, 120), click(240, 120))))
    assert iou(both, Mask.of(disc | box)) > 0.95
    one = seen.select(Selection(points=(click(96, 120), click(240, 120), click(245, 100, False))))
    assert not one.within((245, 100, 246, 101)).any()
    assert one.within((96, 120, 97, 121)).all()
    assert iou(one, Mask.of(disc)) > 0.5


def test_a_box_and_a_stroke_find_the_thing(held):
    seen, disc, box = held
    truth = Mask.of(disc)
    x0, y0, x1, y1 = truth.box
    loose = seen.select(Selection(boxes=((x0 - 4, y0 - 3, x1 + 6, y1 + 5),)))
    assert iou(loose, truth) > 0.97
    stroke = np.zeros(disc.shape, np.uint8)
    cv2.line(stroke, (75, 120), (120, 118), 1, 5)
    assert iou(seen.select(Selection(brush=Mask.of(stroke > 0))), truth) > 0.95
    outside = seen.select(Selection(boxes=((x0, y0, x1, y1), Mask.of(box).box)))
    assert iou(outside, Mask.of(disc | box)) > 0.95


def test_a_stroke_thinner_than_a_pixel_of_its_window_selects_something():
    image = np.full((1500, 2000, 3), 230, np.uint8)
    image[500:1000, 300:1700] = (30, 60, 160)
    stroke = np.zeros((1500, 2000), bool)
    stroke[750, 320:1680] = True
    found = Classical().look(image).select(Selection(brush=Mask.of(stroke)))
    truth = np.zeros_like(stroke)
    truth[500:1000, 300:1700] = True
    assert iou(found, Mask.of(truth)) > 0.9


def test_a_mask_is_taken_as_it_is_and_the_rest_is_added(held):
    seen, disc, _ = held
    given_mask = np.zeros(disc.shape, bool)
    given_mask[3:9, 200:230] = True
    given_mask[5, 210] = False
    alone = seen.select(Selection(mask=Mask.of(given_mask)))
    assert (alone.full() == given_mask).all()
    more = seen.select(Selection(mask=Mask.of(given_mask), points=(click(96, 120),)))
    assert not (given_mask & ~more.full()).any()
    assert iou(more, Mask.of(disc | given_mask)) > 0.95


def test_a_click_in_a_known_region_gives_that_region_the_smallest_one():
    image, disc, _ = scene()
    left = np.zeros(disc.shape, bool)
    left[:, :160] = True
    known = (Region(1, Mask.of(left), "half"), Region(2, Mask.of(disc), "ball"))
    seen = Classical().look(image, known=known)
    assert (seen.select(Selection(points=(click(96, 120),))).full() == disc).all()
    assert (seen.select(Selection(points=(click(10, 10),))).full() == left).all()
    cut_out = seen.select(Selection(points=(click(10, 10), click(96, 120, False))))
    assert (cut_out.full() == (left & ~disc)).all()


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(), "Nothing is selected"),
        (Selection(points=(click(3, 3, False),)), "Nothing is selected"),
        (Selection(points=(click(400, 3),)), "outside"),
        (Selection(boxes=((900, 900, 950, 950),)), "outside"),
        (Selection(mask=Mask.everything((4, 4))), "picture's size"),
    ],
)
def test_a_selection_that_means_nothing_is_refused(held, selection, words):
    with pytest.raises(InputError, match=words):
        held[0].select(selection)


def test_the_same_question_has_the_same_answer_in_any_thread(held):
    image = held[0].image
    questions = [
        Selection(points=(click(96, 120), click(230, 100))),
        Selection(boxes=((50, 60, 140, 180),)),
    ]

    def answers(threads):
        cv2.setNumThreads(threads)
        seen = Classical().look(image)
        return [seen.select(q).full() for q in questions] + [r.mask.full() for r in seen.regions()]

    before = cv2.getNumThreads()
    try:
        first = answers(1)
        again = answers(4)
        with ThreadPoolExecutor(2) as pool:
            others = list(pool.map(answers, (2, 2)))
    finally:
        cv2.setNumThreads(before)
    for run in (again, *others):
        assert all((a == b).all() for a, b in zip(first, run, strict=True))


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 3), st.data())
def test_a_click_is_never_answered_with_nothing(height, width, noise, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    image = (rng.integers(0, 256, (height, width, 3)) * noise // 3).astype(np.uint8)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    before = image.copy()
    found = Classical().look(image).select(Selection(points=(click(x, y),)))
    assert found.shape == (height, width)
    assert found.area > 0
    assert (image == before).all()


def test_a_large_picture_keeps_its_edges_crisp_and_in_place():
    image, disc, _ = scene(1200, 1600)
    seen = Classical().look(image)
    truth = Mask.of(disc)
    for selection in (
        Selection(points=(click(480, 600),)),
        Selection(boxes=((200, 330, 760, 880),)),
    ):
        found = seen.select(selection)
        assert iou(found, truth) > 0.985
        assert np.allclose(found.centroid(), truth.centroid(), atol=1.0)
    assert max(iou(region.mask, truth) for region in seen.regions()) > 0.98
