"""How well boxes, clicks and strokes find things: intersection over union on known truth.

Scenes: the named parts of the example photos where they are, the same parts pasted onto other
photos, and silhouettes filled with one photo's texture on another. Settings were chosen on the
development pictures alone; the test pictures share no photo with them.

    python benchmarks/segmenters.py [--split dev|test|both] [--methods ours,grabcut,...]

Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from skimage import data
from skimage.graph import route_through_array
from skimage.segmentation import felzenszwalb, watershed

from editanything.examples import EXAMPLES
from editanything.segmenters.classical import Classical
from editanything.types import RGB, Bool2D, Mask, Point, Selection

PHOTOS = {"dev": ("coffee", "rocket"), "test": ("astronaut", "cat", "galaxies")}
MAX_PER_LABEL = 2  # rockets have seven lamps; a label must not outvote the others
SLACKS = (0.0, 0.05, 0.15)


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and one thing in it."""

    name: str
    image: RGB
    truth: Bool2D


Ask = Callable[[RGB, Selection], Bool2D]


def read(name: str) -> RGB:
    """An example photo, RGB."""
    return cv2.cvtColor(cv2.imread(str(EXAMPLES[name].path)), cv2.COLOR_BGR2RGB)


def scenes(split: str) -> Iterator[Scene]:
    """All scenes of a split."""
    photos = {name: read(name) for name in PHOTOS[split]}
    things = []
    for name, image in photos.items():
        seen: dict[str, int] = {}
        for region in EXAMPLES[name].regions():
            seen[region.label] = seen.get(region.label, 0) + 1
            if seen[region.label] <= MAX_PER_LABEL and region.label not in ("table", "sky", "rim"):
                yield Scene(f"{name}/{region.label}", image, region.mask.full())
                things.append((name, region))
    rng = np.random.default_rng(7)
    for index, (name, region) in enumerate(things):
        others = [other for other in photos if other != name]
        onto = others[index % len(others)]
        image = photos[onto]
        if region.mask.area < 0.3 * image.shape[0] * image.shape[1]:
            title = f"{name}/{region.label} on {onto}"
            yield pasted(title, photos[name], region.mask, image, rng)
    yield from filled(photos, rng)


