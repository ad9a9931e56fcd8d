"""Numbers with a minus sign: the opposite of what is said, or a question."""

import pytest

from editanything.command import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rotate the picture by -90 degrees", {"angle": -90}),
        ("rotate the picture by −90°", {"angle": -90}),
        ("rotate the arrow by –45 degrees", {"angle": -45}),  # as a phone writes it
        ("rotate the arrow by - 45 degrees", {"angle": -45}),
        ("rotate the arrow - 45", {"angle": -45}),
        ("rotate the arrow minus 20", {"angle": -20}),
        ("rotate the arrow − 45 degrees", {"angle": -45}),
        ("rotate the arrow minus 90 degrees", {"angle": -90}),
        ("turn the arrow negative 30°", {"angle": -30}),
        ("straighten the photo - 2 degrees", {"angle": -2}),
        ("brighten the face minus 20%", {"kind": "darken", "amount": {"value": 20, "unit": "%"}}),
        ("rotate the arrow -90", {"angle": -90}),
        ("rotate the arrow by -30° clockwise", {"angle": -30}),
        ("rotate the arrow by -30° to the right", {"angle": -30}),
        ("straighten the photo by -2.5°", {"angle": -2.5}),
        ("move the arrow -20 px to the right", {"direction": "left", "amount": {"value": 20, "unit": "px"}}),
        ("move the arrow up by -10%", {"direction": "down", "amount": {"value": 10, "unit": "%"}}),
        ("move the arrow right by -20", {"direction": "left", "amount": {"value": 20, "unit": "px"}}),
        ("brighten the face by -20%", {"kind": "darken", "amount": {"value": 20, "unit": "%"}}),
        ("brighten the face by +20%", {"kind": "brighten", "amount": {"value": 20, "unit": "%"}}),
        ("make the face −20% darker", {"kind": "brighten", "amount": {"value": 20, "unit": "%"}}),
        ("increase the saturation of the face by -20%", {"kind": "desaturate", "amount": {"value": 20, "unit": "%"}}),
        ("make the sign say \"-20%\"", {"value": "-20%"}),
    ],
)  # fmt: skip
def test_a_minus_sign_turns_round_what_is_said(text, expected):
    (op,) = parse(text).to_dict()["ops"]
    assert {name: op.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        "resize the cup minus 20%", "resize the cup - 20%",
        "resize the cup by -20%", "resize the cup to −20%", "scale the cup by -2", "scale the cup -2x",
        "make the cup -20% bigger", "shrink the cup by -20%", "upscale the picture -2x",
        "extend the picture to the left by -50 px", "make -2 copies of the cup",
        "duplicate the cup -2 times", "add -3 dogs", "remove -3 dogs", "undo -2 steps",
        "blur the cup by -5 px", "pixelate the cup by -10%", "reduce the noise by -20%",
        "reduce the brightness by -20%", "move the cup by -20 px", "move the cup -5 px onto the table",
        "move the cup to the center by -5 px", "rotate the cup by -90 degrees counterclockwise",
        "rotate the cup -30 degrees to the left",
        "straighten the photo, it is leaning -3 degrees to the left",
    ],
)  # fmt: skip
def test_a_minus_sign_without_an_opposite_is_asked_back(text):
    command = parse(text)
    assert (command.status, command.reason) == ("clarify", "no_value"), command
    assert "@" not in command.question and command.question.endswith(("?", "sign."))


@pytest.mark.parametrize(
    "text",
    [
        "rotate the arrow - 45 degrees clockwise", "rotate the arrow clockwise - 45 degrees",
        "brighten the sky - 20%", "move the cup to the right - 20 px", "rotate the arrow -- 45",
    ],
)  # fmt: skip
def test_a_dash_that_may_be_a_pause_is_asked_back(text):
    assert parse(text).status == "clarify"


def test_a_spaced_sign_holds_for_the_selection_and_one_clause():
    (op,) = parse("rotate it - 45", selection=True).ops
    assert op.angle == -45
    turned, colored = parse("Rotate the arrow - 30 degrees and make it green").ops
    assert (turned.angle, colored.value) == (-30, "green")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("remove the dog -and the cat", "remove the dog and the cat"),
        ("remove the dog - the 2 cats too", "remove the dog, the 2 cats too"),
        ("remove the dog - 2 cats too", "remove the dog, 2 cats too"),
        ("remove everyone minus the 2 kids", "remove everyone except the 2 kids"),
        ("put 2-3 dogs on the grass", "put 2 3 dogs on the grass"),
        ("brighten the sky by 20%-30%", "brighten the sky by 20% 30%"),
        ("add a B-52 bomber", "add a B 52 bomber"),
        ("remove the T-shirt", "remove the t-shirt"),
        ("remove the -90s poster", "remove the 90s poster"),
    ],
)
def test_a_hyphen_or_a_dash_is_no_minus_sign(text, same):
    found, expected = parse(text), parse(same)
    assert (found.status, found.ops) == (expected.status, expected.ops)
