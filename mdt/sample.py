"""`mdt sample`: pictures from a pipeline's folder, in one grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from mdt.files import check_output, written_beside
from mdt.pipeline import Pipeline


def sample_grid(
    folder: str | Path,
    out: str | Path,
    *,
    num_images: int | None = None,
    labels: Sequence[int] = (),
    columns: int | None = None,
    batch: int = 16,
    device: str | None = None,
    overwrite: bool = False,
    bar: bool = False,
    seed: int = 0,
    **settings: Any,
) -> None:
    """Draw pictures and write them as one.

    Args:
        folder: of the pipeline.
        out: the picture to write (.png).
        num_images: how many; None: one for each label, or one.
        labels: classes, taken in turn; none: no condition.
        columns: of the grid; None: about square.
        batch: how many are drawn at a time; they do not depend on it.
        device: None: CUDA where there is one, else CPU.
        overwrite: whether `out` may be replaced.
        bar: whether to show progress.
        seed: of the first picture; the next one has the next seed.
        settings: of `Pipeline.__call__`.

    Raises:
        ValueError: arguments that do not fit; see `Pipeline`.
    """
    if Path(out).suffix.lower() != ".png":
        raise ValueError(f"The grid is written as PNG: name a file that ends in .png, not {out}.")
    check_output(out, overwrite=overwrite)
    pipe = Pipeline.from_pretrained(folder).to(_device(device))
    pipe.set_progress_bar_config(disable=not bar)
    count = num_images or len(labels) or 1
    pictures: list[Image.Image] = []
    for start in range(0, count, batch):
        rows = range(start, min(start + batch, count))
        told = [labels[i % len(labels)] for i in rows] if labels else None
        drawn = pipe(told, num_images=len(rows), seed=seed + start, **settings)
        pictures += drawn.images
    with written_beside(out, overwrite=overwrite) as new:
        make_grid(pictures, columns).save(new)


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


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"There is no device {name!r}; there are cpu and cuda.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("This machine has no CUDA; use --device cpu.")
    return device
