"""Other things of the picture stay as they are while a place among them is emptied or filled."""

import numpy as np
import pytest

from editanything import masks
from editanything.backends.classical.around import _near
from editanything.backends.mdt import Mdt
from editanything.editor import Editor, Looked
from editanything.image import Picture
from editanything.recipe import Edit
from editanything.types import Mask, Region

H, W = 150, 220
GROUND, BLUE, RED, GREEN = (150, 140, 130), (40, 60, 210), (220, 40, 40), (30, 170, 60)


def box(x0, y0, x1, y1):
    return Mask.placed((H, W), (x0, y0), np.ones((y1 - y0, x1 - x0), bool))


# From the farthest to the nearest; each hides a corner of the one before.
CUBE, BALL = box(40, 30, 100, 90), box(80, 50, 140, 110)
CASE = box(125, 80, 175, 125)


def scene(labels=("cube", "ball", "case"), shapes=(CUBE, BALL, CASE)):
    """A picture of squares that hide each other, and its regions."""
    rng = np.random.default_rng(0)
    image = (np.array(GROUND) + rng.integers(-3, 4, (H, W, 1))).astype(np.uint8)
    regions = []
    for number, (label, shape, color) in enumerate(
        zip(labels, shapes, (BLUE, RED, GREEN), strict=True)
    ):
        image[shape.full()] = color
        nearer = [other for other in shapes[number + 1 :] if other is not shape]
        seen = masks.minus(shape, masks.union(*nearer)) if nearer else shape
        regions.append(Region(number + 1, seen, label))
    return image, tuple(regions)


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


def planned(editor, text, image, regions):
    looked = Looked(Picture.open(image), editor.segmenter.look(image, known=regions))
    return editor.plan_edit(looked, Edit(text=text, seed=3))


def seen(regions):
    return {region.label: region.mask for region in regions}


def test_what_lies_in_front_and_what_lies_behind_are_told_apart(editor):
    image, regions = scene()
    (step,) = planned(editor, "remove the ball", image, regions).steps
    assert [mask.area for mask in step.behind] == [seen(regions)["cube"].area]
    assert masks.intersection(step.area, seen(regions)["case"]).area == 0
    beyond = masks.minus(seen(regions)["cube"], masks.grow(step.target, 1))
    assert masks.intersection(step.area, beyond).area == 0
    assert masks.minus(step.target, step.area).area == 0


def test_a_removal_leaves_the_others_and_takes_nothing_of_those_in_front(editor):
    image, regions = scene()
    plan = planned(editor, "remove the ball", image, regions)
    result = plan.apply()
    assert np.array_equal(result.image[~result.mask], image[~result.mask])
    others = seen(regions)
    assert np.array_equal(result.image[others["case"].full()], image[others["case"].full()])
    # The ground goes on right up to what is in front, and the cube in its own corner.
    place = others["ball"].full()
    corner = place & box(80, 50, 100, 90).full()
    hidden = masks.grow(Mask.of(corner), 2).full()
    assert np.abs(result.image[place & ~hidden].astype(int) - GROUND).max() < 12
    behind = masks.minus(CUBE, box(98, 30, 100, 90)).full() & corner
    hull = np.zeros((H, W), bool)  # of the cube as it was seen: an L without its hidden corner
    ys, xs = np.mgrid[:H, :W]
    hull |= (xs - 80) / 19 + (ys - 50) / 39 < 0.8
    assert np.abs(result.image[behind & hull].astype(int) - BLUE).max() < 12


def drawn(_self, _prompt, _seed, _progress=None):
    """A yellow square, and clear around it."""
    out = np.zeros((64, 64, 4), np.uint8)
    out[8:56, 8:56] = (240, 220, 40, 255)
    return out


def test_a_new_thing_stands_behind_what_the_old_one_stood_behind(editor, monkeypatch):
    monkeypatch.setattr(Mdt, "draw", drawn)
    image, regions = scene()
    plan = planned(editor, "replace the ball with an apple", image, regions)
    result = plan.apply()
    assert np.array_equal(result.image[~result.mask], image[~result.mask])
    others = seen(regions)
    assert np.array_equal(result.image[others["case"].full()], image[others["case"].full()])
    yellow = (np.abs(result.image.astype(int) - (240, 220, 40)) < 12).all(2)
    assert yellow[others["ball"].full()].mean() > 0.9
    changed = (result.image != image).any(2) & others["cube"].full()
    reach = masks.grow(others["ball"], 2).full()
    assert not (changed & ~reach).any()


def test_a_shadow_ends_at_other_things(editor, monkeypatch):
    monkeypatch.setattr(Mdt, "draw", drawn)
    image, regions = scene(shapes=(CUBE, box(120, 60, 160, 110), box(165, 70, 205, 112)))
    result = planned(editor, "replace the ball with an apple", image, regions).apply()
    changed = (result.image != image).any(2)
    ground = ~masks.union(*(region.mask for region in regions)).full()
    assert (changed & ground).sum() > 100
    assert not (changed & seen(regions)["case"].full()).any()
    assert not (changed & seen(regions)["cube"].full()).any()


def test_ground_by_whatever_name_is_no_other_thing(editor):
    plate = masks.minus(box(40, 60, 180, 130), box(80, 70, 120, 110))
    image, regions = scene(
        ("plate", "ball", "case"), (box(40, 60, 180, 130), box(80, 70, 120, 110), box(2, 2, 20, 20))
    )
    assert seen(regions)["plate"].area == plate.area
    (step,) = planned(editor, "remove the ball", image, regions).steps
    assert masks.intersection(step.area, plate).area > 0
    assert step.behind == ()
    alone = [region for region in regions if region.label != "case"]
    (step,) = planned(editor, "remove the ball", image, tuple(alone)).steps
    assert step.others is None


def test_a_colour_does_not_look_at_others(editor):
    image, regions = scene()
    (step,) = planned(editor, "make the ball yellow", image, regions).steps
    assert step.others is None


@pytest.mark.parametrize(
    ("large", "relation", "along"),
    [("vase", "attached", False), ("horse face", "held", False), ("monkey", "held", True)],
)
def test_a_thing_with_a_name_is_not_taken_along_because_it_touches(editor, large, relation, along):
    # Half of the small one's rim lies at the large one, and it stands on air.
    shapes = (box(2, 2, 12, 12), box(60, 30, 130, 130), box(130, 60, 160, 90))
    image, regions = scene(("coin", large, "brain"), shapes)
    plan = planned(editor, f"remove the {large}", image, regions)
    assert [related.on for related in plan.related if related.type == relation] == [along]
    (step,) = plan.steps
    beyond = masks.minus(shapes[2], box(130, 60, 131, 90))
    assert (masks.intersection(step.area, beyond).area > 0) == along
    nameless = (regions[0], regions[1], Region(3, regions[2].mask))
    plan = planned(editor, f"remove the {large}", image, nameless)
    assert [related.on for related in plan.related if related.type == relation] == [True]


def test_of_a_thing_much_larger_than_the_hole_only_what_is_near_is_thought_away():
    """All of a cup would be so large a hole that the place of a spoon beside it is filled badly."""
    hole, small, large = np.zeros((3, 100, 200), bool)
    hole[40:60, 90:100] = True
    small[45:55, 101:120] = True
    large[10:90, 10:89] = True
    near = _near(small | large, hole)
    assert near[small].all()
    assert near[50, 80:89].all()
    assert not near[:, :70].any()
