"""Pictures in a folder; its sub-folders are the classes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from mdt.data.picture import ENDINGS
from mdt.data.pictures import PictureSource, Size, complaints, good_ones
from mdt.data.source import Array, DataError, digest


class FolderSource(PictureSource):
    """A folder of class folders, or a flat folder of pictures without labels.

    The classes are the sub-folders in alphabetical order; what lies in folders inside a class
    folder belongs to that class. Names with a leading dot are passed over.

    Args:
        path: of the folder.
        size: see `PictureSource`.
        labels: whether to use the classes; False: all pictures below `path`, without labels.
        skip_unreadable: leave out pictures whose header cannot be read, instead of refusing.
        check: read every header at the start; False: what is broken is found when it is read.

    Raises:
        DataError: no such folder, no pictures, pictures beside class folders, an empty class
            folder, pictures that cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: Size = None,
        labels: bool = True,
        skip_unreadable: bool = False,
        check: bool = True,
    ) -> None:
        super().__init__(size)
        self.path = Path(path)
        if not self.path.is_dir():
            what = "is a file, not a folder" if self.path.exists() else "does not exist"
            raise DataError(f"The folder of pictures {path} {what}.")
        found = sorted(_pictures(self.path))
        if not found:
            raise DataError(f"{path} holds no pictures (files ending in {', '.join(ENDINGS)}).")
        # One block of memory instead of a million strings: it is shared with worker processes.
        self._names = np.array([os.fsencode(name) for name in found], dtype=np.bytes_)
        numbers = self._find_classes(found) if labels else None
        if check or skip_unreadable:
            said = complaints(len(found), self._open)
            good = good_ones(said, self.name, skip=skip_unreadable)
            self._names = self._names[good]
            numbers = numbers if numbers is None else numbers[good]
        self.labels = numbers
        self.identity = digest(self._names, self.classes or ())
        self.settle_shape()

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        """The path of the picture."""
        return str(self.path / os.fsdecode(self._names[index]))

    def data(self, index: int) -> bytes:
        """The bytes of the file."""
        return Path(self.name(index)).read_bytes()

    def _open(self, index: int) -> IO[bytes]:
        return Path(self.name(index)).open("rb")

    def _find_classes(self, found: list[str]) -> Array | None:
        """Set the classes and return the label of each picture; None: the folder is flat."""
        inside = [name.split(os.sep, 1)[0] if os.sep in name else "" for name in found]
        classes = sorted(set(inside) - {""})
        if not classes:
            return None
        if "" in inside:
            raise DataError(
                f"{self.path} holds pictures ({found[inside.index('')]}) beside class folders "
                f"({classes[0]}): move them into a class, or read all with labels=False."
            )
        empty = sorted(
            folder.name
            for folder in self.path.iterdir()
            if folder.is_dir() and folder.name[0] != "." and folder.name not in set(classes)
        )
        if empty:
            raise DataError(
                f"{self.path}: the class folder {empty[0]} holds no pictures; remove it, so that "
                "the classes are counted right."
            )
        self.classes = tuple(classes)
        number = {name: label for label, name in enumerate(classes)}
        return np.array([number[name] for name in inside], dtype=np.int64)


def _pictures(folder: Path) -> Iterator[str]:
    """Relative paths of all pictures below a folder; links are followed, each place once."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if name[0] != "."]
        inside = os.path.relpath(place, folder)
        for name in files:
            if name[0] != "." and name.lower().endswith(ENDINGS):
                yield name if inside == "." else f"{inside}{os.sep}{name}"
