import cv2
import numpy as np
import pytest
import torch

from editanything.cuts import MAYBE_BACK, MAYBE_THING, MOST_UNSURE
from editanything.errors import InputError
from editanything.preset import build
from editanything.segmenters.classical import Classical
from editanything.segmenters.glance import Glance
from editanything.segmenters.guided import (
    LEAST_PX,
    Guided,
    GuidedSeen,
    agreed,
    windows,
)
from editanything.segmenters.sam import SamSegmenter
from editanything.segmenters.window import Window
from editanything.types import Mask, Point, Region, Selection


def picture(height=120, width=160):
    """A red disc and a blue square on a soft green ground."""
    ys, xs = np.mgrid[:height, :width]
    image = np.empty((height, width, 3), np.uint8)
    image[:] = (60, 150, 80)
    image[..., 1] += (ys // 8).astype(np.uint8)
    disc = (xs - 50) ** 2 + (ys - 60) ** 2 < 28**2
    image[disc] = (210, 40, 30)
    square = (abs(xs - 118) < 20) & (abs(ys - 62) < 20)
    image[square] = (40, 60, 200)
    return image, disc, square


def overlap(mask, truth):
    found = mask.full()
    return (found & truth).sum() / (found | truth).sum()


@pytest.fixture(scope="module")
def seen():
    return Guided().look(picture()[0])


def test_a_click_finds_the_whole_thing(seen):
    _, disc, square = picture()
    assert overlap(seen.select(Selection(points=(Point(50, 60),))), disc) > 0.9
    assert overlap(seen.select(Selection(points=(Point(118, 62),))), square) > 0.9


def test_a_box_finds_the_thing_in_it(seen):
    _, disc, _ = picture()
    assert overlap(seen.select(Selection(boxes=((20, 30, 80, 90),))), disc) > 0.9


def test_a_further_click_that_says_nothing_new_changes_nothing(seen):
    """A click in the thing, or beside it as "not this": it is already so."""
    one = seen.select(Selection(points=(Point(50, 60),)))
    for more in (Point(45, 66), Point(10, 10, positive=False)):
        again = seen.select(Selection(points=(Point(50, 60), more)))
        assert np.array_equal(again.full(), one.full())


def test_further_clicks_add_and_take_away(seen):
    _, disc, square = picture()
    both = seen.select(Selection(points=(Point(50, 60), Point(118, 62))))
    assert overlap(both, square) > 0 or overlap(both, disc) > 0
    assert both.full()[62, 118]
    less = seen.select(
        Selection(boxes=((15, 25, 150, 95),), points=(Point(118, 62, positive=False),))
    )
    assert not less.full()[62, 118]


def test_known_regions_and_strokes_are_as_in_the_classical_one():
    image, disc, _ = picture()
    known = (Region(7, Mask.of(disc), "ball"),)
    seen, plain = Guided().look(image, known=known), Classical().look(image, known=known)
    assert isinstance(seen, GuidedSeen)
    click = Selection(points=(Point(50, 60),))
    assert np.array_equal(seen.select(click).full(), disc)
    stroke = Selection(brush=Mask.of(abs(np.mgrid[:120, :160][1] - 118) < 6))
    assert np.array_equal(seen.select(stroke).full(), plain.select(stroke).full())
    assert [r.mask.box for r in seen.regions()] == [r.mask.box for r in plain.regions()]


def test_nothing_is_opened_before_the_first_prompt():
    segmenter = build("segmenter", {"name": "guided", "weights": "/nowhere"})
    seen = segmenter.look(picture()[0])
    assert seen.regions()
    with pytest.raises(InputError, match="nowhere"):
        seen.select(Selection(points=(Point(50, 60),)))
    with pytest.raises(InputError, match="nowhere"):
        segmenter.prepare()
    ready = Guided()
    ready.prepare()
    assert "network" in vars(ready)


def test_the_same_picture_and_prompt_give_the_same_mask():
    image = picture()[0]
    click = Selection(points=(Point(50, 60),))
    first, second = (Guided().look(image).select(click).full() for _ in range(2))
    assert np.array_equal(first, second)


def test_a_click_in_a_large_blurred_picture_cuts_few_pixels_at_once(monkeypatch):
    """The network is sure of nothing there; what GrabCut is asked stays small."""
    noise = np.random.default_rng(0).normal(0, 1, (150, 200, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    small = np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    image = cv2.resize(small, (1200, 900), interpolation=cv2.INTER_CUBIC)
    unsure, plain = [], cv2.grabCut

    def counted(picture, labels, *more):
        unsure.append(int(np.isin(labels, (MAYBE_BACK, MAYBE_THING)).sum()))
        return plain(picture, labels, *more)

    monkeypatch.setattr(cv2, "grabCut", counted)
    seen = Guided().look(image)
    for x, y in ((600, 450), (200, 700)):
        assert seen.select(Selection(points=(Point(x, y),))).area
    assert unsure
    assert max(unsure) <= 1.02 * MOST_UNSURE


def test_windows_close_in_on_the_click():
    boxes = list(windows(Point(500, 20), (600, 800)))
    assert boxes[0] == (0, 0, 800, 600)
    sides = [box[2] - box[0] for box in boxes]
    assert sides == sorted(sides, reverse=True)
    assert LEAST_PX <= sides[-1] < LEAST_PX * 1.5
    for x0, y0, x1, y1 in boxes:
        assert 0 <= x0 <= 500 < x1 <= 800
        assert 0 <= y0 <= 20 < y1 <= 600
    assert list(windows(Point(3, 3), (40, 60))) == [(0, 0, 60, 40)]
    huge = list(windows(Point(10, 10), (3000, 4000)))
    assert huge[-1][2] - huge[-1][0] >= 0.2 * 4000


def test_what_most_agree_on_is_chosen():
    masks = [np.zeros((4, 6), bool) for _ in range(4)]
    masks[0][:, :3] = True
    masks[1][:, :2] = True
    masks[2][:3, :3] = True
    masks[3][:, 4:] = True
    assert agreed(masks, [1, 1, 1, 1]) == 0
    assert agreed(masks, [0.1, 0.1, 0.1, 5]) == 3
    assert agreed([np.zeros((4, 6), bool)], [1.0]) == 0


def test_the_mirrored_look_is_of_the_mirrored_prompt():
    """With a twin, a mirrored picture and prompt give the mirrored mask, to rounding."""
    torch.manual_seed(0)
    image = picture()[0]
    segmenter = SamSegmenter("default", mirror=True)
    here = segmenter.look(image).glance((0, 0, 160, 120))
    there = segmenter.look(np.ascontiguousarray(image[:, ::-1])).glance((0, 0, 160, 120))
    assert here.twin is not None
    for points, box in (
        ((Point(50, 60), Point(9, 9, positive=False)), None),
        ((), (20, 30, 80, 90)),
    ):
        flipped = tuple(Point(159 - p.x, p.y, positive=p.positive) for p in points)
        turned = None if box is None else (160 - box[2], box[1], 160 - box[0], box[3])
        (one,), (other,) = here.answers(points, box), there.answers(flipped, turned)
        np.testing.assert_allclose(one.logits, other.logits[:, ::-1], atol=0.02)
        assert one.quality == pytest.approx(other.quality, abs=1e-3)


def test_an_earlier_mask_is_told():
    image, disc, _ = picture()
    window = Window.of(image, (0, 0, 160, 120), 400)
    segmenter = SamSegmenter("default")
    glance = Glance(window, segmenter.predictor(window.small))
    point = (Point(50, 60), Point(9, 9, positive=False))
    (plain,) = glance.answers(point)
    (told,) = glance.answers(point, earlier=Mask.of(disc))
    assert np.abs(plain.logits - told.logits).max() > 0.01


def test_things_are_offered_beside_the_partition():
    """Masks that overlap, largest first: a disc and a square are among them."""
    image, disc, square = picture()
    seen = Guided().look(image)
    things = seen.things()
    areas = [thing.area for thing in things]
    assert areas == sorted(areas, reverse=True)
    for truth in (disc, square):
        assert max(overlap(thing, truth) for thing in things) > 0.7
    assert seen.things() is things


def test_boxes_at_a_glance(seen):
    """Many boxes at once, by one look at the whole picture; no box, no mask."""
    _, disc, square = picture()
    masks = seen.in_boxes([(20, 30, 80, 90), (97, 41, 140, 84)])
    assert overlap(masks[0], disc) > 0.9
    assert overlap(masks[1], square) > 0.9
    assert seen.in_boxes([]) == ()


def test_a_small_thing_in_a_large_picture_is_looked_at_from_near():
    image = np.full((600, 800, 3), (60, 150, 80), np.uint8)
    ys, xs = np.mgrid[:600, :800]
    disc = (xs - 500) ** 2 + (ys - 200) ** 2 < 14**2
    image[disc] = (210, 40, 30)
    seen = Guided().look(image)
    assert overlap(seen.select(Selection(points=(Point(500, 200),))), disc) > 0.85
    assert len(seen._photographs._glances) == 2


def test_a_picture_that_was_looked_at_is_not_looked_at_again():
    seen = Guided().look(picture()[0])
    seen.prepare()
    held = dict(seen._photographs._glances)
    seen.select(Selection(points=(Point(50, 60),)))
    whole = (0, 0, 160, 120)
    assert seen._photographs._glances[whole] is held[whole]
