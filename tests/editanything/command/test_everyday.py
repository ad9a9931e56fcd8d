"""What people type into a photo editor every day: each way of saying holds for more than one."""

import pytest

from editanything.command import parse


def only(text, **context):
    command = parse(text, **context)
    assert command.status == "ok", (text, command)
    (op,) = command.to_dict()["ops"]
    return op


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("the colors are too dull", "saturate"),
        ("the colours are dull", "saturate"),
        ("the colours are too bright", "desaturate"),
        ("make the colors pop", "saturate"),
        ("make the colours pop more", "saturate"),
        ("its blurry fix it", "sharpen"),
        ("the picture is dark", "brighten"),
        ("its way too bright", "darken"),
        ("there's too much noise in this shot", "denoise"),
        ("can you make the photo look brighter", "brighten"),
        ("b&w", "grayscale"),
        ("show me the picture in black and white", "grayscale"),
        ("brightness +10", "brighten"),
        ("saturation down a bit", "desaturate"),
    ],
)
def test_what_is_wrong_with_the_picture_is_cured(text, kind):
    op = only(text)
    assert (op["target"]["noun"], op["kind"]) == ("@image", kind)


@pytest.mark.parametrize("text", ["make it pop", "make the dog pop"])
def test_only_colors_pop(text):
    assert parse(text).reason == "vague"


@pytest.mark.parametrize("thing", ["contrast", "warmth", "saturation"])
@pytest.mark.parametrize("start", ["add more", "add some", "more", "add", "bump up the"])
def test_more_of_a_quantity_is_an_increase_of_it(start, thing):
    wanted, got = parse(f"increase the {thing}"), parse(f"{start} {thing}")
    assert (got.status, got.ops, got.question) == (wanted.status, wanted.ops, wanted.question)


@pytest.mark.parametrize(
    ("text", "kind", "region"),
    [
        ("make it brighter on the left side", "brighten", "left"),
        ("make it darker at the top", "darken", "top"),
        ("darker at the bottom", "darken", "bottom"),
        ("brighten it in the top left corner", "brighten", "top-left"),
    ],
)
def test_it_at_a_place_is_that_part_of_the_picture(text, kind, region):
    op = only(text)
    assert op["kind"] == kind
    assert op["target"] == {"noun": "@image", "attrs": [], "count": 1, "region": region}


def test_a_named_thing_at_a_place_is_that_part_of_it():
    target = only("make the wall brighter at the top")["target"]
    assert (target["region"], target["part_of"]["noun"]) == ("top", "wall")


@pytest.mark.parametrize(
    "text", ["remove red eye", "fix the red eyes", "remove the red-eye", "red eye removal"]
)
def test_red_eyes_are_never_taken_out(text):
    command = parse(text)
    assert command.reason == "unsupported"
    assert "which colour" in command.question


@pytest.mark.parametrize(
    "text",
    [
        "make the background transparent",
        "give it a transparent background",
        "i want a transparent background",
        "transparent background",
        "png with transparent background",
        "replace the background with a transparent background",
    ],
)
def test_a_transparent_background_is_none(text):
    assert parse(text).ops == parse("remove the background").ops


@pytest.mark.parametrize(
    ("text", "noun", "value"),
    [
        ("replace the man with red hair with jeans", "man", "jeans"),
        ("replace the girl with the hat with a dog", "girl", "dog"),
        ("replace the man with a beard with a robot", "man", "robot"),
        ("replace the cup with a bowl with flowers", "cup", "bowl with flowers"),
        ("replace the cloud with snow with a spouting whale", "cloud", "spouting whale"),
        ("replace the cup with tea with a glass", "cup", "glass"),
        ("replace the dogs with cats with a collar", "dog", "cats with a collar"),
        ("replace the dog with a cat with a hat", "dog", "cat with a hat"),
    ],
)
def test_of_two_withs_the_first_may_describe(text, noun, value):
    op = only(text)
    assert (op["target"]["noun"], op["value"]) == (noun, value)
    assert ("relation" in op["target"]) == (" with " not in value)


@pytest.mark.parametrize(
    "text",
    [
        "put the handbag on a white background",
        "i want it on a white background",
        "give the photo a white background",
        "picture with a white background",
        "bg white pls",
    ],
)
def test_a_background_that_is_named_last_is_put_behind(text):
    op = only(text)
    assert (op["op"], op["target"]["noun"], op["value"]) == ("replace", "background", "white")


def test_a_new_thing_on_a_background_is_no_background():
    assert only("add a cat on a white background")["op"] == "add"


