"""People, told by their faces."""

import numpy as np
import pytest
import skimage.data

from editanything import Editor, masks
from editanything.examples import EXAMPLES
from editanything.grounders.people import cut_figure, find_people
from editanything.types import Mask


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def regions():
    known = Editor.from_preset().look(EXAMPLES["astronaut"].path).seen.known
    return {region.label: region.mask for region in known}


def test_a_portrait_is_cut_out_below_its_face(astronaut, regions):
    figure = cut_figure(astronaut, regions["face"])
    assert figure.shape == astronaut.shape[:2]
    truth = masks.union(regions["woman"], regions["helmet"])  # which lies before her
    assert masks.iou(figure, truth) > 0.8
    (again,) = find_people(astronaut, [regions["face"]], None)
    assert masks.iou(again, figure) == 1


def test_other_faces_are_no_part_of_it(astronaut, regions):
    figure = cut_figure(astronaut, regions["face"])
    x0, _, _, y1 = figure.box
    spot = np.zeros(astronaut.shape[:2], bool)
    spot[y1 - 150 : y1 - 60, x0 + 60 : x0 + 130] = True
    other = Mask.of(spot)
    assert masks.intersection(figure, other).area > 0.9 * other.area
    without = cut_figure(astronaut, regions["face"], [other])
    assert masks.intersection(without, other).area < 0.1 * other.area


def test_small_people_are_not_guessed_but_taken_for_what_stands_out():
    picture = np.full((400, 300, 3), 120, np.uint8)
    face, figure = (np.zeros((400, 300), bool) for _ in range(2))
    face[60:90, 140:160] = True
    figure[50:300, 110:190] = True
    small, out = Mask.of(face), Mask.of(figure)
    assert find_people(picture, [small], None) == ()
    assert find_people(picture, [small], out) == (out,)


def test_people_and_what_is_behind_them_by_words(astronaut):
    """A crop of the example is a picture without names."""
    crop = np.ascontiguousarray(astronaut[:400, 40:400])
    editor = Editor.from_preset("default")
    woman = editor.plan(crop, "make the woman black and white").steps[0].target
    behind = editor.plan(crop, "blur the background").steps[0].target
    assert np.array_equal(woman.full(), ~behind.full())
    assert woman.full()[100, 180]
    assert not woman.full()[30, 30]
