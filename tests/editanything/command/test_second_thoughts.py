"""Changes of mind, deeds said as nouns, things named in passing, words with hyphens, slants."""

import pytest

from editanything.command import parse


def ops(text):
    command = parse(text)
    assert command.status == "ok", command.question
    return [op.to_dict() for op in command.ops]


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("make the cat black, no wait, white", "make the cat white"),
        ("delete the dog... no, the cat", "delete the cat"),
        ("remove the chair, actually just blur it", "blur the chair"),
        ("paint the wall blue. actually, make that green", "paint the wall green"),
        ("make the sky pink, sorry, purple", "make the sky purple"),
        ("crop to the man... or just erase him", "erase the man"),
        ("blur the sky, no hat", "blur the sky and remove the hat"),
        ("blur the sky. actually, remove the dog", "blur the sky and remove the dog"),
        ("no wait, undo that", "undo"),
        ("scrap that", "undo"),
        ("forget the last change", "undo"),
        ("slight blur on the background", "blur the background slightly"),
        ("heavy blur on the crowd", "blur the crowd a lot"),
        ("tight crop around the violinist", "crop to the violinist"),
        ("horizontal flip of the logo", "flip the logo horizontally"),
        ("90 degree turn clockwise for the photo", "rotate the photo 90 degrees clockwise"),
        ("a small robin on the branch would be lovely", "add a small robin on the branch"),
        ("see that plane? remove it", "remove the plane"),
        ("there's a dude behind us, can he go?", "remove the dude behind us"),
        ("my ex is in the bottom left, erase him", "erase the ex in the bottom left"),
        ("erase the power lines, they ruin the view", "erase the power lines"),
        ("turn the lights on in the house", "turn on the lights in the house"),
        ("remove everyone apart from the baker", "remove everyone except the baker"),
        ("put a scarf round the neck", "put a scarf around the neck"),
        ("more room on the left", "extend the picture to the left"),
        ("gimme more room above, say 90px", "extend the picture at the top by 90 px"),
        ("50 px more sky at the top", "extend the picture at the top by 50 px"),
        ("put the mug on the other side of the jug", "put the mug next to the jug"),
        ("straighten the picture, it's leaning 3 degrees to the left", "rotate it 3 degrees"),
        (
            "the horizon's tilted 4 degrees to the right, straighten it",
            "rotate it 4 degrees counterclockwise",
        ),
        ("i need another duck just like the one on the rock", "duplicate the duck on the rock"),
        ("get her to look at the camera", "make her look at the camera"),
        ("cap: red, gloves: black", "make the cap red and make the gloves black"),
        ("sky more dramatic", "make the sky more dramatic"),
        ("only change the shirt to yellow", "change the shirt to yellow"),
        ("put the lights out", "put out the lights"),
        ('remove the "FOR SALE" sign', 'remove the sign that says "FOR SALE"'),
        ("make it 4k", "upscale the picture 2x"),
        ("take me back two steps", "undo two steps"),
        ("make her blonde", "make her hair blonde"),
        ("sharpen the whole thing", "sharpen the picture"),
        ("cut the tree on the far left out", "remove the leftmost tree"),
        ("mosaic over the logo", "pixelate the logo"),
        ("winter version please", "make it winter"),
        ("make it look like it was shot at dusk", "make it dusk"),
        ("replace the word Paris with London", 'replace the word "Paris" with London'),
        ("the sign says SALE but it should say SOLD", 'make the sign say "SOLD"'),
    ],
)
def test_said_otherwise(said, plain):
    assert ops(said) == ops(plain.replace("rotate it", "rotate the picture"))


def test_a_copy_goes_where_it_is_put():
    (op,) = ops("copy the lantern and put it next to the door")
    assert op["op"] == "duplicate"
    assert op["where"]["relation"]["rel"] == "next_to"


def test_the_one_that_gets_something_stays_it():
    given, placed = ops(
        "give it a top hat and put a balloon next to it".replace("it a", "the cat a")
    )
    assert given["value"] == "top hat"
    assert placed["where"]["relation"]["anchors"][0]["noun"] == "top hat"
    *_, placed = ops("replace the bear with a robot, give it a hat and put a ball next to it")
    assert placed["where"]["relation"]["anchors"][0]["noun"] == "robot"


def test_a_thing_is_not_behind_itself():
    first, second = ops("remove the nearest cyclist and the dog behind him")
    assert "relation" not in first["target"]
    assert second["target"]["relation"]["anchors"] == [first["target"]]


@pytest.mark.parametrize(
    ("text", "attrs", "noun"),
    [
        ("remove the half-eaten burger", ["half-eaten"], "burger"),
        ("remove the half-open door", ["half-open"], "door"),
        ("remove the bright-yellow bus", ["bright", "yellow"], "bus"),
        ("remove the coffee stain", [], "coffee stain"),
        ("remove the lemon tree", [], "lemon tree"),
        ("remove the coffee dress", ["coffee"], "dress"),
        ("remove the rose bush", [], "rose bush"),
    ],
)
def test_words_that_belong_together(text, attrs, noun):
    (op,) = ops(text)
    assert (op["target"]["attrs"], op["target"]["noun"]) == (attrs, noun)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("straighten the horizon", "no_value"),
        ("add some drama", "vague"),
        ("thanks, that looks great", "not_an_edit"),
        ("make a fake ID from this", "unsafe"),
        ("a", "no_operation"),
        ("make a 3d model of the chair", "unsupported"),
        ("make her dress half-transparent", "unsafe"),
        ("make her see-through-dress invisible", "unsafe"),
    ],
)
def test_what_is_asked_back(text, reason):
    assert parse(text).reason == reason


@pytest.mark.parametrize("said", ["remove the cat, no, ", "no, wait, ", "make it red, actually, "])
def test_no_end_of_changes_of_mind_is_answered(said):
    assert parse(1500 * said).status in {"ok", "clarify", "reject"}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("remove the background and make it warmer", "@image"),
        ("delete the dog, then brighten it", "@image"),
        ("remove the cup. make it black and white", "@image"),
        ("remove the cup and make the saucer red and brighten it", "saucer"),
        ("blur the background and brighten it", "background"),
    ],
)
def test_what_is_gone_is_not_it(text, target):
    """A filter of "it" after a removal is of the picture that is left."""
    ops = parse(text).ops
    assert ops[-1].op == "filter"
    assert ops[-1].target.noun == target


def test_what_is_gone_by_name_cannot_be_filtered():
    assert parse("remove the cup and blur the cup").reason == "contradiction"
