"""Train the small networks that find shadows and mirror images (editanything/relations/network.py).

    python benchmarks/relations_train.py collect FOLDER [--look first|again] [--from N] [--scenes N]
    python benchmarks/relations_train.py train FOLDER -o WEIGHTS [--minutes M] [--start WEIGHTS]

`collect` draws scenes of relations_worlds.py and writes, for each of their things, the planes that
a network sees (clues.py) with the truth beside them: seven minutes of a core for 1000 scenes. What
the second look is told comes from the networks as they ship, of the first look in half of the
worlds and of the second in the others, since the second network looks twice; so the first is
trained before the other. `--start` takes weights of fewer planes too: what they lack begins at
zero. `train` learns from what lies in FOLDER, and from what is being added, for so many minutes;
every eighth file is held out. Masks are rough in a third of the cases or made by one click, and
other things are not always known.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.relations.clues import PLANES
from editanything.relations.scene import LOOKS, Scene
from editanything.types import Mask

PER_FILE = 50  # scenes
Floats = NDArray[np.float32]
LEAST_PX = 120
BY_CLICK = 0.06  # of the worlds have masks of one click
ALONE, SOME = 0.1, 0.2  # up to here, things are told alone, or some of them
LEAST_SEEN_PX = 6  # of an effect, in what the network sees
RATE = 2e-3
FILES_AT_ONCE, TELL_EVERY_S = 8, 150.0
_HELD_OUT = 8


def examples(seed: int, look: str = "again") -> Iterator[tuple[Floats, Floats]]:
    """The planes (n, h, w) of a look and the truth (2, h, w), for each thing of a world."""
    from relations_worlds import make_world, photographed

    world = make_world(seed)
    rng = np.random.default_rng([seed, 99])
    rendered = world.render()
    image = photographed(rendered, rng)
    shapes = [world.mask(i) for i in range(len(world.things))]
    known = [i for i in range(len(shapes)) if shapes[i].sum() >= LEAST_PX]
    truth = {i: world.effects(i, rendered) for i in known}
    given = {i: Mask.of(m) for i, m in seen_masks(rng, image, shapes, known, truth).items()}
    company, times = rng.random(), int(rng.integers(1, LOOKS + 1))
    together = [known]
    if company < ALONE:
        together = [[i] for i in known]
    elif company < SOME:
        together = [[i for i in known if rng.random() < 0.6]]
    for told in together:
        scene = Scene(image, [given[i] for i in told])
        for place, i in enumerate(told):
            if scene.beside(place) is None:
                continue
            told_of = scene.again(place, times) if look == "again" else scene.look(place).clues
            planes, view = told_of.planes, scene.search(place).view
            yield planes, np.stack([_reduced(e, view.box, planes.shape[1:]) for e in truth[i]])


def seen_masks(
    rng: np.random.Generator,
    image: NDArray[np.uint8],
    shapes: list[NDArray[np.bool_]],
    known: list[int],
    truth: Mapping[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> dict[int, NDArray[np.bool_]]:
    """The masks that are told: true ones, rough ones, or those of one click."""
    from relations_masks import by_click, roughened

    out = {i: shapes[i] for i in known}
    if rng.random() < BY_CLICK:
        clicked = by_click(image, [shapes[i] for i in known])
        most = 0.3 * image[..., 0].size
        out |= {i: m for i, m in zip(known, clicked, strict=True) if 64 <= m.sum() <= most}
    elif rng.random() < 0.5:
        for i in known:
            if rng.random() < 0.6:
                out[i] = roughened(rng, shapes[i], truth[i][0] | truth[i][1])
    return out


def _reduced(effect: NDArray[np.bool_], box: Any, shape: tuple[int, int]) -> Floats:
    x0, y0, x1, y1 = box
    crop = effect[y0:y1, x0:x1].astype(np.float32)
    return cv2.resize(crop, shape[::-1], interpolation=cv2.INTER_AREA)


def collect(folder: Path, first: int, scenes: int, look: str) -> None:
    """Write the examples of many worlds, from number `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(first, first + scenes, PER_FILE):
        out: dict[str, NDArray[Any]] = {}
        count = 0
        for seed in range(start, start + PER_FILE):
            for planes, truth in examples(seed, look):
                out[f"x{count}"] = planes.astype(np.float16)
                out[f"y{count}"] = (255 * truth).astype(np.uint8)
                count += 1
        part = folder / f"{start:06}.part"  # whoever reads sees whole files alone
        with part.open("wb") as file:
            np.savez(file, **out)
        part.rename(folder / f"{start:06}.npz")
        print(start, count, flush=True)


def net(widths: tuple[int, ...], mixes: tuple[int, ...], num_planes: int) -> Any:
    """A U-Net, halved by strides; residual convolutions a level; what is there, from its depth."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Net(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.down, self.mix, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            last = num_planes
            for i, (width, more) in enumerate(zip(widths, mixes, strict=True)):
                self.down.append(nn.Conv2d(last, width, 3, 1 if i == 0 else 2, 1))
                self.mix.append(
                    nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for _ in range(more))
                )
                last = width
            for i in range(len(widths) - 1, 0, -1):
                self.up.append(nn.Conv2d(widths[i] + widths[i - 1], widths[i - 1], 3, 1, 1))
            self.out = nn.Conv2d(widths[0], 2, 3, 1, 1)
            self.there = nn.Linear(2 * widths[-1], 2)

        def forward(self, x: Any) -> tuple[Any, Any]:
            """Logits of the pixels (n, 2, h, w), and of there being any (n, 2)."""
            inside = F.avg_pool2d(x[:, INSIDE : INSIDE + 1].float(), 2 ** (len(self.down) - 1))
            kept = []
            for down, mixes in zip(self.down, self.mix, strict=True):
                x = F.relu(down(x))
                for mix in mixes:
                    x = F.relu(x + mix(x))
                kept.append(x)
            deep = x.float() * inside
            mean = deep.sum((2, 3)) / inside.sum((2, 3)).clamp(min=1e-3)
            there = self.there(torch.cat([mean, deep.amax((2, 3))], 1))
            for up, side in zip(self.up, kept[-2::-1], strict=True):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
                x = F.relu(up(torch.cat([x, side], 1)))
            return self.out(x).float(), there.float()

    return Net()


WIDTHS, MIXES = (16, 32, 64, 96, 128), (0, 1, 2, 2, 2)
INSIDE = PLANES.index("inside")
_ASKED = {INSIDE, PLANES.index("thing")}


def batches(items: list[Any], rng: np.random.Generator, size: int) -> Iterator[list[Any]]:
    """Random batches of items of about one size."""
    order = sorted(range(len(items)), key=lambda i: (padded(items[i][0].shape), rng.random()))
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    for k in rng.permutation(len(groups)):
        yield [items[i] for i in groups[k]]


def padded(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width, made multiples of 16."""
    return -(-shape[-2] // 16) * 16, -(-shape[-1] // 16) * 16


def stacked(batch: list[Any], rng: np.random.Generator | None) -> tuple[Any, Any]:
    """One tensor of planes and one of truths; turned and re-lit at random with a generator."""
    import torch

    height = max(padded(x.shape)[0] for x, _ in batch)
    width = max(padded(x.shape)[1] for x, _ in batch)
    shape = len(batch), len(batch[0][0]), height, width
    xs = torch.zeros(shape).contiguous(memory_format=torch.channels_last)
    ys = torch.zeros(len(batch), 2, height, width)
    for k, (planes, truth) in enumerate(batch):
        x, y = torch.from_numpy(planes).float(), torch.from_numpy(truth).float() / 255
        if rng is not None:
            x, y = varied(x, y, rng)
        xs[k, :, : x.shape[1], : x.shape[2]] = x
        ys[k, :, : y.shape[1], : y.shape[2]] = y
    return xs, ys


def varied(x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Planes and truth turned, stretched and lit another way, with noise and without a hint."""
    import torch
    from torch.nn import functional as F

    if rng.random() < 0.5:
        x, y = x.flip(2), y.flip(2)
        x[PLANES.index("aside")] *= -1
    if rng.random() < 0.6:
        height, width = (
            max(16, round(n * k))
            for n, k in zip(x.shape[1:], rng.uniform(0.7, 1.0, 2), strict=True)
        )
        both = F.interpolate(torch.cat([x, y])[None], (height, width), mode="area")[0]
        x, y = both[: len(x)], both[len(x) :]
    colours = x[rng.permutation(3)] * float(rng.uniform(0.7, 1.3))
    x[:3] = colours + torch.from_numpy(rng.normal(0, 0.05, (3, 1, 1)).astype(np.float32))
    seen = [PLANES.index(name) for name in ("red", "green", "blue", "darker")]
    if rng.random() < 0.5:
        grain = rng.normal(0, float(rng.uniform(0, 0.06)), (1, *x.shape[1:])).astype(np.float32)
        x[seen] = x[seen] + torch.from_numpy(grain)
    if rng.random() < 0.3:  # any one plane may fail, but not those that say what is asked
        x[int(rng.choice([i for i in range(len(x)) if i not in _ASKED]))] = 0
    return x, y


def loss_of(logits: Any, there: Any, truth: Any, x: Any) -> Any:
    """Cross entropy where the truth may be seen, a soft Dice for each effect that is there.

    And the cross entropy of whether it is.
    """
    import torch
    from torch.nn import functional as F

    free = x[:, INSIDE] * (1 - x[:, PLANES.index("thing")])
    free = free[:, None]
    each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * free
    cross = each.sum((2, 3)) / free.sum((2, 3)).clamp(min=1)
    likely = torch.sigmoid(logits) * free
    seen = truth * free
    both = (likely * seen).sum((2, 3))
    dice = 1 - (2 * both + 4) / (likely.sum((2, 3)) + seen.sum((2, 3)) + 4)
    is_there = (seen.sum((2, 3)) > LEAST_SEEN_PX).float()
    whether = F.binary_cross_entropy_with_logits(there, is_there)
    return (8 * cross + is_there * dice).mean() + 0.3 * whether


def read(files: list[Path]) -> list[Any]:
    """The examples of some files."""
    out = []
    for file in files:
        with np.load(file) as held:
            out += [(held[f"x{i}"], held[f"y{i}"]) for i in range(len(held.files) // 2)]
    return out


def streamed(folder: Path, rng: np.random.Generator, size: int) -> Iterator[list[Any]]:
    """Batches without end, of files that are not held out; new files join with each round."""
    while True:
        files = [f for f in sorted(folder.glob("*.npz")) if not held_out(f)]
        files = [files[i] for i in rng.permutation(len(files))]
        print("a round over", len(files), "files", flush=True)
        for i in range(0, len(files), FILES_AT_ONCE):
            yield from batches(read(files[i : i + FILES_AT_ONCE]), rng, size)


def held_out(file: Path) -> bool:
    """Whether the examples of a file are for judging alone."""
    return int(file.stem) // PER_FILE % _HELD_OUT == 0


def train(
    folder: Path, out: Path, minutes: float, start: Path | None = None, most: float = RATE
) -> None:
    """Learn for some minutes; `most` is the highest rate, which falls to next to nothing."""
    import torch
    from safetensors.torch import load_file, save_file

    held = read([f for f in sorted(folder.glob("*.npz")) if held_out(f)][-FILES_AT_ONCE:])
    held.sort(key=lambda item: padded(item[0].shape))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = net(WIDTHS, MIXES, len(held[0][0]))
    if start is not None:
        model.load_state_dict(widened(load_file(start), len(held[0][0])))
    model = model.to(memory_format=torch.channels_last)
    best = torch.optim.AdamW(model.parameters(), lr=most, weight_decay=1e-2)
    rng = np.random.default_rng(int(time.time()) if start else 0)
    begun, told, seen = time.monotonic(), time.monotonic(), 0
    mean = {name: value.clone() for name, value in model.state_dict().items()}
    total: list[float] = []
    for batch in streamed(folder, rng, 16):
        share = (time.monotonic() - begun) / (60 * minutes)
        rate = most * min(1.0, (seen + 200) / 2000) * max(0.01, 1 - share) ** 1.2
        for group in best.param_groups:
            group["lr"] = rate
        xs, ys = stacked(batch, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits, there = model(xs)
        loss = loss_of(logits, there, ys, xs)
        best.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        best.step()
        seen += len(batch)
        total.append(float(loss.detach()))
        keep = min(0.997, seen / (seen + 3000))
        for name, value in model.state_dict().items():
            mean[name].lerp_(value, 1 - keep)
        if share >= 1 or time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            own = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(mean)
            line = f"{seen} seen, {share:.2f}: {np.mean(total):.4f}"
            print(line, judged(model, held), flush=True)
            save_file({k: v.contiguous() for k, v in mean.items()}, out)
            model.load_state_dict(own)
            total = []
        if share >= 1:
            return


def widened(weights: dict[str, Any], num_planes: int) -> dict[str, Any]:
    """Weights for so many planes: those that are new begin at zero."""
    import torch

    first = weights["down.0.weight"].float()
    new = torch.zeros(len(first), num_planes - first.shape[1], *first.shape[2:])
    return {**weights, "down.0.weight": torch.cat([first, new], 1)}


def judged(model: Any, held: list[Any]) -> str:
    """The mean IoU of both effects, where they are, and the area under the curve of "there"."""
    import torch

    rows: list[list[float]] = [[], []]
    said: list[list[tuple[float, bool]]] = [[], []]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for i in range(0, len(held), 16):
            xs, ys = stacked(held[i : i + 16], None)
            logits, there = model(xs)
            free = xs[:, INSIDE] * (1 - xs[:, PLANES.index("thing")]) > 0.5
            for k in (0, 1):
                both = (logits[:, k] > 0) & free, (ys[:, k] > 0.5) & free
                for n, (mine, true) in enumerate(zip(*both, strict=True)):
                    is_there = bool(true.sum() > LEAST_SEEN_PX)
                    said[k].append((float(there[n, k]), is_there))
                    if is_there:
                        rows[k].append(float((mine & true).sum() / (mine | true).sum()))
    ious = [round(float(np.mean(r)), 3) if r else None for r in rows]
    return json.dumps({"iou": ious, "auc": [round(_auc(s), 3) for s in said]})


def _auc(said: list[tuple[float, bool]]) -> float:
    ranks = np.argsort(np.argsort([value for value, _ in said])) + 1.0
    there = np.array([is_there for _, is_there in said])
    pairs = max(1, int(there.sum()) * int((~there).sum()))
    return float((ranks[there].sum() - there.sum() * (there.sum() + 1) / 2) / pairs)


def main() -> None:
    """Collect or train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["collect", "train"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--look", choices=["first", "again"], default="again")
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of a world")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--rate", type=float, default=RATE)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.what == "collect":
        collect(args.folder, args.first, args.scenes, args.look)
    elif args.out is None:
        parser.error("train needs -o WEIGHTS")
    else:
        train(args.folder, args.out, args.minutes, args.start, args.rate)


if __name__ == "__main__":
    main()
