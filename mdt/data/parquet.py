"""Pictures in Parquet files, as Hugging Face data sets keep them."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mdt.data.files import find_files
from mdt.data.pictures import PictureSource, Size, complaints, good_ones
from mdt.data.source import Array, DataError, check_labels, digest

#: Pictures of fewer bytes than this, in all, are held in memory.
MEMORY_MB = 1024
#: Else so many row groups are.
_NUM_HELD = 2
_IMAGES = ("image", "img", "picture", "png", "jpg", "jpeg", "webp")
_LABELS = ("label", "labels", "class", "cls", "target")


class ParquetSource(PictureSource):
    """Rows of one or more Parquet files: a column of pictures and, maybe, one of labels.

    A picture is the bytes of an image file, or a struct with a field `bytes` that holds them.
    Labels are whole numbers; the names of the classes are read from the metadata that Hugging
    Face's `datasets` writes, where there is some. Files that do not fit in memory are read row
    group by row group, and the order is shuffled accordingly (`Source.blocks`).

    Args:
        path: a file, a folder of files, a pattern, or a list of these.
        size: see `PictureSource`.
        image: the column of pictures; None: the one that there is.
        label: the column of labels; None: the one that there is, if any.
        labels: whether to use labels.
        skip_unreadable: leave out pictures that cannot be read, instead of refusing (only where
            the pictures are held in memory).
        memory_mb: see `MEMORY_MB`.

    Raises:
        DataError: no such file, broken file, no such column, labels that are none, pictures that
            cannot be read.
    """

    def __init__(
        self,
        path: str | Path | Sequence[str | Path],
        *,
        size: Size = None,
        image: str | None = None,
        label: str | None = None,
        labels: bool = True,
        skip_unreadable: bool = False,
        memory_mb: float = MEMORY_MB,
    ) -> None:
        super().__init__(size)
        self.files = find_files(path, ".parquet")
        schema = _schema(self.files)
        self._column = image or _image_column(schema, self.files[0])
        _check_column(schema, self._column, self.files[0])
        self._groups = _row_groups(self.files, self._column)
        self._starts = np.cumsum([0, *(group.rows for group in self._groups)])
        if not self._starts[-1]:
            raise DataError(f"{self.files[0]} holds no pictures: it has no rows.")
        self._rows: Array = np.arange(self._starts[-1])
        self._held: OrderedDict[int, Any] = OrderedDict()
        if labels:
            self._find_labels(schema, label)
        self._in_memory = sum(group.size for group in self._groups) <= memory_mb * 1e6
        if self._in_memory:
            self._check_all(skip=skip_unreadable)
        elif skip_unreadable:
            raise DataError(
                f"{self.files[0]}: skip_unreadable reads every picture at the start, and these do "
                f"not fit in {memory_mb:g} MB; raise memory_mb."
            )
        else:
            self.blocks = tuple(group.rows for group in self._groups)
        self.identity = digest(
            [file.name for file in self.files],
            np.array([file.stat().st_size for file in self.files]),
            self._rows,
            self._column,
            self.classes or (),
            np.array([]) if self.labels is None else self.labels,
        )
        self.settle_shape()

    def __len__(self) -> int:
        return len(self._rows)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_held": OrderedDict()}

    def name(self, index: int) -> str:
        """File and row of the picture."""
        group, row = self._place(index)
        file = self._groups[group].file
        before = sum(other.rows for other in self._groups[:group] if other.file == file)
        return f"{file} (row {before + row})"

    def data(self, index: int) -> bytes:
        """The bytes of the image file in the cell."""
        group, row = self._place(index)
        cell = self._group(group)[row].as_py()
        if cell is None:
            raise DataError("the cell is empty")
        return cell

    def _open(self, index: int) -> io.BytesIO:
        return io.BytesIO(self.data(index))

    def _place(self, index: int) -> tuple[int, int]:
        row = self._rows[index]
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        return group, int(row - self._starts[group])

    def _group(self, group: int) -> Any:
        """The pictures of a row group, and at most `_NUM_HELD` of them unless all fit."""
        if group in self._held:
            return self._held[group]
        file, number, _, _ = self._groups[group]
        with _opened(file) as opened:
            table = opened.read_row_group(number, [self._column], use_threads=False)
        if _is_struct(table.schema.field(0).type):
            table = table.flatten().select([f"{self._column}.bytes"])
        if not self._in_memory:
            while len(self._held) >= _NUM_HELD:
                self._held.popitem(last=False)
        self._held[group] = table.column(0)
        return self._held[group]

    def _check_all(self, *, skip: bool) -> None:
        for group in range(len(self._groups)):
            self._group(group)  # before threads ask for it
        good = good_ones(complaints(len(self), self._open), self.name, skip=skip)
        self._rows = self._rows[good]
        self.labels = self.labels if self.labels is None else self.labels[good]

    def _find_labels(self, schema: Any, column: str | None) -> None:
        named = _class_names(schema)
        column = column or _label_column(schema, named, self.files[0])
        if column is None:
            return
        if column not in schema.names:
            raise DataError(_no_column(column, schema, self.files[0]))
        parts = []
        for file in self.files:
            with _opened(file) as opened:
                parts.append(opened.read([column], use_threads=False).column(0))
        if any(part.null_count for part in parts) or not _is_integer(parts[0].type):
            raise DataError(
                f"{self.files[0]}: the column {column!r} holds no whole number in every row, so it "
                "gives no labels; name another with label=, or read with labels=False."
            )
        numbers = np.concatenate([part.to_numpy() for part in parts]).astype(np.int64)
        classes = named.get(column) or [str(i) for i in range(int(numbers.max()) + 1)]
        check_labels(numbers, len(classes), str(self.files[0]))
        self.labels, self.classes = numbers, tuple(classes)


class _Group(NamedTuple):
    """A row group of a file: its number there, its rows, the bytes of its pictures."""

    file: Path
    number: int
    rows: int
    size: int


def _arrow(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise DataError(
            "Parquet files are read with pyarrow, which is not installed: pip install "
            "'mdt-edit[data]'."
        ) from None


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """A Parquet file; what goes wrong with it becomes a `DataError`."""
    parquet = _arrow("pyarrow.parquet")
    try:
        with parquet.ParquetFile(file) as opened:
            yield opened
    except (_arrow("pyarrow").ArrowException, OSError) as error:
        raise DataError(
            f"{file} cannot be read as Parquet ({str(error).splitlines()[0].rstrip('.')}): it is "
            "truncated or another kind of file."
        ) from None


def _schema(files: list[Path]) -> Any:
    """The schema of the first file; the others must have the same columns."""
    schemas = []
    for file in files:
        with _opened(file) as opened:
            schemas.append(opened.schema_arrow)
        if not schemas[-1].equals(schemas[0], check_metadata=False):
            raise DataError(f"{file} has other columns than {files[0]}: open them one by one.")
    return schemas[0]


def _row_groups(files: list[Path], column: str) -> list[_Group]:
    groups = []
    for file in files:
        with _opened(file) as opened:
            metadata = opened.metadata
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            parts = [group.column(i) for i in range(group.num_columns)]
            sizes = [
                part.total_uncompressed_size
                for part in parts
                if part.path_in_schema.split(".")[0] == column
            ]
            groups.append(_Group(file, number, group.num_rows, sum(sizes)))
    return groups


def _image_column(schema: Any, file: Path) -> str:
    found = [field.name for field in schema if _holds_bytes(field.type)]
    if len(found) > 1:
        found = [name for name in _IMAGES if name in found][:1] or found
    if len(found) == 1:
        return found[0]
    problem = "no column of pictures" if not found else f"{len(found)} columns of bytes"
    raise DataError(
        f"{file} has {problem}; name one with image=; there are: {', '.join(schema.names)}."
    )


def _check_column(schema: Any, column: str, file: Path) -> None:
    if column not in schema.names:
        raise DataError(_no_column(column, schema, file))
    if not _holds_bytes(schema.field(column).type):
        raise DataError(
            f"{file}: the column {column!r} ({schema.field(column).type}) holds no pictures (bytes "
            f"of image files); there are: {', '.join(schema.names)}."
        )


def _label_column(schema: Any, named: dict[str, list[str]], file: Path) -> str | None:
    known = [name for name in _LABELS if name in schema.names]
    whole = [name for name in known if _is_integer(schema.field(name).type)]
    if whole:
        return whole[0]
    if len(named) > 1:
        raise DataError(f"{file} has several labels ({', '.join(named)}); name one with label=.")
    return next(iter(named), None)


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Class names by column, from the metadata of Hugging Face's `datasets`."""
    raw = (schema.metadata or {}).get(b"huggingface")
    if not raw:
        return {}
    try:
        features = json.loads(raw)["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _no_column(column: str, schema: Any, file: Path) -> str:
    return f"{file} has no column {column!r}; there are: {', '.join(schema.names)}."


def _holds_bytes(kind: Any) -> bool:
    if _is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    types = _arrow("pyarrow.types")
    return types.is_binary(kind) or types.is_large_binary(kind)


def _is_struct(kind: Any) -> bool:
    return _arrow("pyarrow.types").is_struct(kind)


def _is_integer(kind: Any) -> bool:
    return _arrow("pyarrow.types").is_integer(kind)
