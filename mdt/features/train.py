"""Train a feature network: `python -m mdt.features.train configs/evaluate/X.yaml data=parquet:F`.

Two methods, so that a ranking found in one network can be checked in another:
`classifier`, label smoothing on crops and flips; `simclr`, without labels (Chen et al. 2020,
arXiv:2002.05709): two views of a picture are to be told from all other pictures' views. A third,
`stickers`, makes the judge of drawn things: a classifier of pictures with alpha, shown on grounds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from mdt.config import load
from mdt.features.convnet import ConvNet, open_convnet
from mdt.features.shown import on_white, sticker_views
from mdt.features.views import crop_and_flip, jitter, random_crop
from mdt.files import written_beside
from mdt.optim.schedules import cosine

_log = logging.getLogger(__name__)
_TEST_SEED = 2**31  # of the views that pictures with alpha are tested on


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a feature network is made; the whole of it goes into the card.

    `data` and `test` are pictures with classes, such as parquet:train.parquet; `about` says what
    they are and `licence` what is known of theirs; `init` is a network of the same sizes to start
    from. The learning rate is for `batch`; one epoch
    sees every picture `views` times.
    """

    data: str
    test: str
    out: str = "runs/features"
    name: str = "features-cifar"
    about: str = ""
    licence: str = ""
    method: str = "classifier"
    widths: list[int] = dataclasses.field(default_factory=lambda: [32, 64, 128, 256])
    side_px: int = 32
    views: int = 1
    epochs: int = 14
    batch: int = 256
    lr: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    temperature: float = 0.2
    seed: int = 0
    init: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"There is no method {self.method!r}; there are: {', '.join(METHODS)}."
            )
        if len(self.widths) < 3:
            raise ValueError(f"widths takes three numbers or more; got {self.widths}.")
        for key in ("epochs", "batch", "lr", "temperature", "views", "side_px"):
            if not getattr(self, key) > 0:
                raise ValueError(f"{key} must be above 0; got {getattr(self, key)}.")


