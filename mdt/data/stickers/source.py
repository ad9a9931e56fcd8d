"""Stickers by number: pictures with alpha, each with the number of its name."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from mdt.config import _suggest
from mdt.data.parquet import _opened
from mdt.data.pictures import Size, check_size
from mdt.data.source import Array, DataError, digest
from mdt.data.stickers.build import ABOUT, FILE, FORMAT, STYLES
from mdt.data.stickers.names import GROUPS, held

SPLITS = ("train", "held", "all")
#: What is read of the file beside the pictures.
_COLUMNS = ("name", "tags", "group", "kind", "style", "label")


class StickerSource:
    """What `mdt data stickers` wrote; see `mdt.data.source.Source`.

    Labels are numbers of names, and both are the same whatever part of the stickers is asked for:
    the same thing in two styles has one label.

    Args:
        path: of the folder.
        size: side, or (H, W), that the pictures are scaled to; None: as they were written.
        split: "train": without the names that are never trained on (`names.held`, about 5 %);
            "held": these alone; "all".
        styles: those that are wanted; None: all.
        groups: those that are wanted, of `names.GROUPS`; None: all.
        only: names that are wanted; None: all.

    Attributes:
        names: what the stickers show, by label; also `classes`.
        tags: other words for it, by label.
        groups: of the names, by label.
        kinds: finer groups, such as "food-fruit", by label.
        styles: of the pictures, by index.
        labels: of the pictures, by index: int64 (len,).

    Raises:
        DataError: no such folder, another format, a style, group, name or split that there is
            not, or nothing is left.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: Size = None,
        split: str = "all",
        styles: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        only: Sequence[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.size = check_size(size)
        about = _about(self.path)
        _known("split", [split], SPLITS)
        _known("style", styles or (), STYLES)
        _known("group", groups or (), GROUPS.values())
        rows, cells = _read(self.path / FILE)
        named = {row["label"]: row for row in rows}
        self.names = tuple(named[i]["name"] for i in range(len(named)))
        self.tags = tuple(tuple(named[i]["tags"]) for i in range(len(named)))
        self.groups = tuple(named[i]["group"] for i in range(len(named)))
        self.kinds = tuple(named[i]["kind"] for i in range(len(named)))
        self.classes: tuple[str, ...] | None = self.names
        _known("name", only or (), self.names)
        kept = [
            i
            for i, row in enumerate(rows)
            if _wanted(row, split, styles, groups) and (only is None or row["name"] in only)
        ]
        if not kept:
            raise DataError(f"No sticker in {self.path} is of this split, style, group and name.")
        self._cells = [cells[i] for i in kept]
        self.styles = tuple(rows[i]["style"] for i in kept)
        self.labels = np.array([rows[i]["label"] for i in kept], dtype=np.int64)
        self.identity = digest(about["sha256"], np.array(kept))
        height, width = self.size or (about["size"], about["size"])
        self.shape = (4, height, width)

    def __len__(self) -> int:
        return len(self._cells)

    def read(self, index: int) -> tuple[Array, int | None]:
        """Sticker `index` as RGBA uint8 (H, W, 4), straight alpha, and the number of its name.

        Raises:
            DataError: it cannot be decoded; names it.
        """
        try:
            with Image.open(io.BytesIO(self._cells[index])) as file:
                image = file.convert("RGBA")
        except (UnidentifiedImageError, OSError, ValueError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DataError(
                f"The sticker {self.names[self.labels[index]]!r} in {self.path} cannot be read: "
                f"{reason}; build the stickers anew."
            ) from None
        if image.size != self.shape[:0:-1]:
            image = image.resize(self.shape[:0:-1], Image.Resampling.BICUBIC)
        return np.array(image), int(self.labels[index])


def _about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads((path / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(
            f"{path} holds no stickers ({ABOUT} is missing or broken): make them with "
            f"`mdt data stickers -o {path}`."
        ) from None
    if about.get("format") != FORMAT:
        raise DataError(
            f"The stickers in {path} are of format {about.get('format')}, and {FORMAT} is read: "
            "build them anew."
        )
    return about


def _known(what: str, given: Sequence[str], known: Any) -> None:
    for one in given:
        if one not in known:
            raise DataError(f"There is no {what} {one!r} of stickers{_suggest(str(one), known)}")


def _read(file: Path) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The rows without their pictures, and the pictures' bytes."""
    with _opened(file) as parquet:
        rows = parquet.read(list(_COLUMNS), use_threads=False).to_pylist()
        table = parquet.read(["image"], use_threads=False)
    return rows, [cell["bytes"] for cell in table.column("image").to_pylist()]


def _wanted(
    row: dict[str, Any],
    split: str,
    styles: Sequence[str] | None,
    groups: Sequence[str] | None,
) -> bool:
    return (
        (split == "all" or held(row["name"]) == (split == "held"))
        and (styles is None or row["style"] in styles)
        and (groups is None or row["group"] in groups)
    )