def pasted(name: str, source: RGB, mask: Mask, onto: RGB, rng: np.random.Generator) -> Scene:
    """A cut-out at a random place of another photo, its rim blended over about a pixel."""
    x0, y0, x1, y1 = mask.box
    height, width = onto.shape[:2]
    scale = min(1.0, 0.8 * height / (y1 - y0), 0.8 * width / (x1 - x0))
    size = (max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale)))
    crop = cv2.resize(source[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(mask.crop.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return blend(name, crop, alpha, onto, rng)


def blend(name: str, crop: RGB, alpha: np.ndarray, onto: RGB, rng: np.random.Generator) -> Scene:
    """Put `crop` onto a photo at a random place."""
    h, w = alpha.shape
    y = int(rng.integers(0, onto.shape[0] - h + 1))
    x = int(rng.integers(0, onto.shape[1] - w + 1))
    soft = cv2.GaussianBlur(alpha, (0, 0), 0.6)[..., None]
    image, truth = onto.copy(), np.zeros(onto.shape[:2], bool)
    under = image[y : y + h, x : x + w]
    image[y : y + h, x : x + w] = np.round(crop * soft + under * (1 - soft)).astype(np.uint8)
    truth[y : y + h, x : x + w] = alpha >= 0.5
    return Scene(name, image, truth)


def filled(photos: dict[str, RGB], rng: np.random.Generator) -> Iterator[Scene]:
    """Silhouettes (a horse, a ring, a star) filled from one photo, on the next one."""
    horse = ~data.horse()
    ys, xs = np.mgrid[-60:61, -60:61]
    radius, angle = np.hypot(ys, xs), np.arctan2(ys, xs)
    shapes = {
        "horse": cv2.resize(horse.astype(np.float32), (220, 180), interpolation=cv2.INTER_AREA),
        "ring": ((radius < 58) & (radius > 30)).astype(np.float32),
        "star": (radius < 40 + 18 * np.cos(5 * angle)).astype(np.float32),
    }
    names = list(photos)
    for index, name in enumerate(names):
        source, onto = photos[name], photos[names[index - 1]]
        for shape, alpha in shapes.items():
            h, w = alpha.shape
            y = int(rng.integers(0, source.shape[0] - h))
            x = int(rng.integers(0, source.shape[1] - w))
            crop = source[y : y + h, x : x + w]
            yield blend(f"{shape} of {name} on {names[index - 1]}", crop, alpha, onto, rng)


# What a user gives -------------------------------------------------------------------------------


def depth_of(mask: Bool2D) -> np.ndarray:
    """Distance to the rim from inside; the picture's edge is a rim, too: clicks keep off it."""
    return cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]


def a_box(truth: Bool2D, slack: float, rng: np.random.Generator) -> Selection:
    """The thing's box, each side moved outwards by up to `slack` of its length."""
    x0, y0, x1, y1 = Mask.of(truth).box
    left, top, right, bottom = rng.uniform(0, slack, 4)
    h, w = truth.shape
    box = (
        max(0, round(x0 - left * (x1 - x0))),
        max(0, round(y0 - top * (y1 - y0))),
        min(w, round(x1 + right * (x1 - x0))),
        min(h, round(y1 + bottom * (y1 - y0))),
    )
    return Selection(boxes=(box,))


def a_click(truth: Bool2D, rng: np.random.Generator) -> Point:
    """Somewhere well inside the thing."""
    depth = depth_of(truth)
    ys, xs = np.nonzero(depth >= 0.5 * depth.max())
    pick = int(rng.integers(ys.size))
    return Point(float(xs[pick]), float(ys[pick]))


def next_click(truth: Bool2D, found: Bool2D) -> Point:
    """The middle of the largest mistake: positive where something is missing, else negative."""
    missing, extra = depth_of(truth & ~found), depth_of(found & ~truth)
    positive = missing.max() >= extra.max()
    y, x = np.unravel_index(int((missing if positive else extra).argmax()), truth.shape)
    return Point(float(x), float(y), positive=bool(positive))


def a_stroke(truth: Bool2D) -> Selection:
    """A stroke along the middle of the thing, through two far-apart places."""
    depth = depth_of(truth)
    ys, xs = np.nonzero(depth >= 0.35 * depth.max())
    spread = np.cov(np.stack([xs, ys])) if ys.size > 2 else np.eye(2)
    axis = np.linalg.eigh(spread)[1][:, -1]
    along = axis[0] * xs + axis[1] * ys
    ends = [(int(ys[i]), int(xs[i])) for i in (along.argmin(), along.argmax())]
    cost = np.where(truth, 1 / (0.1 + depth / depth.max()), 1e3)
    path, _ = route_through_array(cost, *ends, fully_connected=True)
    stroke = np.zeros(truth.shape, np.uint8)
    points = np.array(path)[:, ::-1].reshape(-1, 1, 2)
    width = max(3, round(0.4 * float(depth.max())))
    cv2.polylines(stroke, [points.astype(np.int32)], isClosed=False, color=1, thickness=width)
    return Selection(brush=Mask.of(stroke.astype(bool)))


# Who answers -------------------------------------------------------------------------------------


def seeds_of(image: RGB, selection: Selection, *, box_inside: int) -> np.ndarray:
    """GrabCut labels of a selection on the whole picture."""
    seeds = np.full(image.shape[:2], cv2.GC_PR_BGD, np.uint8)
    for x0, y0, x1, y1 in selection.boxes:
        seeds[:] = cv2.GC_BGD
        seeds[y0:y1, x0:x1] = box_inside
    if selection.brush is not None:
        seeds[selection.brush.full()] = cv2.GC_FGD
    for point in selection.points:
        value = cv2.GC_FGD if point.positive else cv2.GC_BGD
        cv2.circle(seeds, (int(point.x), int(point.y)), 4, value, -1)
    return seeds


def plain_grabcut(image: RGB, selection: Selection) -> Bool2D:
    """cv2.grabCut on the whole picture, from the rectangle or the seeds alone."""
    seeds = seeds_of(image, selection, box_inside=cv2.GC_PR_FGD)
    cv2.setRNGSeed(0)
    known = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if known.all() or not known.any():
        return known
    cv2.grabCut(image, seeds, None, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK)
    return np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD))


