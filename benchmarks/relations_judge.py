"""Weigh the signs by which shadows and mirror images are judged.

    python benchmarks/relations_judge.py collect FILE [--worlds N] [--scenes N] [--first N]
    python benchmarks/relations_judge.py fit FILE ...

`collect` looks for the effects of things of relations_worlds.py (numbers from 700000 on, which the
network has not seen; a part of them with rough masks or those of one click) and of development
scenes of relations_scenes.py, every second of them without any effect, and writes what speaks for
each, with the truth. `fit` prints the weights of two logistic regressions; their biases are set so
that a score of 0.8 takes, in five-fold cross-validation over scenes, an effect along for 2 % of the
things that have none: worlds are harder than most pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.contours import texture_noise
from editanything.relations.effects import signs_of
from editanything.relations.view import look_at
from editanything.types import Mask

Floats = NDArray[np.float32]
WORLDS_FROM = 700_000
SURE, WRONG = 0.8, 0.02
RIGHT_FROM = 0.2  # IoU: less is no better than nothing
RIDGE = 3.0
LEAST_PX, LEAST_EFFECT_PX = 150, 60


def pictures(worlds: int, scenes: int, first: int) -> Iterator[tuple[Any, ...]]:
    """Number, picture, masks as told, and per thing the pixels of its shadow and mirror image."""
    from relations_scenes import make
    from relations_train import seen_masks
    from relations_worlds import make_world, photographed

    for number in range(WORLDS_FROM + first, WORLDS_FROM + first + worlds):
        world = make_world(number)
        rng = np.random.default_rng([number, 99])
        rendered = world.render()
        image = photographed(rendered, rng)
        shapes = [world.mask(i) for i in range(len(world.things))]
        known = [i for i, shape in enumerate(shapes) if shape.sum() >= LEAST_PX]
        effects = {i: world.effects(i, rendered) for i in known}
        told = seen_masks(rng, image, shapes, known, effects)
        yield number, image, [told[i] for i in known], [effects[i] for i in known]
    for number in range(first, first + scenes):
        scene = make(number, "development", "no_effect" if number % 2 else None)
        truth = []
        for i in range(len(scene.things)):
            seen = scene.effect(i)[1]
            nothing = np.zeros_like(seen)
            truth.append((nothing, seen) if scene.mirror else (seen, nothing))
        shapes = [scene.mask(i) for i in range(len(scene.things))]
        yield number, scene.render(), shapes, truth


def collect(file: Path, worlds: int, scenes: int, first: int) -> None:
    """Write rows: scene, what (0 shadow, 1 mirror image), IoU, has it, has any, noise; and signs.

    The IoU is -1 where nothing was found. Pixels are judged outside the mask that was told.
    """
    rows: list[tuple[float, ...]] = []
    signs: list[Floats] = []
    for number, image, shapes, truth in pictures(worlds, scenes, first):
        rng = np.random.default_rng(number)
        given = [Mask.of(m) for m in shapes]
        given_here = [i for i, mask in enumerate(given) if mask.area >= LEAST_PX]
        told = [given[i] for i in given_here]
        alone = rng.random() < 0.2
        found_all = [signs_of(image, [m])[0] for m in told] if alone else signs_of(image, told)
        for i, found in zip(given_here, found_all, strict=True):
            mask = given[i]
            has = [int(t.sum()) >= LEAST_EFFECT_PX for t in truth[i]]
            view = look_at(image, mask)
            noise = texture_noise(cv2.GaussianBlur(view.luma, (0, 0), 1.2), view.blocked)
            for what, thing in enumerate(found):
                iou, speaks = -1.0, np.zeros(1, np.float32)
                if thing is not None:
                    alpha, speaks = thing
                    free = ~shapes[i]
                    each = (truth[i][what], truth[i][0] | truth[i][1])
                    iou = max(_iou((alpha >= 0.5) & free, one & free) for one in each)
                rows.append((number, what, iou, has[what], any(has), noise))
                signs.append(speaks)
    out = {"rows": np.array(rows, np.float32)}
    for what in (0, 1):
        held = [s for s, r in zip(signs, rows, strict=True) if r[1] == what and r[2] >= 0]
        out[f"signs{what}"] = np.array(held, np.float32)
    np.savez(file, **out)


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 0.0


def regression(x: Floats, y: Floats, ridge: float = RIDGE) -> tuple[Floats, float]:
    """Weights and bias of a logistic regression, by Newton's steps."""
    mean, spread = x.mean(0), x.std(0) + 1e-3
    z = np.c_[(x - mean) / spread, np.ones(len(x))]
    w = np.zeros(z.shape[1])
    hold = np.diag(np.r_[np.full(x.shape[1], ridge), 1e-6])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        slope = z.T @ (p - y) + hold @ w
        curve = (z * (p * (1 - p) + 1e-6)[:, None]).T @ z + hold
        w -= np.linalg.solve(curve, slope)
    return (w[:-1] / spread).astype(np.float32), float(w[-1] - (w[:-1] / spread) @ mean)


def _threshold(scores: Floats, things: int) -> float:
    """The score that WRONG of some things without an effect exceed; most have no score at all."""
    worst = np.sort(scores)[::-1]
    allowed = int(WRONG * max(1, things))
    return float(worst[allowed]) if len(worst) > allowed else -30.0


def fit(files: list[Path]) -> None:
    """Print the weights."""
    for what, name in enumerate(("shadows", "mirrors")):
        rows, x = [], []
        for file in files:
            with np.load(file) as held:
                rows.append(held["rows"][held["rows"][:, 1] == what])
                x.append(held[f"signs{what}"])
        every = np.concatenate(rows)
        signs = np.concatenate(x)
        seen = every[every[:, 2] >= 0]
        y = (seen[:, 2] >= RIGHT_FROM).astype(np.float64)
        held_out = np.zeros(len(y))
        for fold in range(5):
            out = seen[:, 0] % 5 == fold
            w, b = regression(signs[~out], y[~out])
            held_out[out] = signs[out] @ w + b
        nothing = every[:, 4] == 0
        free = seen[:, 4] == 0
        least = _threshold(held_out[free], int(nothing.sum()))
        w, b = regression(signs, y)
        bias = b - least + float(np.log(SURE / (1 - SURE)))
        wanted = every[:, 3] > 0
        got = (held_out > least) & (seen[:, 3] > 0)
        right = got & (y > 0)
        count = len(every), int(wanted.sum()), int(nothing.sum())
        print("# {}: {} things, {} with, {} without any".format(name, *count))
        wrong = held_out[free] > least
        rough = every[:, 5] > np.median(every[nothing, 5])
        worse = wrong[seen[free, 5] > np.median(every[nothing, 5])]
        shares = wrong.sum() / max(1, count[2]), worse.sum() / max(1, (nothing & rough).sum())
        print("#   wrongly {:.4f}, on the rougher half of the grounds {:.4f}".format(*shares))
        print(f"#   taken {got.sum() / wanted.sum():.3f}, rightly {right.sum() / wanted.sum():.3f}")
        print("WEIGHTS =", np.array2string(w, separator=", ", precision=3, max_line_width=88))
        print(f"BIAS = {bias:.2f}")


def main() -> None:
    """Collect or fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["collect", "fit"])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.what == "collect":
        collect(args.files[0], args.worlds, args.scenes, args.first)
    else:
        fit(args.files)


if __name__ == "__main__":
    main()
