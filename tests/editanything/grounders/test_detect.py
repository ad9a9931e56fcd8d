"""Grounding by a network that finds what phrases name: what is done with what it finds.

The detector here knows four colours exactly, so every answer is known.
"""

import numpy as np
import pytest

from editanything.command import parse
from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.grounders.base import Found, Miscount, NotFound, Tie
from editanything.grounders.detect import Boxes, Concepts, DetectedNames, Detecting, Spot
from editanything.grounders.detectors import segmenter as by_segmenter
from editanything.segmenters.classical import Classical
from editanything.types import Mask, Region

COLORS = {"dog": (200, 40, 40), "ear": (40, 60, 210), "striped dog": (240, 150, 20)}
DOG, EAR, STRIPED = COLORS.values()


class ByColor:
    """Finds "dog", "ear" and "striped dog" by their exact colours; ears only where they are large.

    A dog's mask takes its ears in.
    """

    def __init__(self, least=0.0, extra=()):
        self.least, self.extra, self.asked = least, extra, []

    def detect(self, image, phrase):
        import cv2

        self.asked.append((phrase, image.shape[:2]))
        colors = {"dog": [DOG, EAR, STRIPED]}.get(phrase, [COLORS.get(phrase, (1, 2, 3))])
        hit = np.zeros(image.shape[:2], np.uint8)
        for color in colors:
            hit |= (image == np.array(color, np.uint8)).all(-1)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(hit)
        spots = list(self.extra) if phrase == "dog" else []
        for part in range(1, count):
            x, y, w, h, area = (int(v) for v in stats[part])
            if phrase != "ear" or area >= self.least * image[..., 0].size:
                spots.append(Spot((x, y, x + w, y + h), 0.9, labels == part))
        return spots


def picture(dogs):
    """Dogs (x, y, side, coloured) with two ears each, on grey; 160 x 240."""
    image = np.full((160, 240, 3), 128, np.uint8)
    for x, y, side, color in dogs:
        image[y : y + side, x : x + side] = color
        image[y : y + 8, x : x + 8] = EAR
        image[y : y + 8, x + side - 8 : x + side] = EAR
    return image


TWO = ((20, 60, 50, DOG), (150, 70, 60, DOG))


def selector(text):
    command = parse(text)
    assert command.status == "ok", command
    return command.ops[0].target


def find(text, dogs=TWO, detector=None, known=()):
    seen = Classical().look(picture(dogs), known=known)
    return Detecting(DetectedNames(Boxes(detector or ByColor()))).find(seen, selector(text))


@pytest.mark.parity("P24")
def test_all_that_is_asked_for_is_found_not_two_at_most():
    dogs = tuple((10 + 45 * i, 60, 30, DOG) for i in range(5))
    found = find("remove all dogs", dogs)
    assert isinstance(found, Found)
    assert len(found.regions) == 5
    assert found.by == "its name"
    found = find("remove the five dogs", dogs)
    assert isinstance(found, Found)
    assert len(found.regions) == 5


@pytest.mark.parity("P24")
def test_none_tie_and_miscount_are_questions():
    assert isinstance(find("remove the dog"), Tie)
    many = find("remove the three dogs")
    assert isinstance(many, Miscount)
    assert (many.asked, len(many.candidates)) == (3, 2)
    none = find("remove the cat")
    assert isinstance(none, NotFound)
    with pytest.raises(Refusal, match="There are 2 for"):
        Detecting(DetectedNames(Boxes(ByColor()))).ground(
            Classical().look(picture(TWO)), selector("remove the dog")
        )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("remove the left dog", 20),
        ("remove the largest dog", 150),
        ("remove the second dog from the left", 150),
        ("remove the smallest dog", 20),
    ],
)
def test_places_sizes_and_ordinals_choose(text, left):
    found = find(text)
    assert isinstance(found, Found), found
    assert [region.mask.box[0] for region in found.regions] == [left]


def test_colours_choose_and_other_adjectives_are_asked_of_the_network():
    dogs = (TWO[0], (150, 70, 60, STRIPED))
    found = find("remove the red dog", dogs)
    assert isinstance(found, Found), found
    assert found.regions[0].mask.box[0] == 20
    detector = ByColor()
    found = find("remove the striped dog", dogs, detector)
    assert isinstance(found, Found), found
    assert found.regions[0].mask.box[0] == 150
    assert [phrase for phrase, _ in detector.asked] == ["striped dog"]


