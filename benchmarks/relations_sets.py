"""One recolour of a set: does it reach the twin, and do both get the same colour?

Scenes of relations_pairs.py. A thing is selected and recoloured ("make it red"); of what the plan
shows, the twins are switched on. Per scene: whether the twin was offered, and after the edit the
angle between the hues of the two (OKLab, means over each region), where both have a hue.

    python benchmarks/relations_sets.py [--split development|test] [--scenes N]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from relations_pairs import make
from removal import Bool2D

from editanything.backends.classical.oklab import lab_of
from editanything.editor import Editor
from editanything.types import Mask, Region

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "teal")
LEAST_CHROMA = 0.02  # of OKLab: greyer means have no hue


def hue_of(image: NDArray[np.uint8], mask: Bool2D) -> float | None:
    """The hue in degrees of the mean colour inside a mask's rim; None where it is grey."""
    inside = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    a, b = lab_of(image)[inside if inside.any() else mask].mean(0)[1:]
    return float(np.degrees(np.arctan2(b, a))) if np.hypot(a, b) > LEAST_CHROMA else None


def angle(one: float, other: float) -> float:
    """The angle between two hues, 0..180 degrees."""
    return abs((one - other + 180) % 360 - 180)


def main() -> None:
    """Measure, then print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=["development", "test"], default="test")
    parser.add_argument("--scenes", type=int, default=30)
    args = parser.parse_args()
    editor = Editor.from_preset()
    offered, errors, grey = 0, [], 0
    for seed in range(args.scenes):
        image, shapes, names, truth = make(seed, args.split)
        regions = tuple(
            Region(i + 1, Mask.of(m), names.get(i + 1, "")) for i, m in enumerate(shapes)
        )
        seen = editor.segmenter.look(image, known=regions)
        looked = replace(editor.look(image), seen=seen)
        _, a, b = next(edge for edge in truth if edge[0] == "twin")
        colour = COLOURS[seed % len(COLOURS)]
        plan = editor.plan(looked, f"make it {colour}", selection=shapes[a - 1])
        twins = [
            i
            for i, r in enumerate(plan.related)
            if r.type in ("twin", "same_kind") and (r.mask & shapes[b - 1]).any()
        ]
        if not twins:
            continue
        offered += 1
        result = plan.switch(twins[0], True).apply().image
        hues = hue_of(result, shapes[a - 1]), hue_of(result, shapes[b - 1])
        if hues[0] is None or hues[1] is None:
            grey += 1
        else:
            errors.append(angle(hues[0], hues[1]))
    near = [error <= 3 for error in errors]
    summary = {
        "benchmark": "relations_sets",
        "split": args.split,
        "scenes": args.scenes,
        "offered": round(offered / args.scenes, 3),
        "without_hue": grey,
        "hue_error_median_deg": round(float(np.median(errors)), 2) if errors else None,
        "hue_error_p90_deg": round(float(np.percentile(errors, 90)), 2) if errors else None,
        "within_3_deg": round(float(np.mean(near)), 3) if errors else None,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
