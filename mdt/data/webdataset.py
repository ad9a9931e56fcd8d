"""Pictures in WebDataset shards: .tar files of `000.jpg`, `000.cls`, `001.jpg` and so on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdt.data.files import find_files
from mdt.data.pictures import PictureSource, Size, good_ones
from mdt.data.shards import find_pictures, read_at
from mdt.data.source import Array, DataError, check_labels, digest


class ShardSource(PictureSource):
    """The pictures of .tar shards, read in place; the order takes one shard after the other.

    The shards are searched once; where each picture lies is then kept in a hidden file beside
    them. Files `KEY.cls` give labels as numbers. A file `classnames.txt` beside the shards names
    the classes, one a line; else they are named by their numbers.

    Args:
        path: a shard, a folder of shards, a pattern, a range (`data-{000..012}.tar`), or a list.
        size: see `PictureSource`.
        label: what gives the labels: "cls"; "json:KEY", a number in `KEY.json`; "txt", a text
            that is the class's name; None: "cls" where there is one, else "json:label".
        labels: whether to use labels.
        skip_unreadable: leave out pictures whose header cannot be read, instead of refusing.
        index: folder that keeps the index; None: beside the shards.

    Raises:
        DataError: no such file, a broken or empty shard, pictures without a label among others
            that have one, labels that are none, pictures that cannot be read.
    """

    def __init__(
        self,
        path: str | Path | Sequence[str | Path],
        *,
        size: Size = None,
        label: str | None = None,
        labels: bool = True,
        skip_unreadable: bool = False,
        index: str | Path | None = None,
    ) -> None:
        super().__init__(size)
        self.files = find_files(path, ".tar")
        if label is not None and label not in ("cls", "txt") and not label.startswith("json:"):
            raise DataError(f"Labels come from cls, json:KEY or txt; got label={label!r}.")
        place = None if index is None else Path(index)
        kinds: list[str | None] = [label] if label or not labels else ["cls", "json:label"]
        for kind in kinds if labels else [None]:
            self._index = find_pictures(self.files, kind, place)
            self._rows: Array = np.arange(len(self._index.shard))
            if np.any(self._index.label != b""):
                self._find_labels(kind)
                break
        if label is not None and labels and self.labels is None:
            raise DataError(f"{self.files[0]} holds no labels as {label}.")
        said = [fault.decode() for fault in self._index.fault]
        self._rows = good_ones(said, self.name, skip=skip_unreadable)
        self.labels = self.labels if self.labels is None else self.labels[self._rows]
        counts = np.bincount(self._index.shard[self._rows], minlength=len(self.files))
        self.blocks = tuple(int(count) for count in counts if count)
        self.identity = digest(
            [file.name for file in self.files],
            self._index.shard[self._rows],
            self._index.size[self._rows],
            self._index.key[self._rows],
            self.classes or (),
            np.array([]) if self.labels is None else self.labels,
        )
        self.settle_shape()

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, index: int) -> str:
        """Shard and key of the picture."""
        row = self._rows[index]
        return f"{self.files[self._index.shard[row]]} ({os.fsdecode(self._index.key[row])})"

    def data(self, index: int) -> bytes:
        """The bytes of the picture's file."""
        row = self._rows[index]
        file = self.files[self._index.shard[row]]
        return read_at(file, int(self._index.offset[row]), int(self._index.size[row]))

    def _find_labels(self, kind: str | None) -> None:
        found = self._index.label
        without = np.flatnonzero(found == b"")
        if len(without):
            raise DataError(
                f"{len(without)} of {len(found)} pictures have no label, {self.name(without[0])} "
                "the first; read them with labels=False."
            )
        names = _class_names(self.files[0].parent)
        texts = [text.decode() for text in found]
        if kind == "txt":
            names = names or sorted(set(texts))
            number = {name: label for label, name in enumerate(names)}
            self.labels = np.array([number.get(text, -1) for text in texts])
        else:
            self.labels = _numbers(texts, str(self.files[0]))
            names = names or [str(i) for i in range(int(self.labels.max()) + 1)]
        check_labels(self.labels, len(names), str(self.files[0]))
        self.classes = tuple(names)


def _numbers(texts: list[str], where: str) -> Array:
    wrong = next((text for text in texts if not text.removeprefix("-").isdecimal()), None)
    if wrong is not None:
        raise DataError(f"{where} has the label {wrong[:40]!r}, which is no whole number.")
    return np.array([int(text) for text in texts], dtype=np.int64)


def _class_names(folder: Path) -> list[str]:
    path = folder / "classnames.txt"
    if not path.is_file():
        return []
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
