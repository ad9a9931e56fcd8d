"""Nouns for regions without names, by the network that ships."""

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from editanything.command import parse
from editanything.command.types import Selector
from editanything.errors import InputError
from editanything.grounders.base import MADE_UP, Found, NotFound
from editanything.grounders.called import learned
from editanything.grounders.encoder import EncoderNames, candidates
from editanything.grounders.names import KnownNames
from editanything.grounders.words import Words
from editanything.masks import iou
from editanything.segmenters.classical import Classical
from editanything.types import Mask, Region

SIZE = 160


def scene(*discs):
    """Discs (x, y, radius, colour) on a pale ground."""
    image = np.full((SIZE, SIZE, 3), (222, 226, 230), np.uint8)
    y, x = np.mgrid[:SIZE, :SIZE]
    for cx, cy, radius, color in discs:
        image[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = color
    return image


RED, BLUE = (45, 80, 30, (221, 46, 68)), (118, 80, 26, (85, 172, 238))


@pytest.fixture(scope="module")
def seen():
    return Classical().look(scene(RED, BLUE))


def test_candidates_are_regions_pairs_and_what_lies_apart(seen):
    masks = [region.mask for region in candidates(seen)]
    assert all(mask.area <= 0.6 * SIZE * SIZE for mask in masks)
    y, x = np.mgrid[:SIZE, :SIZE]
    for cx, cy, radius, _ in (RED, BLUE):
        true = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
        best = max((m.full() & true).sum() / (m.full() | true).sum() for m in masks)
        assert best > 0.9


def test_candidates_are_those_that_plain_arrays_give(seen):
    large = [r.mask for r in seen.regions() if max(r.mask.crop.shape) >= 12]
    small = [mask.full() for mask in large if mask.area <= 0.3 * SIZE * SIZE]
    pairs = []
    for i, piece in enumerate(small):
        grown = cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        pairs += [piece | other for other in small[i + 1 :] if (grown & other).sum() >= 4]
    found = candidates(seen)
    of_two = [c for c in found if len(c.pieces) == 2]
    assert 0 < len(pairs) == len(of_two) < len(found)
    for candidate, pair in zip(of_two, pairs, strict=True):
        assert np.array_equal(candidate.mask.full(), pair)
        assert candidate.region.id == MADE_UP
    assert {id(c.region) for c in found if c.region.id != MADE_UP} <= set(map(id, seen.regions()))


@dataclass(frozen=True, eq=False)
class Boxed:
    """Half of a thing is a region; what is asked about boxes knows the whole, and is told which."""

    image: np.ndarray
    asked: list = field(default_factory=list)
    known: tuple[Region, ...] = ()

    def regions(self):
        return (Region(1, Mask.of(disc(RED) & (np.mgrid[:SIZE, :SIZE][1] < RED[0]))),)

    def things(self):
        half = disc(RED) & (np.mgrid[:SIZE, :SIZE][1] >= RED[0])
        return (Mask.of(half), Mask.of(half))

    def in_boxes(self, boxes):
        self.asked.extend(boxes)
        none = Mask.of(np.zeros((SIZE, SIZE), bool))
        return (Mask.of(disc(RED)), none, Mask.of(np.ones((SIZE, SIZE), bool)))


def disc(of):
    y, x = np.mgrid[:SIZE, :SIZE]
    return (x - of[0]) ** 2 + (y - of[1]) ** 2 < of[2] ** 2


def test_what_a_segmenter_sees_in_the_boxes_of_candidates_is_one_too():
    """Boxes that are nearly the same are asked once; nothing, and nearly everything, are none."""
    held = Boxed(scene(RED))
    masks = [candidate.mask for candidate in candidates(held)]
    assert sum(iou(mask, Mask.of(disc(RED))) == 1 for mask in masks) == 1
    assert all(0 < mask.area <= 0.6 * SIZE * SIZE for mask in masks)
    assert len(held.asked) == len(set(held.asked)) == 2


@dataclass(frozen=True, eq=False)
class Tiles:
    """A large picture of tiles, of which each is a region."""

    image: np.ndarray
    known: tuple[Region, ...] = ()

    def regions(self) -> tuple[Region, ...]:
        shape = self.image.shape[:2]
        tile = np.ones((shape[0] // 8, shape[1] // 8), bool)
        corners = ((x * tile.shape[1], y * tile.shape[0]) for y in range(8) for x in range(8))
        return tuple(Region(i, Mask.placed(shape, at, tile)) for i, at in enumerate(corners))


def test_many_candidates_in_a_large_picture_take_little_memory():
    large = Tiles(np.full((2000, 1600, 3), 90, np.uint8))
    assert len(candidates(large)) > 150
    EncoderNames(margin=100.0).find(Tiles(large.image[:96, :96]), "ball")  # the network is open
    tracemalloc.start()
    try:
        EncoderNames(margin=100.0).find(large, "ball")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60 * 2000 * 1600  # as arrays of their own they took 247 bytes for each pixel


def test_names_that_a_picture_came_with_decide_alone():
    disc = np.zeros((SIZE, SIZE), bool)
    disc[50:110, 15:75] = True
    known = (Region(1, Mask.of(disc), "cup"),)
    seen = Classical().look(scene(RED, BLUE), known=known)
    sure = EncoderNames(margin=-100.0)  # believes anything, where it is asked
    for noun in ("mug", "red circle", "dog"):
        ours, theirs = sure.find(seen, noun), KnownNames().find(seen, noun)
        assert [(n.region, n.score) for n in ours] == [(n.region, n.score) for n in theirs]


def test_what_it_believes_is_ranked_and_lies_apart(seen):
    found = EncoderNames(margin=-100.0).find(seen, "red circle")
    assert found and [n.score for n in found] == sorted((n.score for n in found), reverse=True)
    x0, y0, x1, y1 = found[0].region.mask.box
    assert x0 < RED[0] < x1 and y0 < RED[1] < y1
    for i, one in enumerate(found):
        for other in found[:i]:
            both = one.region.mask.full() & other.region.mask.full()
            least = min(one.region.mask.area, other.region.mask.area)
            assert both.sum() <= 0.5 * least


@dataclass(frozen=True, eq=False)
class Pieces(Tiles):
    """Half of a disc, what is much like all of it, and a segmenter that is asked about a box."""

    answers: bool = True

    def regions(self) -> tuple[Region, ...]:
        y, x = np.mgrid[:SIZE, :SIZE]
        away = np.hypot(x - RED[0], y - RED[1])
        drawn = ((away < 30) & (x < RED[0]), away < 27, away < 29, away < 31, away < 33)
        return tuple(Region(i, Mask.of(mask)) for i, mask in enumerate(drawn))

    def select(self, selection):
        seen = Classical().look(self.image)
        return seen.select(selection) if self.answers else Mask.of(np.zeros((SIZE, SIZE), bool))


@pytest.mark.parametrize("answers", [True, False])
def test_a_thing_gets_the_outline_that_most_of_its_candidates_and_the_segmenter_have(answers):
    found = EncoderNames(margin=-100.0).find(Pieces(scene(RED), answers=answers), "red circle")
    y, x = np.mgrid[:SIZE, :SIZE]
    true = Mask.of((x - RED[0]) ** 2 + (y - RED[1]) ** 2 < RED[2] ** 2)
    assert iou(found[0].region.mask, true) > (0.95 if answers else 0.75)


def test_what_it_is_not_sure_of_is_not_found(seen):
    assert EncoderNames(margin=100.0).find(seen, "red circle") == ()
    outcome = Words(names=EncoderNames(margin=100.0)).find(seen, Selector("zebra"))
    assert isinstance(outcome, NotFound)
    outcome = Words(names=EncoderNames(margin=-100.0)).find(seen, Selector("ball", count="all"))
    assert isinstance(outcome, Found)


def test_a_picture_without_regions_names_nothing():
    seen = Classical().look(np.full((6, 6, 3), 90, np.uint8))
    assert EncoderNames(margin=-100.0).find(seen, "cat") == ()


def test_weights_that_are_missing_are_one_sentence(seen, tmp_path):
    with pytest.raises(InputError, match=r"is missing or its card is damaged; write it again\.$"):
        EncoderNames(weights=str(tmp_path / "none")).find(seen, "cat")


def test_the_help_and_a_known_name_load_no_network():
    code = (
        "import sys, editanything.grounders.encoder; "
        "sys.exit('torch' in sys.modules or 'mdt.features' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_preset_sets_how_sure_it_must_be():
    names = Words(names={"name": "encoder", "margin": 2.5}).names
    assert names == EncoderNames(margin=2.5)
    with pytest.raises(InputError, match=r"The names 'encoder' do not take these options: .*sure"):
        Words(names={"name": "encoder", "sure": 1})
    with pytest.raises(InputError, match=r"There are no names 'nobody'"):
        Words(names={"name": "nobody"})


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("yawning face", "yawning face"),
        ("smiling face with halo", "smiling face with halo"),
        ("four leaf clover", "four leaf clover"),
        ("red apple", None),  # a colour is seen
        ("old face", None),
        ("three dogs", None),
    ],
)
def test_a_name_of_several_words_that_was_learned_is_asked_as_one(seen, said, name):
    selector = parse(f"remove the {said}").ops[0].target
    left = learned(EncoderNames(), seen, selector)
    assert (left and left.noun) == name
    cup = Region(1, Mask.of(seen.image[..., 0] < 100), "cup")
    assert learned(EncoderNames(), Classical().look(seen.image, known=(cup,)), selector) is None
