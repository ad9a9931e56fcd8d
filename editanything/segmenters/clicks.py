"""What a click means: the one of many nested regions around it that looks most like a thing.

Trees of regions (tree.py) are grown of the whole picture and of two smaller windows around the
click, so that small things have superpixels of their own. All regions that hold the click are
compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.cuts import distance_inside
from editanything.segmenters.tree import Tree, grow_tree
from editanything.segmenters.window import Window
from editanything.types import RGB, Bool2D, Box, Point

# A window's share of the picture's longest side, its reduced size in pixels, its superpixels.
ZOOMS = ((1 / 3, 256, 250), (1 / 8, 160, 120))
MIN_ZOOM_PX = 40

# Least squares for the overlap with the truth, on the development pictures of
# benchmarks/segmenters.py; rounded.
RIM_WEIGHT = 0.47
FRAME_WEIGHT = 0.17
SIZE_WEIGHT = 0.015
LOG_USUAL_SHARE = -3.5  # things cover about 3 % of a picture


@dataclass(frozen=True, eq=False)
class View:
    """A window of the picture and the tree of its regions."""

    window: Window
    tree: Tree
    rims: NDArray[np.float32]  # (h, w), the strongest border within a pixel

    @classmethod
    def of(cls, window: Window, num_superpixels: int) -> View:
        """Grow the tree of a window."""
        tree = grow_tree(window.small, num_superpixels)
        return cls(window, tree, cv2.dilate(tree.edges, np.ones((3, 3), np.uint8)))

    def leaf(self, point: Point) -> int:
        """The superpixel under a point of the window."""
        x, y = self.window.inward(point.x, point.y)
        return int(self.tree.leaves[y, x])

    def score(self, mask: Bool2D) -> float:
        """How much a region (h, w) of the window looks like one whole thing: about its overlap.

        A strong rim all around speaks for it; running along the window's frame, and a size that
        things rarely have, against it.
        """
        depth = distance_inside(mask)
        rim = (depth > 0) & (depth <= 1.5)
        length = max(1, int(rim.sum()))
        on_frame = int(mask[[0, -1]].sum()) + int(mask[:, [0, -1]].sum())
        x0, y0, x1, y1 = self.window.box
        height, width = self.window.picture.shape[:2]
        share = float(mask.mean()) * (x1 - x0) * (y1 - y0) / (height * width)
        return (
            RIM_WEIGHT * float(np.mean(self.rims[rim]))
            - FRAME_WEIGHT * min(on_frame / length, 1.0)
            - SIZE_WEIGHT * (np.log(share) - LOG_USUAL_SHARE) ** 2
        )


@dataclass(frozen=True, eq=False)
class Guess:
    """A region of a view, roughly the thing."""

    window: Window
    mask: Bool2D  # (h, w) of the window

    def holds(self, point: Point) -> bool:
        """Whether a point of the picture lies in the region."""
        x, y = self.window.inward(point.x, point.y)
        return self.window.holds(point.x, point.y) and bool(self.mask[y, x])

    def native_box(self) -> Box:
        """The picture's pixels that it may touch."""
        ys, xs = np.nonzero(self.mask)
        sx, sy = self.window.scale
        x0, y0 = self.window.box[:2]
        return (
            x0 + int(xs.min() / sx),
            y0 + int(ys.min() / sy),
            min(x0 + int(np.ceil((xs.max() + 1) / sx)), self.window.box[2]),
            min(y0 + int(np.ceil((ys.max() + 1) / sy)), self.window.box[3]),
        )


def things_under(whole: View, points: tuple[Point, ...]) -> list[Guess]:
    """Regions that together hold all positive clicks, the first click's first.

    Each click that lies in none of the regions so far brings the one around it that looks most
    like a thing. So a further click adds, and takes nothing of what was there away.
    """
    found: list[Guess] = []
    for point in points:
        if point.positive and not any(guess.holds(point) for guess in found):
            found.append(_best_around(whole, point, ()))
    return found


def carved(window: Window, rough: Bool2D, whole: View, points: tuple[Point, ...]) -> Bool2D:
    """`rough` (h, w) of a window without the things under negative clicks that lie in it.

    What is taken away holds no positive click.
    """
    positive = tuple(p for p in points if p.positive)
    rough = rough.copy()
    for point in points:
        if point.positive or not window.holds(point.x, point.y):
            continue
        x, y = window.inward(point.x, point.y)
        if rough[y, x]:
            guess = _best_around(whole, point, positive)
            rough &= ~guess.window.carry(guess.mask, window)
    return rough


def _best_around(whole: View, point: Point, without: tuple[Point, ...]) -> Guess:
    """The region around a click that looks most like a thing and holds none of `without`.

    Where no region keeps them apart, the finest superpixel under the click is the answer.
    """
    best: tuple[float, Guess] | None = None
    for view in _views(whole, point):
        inside = [p for p in without if view.window.holds(p.x, p.y)]
        banned = {node for p in inside for node in view.tree.chain(view.leaf(p))}
        for node in view.tree.chain(view.leaf(point)):
            mask = view.tree.mask(node)
            if node not in banned and not mask.all():  # a whole window is no thing
                score = view.score(mask)
                if best is None or score > best[0]:
                    best = score, Guess(view.window, mask)
        last = Guess(view.window, view.tree.mask(view.leaf(point)))
    return best[1] if best else last


def _views(whole: View, point: Point) -> Iterator[View]:
    """The whole picture, then windows around a click."""
    yield whole
    picture = whole.window.picture
    longest = max(picture.shape[:2])
    for share, small_px, num_superpixels in ZOOMS:
        side = round(share * longest)
        if side >= MIN_ZOOM_PX:
            window = Window.of(picture, _square(picture, point, side), small_px)
            yield View.of(window, num_superpixels)


def _square(picture: RGB, point: Point, side_px: int) -> Box:
    """A square around a point, moved (and cut, where it must be) to lie in the picture."""
    height, width = picture.shape[:2]
    x0 = min(max(0, int(point.x) - side_px // 2), max(0, width - side_px))
    y0 = min(max(0, int(point.y) - side_px // 2), max(0, height - side_px))
    return x0, y0, min(width, x0 + side_px), min(height, y0 + side_px)
