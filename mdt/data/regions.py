"""Cached examples of regions to be drawn, as `mdt regions` wrote them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from mdt.data.source import Array, DataError, digest
from mdt.words import word_ids

INDEX = "regions.json"
#: Changes when the files do.
FORMAT = 1
#: How often an example of a kind is read.
SHARES = {"thing": 0.5, "painted": 0.12, "part": 0.16, "pair": 0.06, "scene": 0.16}
#: Of the readings of an example, every so many-th is told its words alone, and not the phrase as a
#: whole: a new phrase has to be made of known words.
_WORDS_ALONE = 5
#: Of a label: the phrase, the words, the style.
_NUM_ROWS = 8
#: And every so many-th is not told the style.
_NO_STYLE = 3


class RegionSource:
    """Latents, what of them is to be drawn, and the words for it; see `mdt.data.source.Source`.

    A picture is (2C + 1, h, w): the whole picture's latents, those of the picture without what is
    to be drawn, and 1 where that lies. A label is int64 (rows, ids), see `mdt.words`: the prompt,
    with the style as one more word.

    Args:
        path: the folder.
        vae: folder of the VAE that must have made the latents; None: not checked.
        shares: how often examples of a kind are read; kinds that are not named are not read. None:
            `SHARES`, of the kinds that there are.

    Raises:
        DataError: no such folder, broken, made with another VAE, or shares of unknown kinds.
    """

    flips = False  # the mirrored latents are not the latents of the mirrored picture

    def __init__(
        self,
        path: str | Path,
        *,
        vae: str | Path | None = None,
        shares: dict[str, float] | None = None,
    ) -> None:
        self.path = Path(path)
        self.made_by = about = _about(self.path)
        if vae is not None:
            _check_vae(self.path, about, vae)
        self.rows: list[dict[str, str]] = about["rows"]
        self._per_shard = int(about["rows_per_shard"])
        channels, height, width = about["shape"]
        self.shape = (2 * channels + 1, height, width)
        self.classes: tuple[str, ...] | None = None
        kinds = [row["kind"] for row in self.rows]
        if shares is None:
            shares = {kind: share for kind, share in SHARES.items() if kind in kinds}
        self._order = _order(kinds, shares)
        self.identity = digest(about["identity"], self._order)

    def __len__(self) -> int:
        return len(self._order)

    def read(self, index: int) -> tuple[Array, Any]:
        """Reading `index`: float32 (2C + 1, h, w), and int64 ids.

        Raises:
            DataError: the shard is broken; names it.
        """
        number, reading = (int(one) for one in self._order[index])
        file, at = self.path / shard_name(number // self._per_shard), number % self._per_shard
        try:
            opened = _open(file)
            target, known = (opened.get_slice(key)[at] for key in ("target", "known"))
            hidden = opened.get_slice("hidden")[at]
        except (SafetensorError, OSError, IndexError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{file} is broken ({reason}): make the regions again.") from None
        parts = [target, known, hidden[None]]
        pixels = np.concatenate([part.astype(np.float32) for part in parts])
        return pixels, self._ids(number, reading)

    def _ids(self, number: int, reading: int) -> Array:
        row = self.rows[number]
        style = None if reading % _NO_STYLE == 2 else row["style"]
        ids = prompt_ids(row["prompt"], style)
        if (number + reading) % _WORDS_ALONE == 0:
            ids[0] = 0
        return ids


def prompt_ids(prompt: str, style: str | None = None) -> Array:
    """The label for a prompt: int64 (rows, ids); the style is the last row's word."""
    ids = word_ids(prompt, num_rows=_NUM_ROWS)
    ids[-1] = 0
    if style is not None:
        ids[-1] = word_ids(f"style{style}")[1]
    return ids


def shard_name(number: int) -> str:
    """The file of a shard."""
    return f"regions-{number:05d}.safetensors"


def _order(kinds: list[str], shares: dict[str, float]) -> Array:
    """(length, 2) int64: number of the example, and how often it was read before."""
    counts = {kind: kinds.count(kind) for kind in shares}
    unknown = [kind for kind, share in shares.items() if share < 0 or not counts[kind]]
    total = sum(shares.values())
    if unknown or total <= 0:
        raise DataError(f"No examples of the kind {unknown[:1] or ''}: check the shares.")
    length = max(count * total / shares[kind] for kind, count in counts.items() if shares[kind])
    parts = []
    for kind, share in shares.items():
        numbers = np.array([i for i, one in enumerate(kinds) if one == kind])
        readings = np.arange(round(length * share / total))
        parts.append(np.stack([numbers[readings % len(numbers)], readings // len(numbers)], 1))
    return np.concatenate(parts).astype(np.int64)


def _about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads((path / INDEX).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise DataError(f"The regions in {path} are of another format: make them again.")
    except (OSError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} holds no regions ({INDEX} is missing or broken): make them with "
            f"`mdt regions STICKERS -o {path}`."
        ) from None
    assert isinstance(about, dict)
    return about


def _check_vae(path: Path, about: dict[str, Any], vae: str | Path) -> None:
    from mdt.data.latents import vae_digest

    if vae_digest(vae) != about["vae"]["sha256"]:
        raise DataError(
            f"The regions in {path} were made with another VAE ({about['vae']['name']}) than "
            f"{vae}: make them again with this one."
        )


@cache
def _open(file: Path) -> Any:
    return safe_open(file, framework="numpy")