def felzenszwalb_parts(image: RGB, selection: Selection) -> Bool2D:
    """Segments of Felzenszwalb and Huttenlocher that are mostly in the box, or are touched."""
    parts = felzenszwalb(image, scale=200, sigma=0.8, min_size=60)
    chosen = np.zeros(int(parts.max()) + 1, bool)
    area = np.bincount(parts.ravel())
    for x0, y0, x1, y1 in selection.boxes:
        inside = np.bincount(parts[y0:y1, x0:x1].ravel(), minlength=area.size)
        chosen |= inside > 0.8 * area
    if selection.brush is not None:
        chosen[np.unique(parts[selection.brush.full()])] = True
    for point in sorted(selection.points, key=lambda p: not p.positive):
        chosen[parts[int(point.y), int(point.x)]] = point.positive
    return chosen[parts]


def flooded(image: RGB, selection: Selection) -> Bool2D:
    """Watershed of the gradient: what was pointed at against the frame, or what is off the box."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2Lab).astype(np.float32)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    seeds = seeds_of(image, selection, box_inside=cv2.GC_PR_FGD)
    markers = np.zeros(seeds.shape, np.int32)
    markers[[0, -1]] = markers[:, [0, -1]] = 1
    markers[seeds == cv2.GC_BGD] = 1
    for x0, y0, x1, y1 in selection.boxes:
        w, h = (x1 - x0) // 4, (y1 - y0) // 4
        markers[y0 + h : y1 - h, x0 + w : x1 - w] = 2
    markers[seeds == cv2.GC_FGD] = 2
    return watershed(np.sqrt((dx**2 + dy**2).sum(2)), markers) == 2


def ours(image: RGB, selection: Selection) -> Bool2D:
    """The package's own segmenter."""
    return Classical().look(image).select(selection).full()


METHODS: dict[str, Ask] = {
    "ours": ours,
    "grabcut": plain_grabcut,
    "felzenszwalb": felzenszwalb_parts,
    "watershed": flooded,
}


def overlap(found: Bool2D, truth: Bool2D) -> float:
    """Intersection over union."""
    return float((found & truth).sum() / max(1, (found | truth).sum()))


def measure(scene: Scene, ask: Ask, seed: int) -> dict[str, float]:
    """The overlap of each kind of prompt on one scene."""
    rng = np.random.default_rng(seed)
    scores = {}
    for slack in SLACKS:
        selection = a_box(scene.truth, slack, rng)
        scores[f"box +{slack:.0%}"] = overlap(ask(scene.image, selection), scene.truth)
    points: tuple[Point, ...] = (a_click(scene.truth, rng),)
    for number in (1, 2, 3):
        found = ask(scene.image, Selection(points=points))
        if number != 2:
            scores[f"{number} click{'s' * (number > 1)}"] = overlap(found, scene.truth)
        points += (next_click(scene.truth, found),)
    scores["stroke"] = overlap(ask(scene.image, a_stroke(scene.truth)), scene.truth)
    return scores


def table(split: str, methods: list[str], verbose: bool) -> dict[str, dict[str, float]]:
    """Run a split, print its table, and return the means."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    spent = dict.fromkeys(methods, 0.0)
    count = 0
    for count, scene in enumerate(scenes(split), 1):
        for name in methods:
            start = time.perf_counter()
            rows[name].append(measure(scene, METHODS[name], count))
            spent[name] += time.perf_counter() - start
            if verbose:
                line = "  ".join(f"{value:4.2f}" for value in rows[name][-1].values())
                print(f"  {scene.name:32.32} {name:12} {line}")
    heads = list(rows[methods[0]][0])
    print(f"{split}: {count} scenes, mean IoU")
    print(" " * 14 + "  ".join(f"{head:>8}" for head in heads) + "  s/prompt")
    means = {}
    for name in methods:
        means[name] = {h: round(float(np.mean([r[h] for r in rows[name]])), 3) for h in heads}
        line = "  ".join(f"{means[name][head]:8.3f}" for head in heads)
        means[name]["seconds"] = round(spent[name] / count / (len(heads) + 1), 3)
        print(f"{name:14}{line}  {means[name]['seconds']:8.2f}", flush=True)
    return means


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=("dev", "test", "both"), default="both")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--verbose", action="store_true", help="a line for each scene")
    arguments = parser.parse_args()
    methods = arguments.methods.split(",")
    splits = ("dev", "test") if arguments.split == "both" else (arguments.split,)
    means = {split: table(split, methods, arguments.verbose) for split in splits}
    print(json.dumps({"benchmark": "segmenters", "metric": "mean IoU", **means}))


if __name__ == "__main__":
    main()
