"""A picture as a tree of regions: superpixels, merged two by two until one is left.

The superpixels are SLIC's (Achanta et al. 2012). The most alike neighbours are merged first, as in
selective search (Uijlings et al. 2013), where "alike" weighs colour, texture, the strength of the
border between the two, and size.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.segmenters.refine import Labels
from editanything.types import RGB, Bool2D

NUM_BINS = 16
COLOUR_WEIGHTS = np.array([0.7, 1.5, 1.5], np.float32)  # L, a, b: hue tells things apart in shade
TEXTURE_WEIGHT = 0.5


@dataclass(frozen=True, eq=False)
class Tree:
    """Nodes 0..n-1 are the superpixels, n..2n-2 the merged ones in order; the last is everything.

    `height` is the dissimilarity at which a node came to be (0 for superpixels), never falling from
    child to parent.
    """

    leaves: Labels  # (h, w), 0..n-1
    parent: NDArray[np.intp]  # (2n - 1,), the root is its own parent
    children: NDArray[np.intp]  # (n - 1, 2)
    height: NDArray[np.float64]  # (2n - 1,)
    area: NDArray[np.int64]  # (2n - 1,), pixels
    edges: NDArray[np.float32]  # (h, w), strength of the border at each pixel, 0..1

    @property
    def num_leaves(self) -> int:
        """Number of superpixels."""
        return len(self.children) + 1

    def members(self, node: int) -> NDArray[np.bool_]:
        """Which superpixels belong to `node`, bool (n,)."""
        inside = np.zeros(self.num_leaves, bool)
        stack = [node]
        while stack:
            top = stack.pop()
            if top < self.num_leaves:
                inside[top] = True
            else:
                stack.extend(self.children[top - self.num_leaves].tolist())
        return inside

    def mask(self, node: int) -> Bool2D:
        """The pixels of `node`, bool (h, w)."""
        return self.members(node)[self.leaves]

    def chain(self, node: int) -> list[int]:
        """`node` and everything that holds it, up to the root."""
        chain = [node]
        while self.parent[chain[-1]] != chain[-1]:
            chain.append(int(self.parent[chain[-1]]))
        return chain

    def cut(self, num_parts: int) -> Labels:
        """The partition into `num_parts` regions (or as many as there are), labels 0..k-1."""
        n = self.num_leaves
        keep = n - min(num_parts, n)  # so many merges are carried out
        root = np.arange(2 * n - 1)
        for node in range(n + keep - 1, -1, -1):
            up = self.parent[node]
            if up < n + keep and up != node:
                root[node] = root[up]
        _, labels = np.unique(root[:n], return_inverse=True)
        return labels.astype(np.int32)[self.leaves]


def edge_strength(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """How likely a border runs through each pixel, float32 (h, w) in 0..1.

    The colour gradient, less its own surroundings: a strong gradient amid others like it is texture
    (surround inhibition, Grigorescu et al. 2003).
    """
    total = np.zeros(lab.shape[:2], np.float32)
    for sigma in (1.0, 2.0):
        smooth = cv2.GaussianBlur(lab, (0, 0), sigma)
        dx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=sigma / 32)
        dy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=sigma / 32)
        total += np.sqrt((dx**2 + dy**2).sum(2))
    clean = np.maximum(total - 0.5 * cv2.GaussianBlur(total, (0, 0), 8.0), 0.0)
    return clean / (clean + 4.0)


def grow_tree(image: RGB, num_superpixels: int) -> Tree:
    """The region tree of `image` (h, w, 3)."""
    from skimage.segmentation import slic

    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    leaves = slic(
        lab,
        n_segments=num_superpixels,
        compactness=0.06,
        sigma=0.7,
        convert2lab=False,
        start_label=0,
        channel_axis=2,
    ).astype(np.int32)
    _, leaves = np.unique(leaves, return_inverse=True)
    leaves = leaves.reshape(image.shape[:2]).astype(np.int32)
    edges = edge_strength(lab)
    return _merge(leaves, _histograms(lab, leaves), edges)


def _histograms(lab: NDArray[np.float32], leaves: Labels) -> NDArray[np.float32]:
    """Running sums of the histograms of L, a, b and local contrast: float32 (n, 4, NUM_BINS).

    The distance of two such sums is the earth mover's distance, which forgives gradual shading.
    """
    n = int(leaves.max()) + 1
    grey = lab[..., 0]
    blur = cv2.GaussianBlur(grey, (0, 0), 1.5)
    contrast = np.sqrt(cv2.GaussianBlur((grey - blur) ** 2, (0, 0), 2.0))
    channels = (
        grey / 100,
        lab[..., 1] / 140 + 0.5,
        lab[..., 2] / 140 + 0.5,
        contrast / 12,
    )
    sums = np.empty((n, 4, NUM_BINS), np.float32)
    count = np.bincount(leaves.ravel(), minlength=n)[:, None]
    for index, channel in enumerate(channels):
        # A sample is shared by its two nearest bins, so that the sums move smoothly.
        place = np.clip(channel.ravel(), 0, 1) * (NUM_BINS - 1)
        low = np.minimum(place.astype(np.intp), NUM_BINS - 2)
        part = place - low
        flat = leaves.ravel().astype(np.intp) * NUM_BINS + low
        size = n * NUM_BINS
        hist = np.bincount(flat, 1 - part, size) + np.bincount(flat + 1, part, size)
        sums[:, index] = np.cumsum(hist.reshape(n, NUM_BINS), 1) / count
    return sums


def _borders(leaves: Labels, edges: NDArray[np.float32]) -> list[dict[int, tuple[float, float]]]:
    """For each superpixel its neighbours: (length, summed strength) of the common border."""
    n = int(leaves.max()) + 1
    pairs, strengths = [], []
    for a, b, e, f in (
        (leaves[:, :-1], leaves[:, 1:], edges[:, :-1], edges[:, 1:]),
        (leaves[:-1], leaves[1:], edges[:-1], edges[1:]),
    ):
        differ = a != b
        low, high = np.minimum(a, b)[differ], np.maximum(a, b)[differ]
        pairs.append(low.astype(np.int64) * n + high)
        strengths.append(np.maximum(e, f)[differ])
    keys, inverse = np.unique(np.concatenate(pairs), return_inverse=True)
    lengths = np.bincount(inverse)
    sums = np.bincount(inverse, np.concatenate(strengths))
    around: list[dict[int, tuple[float, float]]] = [{} for _ in range(n)]
    for key, length, strength in zip(keys.tolist(), lengths.tolist(), sums.tolist(), strict=True):
        a, b = divmod(key, n)
        around[a][b] = around[b][a] = (float(length), strength)
    return around


def _merge(leaves: Labels, sums: NDArray[np.float32], edges: NDArray[np.float32]) -> Tree:
    n = len(sums)
    features = np.concatenate([sums, np.empty((n - 1, *sums.shape[1:]), np.float32)])
    area = np.zeros(2 * n - 1, np.int64)
    area[:n] = np.bincount(leaves.ravel(), minlength=n)
    around: list[dict[int, tuple[float, float]]] = _borders(leaves, edges)
    around.extend({} for _ in range(n - 1))
    weights = np.append(COLOUR_WEIGHTS, np.float32(TEXTURE_WEIGHT))

    def cost(a: int, b: int) -> float:
        length, strength = around[a][b]
        gap = float(np.abs(features[a] - features[b]).mean(1) @ weights)
        small = min(area[a], area[b]) / leaves.size
        return (gap + 0.02) * (0.15 + strength / length) * float(small) ** 0.25

    heap = [(cost(a, b), a, b) for a in range(n) for b in around[a] if a < b]
    heapq.heapify(heap)
    parent = np.arange(2 * n - 1)
    children = np.empty((n - 1, 2), np.intp)
    height = np.zeros(2 * n - 1)
    alive = np.ones(2 * n - 1, bool)
    for new in range(n, 2 * n - 1):
        while True:
            value, a, b = heapq.heappop(heap)
            if alive[a] and alive[b]:
                break
        alive[a] = alive[b] = False
        parent[a] = parent[b] = new
        children[new - n] = a, b
        height[new] = max(value, height[a], height[b])
        area[new] = area[a] + area[b]
        features[new] = (features[a] * area[a] + features[b] * area[b]) / area[new]
        _join(around, a, b, new)
        for other in around[new]:
            heapq.heappush(heap, (cost(other, new), other, new))
    return Tree(leaves, parent, children, height, area, edges)


def _join(around: list[dict[int, tuple[float, float]]], a: int, b: int, new: int) -> None:
    """Give `new` the neighbours of `a` and `b`."""
    for old in (a, b):
        for other, (length, strength) in around[old].items():
            if other in (a, b):
                continue
            was = around[new].get(other, (0.0, 0.0))
            around[new][other] = around[other][new] = (was[0] + length, was[1] + strength)
            del around[other][old]
        around[old] = {}
