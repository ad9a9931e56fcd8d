"""One command for every picture of a folder; what is done already is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from editanything.editor import Editor
from editanything.errors import InputError, Refusal

#: What counts as a picture in a folder; any other file is passed over.
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".avif", ".gif", ".bmp"}
)  # fmt: skip


@dataclass(frozen=True)
class Done:
    """What became of one picture: `error` is None where it was edited, or skipped."""

    source: Path
    output: Path
    skipped: bool = False
    error: str | None = None


def edit_folder(
    editor: Editor, folder: Path, text: str, out: Path, *, seed: int = 0
) -> Iterator[Done]:
    """Edit the pictures of `folder` in the order of their names, each into `out/NAME.png`.

    A picture whose output exists is skipped, so that a run that was stopped goes on where it was.
    One that cannot be edited does not stop the others.

    Raises:
        InputError: no such folder, no picture in it, or an output that is no folder.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {str(folder)!r}.")
    sources = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not sources:
        raise InputError(f"There is no picture in the folder {str(folder)!r}.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{str(out)!r} is a file; give a folder for the results.")
    out.mkdir(parents=True, exist_ok=True)
    for source in sources:
        output = out / f"{source.name}.png"
        if output.exists():
            yield Done(source, output, skipped=True)
            continue
        try:
            editor.edit(source, text, seed=seed).save(output)
        except (InputError, Refusal) as error:
            yield Done(source, output, error=str(error))
        else:
            yield Done(source, output)
