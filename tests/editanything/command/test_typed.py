"""Ways of typing a command that a file of unseen ones brought up: each holds for more than one."""

import pytest

from editanything.command import parse


def only(text, **context):
    command = parse(text, **context)
    assert command.status == "ok", (text, command)
    (op,) = command.to_dict()["ops"]
    return op


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("make the photo half as bright", ("darken", 50)),
        ("make the photo twice as bright", ("brighten", 100)),
        ("make the lamp three times as bright as before", ("brighten", 200)),
        ("make the parrot half as saturated", ("desaturate", 50)),
        ("make the eagle twice as sharp", ("sharpen", 100)),
    ],
)
def test_a_multiple_of_a_look_is_a_share(text, expected):
    op = only(text)
    assert (op["kind"], op["amount"]) == (expected[0], {"value": expected[1], "unit": "%"})


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("make the cup a third of the size", 0.3333),
        ("the balloon should be a quarter of its size", 0.25),
        ("make the hat half of its size", 0.5),
        ("make the dog twice as big", 2.0),
    ],
)
def test_a_share_of_the_size_is_a_factor(text, factor):
    assert only(text)["factor"] == factor


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("delete the cat, sorry, the dog", "dog"),
        ("delete the cat, i mean the dog", "dog"),
        ("delete the cat... sorry i mean the dog", "dog"),
        ("blur the sign, actually the poster", "poster"),
        ("remove the, i mean, cable please", "cable"),
    ],
)
def test_a_slip_of_the_tongue_touches_only_what_is_meant(text, noun):
    assert only(text)["target"]["noun"] == noun


def test_what_comes_on_top_takes_nothing_back():
    assert len(parse("delete the cat, actually the dog too").ops) == 2
    assert parse("delete the cat or maybe the dog").status == "clarify"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("make the sofa the same red as the car", "red"),
        ("make the cup as blue as the sky", "blue"),
        ("make the wall a lighter shade of blue", "lighter blue"),
        ("change the shirt to a darker shade of green", "darker green"),
        ("paint the wall a nice shade of blue", "blue"),
        ("paint the door british racing green", "british racing green"),
        ("make the sofa pillar-box red", "pillar box red"),
        ("walls white", "white"),
        ("both eyes light green", "light green"),
    ],
)
def test_a_colour_stays_a_colour(text, value):
    op = only(text)
    assert (op["op"], op["attribute"], op["value"]) == ("modify", "color", value)


@pytest.mark.parametrize("text", ["the sky blue", "red car", "the man in red", "a dog", "oranges"])
def test_a_thing_with_its_colour_is_still_no_command(text):
    assert parse(text).reason == "no_operation"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("white background", "white"),
        ("light grey background", "light gray"),
        ("a beach background please", "beach"),
        ("background: snowy mountains", "snowy mountains"),
        ("add a backdrop of snowy mountains", "snowy mountains"),
        ("make a white background", "white"),
    ],
)
def test_a_background_alone_replaces_it(text, value):
    op = only(text)
    assert (op["op"], op["target"]["noun"], op["value"]) == ("replace", "background", value)
    assert parse("the blurred background").reason == "no_operation"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inpaint the selection with green grass", "green grass"),
        ("fill this with bricks", "bricks"),
        ("fill in the selected area with sand", "sand"),
        ("a cobblestone path leading to a cottage", "cobblestone path leading to a cottage"),
        ("some grass here", "grass"),
    ],
)
def test_words_for_a_selection_are_what_comes_there(text, value):
    op = only(text, selection=True)
    assert (op["op"], op["target"]["noun"], op["value"]) == ("replace", "@selection", value)


def test_a_vessel_is_filled_and_a_hole_replaced():
    assert only("fill the glass with milk")["value"] == "filled with milk"
    assert only("fill the hole with bricks")["op"] == "replace"
    assert only("paint over the graffiti with bricks")["op"] == "replace"
    assert only("inpaint the sign")["op"] == "remove"


