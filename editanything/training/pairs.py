"""Pictures with their region maps and captions: how shards are built, and read for training.

A shard is a .tar of KEY.png (the picture), KEY.map.png (16 bit, one channel: number of the region
on top, 0 for none) and KEY.json (caption, number of regions).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.training.rows import to_row
from mdt.data import DataError
from mdt.data.source import digest
from mdt.files import check_output, written_beside

#: A drawn crop's side, as a share of the largest square: its area is 0.9 of it or more.
LEAST_SIDE = 0.9**0.5
_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
Regions = Callable[[NDArray[np.uint8]], Iterable[NDArray[np.bool_]]]
Draws = tuple[float, float, float]


def build_pairs(
    pictures: str | Path,
    out: str | Path,
    *,
    segmenter: Any,
    captioner: Any = None,
    side: int = 512,
    per_shard: int = 1000,
    order: str = "given",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write shards of all pictures of a folder; returns how many pictures there are.

    A picture whose name has a .txt beside it is captioned by that.

    Args:
        pictures: folder; its subfolders are searched too.
        out: folder of the shards; whole or not there.
        segmenter: `look(image).regions()` gives the regions.
        captioner: `caption(rgb)` gives the words; None: the .txt files alone, else empty.
        side: of the picture's shorter side, in pixels; larger ones are reduced.
        per_shard: pictures in a shard.
        order: of the region numbers, see `control_map.number_map`.
        overwrite: whether an existing folder is replaced.
        progress: called with pictures done and in all.

    Raises:
        InputError: no pictures, or one that cannot be read; names it.
        FileExistsError: the output is there.
    """
    from editanything.backends.diffusion.control_map import number_map

    files = sorted(p for p in Path(pictures).rglob("*") if p.suffix.lower() in _ENDINGS)
    if not files:
        raise InputError(f"{pictures} holds no pictures: give a folder of PNG, JPEG or WebP.")
    if side < 8 or per_shard < 1:
        raise InputError(f"side is 8 or more and per_shard 1 or more; got {side} and {per_shard}.")
    check_output(out, overwrite=overwrite)
    with written_beside(out, overwrite=overwrite) as new:
        new.mkdir()
        told = {"side": side, "order": order, "pictures": len(files)}
        (new / "config.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
        for first in range(0, len(files), per_shard):
            shard = new / f"pairs-{first // per_shard:05d}.tar"
            with tarfile.open(shard, "w") as tar:
                for number, file in enumerate(files[first : first + per_shard], first):
                    image = _reduced(_read(file), side)
                    masks = [region.mask.full() for region in segmenter.look(image).regions()]
                    caption = _caption(file, image, captioner)
                    numbers = number_map(masks, (image.shape[0], image.shape[1]), order=order)
                    about = {"caption": caption, "regions": len(masks), "file": file.name}
                    _add(tar, f"{number:08d}.png", _png(image[..., ::-1]))
                    _add(tar, f"{number:08d}.map.png", _png(numbers))
                    _add(tar, f"{number:08d}.json", json.dumps(about).encode())
                    if progress is not None:
                        progress(number + 1, len(files))
    return len(files)


class PairSource:
    """Pictures (size, size, 5): RGB, and the region's number mod 256 and div 256.

    See `mdt.data.source.Source`. Crops are the same for picture and map; the map is only ever
    resized by nearest neighbour.

    Args:
        path: folder of the shards.
        size: side of what is read.
        labels: whether captions are given.

    Raises:
        DataError: no shards, or broken ones.
    """

    classes: tuple[str, ...] | None = None

    def __init__(self, path: str | Path, *, size: int = 512, labels: bool = True) -> None:
        self.size, self.labels = int(size), labels
        self.shape = (5, self.size, self.size)
        self.files = sorted(Path(path).glob("*.tar"))
        if not self.files:
            raise DataError(
                f"{path} holds no shards: `python -m editanything.training build PICTURES -o "
                f"{path}` makes them."
            )
        self._rows: list[tuple[Path, dict[str, tuple[int, int]]]] = []
        for file in self.files:
            self._rows += list(_index(file))
        self.blocks = tuple(sum(1 for f, _ in self._rows if f == file) for file in self.files)
        sizes = [str([span for _, span in sorted(row.items())]) for _, row in self._rows]
        self.identity = digest([file.name for file in self.files], sizes)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, index: int, draws: Draws | None = None) -> tuple[NDArray[np.uint8], Any]:
        """uint8 (size, size, 5), and the row of its caption.

        Raises:
            DataError: a broken picture; names its shard.
        """
        file, row = self._rows[index]
        with file.open("rb") as stream:
            parts = {end: _bytes(stream, span) for end, span in row.items()}
        image = _decoded(parts["png"], cv2.IMREAD_COLOR)
        numbers = _decoded(parts["map.png"], cv2.IMREAD_UNCHANGED)
        if image is None or numbers is None or numbers.shape != image.shape[:2]:
            raise DataError(f"{file}: picture {index} is broken; build the shards again.")
        x0, y0, side = _square(image.shape[0], image.shape[1], draws)
        part = image[y0 : y0 + side, x0 : x0 + side, ::-1]
        smaller = cv2.INTER_AREA if side > self.size else cv2.INTER_CUBIC
        whole = (self.size, self.size)
        rgb = cv2.resize(np.ascontiguousarray(part), whole, interpolation=smaller)
        ids = cv2.resize(
            numbers[y0 : y0 + side, x0 : x0 + side], whole, interpolation=cv2.INTER_NEAREST_EXACT
        ).astype(np.uint16)
        packed = np.stack([ids % 256, ids // 256], -1).astype(np.uint8)
        caption = str(json.loads(parts["json"]).get("caption", ""))
        return np.concatenate([rgb, packed], -1), to_row(caption) if self.labels else None


def _square(height: int, width: int, draws: Draws | None) -> tuple[int, int, int]:
    """(x0, y0, side) of the part that is taken."""
    side = min(height, width)
    if draws is None:
        return (width - side) // 2, (height - side) // 2, side
    side = max(1, round(side * (1 - draws[0] * (1 - LEAST_SIDE))))
    return int(draws[2] * (width - side + 1)), int(draws[1] * (height - side + 1)), side


def _index(file: Path) -> Iterator[tuple[Path, dict[str, tuple[int, int]]]]:
    """Where the parts of every picture of a shard lie: ending -> (offset, length)."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(file) as tar:
            for member in tar:
                key, _, ending = member.name.partition(".")
                found.setdefault(key, {})[ending] = (member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"{file} is no shard: {error}.") from None
    for key, row in found.items():
        missing = {"png", "map.png", "json"} - row.keys()
        if missing:
            raise DataError(f"{file}: {key} lacks {min(missing)}; build the shards again.")
        yield file, row


def _bytes(stream: Any, span: tuple[int, int]) -> bytes:
    stream.seek(span[0])
    raw: bytes = stream.read(span[1])
    return raw


def _decoded(raw: bytes, flag: int) -> Any:
    return cv2.imdecode(np.frombuffer(raw, np.uint8), flag) if raw else None


def _read(file: Path) -> NDArray[np.uint8]:
    from mdt.data.picture import decode

    try:
        return decode(file.read_bytes(), None)
    except (DataError, OSError) as error:
        raise InputError(f"{file} cannot be read: {error}.") from None


def _reduced(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture with its shorter side at most `side`."""
    scale = side / min(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    smaller: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return smaller


def _caption(file: Path, image: NDArray[np.uint8], captioner: Any) -> str:
    beside = file.with_suffix(".txt")
    if beside.is_file():
        return beside.read_text(encoding="utf-8").strip()
    return "" if captioner is None else str(captioner.caption(image))


def _png(samples: NDArray[Any]) -> bytes:
    done, raw = cv2.imencode(".png", samples)
    assert done, samples.shape
    return raw.tobytes()


def _add(tar: tarfile.TarFile, name: str, raw: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(raw)
    tar.addfile(info, io.BytesIO(raw))
