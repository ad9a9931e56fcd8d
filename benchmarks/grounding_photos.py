"""How often does the network of words name something in a photograph that is not there?

    python benchmarks/grounding_photos.py --data STICKERS [--words FOLDER | --run RUN] [--scenes N]
        [--segmenter NAME] [--named PARQUET]

Photographs: the shipped examples and those that scikit-image ships, without their names, seen by
the default segmenter. Every name that was learned is asked for on each of them, except words for
what there is to be seen. "wrong": share of the questions that found something. As a counterpart,
the same segmenter on scenes never trained on: "found": share of the things asked for of which the
best region is believed and covers the true one (IoU >= 0.5); "believed": whatever it covers;
"absent": nothing found for a name of none. With --named, photographs of one thing each with its
name (the test part of CIFAR-10): "real": the name is believed of the thing, "confused": so is one
of the names of other classes, "no_thing": one of the ten is believed of a region that is no thing;
and how often the own name is the best of ten. At thresholds around the card's `sure`. Prints a
table, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from grounding_encoder import SIZE, TEST_SEED, called, open_run_words

from editanything.examples import EXAMPLES
from editanything.grounders.encoder import candidates
from editanything.image import Picture
from editanything.preset import build, load_preset
from editanything.types import Segmenter
from mdt.data import SceneSource
from mdt.data.stickers.named_photos import CALLED, NamedPhotos
from mdt.data.stickers.phrases import key
from mdt.features.convnet import WEIGHTS
from mdt.features.words import Words, open_words

#: scikit-image's photographs, with words for what they show.
SHOWN = {
    "astronaut": "astronaut woman person smile face hair flag rocket space suit",
    "chelsea": "cat face animal pet eye nose ear kitten mammal",
    "coffee": "coffee cup drink spoon saucer mug tea plate table hot beverage espresso",
    "rocket": "rocket space launch light fire night spaceship cloud smoke",
    "camera": "man person camera photographer building tripod coat sky grass tower",
    "motorcycle_left": "motorcycle bike wheel tool garage vehicle clock box racing motorbike",
    "hubble_deep_field": "galaxy star space sky night planet universe milky way",
    "moon": "moon planet space night crater full moon",
    "coins": "coin money gold treasure medal",
    "retina": "eye sun moon ball circle orange planet mars",
    "horse": "horse animal face mammal racing pony",
    "brick": "brick wall bricks clay",
    "grass": "grass plant lawn field leaf herb",
    "gravel": "gravel rock stone pebble",
}
STEPS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)


def photographs() -> Iterator[tuple[str, np.ndarray]]:
    """(name, RGB uint8)."""
    from skimage import data

    for name in ("coffee", "cat", "astronaut", "rocket", "galaxies"):
        yield name, Picture.open(EXAMPLES[name].path).rgb()
    for name in ("camera", "moon", "coins", "retina", "brick", "grass", "gravel"):
        picture = np.asarray(getattr(data, name)())
        yield name, np.dstack([picture] * 3) if picture.ndim == 2 else picture
    left, _, _ = data.stereo_motorcycle()
    yield "motorcycle_left", np.asarray(left)


def wrong_scores(words: Words, segmenter: Segmenter, names: list[str]) -> dict[str, np.ndarray]:
    """By photograph: the best logit of each name that is not to be seen there."""
    alias = {"cat": "chelsea", "galaxies": "hubble_deep_field"}
    found = {}
    for title, image in photographs():
        shown = {key(word) for word in SHOWN[alias.get(title, title)].split()}
        asked = [n for n in names if not any(key(word) in shown for word in n.split())]
        regions = candidates(segmenter.look(np.ascontiguousarray(image)))
        masks = [region.mask.full() for region in regions]
        found[title] = words.logits(words.regions(image, masks, closely=True), asked).max(axis=0)
    return found


def scene_scores(
    words: Words, segmenter: Segmenter, source: SceneSource, number: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(logits of things there, IoU of the region that has it, logits of names of none)."""
    names = sorted({source.stickers.names[label] for label in source.stickers.labels})
    there, overlap, absent = [], [], []
    for i in range(number):
        scene = source.scene(i)
        rng = np.random.default_rng([source.seed, i])
        every = set().union(*(called(source, thing.label) for thing in scene.things))
        others = [str(n) for n in rng.permutation(names)[:4] if key(n) not in every]
        masks = [r.mask.full() for r in candidates(segmenter.look(scene.image))]
        own = sorted({thing.name for thing in scene.things})
        seen = words.regions(scene.image, masks, closely=True)
        logits = words.logits(seen, own + others)
        for j, name in enumerate(own):
            best = masks[int(logits[:, j].argmax())]
            true = [t.mask for t in scene.things if key(name) in called(source, t.label)]
            there.append(logits[:, j].max())
            overlap.append(max((best & t).sum() / (best | t).sum() for t in true))
        absent += list(logits[:, len(own) :].max(axis=0))
    return np.array(there), np.array(overlap), np.array(absent)


