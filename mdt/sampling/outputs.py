"""Where pictures go: one grid, a folder, an array; and an animation of how they came about."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from mdt.files import check_output, written_beside

_RECORD = "samples.json"
_SECONDS = 3.0  # of an animation, until it rests
_REST_MS = 1500
_MOST_ANIMATED = 64

Record = dict[str, Any]


class Output(Protocol):
    """What takes pictures.

    Attributes:
        each_writes: whether every process adds its own pictures, rather than the main one all.
    """

    each_writes: bool

    def check(self) -> None:
        """Raises ValueError where something is that is not to be replaced."""
        ...

    def begin(self, count: int, record: Record) -> list[int]:
        """The numbers that are to be drawn, of `count` pictures made as `record` says."""
        ...

    def add(self, number: int, frames: np.ndarray) -> None:
        """Take a picture, uint8 (F, H, W, C), the last frame of it being the whole."""
        ...

    def finish(self, labels: Sequence[int | str | None]) -> None:
        """All pictures have come; these were their classes."""
        ...


def open_output(path: str | Path, *, columns: int | None = None, overwrite: bool) -> Output:
    """The output that the ending of `path` names; nothing is looked at or written yet.

    Raises:
        ValueError: another ending.
    """
    ending = Path(path).suffix.lower()
    if ending == "" or Path(path).is_dir():
        return Folder(path, overwrite=overwrite)
    if ending == ".png":
        return Grid(path, columns, overwrite=overwrite)
    if ending == ".npz":
        return Array(path, overwrite=overwrite)
    raise ValueError(
        f"Pictures are written to a .png (a grid), a .npz, or a folder (no ending); got {path}."
    )


class _Collected:
    """What is written in one piece, by the main process."""

    each_writes = False

    def __init__(self, path: str | Path, *, overwrite: bool) -> None:
        self.path, self.overwrite = Path(path), overwrite
        self.pictures: list[np.ndarray] = []

    def check(self) -> None:
        """See `Output`."""
        if check_output(self.path, overwrite=self.overwrite).is_dir():
            raise ValueError(f"{self.path} is a folder; name a file.")

    def begin(self, count: int, record: Record) -> list[int]:  # noqa: ARG002
        """See `Output`."""
        return list(range(count))

    def add(self, number: int, frames: np.ndarray) -> None:
        """See `Output`."""
        assert number == len(self.pictures), "pictures come in order"
        self.pictures.append(self.take(frames))

    def take(self, frames: np.ndarray) -> np.ndarray:
        """What is kept of a picture's frames."""
        return frames[-1].copy()


class Grid(_Collected):
    """All pictures in one, as PNG."""

    def __init__(self, path: str | Path, columns: int | None, *, overwrite: bool) -> None:
        super().__init__(path, overwrite=overwrite)
        self.columns = columns

    def finish(self, labels: Sequence[int | str | None]) -> None:  # noqa: ARG002
        """See `Output`."""
        with written_beside(self.path, overwrite=self.overwrite) as new:
            make_grid([to_image(p) for p in self.pictures], self.columns).save(new)


class Array(_Collected):
    """arr_0 uint8 (N, H, W, C) and, where there are labels, arr_1 int64 (N,), as ADM has it."""

    def finish(self, labels: Sequence[int | str | None]) -> None:
        """See `Output`."""
        told = [label for label in labels if isinstance(label, int)]
        with written_beside(self.path, overwrite=self.overwrite) as new, new.open("wb") as file:
            arrays = [np.stack(self.pictures), *([np.array(told, np.int64)] if told else [])]
            np.savez(file, *arrays)


