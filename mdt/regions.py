"""`mdt regions`: what the generator of stickers learns from, drawn and encoded once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mdt.data.regions import FORMAT, INDEX, shard_name
from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.examples import (
    KINDS,
    Example,
    cut_out,
    of_scene,
    painted_thing,
    pair,
    part,
    thing,
)
from mdt.data.stickers.names import GROUPS
from mdt.data.stickers.scenes import scene_at
from mdt.data.stickers.source import StickerSource

if TYPE_CHECKING:
    from torch import Tensor

ROWS_PER_SHARD = 1024
#: Things that the shipped generator draws: animals, plants, foods, and what people ask for most.
EVERYDAY = Path(__file__).parent / "data" / "stickers" / "everyday.txt"
_ROWS_AT_A_TIME = 32


def encode_regions(
    stickers: str | Path,
    out: str | Path,
    *,
    vae: str | Path,
    size: int = 128,
    styles: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    paints: int = 2,
    parts: int = 3,
    pairs: int = 1500,
    scenes: int = 8000,
    seed: int = 0,
    bar: bool = False,
) -> int:
    """Draw examples of every kind and write their latents; `mdt.data.RegionSource` reads them.

    Args:
        stickers: folder that `mdt data stickers` wrote; names that are held out stay out.
        out: folder to write.
        vae: folder of an autoencoder of pictures with alpha.
        size: of the pictures' sides, in pixels.
        styles: of the stickers; None: all.
        groups: of the stickers; None: all.
        names: of the stickers; None: all.
        paints: other colours that are tried for each sticker.
        parts: examples of each sticker of which a part is to be drawn.
        pairs: examples of two of the same.
        scenes: examples of scenes.
        seed: of all draws.
        bar: whether to show progress, on stderr.

    Returns:
        How many examples were written.

    Raises:
        ValueError: counts below 0, an output that is there, stickers or a VAE that cannot be used.
    """
    from tqdm import tqdm

    from mdt.convert import open_vae
    from mdt.data.latents import vae_digest
    from mdt.files import check_output, written_beside

    for name, count in (("paints", paints), ("parts", parts), ("pairs", pairs), ("scenes", scenes)):
        if count < 0:
            raise DataError(f"{name} is 0 or more; got {count}.")
    check_output(out, overwrite=False)
    network = open_vae(vae).requires_grad_(False)
    if network.config.in_channels != 4:
        raise DataError(f"{vae} takes {network.config.in_channels} channels; RGBA has 4.")
    source = StickerSource(
        stickers, size=size, split="train", styles=styles, groups=groups, only=names
    )
    total = len(source) * (1 + paints + parts) + pairs + scenes
    rows: list[dict[str, str]] = []
    with written_beside(out, overwrite=False) as new:
        new.mkdir()
        examples = _examples(source, paints, parts, pairs, scenes, seed, size)
        shown = tqdm(examples, "regions", total, unit="example", disable=not bar)
        for number, shard in enumerate(_batches(shown, ROWS_PER_SHARD)):
            _write(new / shard_name(number), shard, network)
            rows += [{"prompt": e.prompt, "style": e.style, "kind": e.kind} for e in shard]
        about = {
            "format": FORMAT,
            "shape": _shape(network, size),
            "rows_per_shard": ROWS_PER_SHARD,
            "vae": {"name": Path(vae).resolve().name, "sha256": vae_digest(vae)},
            "source": {"identity": source.identity, "size": size, "seed": seed},
            "identity": digest(source.identity, vae_digest(vae), json.dumps(rows)),
            "rows": rows,
        }
        (new / INDEX).write_text(json.dumps(about), encoding="utf-8")
    return len(rows)


def _examples(
    stickers: StickerSource,
    paints: int,
    parts: int,
    pairs: int,
    scenes: int,
    seed: int,
    size: int,
) -> Iterator[Example]:
    """Every kind, each example from its own draws."""

    def draws(kind: str, number: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([seed, KINDS.index(kind), number]))

    count = len(stickers)
    for number in range(count):
        yield thing(stickers, number)
    for number in range(count * paints):
        found = painted_thing(draws("painted", number), stickers, number // paints)
        if found is not None:
            yield found
    for number in range(count * parts):
        yield part(draws("part", number), stickers, number // parts)
    for number in range(pairs):
        rng = draws("pair", number)
        yield pair(rng, stickers, int(rng.integers(count)))
    for number in range(scenes):
        drawn = scene_at(seed, number, stickers, size)
        if drawn.things:
            yield of_scene(draws("scene", number), drawn)


def _batches(items: Any, size: int) -> Iterator[list[Any]]:
    some: list[Any] = []
    for item in items:
        some.append(item)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


def _shape(network: Any, size: int) -> list[int]:
    from mdt import codec

    side = size // codec.pixels_per_latent(network)
    return [int(network.config.latent_channels), side, side]


def _write(file: Path, examples: Sequence[Example], network: Any) -> None:
    import torch
    import torch.nn.functional as F
    from safetensors.numpy import save_file

    from mdt import codec

    side = codec.pixels_per_latent(network)
    hidden = torch.from_numpy(np.stack([e.hidden for e in examples]))[:, None].float()
    touched = F.max_pool2d(hidden, side) > 0
    arrays = {
        "target": _encoded([e.image for e in examples], network),
        "known": _encoded([cut_out(e) for e in examples], network),
        "hidden": touched[:, 0].numpy(),
    }
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file)


def _encoded(images: Sequence[Array], network: Any) -> Array:
    """RGBA uint8 pictures -> latents, float16 (n, C, h, w)."""
    import torch

    from mdt import codec
    from mdt.data.alpha import premultiplied

    found: list[Tensor] = []
    for some in _batches(images, _ROWS_AT_A_TIME):
        x = premultiplied(torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2))
        with torch.no_grad():
            found.append(codec.encode(x, network))
    return torch.cat(found).numpy().astype(np.float16)


def find_groups(told: str) -> list[str] | None:
    """Groups from "a,b", or all but some from "-a,b"; "" is all."""
    names = [name.strip() for name in told.removeprefix("-").split(",") if name.strip()]
    if not names:
        return None
    if told.startswith("-"):
        return [group for group in GROUPS.values() if group not in names]
    return names


def read_names(told: str) -> list[str] | None:
    """Names, one a line, of a file or of the list "everyday" that ships; "" is all.

    Raises:
        DataError: no such file, or nothing in it.
    """
    if not told:
        return None
    file = EVERYDAY if told == EVERYDAY.stem else Path(told)
    try:
        names = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        raise DataError(f"There is no list of names {told}: give a file, or everyday.") from None
    found = [name.strip() for name in names if name.strip()]
    if not found:
        raise DataError(f"{told} names nothing: write one name on each line.")
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mdt regions`."""
    add = parser.add_argument
    add("stickers", metavar="STICKERS", help="folder that `mdt data stickers` wrote")
    add("-o", "--output", required=True, metavar="OUT", help="folder to write")
    add("--vae", required=True, metavar="FOLDER", help="an autoencoder of pictures with alpha")
    add("--size", type=int, default=128, metavar="N", help="side in pixels (128)")
    add("--styles", default="", metavar="A,B", help="of the stickers (all)")
    add("--groups", default="", metavar="A,B", help="of the stickers; --groups=-A,B: but these")
    add("--names", default="", metavar="FILE", help="of the stickers, one a line; or: everyday")
    add("--paints", type=int, default=2, metavar="N", help="other colours for each sticker (2)")
    add("--parts", type=int, default=3, metavar="N", help="examples of a part for each (3)")
    add("--pairs", type=int, default=1500, metavar="N", help="examples of two of the same (1500)")
    add("--scenes", type=int, default=8000, metavar="N", help="examples of scenes (8000)")
    add("--seed", type=int, default=0, metavar="N", help="of all draws (0)")


def run(arguments: argparse.Namespace) -> None:
    """Draw and encode, as the command line asks.

    Raises:
        ValueError: see `encode_regions`.
    """
    names = ("vae", "size", "paints", "parts", "pairs", "scenes", "seed")
    styles = [style.strip() for style in arguments.styles.split(",") if style.strip()]
    count = encode_regions(
        arguments.stickers,
        arguments.output,
        **{name: getattr(arguments, name) for name in names},
        styles=styles or None,
        groups=find_groups(arguments.groups),
        names=read_names(arguments.names),
        bar=sys.stderr.isatty(),
    )
    print(f"{arguments.output}: {count} examples.")  # noqa: T201
