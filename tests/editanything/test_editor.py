"""The Editor as a programmer calls it."""

import numpy as np
import pytest

import editanything
from editanything.editor import Editor
from editanything.errors import Cancelled, InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.recipe import Recipe
from editanything.types import Mask, Point, Selection

COFFEE = EXAMPLES["coffee"].path


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


def test_the_promised_names():
    assert editanything.Editor is Editor
    command = editanything.parse("remove the dog", images=("A",), selection=False).to_dict()
    assert command["ops"] == [{"op": "remove", "target": {"noun": "dog", "attrs": [], "count": 1}}]
    with pytest.raises(AttributeError, match="no attribute 'Edtor'"):
        _ = editanything.Edtor


def test_plan_then_apply_is_edit(editor):
    plan = editor.plan(COFFEE, "remove the spoon", seed=4)
    one, two = plan.apply(), editor.edit(COFFEE, "remove the spoon", seed=4)
    assert np.array_equal(one.image, two.image)
    assert one.recipe.to_json() == two.recipe.to_json()
    assert one.images[0] is one.image
    assert one.mask.dtype == bool and one.mask.shape == one.image.shape[:2] == (400, 600)


def test_a_looked_at_picture_serves_many_commands(editor):
    looked = editor.look(COFFEE)
    assert editor.look(looked) is looked
    red = editor.edit(looked, "make the cup green")
    assert np.array_equal(red.image, editor.edit(COFFEE, "make the cup green").image)


def test_same_input_preset_and_seed_give_the_same_bytes(editor, tmp_path):
    files = []
    for name in ("a.png", "b.png"):
        Editor.from_preset("default").edit(COFFEE, "remove the spoon", seed=2).save(tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
    other = editor.edit(COFFEE, "remove the spoon", seed=3)
    assert other.picture.encode(".png") != files[0]


def test_a_story_of_three_edits_replays_to_the_same_bytes(editor, tmp_path):
    sources = (COFFEE, EXAMPLES["cat"].path)
    first = editor.edit(COFFEE, "remove the spoon", seed=9)
    one = tmp_path / "one.tif"
    first.save(one)
    selection = Selection(points=(Point(140, 250),), boxes=((20, 20, 90, 90),))
    grown = Editor.from_preset("default", grow_px=4)
    two = tmp_path / "two.png"
    grown.edit(one, "pixelate it", selection=selection).save(two)
    last = editor.edit(
        two, "replace the background with image B", selection=box(), reference=sources[1]
    )
    recipe = Recipe.from_json(last.recipe.to_json())
    assert [edit.text for edit in recipe.edits] == [
        "remove the spoon", "pixelate it", "replace the background with image B",
    ]  # fmt: skip
    again = editor.replay(recipe, COFFEE, references=(sources[1],))
    assert again.picture.encode(".png") == last.picture.encode(".png")
    with pytest.raises(InputError, match="second picture"):
        editor.replay(recipe, COFFEE)
    with pytest.raises(InputError, match="not the picture"):
        editor.replay(recipe, sources[1])


def test_a_click_of_a_recipe_means_what_it_meant_to_the_editor_that_made_it(editor, monkeypatch):
    classical = Editor.from_preset("default", segmenter="{name: classical, working_px: 200}")
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 256, (96, 128, 3), np.uint8)
    click = Selection(points=(Point(60, 40),))
    first = classical.edit(noisy, "make it teal", selection=click)
    other = editor.edit(noisy, "make it teal", selection=click)
    assert not np.array_equal(first.mask, other.mask)  # the two take a click differently
    spot = Selection(points=(Point(30, 50),))
    second = editor.edit(first.picture, "brighten it", selection=spot)
    last = classical.edit(
        second.picture, "replace it with image B", selection=click, reference=(noisy[::-1], spot)
    )
    made, with_settings = [], Editor.with_settings
    monkeypatch.setattr(
        Editor, "with_settings", lambda *words: made.append(words) or with_settings(*words)
    )
    again = editor.replay(last.recipe, noisy, references=(noisy[::-1],))
    assert again.picture.digest() == last.picture.digest()
    assert len(made) == 1  # editors are heavy
    from_looked = editor.replay(first.recipe, editor.look(noisy))
    assert from_looked.picture.digest() == first.picture.digest()