class Animation(_Collected):
    """The guesses of the clean pictures, step by step, as a grid that moves: .webp or .gif."""

    def __init__(self, path: str | Path, columns: int | None, *, overwrite: bool) -> None:
        if Path(path).suffix.lower() not in (".webp", ".gif"):
            raise ValueError(f"An animation is written as .webp or .gif; got {path}.")
        super().__init__(path, overwrite=overwrite)
        self.columns = columns

    def begin(self, count: int, record: Record) -> list[int]:
        """See `Output`."""
        if count > _MOST_ANIMATED:
            raise ValueError(
                f"An animation shows up to {_MOST_ANIMATED} pictures; got {count}: ask for fewer."
            )
        return super().begin(count, record)

    def take(self, frames: np.ndarray) -> np.ndarray:
        """What is kept of a picture's frames."""
        return frames.copy()

    def finish(self, labels: Sequence[int | str | None]) -> None:  # noqa: ARG002
        """See `Output`."""
        frames = [
            make_grid([to_image(picture[i]) for picture in self.pictures], self.columns)
            for i in range(len(self.pictures[0]))
        ]
        step_ms = max(20, round(_SECONDS * 1000 / len(frames)))
        times = [step_ms] * (len(frames) - 1) + [_REST_MS]
        more: dict[str, Any] = {"lossless": True} if self.path.suffix.lower() == ".webp" else {}
        with written_beside(self.path, overwrite=self.overwrite) as new:
            frames[0].save(
                new, save_all=True, append_images=frames[1:], duration=times, loop=0, **more
            )


class Folder:
    """000000.png, 000001.png, ...; what is there already is kept, if it was made the same way."""

    each_writes = True

    def __init__(self, path: str | Path, *, overwrite: bool) -> None:
        self.path, self.overwrite = Path(path), overwrite

    def check(self) -> None:
        """See `Output`."""
        parent = self.path.resolve().parent
        if not parent.is_dir():
            raise ValueError(f"{self.path} cannot be written: the folder {parent} does not exist.")
        if self.path.is_dir() and any(self.path.iterdir()) and not self._record.is_file():
            raise ValueError(f"The folder {self.path} holds other things; choose another output.")

    @property
    def _record(self) -> Path:
        return self.path / _RECORD

    def begin(self, count: int, record: Record) -> list[int]:
        """See `Output`."""
        self.path.mkdir(exist_ok=True)
        for left in self.path.glob(".mdt-*"):  # by a process that was killed
            shutil.rmtree(left)
        if self.overwrite:
            self._empty()
        if self._record.is_file():
            self._check(record)
        else:
            with written_beside(self._record, overwrite=True) as new:
                new.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return [i for i in range(count) if not self._place(i).is_file()]

    def add(self, number: int, frames: np.ndarray) -> None:
        """See `Output`."""
        with written_beside(self._place(number), overwrite=True) as new:
            to_image(frames[-1]).save(new)

    def finish(self, labels: Sequence[int | str | None]) -> None:
        """See `Output`."""

    def _place(self, number: int) -> Path:
        return self.path / f"{number:06d}.png"

    def _empty(self) -> None:
        for path in self.path.glob("*.png"):
            if path.stem.isdecimal():
                path.unlink()
        self._record.unlink(missing_ok=True)

    def _check(self, record: Record) -> None:
        try:
            before = json.loads(self._record.read_text(encoding="utf-8"))
        except ValueError:
            raise ValueError(f"{self._record} is damaged; replace all with --overwrite.") from None
        now = json.loads(json.dumps(record))
        for key in now:
            if before.get(key) != now[key]:
                raise ValueError(
                    f"The pictures in {self.path} were drawn with another {key} "
                    f"({_brief(before.get(key))}, not {_brief(now[key])}); choose another output, "
                    "or replace them with --overwrite."
                )


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def to_image(picture: np.ndarray) -> Image.Image:
    """uint8 (H, W, 3 or 1) as PIL has it."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def make_grid(pictures: Sequence[Image.Image], columns: int | None = None) -> Image.Image:
    """Pictures of one size side by side, row by row, black where none is left."""
    columns = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    width, height = pictures[0].size
    grid = Image.new(
        pictures[0].mode, (columns * width, math.ceil(len(pictures) / columns) * height)
    )
    for i, picture in enumerate(pictures):
        grid.paste(picture, (i % columns * width, i // columns * height))
    return grid
