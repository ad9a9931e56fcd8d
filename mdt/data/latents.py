"""Latents that `mdt encode` has cached: safetensors shards, and an index of what made them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from mdt.data.source import Array, DataError, check_labels, digest

INDEX = "latents.json"
#: Changes when the files do.
FORMAT = 1
_NEEDED = {
    "num_pictures", "pictures_per_shard", "shape", "dtype", "flip", "classes", "vae", "source",
}  # fmt: skip


class LatentSource:
    """Cached latents: the mean that a VAE makes of each picture, in units of about one.

    Args:
        path: the folder that `mdt encode` wrote.
        labels: whether to use labels.
        vae: folder of the VAE that must have made them; None: not checked.

    Attributes:
        flips: whether the latents of the mirrored pictures are there too.
        made_by: settings, source and VAE, as the index tells them.

    Raises:
        DataError: no such folder, not finished, broken, or made with another VAE.
    """

    def __init__(
        self, path: str | Path, *, labels: bool = True, vae: str | Path | None = None
    ) -> None:
        self.path = Path(path)
        self.made_by = read_index(self.path)
        about = self.made_by
        self.shape: tuple[int, int, int] = tuple(about["shape"])
        self.flips = bool(about["flip"])
        self._length, self._rows = int(about["num_pictures"]), int(about["pictures_per_shard"])
        self.files = [self.path / shard_name(i) for i in range(num_shards(about))]
        missing = [file.name for file in self.files if not file.is_file()]
        if missing:
            raise DataError(
                f"{path} is not finished: {len(missing)} of {len(self.files)} shards are missing, "
                f"{missing[0]} the first; run the same mdt encode again."
            )
        if vae is not None and vae_digest(vae) != about["vae"]["sha256"]:
            raise DataError(
                f"The latents in {path} were made with another VAE ({about['vae']['name']}) than "
                f"{vae}: encode the pictures with this one."
            )
        self.classes = tuple(about["classes"]) if about["classes"] and labels else None
        self._labels = self._read_labels() if self.classes else None
        self.identity = digest(json.dumps(about, sort_keys=True), self.classes or ())

    def __len__(self) -> int:
        return self._length

    def read(self, index: int) -> tuple[Array, int | None]:
        """The latents of picture `index`, float32 (C, h, w), and its label.

        Raises:
            DataError: the shard is broken; names it.
        """
        return self._read("latents", index)

    def read_flipped(self, index: int) -> tuple[Array, int | None]:
        """The latents of the mirrored picture.

        Raises:
            DataError: the shard is broken, or holds none.
        """
        return self._read("flipped", index)

    def _read(self, what: str, index: int) -> tuple[Array, int | None]:
        file = self.files[index // self._rows]
        try:
            row = _open(file).get_slice(what)[index % self._rows]
        except (SafetensorError, OSError, IndexError) as error:
            raise DataError(_broken(file, error)) from None
        if row.shape != self.shape:
            raise DataError(_broken(file, f"a row is {row.shape}, not {self.shape}"))
        return row.astype(np.float32), None if self._labels is None else int(self._labels[index])

    def _read_labels(self) -> Array:
        assert self.classes is not None
        parts = []
        for file in self.files:
            try:
                parts.append(_open(file).get_tensor("label"))
            except (SafetensorError, OSError) as error:
                raise DataError(_broken(file, error)) from None
        found = np.concatenate(parts)
        if len(found) != self._length:
            raise DataError(f"{self.path} holds {len(found)} labels for {self._length} latents.")
        check_labels(found, len(self.classes), str(self.path))
        return found


def read_index(folder: Path) -> dict[str, Any]:
    """What made the latents of a folder.

    Raises:
        DataError: no such folder, or no index in it that can be read.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise DataError(f"The folder of latents {folder} {what}.")
    try:
        about = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        form = about["format"]
        faults = _NEEDED - about.keys()
    except FileNotFoundError:
        raise DataError(
            f"{folder} holds no {INDEX}: give a folder that mdt encode wrote."
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, OSError):
        raise DataError(f"{folder / INDEX} cannot be read: encode the pictures again.") from None
    if form != FORMAT or faults:
        raise DataError(f"{folder / INDEX} is of another version: encode the pictures again.")
    return about


def num_shards(about: dict[str, Any]) -> int:
    """How many shards an index speaks of."""
    return -(-int(about["num_pictures"]) // int(about["pictures_per_shard"]))


def shard_name(number: int) -> str:
    """The name of a shard's file."""
    return f"latents-{number:05d}.safetensors"


def vae_digest(folder: str | Path) -> str:
    """The SHA-256 of what decides a VAE's latents: its config and its weights.

    Raises:
        DataError: no such folder, or no weights in it.
    """
    files = sorted(Path(folder).glob("*.safetensors"))
    config = Path(folder) / "config.json"
    if not files or not config.is_file():
        raise DataError(f"The folder {folder} holds no VAE (config.json and .safetensors).")
    told = json.loads(config.read_text(encoding="utf-8"))
    # Of the library that wrote it, and of the place it lay in.
    plain = {key: value for key, value in told.items() if not key.startswith("_")}
    sums = []
    for file in files:
        with file.open("rb") as opened:
            sums.append(hashlib.file_digest(opened, "sha256").hexdigest())
    return digest(json.dumps(plain, sort_keys=True), sums)


@cache  # maps, not copies; a fork may share them
def _open(file: Path) -> Any:
    return safe_open(file, framework="np")


def _broken(file: Path, error: object) -> str:
    reason = str(error).splitlines()[0].rstrip(".")
    return f"The shard {file} cannot be read ({reason}): delete it and run mdt encode again."
