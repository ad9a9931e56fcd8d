"""How well edges between regions are found: part of, on, twin, worn, held; masks given.

Scenes are made of the cut-outs and grounds of relations_scenes.py. In each: a thing and its twin
(mirrored or not, up to 12 % larger, in slightly other light), a thing with a part (a patch of
another picture inside it), a thing on another (a block), a single thing, the ground, and a bearer
with something over its top and something at its side, in the air. Only those three have names
("person", "hat" or the like; what is held has none in every second scene).

    python benchmarks/relations_pairs.py [--split development|test] [--scenes N] [--rough PX]
"""

from __future__ import annotations

import argparse
import json
import time

import cv2
import numpy as np
from numpy.typing import NDArray
from relations_scenes import cut_out, texture, to_srgb
from removal import Bool2D, silhouette

from editanything.masks import grow
from editanything.relations import find_edges, region_graph
from editanything.types import Mask, Region

Floats = NDArray[np.float32]
TYPES = ("part_of", "on", "twin", "worn", "held")
SHAPE = (420, 800)
WORN = ("hat", "cap", "helmet")
Truth = set[tuple[str, int, int]]


class Canvas:
    """A picture in the making; regions are numbered from 1."""

    def __init__(self, ground: Floats) -> None:
        self.picture = ground.copy()
        self.masks: list[Bool2D] = []

    def put(self, cut: Floats, x: int, foot: int) -> int:
        """Set a cut-out (h, w, 4) down with its foot in row `foot`; its number."""
        h, w = cut.shape[:2]
        part = self.picture[foot + 1 - h : foot + 1, x : x + w]
        part += cut[..., 3:] * (cut[..., :3] - part)
        mask = np.zeros(SHAPE, bool)
        mask[foot + 1 - h : foot + 1, x : x + w] = cut[..., 3] > 0.5
        self.masks.append(mask)
        return len(self.masks)


def scaled(cut: Floats, tall: float, widest: float = 105.0) -> Floats:
    """A cut-out of height `tall`, or less where it would be too wide."""
    k = min(tall / cut.shape[0], widest / cut.shape[1])
    return np.clip(cv2.resize(cut, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), 0, 1)


