import numpy as np
import pytest

from editanything.command import parse
from editanything.command.types import Relation, Selector
from editanything.errors import Refusal
from editanything.grounders.names import KnownNames
from editanything.grounders.words import Words
from editanything.segmenters.classical import Classical
from editanything.types import Mask, Region

HEIGHT, WIDTH = 120, 200


def box_mask(x0, y0, x1, y1):
    return Mask.placed((HEIGHT, WIDTH), (x0, y0), np.ones((y1 - y0, x1 - x0), bool))


# A drawn scene: two cups, a big plate with a spot on it, and colours that can be named.
KNOWN = (
    Region(1, box_mask(10, 40, 30, 70), "cup"),
    Region(2, box_mask(150, 30, 190, 80), "cup"),
    Region(3, box_mask(60, 20, 120, 110), "plate"),
    Region(4, box_mask(70, 30, 80, 40), "spot"),
)


@pytest.fixture(scope="module")
def seen():
    image = np.full((HEIGHT, WIDTH, 3), 225, np.uint8)
    for region, color in zip(
        KNOWN, [(210, 30, 30), (30, 60, 200), (30, 140, 40), (210, 30, 30)], strict=True
    ):
        image[region.mask.full()] = color
    return Classical().look(image, known=KNOWN)


def find(seen, selector, selection=None):
    return Words().ground(seen, selector, selection=selection).union().full()


def same(found, *masks):
    expected = np.zeros((HEIGHT, WIDTH), bool)
    for mask in masks:
        expected |= mask.full()
    return np.array_equal(found, expected)


CUP, SECOND_CUP, PLATE, SPOT = (region.mask for region in KNOWN)


@pytest.mark.parametrize(
    ("selector", "masks"),
    [
        (Selector("plate"), [PLATE]),
        (Selector("dinner plate"), [PLATE]),
        (Selector("cup", count="all"), [CUP, SECOND_CUP]),
        (Selector("cup", count=2), [CUP, SECOND_CUP]),
        (Selector("cup", superlative="leftmost"), [CUP]),
        (Selector("cup", superlative="largest"), [SECOND_CUP]),
        (Selector("cup", ordinal=(2, "left")), [SECOND_CUP]),
        (Selector("cup", ordinal=(1, "right")), [SECOND_CUP]),
        (Selector("cup", region="right"), [SECOND_CUP]),
        (Selector("cup", attrs=("red",)), [CUP]),
        (Selector("cup", attrs=("small",)), [CUP]),
        (Selector("cup", relation=Relation("left_of", (Selector("plate"),))), [CUP]),
        (Selector("cup", relation=Relation("right_of", (Selector("plate"),))), [SECOND_CUP]),
        (Selector("spot", relation=Relation("on", (Selector("plate"),))), [SPOT]),
        (Selector("spot", part_of=Selector("plate")), [SPOT]),
        (Selector("@image"), [box_mask(0, 0, WIDTH, HEIGHT)]),
        (Selector("corner", region="top-left"), [box_mask(0, 0, 100, 60)]),
        (Selector("half", region="bottom"), [box_mask(0, 60, WIDTH, 120)]),
        (Selector("third", region="bottom"), [box_mask(0, 80, WIDTH, 120)]),
        (Selector("half", region="left", part_of=Selector("plate")), [box_mask(60, 20, 90, 110)]),
        (Selector("top", region="top", part_of=Selector("plate")), [box_mask(60, 20, 120, 65)]),
        (
            Selector("third", region="right", part_of=Selector("plate")),
            [box_mask(100, 20, 120, 110)],
        ),
        (
            Selector("corner", region="top-left", part_of=Selector("plate")),
            [box_mask(60, 20, 90, 65)],
        ),
        (Selector("plate", region="left"), [PLATE]),  # its middle lies there
        (Selector("dish"), [PLATE]),
    ],
)
def test_words_find_what_they_mean(seen, selector, masks):
    assert same(find(seen, selector), *masks)