def real_scores(words: Words, path: Path, number: int) -> tuple[np.ndarray, ...]:
    """(logit of the own name, best logit of another class's) of things in photographs.

    And the best logit of any name for regions beside, around and within things.
    """
    photos = NamedPhotos(path)
    rng = np.random.default_rng(TEST_SEED)
    own, other, none = [], [], []
    for _ in range(number):
        image, mask, called_so = photos.crop(rng, 64)
        x = torch.from_numpy(np.concatenate([image.transpose(2, 0, 1), mask[None]]) * 2 - 1)
        names = [CALLED[name][0] for name in photos.names]
        with torch.no_grad():
            # The crop is all there is: it cannot be looked at from farther away.
            looks = [words.network.regions(y[None].float()) for y in (x, x.flip(2))]
            logits = words.logits((looks[0] + looks[1]) / 2, names)[0]
        if not called_so:
            none.append(logits.max())
            continue
        mine = names.index(called_so[0])
        own.append(logits[mine])
        other.append(np.delete(logits, mine).max())
    return np.array(own), np.array(other), np.array(none)


def main() -> None:
    """Print the table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--words", type=Path, default=WEIGHTS / "words")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--segmenter", help="another than the default preset's")
    parser.add_argument("--named", type=Path, help="photographs of one thing each, with names")
    arguments = parser.parse_args()
    told_name = {"name": arguments.segmenter} if arguments.segmenter else None
    segmenter = build("segmenter", told_name or load_preset("default", {}).segmenter)
    words = open_run_words(arguments.run, 0.0) if arguments.run else open_words(arguments.words)
    at = words.card["sure"] if arguments.threshold is None else arguments.threshold
    source = SceneSource(arguments.data, size=SIZE, seed=TEST_SEED)
    names = sorted({source.stickers.names[label] for label in source.stickers.labels})
    photos = wrong_scores(words, segmenter, names)
    there, overlap, absent = scene_scores(words, segmenter, source, arguments.scenes)
    every = np.concatenate(list(photos.values()))
    real = real_scores(words, arguments.named, 1000) if arguments.named else None
    told: dict[str, dict[str, float]] = {}
    for step in STEPS:
        over = float(at) + step
        told[f"{step:+g}"] = {
            "wrong": float((every >= over).mean()),
            "found": float(((there >= over) & (overlap >= 0.5)).mean()),
            "believed": float((there >= over).mean()),
            "absent": float((absent < over).mean()),
        }
        if real is not None:
            told[f"{step:+g}"]["real"] = float((real[0] >= over).mean())
            told[f"{step:+g}"]["confused"] = float((real[1] >= over).mean())
            told[f"{step:+g}"]["no_thing"] = float((real[2] >= over).mean())
        line = "  ".join(f"{name} {value:.4f}" for name, value in told[f"{step:+g}"].items())
        print(f"threshold {over:6.2f}  {line}")
    if real is not None:
        print(f"real things whose own name is the best of ten: {(real[0] > real[1]).mean():.3f}")
    for title, scores in photos.items():
        order = np.argsort(-scores)[:3]
        asked = ", ".join(f"{scores[i]:.1f}" for i in order)
        print(f"{title:18} best logits of names that are not there: {asked}")
    print(json.dumps({"threshold": float(at), "questions": len(every), **told}))


if __name__ == "__main__":
    main()
