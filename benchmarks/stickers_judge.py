"""What the judge sees in pictures of drawn things: does the name fit?

    python benchmarks/stickers_judge.py PICTURES [--names NAMES.txt] [--judge FOLDER]

PICTURES is a folder of pictures, or an .npz with `pictures`, uint8 (n, H, W, 3 or 4), and maybe
`names`. NAMES.txt holds one name a line, in order of the pictures' file names; without it, a
picture's name is that of its file less what follows the last "-" ("red apple-03.png"). With
`stickers:FOLDER`, the stickers themselves are shown, as they are and in views that the judge was
not trained on. Prints a table by group, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mdt.data import open_source
from mdt.features.convnet import WEIGHTS
from mdt.features.judge import Judge, open_judge
from mdt.features.shown import sticker_views

ENDINGS = (".png", ".webp", ".jpg", ".jpeg")
_SEED = 12345  # of views that no training used


def read_pictures(where: Path, names: Path | None) -> tuple[list[np.ndarray], list[str]]:
    """(pictures, names).

    Raises:
        ValueError: no pictures there, or no names.
    """
    said = names.read_text(encoding="utf-8").splitlines() if names else None
    if where.suffix == ".npz":
        held = np.load(where)
        if "pictures" not in held or (said is None and "names" not in held):
            raise ValueError(f"{where} needs the arrays `pictures` and `names` (or --names).")
        return list(held["pictures"]), said or [str(name) for name in held["names"]]
    files = sorted(path for path in where.glob("*") if path.suffix.lower() in ENDINGS)
    if not files:
        raise ValueError(f"There are no pictures in {where}.")
    pictures = []
    for file in files:
        with Image.open(file) as image:
            kind = "RGBA" if image.mode in ("RGBA", "LA", "P") else "RGB"
            pictures.append(np.array(image.convert(kind)))
    return pictures, said or [file.stem.rpartition("-")[0] or file.stem for file in files]


def show(judge: Judge, what: str, pictures: Sequence[np.ndarray], names: list[str]) -> dict:
    """Print a line, and return the accuracies."""
    told = judge.accuracies(pictures, names)
    line = "  ".join(f"{key} {value:.4f}" for key, value in told.items())
    print(f"{what:12} {len(names):5} pictures  {line}")
    return {key: round(value, 4) for key, value in told.items()}


def of_stickers(judge: Judge, folder: str) -> dict:
    """What the judge sees in the stickers that it was trained on."""
    source = open_source("stickers", folder)
    read = [source.read(i) for i in range(len(source))]
    names = [source.names[label] for _, label in read]
    told = {"white": show(judge, "on white", [pixels for pixels, _ in read], names)}
    draw = torch.Generator().manual_seed(_SEED)
    views = []
    for start in range(0, len(read), 64):
        part = np.stack([pixels for pixels, _ in read[start : start + 64]])
        x = sticker_views(torch.from_numpy(part).permute(0, 3, 1, 2), draw)
        views += list(((x + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return {**told, "views": show(judge, "in views", views, names), "pictures": len(names)}


def main() -> None:
    """Print the table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures")
    parser.add_argument("--names", type=Path)
    parser.add_argument("--judge", type=Path, default=WEIGHTS / "judge")
    arguments = parser.parse_args()
    try:
        judge = open_judge(arguments.judge)
        if arguments.pictures.startswith("stickers:"):
            told = of_stickers(judge, arguments.pictures.removeprefix("stickers:"))
        else:
            pictures, names = read_pictures(Path(arguments.pictures), arguments.names)
            group = dict(zip(judge.names, judge.groups, strict=True))
            for one in sorted({group[name] for name in names if name in group}):
                rows = [i for i, name in enumerate(names) if group.get(name) == one]
                show(judge, one, [pictures[i] for i in rows], [names[i] for i in rows])
            told = {**show(judge, "all", pictures, names), "pictures": len(names)}
    except (ValueError, OSError) as error:
        sys.exit(f"stickers_judge: {error}")
    print(json.dumps({**told, "judge": judge.network.sha256[:12]}))


if __name__ == "__main__":
    main()
