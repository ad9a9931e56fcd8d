"""Outputs that are whole or not there: written beside and renamed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: A folder that holds one of these was written by this package and may be replaced.
_OURS = ("config.json", "model_index.json")


def check_output(path: str | Path, *, overwrite: bool) -> Path:
    """`path`, if something may be written there.

    Raises:
        ValueError: it exists and is not to be replaced, or its parent folder does not exist.
    """
    path = Path(path)
    parent = path.resolve().parent
    if not parent.is_dir():
        raise ValueError(f"{path} cannot be written: the folder {parent} does not exist.")
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return path
    if path.is_dir() and not any((path / name).is_file() for name in _OURS):
        raise ValueError(f"The folder {path} holds other things; choose another output.")
    if not overwrite:
        raise ValueError(f"{path} exists; choose another output, or replace it with overwrite.")
    return path


def write_with_card(path: Path, content: bytes, card_path: Path, card: Mapping[str, Any]) -> None:
    """A file of weights and the JSON card beside it; their folder is made where there is none.

    Raises:
        ValueError: see `check_output`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path, overwrite=True) as new:
        new.write_bytes(content)
    with written_beside(card_path, overwrite=True) as new:
        new.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def written_beside(path: str | Path, *, overwrite: bool) -> Iterator[Path]:
    """A place to write a file or a folder; it gets the name `path` when all went well.

    Raises:
        ValueError: see `check_output`.
    """
    path = check_output(path, overwrite=overwrite)
    with tempfile.TemporaryDirectory(dir=path.resolve().parent, prefix=".mdt-") as place:
        new = Path(place) / path.name
        yield new
        if path.is_dir():
            # Folders cannot be replaced in one step: the old one leaves first, with the rest.
            if new.is_file():
                raise ValueError(f"{path} is a folder; name a file.")
            path.rename(Path(place) / "old")
        elif path.exists() and new.is_dir():
            raise ValueError(f"{path} is a file; name a folder.")
        try:
            new.replace(path)
        except OSError:
            if (Path(place) / "old").exists():
                shutil.move(Path(place) / "old", path)
            raise
