"""Grass: pixels that are there for sure, or None."""

import cv2
import numpy as np
import pytest
import skimage.data

from editanything import Editor
from editanything.examples import EXAMPLES
from editanything.grounders import sights
from editanything.grounders.grass import find_grass
from editanything.image import Picture
from editanything.preset import build, load_preset

HEIGHT, WIDTH = 260, 384


def meadow(blades=30.0, green=(88, 142, 52)):
    """A pale sky over a hilly meadow of single blades; and where the meadow is."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    where = y > 120 + 12 * np.sin(x / 40)
    image = np.empty((HEIGHT, WIDTH, 3))
    image[:] = (170, 195, 225)
    image[where] = green
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH)), (0, 0), 0.7)
    image += (grain / grain.std())[..., None] * np.where(where, blades, 1.5)[..., None]
    return np.rint(image).clip(0, 255).astype(np.uint8), where


def overlap(mask, true):
    found = mask.full()
    return (found & true).sum() / (found | true).sum()


@pytest.mark.parametrize("scale", [1, 3])
def test_a_meadow_under_a_sky(scale):
    image, where = meadow()
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    where = cv2.resize(where.astype(np.uint8), image.shape[1::-1], interpolation=0) > 0
    found = find_grass(image)
    assert found is not None
    assert found.shape == image.shape[:2]
    assert overlap(found, where) > 0.95


def test_what_stands_on_it_is_none_of_it():
    image, where = meadow()
    image[100:230, 170:215] = (150, 40, 35)
    where[100:230, 170:215] = False
    found = find_grass(image)
    assert found is not None
    assert overlap(found, where) > 0.93
    assert not found.full()[130:220, 178:208].any()


@pytest.mark.parametrize(
    "image",
    [
        meadow(blades=1.5)[0],  # a green wall under the sky
        meadow(green=(150, 142, 52))[0],  # yellow: dry, or sand
        meadow()[0][::-1],  # it hangs from the top
        np.rot90(meadow()[0]).copy(),  # trees, from top to bottom
        np.full((200, 300, 3), (60, 160, 60), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
    ],
)
def test_other_green_is_no_grass(image):
    assert find_grass(image) is None


def test_photographs_without_grass_have_none():
    pictures = [Picture.open(example.path).rgb() for example in EXAMPLES.values()]
    pictures += [getattr(skimage.data, name)() for name in ("astronaut", "coffee", "rocket")]
    assert [find_grass(picture) for picture in pictures] == [None] * len(pictures)


def test_it_is_found_by_its_names_and_changed_alone():
    image, where = meadow()
    seen = build("segmenter", load_preset("default", {}).segmenter).look(image)
    (grass,) = sights.found(seen, "lawn")
    assert grass.label == "grass"
    out = np.asarray(Editor.from_preset("default").edit(image, "make the grass yellow").image)
    changed = (out != image).any(-1)
    assert changed[where].mean() > 0.9
    assert changed[~where].mean() < 0.02
