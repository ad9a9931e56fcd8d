"""Commands for many pictures: one for a folder, or a CSV of them; what is done is left alone.

Shared out over processes: `accelerate launch -m editanything.batch FOLDER COMMAND -o OUT` on GPUs,
`ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 -m editanything.batch ...` on CPUs.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.rows import REPORT_COLUMNS, Done, Row, edit_rows

if TYPE_CHECKING:
    from mdt.sampling.group import Group

#: What counts as a picture in a folder; any other file is passed over.
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".avif", ".gif", ".bmp"}
)  # fmt: skip
COLUMNS = ("file", "command", "mask", "seed")


def rows_of_folder(folder: Path, text: str, out: Path, *, seed: int = 0) -> list[Row]:
    """The same command for every picture of `folder`, in the order of their names.

    Raises:
        InputError: no such folder, or no picture in it.
    """
    _check_folder(folder)
    try:
        sources = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise InputError(f"The folder {str(folder)!r} cannot be read: {error.strerror}.") from None
    if not sources:
        raise InputError(f"There is no picture in the folder {str(folder)!r}.")
    return [Row(source, text, out / f"{source.name}.png", None, seed) for source in sources]


def rows_of_csv(table: Path, folder: Path, out: Path, *, seed: int = 0) -> list[Row]:
    """A CSV with the columns file, command and, if need be, mask and seed.

    Args:
        table: UTF-8, with these names in its first line.
        folder: that files and masks are in.
        out: folder for the results: NAME.png, or NAME-1.png, NAME-2.png where a file has several
            commands. Of a file in a folder below, NAME is FOLDER_NAME; two files of one such name
            are numbered as one.
        seed: where the table says none.

    Raises:
        InputError: a table that cannot be used; names the line.
    """
    _check_folder(folder)
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [str(name).strip() for name in reader.fieldnames or ()]
            lines = [
                (reader.line_num, dict(zip(names, row.values(), strict=False))) for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table {table} cannot be read: {error}.") from None
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or "file" not in names or "command" not in names:
        raise InputError(
            f"The first line of {table} names its columns: file,command and, if need be, mask,seed;"
            f" it has {','.join(names) or 'nothing'}."
        )
    if not lines:
        raise InputError(f"The table {table} has no commands.")
    flat = [_flat(str(line["file"] or "").strip()) for _, line in lines]
    # A file's own letters may not tell it apart where they are written to.
    several, seen = Counter(map(str.casefold, flat)), Counter[str]()
    rows = []
    for (number, line), own in zip(lines, flat, strict=True):
        where = f"{table}, line {number}"
        name, text = str(line["file"] or "").strip(), str(line["command"] or "").strip()
        if not name or not text:
            raise InputError(f"{where}: file and command must both be there.")
        seen[own.casefold()] += 1
        ending = f"-{seen[own.casefold()]}" if several[own.casefold()] > 1 else ""
        rows.append(
            Row(
                folder / name,
                text,
                out / f"{own}{ending}.png",
                folder / str(line["mask"]).strip() if line.get("mask") else None,
                _seed(line.get("seed"), seed, where),
            )
        )
    return rows


def _flat(name: str) -> str:
    """A file's path as one file's name: `sub/a.png` -> `sub_a.png`."""
    return Path(name).as_posix().strip("/").replace("../", "").replace("/", "_")


def edit_folder(
    editor: Editor, folder: Path, text: str, out: Path, *, seed: int = 0
) -> Iterator[Done]:
    """Edit the pictures of `folder` by one command; see `rows_of_folder` and `edit_rows`."""
    yield from edit_rows(editor, rows_of_folder(folder, text, out, seed=seed), out)


def write_report(done: Iterable[Done], path: Path) -> None:
    """What became of each edit, as .csv or .json.

    Raises:
        InputError: another ending, or a file that cannot be written.
    """
    lines = [one.line() for one in done]
    check_report(path)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("w", encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".json":
                json.dump(lines, file, ensure_ascii=False, indent=1)
            else:
                writer = csv.DictWriter(file, REPORT_COLUMNS)
                writer.writeheader()
                writer.writerows(lines)
        new.replace(path)
    except OSError as error:
        raise InputError(f"The report {path} cannot be written: {error}.") from None


def check_report(path: Path) -> None:
    """Raises InputError for a report that is neither .csv nor .json."""
    if path.suffix.lower() not in (".csv", ".json"):
        raise InputError(f"A report is written as .csv or .json; got {path}.")


def open_group() -> Group | None:
    """The processes of this launch; None where there is only this one.

    Raises:
        InputError: a launch that cannot work.
    """
    if (
        int(os.environ.get("WORLD_SIZE", "1")) < 2
        and "ACCELERATE_MIXED_PRECISION" not in os.environ
    ):
        return None  # and nothing heavy is imported
    from mdt.launch import TORCHRUN
    from mdt.sampling.group import Group

    try:
        return Group()
    except ValueError as error:
        ours = TORCHRUN.replace("mdt.train SETTINGS.yaml", "editanything.batch ...")
        raise InputError(str(error).replace(TORCHRUN, ours)) from None


def gathered(group: Group, done: list[Done]) -> list[Done]:
    """What all processes did, by the names of the outputs; all must call this."""
    if group.world == 1:
        return done
    from accelerate.utils import gather_object

    return sorted(gather_object(done), key=lambda one: str(one.output))


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"There is no folder {str(folder)!r}.")


def _seed(text: str | None, otherwise: int, where: str) -> int:
    if not (text or "").strip():
        return otherwise
    try:
        return int(str(text))
    except ValueError:
        raise InputError(f"{where}: seed is a whole number; got {text!r}.") from None


if __name__ == "__main__":
    from importlib import import_module

    sys.exit(import_module("editanything.cli").main(["batch", *sys.argv[1:]]))