def train(recipe: Recipe, progress: Callable[[str], None] = _log.info) -> Path:
    """Train, and write weights (fp16 safetensors) and card after every epoch; returns the weights.

    Raises:
        ValueError: data without classes or that cannot be read, or fewer pictures than a batch.
    """
    pixels, labels = read_all(recipe.data, recipe.side_px)
    if (pixels.shape[1] == 4) != (recipe.method == "stickers"):
        has = "with" if pixels.shape[1] == 4 else "without"
        raise ValueError(
            f"The method stickers, and no other, is for pictures with alpha; {_name(recipe.data)} "
            f"has pictures {has} it, and the method is {recipe.method}."
        )
    steps = recipe.views * len(pixels) // recipe.batch
    if not steps:
        raise ValueError(
            f"{_name(recipe.data)} has {len(pixels)} pictures, too few for a batch of "
            f"{recipe.batch} in an epoch: set batch={recipe.views * len(pixels)} or less."
        )
    tested = shown(*read_all(recipe.test, recipe.side_px))
    known = shown(pixels, labels, plain=True)
    draw = torch.Generator().manual_seed(recipe.seed)
    network, head, losses = METHODS[recipe.method](recipe, int(labels.max()) + 1)
    if recipe.init:
        first = Path(recipe.init)
        network.load_state_dict(open_convnet(first.stem, first.parent).state_dict())
    parts = nn.ModuleList([network, head]).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        _groups(parts, recipe.weight_decay), recipe.lr, momentum=recipe.momentum, nesterov=True
    )
    Path(recipe.out).mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for epoch in range(recipe.epochs):
        order = torch.randperm(recipe.views * len(pixels), generator=draw) % len(pixels)
        total = 0.0
        parts.train()
        for step in range(steps):
            progressed = (epoch * steps + step) / (recipe.epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = recipe.lr * cosine(progressed, total_steps=1.0, warmup_steps=0.15)
            rows = order[step * recipe.batch : (step + 1) * recipe.batch]
            loss = losses(pixels[rows], labels[rows], draw)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        seen = (epoch + 1) * steps * recipe.batch
        scores = write(network, recipe, known, tested, pictures_seen=seen)
        minutes = (time.monotonic() - start) / 60
        progress(f"epoch {epoch + 1}: loss {total / steps:.4f}, {scores}, {minutes:.1f} min")
    return Path(recipe.out) / f"{recipe.name}.safetensors"


def shown(pixels: Tensor, labels: Tensor, *, plain: bool = False) -> tuple[Tensor, Tensor]:
    """Pictures with alpha as the network is tested on them: drawn views, or on white; RGB uint8."""
    if pixels.shape[1] != 4:
        return pixels, labels
    draw = torch.Generator().manual_seed(_TEST_SEED)
    parts = torch.split(pixels, 256)
    x = [on_white(part) if plain else sticker_views(part, draw) for part in parts]
    return ((torch.cat(x) + 1) * 127.5).round().to(torch.uint8), labels


def read_all(where: str, side_px: int = 32) -> tuple[Tensor, Tensor]:
    """Pictures uint8 (n, C, side_px, side_px), labels (n,) of `kind:path`, smaller than memory.

    Raises:
        ValueError: see `mdt.data.open_source`; or no labels.
    """
    from mdt.data import open_source

    kind, _, path = where.partition(":")
    source = open_source(kind, path, size=side_px)
    if source.classes is None:
        raise ValueError(
            f"{where} has no classes; a feature network is trained and tested on some."
        )
    read = [source.read(i) for i in range(len(source))]
    pixels = torch.from_numpy(np.stack([picture for picture, _ in read])).permute(0, 3, 1, 2)
    return pixels.contiguous(), torch.tensor([label for _, label in read])


def write(
    network: ConvNet,
    recipe: Recipe,
    trained: tuple[Tensor, Tensor],
    tested: tuple[Tensor, Tensor],
    *,
    pictures_seen: int,
) -> dict[str, float]:
    """Write weights and card, read them back and score what was read; returns the scores."""
    half = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    content = save(half)
    card: dict[str, Any] = {
        "what": "feature network for measuring pictures (mdt evaluate)",
        "sha256": hashlib.sha256(content).hexdigest(),
        "widths": list(network.widths),
        "num_classes": network.num_classes,
        "side_px": network.side_px,
        "recipe": {**dataclasses.asdict(recipe), "data": _name(recipe.data)}
        | {"test": _name(recipe.test)},
        "pictures_seen": pictures_seen,
        "about": recipe.about,
        "licence": recipe.licence,
        **_classes_of(recipe),
    }
    for key in ("about", "licence", "out", "init"):
        del card["recipe"][key]
    path = Path(recipe.out) / recipe.name
    _write(path.with_suffix(".safetensors"), content)
    _write(path.with_suffix(".json"), json.dumps(card).encode())
    card["scores"] = score(open_convnet(recipe.name, recipe.out), trained, tested)
    _write(path.with_suffix(".json"), (json.dumps(card, indent=1) + "\n").encode())
    return card["scores"]


def _classes_of(recipe: Recipe) -> dict[str, Any]:
    """Names of the classes, and their groups, where the judge is to tell them."""
    if recipe.method != "stickers":
        return {}
    from mdt.data import StickerSource

    source = StickerSource(recipe.data.partition(":")[2])
    return {"names": list(source.names), "groups": list(source.groups)}


@torch.no_grad()
def score(
    network: ConvNet, trained: tuple[Tensor, Tensor], tested: tuple[Tensor, Tensor]
) -> dict[str, float]:
    """Accuracy on the test pictures: of the classifier, and of the 20 nearest training pictures.

    The neighbours (by cosine, among 10,000 training pictures) also judge a network without labels.
    """
    known, _ = _features(network, trained[0][:10_000])
    asked, probabilities = _features(network, tested[0])
    likeness = F.normalize(asked) @ F.normalize(known).T
    nearest = likeness.topk(min(20, len(known)), 1).indices
    votes = F.one_hot(trained[1][:10_000][nearest]).sum(1)
    scores = {"neighbours": _share(votes.argmax(1) == tested[1])}
    if probabilities is not None:
        scores["accuracy"] = _share(probabilities.argmax(1) == tested[1])
    if probabilities is not None and network.num_classes > 100:
        first = probabilities.topk(5, 1).indices
        scores["top5"] = _share((first == tested[1][:, None]).any(1))
    return scores


class _Classifier:
    def __init__(self, network: ConvNet, head: nn.Module, recipe: Recipe) -> None:
        self.network, self.head, self.recipe = network, head, recipe

    def views(self, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """What of a batch is shown, in [-1, 1]."""
        return _unit(crop_and_flip(pixels, draw))

    def __call__(self, pixels: Tensor, labels: Tensor, draw: torch.Generator) -> Tensor:
        """Cross-entropy with label smoothing."""
        x = _channels_last(self.views(pixels, draw))
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.head(self.network.maps(x)[-1].mean((2, 3)))
        return F.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)


class _Stickers(_Classifier):
    def views(self, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """On grounds of all kinds, see `mdt.features.shown`."""
        return sticker_views(pixels, draw)


class _SimCLR:
    def __init__(self, network: ConvNet, head: nn.Module, recipe: Recipe) -> None:
        self.network, self.head, self.recipe = network, head, recipe

    def __call__(self, pixels: Tensor, labels: Tensor, draw: torch.Generator) -> Tensor:  # noqa: ARG002
        """NT-Xent (Chen et al. 2020, eq. 1) of two views of each picture."""
        views = [jitter(random_crop(_unit(pixels), draw), draw) for _ in range(2)]
        with torch.autocast("cpu", torch.bfloat16):
            maps = self.network.maps(_channels_last(torch.cat(views)))[-1]
            coded = self.head(maps.mean((2, 3)))
        z = F.normalize(coded.float())
        likeness = (z @ z.T / self.recipe.temperature).fill_diagonal_(-torch.inf)
        half = len(pixels)
        other = torch.arange(2 * half).roll(half)
        return F.cross_entropy(likeness, other)


def _classifier(
    recipe: Recipe, num_classes: int, kind: type[_Classifier] = _Classifier
) -> tuple[ConvNet, nn.Module, Any]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = ConvNet(tuple(recipe.widths), num_classes, recipe.side_px)
    assert network.head is not None
    return network, nn.Identity(), kind(network, network.head, recipe)


def _stickers(recipe: Recipe, num_classes: int) -> tuple[ConvNet, nn.Module, Any]:
    return _classifier(recipe, num_classes, _Stickers)


def _simclr(recipe: Recipe, num_classes: int) -> tuple[ConvNet, nn.Module, Any]:  # noqa: ARG001
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = ConvNet(tuple(recipe.widths), 0, recipe.side_px)
        width = recipe.widths[-1]
        head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 128))
    return network, head, _SimCLR(network, head, recipe)


