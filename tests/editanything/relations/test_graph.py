"""The graph of a picture: effects are regions, edges are told from both ends."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from editanything.relations import find_edges, region_graph
from editanything.relations.front import in_front
from editanything.relations.graph import INVERSE
from editanything.types import Mask, Region

SHAPE = (160, 220)


def disc(x, y, r):
    mask = np.zeros(SHAPE, np.uint8)
    cv2.circle(mask, (x, y), r, 1, -1)
    return mask > 0


def region(number, mask, label=""):
    return Region(number, Mask.of(mask), label)


def test_shadows_are_regions_of_the_graph(lit):
    regions = [region(i + 1, mask, "post") for i, mask in enumerate(lit.things)]
    graph = region_graph(lit.image, regions)
    for i in (0, 1):
        edge = next(e for e in graph.of(i + 1) if e.type == "casts")
        shadow = next(r for r in graph.regions if r.id == edge.target)
        assert shadow.label == "shadow"
        np.testing.assert_array_equal(shadow.mask.full(), graph.alphas[shadow.id] >= 0.5)
        assert [e.type for e in graph.of(shadow.id)] == ["cast_by"]
        assert "darker by" in edge.evidence
    told = json.loads(json.dumps(graph.to_dict()))
    assert len(told["regions"]) == len(graph.regions)
    assert {"type", "source", "target", "score", "evidence"} == set(told["edges"][0])


def test_every_edge_has_a_name_from_its_other_end():
    block = np.zeros(SHAPE, bool)
    block[100:150, 40:120] = True
    post = np.zeros(SHAPE, bool)
    post[60:100, 60:90] = True
    image = np.full((*SHAPE, 3), 140, np.uint8)
    graph = region_graph(image, [region(1, block), region(2, post)])
    assert [e.type for e in graph.of(2)] == ["on"]
    assert [(e.type, e.target) for e in graph.of(1)] == [("supports", 2)]
    assert {e.type for e in graph.edges} <= set(INVERSE)


@pytest.mark.parametrize("nearer", [0, 1])
def test_what_lies_in_front_keeps_its_outline(nearer):
    shapes = [disc(90, 80, 40), disc(140, 90, 32)]
    shapes[1 - nearer] &= ~shapes[nearer]
    score, why = in_front(shapes[0], shapes[1])
    assert (score > 0.8) if nearer == 0 else (score < 0.2)
    assert "goes on where they meet" in why
    image = np.full((*SHAPE, 3), 140, np.uint8)
    image[shapes[0]] = (200, 40, 40)
    edges = find_edges(image, [region(1, shapes[0]), region(2, shapes[1])])
    front = [(e.source, e.target) for e in edges if e.type == "occludes"]
    assert front == [(1 + nearer, 2 - nearer)]


def test_things_apart_hide_nothing():
    assert in_front(disc(40, 40, 20), disc(150, 100, 20)) is None


@pytest.mark.parametrize(
    ("label", "kind", "ends"), [("smoke", "produces", (1, 2)), ("label", "names", (2, 1))]
)
def test_names_tell_what_is_made_and_what_is_written(label, kind, ends):
    thing = disc(90, 100, 40)
    more = disc(90, 42, 20) & ~thing if kind == "produces" else disc(90, 100, 12)
    image = np.full((*SHAPE, 3), 140, np.uint8)
    edges = find_edges(image, [region(1, thing, "engine"), region(2, more, label)])
    found = [(e.source, e.target) for e in edges if e.type == kind]
    assert found == [ends]
    assert label in next(e.evidence for e in edges if e.type == kind)
