"""What photo editors are asked for first: contrast, warmth, a shape for the frame."""

import pytest

from editanything.command import parse
from editanything.command.discourse import IMAGE
from editanything.command.types import Operation, Selector


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("add more contrast", "contrast", None),
        ("increase the contrast a lot", "contrast", "large"),
        ("contrast +20%", "contrast", {"value": 20.0, "unit": "%"}),
        ("less contrast", "flatten", None),
        ("make it warmer", "warm", None),
        ("warm it up a bit", "warm", "small"),
        ("reduce the warmth", "cool", None),
        ("make it cooler", "cool", None),
        ("turn it to sepia", "sepia", None),
        ("sepia", "sepia", None),
        ("add a slight vignette", "vignette", "small"),
        ("darken the edges", "vignette", None),
        ("darken the corners a bit", "vignette", "small"),
        ("sharpen a bit", "sharpen", "small"),
        ("brighten", "brighten", None),
    ],
)
def test_a_look_of_the_whole_picture(text, kind, amount):
    assert parse(text).ops == (Operation("filter", IMAGE, kind=kind, amount=amount),)


def test_a_look_of_a_thing():
    (operation,) = parse("lower the contrast of the sky").ops
    assert (operation.target, operation.kind) == (Selector("sky"), "flatten")
    (operation,) = parse("darken the edges of the table").ops
    assert operation.kind == "darken"


@pytest.mark.parametrize("text", ["blur", "pixelate"])
def test_what_hides_something_wants_to_know_what(text):
    assert parse(text).reason == "no_target"


def test_abstract_quantities_do_not_move():
    assert parse("lower the highlights").reason == "unsupported"


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("crop to square", "1:1"),
        ("make the image square", "1:1"),
        ("crop it to 16:9", "16:9"),
        ("crop the photo to a 4:3 format", "4:3"),
        ("change the aspect ratio to 3:2", "3:2"),
        ("square crop", "1:1"),
    ],
)
def test_a_frame_of_a_shape(text, ratio):
    assert parse(text).ops == (Operation("crop", IMAGE, value=ratio),)
    (operation,) = parse(text, selection=True).ops
    assert operation.target == Selector("@selection")


@pytest.mark.parametrize(
    "text", ["crop to the square", "make the table square", "move the box left and make it square"]
)
def test_a_square_may_be_a_thing_or_how_one_looks(text):
    assert parse(text).ops[-1].value != "1:1"
