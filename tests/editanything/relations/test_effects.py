"""Shadows and mirror images are found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np

from editanything.planning.along import cast_shadow
from editanything.relations import find_effects, light_angle
from editanything.relations.effects import SURE_FROM
from editanything.relations.mirrors import find_mirror_image, told_mirror_image
from editanything.relations.view import look_at
from editanything.types import Mask


def iou(a, b):
    return (a & b).sum() / max((a | b).sum(), 1)


def effects_of(scene, i, *, others=True):
    thing, other = Mask.of(scene.things[i]), Mask.of(scene.things[1 - i])
    return find_effects(scene.image, thing, (other,) if others else ())


def test_a_shadow_is_found_with_its_pixels_light_and_darkness(lit):
    for i in (0, 1):
        effect = effects_of(lit, i)[0]
        assert effect.type == "casts"
        assert effect.score >= SURE_FROM
        assert iou(effect.alpha >= 0.5, lit.shadow(i)) > 0.75
        assert abs(light_angle(effect.light) - light_angle(lit.light)) < 8
        assert abs(float(np.mean(effect.drop)) - lit.drop) < 0.12
        assert "darker by" in effect.evidence
        assert "direction" in effect.evidence


def test_a_thing_alone_shows_its_shadow_too(lit):
    best = effects_of(lit, 0, others=False)[0]
    assert iou(best.alpha >= 0.5, lit.shadow(0)) > 0.75


def test_where_there_is_no_shadow_none_is_sure(unlit):
    for i in (0, 1):
        assert not [e for e in effects_of(unlit, i) if e.score >= SURE_FROM]


def test_an_effect_never_covers_its_thing(lit):
    for effect in effects_of(lit, 0):
        assert not effect.alpha[lit.things[0]].any()
        assert effect.alpha.dtype == np.float32
        assert effect.alpha.min() >= 0
        assert effect.alpha.max() <= 1


def test_the_network_only_mends_the_pixels_of_a_mirror_image(mirrored):
    image, thing, _ = mirrored
    view = look_at(image, Mask.of(thing))
    found = find_mirror_image(view)
    assert found is not None
    clear, free = found.alpha > 0.95, ~view.thing
    silent, certain = np.full(view.shape, -20.0), np.full(view.shape, 20.0)
    mute = told_mirror_image(view, found, silent.astype(np.float32), np.zeros(4, np.float32))
    sure = told_mirror_image(view, found, certain.astype(np.float32), np.zeros(4, np.float32))
    assert (mute.alpha[clear & free] > 0.5).all()  # what is clearly seen needs no network
    assert not (sure.alpha[(found.alpha < 0.1) & free] > 0.5).any()  # nor can that invent one
    faint = (found.alpha > 0.3) & (found.alpha < 0.7) & free
    assert faint.any()
    assert (sure.alpha[faint] > found.alpha[faint]).all()
    assert (mute.alpha[faint] < found.alpha[faint]).all()


def test_a_mirror_image_is_found_and_is_no_shadow(mirrored):
    image, mask, _ = mirrored
    effects = find_effects(image, Mask.of(mask))
    assert effects[0].type == "mirrors"
    assert effects[0].score >= SURE_FROM
    assert abs(effects[0].strength - 0.4) < 0.1
    assert iou(effects[0].alpha >= 0.5, mask[::-1] & ~mask) > 0.75


def test_what_is_cast_is_found_again(unlit):
    thing = Mask.of(unlit.things[0])
    shade = cast_shadow(thing, (0.9, -0.5))
    dark = unlit.image * (1 - 0.4 * shade[..., None])
    dark[unlit.things[0]] = unlit.image[unlit.things[0]]
    best = find_effects(dark.astype(np.uint8), thing, (Mask.of(unlit.things[1]),))[0]
    assert abs((light_angle(best.light) - light_angle((0.9, -0.5)) + 180) % 360 - 180) < 10
    assert abs(1 - np.exp(-np.mean(best.drop)) - 0.4) < 0.1
    assert abs((best.alpha >= 0.5).sum() / ((shade >= 0.5) & ~unlit.things[0]).sum() - 1) < 0.25


def test_the_shadows_of_two_lights_are_found(unlit):
    thing, other = Mask.of(unlit.things[0]), Mask.of(unlit.things[1])
    dark, shades = unlit.image.astype(np.float32), []
    for light, darkness in (((1.0, -0.5), 0.45), ((-0.9, 0.35), 0.3)):
        shades.append(cast_shadow(thing, light))
        both = np.maximum(shades[-1], cast_shadow(other, light))
        dark *= 1 - darkness * both[..., None]
    for mask in unlit.things:
        dark[mask] = unlit.image[mask]
    found = find_effects(dark.astype(np.uint8), thing, (other,))
    assert [effect.type for effect in found[:2]] == ["casts", "casts"]
    seen = np.maximum.reduce([effect.alpha for effect in found]) >= 0.5
    for shade in shades:
        there = (shade >= 0.5) & ~unlit.things[0] & ~unlit.things[1]
        assert (seen & there).sum() > 0.7 * there.sum()


def test_tiny_and_huge_things_have_no_effects(lit):
    small = np.zeros(lit.image.shape[:2], bool)
    small[3:5, 3:5] = True
    assert find_effects(lit.image, Mask.of(small)) == []
    assert find_effects(lit.image, Mask.everything(lit.image.shape[:2])) == []
    corner = np.zeros(lit.image.shape[:2], bool)
    corner[:5, :6] = True
    assert all(e.alpha.shape == corner.shape for e in find_effects(lit.image, Mask.of(corner)))
