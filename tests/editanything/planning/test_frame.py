"""What a crop keeps."""

import numpy as np
import pytest

from editanything.command import parse
from editanything.grounders.words import Words
from editanything.planning.draft import Draft
from editanything.planning.frame import crop
from editanything.types import Mask

H, W = 60, 100


class Blank:
    """A picture without things."""

    image = np.full((H, W, 3), 230, np.uint8)
    known = ()

    def regions(self):
        return self.known


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("crop to the selection", (20, 10, 80, 40)),
        ("crop to the left half of the selection", (20, 10, 50, 40)),
        ("crop to the bottom half of it", (20, 25, 80, 40)),
        ("crop to the top right quarter of the selection", (50, 10, 80, 25)),
        ("crop to the left third of the selection", (20, 10, 40, 40)),
        ("crop to the left half", (0, 0, 50, 60)),  # of the picture
    ],
)
def test_a_crop_to_a_drawn_box_or_a_part_of_it_keeps_the_frame_not_the_thing_in_it(text, box):
    thing = Mask.placed((H, W), (40, 20), np.ones((10, 10), bool))
    draft = Draft(
        seen=Blank(),
        grounder=Words(),
        selection=thing,
        second=None,
        boxes=((20, 10, 80, 40),),
        has_opacity=False,
        is_grey=False,
        margins=(None, None),
        max_megapixels=1,
        seed=0,
        off=frozenset(),
    )
    (operation,) = parse(text, selection=True).ops
    (step,) = crop(draft, operation)
    assert step.frame == {"frame": "crop", "box": box}
