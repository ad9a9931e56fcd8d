"""Colour words, their values, and names for values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from editanything.colors import (
    EXAMPLES,
    comparative,
    from_oklab,
    is_color,
    name_of,
    names,
    parse_color,
    to_oklab,
)

OURS = {"brown"}  # where the everyday sense is not that of CSS
triples = st.tuples(*[st.integers(0, 255)] * 3)


def test_the_names_of_css_are_those_of_pillow():
    for name in set(ImageColor.colormap) - OURS:
        assert names()[name] == ImageColor.getrgb(name)[:3], name


@pytest.mark.parametrize(
    ("text", "rgb"),
    [
        ("red", (255, 0, 0)),
        ("the colour red", None),
        ("Red", (255, 0, 0)),
        ("red color", (255, 0, 0)),
        ("#ff8800", (255, 136, 0)),
        ("#F80", (255, 136, 0)),
        ("rgb(1, 2, 3)", (1, 2, 3)),
        ("sky blue", (135, 206, 235)),
        ("light blue", (173, 216, 230)),
        ("blond", (230, 207, 140)),
        ("wooden", None),
        ("bluer", None),
        ("rusty", None),
        ("", None),
        ("dark", None),
    ],
)
def test_parse_color(text, rgb):
    assert parse_color(text) == rgb
    assert is_color(text) == (rgb is not None)


@pytest.mark.parametrize("hue", ["red", "green", "blue", "purple", "brown", "orange", "teal"])
def test_modifiers_move_the_lightness(hue):
    def lightness(text):
        return to_oklab(parse_color(text))[0]

    assert lightness(f"dark {hue}") < lightness(hue) < lightness(f"light {hue}")
    assert lightness(f"pale {hue}") > lightness(hue)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dark brown", "brown"), ("light brown", "brown"), ("dark grey", "grey"), ("navy", "blue"),
        ("pale pink", "pink"), ("burgundy", "red"), ("mustard", "yellow"), ("olive", "green"),
        ("turquoise", "teal"), ("lavender", "purple"), ("cream", "yellow"), ("charcoal", "grey"),
        ("bluish grey", "grey"), ("reddish brown", "brown"), ("hot pink", "pink"),
    ],
)  # fmt: skip
def test_name_of_a_named_colour(text, name):
    assert name_of(parse_color(text)) == name


def test_name_of_agrees_with_the_names_of_css_that_end_in_a_basic_one():
    basic = [(name, tail) for name in names() for tail in EXAMPLES if name.endswith(tail)]
    agree = sum(name_of(names()[name]) == tail for name, tail in basic)
    assert agree / len(basic) > 0.85


@given(triples)
def test_oklab_and_back_is_exact(rgb):
    assert from_oklab(to_oklab(rgb)) == rgb


@given(triples)
def test_every_colour_has_a_basic_name(rgb):
    assert name_of(rgb) in EXAMPLES


@given(st.text(max_size=30))
def test_any_text_is_a_colour_or_none(text):
    color = parse_color(text)
    assert color is None or all(0 <= value <= 255 for value in color)


@pytest.mark.parametrize(
    ("text", "color"),
    [("bluer", "blue"), ("redder", "red"), ("whiter", "white"), ("more blue", "blue"),
     ("water", None), ("bigger", None), ("silver", None), ("lavender", None), ("blue", None)],
)  # fmt: skip
def test_comparatives(text, color):
    assert comparative(text) == color


@pytest.mark.parametrize("text", ["dark " * 2000 + "red", "rgb(" + "1" * 5000 + ", 2, 3)"])
def test_what_is_too_long_names_no_colour(text):
    assert parse_color(text) is None
