"""Things of photographs by everyday nouns: how many are found, how often is one that is not there?

    python benchmarks/photographed.py [--more FOLDER]

Photographs of scikit-image and of gradio, which are installed with this package. Every noun of
`editanything/grounders/imagenet.txt` is asked for in each, through the default segmenter: "found":
of the nouns for what is to be seen (told below by hand); "wrong": share of all other questions that
found something; and the IoU of what is found in the shipped examples with its outline by hand.
--more: pictures of one's own, for which it prints what is found of all nouns, to be looked at.
Prints a line a picture, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from grounding_photos import photographs

from editanything.examples import EXAMPLES
from editanything.grounders.imagenet import everyday_nouns, numbers
from editanything.grounders.photographed import find_photographed
from editanything.image import Picture
from editanything.masks import iou
from editanything.preset import build, load_preset
from editanything.types import Mask
from mdt.features.photographs import open_photographs

#: Picture: what one would ask for | other words that are not wrong.
THERE = {
    "coffee": "cup spoon coffee | mug espresso table bowl plate dish tray",
    "cat": "cat | kitten kitty animal lynx tiger leopard cheetah big cat",
    "astronaut": "helmet rocket | shuttle space shuttle crash helmet plane airplane vehicle",
    "rocket": "rocket | tower shuttle space shuttle vehicle",
    "camera": "camera tripod | tower",
    "motorcycle": "motorcycle | motorbike scooter moped wheel vehicle bike bicycle box clock",
    "cheetah": "cheetah | animal big cat leopard jaguar cat",
    "cheetah1": "cheetah | animal big cat leopard jaguar cat",
    "lion": "lion | animal big cat cat",
    "tower": "tower | building bridge castle",
}  # fmt: skip
_OWN = {"motorcycle_left": "motorcycle"}


def pictures() -> Iterator[tuple[str, np.ndarray]]:
    """(name, RGB uint8) of those that are installed."""
    import gradio

    for name, picture in photographs():
        yield _OWN.get(name, name), picture
    folder = Path(gradio.__file__).parent / "media_assets" / "images"
    for name in ("cheetah.jpg", "cheetah1.jpg", "lion.jpg", "tower.jpg"):
        yield Path(name).stem, Picture.open(folder / name).rgb()


def asked(picture: np.ndarray) -> tuple[dict[str, tuple[Mask, ...]], float]:
    """What each noun finds in a picture, where it does, and the seconds of CPU for all nouns."""
    segmenter = build("segmenter", load_preset("default", {}).segmenter)
    seen, kinds, begun = segmenter.look(picture), open_photographs().kinds, time.process_time()
    known: dict[tuple[int, ...], tuple[Mask, ...]] = {}
    for noun in everyday_nouns():
        ids = numbers(noun, kinds)
        if ids not in known:
            known[ids] = find_photographed(seen, noun)
    found = {noun: known[numbers(noun, kinds)] for noun in everyday_nouns()}
    return {noun: masks for noun, masks in found.items() if masks}, time.process_time() - begun


def outlined(name: str, noun: str, found: Sequence[Mask]) -> float | None:
    """The best IoU of what was found with an example's outline of that name; None: it has none."""
    regions = EXAMPLES[name].regions() if name in EXAMPLES else ()
    pairs = [iou(mask, r.mask) for mask in found for r in regions if r.label == noun]
    return round(max(pairs), 3) if pairs else None


def main() -> None:
    """Ask and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--more", type=Path)
    arguments = parser.parse_args()
    if arguments.more:
        for path in sorted(arguments.more.iterdir()):
            found, seconds = asked(Picture.open(path).rgb())
            print(path.name, {noun: len(masks) for noun, masks in found.items()}, flush=True)
        return
    sought, right, questions, wrong = 0, 0, 0, 0
    for name, picture in pictures():
        found, seconds = asked(picture)
        there, _, others = THERE.get(name, "").partition("|")
        fine = set(there.split()) | set(others.split()) | {" ".join(others.split())}
        fine |= {noun for noun in found if any(word in fine for word in noun.split())}
        own = [noun for noun in there.split() if found.get(noun)]
        bad = [noun for noun in found if noun not in fine]
        sought, right = sought + len(there.split()), right + len(own)
        questions, wrong = questions + len(set(everyday_nouns()) - fine), wrong + len(bad)
        told = {noun: outlined(name, noun, found[noun]) for noun in own}
        print(f"{name}: found {told} of {there.split()}, wrong {bad}, {seconds:.0f} s", flush=True)
    print(json.dumps({
        "sought": sought, "found": right, "questions": questions, "wrong": wrong,
        "wrong_share": round(wrong / questions, 5),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