METHODS: dict[str, Callable[[Recipe, int], tuple[ConvNet, nn.Module, Any]]] = {
    "classifier": _classifier,
    "simclr": _simclr,
    "stickers": _stickers,
}


def _features(network: ConvNet, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
    found = [network(_unit(rows)) for rows in torch.split(pixels, 500)]
    probabilities = [f.probabilities for f in found if f.probabilities is not None]
    pooled = torch.cat([f.pooled for f in found])
    return pooled, torch.cat(probabilities) if probabilities else None


def _groups(parts: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and the scales of normalisation do not."""
    matrices = [p for p in parts.parameters() if p.ndim > 1]
    others = [p for p in parts.parameters() if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _unit(pixels: Tensor) -> Tensor:
    return _channels_last(pixels.float() / 127.5 - 1)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _share(right: Tensor) -> float:
    return round(right.double().mean().item(), 4)


def _name(where: str) -> str:
    """`kind:path` without the folders, which are this machine's own affair."""
    kind, _, path = where.partition(":")
    return f"{kind}:{Path(path).name}"


def _write(path: Path, content: bytes) -> None:
    with written_beside(path, overwrite=True) as new:
        new.write_bytes(content)


def main(argv: Sequence[str]) -> int:
    """`configs/evaluate/X.yaml key=value ...` -> exit code."""
    recipe, *settings = argv or ["--help"]
    if recipe in ("-h", "--help"):
        _say("python -m mdt.features.train configs/evaluate/X.yaml key=value ...")
        return 0
    try:
        _say(str(train(load(Recipe, recipe, settings), _say)))
    except (ValueError, OSError) as error:
        print(f"mdt.features.train: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
