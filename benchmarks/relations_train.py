"""Train the small network that finds shadows and mirror images (editanything/relations/network.py).

    python benchmarks/relations_train.py collect FOLDER [--first N] [--scenes N]
    python benchmarks/relations_train.py train FOLDER -o WEIGHTS [--minutes M] [--start WEIGHTS]

`collect` draws scenes of relations_worlds.py and writes, for each of their things, the planes that
the network sees (clues.py) with the truth beside them: three minutes of a core for 1000 scenes.
`train` learns from what lies in FOLDER, for so many minutes of a core; every eighth file is held
out. Masks are rough in a third of the cases, and other things are not always known.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything import masks
from editanything.relations.clues import clues
from editanything.relations.search import search
from editanything.relations.view import look_at
from editanything.types import Mask

PER_FILE = 50  # scenes
Floats = NDArray[np.float32]
LEAST_PX = 120
_HELD_OUT = 8


def examples(seed: int) -> Iterator[tuple[Floats, Floats]]:
    """The planes (n, h, w) and the truth (2, h, w) for each thing of a world."""
    from relations_worlds import make_world

    world = make_world(seed)
    rng = np.random.default_rng([seed, 99])
    image = world.render()
    shapes = [world.mask(i) for i in range(len(world.things))]
    known = [i for i in range(len(shapes)) if shapes[i].sum() >= LEAST_PX]
    told = known if rng.random() < 0.8 else [i for i in known if rng.random() < 0.4]
    looked = {}
    for i in known:
        mask = Mask.of(shapes[i])
        if rng.random() < 0.35:
            rough = masks.grow(mask, int(rng.integers(-2, 4)))
            mask = rough if rough.area >= 64 else mask
        rest = [shapes[j] for j in told if j != i]
        others = np.logical_or.reduce(rest) if rest else np.zeros(mask.shape, bool)
        looked[i] = search(look_at(image, mask, others))
    for i in known:
        own = looked[i]
        planes, small = clues(own, [looked[j] for j in told if j != i])
        truth = np.stack([_reduced(e, own.view.box, small.shape) for e in world.effects(i, image)])
        yield planes, truth


def _reduced(effect: NDArray[np.bool_], box: Any, shape: tuple[int, int]) -> Floats:
    x0, y0, x1, y1 = box
    crop = effect[y0:y1, x0:x1].astype(np.float32)
    return cv2.resize(crop, shape[::-1], interpolation=cv2.INTER_AREA)


def collect(folder: Path, first: int, scenes: int) -> None:
    """Write the examples of many worlds."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(first, first + scenes, PER_FILE):
        out: dict[str, NDArray[Any]] = {}
        count = 0
        for seed in range(start, start + PER_FILE):
            for planes, truth in examples(seed):
                out[f"x{count}"] = planes.astype(np.float16)
                out[f"y{count}"] = (255 * truth).astype(np.uint8)
                count += 1
        np.savez(folder / f"{start:06}.npz", **out)
        print(start, count, flush=True)


