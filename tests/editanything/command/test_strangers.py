"""What strangers say to a photo editor: each way of saying holds for more than one sentence."""

import importlib.util
import json
from pathlib import Path

import pytest

from editanything.command import parse

COMMANDS = Path(__file__).parents[2] / "commands"
spec = importlib.util.spec_from_file_location("score", COMMANDS / "score.py")
score = importlib.util.module_from_spec(spec)
spec.loader.exec_module(score)


def only(text, **context):
    command = parse(text, **context)
    assert command.status == "ok", (text, command)
    (op,) = command.to_dict()["ops"]
    return op


def said(text, **context):
    """The operations, what each is done to, and what it says of it."""
    for op in parse(text, **context).to_dict()["ops"]:
        told = next((op[slot] for slot in ("kind", "value", "direction") if slot in op), None)
        yield op["op"], op.get("target", {}).get("noun"), told


@pytest.mark.parametrize(
    ("name", "exact"), [("strangers.jsonl", 0.99), ("strangers_more.jsonl", 0.93)]
)
def test_strangers_are_understood(name, exact):
    pairs = []
    for row in score.read(COMMANDS / name):
        context = row["context"]
        got = parse(row["text"], images=tuple(context["images"]), selection=context["selection"])
        pairs.append((row, json.loads(json.dumps(got.to_dict()))))
    result = score.score(pairs)
    assert result["exact"] >= exact
    assert result["slot_f1"] >= exact - 0.02


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("remove the dog period", "remove the dog."),
        ("rotate it ninety degrees to the left full stop", "rotate it 90 degrees to the left"),
        ("delete the car comma the bus comma and the tree", "delete the car, the bus and the tree"),
        ("new line remove the dog", "remove the dog"),
        ("move the cup up a hundred pixels", "move the cup up 100 pixels"),
        ("move the cup two hundred and fifty pixels left", "move the cup 250 px left"),
        ("shift it down a couple hundred pixels", "shift it down 200 pixels"),
        ("rotate it by forty five degrees", "rotate it by 45 degrees"),
        ("upscale by two point five", "upscale by 2.5"),
        ("can you like remove the dog", "can you remove the dog"),
        ("add like a little puppy", "add a little puppy"),
        ("make the sign say quote open unquote", 'make the sign say "open"'),
    ],
)
def test_dictation_writes_signs_as_words(text, plain):
    assert parse(text, selection=True).ops == parse(plain, selection=True).ops
    assert parse(text, selection=True).ops


@pytest.mark.parametrize(
    ("text", "noun"),
    [("remove the comma", "comma"), ("remove the red period", "period"),
     ("erase the period on the sign", "period")],
)  # fmt: skip
def test_a_sign_may_be_a_thing(text, noun):
    assert only(text)["target"]["noun"] == noun


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("make the cat look like its wearing a bow tie", "make the cat wear a bow tie"),
        ("make her look like she's holding a sword", "make her hold a sword"),
        ("make the horse look like it has wings", "give the horse wings"),
        ("make the man look as if he is asleep", "make the man look asleep"),
    ],
)
def test_what_a_thing_looks_like_may_be_a_sentence(text, plain):
    assert parse(text).ops == parse(plain).ops


def test_a_sentence_is_no_style():
    assert parse("make it look like they are at the beach").status == "clarify"


@pytest.mark.parametrize(
    ("text", "kind", "noun"),
    [
        ("the sky is a bit dull, add contrast", "contrast", "sky"),
        ("the picture looks dull, increase the contrast", "contrast", "@image"),
        ("it's a little dark, bump up the exposure", "brighten", "@image"),
        ("put more light on the dog", "brighten", "dog"),
        ("put some blur on the background", "blur", "background"),
        ("add more light to the left side", "brighten", "@image"),
        ("add some depth of field", "blur", "background"),
        ("sharpen the eyes +15", "sharpen", "eye"),
        ("sharpness up 10", "sharpen", "@image"),
        ("saturation -15% on the sky", "desaturate", "sky"),
    ],
)
def test_a_filter_is_no_new_thing(text, kind, noun):
    op = only(text)
    assert (op["op"], op["kind"], op["target"]["noun"]) == ("filter", kind, noun)


