"""The network that segments: clicks and boxes on held-out scenes and on photographs.

Scenes are drawn from stickers whose names were never trained on. Photographs are those that
scikit-image ships and that were not trained on (astronaut, cat, coins, camera), and, apart from
them, two that lent their texture to training without any outline (coffee, rocket; "dev") and one
that is a ground of scenes (galaxies). All outlines were drawn by hand.

    python benchmarks/segmenter.py runs/stickers [--weights FOLDER] [--scenes 60] [--verbose]

Prints tables, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from segmenters import Ask, Scene, a_box, a_click, next_click, overlap, plain_grabcut, read
from skimage import data

from editanything.examples import EXAMPLES
from editanything.segmenters.classical import Classical
from editanything.segmenters.guided import Guided
from editanything.segmenters.sam import SamSegmenter
from editanything.types import RGB, Bool2D, Point, Segmenter, Selection

MAX_PER_LABEL = 4
NO_THINGS = ("table", "sky", "rim")
#: Coins as ellipses: middle and half axes, in thirds of a pixel.
COINS = (
    (134, 163, 66, 59), (467, 153, 70, 67), (828, 159, 62, 57), (137, 373, 61, 60),
    (618, 374, 61, 59), (307, 588, 65, 63), (638, 580, 71, 69), (1042, 561, 95, 92),
    (342, 797, 64, 63), (903, 791, 76, 74),
)  # fmt: skip
#: Outlines in pixels of `skimage.data.camera`.
CAMERA = {
    "camcorder": (
        (254, 141), (256, 140), (283, 140), (300, 142), (312, 140), (324, 140), (324, 154),
        (320, 156), (318, 180), (306, 181), (303, 187), (280, 186), (268, 182), (261, 175),
        (259, 152), (253, 149),
    ),
    "tower": ((411, 131), (431, 131), (431, 188), (428, 188), (420, 189), (413, 193), (411, 193)),
}  # fmt: skip


def photographs() -> Iterator[tuple[str, Scene]]:
    """(split, scene) of every outlined region."""
    for name in ("astronaut", "cat", "galaxies", "coffee", "rocket"):
        split = {"coffee": "dev", "rocket": "dev", "galaxies": "galaxies"}.get(name, "test")
        image, seen = read(name), dict[str, int]()
        for region in EXAMPLES[name].regions():
            seen[region.label] = seen.get(region.label, 0) + 1
            if seen[region.label] <= MAX_PER_LABEL and region.label not in NO_THINGS:
                yield split, Scene(f"{name}/{region.label}", image, region.mask.full())
    coins = np.repeat(data.coins()[..., None], 3, axis=2)
    for number, (x, y, a, b) in enumerate(COINS):
        big = np.zeros((coins.shape[0] * 3, coins.shape[1] * 3), np.uint8)
        cv2.ellipse(big, (x, y), (a, b), 0, 0, 360, 255, -1)
        small = cv2.resize(big, coins.shape[1::-1], interpolation=cv2.INTER_AREA)
        yield "test", Scene(f"coins/{number}", coins, small >= 128)
    camera = np.repeat(data.camera()[..., None], 3, axis=2)
    for name, corners in CAMERA.items():
        truth = np.zeros(camera.shape[:2], np.uint8)
        cv2.fillPoly(truth, [np.array(corners, np.int32)], 1)
        yield "test", Scene(f"camera/{name}", camera, truth.astype(bool))


def held_out(stickers: str, number: int, size: int) -> Iterator[Scene]:
    """Things of scenes whose stickers' names were never trained on."""
    from mdt.data import open_source

    scenes = open_source("scenes", stickers, size=size, split="held", seed=4242)
    for index in range(number):
        drawn = scenes.scene(index)
        for thing in drawn.things:
            if thing.mask.sum() >= 100:
                yield Scene(f"{index}/{thing.name}", drawn.image, thing.mask)


