"""Do the distances of our feature networks rise with damage, and by how much over the noise floor?

    python benchmarks/feature_sanity.py --data test.parquet [--features cifar,convnet=FILE]

Half of the pictures are the reference, the other half is damaged: blur, noise, JPEG, classes left
out, each stronger from step to step. Step 0 is the noise floor: the other half as it is (as many
pictures as the step with fewest, where classes are left out). Prints a table, then one JSON line;
exit code 1 if a Fréchet distance does not rise with every step.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from mdt.data import open_source
from mdt.evaluate import compare
from mdt.features import open_features
from mdt.features.counting import Counting, count

BLUR_SIGMA_PX = (0.4, 0.6, 0.9, 1.4)
NOISE_LEVELS = (4, 8, 16, 32)
# Not 50 to 60 where the pictures are JPEG of quality 75 already: steps about twice as coarse round
# most odd coefficients away from zero, which sharpens, and is further off than the coarser 40.
JPEG_QUALITIES = (70, 40, 20, 5)
CLASSES_LEFT_OUT = (1, 2, 4, 6)
SHOWN = ("frechet", "sfid", "kid", "kid_error", "precision", "recall")

Step = tuple[str, float, np.ndarray]


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (n, H, W, 3) and labels (n,) of a Parquet file."""
    source = open_source("parquet", path)
    found = [source.read(i) for i in range(len(source))]
    return np.stack([picture for picture, _ in found]), np.array([label for _, label in found])


def jpeg(pictures: np.ndarray, quality: int) -> np.ndarray:
    """The pictures after compression."""
    out = []
    for picture in pictures:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(file)))
    return np.stack(out)


def damaged(pictures: np.ndarray, labels: np.ndarray) -> Iterator[Step]:
    """(kind, strength, pictures), kind by kind, each from 0 on."""
    kinds = "blur", "noise", "jpeg"
    yield from ((kind, 0, pictures) for kind in kinds)
    for sigma in BLUR_SIGMA_PX:
        yield "blur", sigma, gaussian_filter(pictures, (0, sigma, sigma, 0))
    draw = np.random.default_rng(0)
    for level in NOISE_LEVELS:
        noisy = pictures + draw.normal(0, level, pictures.shape)
        yield "noise", level, noisy.round().clip(0, 255).astype(np.uint8)
    for quality in JPEG_QUALITIES:
        yield "jpeg", quality, jpeg(pictures, quality)
    classes = np.unique(labels)
    fewest = np.isin(labels, classes[max(CLASSES_LEFT_OUT) :]).sum()
    for number in (0, *CLASSES_LEFT_OUT):
        kept = np.flatnonzero(np.isin(labels, classes[number:]))
        yield "classes", number, pictures[draw.permutation(kept)[:fewest]]


def measure(pictures: np.ndarray, labels: np.ndarray, features: str) -> dict[str, dict]:
    """Scores of all steps in the features of one network: kind -> strength -> scores."""
    name, _, weights = features.partition("=")
    how = Counting(open_features(name, weights or None), batch=100)
    half = len(pictures) // 2
    reference = count(pictures[:half], how)
    found: dict[str, dict] = {}
    for kind, strength, other in damaged(pictures[half:], labels[half:]):
        scores = compare(count(other, how), reference, ["frechet", "sfid", "kid", "precision"])
        found.setdefault(kind, {})[f"{strength:g}"] = scores
        numbers = " ".join(f"{scores[name]:>10.5f}" for name in SHOWN)
        print(f"{name:8} {kind:8} {strength:>6g} {len(other):>6} {numbers}", flush=True)
    return found


def main() -> int:
    """Print the table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="TEST.parquet")
    parser.add_argument("--features", default="cifar", metavar="A,B=FILE")
    arguments = parser.parse_args()
    pictures, labels = read(arguments.data)
    names = arguments.features.split(",")
    print(
        f"{'features':8} {'damage':8} {'step':>6} {'n':>6} " + " ".join(f"{n:>10}" for n in SHOWN)
    )
    results = {name: measure(pictures, labels, name) for name in names}
    rises = {
        name: {
            kind: bool((np.diff([scores["frechet"] for scores in steps.values()]) > 0).all())
            for kind, steps in found.items()
        }
        for name, found in results.items()
    }
    line = {"benchmark": "feature_sanity", "pictures": len(pictures), "rises": rises}
    if len(names) > 1:
        columns = [
            [scores["frechet"] for steps in found.values() for scores in steps.values()]
            for found in results.values()
        ]
        line["rank_correlation"] = round(float(spearmanr(columns[0], columns[1]).statistic), 4)
    print(json.dumps({**line, "scores": results}))
    return 0 if all(all(kinds.values()) for kinds in rises.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
