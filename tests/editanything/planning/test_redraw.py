"""Words for what a generative backend paints, and what a preset without one says."""

import numpy as np
import pytest

from editanything.command.types import Selector
from editanything.editor import Editor
from editanything.errors import Refusal
from editanything.planning.redraw import told

CUP, IT = Selector("cup", ("red",)), Selector("@selection")


@pytest.mark.parametrize(
    ("selector", "attribute", "value", "words"),
    [
        (CUP, "material", "wooden", "wooden red cup"),
        (Selector("door"), "state", "open", "door, open"),
        (Selector("man"), "expression", "smile", "man with the expression “smile”"),
        (Selector("room"), "style", "art deco", "room in the style of art deco"),
        (Selector("hair"), "hairstyle", "curly", "curly hair"),
        (IT, "material", "wooden", "wooden"),
    ],
)
def test_a_thing_as_it_will_be(selector, attribute, value, words):
    assert told(selector, attribute, value) == words


@pytest.mark.parametrize(
    "text",
    ["make it look like winter", "turn the photo into a watercolor painting", "make it wooden",
     'change the text to "OPEN"', "replace the background with a beach"],
)  # fmt: skip
def test_a_preset_without_a_generative_model_says_what_it_takes(text):
    picture = np.zeros((32, 32, 3), np.uint8)
    selection = np.zeros((32, 32), bool)
    selection[8:20, 8:20] = True
    with pytest.raises(Refusal) as refusal:
        Editor.from_preset("default").plan(picture, text, selection=selection)
    assert refusal.value.reason == "unsupported"
