"""What belongs to a target is shown, switched by words and by hand, and edited in the same pass."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from editanything.editor import Editor
from editanything.recipe import Recipe
from editanything.types import Mask, Region


@pytest.fixture(scope="module")
def editor() -> Editor:
    return Editor.from_preset()


def left_dark(scene, image, i):
    """The mean level of what was the shadow of thing `i`, as a share of the ground's."""
    where = scene.shadow(i)
    return float(image[where].mean() / scene.ground[where].mean())


@pytest.fixture(scope="module")
def removed(editor, lit):
    return editor.edit(lit.image, "remove it", selection=lit.things[0])


def test_a_removed_thing_takes_its_shadow_along(removed, lit):
    related = removed.plan.related
    assert related[0].type == "casts"
    assert related[0].on
    assert related[0].mask.dtype == bool
    np.testing.assert_array_equal(related[0].mask, related[0].alpha >= 0.5)
    box, soft = related[0].soft
    assert soft.shape == (box[3] - box[1], box[2] - box[0])
    assert soft.size < 0.5 * lit.image[..., 0].size  # a picture may have many
    assert left_dark(lit, lit.image, 0) < 0.7
    assert left_dark(lit, removed.image, 0) > 0.93
    outside = ~removed.mask
    np.testing.assert_array_equal(removed.image[outside], lit.image[outside])


def test_a_switched_off_shadow_stays_and_the_recipe_knows(editor, lit, removed):
    plan = removed.plan
    for i in range(len(plan.related)):
        plan = plan.switch(i, False)
    result = plan.apply()
    kept = lit.shadow(0) & ~result.mask
    assert kept.sum() > 0.8 * lit.shadow(0).sum()
    assert plan.switch(0, True).apply().recipe.result == removed.recipe.result
    again = Recipe.from_json(result.recipe.to_json())
    assert dict(again.edits[0].switched) == dict.fromkeys(range(len(plan.related)), False)
    assert editor.replay(again, lit.image).recipe.result == result.recipe.result


@pytest.mark.parametrize("text", ["remove it but keep its shadow", "remove it"])
def test_words_and_the_option_leave_a_shadow(editor, lit, text):
    plan = editor.plan(lit.image, text, selection=lit.things[0], related=text != "remove it")
    assert not [r for r in plan.related if r.on]
    assert not (plan.steps[0].area.full() & lit.shadow(0)).sum() > 0.2 * lit.shadow(0).sum()


def test_asked_for_by_name_it_goes_even_when_the_option_is_off(editor, lit):
    text = "remove it and its shadow"
    plan = editor.plan(lit.image, text, selection=lit.things[0], related=False)
    assert [r.type for r in plan.related if r.on] == ["casts"]


def test_a_moved_thing_takes_its_shadow_to_where_it_lands(editor, lit):
    result = editor.edit(lit.image, "move it to the right by 40 pixels", selection=lit.things[0])
    assert [r for r in result.plan.related if r.on]
    shifted = np.roll(lit.shadow(0), 40, 1)
    shifted[:, :40] = False
    shifted &= ~lit.things[1] & ~np.roll(lit.things[0], 40, 1) & ~lit.shadow(0) & ~lit.shadow(1)
    ratio = result.image[shifted].mean() / lit.ground[shifted].mean()
    assert abs(ratio - np.exp(-lit.drop)) < 0.1
    freed = lit.shadow(0) & ~np.roll(lit.shadow(0), 40, 1) & ~np.roll(lit.things[0], 40, 1)
    assert result.image[freed].mean() > 0.9 * lit.ground[freed].mean()


def test_the_plan_tells_it_in_words_and_json(removed):
    told = removed.plan.told_related()[0]
    assert told.startswith("with its shadow (")
    shown = removed.plan.to_dict()["related"][0]
    assert shown["on"] is True
    assert set(shown) == {"type", "score", "evidence", "on", "pixels"}


def test_a_moved_thing_on_a_mirror_is_mirrored_where_it_lands(editor, mirrored):
    image, thing, ground = mirrored
    result = editor.edit(image, "move it to the right by 70 pixels", selection=thing)
    assert [r.type for r in result.plan.related if r.on] == ["mirrors"]
    below, landed = slice(124, 160), slice(164, 218)

    def shows(levels, columns):
        return cv2.GaussianBlur(levels.astype(float) - ground, (0, 0), 3)[below, columns]

    was, now = shows(image, slice(94, 148)), shows(result.image, landed)
    assert np.corrcoef(was.ravel(), now.ravel())[0, 1] > 0.8
    left = shows(result.image, slice(94, 148))
    assert np.abs(left).mean() < 0.25 * np.abs(was).mean()


def test_what_is_asked_for_and_not_there_is_told(editor, unlit):
    plan = editor.plan(unlit.image, "remove it and its reflection", selection=unlit.things[0])
    assert not [r for r in plan.related if r.type == "mirrors"]
    assert any("I see no reflection" in note for note in plan.notes)


def test_words_reach_operations_that_the_policy_leaves_alone(editor, lit):
    plain = editor.plan(lit.image, "blur it", selection=lit.things[0])
    asked = editor.plan(lit.image, "blur it and its shadow", selection=lit.things[0])
    assert not plain.related
    assert [r.type for r in asked.related if r.on] == ["casts"]
    assert (asked.steps[0].target.full() & lit.shadow(0)).sum() > 0.7 * lit.shadow(0).sum()


def test_what_is_put_beside_a_mirrored_thing_is_mirrored_too(editor, mirrored):
    image, thing, ground = mirrored
    regions = (Region(1, Mask.of(thing), "box"),)
    seen = editor.segmenter.look(image, known=regions)
    looked = replace(editor.look(image), seen=seen)
    cut = np.zeros((60, 50, 4), np.uint8)
    cut[4:56, 5:45] = (250, 20, 20, 255)
    plan = editor.plan(looked, "put image B on the right", reference=Image.fromarray(cut))
    assert any("mirrored as the others are" in note for note in plan.notes)
    result = plan.apply()
    new = np.abs(result.image.astype(int) - image).sum(2) > 30
    red = (result.image[..., 0] > 235) & (result.image[..., 1] < 60)
    assert red.any()
    foot = np.flatnonzero(red.any(1))[-1]
    columns = np.flatnonzero(red.any(0))
    below = result.image[foot + 4 : foot + 20, columns[4] : columns[-4]].astype(float)
    assert below[..., 0].mean() > ground[foot + 4 : foot + 20, :, 0].mean() + 25
    assert new[foot + 4 : foot + 20, columns[4] : columns[-4]].mean() > 0.9
