"""Pictures to be measured, from wherever samples and references lie."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mdt.data import SOURCES, FolderSource, Source, open_source
from mdt.data.picture import crop


def open_pictures(pictures: Any, size: int | None = None) -> tuple[Source, str]:
    """A source of RGB pictures of one size, and its name; see `evaluate`.

    Raises:
        ValueError: nothing there, pictures that cannot be read or differ in size, or latents.
    """
    if isinstance(pictures, np.ndarray):
        source: Source = ArraySource(pictures, size)
        name = "array"
    elif isinstance(pictures, str | Path):
        kind, _, path = str(pictures).partition(":")
        if kind in SOURCES and path:
            more = {"size": size, "labels": False} if kind != "latents" else {}
            source = open_source(kind, path, **more)
        elif Path(pictures).suffix == ".npz":
            source, path = ArraySource.open(pictures, size), str(pictures)
        else:
            source, path = FolderSource(pictures, size=size, labels=False), str(pictures)
        name = Path(path).name
    else:
        source, name = pictures, type(pictures).__name__
    if source.shape[0] != 3:
        raise ValueError(f"{name} holds latents of {source.shape[0]} channels, not pictures.")
    identity = getattr(source, "identity", "")
    return source, f"{name} ({identity[:12]})" if identity else name


class ArraySource:
    """Pictures of an array, as a source (see `mdt.data.Source`).

    Args:
        pictures: uint8 (N, H, W, 3).
        size: side that they are filled and cropped to; None: their own.
        name: for complaints.
        identity: digest of the pictures, where it is known.
    """

    classes: tuple[str, ...] | None = None
    blocks: tuple[int, ...] | None = None

    def __init__(
        self,
        pictures: np.ndarray,
        size: int | None = None,
        name: str = "The array",
        identity: str | None = None,
    ) -> None:
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3:] != (3,):
            raise ValueError(
                f"{name} must hold pictures as uint8 (N, H, W, 3); it holds {pictures.dtype} "
                f"{pictures.shape}."
            )
        if not len(pictures):
            raise ValueError(f"{name} holds no pictures.")
        self.pictures, self.size = pictures, size
        height, width = pictures.shape[1:3] if size is None else (size, size)
        self.shape = 3, height, width
        raw = np.ascontiguousarray(pictures).data if identity is None else b""
        self.identity = identity or hashlib.sha256(raw).hexdigest()

    @classmethod
    def open(cls, path: str | Path, size: int | None = None) -> ArraySource:
        """The `arr_0` of an .npz file, or its only array; mapped, not read, if not compressed.

        Raises:
            ValueError: no such file, or another content.
        """
        try:
            with zipfile.ZipFile(path) as file:
                names = file.namelist()
                member = names[0] if len(names) == 1 else "arr_0.npy"
                info = file.getinfo(member)
            pictures = _map(path, info)
            if pictures is None:
                with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as arrays:
                    pictures = arrays[member.removesuffix(".npy")]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            reason = reason if Path(path).is_file() else "there is no such file"
            raise ValueError(f"{path} cannot be read as pictures (arr_0): {reason}.") from None
        return cls(pictures, size, str(path), f"{info.CRC:08x}")

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> tuple[np.ndarray, None]:
        """Picture `index`, and no label."""
        picture = self.pictures[index]
        if picture.shape[:2] != self.shape[1:]:
            image = crop(Image.fromarray(picture), (self.shape[1], self.shape[2]))
            picture = np.asarray(image)
        return np.array(picture), None


def _map(path: str | Path, info: zipfile.ZipInfo) -> np.ndarray | None:
    """An array in an .npz as a map of the file; None if it is compressed or of a rare version.

    Fifty thousand pictures of 256x256 are 10 GB, and every process opens them.
    """
    if info.compress_type != zipfile.ZIP_STORED:
        return None
    with Path(path).open("rb") as file:
        file.seek(info.header_offset + 26)  # of the local header (PKZIP appnote, 4.3.7)
        name_length, extra_length = struct.unpack("<HH", file.read(4))
        file.seek(name_length + extra_length, 1)
        if np.lib.format.read_magic(file) != (1, 0):
            return None
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(file)
        if columns_first or dtype.hasobject or not np.prod(shape):
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape)