def make(seed: int, split: str) -> tuple[NDArray[np.uint8], list[Bool2D], dict[int, str], Truth]:
    """A picture, its masks (the last is the ground), the names of some, and its edges."""
    rng = np.random.default_rng([seed, len(split), 11])
    canvas = Canvas(texture(rng, split, SHAPE))
    truth: Truth = set()
    first = scaled(cut_out(rng, split), rng.uniform(70, 110))
    second = first[:, ::-1] if rng.random() < 0.5 else first
    size = rng.uniform(0.9, 1.12)
    second = scaled(second, size * first.shape[0], size * first.shape[1] + 1)
    second[..., :3] = np.clip(second[..., :3] * rng.uniform(0.85, 1.15), 0, 1)
    a = canvas.put(first, 10, int(rng.integers(130, 180)))
    b = canvas.put(second, 140, int(rng.integers(130, 180)))
    truth.add(("twin", a, b))
    whole = scaled(cut_out(rng, split), 130)
    x, foot = 270, 170
    c = canvas.put(whole, x, foot)
    inside = cv2.distanceTransform(canvas.masks[-1].astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    r = 0.6 * float(inside.max())
    if r > 5:
        outline = silhouette("ellipse", np.pi * r * r * 0.5, rng)
        h, w = outline.shape
        patch = np.dstack([np.ones((h, w, 3)) * rng.uniform(0, 1, 3), outline]).astype(np.float32)
        truth.add(("part_of", canvas.put(patch, int(column) - w // 2, int(row) + h // 2), c))
        if rng.random() < 0.5:  # as many segmenters do: no two masks overlap
            canvas.masks[c - 1] &= ~canvas.masks[-1]
    block = np.ones((90, 110, 4), np.float32)
    block[..., :3] = to_linear_colour(rng) * np.linspace(0.8, 1.1, 90)[:, None, None]
    d = canvas.put(np.clip(block, 0, 1).astype(np.float32), 440, 330)
    e = canvas.put(scaled(cut_out(rng, split), 85, 90), 450, 240)
    truth.add(("on", e, d))
    canvas.put(scaled(cut_out(rng, split), 100), int(rng.integers(40, 280)), 350)
    names, more = _bearer(canvas, rng, split)
    ground = ~np.logical_or.reduce(canvas.masks)
    image = to_srgb(canvas.picture).astype(np.uint8)
    return image, [*canvas.masks, ground], names, truth | more


def _bearer(canvas: Canvas, rng: np.random.Generator, split: str) -> tuple[dict[int, str], Truth]:
    """Someone with a hat and with something in the hand; names and edges."""
    body = scaled(cut_out(rng, split), 130, 80)
    x, foot = 610, 330
    person = canvas.put(body, x, foot)
    solid = canvas.masks[person - 1]
    top, wide = int(np.flatnonzero(solid.any(1))[0]), body.shape[1]
    crown = silhouette("ellipse", 0.35 * wide * wide, rng).astype(np.float32)
    h, w = crown.shape
    colour = np.ones((h, w, 3)) * rng.uniform(0, 1, 3)
    head = int(np.nonzero(solid[top : top + 6])[1].mean()) - w // 2
    hat = canvas.put(np.dstack([colour, crown]).astype(np.float32), head, top + round(0.4 * h))
    solid &= ~canvas.masks[hat - 1]
    row = top + int(rng.uniform(0.45, 0.65) * (foot - top))
    tool = scaled(cut_out(rng, split), 34, 40)
    column = int(np.nonzero(solid[row - 4 : row + 5])[1].max(initial=x + wide // 2))
    left = int(np.flatnonzero(tool[..., 3].max(0) > 0.5)[0])
    held = canvas.put(tool, column - left - 4, row + tool.shape[0] // 2)
    solid &= ~canvas.masks[held - 1]
    names = {person: "person", hat: str(rng.choice(WORN))}
    if rng.random() < 0.5:
        names[held] = "cup"
    return names, {("worn", hat, person), ("held", held, person)}


def to_linear_colour(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour in linear light."""
    return rng.uniform(0.05, 0.8, 3)


def graph_seconds(split: str, side_px: int = 1024) -> float:
    """Seconds of CPU for the whole graph, effects and all, of ten regions; the second time."""
    image, shapes, names, _ = make(0, split)
    k = side_px / image.shape[1]
    image = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_CUBIC)
    size = image.shape[1], image.shape[0]
    full = [cv2.resize(m.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) for m in shapes]
    regions = [Region(i + 1, Mask.of(m > 0), names.get(i + 1, "")) for i, m in enumerate(full[:10])]
    region_graph(image, regions)
    start = time.process_time()
    region_graph(image, regions)
    return time.process_time() - start


def main() -> None:
    """Measure, print the table, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=["development", "test"], default="test")
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--rough", type=int, default=0, help="masks grown or shrunk by up to PX")
    args = parser.parse_args()
    counts = {kind: [0, 0, 0] for kind in TYPES}  # right, wrong, missed
    for seed in range(args.scenes):
        image, shapes, names, truth = make(seed, args.split)
        rng = np.random.default_rng(seed)
        rough = [grow(Mask.of(m), int(rng.integers(-args.rough, args.rough + 1))) for m in shapes]
        regions = [Region(i + 1, m, names.get(i + 1, "")) for i, m in enumerate(rough) if m.area]
        ground = len(shapes)
        said = {
            (e.type if e.type != "same_kind" else "twin", e.source, e.target)
            for e in find_edges(image, regions)
            if e.type in (*TYPES, "same_kind") and e.target != ground
        }
        for kind in TYPES:
            true = {t for t in truth if t[0] == kind}
            mine = {t for t in said if t[0] == kind}
            for k, some in enumerate((true & mine, mine - true, true - mine)):
                counts[kind][k] += len(some)
    print(f"{'edge':10}{'right':>7}{'wrong':>7}{'missed':>8}{'P':>7}{'R':>7}{'F1':>7}")
    scores = {}
    for kind, (right, wrong, missed) in counts.items():
        precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
        scores[kind] = round(2 * right / max(2 * right + wrong + missed, 1), 3)
        print(
            f"{kind:10}{right:7}{wrong:7}{missed:8}{precision:7.2f}{recall:7.2f}{scores[kind]:7.2f}"
        )
    named = {"benchmark": "relations_pairs", "split": args.split, "scenes": args.scenes}
    cost = {"graph_of_ten_1024px_cpu_s": round(graph_seconds(args.split), 2)}
    print(json.dumps(named | {"rough_px": args.rough, "f1": scores} | cost))


if __name__ == "__main__":
    main()