def test_two_complaints_are_two_cures():
    assert [op.kind for op in parse("it is too dark and too noisy").ops] == ["brighten", "denoise"]
    assert [op.kind for op in parse("brightness up contrast down").ops] == ["brighten", "flatten"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clear the table", ("remove", "*", None)),
        ("clear the beach of people", ("remove", "person", None)),
        ("clean up the wall", ("modify", "wall", "clean")),
        ("clean up the trash", ("remove", "trash", None)),
        ("even out the skin", ("modify", "skin", "even")),
        ("smooth out the wrinkles in the shirt", ("remove", "wrinkle", None)),
        ("fix the scratches", ("remove", "scratch", None)),
        ("fill in the hole", ("remove", "hole", None)),
        ("reduce the glare on the window", ("modify", "glare", "fainter")),
        ("reduce the logo", ("resize", "logo", None)),
        ("take the glasses off him", ("remove", "glasses", None)),
        ("trim the hedge", ("modify", "hedge", "trimmed")),
        ("cut his hair", ("modify", "hair", "shorter")),
        ("trim the picture to the cat", ("crop", "cat", None)),
        ("make the product fill the frame", ("crop", "product", None)),
        ("double the number of candles", ("duplicate", "candle", None)),
        ("move the picture on the wall down", ("move", "picture", "down")),
        ("make her veil longer", ("modify", "veil", "longer")),
        ("make the gold ring silver", ("modify", "ring", "silver")),
        ("wash the car", ("modify", "car", "clean")),
        ("put bigger wheels on the car", ("add", None, "bigger wheel")),
        ("make the price say $19.99", ("edit_text", "price", "$19.99")),
        ("could the dog have a hat", ("add", None, "hat")),
        ("lights off please", ("modify", "light", "off")),
        ("raise his arm", ("modify", "arm", "raised")),
        ("turn the man to the left", ("modify", "man", "facing left")),
        ("turn her to face the camera", ("modify", "person", "face the camera")),
        ("make the sky in the style of van gogh", ("modify", "sky", "van gogh")),
        ("remove all but two of the chairs", ("remove", "chair", None)),
        ("hide the trash can behind a bush", ("add", None, "bush")),
    ],
)
def test_what_stays_and_what_goes(text, expected):
    assert list(said(text)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "clean up the image",
        "hide the man behind the counter",
        "make the cat as big as a car",
        "make his shirt match her dress",
        "reduce the number of chairs",
        "tilt her head left",
        "make it look like they are at the beach",
        "give the sky some drama",
        "give the phone to the girl",
        "remove half of the people",
        "make the red the dominant color",
    ],
)
def test_what_may_mean_two_things_is_asked_back(text):
    assert parse(text).status == "clarify"


