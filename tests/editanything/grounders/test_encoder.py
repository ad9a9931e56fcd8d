"""Nouns for regions without names, by the network that ships."""

import subprocess
import sys

import numpy as np
import pytest

from editanything.command.types import Selector
from editanything.errors import InputError
from editanything.grounders.base import Found, NotFound
from editanything.grounders.encoder import EncoderNames, candidates
from editanything.grounders.names import KnownNames
from editanything.grounders.words import Words
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
