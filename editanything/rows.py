"""Edits of many pictures, one after the other: what is asked for, and what became of each."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from editanything.editor import Editor
from editanything.errors import InputError, Refusal

RECORD = "batch.json"
#: A line of the report for each picture.
REPORT_COLUMNS = (
    "file", "command", "seed", "output", "status", "changed_share", "seconds", "said",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One edit that is asked for; `mask` is a picture, white where it is selected."""

    source: Path
    text: str
    output: Path
    mask: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Done:
    """What became of one edit: `error` is None where it was done, or skipped.

    Attributes:
        changed_share: of the pixels, how many may differ, 0 to 1.
        seconds: it took.
    """

    source: Path
    output: Path
    skipped: bool = False
    error: str | None = None
    text: str = ""
    seed: int = 0
    changed_share: float = 0.0
    seconds: float = 0.0

    def line(self) -> dict[str, Any]:
        """For the report, by `REPORT_COLUMNS`."""
        state = "failed" if self.error else "there already" if self.skipped else "done"
        values = (
            str(self.source), self.text, self.seed, str(self.output), state,
            round(self.changed_share, 6), round(self.seconds, 3), self.error or "",
        )  # fmt: skip
        return dict(zip(REPORT_COLUMNS, values, strict=True))


def edit_rows(
    editor: Editor, rows: Sequence[Row], out: Path, *, rank: int = 0, world: int = 1
) -> Iterator[Done]:
    """Carry out the edits of process `rank` of `world`: every `world`-th.

    An edit whose output exists is skipped, so that a run that was stopped goes on where it was. One
    that cannot be done does not stop the others.

    Raises:
        InputError: an output that is no folder, cannot be written to, or holds results of other
            commands; two edits with one output.
    """
    _check_outputs(rows)
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"{str(out)!r} is a file; give a folder for the results.")
        out.mkdir(parents=True, exist_ok=True)
        if rank == 0:
            _record(editor, rows, out)
    except OSError as error:
        raise InputError(
            f"Results cannot be written to {str(out)!r}: {error.strerror}; give another folder."
        ) from None
    for row in rows[rank::world]:
        told = Done(row.source, row.output, text=row.text, seed=row.seed)
        if row.output.exists():
            yield replace(told, skipped=True)
            continue
        begun = time.monotonic()
        try:
            share = _edit(editor, row)
        except (InputError, Refusal) as error:
            yield replace(told, error=" ".join(str(error).split()))
        else:
            yield replace(told, changed_share=share, seconds=time.monotonic() - begun)


def _check_outputs(rows: Sequence[Row]) -> None:
    """Refuse two edits with one output: the second would be taken for done."""
    before: dict[str, Row] = {}
    for row in rows:
        other = before.setdefault(str(row.output).casefold(), row)
        if other is not row:
            raise InputError(
                f"“{other.text}” for {other.source} and “{row.text}” for {row.source} would both "
                f"be written to {row.output}; rename one of the files, or edit it into another "
                "folder."
            )


def _edit(editor: Editor, row: Row) -> float:
    selection = None
    if row.mask is not None:
        from editanything.pointing import read_mask
        from editanything.types import Selection

        limit = editor.preset.max_megapixels
        selection = Selection(mask=read_mask(row.mask, max_megapixels=limit))
    result = editor.edit(row.source, row.text, selection=selection, seed=row.seed)
    result.save(row.output)
    return float(result.mask.mean())


def _record(editor: Editor, rows: Sequence[Row], out: Path) -> None:
    """Write down what the outputs are of; results of other commands would be taken for done."""
    path = out / RECORD
    now = {
        row.output.name: {
            **{k: str(v) if isinstance(v, Path) else v for k, v in asdict(row).items()},
            "source": row.source.name,
            "output": row.output.name,
            "preset": editor.name,
            "overrides": dict(editor.overrides),
        }
        for row in rows
    }
    try:
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise InputError(f"{path} is damaged; choose another folder for the results.") from None
    now = json.loads(json.dumps(now))
    for name, wanted in now.items():
        if name in before and before[name] != wanted and (out / name).exists():
            raise InputError(
                f"{out / name} was made by another command, seed or preset "
                f"(“{before[name].get('text')}”); choose another folder for the results."
            )
    new = out / f".{RECORD}.new"
    new.write_text(json.dumps(before | now, ensure_ascii=False, indent=1), encoding="utf-8")
    new.replace(path)
