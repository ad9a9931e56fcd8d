"""Files -> pictures and labels, in an order that can be resumed and shared by processes.

`SOURCES` is what a YAML's `name:` may say; every entry is called as `(path, **settings)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mdt.config import _suggest
from mdt.data.batches import Batch, batches
from mdt.data.folder import FolderSource
from mdt.data.order import picture
from mdt.data.parquet import ParquetSource
from mdt.data.source import DataError, Source
from mdt.data.webdataset import ShardSource

__all__ = [
    "SOURCES",
    "Batch",
    "DataError",
    "FolderSource",
    "ParquetSource",
    "ShardSource",
    "Source",
    "batches",
    "open_source",
    "picture",
]

SOURCES: dict[str, Any] = {
    "folder": FolderSource,
    "parquet": ParquetSource,
    "webdataset": ShardSource,
}


def open_source(name: str, path: str | Path | Sequence[str | Path], **settings: Any) -> Source:
    """A source by its name in `SOURCES`.

    Args:
        name: "folder", "parquet", "webdataset" or "latents".
        path: where it is.
        settings: of the class.

    Raises:
        DataError: a ValueError: unknown name or setting (names the nearest), or what the class
            raises about the files.
    """
    if name not in SOURCES:
        raise DataError(f"There is no kind of data {name!r}{_suggest(str(name), SOURCES)}")
    if not path:
        raise DataError(f"Say where the pictures are: the path of the {name} is empty.")
    known = list(inspect.signature(SOURCES[name]).parameters)[1:]
    for key in settings:
        if key not in known:
            raise DataError(f"The data {name!r} has no setting {key!r}{_suggest(key, known)}")
    return SOURCES[name](path, **settings)
