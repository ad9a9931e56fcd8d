from itertools import pairwise

import numpy as np
import pytest

from editanything.segmenters.tree import grow_tree


@pytest.fixture(scope="module")
def quarters():
    """Four flat colours, a quarter of the picture each."""
    truth = np.zeros((80, 120), int)
    truth[40:] += 2
    truth[:, 60:] += 1
    colours = np.array([(200, 40, 40), (40, 160, 60), (50, 60, 200), (220, 210, 80)], np.uint8)
    return truth, grow_tree(colours[truth], 60)


def test_cutting_into_as_many_parts_as_there_are_finds_them(quarters):
    truth, tree = quarters
    parts = tree.cut(4)
    assert len(np.unique(parts)) == 4
    for label in range(4):
        inside = truth == label
        counts = np.bincount(parts[inside], minlength=4)
        assert counts.max() / inside.sum() > 0.95


@pytest.mark.parametrize("parts", [1, 2, 7, 20, 10**6])
def test_a_cut_has_the_asked_number_of_parts_or_all(quarters, parts):
    tree = quarters[1]
    labels = tree.cut(parts)
    count = min(parts, tree.num_leaves)
    assert (np.unique(labels) == np.arange(count)).all()


def test_the_tree_is_nested_and_adds_up(quarters):
    tree = quarters[1]
    n = tree.num_leaves
    root = 2 * n - 2
    assert tree.parent[root] == root
    assert tree.mask(root).all()
    assert tree.area[root] == tree.leaves.size
    for leaf in (0, n // 2, n - 1):
        chain = tree.chain(leaf)
        assert chain[-1] == root
        areas = [int(tree.area[node]) for node in chain]
        assert areas == sorted(areas)
        assert all(tree.height[a] <= tree.height[b] for a, b in pairwise(chain))
        assert [int(tree.mask(node).sum()) for node in chain] == areas
        for small, large in pairwise(chain):
            assert not (tree.mask(small) & ~tree.mask(large)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3), (33, 200)])
def test_any_size_and_a_flat_picture_will_do(shape):
    tree = grow_tree(np.full((*shape, 3), 90, np.uint8), 600)
    assert tree.leaves.shape == shape
    assert tree.mask(len(tree.parent) - 1).all()
    assert len(np.unique(tree.cut(5))) <= 5
