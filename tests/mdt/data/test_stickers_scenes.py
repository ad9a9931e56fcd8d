"""Scenes: what is said of every pixel is so."""

import pickle
from itertools import pairwise

import cv2
import numpy as np
import pytest

from editanything.colors import name_of
from mdt.data import DataError, batches, open_source
from mdt.data.stickers import StickerSource, scene, scene_at
from mdt.data.stickers.captions import colored, listed, many, one
from mdt.data.stickers.colors import PAINTS, color_word, painted
from mdt.data.stickers.names import held
from mdt.data.stickers.scenes import MIN_VISIBLE
from mdt.data.stickers.textures import PHOTOS, SIDE, TILES, flat, receding, tile

SIZE, NUM = 64, 60


@pytest.fixture(scope="module")
def source(stickers):
    return StickerSource(stickers, split="train")


@pytest.fixture(scope="module")
def scenes(source):
    return [scene_at(0, number, source, SIZE) for number in range(NUM)]


def covered(each):
    """What any thing covers, be it by a trace."""
    return np.any([thing.alpha > 0 for thing in each.things], axis=0)


def same(one, other):
    parts = zip(one.things, other.things, strict=True)
    return (
        np.array_equal(one.image, other.image)
        and one.caption == other.caption
        and all(
            a.box == b.box and np.array_equal(a.mask, b.mask) and np.array_equal(a.shadow, b.shadow)
            for a, b in parts
        )
    )


def test_a_scene_is_a_function_of_seed_and_number(source, scenes):
    for number in (7, 3):
        assert same(scene_at(0, number, source, SIZE), scenes[number])
    assert not np.array_equal(scene_at(1, 3, source, SIZE).image, scenes[3].image)
    for one_, next_ in pairwise(scenes):
        assert not np.array_equal(one_.image, next_.image)


def test_kinds_of_values(scenes):
    for each in scenes:
        assert each.image.shape == each.background.shape == (SIZE, SIZE, 3)
        assert each.image.dtype == each.background.dtype == np.uint8
        assert 1 <= len(each.things) <= 4
        for thing in each.things:
            assert thing.mask.dtype == thing.amodal.dtype == bool
            assert np.array_equal(thing.amodal, thing.alpha >= 0.5)
            for effect in (thing.alpha, thing.shadow, thing.reflection):
                assert effect.dtype == np.float32
                assert effect.shape == (SIZE, SIZE)
                assert 0 <= effect.min() <= effect.max() <= 1
    assert {len(each.things) for each in scenes} == {1, 2, 3, 4}


def test_all_else_is_background(scenes):
    for each in scenes:
        touched = covered(each)
        for thing in each.things:
            touched |= (thing.shadow > 0) | (thing.reflection > 0)
        assert np.array_equal(each.image[~touched], each.background[~touched])
        assert (~touched).any()


def test_masks(scenes):
    hidden = 0
    for each in scenes:
        assert np.sum([thing.mask for thing in each.things], axis=0).max() == 1
        for i, thing in enumerate(each.things):
            nearer = [other.amodal for other in each.things[i + 1 :]]
            expected = thing.amodal & ~np.any(nearer, axis=0) if nearer else thing.amodal
            assert np.array_equal(thing.mask, expected)
            assert thing.mask.sum() >= MIN_VISIBLE * thing.amodal.sum()
            x0, y0, x1, y1 = thing.box
            assert thing.mask[y0:y1, x0:x1].sum() == thing.mask.sum()
            inside = thing.mask[y0:y1, x0:x1]
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()
            hidden += thing.mask.sum() < thing.amodal.sum()
    assert hidden > 5


def test_what_is_seen_in_a_mask_is_the_thing(scenes):
    """The pixels of a mask bear the colour word of the thing."""
    right = total = 0
    for each in scenes:
        for thing in each.things:
            if thing.color and "starry" not in each.caption:
                rgba = np.dstack([each.image, np.uint8(255) * thing.mask.astype(np.uint8)])
                right += color_word(rgba) == thing.color
                total += 1
    assert total > 40
    assert right > 0.85 * total


