"""Edges between regions: of the bundled photographs, and of drawn things."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.relations import find_edges
from editanything.types import Mask, Region


def edges_of(name):
    example = EXAMPLES[name]
    image = cv2.imread(str(example.path))[..., ::-1].copy()
    regions = example.regions()
    return regions, find_edges(image, regions)


def test_a_cat_has_its_parts_and_eyes_are_twins():
    regions, edges = edges_of("cat")
    cat = next(r.id for r in regions if r.label == "cat")
    parts = {e.source for e in edges if e.type == "part_of" and e.target == cat}
    named = {r.id for r in regions if r.label in ("eye", "nose", "ear")}
    assert named <= parts
    eyes = {r.id for r in regions if r.label == "eye"}
    assert any(e.type == "twin" and {e.source, e.target} == eyes for e in edges)


def test_a_cup_has_a_handle_and_stands():
    regions, edges = edges_of("coffee")
    ids = {r.label: r.id for r in regions}
    assert any(
        e.type == "part_of" and e.source == ids["handle"] and e.target == ids["cup"] for e in edges
    )
    assert all(e.evidence and 0 <= e.score <= 1 for e in edges)


def drawn():
    """Two blue ellipses, one of them mirrored, a red block with a yellow block on its top."""
    image = np.full((200, 300, 3), 150, np.uint8)
    shapes = []
    for x, sign in ((60, 1), (130, -1)):
        mask = np.zeros((200, 300), np.uint8)
        cv2.ellipse(mask, (x, 60), (22, 12), 20 * sign, 0, 360, 1, -1)
        cv2.circle(mask, (x + 14 * sign, 45), 8, 1, -1)
        image[mask > 0] = (40, 60, 200)
        shapes.append(mask > 0)
    for box, colour in (
        ((200, 100, 280, 180), (200, 40, 40)),
        ((225, 60, 255, 100), (230, 210, 30)),
    ):
        mask = np.zeros((200, 300), bool)
        mask[box[1] : box[3], box[0] : box[2]] = True
        image[mask] = colour
        shapes.append(mask)
    ground = ~np.logical_or.reduce(shapes)
    regions = [Region(i + 1, Mask.of(m)) for i, m in enumerate([*shapes, ground])]
    return image, regions


def test_drawn_things_without_names():
    image, regions = drawn()
    found = {(e.type, e.source, e.target) for e in find_edges(image, regions)}
    assert {t for t in found if t[0] in ("twin", "same_kind")} == {("twin", 1, 2)}
    assert ("on", 4, 3) in found
    assert not {t for t in found if t[0] in ("part_of", "worn")}


def test_a_twin_is_shown_and_one_switch_recolours_both():
    example = EXAMPLES["cat"]
    editor = Editor.from_preset()
    plan = editor.plan(example.path, "make the left eye blue")
    twins = [i for i, r in enumerate(plan.related) if r.type == "twin"]
    assert len(twins) == 1
    assert not plan.related[twins[0]].on
    other = plan.related[twins[0]].mask
    assert not (plan.steps[0].area.full() & other).sum() > 0.05 * other.sum()
    both = plan.switch(twins[0], True)
    assert (both.steps[0].target.full() & other).sum() == other.sum()


@pytest.mark.parametrize("size", [(1, 1), (3, 400)])
def test_small_pictures_have_no_edges(size):
    image = np.zeros((*size, 3), np.uint8)
    assert find_edges(image, [Region(1, Mask.everything(size))]) == []
