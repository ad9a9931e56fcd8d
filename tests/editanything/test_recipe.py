from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.image import Picture
from editanything.recipe import Edit, Recipe, selection_from_dict, selection_to_dict
from editanything.types import Mask, Point, Selection
from editanything.ui.session import Session

bools = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20))


@given(bools, st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.booleans()), max_size=3))
def test_a_selection_survives_json(array, points):
    selection = Selection(
        points=tuple(Point(x, y, on) for x, y, on in points),
        boxes=((1, 2, 3, 4),),
        mask=Mask.of(array),
        brush=Mask.of(~array),
    )
    back = selection_from_dict(selection_to_dict(selection))
    assert back.points == selection.points and back.boxes == selection.boxes
    assert np.array_equal(back.mask.full(), array)
    assert np.array_equal(back.brush.full(), ~array)


def test_a_few_bytes_that_stand_for_many_pixels_are_refused():
    selection = Selection(mask=Mask.of(np.ones((4, 4), bool)))
    text = Recipe("0" * 64, (4, 4), (Edit("x", selection=selection),), "1" * 64).to_json()
    Recipe.from_json(text)
    large = text.replace('"shape":[4,4]', '"shape":[200000,200000]')
    large = large.replace('"box":[0,0,4,4]', '"box":[0,0,200000,200000]')
    assert large != text
    with pytest.raises(InputError, match="over 1000 megapixels"):
        Recipe.from_json(large)
    short = text.replace('"shape":[4,4]', '"shape":[40,40]')
    short = short.replace('"box":[0,0,4,4]', '"box":[0,0,40,40]')
    with pytest.raises(InputError, match="cut short"):
        Recipe.from_json(short)
    with pytest.raises(InputError, match="not a recipe"):
        Recipe.from_json("[" * 100_000)


def make_recipe() -> Recipe:
    first = Edit("make it “teal” 图", seed=7, selection=Selection(points=(Point(3.5, 2, False),)))
    second = Edit("remove the cup", off=(1,), reference="ab" * 32, overrides={"grow_px": 3})
    return Recipe("0" * 64, (640, 480), (first,), "1" * 64, "0.1.0").then(second, "2" * 64)


def test_a_recipe_survives_json_and_is_deterministic():
    text = make_recipe().to_json()
    back = Recipe.from_json(text)
    assert back.to_json() == text == make_recipe().to_json()
    assert "\n" not in text
    assert back.result == "2" * 64 and back.edits[1].off == (1,) and back.size == (640, 480)


def test_every_part_of_an_edit_survives_json():
    spot = Selection(mask=Mask.of(np.eye(4, dtype=bool)))
    edit = Edit(
        "remove the cup",
        seed=7,
        selection=spot,
        reference="ab" * 32,
        reference_selection=Selection(boxes=((1, 2, 3, 4),)),
        off=(1, 2),
        changes={1: {"seed": 3, "mask": Mask.of(~np.eye(4, dtype=bool))}},
        order=(1, 0),
        related=False,
        switched={0: False, 2: True},
        preset="mine",
        overrides={"grow_px": 3},
    )
    plain = Edit("x")
    assert all(getattr(edit, part.name) != getattr(plain, part.name) for part in fields(Edit))
    text = Recipe("0" * 64, (4, 4), (edit,), "1" * 64).to_json()
    (back,) = Recipe.from_json(text).edits
    for name in (
        "text",
        "seed",
        "reference",
        "off",
        "order",
        "related",
        "switched",
        "preset",
        "overrides",
    ):
        assert getattr(back, name) == getattr(edit, name), name
    assert np.array_equal(back.selection.mask.full(), spot.mask.full())
    assert back.reference_selection.boxes == ((1, 2, 3, 4),)
    assert back.changes[1]["seed"] == 3
    assert np.array_equal(back.changes[1]["mask"].full(), ~np.eye(4, dtype=bool))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "editanything recipe 99"}',
        make_recipe().to_json().replace('"seed":7', '"seed":"x"'),
        make_recipe().to_json().replace('"size":[640,480]', '"size":[]'),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_sentence(text):
    with pytest.raises(InputError) as caught:
        Recipe.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_mask_that_claims_a_huge_size_is_refused():
    data = selection_to_dict(Selection(mask=Mask.of(np.ones((4, 4), bool))))
    data["mask"]["box"] = [0, 0, 10**6, 10**6]
    with pytest.raises(InputError, match="does not fit"):
        selection_from_dict(data)


@pytest.mark.parametrize(
    "overrides",
    [
        {"backends.0.name": "os:system", "backends.0.command": "touch ran"},
        {"segmenter": "{name: 'os:system', command: 'touch ran'}"},
        {"about": "os:system", "segmenter.name": "${about}", "segmenter.command": "touch ran"},
        {"backends.0.caption": '{"name": "os:system", "command": "touch ran"}'},
    ],
)
def test_code_that_a_recipe_names_is_not_run(overrides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = np.full((40, 50, 3), 90, np.uint8)
    editor = Editor.from_preset()
    recipe = editor.edit(image, "blur the image").recipe
    told = replace(recipe, edits=(replace(recipe.edits[0], overrides=overrides),))
    with pytest.raises(InputError, match="“os:system” names code"):
        editor.replay(Recipe.from_json(told.to_json()), image)
    session = Session(editor)
    with pytest.raises(InputError, match="“os:system” names code"):
        session.editor_with(overrides)
    session.close()
    assert not (tmp_path / "ran").exists()


def test_a_preset_that_the_user_chose_may_name_code(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "segmenter: {name: classical}\ngrounder: {name: words}\n"
        "backends: [{name: 'editanything.backends.classical:Classical'}]\n"
    )
    image, out = tmp_path / "in.png", tmp_path / "out.png"
    Picture.open(np.full((40, 50, 3), 90, np.uint8)).save(image)
    preset = ["--preset", str(path)]
    assert main(["edit", str(image), "brighten the image", "-o", str(out), *preset]) == 0
    again = ["replay", str(out), str(image), "-o", str(tmp_path / "again.png")]
    assert main(again) == 2
    assert "names code" in capsys.readouterr().err
    assert main([*again, *preset]) == 0
    assert out.read_bytes() == (tmp_path / "again.png").read_bytes()
