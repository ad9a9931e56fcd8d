"""Packages -> one file of stickers, with names, licences and hashes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mdt.config import _suggest
from mdt.data.source import Array, DataError
from mdt.data.stickers.fetch import FLUENT, NAMES, NOTO, Package, fetch, member, members
from mdt.data.stickers.names import Name, hexcode, read_names
from mdt.data.stickers.notice import NOTICE
from mdt.files import check_output, written_beside

FILE = "stickers.parquet"
ABOUT = "stickers.json"
FORMAT = 1
MAX_SIZE = 1024

Draw = Callable[[bytes, Mapping[str, Name], int], Iterator[tuple[str, Array]]]


def build(
    out: str | Path,
    *,
    size: int = 128,
    styles: Sequence[str] = ("fluent", "noto"),
    bar: bool = False,
) -> int:
    """Get the stickers and write them to a folder; `StickerSource` reads them.

    Args:
        out: folder to write: stickers.parquet, stickers.json (packages, hashes), NOTICE.txt.
        size: side of every picture, in pixels; "fluent" is 256 as published.
        styles: names in `STYLES`.
        bar: whether to show progress, on stderr.

    Returns:
        How many stickers there are.

    Raises:
        DataError: an unknown style, a package that cannot be had (see `fetch`), a missing extra.
        ValueError: `out` cannot be written.
    """
    _check(size, styles)
    check_output(out, overwrite=False)
    packages = [NAMES, *(STYLES[style][0] for style in styles)]
    return write(out, {package: fetch(package) for package in packages}, size, styles, bar=bar)


def write(
    out: str | Path,
    archives: Mapping[Package, bytes],
    size: int,
    styles: Sequence[str],
    *,
    bar: bool = False,
) -> int:
    """As `build`, from the packages' archives."""
    from tqdm import tqdm

    raw = archives[NAMES]
    names = read_names(member(raw, "en/data.json"), member(raw, "meta/groups.json"))
    rows = []
    for style in styles:
        package, draw = STYLES[style]
        drawn = draw(archives[package], names, size)
        for code, picture in tqdm(drawn, style, unit="sticker", disable=not bar):
            rows.append(_row(names[code], code, style, package, picture))
    # A sticker's number must not depend on the order of the files in a package.
    rows.sort(key=lambda row: (styles.index(row["style"]), row["name"], row["code"]))
    about = {
        "format": FORMAT,
        "size": size,
        "styles": list(styles),
        "num_stickers": len(rows),
        "packages": [{"spec": p.spec, "licence": p.licence, "sha512": p.sha512} for p in archives],
    }
    with written_beside(out, overwrite=False) as new:
        new.mkdir()
        _write_parquet(new / FILE, rows)
        about["sha256"] = hashlib.sha256((new / FILE).read_bytes()).hexdigest()
        (new / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        (new / "NOTICE.txt").write_text(NOTICE, encoding="utf-8")
    return len(rows)


def _check(size: int, styles: Sequence[str]) -> None:
    for style in styles:
        if style not in STYLES:
            raise DataError(f"There is no style {style!r}{_suggest(style, STYLES)}")
    if not styles or len(set(styles)) < len(styles):
        raise DataError(f"Name each style once; got {', '.join(styles) or 'none'}.")
    if not 8 <= size <= MAX_SIZE:
        raise DataError(f"The size of stickers is 8 to {MAX_SIZE} pixels; got {size}.")
    _needed("pyarrow")
    if "noto" in styles:
        _needed("resvg_py")


def _needed(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise DataError(
            f"Stickers are made with {name}, which is not installed: pip install "
            "'mdt-edit[stickers]'."
        ) from None


def _fluent(archive: bytes, names: Mapping[str, Name], size: int) -> Iterator[tuple[str, Array]]:
    """Files of pictures, named by their hexcode."""
    for path, data in members(archive, "assets/", ".webp"):
        code = hexcode(path.removesuffix(".webp"))
        if code in names:
            with Image.open(io.BytesIO(data)) as image:
                yield code, _fitted(image, size)


def _noto(archive: bytes, names: Mapping[str, Name], size: int) -> Iterator[tuple[str, Array]]:
    """One file of drawings by their own names, another of hexcodes -> these names."""
    resvg = _needed("resvg_py")
    icons = json.loads(member(archive, "icons.json"))
    box = f"0 0 {icons.get('width', 16)} {icons.get('height', 16)}"
    for key, icon in json.loads(member(archive, "chars.json")).items():
        code = hexcode(key)
        if code not in names or icon not in icons["icons"]:
            continue
        body = icons["icons"][icon]["body"]
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{box}">{body}</svg>'
        )
        png = resvg.svg_to_bytes(
            svg_string=svg, width=2 * size, height=2 * size, skip_system_fonts=True
        )
        with Image.open(io.BytesIO(png)) as image:
            yield code, _fitted(image, size)


#: Style -> the package that it comes in, and what reads it.
STYLES: dict[str, tuple[Package, Draw]] = {"fluent": (FLUENT, _fluent), "noto": (NOTO, _noto)}


def _fitted(image: Image.Image, size: int) -> Array:
    """A square picture as RGBA uint8 (size, size, 4); what is clear has no colour."""
    image = image.convert("RGBA")
    side = max(image.size)
    square = Image.new("RGBA", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    # Pillow weighs colours with alpha here, so that clear pixels do not bleed into the edge.
    pixels = np.array(square.resize((size, size), Image.Resampling.LANCZOS))
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def _row(name: Name, code: str, style: str, package: Package, picture: Array) -> dict[str, Any]:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", lossless=True, exact=True)
    data = file.getvalue()
    return {
        "image": {"bytes": data, "path": f"{style}/{code}.webp"},
        "name": name.name,
        "tags": list(name.tags),
        "group": name.group,
        "kind": name.kind,
        "code": code,
        "style": style,
        "licence": package.licence,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def _write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Rows with labels, the numbers of their names, as `datasets` of Hugging Face reads them."""
    pa, pq = _needed("pyarrow"), _needed("pyarrow.parquet")
    classes = sorted({row["name"] for row in rows})
    number = {name: i for i, name in enumerate(classes)}
    table = pa.Table.from_pylist([row | {"label": number[row["name"]]} for row in rows])
    features = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": classes},
    }
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(about), path, row_group_size=512)
