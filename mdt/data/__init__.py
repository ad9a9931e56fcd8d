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
from mdt.data.latents import INDEX, LatentSource
from mdt.data.order import picture
from mdt.data.parquet import ParquetSource
from mdt.data.regions import RegionSource
from mdt.data.source import DataError, Source
from mdt.data.stickers import CropSource, DrawingSource, PromptSource, SceneSource, StickerSource
from mdt.data.webdataset import ShardSource
from mdt.naming import imported

__all__ = [
    "SOURCES",
    "Batch",
    "CropSource",
    "DataError",
    "DrawingSource",
    "FolderSource",
    "LatentSource",
    "ParquetSource",
    "PromptSource",
    "RegionSource",
    "SceneSource",
    "ShardSource",
    "Source",
    "StickerSource",
    "batches",
    "open_any",
    "open_source",
    "picture",
]

SOURCES: dict[str, Any] = {
    "folder": FolderSource,
    "parquet": ParquetSource,
    "webdataset": ShardSource,
    "latents": LatentSource,
    "stickers": StickerSource,
    "scenes": SceneSource,
    "crops": CropSource,
    "drawings": DrawingSource,
    "prompted": PromptSource,
    "regions": RegionSource,
}
#: Those that hold latents already.
CACHED = ("latents", "regions")


def open_source(name: str, path: str | Path | Sequence[str | Path], **settings: Any) -> Source:
    """A source by its name in `SOURCES`.

    Args:
        name: a key of `SOURCES`, such as "folder", or "package.module:Class" of your own.
        path: where it is.
        settings: of the class.

    Raises:
        DataError: a ValueError: unknown name or setting (names the nearest), or what the class
            raises about the files.
    """
    kind = imported(name) if ":" in str(name) else SOURCES.get(name)
    if kind is None:
        raise DataError(f"There is no kind of data {name!r}{_suggest(str(name), SOURCES)}")
    if not path:
        raise DataError(f"Say where the pictures are: the path of the {name} is empty.")
    known = list(inspect.signature(kind).parameters)[1:]
    for key in settings:
        if key not in known:
            raise DataError(f"The data {name!r} has no setting {key!r}{_suggest(key, known)}")
    opened: Source = kind(path, **settings)
    return opened


def open_any(paths: Sequence[str | Path], **settings: Any) -> Source:
    """A source by its paths alone; "kind:path" says the kind, else the files do.

    Args:
        paths: of one source: a folder, or one or more files, patterns or ranges.
        settings: of the class.

    Raises:
        DataError: paths of several kinds, several folders, or what the class raises.
    """
    found = [_kind_of(str(path)) for path in paths]
    kinds = sorted({kind for kind, _ in found})
    if len(kinds) > 1:
        raise DataError(f"The pictures are of several kinds ({', '.join(kinds)}): give one.")
    if kinds and kinds[0] in ("folder", "latents"):
        if len(found) > 1:
            raise DataError(f"One folder at a time can be read; got {len(found)}.")
        return open_source(kinds[0], found[0][1], **settings)
    return open_source(kinds[0] if kinds else "folder", [path for _, path in found], **settings)


def _kind_of(text: str) -> tuple[str, str]:
    kind, colon, path = text.partition(":")
    if colon and kind in SOURCES:
        return kind, path
    place = Path(text)
    if place.is_dir() and (place / INDEX).exists():
        return "latents", text
    for ending, kind in ((".parquet", "parquet"), (".tar", "webdataset")):
        if text.endswith(ending) or (place.is_dir() and any(place.glob(f"*{ending}"))):
            return kind, text
    return "folder", text