@pytest.mark.parametrize(
    "text",
    ["lift the shadows", "reduce the highlights", "exposure up, highlights down", "less yellow",
     "remove the yellow tint", "fix the perspective", "fix the lens distortion", "add some noise",
     "cut off the bottom", "trim the edges", "resize to 800x600"],
)  # fmt: skip
def test_what_is_no_thing_is_neither_moved_nor_removed(text):
    assert parse(text).reason == "unsupported"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remove the dog and put a cat there", [("replace", "dog", "cat")]),
        ("get rid of the car and in its place put a tree", [("replace", "car", "tree")]),
        ("where the car was, put a tree", [("replace", "car", "tree")]),
        ("put me on a beach", [("replace", "background", "beach")]),
        ("put the cup on the table", [("move", "cup", None)]),
        ("background to white", [("replace", "background", "white")]),
        ("change the bg color to light gray", [("replace", "background", "light gray")]),
        ("add two cats and one dog", [("add", None, "cat"), ("add", None, "dog")]),
        ("put a second mug next to the plate", [("add", None, "mug")]),
        ("give all the men beards", [("add", None, "beard")]),
        ("furnish the empty room with a sofa", [("add", None, "sofa")]),
        ("write 'Chapter 3' at the top", [("add", None, 'text "Chapter 3"')]),
        ('put text "SALE" above the car', [("add", None, 'text "SALE"')]),
        ('write "SALE" on the sign', [("edit_text", "sign", "SALE")]),
        ("twilight version of this house", [("scene", "@image", "twilight")]),
        ("anime version of my dog", [("modify", "dog", "anime")]),
        ("crop 16x9", [("crop", "@image", "16:9")]),
        ("crop to 4:5 around the bottle", [("crop", "bottle", "4:5")]),
        ("canvas +200 px right", [("outpaint", None, None)]),
        ("add padding around the bottle", [("outpaint", None, None)]),
        ("upscale to double size", [("upscale", "@image", None)]),
        ("i want that you remove the dog", [("remove", "dog", None)]),
        (
            "first crop to the dog, second add a vignette",
            [("crop", "dog", None), ("filter", "@image", "vignette")],
        ),
        (
            "1. remove the car 2. brighten the house",
            [("remove", "car", None), ("filter", "house", "brighten")],
        ),
        ("that lady photobombing on the left, lose her", [("remove", "lady", None)]),
        ("remove the guy staring at us", [("remove", "guy", None)]),
        ("isolate the sneaker on pure white", [("replace", "background", "pure white")]),
        ("extend the canvas so there's more room above her head", [("outpaint", None, None)]),
        ("turn the page the right way up, it's upside down", [("rotate", "page", None)]),
        ("restore the faded colors", [("filter", "@image", "saturate")]),
        ("bring the colors back to life", [("filter", "@image", "saturate")]),
        ("make more bright the sky", [("filter", "sky", "brighten")]),
        ("paint red the door", [("modify", "door", "red")]),
        ("the car i don't want it in the photo", [("remove", "car", None)]),
        ("make the ocean no i mean the sky more blue", [("modify", "sky", "more blue")]),
        ("delete the cat no i mean the dog", [("remove", "dog", None)]),
    ],
)
def test_what_is_done(text, expected):
    assert list(said(text)) == expected


def test_what_two_things_share_is_exchanged():
    op = only("swap the hats of the man and the boy")
    owners = [op[slot]["part_of"]["noun"] for slot in ("target", "other")]
    assert owners == ["man", "boy"]
    assert parse("swap the colors of the car and the bike").reason == "no_value"


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("remove the dust, lower right", "bottom-right"),
        ("clone out the tourists, left side", "left"),
        ("remove the line across the middle", "center"),
        ("remove the people of behind", "background"),
        ("the tree of the left should be removed", "left"),
    ],
)
def test_places_as_they_are_said(text, region):
    assert only(text)["target"]["region"] == region


def test_the_picture_that_is_edited_may_have_its_label():
    (op,) = parse("put the dog from photo B on the sofa in photo A", images=("A", "B")).ops
    assert (op.op, op.subject.image, op.where.relation.anchors[0].image) == ("transfer", "B", "A")


def test_a_thing_of_another_picture_may_be_named_first():
    ops = parse("take the hat from image B, put it on the dog and make it blue", images=("A", "B"))
    assert [op.op for op in ops.ops] == ["transfer", "modify"]


@pytest.mark.parametrize("text", ["its crooked straighten it", "make the horizon straight"])
def test_without_an_angle_it_is_asked_for(text):
    assert parse(text).reason == "no_value"


@pytest.mark.parametrize(
    ("text", "noun", "attrs"),
    [
        ("delete every car that is not red", "car", ["red"]),
        ("remove all people who aren't smiling", "person", ["smiling"]),
        ("paint all doors that aren't open red", "door", ["open"]),
    ],
)
def test_those_that_are_not_so_are_the_rest(text, noun, attrs):
    target = only(text)["target"]
    assert target["noun"] == noun
    assert target["exclude"] == {"noun": noun, "attrs": attrs, "count": "all"}


@pytest.mark.parametrize(
    "text",
    [
        "it isn't bright enough",
        "not bright enough",
        "brighter but not too much",
        "there's not enough light",
    ],
)
def test_what_is_not_enough_is_made_more(text):
    assert only(text)["kind"] == "brighten"


@pytest.mark.parametrize("text", ["lift up her skirt", "write a fake signature on the contract"])
def test_what_is_not_done(text):
    assert parse(text).reason == "unsafe"
