"""What single commands mean: selections, memory, filters with amounts, refusals."""

import pytest

from editanything.command import parse
from editanything.command.describe import describe
from editanything.command.types import REASONS, REJECTED, Command

SELECTION = {"noun": "@selection", "attrs": [], "count": 1}


def ops(text, **context):
    command = parse(text, **context)
    assert command.status == "ok", (text, command.reason, command.question)
    return command.to_dict()["ops"]


def one(text, **context):
    found = ops(text, **context)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remove", {"op": "remove"}),
        ("delete it", {"op": "remove"}),
        ("erase the selection", {"op": "remove"}),
        ("remove the selected area", {"op": "remove"}),
        ("brighten", {"op": "filter", "kind": "brighten"}),
        ("make it red", {"op": "modify", "attribute": "color", "value": "red"}),
        ("red", {"op": "modify", "attribute": "color", "value": "red"}),
        ("make this look like marble", {"op": "modify", "attribute": "material", "value": "marble"}),
        ("move 20px right", {"op": "move", "direction": "right", "amount": {"value": 20, "unit": "px"}}),
        ("replace with a cat", {"op": "replace", "value": "cat"}),
        ("make it twice as big", {"op": "resize", "factor": 2}),
        ("rotate 45 degrees", {"op": "rotate", "angle": 45}),
        ("flip horizontally", {"op": "flip", "axis": "horizontal"}),
        ("crop to the selection", {"op": "crop"}),
    ],
)  # fmt: skip
def test_a_verb_alone_means_the_selection(text, expected):
    assert one(text, selection=True) == {**expected, "target": SELECTION}


def test_the_background_stays_a_noun_beside_a_selection():
    assert one("blur the background", selection=True)["target"]["noun"] == "background"


def test_commands_about_the_frame_do_not_take_the_selection():
    assert "target" not in one("extend the picture to the left by 50 px", selection=True)
    assert one("upscale", selection=True)["target"]["noun"] == "@image"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("brighten the face", None),
        ("brighten the face a bit", "small"),
        ("slightly brighten the face", "small"),
        ("brighten the face a lot", "large"),
        ("brighten the face by 20%", {"value": 20, "unit": "%"}),
        ("make the face 20 percent brighter", {"value": 20, "unit": "%"}),
        ("increase the brightness of the face by 20", {"value": 20, "unit": "%"}),
        ("make the face much brighter", "large"),
    ],
)
def test_filters_carry_an_amount_only_where_one_was_said(text, amount):
    op = one(text)
    assert (op["op"], op["kind"], op["target"]["noun"]) == ("filter", "brighten", "face")
    assert op.get("amount") == amount


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("make the logo twice as big", 2),
        ("double the size of the logo", 2),
        ("scale the logo by 1.5", 1.5),
        ("scale the logo to 40%", 0.4),
        ("enlarge the logo by 40%", 1.4),
        ("shrink the logo by 40 percent", 0.6),
        ("make the logo half the size", 0.5),
        ("scale the logo down by 20%", 0.8),
        ("make the logo 3 times larger", 3),
        ("resize the logo to half its size", 0.5),
    ],
)
def test_factors(text, factor):
    op = one(text)
    assert (op["op"], op["factor"]) == ("resize", pytest.approx(factor))


@pytest.mark.parametrize(
    ("text", "angle"),
    [
        ("rotate the arrow 30 degrees", 30),
        ("rotate the arrow 30° counterclockwise", -30),
        ("rotate the arrow to the left", -90),
        ("turn the arrow upside down", 180),
        ("rotate the arrow a quarter turn anti-clockwise", -90),
        ("turn the arrow by 15 degrees to the left", -15),
    ],
)
def test_angles_are_clockwise(text, angle):
    op = one(text)
    assert (op["op"], op["angle"]) == ("rotate", angle)


@pytest.mark.parametrize(
    ("text", "sides", "amount"),
    [
        ("extend the image to the left and right by 10%", ["left", "right"], {"value": 10, "unit": "%"}),
        ("add 50 px at the bottom", ["bottom"], {"value": 50, "unit": "px"}),
        ("uncrop the photo", ["left", "right", "top", "bottom"], None),
        ("expand the canvas by 64 pixels on all sides", ["left", "right", "top", "bottom"], {"value": 64, "unit": "px"}),
        ("widen the picture by 20%", ["left", "right"], {"value": 20, "unit": "%"}),
    ],
)  # fmt: skip
def test_outpaint(text, sides, amount):
    op = one(text)
    assert (op["op"], op["sides"], op.get("amount")) == ("outpaint", sides, amount)


