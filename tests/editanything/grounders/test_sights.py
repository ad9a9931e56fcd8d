"""What is found without having been learned, from nouns and from whole sentences."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import skimage.data

from editanything import Editor
from editanything.command.types import Selector
from editanything.grounders import sights
from editanything.grounders.base import NotFound
from editanything.grounders.encoder import EncoderNames
from editanything.grounders.words import Words
from editanything.masks import grow, iou
from editanything.segmenters.classical import Classical
from editanything.types import Mask, Region


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


@pytest.fixture(scope="module")
def rocket():
    return np.ascontiguousarray(skimage.data.rocket()[::2, ::2])


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[:300])


@pytest.fixture(scope="module")
def seen(rocket):
    return Classical().look(rocket)


def test_each_synonym_stands_for_a_finder():
    assert set(sights.SYNONYMS.values()) <= set(sights.FINDERS)
    assert sights.is_sought("sky")
    assert sights.is_sought("heaven")
    assert sights.is_sought("cat")
    assert not sights.is_sought("galaxy")


def test_what_is_found_is_kept_and_labelled(seen):
    (sky,) = sights.found(seen, "sky")
    assert sky.label == "sky"
    assert sights.found(seen, "heaven")[0] is sky


def test_the_finder_answers_alone(seen):
    anything = EncoderNames(margin=-100.0)  # the network would believe all
    assert len(anything.find(seen, "sky")) == 1
    assert anything.find(seen, "face") == ()


def test_names_that_a_picture_came_with_decide_alone(rocket):
    part = np.zeros(rocket.shape[:2], bool)
    part[:20] = True
    ours = Region(1, Mask.of(part), "sky")
    named = Classical().look(rocket, known=(ours,))
    assert [one.region for one in EncoderNames().find(named, "sky")] == [ours]
    other = Classical().look(rocket, known=(Region(1, Mask.of(part), "cup"),))
    assert EncoderNames().find(other, "sky") == ()


def test_half_of_the_sky(seen):
    grounder = Words(names=EncoderNames())
    whole = grounder.ground(seen, Selector("sky")).union()
    left = grounder.ground(seen, Selector("sky", region="left")).union()
    middle = (whole.box[0] + whole.box[2]) / 2
    columns = np.arange(whole.shape[1])
    assert left.area > 0.3 * whole.area
    assert not (left.full() & ~whole.full()).any()
    assert not left.full()[:, columns > middle].any()


def test_make_the_sky_orange_changes_sky_alone(editor, rocket):
    sky = sights.found(Classical().look(rocket), "sky")[0].mask
    out = np.asarray(editor.edit(rocket, "make the sky orange").image)
    changed = (out != rocket).any(2)
    assert changed[sky.full()].mean() > 0.9
    assert not changed[~grow(sky, 2).full()].any()  # a rim's pixels are of both


def test_pixelate_the_faces(editor, astronaut):
    (face,) = sights.found(Classical().look(astronaut), "face")
    out = np.asarray(editor.edit(astronaut, "pixelate the faces").image)
    changed = (out != astronaut).any(2)
    assert changed[face.mask.full()].mean() > 0.9
    assert changed[200:].mean() < 0.01


@pytest.mark.parametrize("noun", ["face", "sky"])
def test_without_a_face_or_a_sky_the_user_is_asked(noun):
    cup = Classical().look(np.ascontiguousarray(skimage.data.coffee()[::2, ::2]))
    assert isinstance(Words(names=EncoderNames()).find(cup, Selector(noun)), NotFound)


def test_a_face_is_removed_by_the_rules_for_all_things(editor, astronaut):
    (face,) = sights.found(Classical().look(astronaut), "face")
    target = editor.plan(astronaut, "remove the face").steps[0].target
    assert iou(target, face.mask) > 0.7


def test_a_later_step_means_what_was_found_before(editor, rocket):
    first, second = editor.plan(rocket, "make the sky orange, then brighten the sky").steps
    assert iou(first.target, second.target) == 1


def test_what_two_seek_at_once_is_sought_once(rocket, monkeypatch):
    """A glimpse that is still looking, and an edit that asks for the same."""
    seen, sought = Classical().look(rocket), []

    def slowly(scene):
        sought.append(scene)
        time.sleep(0.3)
        return (Mask.everything(scene.image.shape[:2]),)

    monkeypatch.setitem(sights.FINDERS, "sky", slowly)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda noun: sights.found(seen, noun), ("sky", "heaven"))
    assert first is second
    assert sought == [seen]