def test_shadows_darken_the_ground_by_what_they_say(scenes):
    dark = 0
    for each in scenes:
        shadows = np.max([thing.shadow for thing in each.things], axis=0)
        bare = ~covered(each)
        for thing in each.things:
            bare &= thing.reflection == 0
        seen, ground = (picture[bare].astype(float) for picture in (each.image, each.background))
        assert (seen <= ground).all()
        share = shadows[bare]
        assert np.abs(seen[:, 0] - ground[:, 0] * (1 - share)).max(initial=0) <= 1.01
        deep = (share > 0.15) & (ground.min(axis=1) > 40)
        assert (seen[deep] < ground[deep]).all()
        dark += deep.sum()
    assert dark > 1000


def test_shadows_follow_the_light(source):
    """Of a thing alone on a ground, the shadow lies on the side to which the light goes."""
    right = total = 0
    for number in range(80):
        each = scene(np.random.default_rng(number), source, SIZE, max_things=1)
        (thing,) = each.things
        if each.light.back < 0 or thing.shadow.sum() < 20 or "background" not in each.where:
            continue
        x = np.arange(SIZE)
        centre = (thing.shadow.sum(axis=0) * x).sum() / thing.shadow.sum()
        foot = np.flatnonzero(thing.amodal[np.flatnonzero(thing.amodal.any(axis=1))[-1]]).mean()
        right += (centre - foot) * each.light.across > 0
        total += 1
    assert total >= 3
    assert right == total


def test_reflections_lie_below_and_look_like_the_thing(source):
    found = 0
    for number in range(120):
        each = scene(np.random.default_rng(number), source, SIZE, max_things=1, paint=0)
        (thing,) = each.things
        if thing.reflection.max() < 0.1 or thing.amodal[-1].any() or thing.name != "red apple":
            continue
        rows = np.flatnonzero((thing.reflection > 0.1).any(axis=1))
        assert rows[0] >= thing.box[3] - 3
        strong = (thing.reflection > 0.15) & (thing.shadow < 0.05)
        if strong.sum() > 10:
            change = each.image[strong].astype(float) - each.background[strong]
            assert (change[:, 0] - change[:, 2]).mean() > 0  # redder
            found += 1
    assert found


def test_captions_name_the_things(scenes):
    for each in scenes:
        nouns = [thing.noun for thing in each.things]
        for noun in nouns:
            said = [one(noun), *(many(noun, count) for count in (2, 3, 4))]
            assert any(words in each.caption for words in said), (each.caption, noun)
        for thing in each.things:
            if thing.painted:
                assert thing.color in each.caption.split()
        assert each.where in each.caption or "in the sky" in each.caption
    assert any(" two " in f" {each.caption}" for each in scenes)
    assert sum(thing.painted for each in scenes for thing in each.things) > 10


def test_some_things_come_twice(scenes):
    tied = [
        len({thing.name for thing in each.things}) < len(each.things)
        for each in scenes
        if len(each.things) > 1
    ]
    assert 0.2 < np.mean(tied) < 0.9


def test_held_names_are_in_no_train_scene(stickers):
    train = open_source("scenes", stickers, size=32)
    shown = {thing.name for number in range(60) for thing in train.scene(number).things}
    assert len(shown) == 9
    assert not any(held(name) for name in shown)
    other = open_source("scenes", stickers, size=32, split="held")
    assert {thing.name for i in range(20) for thing in other.scene(i).things} == {"axe", "penguin"}


def test_scenes_as_a_source(stickers):
    source = pickle.loads(pickle.dumps(open_source("scenes", stickers, size=32, count=6, seed=5)))
    assert source.shape == (3, 32, 32)
    assert len(source) == 6
    pixels, label = source.read(4)
    assert label is None
    assert np.array_equal(pixels, source.scene(4).image)
    x, labels, _ = next(batches(source, batch=4, seed=0))
    assert x.shape == (4, 3, 32, 32)
    assert labels is None
    assert source.identity != open_source("scenes", stickers, size=32, count=6, seed=6).identity


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 16}, "size of scenes is 32 or more; got 16"),
        ({"count": 0}, "count of scenes is 1 or more"),
        ({"seed": -1}, "seed of scenes is 0 or more"),
        ({"split": "tset"}, "no split 'tset'"),
    ],
)
def test_settings_that_do_not_fit(stickers, settings, message):
    with pytest.raises(DataError, match=message):
        open_source("scenes", stickers, **settings)