def test_it_after_a_replacement_is_the_new_thing():
    first, second = ops("replace the mug with a glass vase and make it blue")
    assert first["value"] == "glass vase"
    assert second["target"]["noun"] == "vase"


def test_gapping_takes_the_verb_along():
    found = ops("make the cat black, the dog white and the bird red")
    assert [(op["target"]["noun"], op["value"]) for op in found] == [
        ("cat", "black"), ("dog", "white"), ("bird", "red"),
    ]  # fmt: skip


def test_one_value_for_two_things_and_two_values_for_one():
    assert [op["value"] for op in ops("make the cat and the dog red")] == ["red", "red"]
    assert one("make the wall red and blue")["value"] == "red and blue"
    assert [op["kind"] for op in ops("make the sky brighter and sharper")] == [
        "brighten", "sharpen",
    ]  # fmt: skip


def test_what_must_stay_is_kept_for_every_operation():
    found = ops("make the dress green and blur the wall, but don't touch the face")
    assert [op["preserve"][0]["noun"] for op in found] == ["face", "face"]
    assert one("keep the sky as it is and make the grass greener")["preserve"][0]["noun"] == "sky"


def test_exceptions():
    assert one("remove all cars but the red one")["target"]["exclude"] == {
        "noun": "car", "attrs": ["red"], "count": 1,
    }  # fmt: skip
    op = one("remove everyone except the bride and the groom")
    assert op["target"]["exclude"]["noun"] == "bride"
    assert op["preserve"][0]["noun"] == "groom"


def test_shadows_go_along_or_stay():
    assert one("delete the boat together with its shadow and reflection")["related"] == [
        "shadow", "reflection",
    ]  # fmt: skip
    assert one("delete the boat but not its shadow")["related_keep"] == ["shadow"]
    assert one("remove the shadow of the boat")["target"]["part_of"]["noun"] == "boat"


def test_two_clauses_that_are_one_transfer():
    op = one("take the dog from image B and put it on the sofa", images=("A", "B"))
    assert (op["op"], op["mode"], op["subject"]["image"]) == ("transfer", "insert", "B")
    assert op["where"]["relation"]["anchors"][0]["noun"] == "sofa"


def test_quotations_are_never_repaired_and_keep_their_case():
    assert one('make the sign say "Remvoe teh Dgo"')["value"] == "Remvoe teh Dgo"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n ?!", "empty"),
        ("blorf snee grix", "nonsense"),
        ("remove", "no_target"),
        ("add to the table", "no_target"),
        ("the red house", "no_operation"),
        ("change the color of the house", "no_value"),
        ("replace the house", "no_value"),
        ("move the house", "no_value"),
        ("remove it", "unresolved_reference"),
        ("make the red one blue", "unresolved_reference"),
        ("remove the dog but keep the dog", "contradiction"),
        ("remove the dog and paint the dog blue", "contradiction"),
        ("make the sky brighter and darker", "contradiction"),
        ("leave it as it is", "nothing_to_do"),
        ("make the red house red", "nothing_to_do"),
        ("rotate the house by 360 degrees", "nothing_to_do"),
        ("put the hat from image B on the dog", "missing_source"),
        ("make it better", "vague"),
        ("do something with the sky", "vague"),
        ("how old is this house?", "not_an_edit"),
        ("hello there", "not_an_edit"),
        ("lower the highlights", "unsupported"),
        ("make a video of the dog", "unsupported"),
        ("take her shirt off", "unsafe"),
        ("make the man naked", "unsafe"),
    ],
)
def test_refusals_carry_their_reason_and_one_question(text, reason):
    command = parse(text)
    assert command.reason == reason
    assert command.status == ("reject" if reason in REJECTED else "clarify")
    assert command.ops == ()
    assert command.question.count("?") == 1


def test_the_question_names_what_was_not_understood():
    command = parse("make the glorf snibbed wuggy")
    assert command.status == "clarify"
    assert set(command.not_understood) >= {"glorf", "snibbed", "wuggy"}
    assert "glorf" in command.question


