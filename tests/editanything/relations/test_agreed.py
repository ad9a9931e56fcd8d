"""The light that things agree on, and what the network is told when it looks again."""

from __future__ import annotations

import numpy as np
import pytest

from editanything.relations.agreed import Overlaps, Sight, agreed_lights
from editanything.relations.clues import PLANES, PLANES_AGAIN, Look, clues, clues_again, turned
from editanything.relations.scene import Scene
from editanything.relations.search import Light, filled, search, thrown
from editanything.relations.view import look_at
from editanything.types import Mask


@pytest.fixture(scope="module")
def searches(unlit):
    """Two things on a ground that shows nothing of any light."""
    return [search(look_at(unlit.image, Mask.of(thing))) for thing in unlit.things]


def marked(own, *lights):
    """As if the network had marked the shadows of some lights."""
    pixels = np.zeros(own.view.shape, np.float32)
    for kx, ky in lights:
        pixels = np.maximum(pixels, filled(thrown(own, Light(kx, ky, 1.0)), own.view.shape))
    return Overlaps.of(Sight(own, 0.9 * pixels, ~own.view.blocked))


def near(light, kx, ky, within=0.08):
    return abs(light.kx - kx) < within and abs(light.ky - ky) < within


@pytest.mark.parametrize(("kx", "ky"), [(1.17, 0.43), (-0.62, -0.35)])
def test_the_light_that_throws_all_outlines_where_shadows_are_marked(searches, kx, ky):
    first, _ = agreed_lights([marked(own, (kx, ky)) for own in searches])
    assert near(first, kx, ky)
    assert first.agreed > 0.7


def test_a_second_light_explains_what_the_first_leaves(searches):
    true = (-0.9, 0.5), (1.2, 0.45)
    found = sorted(agreed_lights([marked(own, *true) for own in searches]), key=lambda one: one.kx)
    assert near(found[0], *true[0]) and near(found[1], *true[1], within=0.12)


def test_one_thing_that_is_wrong_is_outvoted(searches):
    right = [marked(searches[0], (1.1, 0.45)), marked(searches[1], (1.1, 0.45))]
    wrong = marked(searches[0], (-1.6, -0.5))
    first, _ = agreed_lights([*right, wrong])
    assert near(first, 1.1, 0.45)


def test_nothing_marked_is_no_error_and_agrees_on_nothing(searches):
    first, second = agreed_lights([marked(own) for own in searches])
    assert first.agreed == second.agreed == 0


def test_what_was_marked_of_others_lies_where_it_is_in_the_picture(lit):
    """The shadow of one thing, in the other's view: its centre in pixels of the picture."""
    own, other = (search(look_at(lit.image, Mask.of(thing))) for thing in lit.things)
    looks = []
    for who, rest in ((own, other), (other, own)):
        told = clues(who, [rest])
        box, shape = told.view.box, told.view.shape
        likely = np.zeros((2, *shape), np.float32)
        if who is other:  # a square around the middle of the picture
            rows = np.linspace(box[1], box[3], shape[0], endpoint=False)
            columns = np.linspace(box[0], box[2], shape[1], endpoint=False)
            inside = (np.abs(rows - 150) < 14)[:, None] & (np.abs(columns - 150) < 14)
            likely[0] = inside
        looks.append(Look(told, likely, np.array([2.0, -2.0], np.float32)))
    lights = Light(1.0, 0.4, 0.5), Light(-1.0, 0.4, 0.2)
    again = clues_again(own, looks[0], lights, looks[1:])
    assert again.planes.shape == (len(PLANES_AGAIN), *looks[0].clues.view.shape)
    plane = again.planes[PLANES_AGAIN.index("told_others")]
    rows, columns = np.nonzero(plane > 0.5)
    x0, y0, _, _ = again.view.box
    sx, sy = again.view.scale
    assert abs((columns.mean() + 0.5) / sx + x0 - 150) < 2
    assert abs((rows.mean() + 0.5) / sy + y0 - 150) < 2
    assert np.allclose(again.planes[PLANES_AGAIN.index("others_cast")], 0.5)
    assert np.allclose(again.planes[PLANES_AGAIN.index("others_mirrored")], -0.5)
    light = again.planes[PLANES.index("light")]
    assert set(np.unique(light)) == {np.float32(0), np.float32(0.5)}
    assert np.array_equal(turned(turned(again.planes)), again.planes)


def test_a_scene_looks_again_knowing_the_light_of_all(lit):
    scene = Scene(lit.image, [Mask.of(thing) for thing in lit.things])
    for i in (0, 1):
        planes = scene.again(i).planes
        light = planes[PLANES.index("light")] > 0
        view = scene.look(i).clues.view
        x0, y0, x1, y1 = view.box
        rows = np.clip(
            ((np.arange(view.shape[0]) + 0.5) / view.scale[1] + y0).astype(int), 0, y1 - 1
        )
        across = np.clip(
            ((np.arange(view.shape[1]) + 0.5) / view.scale[0] + x0).astype(int), 0, x1 - 1
        )
        true = (lit.shades[i] >= 0.5)[rows[:, None], across]
        free = ~view.blocked
        assert (light & true & free).sum() > 0.7 * ((light | true) & free).sum()
