"""The pictures of WebDataset shards (.tar): where each lies, found once and kept in a file."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from mdt.data.picture import ENDINGS, check
from mdt.data.pictures import complaints
from mdt.data.source import Array, DataError, digest
from mdt.files import written_beside

_log = logging.getLogger(__name__)
#: Changes when the file of the index does.
_FORMAT = 1
_FIELDS = ("shard", "offset", "size", "key", "label", "fault")
#: Where a picture's header ends, nearly always.
_HEAD_BYTES = 65536


@dataclass(frozen=True, eq=False)
class Index:
    """Where pictures lie.

    Attributes:
        shard: (N,), which file.
        offset: (N,), first byte of the picture in it.
        size: (N,), its bytes.
        key: (N,), its name without the ending, as bytes.
        label: (N,), what the shards say of it, as bytes; empty where they say nothing.
        fault: (N,), why its header cannot be read, as bytes; empty where it can.
    """

    shard: Array
    offset: Array
    size: Array
    key: Array
    label: Array
    fault: Array


def find_pictures(files: list[Path], label: str | None, place: Path | None) -> Index:
    """The index of all shards: from the file where it is kept, or from the shards.

    Args:
        files: the shards, in order.
        label: "cls", "json:KEY" or "txt": what gives the labels; None: nothing does.
        place: folder of the file; None: the shards' own. Where it cannot be written, it is not.

    Raises:
        DataError: a broken shard, or one without pictures; names it.
    """
    stamps = digest(
        [str(_FORMAT), str(label)],
        [file.name for file in files],
        np.array([(s.st_size, s.st_mtime_ns) for s in (file.stat() for file in files)]),
    )
    names = hashlib.sha256("\0".join([str(label), *(file.name for file in files)]).encode())
    kept = (place or files[0].parent) / f".mdt-index-{names.hexdigest()[:12]}.npz"
    index = _load(kept, stamps)
    if index is None:
        index = _index(files, label)
        _save(index, kept, stamps)
    return index


def read_at(file: Path, offset: int, size: int) -> bytes:
    """A part of a file; every call opens it, so that processes do not share a position."""
    number = os.open(file, os.O_RDONLY)
    try:
        return os.pread(number, size, offset)
    finally:
        os.close(number)


def _index(files: list[Path], label: str | None) -> Index:
    rows: list[tuple[int, int, int, str, str]] = []
    faults: list[str] = []
    for number, file in enumerate(files):
        found = [(number, *row) for row in _samples(file, label)]
        if not found:
            raise DataError(f"The shard {file} holds no pictures.")
        rows += found
        faults += complaints(len(found), partial(_head, file, found))
    shard, offset, size, key, labels = zip(*rows, strict=True)
    return Index(
        np.array(shard),
        np.array(offset),
        np.array(size),
        np.array([os.fsencode(name) for name in key], dtype=np.bytes_),
        np.array([text.encode() for text in labels], dtype=np.bytes_),
        np.array([text.encode() for text in faults], dtype=np.bytes_),
    )


def _head(file: Path, rows: list[tuple[int, int, int, str, str]], row: int) -> io.BytesIO:
    """The bytes that hold a picture's header: the first ones, or all if these do not do."""
    _, offset, size, _, _ = rows[row]
    head = io.BytesIO(read_at(file, offset, min(size, _HEAD_BYTES)))
    try:
        check(head)
    except DataError:
        return io.BytesIO(read_at(file, offset, size))
    head.seek(0)
    return head


def _samples(file: Path, label: str | None) -> Iterator[tuple[int, int, str, str]]:
    """(offset, size, key, label) of each picture: members with one key lie side by side."""
    kind, _, field = (label or "").partition(":")
    key, picture, text = None, None, ""
    for name, offset, data in _members(file, kind):
        stem, ending = _split(name)
        if stem != key:
            if picture:
                yield (*picture, str(key), text)
            key, picture, text = stem, None, ""
        if f".{ending}".endswith(ENDINGS):
            picture = offset, data if isinstance(data, int) else len(data)
        elif ending == kind and isinstance(data, bytes):
            text = _label_in(data, field, f"{file}: {name}")
    if picture:
        yield (*picture, str(key), text)


def _members(file: Path, kind: str) -> Iterator[tuple[str, int, int | bytes]]:
    """(name, offset, size) of each file in a tar; those that end in `kind` with their bytes.

    Raises:
        DataError: the tar is broken or compressed.
    """
    size = file.stat().st_size
    try:
        with file.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
            for member in tar:
                if member.offset_data + member.size > size:
                    raise tarfile.ReadError("unexpected end of data")
                if member.isfile():
                    found: IO[bytes] | None = None
                    if kind and _split(member.name)[1] == kind:
                        found = tar.extractfile(member)
                    data = member.size if found is None else found.read()
                    yield member.name, member.offset_data, data
            _check_end(raw, tar.offset)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(
            f"The shard {file} cannot be read ({str(error).rstrip('.')}): it is truncated, "
            "compressed or another kind of file; a plain .tar is needed."
        ) from None


def _check_end(raw: IO[bytes], offset: int) -> None:
    """After the last file a tar holds zeros; tarfile stops as quietly at anything else."""
    raw.seek(offset)
    after = raw.read(tarfile.BLOCKSIZE)
    if not after or any(after):
        raise tarfile.ReadError("broken in the middle" if after else "no end of the archive")


def _split(name: str) -> tuple[str, str]:
    """A member's key and its ending: the name is cut at the first dot after the folders."""
    folder, _, base = name.rpartition("/")
    stem, _, ending = base.partition(".")
    return f"{folder}/{stem}" if folder else stem, ending.lower()


def _label_in(data: bytes, field: str, where: str) -> str:
    try:
        text = data.decode().strip()
        if not field:
            return text
        value: Any = json.loads(text)
        return str(value[field]) if field in value else ""
    except (ValueError, TypeError) as error:
        raise DataError(f"{where} cannot be read as a label: {error}.") from None


def _load(path: Path, stamps: str) -> Index | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["stamps"]) == stamps:
                return Index(*(kept[field] for field in _FIELDS))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError) as error:
        _log.warning("%s is not used: %s", path, error)
    return None


def _save(index: Index, path: Path, stamps: str) -> None:
    try:
        with written_beside(path, overwrite=True) as new:
            np.savez(new, stamps=stamps, **{field: getattr(index, field) for field in _FIELDS})
    except OSError as error:
        _log.info("The index is not kept: %s", error)
