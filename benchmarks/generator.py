"""What the shipped generator draws: named things, new colours, halves, pairs; and how fast.

    python benchmarks/generator.py STICKERS [--model FOLDER] [--judge FOLDER] [--sheet SHEET.png]

STICKERS is a folder that `mdt data stickers` wrote. Nothing is chosen: names and seeds are drawn
from `--seed`, and no seed was trained on. A judge that was trained apart from the generator, on
stickers as they are and in views of its own, says what it sees. Prints tables and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage.color import rgb2lab

from mdt import Pipeline
from mdt.data import open_source
from mdt.data.stickers.examples import pair
from mdt.features.judge import open_judge

STEPS, GUIDANCE = 20, 2.5
COLOURS = ("red", "blue", "green", "purple", "yellow", "pink")


def draw(pipe: Pipeline, prompts: list[str], seed: int, **more: Any) -> list[np.ndarray]:
    """RGBA pictures, uint8 (H, W, 4)."""
    settings = {"style": "fluent", "num_inference_steps": STEPS, "guidance_scale": GUIDANCE, **more}
    made = []
    for start in range(0, len(prompts), 16):
        some = prompts[start : start + 16]
        made += pipe(prompt=some, seed=seed + start, **settings).images
    return [np.asarray(picture) for picture in made]


def on_white(picture: np.ndarray) -> np.ndarray:
    """RGBA -> float (H, W, 3) in 0 to 1."""
    alpha = picture[..., 3:] / 255
    return picture[..., :3] / 255 * alpha + 1 - alpha


def sheet(pictures: list[np.ndarray], columns: int = 16) -> Image.Image:
    """Pictures side by side on white."""
    rows = -(-len(pictures) // columns)
    side = pictures[0].shape[0]
    out = np.ones((rows * side, columns * side, 3))
    for i, picture in enumerate(pictures):
        y, x = divmod(i, columns)
        out[y * side : (y + 1) * side, x * side : (x + 1) * side] = on_white(picture)
    return Image.fromarray(np.rint(out * 255).astype(np.uint8))


def halves(
    pipe: Pipeline,
    source: Any,
    names: list[str],
    rng: np.random.Generator,
    judge: Any,
    *,
    told_names: bool = True,
) -> dict[str, float]:
    """Half of each sticker drawn anew: the step across the seam, and what the judge sees.

    Without `told_names` no words are given, and so no guidance.
    """
    more = {} if told_names else {"guidance_scale": 1.0}
    labels = [source.names[label] for label in source.labels]
    ratios, made, told = [], [], []
    for name in names:
        known = source.read(labels.index(name))[0]
        hidden = np.zeros(known.shape[:2], bool)
        axis, side = int(rng.integers(2)), len(known) // 2
        hidden[(slice(side, None), slice(None))[:: 1 if axis == 0 else -1]] = True
        words, seed = [name if told_names else ""], int(rng.integers(1 << 30))
        (drawn,) = draw(pipe, words, seed, image=known, mask=hidden, **more)
        across = [np.abs(np.diff(on_white(p), axis=axis)).mean(2) for p in (drawn, known)]
        here, there = (np.take(a, side - 1, axis=axis).mean() for a in across)
        if there > 0.004:  # something crosses the seam
            ratios.append(here / there)
        made.append(drawn)
        told.append(name)
    seen = judge.accuracies(made, told) if judge else {}
    return {
        "seam_over_natural": float(np.median(ratios)),
        **{f"half_{k}": v for k, v in seen.items()},
    }


def pairs(pipe: Pipeline, source: Any, count: int, rng: np.random.Generator) -> dict[str, float]:
    """Two of the same drawn together, or each alone: how often their colours agree (ΔE <= 6)."""
    together, alone = [], []
    for _ in range(count):
        example = pair(rng, source, int(rng.integers(len(source))))
        seed = int(rng.integers(1 << 30))
        hidden = np.ones(example.image.shape[:2], bool)
        (both,) = draw(pipe, [example.prompt], seed, image=example.image, mask=hidden)
        (other,) = draw(pipe, [example.prompt], seed + 1, image=example.image, mask=hidden)
        half = both.shape[1] // 2
        together.append(_apart(both[:, :half], both[:, half:]))
        alone.append(_apart(both[:, :half], other[:, half:]))
    return {
        "pairs_agree_together": float(np.mean(np.array(together) <= 6)),
        "pairs_agree_alone": float(np.mean(np.array(alone) <= 6)),
    }


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """ΔE between the mean colours of two things; far, where one is missing."""
    means = []
    for picture in (a, b):
        solid = picture[..., 3] > 127
        if solid.sum() < 40:
            return 100.0
        means.append(rgb2lab(picture[..., :3][solid].mean(0)[None, None] / 255)[0, 0])
    return float(np.linalg.norm(means[0] - means[1]))


def main() -> None:
    """Print the tables and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stickers", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--count", type=int, default=128)
    parser.add_argument("--seed", type=int, default=2026)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    pipe = Pipeline.from_pretrained(arguments.model)
    pipe.set_progress_bar_config(disable=True)
    judge = open_judge(arguments.judge) if arguments.judge else open_judge()
    known = list(pipe.id2label.values())
    names = [known[i] for i in rng.permutation(len(known))]
    prompts = [names[i % len(names)] for i in range(arguments.count)]
    begin = time.perf_counter()
    first = draw(pipe, prompts[:64], arguments.seed)
    told: dict[str, Any] = {"names": len(known), "seconds_for_64": time.perf_counter() - begin}
    told["threads"] = torch.get_num_threads()
    made = first + draw(pipe, prompts[64:], arguments.seed + 64)
    if arguments.sheet:
        sheet(first).save(arguments.sheet)
    told |= {f"thing_{k}": v for k, v in judge.accuracies(made, prompts).items()}
    source = open_source(
        "stickers", arguments.stickers, size=made[0].shape[0], split="train", styles=["fluent"]
    )
    told |= halves(pipe, source, names[:32], rng, judge)
    held = open_source(
        "stickers", arguments.stickers, size=made[0].shape[0], split="held", styles=["fluent"],
        groups=["animals", "food"],
    )  # fmt: skip
    unseen = [held.names[label] for label in held.labels][:16]
    told |= {f"held_{k}": v for k, v in halves(pipe, held, unseen, rng, None).items()}
    told |= pairs(pipe, source, 24, rng)
    silent = halves(pipe, held, unseen, rng, None, told_names=False)
    told |= {f"held_without_words_{k}": v for k, v in silent.items()}
    for key, value in told.items():
        print(f"{key:28} {value:.4g}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
