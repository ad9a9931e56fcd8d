"""Other ways of saying the same: each sentence means what the plain one beside it means."""

import pytest

from editanything.command import parse
from editanything.command.describe import describe


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("remove every last crumb on the rug", "remove every crumb on the rug"),
        (
            "select all the ducks bar the one on the left",
            "select all the ducks except the left one",
        ),
        ("i just want the pole out of there", "remove the pole"),
        ("i really need the bin gone", "remove the bin"),
        ("add a moon up in the top left", "add a moon in the top left"),
        ("move the cup over to the right", "move the cup to the right"),
        ("extend the picture to the left, say 150 px", "extend the picture to the left by 150 px"),
        ("right, remove the cup", "remove the cup"),
        ("so, um, the tie - make it red", "make the tie red"),
        ("sky - purple", "make the sky purple"),
        ("remove the dog - it's ugly", "remove the dog"),
        ("make the jumper gray, not brown", "make the jumper gray"),
        ("make the vase red rather than blue", "make the vase red"),
        ("the kids love it but the socket has got to go", "remove the socket"),
        ("chuck a ball in the pool", "add a ball in the pool"),
        ("chuck the ball", "remove the ball"),
        ("the picture could do with a moon", "add a moon"),
        ("brighten the alley up a bit", "brighten the alley a bit"),
        ("move the sofa right by a third", "move the sofa right by 33.3%"),
        ("give the garden shed a lick of green paint", "make the garden shed green"),
        ('change what the sign says to "Open"', 'make the sign say "Open"'),
        ("delete the hat the man is wearing", "delete the hat worn by the man"),
        ("delete the umbrella that the woman is holding", "delete the woman's umbrella"),
        ("make the girl on the swing's shoes red", "make the shoes of the girl on the swing red"),
        ("get the drone out of the sky", "remove the drone in the sky"),
        ("while you're at it, blur the wall", "blur the wall"),
        ("dog gone", "remove the dog"),
        ("too dark", "make the picture brighter"),
        ("bit brighter", "make the picture slightly brighter"),
        ("the picture's a bit blurry, sharpen it", "sharpen the picture"),
        ("three more lanterns on the wall", "add three lanterns on the wall"),
        ("could you get me shot of the rug", "remove the rug"),
        ("give him a hat and a scarf", "add a hat and a scarf to the person"),
        (
            "put a hat on the dog and a scarf on the cat",
            "put a hat on the dog and put a scarf on the cat",
        ),
        ("change the wall to a floral pattern", "make the wall floral"),
        ("change the car to a red color", "make the car red"),
        (
            "extend the picture and make it 20% wider on the right",
            "extend the picture and extend it 20% on the right",
        ),
    ],
)
def test_said_otherwise(said, plain):
    meant = parse(plain)
    assert meant.status == "ok"
    assert parse(said).ops == meant.ops


@pytest.mark.parametrize(
    "value", ["rainy evening in november", "cold winter morning", "late autumn"]
)
def test_a_scene_with_its_weather(value):
    assert [op.to_dict() for op in parse(f"make it a {value}").ops] == [
        {"op": "scene", "target": {"noun": "@image", "attrs": [], "count": 1}, "value": value}
    ]


def test_those_that_an_exception_counts():
    target = parse("remove all the birds except the two on the branch").ops[0].target
    assert (target.exclude.noun, target.exclude.count) == ("bird", 2)
    assert describe(target) == "all the birds except the 2 birds on the branch"


@pytest.mark.parametrize(
    "text", ["take away", "the wall needs a lick of paint", "right", "it needs"]
)
def test_what_names_nothing_is_asked_back(text):
    assert parse(text).status != "ok"


@pytest.mark.parametrize(
    ("text", "noun"),
    [("remove the right lamp", "lamp"), ("remove the bar stool", "bar stool"),
     ("cool lamp, remove it", "lamp"), ("remove the one car", "car")],
)  # fmt: skip
def test_words_that_could_be_asides_are_read(text, noun):
    assert [op.target.noun for op in parse(text).ops] == [noun]
