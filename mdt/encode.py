"""`mdt encode`: the latents of all pictures, made once, so that training need not make them.

Shard i holds a range of the pictures, so the files do not depend on how many processes share the
work. A shard is written beside and renamed: to go on after a stop, run the same command.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdt import options

if TYPE_CHECKING:
    from torch import Tensor

    from mdt.data import Source

PICTURES_PER_SHARD = 1024
DTYPES = {"fp16": "float16", "fp32": "float32"}


def encode(
    source: Source,
    out: str | Path,
    *,
    vae: str | Path,
    batch: int = 32,
    flip: bool = False,
    dtype: str = "fp16",
    workers: int = 0,
    bar: bool = False,
) -> None:
    """Cache the latents of a source's pictures; `mdt.data.LatentSource` reads them.

    Under `accelerate launch` or torchrun every process encodes its share of the shards.

    Args:
        source: of pictures.
        out: folder to write; one that this has begun is gone on with.
        vae: folder of a VAE of diffusers.
        batch: pictures that are encoded at a time.
        flip: whether to keep the latents of the mirrored pictures too.
        dtype: of the files, "fp16" or "fp32"; the VAE itself works in float32.
        workers: processes that read pictures; 0: none.
        bar: whether to show progress, on stderr.

    Raises:
        ValueError: a VAE that cannot be used, pictures that do not fit it or cannot be read, a
            folder with other things or other settings.
    """
    from mdt.convert import open_vae
    from mdt.launch import make_accelerator

    if dtype not in DTYPES:
        raise ValueError(f"Latents are kept as {' or '.join(DTYPES)}; got {dtype!r}.")
    if batch < 1:
        raise ValueError(f"The batch is 1 or more; got {batch}.")
    network = open_vae(vae).requires_grad_(False)
    about = _about(source, vae, network, flip=flip, dtype=dtype)
    accelerator = make_accelerator()
    if accelerator.is_main_process:
        _begin(Path(out), about)
    accelerator.wait_for_everyone()
    mine = _left(Path(out), about, accelerator.process_index, accelerator.num_processes)
    network.to(accelerator.device)
    shards = _shards(source, network, mine, about, batch=batch, workers=workers)
    _write(shards, Path(out), len(mine), bar=bar and accelerator.is_main_process)
    accelerator.wait_for_everyone()


def _about(
    source: Source, vae: str | Path, network: Any, *, flip: bool, dtype: str
) -> dict[str, Any]:
    """What the index says: all that decides the files."""
    from mdt import codec
    from mdt.data.latents import FORMAT, vae_digest

    channels, height, width = source.shape
    side = codec.pixels_per_latent(network)
    if channels != 3:
        raise ValueError(f"Pictures of 3 channels are encoded; these have {channels}.")
    if height % side or width % side:
        raise ValueError(
            f"The pictures are {width}x{height} pixels and the VAE needs multiples of {side}: give "
            f"a size, such as {max(round(min(height, width) / side), 1) * side}."
        )
    return {
        "format": FORMAT,
        "num_pictures": len(source),
        "pictures_per_shard": PICTURES_PER_SHARD,
        "shape": [int(network.config.latent_channels), height // side, width // side],
        "dtype": dtype,
        "flip": flip,
        "classes": None if source.classes is None else list(source.classes),
        "source": {
            "kind": type(source).__name__,
            "identity": getattr(source, "identity", ""),
            "size": [height, width],
        },
        "vae": {"name": Path(vae).resolve().name, "sha256": vae_digest(vae)},
    }


def _begin(out: Path, about: dict[str, Any]) -> None:
    """Write the index, or see that the one that is there says the same.

    Raises:
        ValueError: the folder holds other things, or latents made otherwise.
    """
    from mdt.data.latents import INDEX, read_index
    from mdt.files import check_output, written_beside

    if not (out / INDEX).exists():
        check_output(out, overwrite=False)
        out.mkdir(exist_ok=True)
        with written_beside(out / INDEX, overwrite=False) as new:
            new.write_text(json.dumps(about, indent=1), encoding="utf-8")
        return
    old = read_index(out)
    other = [key for key in about if old.get(key) != about[key]]
    if other:
        raise ValueError(
            f"{out} holds latents that were made otherwise ({', '.join(other)} differ): choose "
            "another output, or delete it."
        )


def _left(out: Path, about: dict[str, Any], rank: int, world: int) -> list[int]:
    """The shards that this process still has to write."""
    from mdt.data.latents import num_shards, shard_name

    mine = range(rank, num_shards(about), world)
    return [shard for shard in mine if not (out / shard_name(shard)).exists()]


def _shards(
    source: Source,
    network: Any,
    shards: Sequence[int],
    about: dict[str, Any],
    *,
    batch: int,
    workers: int,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, arrays) of each shard."""
    import numpy as np

    from mdt.data.batches import Row, read_rows

    size, total = about["pictures_per_shard"], about["num_pictures"]
    ends = {shard: min((shard + 1) * size, total) for shard in shards}
    # Batches end where a shard ends: what is in a shard depends on nothing outside of it.
    plan = [
        (shard, range(start, min(start + batch, end)))
        for shard, end in ends.items()
        for start in range(shard * size, end, batch)
    ]
    rows = ([Row(number) for number in numbers] for _, numbers in plan)
    parts: dict[str, list[Any]] = {}
    loaded = read_rows(source, rows, workers=workers)
    for (shard, numbers), (x, label) in zip(plan, loaded, strict=True):
        found = _latents(x, network, about)
        if label is not None:
            found["label"] = label.numpy()
        for name, array in found.items():
            parts.setdefault(name, []).append(array)
        if numbers.stop == ends[shard]:
            # safetensors writes the memory as it lies, and convolutions may put channels last.
            yield (
                shard,
                {k: np.ascontiguousarray(np.concatenate(v)) for k, v in parts.items()},
            )
            parts = {}