@pytest.mark.parametrize(
    ("text", "region", "direction"),
    [
        ("move the mug on the left a bit up", "left", "up"),
        ("move the dog on the right down", "right", "down"),
        ("move the cup way up", None, "up"),
    ],
)
def test_a_place_beside_a_direction_says_which_thing(text, region, direction):
    op = only(text)
    assert (op["target"].get("region"), op["direction"]) == (region, direction)


@pytest.mark.parametrize(
    ("text", "region"), [("add a moon top left", "top-left"), ("add a bird top right", "top-right")]
)
def test_a_corner_needs_no_preposition(text, region):
    assert only(text)["where"] == {"region": region}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("give the background some bokeh", "blur"),
        ("give the sky more saturation", "saturate"),
        ("give her dress less saturation", "desaturate"),
        ("give the face a touch of brightness", "brighten"),
        ("more saturated colours on the parrot", "saturate"),
        ("make the colours in the sky more vivid", "saturate"),
    ],
)
def test_a_quantity_may_be_given(text, kind):
    op = only(text)
    assert (op["op"], op["kind"]) == ("filter", kind)
    assert op["target"]["noun"] != "color"


def test_turns_and_flips_may_be_given():
    assert only("give the knife a half turn")["angle"] == 180
    assert only("give the wheel a quarter turn counterclockwise")["angle"] == -90
    assert only("give the photo a horizontal flip")["axis"] == "horizontal"
    assert parse("give the wheel a spin").reason == "no_value"
    op = only("give the woman on the left curly hair")
    assert op["target"]["part_of"]["region"] == "left"


def test_what_another_picture_shows_may_be_given():
    images = ("A", "B")
    assert only("give the man the hat from image B", images=images)["mode"] == "wear"
    assert only("give her the haircut from image B", images=images)["target"]["noun"] == "hair"
    assert parse("give her the haircut from image B").reason == "missing_source"


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        ("i need three more of those candles", 3),
        ("i'd like two more of these lanterns", 2),
        ("make another one of these flowers", 1),
        ("copy the lamp to the other side of the bed", 1),
        ("duplicate the tree and put the copy on the right", 1),
    ],
)
def test_more_of_a_thing_are_copies_of_one(text, copies):
    op = only(text)
    assert (op["op"], op["copies"], op["target"]["count"]) == ("duplicate", copies, 1)
    assert "relation" not in op["target"]


def test_what_a_new_thing_does_belongs_to_it():
    op = only("put a cat on the windowsill looking outside")
    assert op["value"] == "cat looking outside"
    assert op["where"]["relation"]["anchors"][0]["noun"] == "windowsill"
    op = only("put a sock in the washing machine")
    assert op["where"]["relation"]["anchors"][0]["noun"] == "washing machine"


def test_pronouns_find_the_person_beside_a_thing():
    ops = parse("blur the crowd behind the singer and sharpen her").ops
    assert [op.target.noun for op in ops] == ["crowd", "singer"]
    ops = parse("remove the red car and the one behind it").ops
    assert ops[1].target.relation.anchors[0] == ops[0].target


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("make this look better", "vague"),
        ("can you make this more professional", "vague"),
        ("it needs more oomph", "vague"),
        ("make the car red but keep its colour", "contradiction"),
        ("change the color to red", "no_target"),
        ("change the shirt to", "no_value"),
        ("trim 100 pixels off the bottom", "unsupported"),
        ("move the cup to the right - 20 px", "vague"),
    ],
)
def test_what_cannot_be_meant_is_not_done(text, reason):
    assert parse(text).reason == reason
    assert parse("fix it", selection=True).reason == "vague"


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("start again", "undo"),
        ("start over from scratch", "undo"),
        ("put it back the way it was", "undo"),
        ("let me see the original side by side", "compare"),
        ("make the resolution 4 times higher", "upscale"),
        ("improve the photo by making it brighter", "filter"),
        ("instead of the candle i'd like a desk lamp", "replace"),
        ("swap the cat and the dog round", "exchange"),
    ],
)
def test_further_ways_to_say_an_operation(text, op):
    assert only(text)["op"] == op


def test_a_plural_that_only_the_big_table_has_is_no_slip():
    assert only("get rid of the blokes behind the bar")["target"]["noun"] == "bloke"
