"""Commands that fit a picture can be carried out on it."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.ui.tries import MOST, SELECTED, sentences


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
    assert "blur the background" in sentences((), selected=False)