def _latents(x: Tensor, network: Any, about: dict[str, Any]) -> dict[str, Any]:
    """The latents of pictures (B, 3, H, W) in [-1, 1] and, where asked for, of their mirrors."""
    import numpy as np
    import torch

    from mdt import codec

    x = x.to(network.device)
    views = {"latents": x, "flipped": x.flip(-1)} if about["flip"] else {"latents": x}
    found = {}
    for name, view in views.items():
        # Full precision and one algorithm: the same pictures shall give the same files.
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.no_grad(), exact:
            latents = codec.encode(view, network).cpu().numpy()
        with np.errstate(over="ignore"):  # the next lines tell
            latents = latents.astype(DTYPES[about["dtype"]])
        if not np.isfinite(latents).all():
            raise ValueError(
                f"The VAE {about['vae']['name']} gives latents that {about['dtype']} cannot hold: "
                "encode with --dtype fp32, or check the VAE's weights."
            )
        found[name] = latents
    return found


def _write(
    shards: Iterator[tuple[int, dict[str, Any]]], out: Path, count: int, *, bar: bool
) -> None:
    from safetensors.numpy import save_file
    from tqdm import tqdm

    from mdt.data.latents import shard_name
    from mdt.files import written_beside

    for number, arrays in tqdm(shards, "encode", count, unit="shard", disable=not bar):
        with written_beside(out / shard_name(number), overwrite=True) as new:
            save_file(arrays, new)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mdt encode`."""
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOURCE",
        help="folder of pictures, .parquet or .tar files, or KIND:PATH (as in mdt.data)",
    )
    parser.add_argument("--vae", required=True, metavar="FOLDER", help="a VAE of diffusers")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="folder to write")
    parser.add_argument(
        "--size", type=options.from_1, metavar="N", help="crop all pictures to NxN first"
    )
    parser.add_argument(
        "--batch", type=options.from_1, default=32, metavar="N", help="at a time (32)"
    )
    parser.add_argument("--flip", action="store_true", help="keep the mirrored pictures' too")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp16", help="(fp16)")
    parser.add_argument(
        "--workers",
        type=options.from_0,
        default=0,
        metavar="N",
        help="processes that read pictures (0)",
    )
    parser.add_argument(
        "--skip-unreadable", action="store_true", help="leave out pictures that cannot be read"
    )


def run(arguments: argparse.Namespace) -> None:
    """Encode, as the command line asks.

    Raises:
        ValueError: see `encode` and `mdt.data.open_any`.
    """
    from mdt.data import open_any
    from mdt.launch import part

    source = open_any(
        arguments.source, size=arguments.size, skip_unreadable=arguments.skip_unreadable
    )
    encode(
        source,
        arguments.output,
        vae=arguments.vae,
        batch=arguments.batch,
        flip=arguments.flip,
        dtype=arguments.dtype,
        workers=arguments.workers,
        bar=sys.stderr.isatty(),
    )
    part()


if __name__ == "__main__":
    from mdt.cli import main

    sys.exit(main(["encode", *sys.argv[1:]]))