def methods(weights: str) -> dict[str, Ask]:
    """Who answers, by name."""

    def by(segmenter: Segmenter) -> Ask:
        return lambda image, selection: segmenter.look(image).select(selection).full()

    return {
        "grabcut": plain_grabcut,
        "classical": by(Classical()),
        "network": by(SamSegmenter(weights)),
        "zoom": by(SamSegmenter(weights, zoom=True)),
        "refined": by(SamSegmenter(weights, zoom=True, refine=True)),
        "guided": by(Guided(weights=weights)),
    }


def prompts(truth: Bool2D, ask: Ask, image: RGB, seed: int) -> dict[str, float]:
    """IoU of a tight box, a loose box, one click, and three clicks that mend."""
    rng = np.random.default_rng(seed)
    scores = {}
    for slack in (0.0, 0.15):
        scores[f"box +{slack:.0%}"] = overlap(ask(image, a_box(truth, slack, rng)), truth)
    points: tuple[Point, ...] = (a_click(truth, rng),)
    for number in (1, 2, 3):
        found = ask(image, Selection(points=points))
        if number != 2:
            scores[f"{number} click{'s' * (number > 1)}"] = overlap(found, truth)
        points += (next_click(truth, found),)
    return scores


def table(
    title: str, scenes: list[Scene], asks: dict[str, Ask], *, verbose: bool
) -> dict[str, dict[str, float]]:
    """Ask everyone about everything, print, and return the means."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in asks}
    spent = dict.fromkeys(asks, 0.0)
    for number, scene in enumerate(scenes):
        for name, ask in asks.items():
            start = time.process_time()
            rows[name].append(prompts(scene.truth, ask, scene.image, number))
            spent[name] += time.process_time() - start
            if verbose:
                line = "  ".join(f"{value:4.2f}" for value in rows[name][-1].values())
                print(f"  {scene.name:28.28} {name:10} {line}", flush=True)
    heads = list(rows[next(iter(asks))][0])
    print(f"{title}: {len(scenes)} things, mean IoU")
    print(" " * 12 + "  ".join(f"{head:>8}" for head in heads) + "  below GrabCut  CPU s/prompt")
    means = {}
    for name, each in rows.items():
        mean = {head: round(float(np.mean([row[head] for row in each])), 3) for head in heads}
        if "grabcut" in rows:
            pairs = zip(each, rows["grabcut"], strict=True)
            mean["below"] = sum(a["box +0%"] < b["box +0%"] - 0.005 for a, b in pairs)
        mean["seconds"] = round(spent[name] / len(scenes) / 5, 3)
        line = "  ".join(f"{mean[head]:8.3f}" for head in heads)
        print(f"{name:12}{line}  {mean.get('below', 0):13}  {mean['seconds']:12.2f}", flush=True)
        means[name] = mean
    return means


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stickers", help="folder that `mdt data stickers` wrote")
    parser.add_argument("--weights", default="default", help="folder or file of the network")
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--size", type=int, default=256, help="of the scenes, in pixels")
    parser.add_argument(
        "--methods", default="", help="of grabcut,classical,network,zoom,refined,guided"
    )
    parser.add_argument("--splits", default="held,test,galaxies,dev")
    parser.add_argument("--verbose", action="store_true", help="a line for each thing")
    arguments = parser.parse_args()
    asks = methods(arguments.weights)
    chosen = arguments.methods.split(",") if arguments.methods else list(asks)
    asks = {name: asks[name] for name in chosen}
    splits: dict[str, list[Scene]] = {name: [] for name in arguments.splits.split(",")}
    for split, scene in photographs():
        splits.setdefault(split, []).append(scene) if split in splits else None
    if "held" in splits:
        splits["held"] = list(held_out(arguments.stickers, arguments.scenes, arguments.size))
    means = {
        name: table(name, scenes, asks, verbose=arguments.verbose)
        for name, scenes in splits.items()
    }
    name = Path(arguments.weights).name
    print(json.dumps({"benchmark": "segmenter", "weights": name, "metric": "mean IoU", **means}))


if __name__ == "__main__":
    main()
