"""How much a second prompt costs on a held embedding: SAM ViT-B at its real size, random weights.

    python benchmarks/sam_held.py [kind]

kind: sam (the default) or sam2. Nothing is downloaded. Prints a table, then one JSON line.
"""

import json
import sys
import time

import numpy as np

from editanything.types import Point, Selection


def main() -> None:
    """Time the first prompt and the following ones."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "sam"
    segmenter = {"sam": sam, "sam2": sam2}[kind]()
    image = np.random.default_rng(0).integers(0, 256, (768, 1024, 3)).astype(np.uint8)
    seen = segmenter.look(image)
    prompts = [
        Selection(points=(Point(300, 300),)),
        Selection(points=(Point(600, 200),)),
        Selection(boxes=((100, 100, 500, 400),)),
        Selection(points=(Point(300, 300), Point(700, 600, positive=False))),
    ]
    seconds = []
    for prompt in prompts:
        start = time.perf_counter()
        seen.select(prompt)
        seconds.append(time.perf_counter() - start)
    names = ("first click (embeds)", "second click", "box", "click and negative click")
    for name, taken in zip(names, seconds, strict=True):
        print(f"{name:<26}{taken:8.3f} s")
    ratio = max(seconds[1:]) / seconds[0]
    print(f"slowest later prompt / first: 1/{1 / ratio:.0f}")
    told = {"kind": kind, "first_s": seconds[0], "later_s": seconds[1:], "ratio": ratio}
    print(json.dumps(told | {"holds": ratio <= 1 / 20}))


def sam() -> object:
    """ViT-B of the segment-anything package."""
    from segment_anything import sam_model_registry

    from editanything.segmenters.sam import SamSegmenter

    return SamSegmenter(sam_model_registry["vit_b"](), device="cpu")


def sam2() -> object:
    """The published configuration of SAM 2, tiny."""
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    from editanything.segmenters.sam2 import Sam2Segmenter

    processor = Sam2Processor(Sam2ImageProcessor())
    return Sam2Segmenter(Sam2Model(Sam2Config()), processor, device="cpu")


if __name__ == "__main__":
    main()