@pytest.mark.parity("P25")
def test_a_part_is_sought_on_its_whole():
    """The ears are too small for the network in the whole picture; not in the dog's part of it."""
    detector = ByColor(least=0.008)
    assert not detector.detect(picture(TWO), "ear")
    found = find("remove the left dog's ears", detector=detector)
    assert isinstance(found, Found), found
    assert len(found.regions) == 2
    assert all(region.mask.box[2] <= 70 for region in found.regions)
    phrase, shape = detector.asked[-1]
    assert phrase == "ear"
    assert shape == (60, 60)
    one = find("remove the left ear of the right dog", detector=ByColor(least=0.008))
    assert isinstance(one, Found), one
    assert one.regions[0].mask.box[:2] == (150, 70)


def test_a_part_of_nobody_is_not_found():
    found = find("remove the cat's ear")
    assert isinstance(found, NotFound)
    assert found.what == "the cat"


def test_a_thing_found_twice_counts_once_and_a_group_not_at_all():
    again = Spot((20, 60, 70, 110), 0.5)
    both = Spot((20, 60, 210, 130), 0.6)
    whole = np.zeros((160, 240), bool)
    whole[60:130, 20:70], whole[60:130, 150:210] = True, True
    detector = ByColor(extra=(again, Spot(both.box, both.score, whole)))
    found = find("remove all dogs", detector=detector)
    assert isinstance(found, Found)
    assert sorted(region.mask.box[0] for region in found.regions) == [20, 150]


def test_names_that_a_picture_came_with_come_first():
    mask = np.zeros((160, 240), bool)
    mask[10:30, 10:30] = True
    known = (Region(1, Mask.of(mask), "dog"),)
    detector = ByColor()
    found = find("remove the dog", detector=detector, known=known)
    assert isinstance(found, Found)
    assert found.regions[0] is known[0]
    assert not detector.asked
    found = find("remove the left ear", detector=detector, known=known)
    assert isinstance(found, Tie)  # two dogs have one each: the network was asked
    assert detector.asked


def test_a_box_becomes_the_segmenters_mask():
    class OneBox:
        def detect(self, image, phrase):
            return [Spot((15.3, 55.2, 74.9, 114.0), 0.8)]

    found = find("remove the dog", detector=OneBox())
    assert isinstance(found, Found)
    true = np.zeros((160, 240), bool)
    true[60:110, 20:70] = True
    mask = found.regions[0].mask.full()
    assert (mask & true).sum() / (mask | true).sum() > 0.9


@pytest.mark.parity("P24")
def test_an_edit_by_words_end_to_end_and_what_follows_a_step():
    editor = Editor.from_preset("default")
    detector = ByColor()
    object.__setattr__(editor, "grounder", Detecting(DetectedNames(Boxes(detector))))
    image = picture(TWO)
    result = editor.edit(image, "make the left dog green")
    changed = (result.image != image).any(-1)
    assert changed.any()
    assert not changed[:, 75:].any()
    plan = editor.plan(image, "remove the left dog, then make the dog green")
    assert len([s for s in plan.steps if s.on]) == 2
    assert plan.steps[-1].target.box[0] == 150


def test_a_segmenter_without_words_says_so():
    seen = Classical().look(picture(TWO))
    with pytest.raises(InputError, match="needs a segmenter that understands words"):
        by_segmenter().find(seen, selector("remove the dog"))


def test_a_segmenters_own_words_are_heard():
    class Knows:
        def __init__(self, seen):
            self.image, self.known, self.regions = seen.image, (), seen.regions

        def concept(self, phrase):
            boxes = {"dog": ((20, 60, 70, 110), (150, 70, 210, 130)), "ear": ((20, 60, 28, 68),)}
            out = []
            for x0, y0, x1, y1 in boxes.get(phrase, ()):
                mask = np.zeros((160, 240), bool)
                mask[y0:y1, x0:x1] = True
                out.append(Region(-1, Mask.of(mask), phrase, 0.8))
            return tuple(out)

    seen = Knows(Classical().look(picture(TWO)))
    grounder = Detecting(DetectedNames(Concepts()))
    found = grounder.find(seen, selector("remove the left dog's ear"))
    assert isinstance(found, Found)
    assert found.regions[0].mask.box == (20, 60, 28, 68)
    assert isinstance(grounder.find(seen, selector("remove the right dog's ear")), NotFound)