def net(widths: tuple[int, ...], num_planes: int) -> Any:
    """A U-Net: two convolutions a level, halved by strides, nearest neighbours on the way up."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Net(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.down, self.mix, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            last = num_planes
            for i, width in enumerate(widths):
                self.down.append(nn.Conv2d(last, width, 3, 1 if i == 0 else 2, 1))
                if i:
                    self.mix.append(nn.Conv2d(width, width, 3, 1, 1))
                last = width
            for i in range(len(widths) - 1, 0, -1):
                self.up.append(nn.Conv2d(widths[i] + widths[i - 1], widths[i - 1], 3, 1, 1))
            self.out = nn.Conv2d(widths[0], 2, 3, 1, 1)

        def forward(self, x: Any) -> Any:
            kept = []
            for i, down in enumerate(self.down):
                x = F.relu(down(x))
                if i:
                    x = F.relu(x + self.mix[i - 1](x))
                kept.append(x)
            for up, side in zip(self.up, kept[-2::-1], strict=True):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
                x = F.relu(up(torch.cat([x, side], 1)))
            return self.out(x)

    return Net()


WIDTHS = (12, 24, 40, 56, 72)


def batches(items: list[Any], rng: np.random.Generator, size: int) -> Iterator[list[Any]]:
    """Random batches of items of about one size."""
    order = sorted(range(len(items)), key=lambda i: (padded(items[i][0].shape), rng.random()))
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    for k in rng.permutation(len(groups)):
        yield [items[i] for i in groups[k]]


def padded(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width, made multiples of 16."""
    return -(-shape[-2] // 16) * 16, -(-shape[-1] // 16) * 16


def stacked(batch: list[Any], rng: np.random.Generator | None) -> tuple[Floats, Floats]:
    """One array of planes and one of truths; turned and re-lit at random with a generator."""
    from editanything.relations.clues import PLANES, turned

    height = max(padded(x.shape)[0] for x, _ in batch)
    width = max(padded(x.shape)[1] for x, _ in batch)
    xs = np.zeros((len(batch), len(PLANES), height, width), np.float32)
    ys = np.zeros((len(batch), 2, height, width), np.float32)
    for k, (x, y) in enumerate(batch):
        x, y = x.astype(np.float32), y.astype(np.float32) / 255
        if rng is not None:
            if rng.random() < 0.5:
                x, y = turned(x), y[..., ::-1]
            x = x.copy()
            x[:3] = x[rng.permutation(3)] * np.float32(rng.uniform(0.7, 1.3))
            x[:3] += rng.normal(0, 0.05, (3, 1, 1)).astype(np.float32)
        xs[k, :, : x.shape[1], : x.shape[2]] = x
        ys[k, :, : y.shape[1], : y.shape[2]] = y
    return xs, ys


def loss_of(logits: Any, truth: Any, x: Any) -> Any:
    """Cross entropy where the truth may be seen, and a soft Dice for each effect that is there."""
    import torch
    from torch.nn import functional as F

    from editanything.relations.clues import PLANES

    free = x[:, PLANES.index("inside")] * (1 - x[:, PLANES.index("thing")])
    free = free[:, None]
    each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * free
    cross = each.sum((2, 3)) / free.sum((2, 3)).clamp(min=1)
    likely = torch.sigmoid(logits) * free
    seen = truth * free
    both = (likely * seen).sum((2, 3))
    dice = 1 - (2 * both + 4) / (likely.sum((2, 3)) + seen.sum((2, 3)) + 4)
    there = (seen.sum((2, 3)) > 6).float()
    return (8 * cross + there * dice).mean()


def train(folder: Path, out: Path, minutes: float, start: Path | None) -> None:
    """Learn for some minutes of a core."""
    import torch
    from safetensors.torch import load_file, save_file

    from editanything.relations.clues import PLANES

    files = sorted(folder.glob("*.npz"))
    data: list[list[Any]] = [[], []]
    for k, file in enumerate(files):
        with np.load(file) as held:
            for i in range(len(held.files) // 2):
                data[k % _HELD_OUT == 0].append((held[f"x{i}"], held[f"y{i}"]))
    print(len(data[0]), "to learn from,", len(data[1]), "held out", flush=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = net(WIDTHS, len(PLANES))
    if start is not None:
        model.load_state_dict(load_file(start))
    model = model.to(memory_format=torch.channels_last)
    best = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    rng = np.random.default_rng(int(time.time()) if start else 0)
    begun, seen, epoch = time.process_time(), 0, 0
    mean: dict[str, Any] = {}
    while (share := (time.process_time() - begun) / (60 * minutes)) < 1:
        total = []
        for batch in batches(data[0], rng, 16):
            share = (time.process_time() - begun) / (60 * minutes)
            rate = 2e-3 * min(1.0, (seen + 200) / 2000) * max(0.01, 1 - share) ** 1.2
            for group in best.param_groups:
                group["lr"] = rate
            xs, ys = (torch.from_numpy(a) for a in stacked(batch, rng))
            loss = loss_of(model(xs.contiguous(memory_format=torch.channels_last)), ys, xs)
            best.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            best.step()
            seen += len(batch)
            total.append(float(loss.detach()))
            keep = min(0.995, seen / (seen + 3000))
            for name, value in model.state_dict().items():
                mean[name] = value.clone() if name not in mean else mean[name].lerp(value, 1 - keep)
            if share >= 1:
                break
        epoch += 1
        own = {k: v.clone() for k, v in model.state_dict().items()}
        model.load_state_dict(mean)
        told = f"epoch {epoch}, {seen} seen, {share:.2f}: {np.mean(total):.4f}"
        print(told, judged(model, data[1]), flush=True)
        save_file({k: v.contiguous() for k, v in mean.items()}, out)
        model.load_state_dict(own)


def judged(model: Any, held: list[Any]) -> str:
    """The mean IoU of both effects, where they are."""
    import torch

    rows: list[list[float]] = [[], []]
    with torch.no_grad():
        for i in range(0, len(held), 16):
            xs, ys = stacked(held[i : i + 16], None)
            found = model(torch.from_numpy(xs)).numpy() > 0
            for k in (0, 1):
                for mine, true in zip(found[:, k], ys[:, k] > 0.5, strict=True):
                    if true.sum() > 6:
                        rows[k].append(float((mine & true).sum() / (mine | true).sum()))
    return json.dumps([round(float(np.mean(r)), 3) if r else None for r in rows])


def main() -> None:
    """Collect or train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["collect", "train"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--start", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.what == "collect":
        collect(args.folder, args.first, args.scenes)
    elif args.out is None:
        parser.error("train needs -o WEIGHTS")
    else:
        train(args.folder, args.out, args.minutes, args.start)


if __name__ == "__main__":
    main()