def swatch(word):
    paint = PAINTS[word]
    hsv = np.array([[[paint.hue, paint.saturation, paint.value]]], np.float32)
    return tuple(int(v) for v in np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] * 255))


@pytest.mark.parametrize("word", PAINTS)
def test_words_are_those_of_the_editor(word):
    color = swatch(word)
    picture = np.full((4, 4, 4), 255, np.uint8)
    picture[..., :3] = color
    assert color_word(picture) == word
    assert name_of(color) == word


@pytest.mark.parametrize("word", PAINTS)
def test_painting(word):
    """A shaded green disc with a white spot: the disc is painted, the spot is not."""
    y, x = np.mgrid[:32, :32]
    inside = np.hypot(y - 16, x - 16) < 14
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[..., 1] = 150 + 2 * y
    picture[..., 0] = picture[..., 2] = 40
    picture[12:16, 12:16, :3] = 255
    picture[..., 3] = 255 * inside
    before = picture.copy()
    out = painted(picture, word)
    assert out is not None
    assert color_word(out) == word
    assert np.array_equal(picture, before)
    assert np.array_equal(out[..., 3], picture[..., 3])
    assert (out[13:15, 13:15, :3] > 240).all()


def test_what_cannot_be_painted():
    stripes = np.full((6, 6, 4), 255, np.uint8)
    for i, word in enumerate(("red", "green", "blue") * 2):
        stripes[i, :, :3] = swatch(word)
    assert color_word(stripes) is None
    assert painted(stripes, "black") is None
    clear = np.zeros((4, 4, 4), np.uint8)
    assert color_word(clear) is None
    assert painted(clear, "red") is None


@pytest.mark.parametrize(
    ("noun", "first", "second"),
    [
        ("cat", "a cat", "two cats"),
        ("orange apple", "an orange apple", "two orange apples"),
        ("glass of milk", "a glass of milk", "two glasses of milk"),
        ("unicorn", "a unicorn", "two unicorns"),
        ("hourglass", "an hourglass", "two hourglasses"),
        ("person swimming", "a person swimming", "two people swimming"),
        ("wolf", "a wolf", "two wolves"),
        ("blue scissors", "blue scissors", "two blue scissors"),
        ("cherry", "a cherry", "two cherries"),
        ("fish", "a fish", "two fish"),
        ("bus stop", "a bus stop", "two bus stops"),
        ("bus", "a bus", "two buses"),
        ("yellow bacon", "yellow bacon", "two yellow bacons"),
    ],
)
def test_english(noun, first, second):
    assert one(noun) == first
    assert many(noun, 2) == second


def test_colours_in_names_and_lists():
    assert colored("red apple", "blue") == "blue apple"
    assert colored("cat", "black") == "black cat"
    assert colored("cat", None) == "cat"
    assert listed(["cat", "blue apple", "cat"]) == "two cats and a blue apple"
    assert listed(["cat", "owl", "axe"]) == "a cat, an owl and an axe"


@pytest.mark.parametrize("name", [*TILES, *PHOTOS])
def test_surfaces(name):
    rng = np.random.default_rng(0)
    for level in tile(name):
        assert level.shape == (SIDE, SIDE)
        assert level.dtype == np.float32
        assert level.min() >= -0.1
        assert level.max() <= 1.1
        assert level.std() > 0.01
    for picture in (flat(name, 48, rng, 0.7, 0.4), receding(name, 48, 20.0, rng, 1.0)):
        assert picture.shape == (48, 48)
        assert np.isfinite(picture).all()
    far, near = picture[21], picture[40:]
    assert far.std() < 0.5 * near.std() + 0.02  # no flicker at the horizon
