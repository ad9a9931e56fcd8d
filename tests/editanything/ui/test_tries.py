"""Commands that fit a picture can be carried out on it."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.ui.tries import MOST, SELECTED, UNKNOWN, of_seen, sentences


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset()


@pytest.mark.parametrize("name", ["coffee", "cat"])
def test_what_is_made_of_the_names_can_be_planned(editor, name):
    looked = editor.look(EXAMPLES[name].path)
    tries = sentences(EXAMPLES[name].labels, selected=False)
    assert len(tries) == MOST
    assert any("apple" in text for text in tries) or name != "coffee"
    for text in tries:
        assert editor.plan(looked, text).steps, text


def test_what_is_said_of_a_selection_can_be_planned(editor):
    picture = np.random.default_rng(0).integers(90, 160, (120, 160, 3), np.uint8)
    mask = np.zeros((120, 160), bool)
    mask[40:90, 50:110] = True
    for text in sentences((), selected=True):
        assert editor.plan(picture, text, selection=mask).steps, text


def test_an_example_brings_its_own_and_an_unknown_picture_gets_what_always_goes():
    assert sentences(("cup",), selected=False, example="cat") == EXAMPLES["cat"].commands
    assert sentences(("cup",), selected=True, example="cat") == SELECTED


def test_what_is_offered_for_an_unknown_picture_can_be_planned(editor):
    """Where one thing stands out of it."""
    y, x = np.mgrid[:120, :160]
    picture = np.full((120, 160, 3), (110, 120, 90), np.uint8)
    picture[(x - 80) ** 2 + (y - 60) ** 2 < 900] = (200, 60, 40)
    picture += np.random.default_rng(0).integers(0, 8, picture.shape, np.uint8)
    for text in sentences((), selected=False):
        assert editor.plan(picture, text).steps, text


def test_what_is_offered_for_what_is_seen_can_be_planned(editor):
    """In a photograph that came without names: one pixel differs from the example."""
    picture = Picture.open(EXAMPLES["astronaut"].path).rgb().copy()
    picture[0, 0] ^= 1
    looked = editor.look(picture)
    seen = editor.glimpse(looked)
    labels = [region.label for region in seen.regions]
    tries = of_seen(labels, stands_out=seen.subject is not None)
    assert {"remove the helmet", "pixelate the face"} <= set(tries)
    assert len(tries) == MOST
    for text in tries:
        assert editor.plan(looked, text).steps, text


def test_several_of_a_thing_are_spoken_of_as_several():
    tries = of_seen(["cherry", "cherry", "face", "face"], stands_out=True)
    assert tries[0] == "remove the cherries"
    assert "pixelate the faces" in tries


def test_where_nothing_is_seen_what_always_goes_is_offered_and_no_background_without_a_subject():
    assert of_seen([], stands_out=True) == UNKNOWN
    tries = of_seen([], stands_out=False)
    assert not any("background" in text for text in tries)
    assert len(tries) > 3


def test_a_picture_with_names_is_not_looked_at_for_others(editor):
    looked = editor.look(EXAMPLES["cat"].path)
    assert editor.glimpse(looked).regions == ()
    assert Editor.from_preset(**{"grounder.names": "known"}).glimpse(looked) is None