def test_every_reason_has_a_question():
    from editanything.command.refusals import refuse

    for reason in REASONS:
        command = refuse("text", reason, "the dog")
        assert isinstance(command, Command)
        assert "{" not in command.question


def test_to_dict_begins_with_the_schema():
    assert list(parse("remove the dog").to_dict()) == [
        "status", "reason", "ops", "question", "not_understood",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("rmove the tre next to the huose", "remove the tree next to the house"),
        ("chnage the clor of the car to bleu", "change the color of the car to blue"),
        ("replce the backgruond with a forrest", "replace the background with a forest"),
        ("make teh sky oragne", "make the sky orange"),
        ("Remove the colourful Balloon", "remove the colorful balloon"),
        ("recolour the centre of the flower to grey", "recolor the center of the flower to gray"),
    ],
)
def test_slips_and_spellings(slip, meant):
    assert parse(slip).ops == parse(meant).ops


@pytest.mark.parametrize("word", ["form", "angle", "desert", "dear", "pikachu", "bread", "coast"])
def test_correct_and_unknown_words_are_left_alone(word):
    assert one(f"remove the {word}")["target"]["noun"] == word


def half(noun="half", region="left", **whole):
    return {
        "noun": noun,
        "attrs": [],
        "count": 1,
        "region": region,
        "part_of": {"noun": "saucer", "attrs": [], "count": 1, **whole},
    }


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ("the saucer's left half", half()),
        ("the left half of the saucer", half()),
        ("the left half of the blue saucer", half(attrs=["blue"])),
        ("the left half of the saucer on the right", half(region="left") | {
            "part_of": {"noun": "saucer", "attrs": [], "count": 1, "region": "right"}
        }),
        ("the left side of the saucer", half("side")),
        ("the top right corner of the saucer", half("corner", "top-right")),
        ("the saucer's lower third", half("third", "bottom")),
        ("the top of the saucer", half("top", "top")),
        ("the saucer on the left", {"noun": "saucer", "attrs": [], "count": 1, "region": "left"}),
        ("the left saucer", {"noun": "saucer", "attrs": [], "count": 1, "region": "left"}),
        ("the picture's left half", {"noun": "@image", "attrs": [], "count": 1, "region": "left"}),
        ("the left half", {"noun": "@image", "attrs": [], "count": 1, "region": "left"}),
        ("the top third", {"noun": "third", "attrs": [], "count": 1, "region": "top"}),
        ("the front of the saucer", {
            "noun": "front", "attrs": [], "count": 1,
            "part_of": {"noun": "saucer", "attrs": [], "count": 1},
        }),
    ],
)  # fmt: skip
def test_a_part_of_a_thing_is_not_the_thing_in_a_part_of_the_picture(said, target):
    assert one(f"blur {said}")["target"] == target


def test_a_part_of_what_was_named_before():
    text = "make the shirt green, its left half blue and blur the upper part of it"
    _, second, third = parse(text).ops
    for op, region in ((second, "left"), (third, "top")):
        assert op.target.region == region
        assert op.target.part_of.noun == ("shirt" if op is second else "half")


def test_what_lies_on_a_part_and_what_lies_beside_the_thing():
    on = one("remove the spot on the left half of the saucer")["target"]["relation"]
    assert on == {"rel": "on", "anchors": [half()]}
    beside = one("remove the spot on the left side of the saucer")["target"]["relation"]
    assert beside["rel"] == "left_of"


@pytest.mark.parametrize(
    "words",
    [
        "the left half of the saucer",
        "the top right corner of the rug",
        "the middle of the rug",
        "the top of the mug",
        "the front of the house",
    ],
)
def test_parts_are_said_back_as_they_were_said(words):
    target = parse(f"blur {words}").ops[0].target
    assert describe(target) == words


def test_everything_else_leaves_the_selection_alone():
    (op,) = parse("blur everything else", selection=True).ops
    assert op.target.exclude.noun == "@selection"
    (_, op) = parse("brighten the cup and blur everything else", selection=True).ops
    assert op.target.exclude.noun == "cup"


@pytest.mark.parametrize("words", ["everything else", "the rest", "everyone else"])
def test_the_rest_of_nothing_is_asked_back(words):
    command = parse(f"blur {words}")
    assert command.status == "clarify"
    assert command.question == f"What do you mean by “{words}”? Click it in the picture or name it."
