"""Gestures become one selection, in pixels of the original."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.pointing import draw_stroke
from editanything.types import Mask
from editanything.ui.pointing import Pointing


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset()


@pytest.fixture
def here(editor):
    picture = np.full((120, 160, 3), 210, np.uint8)
    picture[30:80, 40:110] = (180, 30, 30)
    return Pointing(editor.look(picture))


def test_a_click_selects_the_thing_under_it(here):
    here.click(70, 50)
    inside = here.mask.full()[34:76, 44:106].mean()
    assert inside > 0.95
    assert here.mask.area < 1.15 * 50 * 70
    assert here.selection.points[0].x == 70


def test_a_box_selects_the_thing_in_it_whichever_corner_comes_first(here):
    here.box((115, 88), (33, 22), add=True)
    assert here.selection.boxes == ((33, 22, 116, 89),)
    assert here.mask.full()[34:76, 44:106].mean() > 0.95


def test_a_stroke_selects_exactly_what_was_painted_and_can_be_taken_away_again(here):
    here.brush([(20, 20), (60, 20)], 5, add=True)
    painted = here.mask.full()
    assert painted[20, 20:61].all()
    assert painted[25, 40]
    assert not painted[27, 40]
    here.brush([(60, 20)], 5, add=False)
    assert not here.mask.full()[20, 60]
    assert here.mask.full()[20, 40]


def test_a_stroke_that_snaps_grows_to_the_thing(here):
    here.brush([(55, 50), (95, 60)], 6, add=True, snap=True)
    assert here.mask.full()[34:76, 44:106].mean() > 0.9


def test_gestures_add_up_and_clear_forgets_them(here):
    here.brush([(10, 10)], 4, add=True)
    first = here.mask.area
    here.click(70, 50)
    assert here.mask.area > first + 3000
    version = here.version
    here.clear()
    assert here.mask is None
    assert here.selection is None
    assert here.version > version


def test_a_region_toggles(here):
    region = here.regions()[0]
    here.region(region.id)
    assert here.mask.area == region.mask.area
    here.region(region.id)
    assert here.mask is None


@pytest.mark.parametrize(
    "gesture",
    [
        lambda here: here.click(70, 50, positive=False),
        lambda here: here.click(160, 50),
        lambda here: here.box((10, 10), (11, 11), add=True),
        lambda here: here.box((10, 10), (50, 50), add=False),
        lambda here: here.brush([], 5, add=True),
        lambda here: here.brush([(float("nan"), 1)], 5, add=True),
        lambda here: here.brush([(-500, -500)], 5, add=True),
        lambda here: here.region(10_000),
    ],
)
def test_a_gesture_that_makes_no_sense_is_one_sentence_and_changes_nothing(here, gesture):
    with pytest.raises(InputError) as error:
        gesture(here)
    assert str(error.value).endswith((".", "!"))
    assert here.selection is None
    assert here.version == 0


def test_a_click_that_fails_keeps_the_selection(here):
    here.click(70, 50)
    kept = here.mask
    with pytest.raises(InputError):
        here.click(500, 500)
    assert here.mask is kept


@settings(max_examples=30, deadline=None)
@given(
    arrays(float, st.tuples(st.integers(1, 6), st.just(2)), elements=st.floats(-1e9, 1e9)),
    st.floats(0.01, 1e6),
)
def test_any_stroke_can_be_drawn(line, radius):
    mask = draw_stroke((40, 50), line, radius)
    assert isinstance(mask, Mask)
    assert mask.shape == (40, 50)