def test_a_recipe_of_other_pixels_is_not_carried_on(editor):
    result = editor.edit(COFFEE, "make the cup blue")
    touched = result.picture.samples.copy()
    touched[0, 0] ^= 1
    foreign = result.picture.with_samples(touched, recipe=result.picture.recipe)
    recipe = editor.edit(foreign, "flip the image").recipe
    assert len(recipe.edits) == 1 and recipe.source == foreign.digest()


def box():
    mask = np.zeros((400, 600), bool)
    mask[100:300, 200:400] = True
    return mask


def test_progress_rises_to_one_and_a_refusal_of_the_callback_cancels(editor):
    shares = []
    editor.edit(COFFEE, "remove the spoon", progress=lambda share, what: shares.append(share))
    assert shares == sorted(shares)
    assert shares[0] == 0 and shares[-1] == 1 and len(shares) > 5
    calls = []

    def stop(share, what):
        calls.append(what)
        return len(calls) < 4

    with pytest.raises(Cancelled):
        editor.edit(COFFEE, "remove the spoon", progress=stop)
    assert len(calls) == 4


def test_the_reference_may_come_with_a_selection(editor):
    spot = np.zeros((300, 451), bool)
    spot[100:160, 150:250] = True
    reference = (EXAMPLES["cat"].path, spot)
    result = editor.edit(COFFEE, "replace it with image B", selection=box(), reference=reference)
    assert result.recipe.edits[0].reference_selection.mask.area == spot.sum()
    again = editor.replay(result.recipe, COFFEE, references=(EXAMPLES["cat"].path,))
    assert again.picture.digest() == result.picture.digest()


def test_a_second_picture_that_is_not_used_is_no_part_of_the_recipe(editor):
    result = editor.edit(COFFEE, "make the cup blue", reference=EXAMPLES["cat"].path)
    assert result.recipe.edits[0].reference is None
    assert editor.replay(result.recipe, COFFEE).picture.digest() == result.picture.digest()


def test_a_command_that_is_not_utf_8_is_refused_before_anything_is_looked_at(editor):
    typed = b"make the cup teal\xff".decode("utf-8", "surrogateescape")  # as in sys.argv
    with pytest.raises(InputError, match="letter 18 of this one is not") as caught:
        editor.plan("missing.png", typed)
    assert str(caught.value).isascii() and "\n" not in str(caught.value)


def test_all_steps_off_is_refused(editor):
    plan = editor.plan(COFFEE, "make the cup blue").switch_step(0, on=False)
    with pytest.raises(Refusal, match="switched off"):
        plan.apply()


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (np.zeros((400, 600), bool), "selects no pixel"),
        (np.ones((10, 10), bool), "10x10"),
        (np.ones((400, 600), np.uint8), "bool"),
        ("left", "Selection"),
        (Selection(points=(Point(900, 5),)), "outside"),
        (Selection(boxes=((700, 0, 800, 50),)), "outside"),
        (Selection(mask=Mask.empty((400, 600))), "selects no pixel"),
    ],
)
def test_bad_selections_are_one_sentence(editor, selection, words):
    with pytest.raises(InputError, match=words) as caught:
        editor.edit(COFFEE, "blur it", selection=selection)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "image", [None, 3, np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8), "nope.png"]
)
def test_bad_pictures_are_one_sentence(editor, image):
    with pytest.raises(InputError) as caught:
        editor.edit(image, "blur the image")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "overrides",
    [{"segmenter": {"name": "sam9"}}, {"grow_px": "x"}, {"feather_px": 1e9}, {"max_megapixels": 0}],
)
def test_bad_settings_are_one_sentence(overrides):
    with pytest.raises(InputError) as caught:
        Editor.from_preset("default", **overrides)
    assert "\n" not in str(caught.value)


def test_an_edited_grey_or_one_pixel_picture_stays_what_it_is(editor):
    grey = Picture.open(COFFEE).rgb()[..., 1].copy()
    result = editor.edit(grey, "brighten it", selection=box())
    assert result.image.shape == grey.shape and result.image.dtype == np.uint8
    dot = np.array([[[10, 200, 30]]], np.uint8)
    assert editor.edit(dot, "make the image grayscale").image.shape == (1, 1, 3)
