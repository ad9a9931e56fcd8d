"""Paths as a user writes them -> the files that they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path

from mdt.data.source import DataError


def find_files(path: str | Path | Sequence[str | Path], ending: str) -> list[Path]:
    """The files of one or more paths, in the order of the paths, each path's by name.

    Args:
        path: a file, a folder (all files with the ending in it), a pattern (`*`, `?`, `[ab]`), a
            range (`data-{000..012}.tar`), or a list of these.
        ending: of the files, such as ".tar".

    Raises:
        DataError: a path that means no file; names it.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    files = [file for one in paths for part in _ranges(str(one)) for file in _meant(part, ending)]
    if not files:
        raise DataError(f"No {ending} files were given.")
    return files


def _meant(path: str, ending: str) -> list[Path]:
    place = Path(path)
    if place.is_file():
        return [place]
    if place.is_dir():
        found = sorted(file for file in place.iterdir() if file.name.endswith(ending))
        if not found:
            raise DataError(f"The folder {path} holds no {ending} files.")
        return found
    start = Path(place.anchor or ".")
    found = sorted(file for file in start.glob(_below(place)) if file.is_file())
    if not found:
        what = "matches no file" if has_magic(path) else "does not exist"
        raise DataError(f"{path} {what}.")
    return found


def _below(place: Path) -> str:
    """A pattern relative to where it starts, the root or here."""
    return str(place.relative_to(place.anchor)) if place.anchor else str(place)


def _ranges(path: str) -> list[str]:
    """`a-{08..10}` -> `a-08`, `a-09`, `a-10`."""
    found = re.search(r"\{(\d+)\.\.(\d+)\}", path)
    if found is None:
        return [path]
    first, last = found.groups()
    if int(last) < int(first):
        raise DataError(f"{path}: a range counts up, such as {{{last}..{first}}}.")
    before, after = path[: found.start()], path[found.end() :]
    numbers = [str(i).zfill(len(first)) for i in range(int(first), int(last) + 1)]
    return [before + number + rest for number in numbers for rest in _ranges(after)]