def test_of_a_large_one_and_two_small_ones_the_small_ones_are_the_question():
    boxes = [(10, 40, 30, 60), (50, 40, 70, 60), (100, 20, 180, 100)]
    known = tuple(Region(n, box_mask(*box), "cup") for n, box in enumerate(boxes, 1))
    seen = Classical().look(np.full((HEIGHT, WIDTH, 3), 225, np.uint8), known=known)
    with pytest.raises(Refusal) as caught:
        find(seen, Selector("cup", attrs=("small",)))
    assert (caught.value.reason, set(caught.value.candidates)) == ("tie", {1, 2})


def test_everything_except(seen):
    selector = Selector("*", count="all", exclude=Selector("plate"))
    assert np.array_equal(find(seen, selector), ~PLATE.full())


def test_colours_find_pixels(seen):
    found = find(seen, Selector("area", attrs=("red",), count="all"))
    expected = CUP.full() | SPOT.full()
    assert (found & expected).sum() / (found | expected).sum() > 0.9
    largest = find(seen, Selector("thing", attrs=("red",), superlative="largest"))
    assert (largest & CUP.full()).sum() / (largest | CUP.full()).sum() > 0.9


def test_the_selection_and_its_background(seen):
    selection = box_mask(5, 5, 50, 50)
    assert same(find(seen, Selector("@selection"), selection), selection)
    background = find(seen, Selector("background"), selection)
    assert np.array_equal(background, ~selection.full())


@pytest.mark.parametrize(
    ("selector", "reason", "candidates"),
    [
        (Selector("dog"), "not_found", ()),
        (Selector("cup"), "tie", (1, 2)),
        (Selector("cup", count=3), "wrong_count", (1, 2)),
        (Selector("cup", ordinal=(4, "left")), "wrong_count", (1, 2)),
        (Selector("area", attrs=("purple",)), "not_found", ()),
        (Selector("spot", part_of=Selector("cup", superlative="leftmost")), "not_found", (4,)),
        (Selector("cup", relation=Relation("holding", (Selector("plate"),))), "not_found", (1, 2)),
        (Selector("@selection"), "unresolved_reference", ()),
        (Selector("cup", attrs=("wooden",), count=1), "tie", (1, 2)),
    ],
)
def test_what_is_not_clear_is_asked_never_guessed(seen, selector, reason, candidates):
    with pytest.raises(Refusal) as caught:
        find(seen, selector)
    assert caught.value.reason == reason
    assert caught.value.candidates == candidates
    assert "\n" not in str(caught.value)


def test_a_thing_that_cannot_be_found_comes_with_the_way_to_point(seen):
    with pytest.raises(Refusal, match=r"dog.*cup, plate, spot.*Click it or draw a box"):
        find(seen, Selector("dog"))


def test_the_background_of_named_things_is_all_around_the_main_one(seen):
    background = find(seen, Selector("background"))
    assert not background[PLATE.full()].any()
    assert background[CUP.full()].all()  # the plate is the largest thing; the cups do not touch it
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    unnamed = Classical().look(image)
    with pytest.raises(Refusal, match="select the thing in front"):
        find(unnamed, Selector("background"))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("beans", "the beans"),
        ("ear of corn", "the ear of corn"),
        ("four leaf clover", "the four leaf clover"),
        ("cup with straw", "the cup with straw"),
        ("hot dog", "the hot dog"),
    ],
)
def test_a_whole_name_is_meant_whatever_grammar_makes_of_it(label, said):
    known = (Region(1, SECOND_CUP, label), Region(2, PLATE, "plate"))
    seen = Classical().look(np.full((HEIGHT, WIDTH, 3), 225, np.uint8), known=known)
    (operation,) = parse(f"remove {said}").ops
    assert same(find(seen, operation.target), SECOND_CUP)


def test_hyphens_are_as_good_as_spaces():
    lantern = Region(1, box_mask(10, 40, 30, 70), "jack-o-lantern")
    seen = Classical().look(np.full((HEIGHT, WIDTH, 3), 225, np.uint8), known=(lantern, KNOWN[1]))
    for text in ("remove the jack-o-lantern", "remove the jack o lantern"):
        assert same(find(seen, parse(text).ops[0].target), lantern.mask)
    assert KnownNames().find(seen, "t-shirt") == ()
