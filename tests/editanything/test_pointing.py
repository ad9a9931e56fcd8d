"""What a user points at: boxes that mean a thing, boxes that mean a frame, masks from files."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.pointing import read_mask
from editanything.types import Selection

COFFEE = EXAMPLES["coffee"].path
BOX = (300, 90, 480, 360)


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


def test_a_box_that_means_less_than_itself_says_so(editor):
    plan = editor.plan(COFFEE, "pixelate it", selection=Selection(boxes=(BOX,)))
    assert "of the box" in plan.notes[0]
    assert plan.to_dict()["notes"] == list(plan.notes)
    whole = np.zeros((400, 600), bool)
    whole[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
    assert editor.plan(COFFEE, "pixelate it", selection=whole).notes == ()


def test_a_crop_takes_the_box_itself(editor):
    cropped = editor.edit(COFFEE, "crop to the selection", selection=Selection(boxes=(BOX,)))
    assert cropped.image.shape == (BOX[3] - BOX[1], BOX[2] - BOX[0], 3)
    beyond = editor.edit(COFFEE, "crop it", selection=Selection(boxes=((500, 300, 900, 900),)))
    assert beyond.image.shape == (100, 100, 3)


def test_notes_tell_what_one_would_not_expect(editor):
    grey = Picture.open(COFFEE).rgb()[..., 0].copy()
    mask = np.zeros((400, 600), bool)
    mask[150:200, 100:160] = True
    assert "shade of grey" in editor.plan(grey, "make it teal", selection=mask).notes[0]
    far = editor.plan(COFFEE, "move it to the left by 5000 pixels", selection=mask)
    assert "100 px to the left" in far.notes[0]


@pytest.mark.parametrize("seed", [-1, 1.5, True, "3", 2**63])
def test_a_seed_is_a_whole_number(editor, seed):
    with pytest.raises(InputError, match="seed"):
        editor.edit(COFFEE, "remove the spoon", seed=seed)


def test_a_command_is_a_text(editor):
    with pytest.raises(InputError, match="sentence"):
        editor.edit(COFFEE, None)


def test_a_factor_that_is_too_much_is_refused(editor):
    with pytest.raises(Refusal, match="changes nothing or too much"):
        editor.plan(COFFEE, "upscale the image 500x")


def test_her_face_is_the_womans(editor):
    plan = editor.plan(EXAMPLES["astronaut"].path, "blur her face")
    face = next(r.mask for r in EXAMPLES["astronaut"].regions() if r.label == "face")
    assert np.array_equal(plan.steps[0].target.full(), face.full())


def test_a_mask_file_is_what_is_bright_and_not_transparent(tmp_path):
    samples = np.zeros((4, 4, 4), np.uint8)
    samples[:2] = 255
    samples[0, 0, 3] = 0
    Picture.open(samples).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").area == 7