@pytest.mark.parametrize(
    ("text", "noun", "owner"),
    [
        ("blur the kids faces", "face", "kid"),
        ("the mans hat should be red", "hat", "man"),
        ("remove the babys hat", "hat", "baby"),
        ("make my moms hair red", "hair", "mom"),
    ],
)
def test_an_apostrophe_may_be_missing(text, noun, owner):
    target = only(text)["target"]
    assert (target["noun"], target["part_of"]["noun"]) == (noun, owner)


@pytest.mark.parametrize(
    "text", ["erase the tourists behind me", "give the kids hats", "blur the girls in the back"]
)
def test_not_every_plural_owns_what_follows(text):
    assert "part_of" not in only(text).get("target", {})


@pytest.mark.parametrize(
    ("text", "op", "noun"),
    [
        ("the grass is yellow i need it green", "modify", "grass"),
        ("there is a car in the back remove it", "remove", "car"),
        ("take the bike and delete it", "remove", "bike"),
        ("why isnt she smiling, make her smile", "modify", "person"),
    ],
)
def test_what_is_said_first_only_names_the_thing(text, op, noun):
    found = only(text)
    assert (found["op"], found["target"]["noun"]) == (op, noun)


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("flip it", "flip"),
        ("rotate it 90 degrees", "rotate"),
        ("picture is upside down", "rotate"),
        ("higher resolution please", "upscale"),
    ],
)
def test_what_turns_as_a_whole_is_the_picture(text, op):
    found = only(text)
    assert (found["op"], found["target"]["noun"]) == (op, "@image")


def test_after_a_crop_it_is_the_picture():
    ops = parse("crop to the couple, then make it black and white").to_dict()["ops"]
    assert [op["target"]["noun"] for op in ops] == ["couple", "@image"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i want a cat instead of the dog", ("replace", "dog", "cat")),
        ("can we have roses where the tulips are", ("replace", "tulip", "roses")),
        ("put us in paris", ("replace", "background", "paris")),
        ("more dramatic sky", ("modify", "sky", "more dramatic")),
        ("same bottle but in green", ("modify", "bottle", "green")),
        ("make this look like van gogh painted it", ("style", "@image", "van gogh")),
    ],
)
def test_what_becomes_of_it(text, expected):
    op = only(text)
    assert (op["op"], op["target"]["noun"], op["value"]) == expected


def test_places_and_sizes_keep_their_words():
    assert only("put a moon up there in the sky")["value"] == "moon"
    assert only("make the moon way bigger")["target"]["noun"] == "moon"
    assert only("need more space above her head")["sides"] == ["top"]
    assert only("rm ppl in back")["target"]["region"] == "background"
    assert only("keep only the red car, the rest can go")["op"] == "remove"
    assert parse("copy the tree and put it on the other side").reason == "no_value"
    assert parse("no undo that").ops == parse("undo that").ops
    kinds = [op.kind for op in parse("background blurry, dog sharp").ops]
    assert kinds == ["blur", "sharpen"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remove everyone from my wedding photo", [("remove", "person", None)]),
        ("the sign should read Closed not Open", [("edit_text", "sign", "Closed")]),
        ("the sign should read Do not enter", [("edit_text", "sign", "Do not enter")]),
        ("put the plant where the lamp is and delete the lamp", [("replace", "lamp", "plant")]),
        ("stretch the canvas 200px to the right", [("outpaint", None, None)]),
        ("need more space", [("outpaint", None, None)]),
        (
            "the water looks dirty make it clear and blue",
            [("modify", "water", "clear"), ("modify", "water", "blue")],
        ),
        (
            "give her longer hair and a red scarf",
            [("modify", "hair", "longer"), ("add", None, "red scarf")],
        ),
        ("foto more sharp please", [("filter", "@image", None)]),
        ("golden hour light pls", [("scene", "@image", "golden hour")]),
        ("crop so only the two kids are in it", [("crop", "kid", None)]),
    ],
)
def test_what_fifty_more_brought_up(text, expected):
    ops = parse(text).to_dict()["ops"]
    got = [(op["op"], op.get("target", {}).get("noun"), op.get("value")) for op in ops]
    assert got == expected


@pytest.mark.parametrize("text", ["make this part a bit darker", "this here should be gone"])
def test_this_part_is_the_selection(text):
    assert only(text, selection=True)["target"]["noun"] == "@selection"
    assert parse(text).reason == "unresolved_reference"


@pytest.mark.parametrize("text", ["photo is too blue", "reduce the color cast", "reduce the haze"])
def test_what_no_filter_does_is_refused(text):
    assert parse(text).reason == "unsupported"


@pytest.mark.parametrize("text", ["delete it", "lower the highlights", "blur the rest"])
def test_questions_quote_as_printed_pages_do(text):
    question = parse(text).question
    assert "“" in question
    assert '"' not in question
