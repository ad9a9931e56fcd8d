"""The thing in front of photographs whose parts bear no names."""

import numpy as np
import pytest
import skimage.data

from editanything import Editor
from editanything.command.types import Selector
from editanything.errors import Refusal
from editanything.examples import EXAMPLES
from editanything.grounders.base import Found, NotFound
from editanything.grounders.names import KnownNames
from editanything.grounders.sights import subject
from editanything.grounders.words import Words
from editanything.masks import grow
from editanything.segmenters.classical import Classical
from editanything.segmenters.guided import Guided
from editanything.types import Mask


@pytest.fixture(scope="module")
def coffee():
    """The photo without the names that the example has."""
    return np.ascontiguousarray(skimage.data.coffee()[::2, ::2])


@pytest.fixture(scope="module")
def seen(coffee):
    return Guided().look(coffee)


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


def test_the_cup_stands_out_of_the_coffee_photo(seen, coffee):
    found = subject(seen)
    assert found is subject(seen)
    height, width = coffee.shape[:2]
    assert found.full()[height // 2, width // 2]
    assert 0.2 < found.area / (height * width) < 0.5
    assert not found.full()[[0, 0, -1, -1], [0, -1, 0, -1]].any()


@pytest.mark.parametrize("name", ["brick", "gravel", "grass", "moon"])
def test_textures_have_no_subject(name):
    grey = getattr(skimage.data, name)()[::2, ::2]
    assert subject(Guided().look(np.repeat(grey[..., None], 3, axis=2))) is None


def test_what_runs_along_the_frame_or_fills_it_is_none():
    picture = np.full((120, 160, 3), (90, 120, 200), np.uint8)
    picture[60:] = (60, 140, 50)
    assert subject(Classical().look(picture)) is None
    assert subject(Classical().look(np.full((80, 80, 3), 200, np.uint8))) is None


@pytest.mark.parametrize(
    "selector",
    [
        Selector("subject"),
        Selector("foreground"),
        Selector("object", ("main",)),
        Selector("thing", region="foreground"),
        Selector("product"),
    ],
)
def test_words_for_the_subject(seen, selector):
    found = Words(KnownNames()).find(seen, selector)
    assert isinstance(found, Found)
    assert found.union() == subject(seen)


def test_the_background_is_all_the_rest(editor, coffee):
    plan = editor.plan(coffee, "remove the background")
    assert "told by what stands out" in plan.notes[0]
    changed = plan.apply().mask
    kept = subject(Guided().look(coffee)).full()
    inside = grow(Mask.of(kept), -4).full()
    assert inside.sum() > 0.6 * kept.sum()
    assert changed[inside].mean() < 0.01  # but along the rim there is a matte
    assert changed[~kept].mean() > 0.98


def test_a_later_step_means_the_same_thing(editor, coffee):
    """A step in between is foreseen, and the subject with it."""
    plan = editor.plan(coffee, "make the subject green, then blur the background")
    assert [step.op for step in plan.steps] == ["modify", "filter"]
    first, second = (step.target.full() for step in plan.steps)
    assert np.array_equal(first, ~second)


def test_a_name_that_is_not_found_is_asked_back_with_a_guess(editor, seen, coffee):
    missed = Words(KnownNames()).find(seen, Selector("teapot"))
    assert isinstance(missed, NotFound)
    assert missed.guess == subject(seen)
    with pytest.raises(Refusal, match="say “the subject” instead") as told:
        editor.plan(coffee, "remove the piano")
    assert told.value.guess is not None
    assert "run this again" in told.value.question


def test_no_guess_where_it_would_be_wrong(seen):
    """Not for several things, stuff, colours, parts of things; not where names are known."""
    names = Words(KnownNames())
    for selector in (
        Selector("teapot", count="all"),
        Selector("sky"),
        Selector("handle", part_of=Selector("teapot")),
        Selector("teapot", ordinal=(2, "left")),
    ):
        assert names.find(seen, selector).guess is None, selector
    named = Editor.from_preset().look(EXAMPLES["coffee"].path).seen
    assert names.find(named, Selector("teapot")).guess is None


def test_a_selection_comes_first(seen):
    pointed = subject(seen)
    for noun in ("subject", "object", "product"):
        other = Words(KnownNames()).find(seen, Selector(noun), selection=pointed)
        assert isinstance(other, Found)
        assert other.by == "your selection", noun
