import numpy as np

from editanything.examples import EXAMPLES
from editanything.segmenters.overlay import draw_regions, region_colour
from editanything.types import Mask, Region


def a_region(number, y0, y1, x0, x1, label="", shape=(120, 160)):
    mask = np.zeros(shape, bool)
    mask[y0:y1, x0:x1] = True
    return Region(number, Mask.of(mask), label)


def test_only_the_asked_regions_are_drawn_and_the_picture_stays():
    image = np.full((120, 160, 3), 128, np.uint8)
    regions = (a_region(4, 10, 50, 10, 60), a_region(9, 70, 110, 80, 150, "cat"))
    before = image.copy()
    both, one = draw_regions(image, regions), draw_regions(image, regions, ids=(9,))
    assert (image == before).all()
    assert (both[10:50, 10:60] != 128).any()
    assert (one[:60] == 128).all()
    assert (one[72:108, 82:148] != 128).any(2).all()
    assert (draw_regions(image, regions, ids=()) == image).all()


def test_regions_have_colours_of_their_own():
    colours = [region_colour(index) for index in range(40)]
    assert len(set(colours)) == 40


def test_every_example_can_be_drawn():
    for example in EXAMPLES.values():
        regions = example.regions()
        image = np.full((*regions[0].mask.shape, 3), 128, np.uint8)
        shown = draw_regions(image, regions)
        covered = np.logical_or.reduce([region.mask.full() for region in regions])
        assert (shown != 128).any(2)[covered].mean() > 0.999
