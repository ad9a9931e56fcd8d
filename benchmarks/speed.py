"""Seconds per edit of a 1024-px photo with a ready selection, for every operation.

    python benchmarks/speed.py [--repeat 3] [--side 1024]

Whole edits are timed, from the array to the result: parsing, planning, painting, compositing,
recipe. The goal: under 2 s for every operation but remove and outpaint (under 10 s), on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import cv2
import numpy as np

from editanything import Editor, Mask, Selection
from editanything.examples import EXAMPLES
from editanything.image import Picture

COMMANDS = {
    "remove": "remove it",
    "modify": "make it teal",
    "blur": "blur it",
    "sharpen": "sharpen it",
    "brighten": "brighten it",
    "darken": "darken it",
    "grayscale": "make it black and white",
    "saturate": "saturate it",
    "desaturate": "desaturate it",
    "pixelate": "pixelate it",
    "denoise": "denoise it",
    "denoise all": "denoise the image",
    "blur background": "blur the background",
    "move": "move it to the right",
    "duplicate": "duplicate it",
    "resize": "make it half the size",
    "rotate": "rotate it by 30 degrees",
    "flip": "flip it horizontally",
    "background colour": "make the background white",
    "background picture": "replace the background with image B",
    "paste": "put the cup from image B here",
    "crop": "crop to the selection",
    "flip all": "flip the image horizontally",
    "upscale": "upscale the image 2x",
    "outpaint": "extend the picture to the right by 25%",
}
SLOW = {"remove": 10.0, "outpaint": 10.0}


def main() -> None:
    """Print the table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--side", type=int, default=1024)
    arguments = parser.parse_args()

    photo = Picture.open(EXAMPLES["coffee"].path).rgb()
    scale = arguments.side / max(photo.shape[:2])
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    spoon = next(r.mask for r in EXAMPLES["coffee"].regions() if r.label == "spoon").full()
    size = (photo.shape[1], photo.shape[0])
    mask = cv2.resize(spoon.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    selection = Selection(mask=Mask.of(mask))
    reference = EXAMPLES["coffee"].path

    editor = Editor.from_preset("default")
    print(f"{size[0]}x{size[1]} px, selection {mask.mean():.1%}, median of {arguments.repeat}")
    print(f"{'operation':20} {'seconds':>8} {'goal':>6}")
    medians, missed = {}, []
    for name, text in COMMANDS.items():
        second = reference if "image B" in text else None
        times = []
        for _ in range(arguments.repeat):
            start = time.perf_counter()
            editor.edit(photo, text, selection=selection, reference=second)
            times.append(time.perf_counter() - start)
        medians[name] = round(statistics.median(times), 3)
        goal = SLOW.get(name, 2.0)
        if medians[name] >= goal:
            missed.append(name)
        print(f"{name:20} {medians[name]:8.2f} {goal:6.0f}")
    print(json.dumps({"side_px": arguments.side, "seconds": medians, "missed": missed}))


if __name__ == "__main__":
    main()
