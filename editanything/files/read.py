"""Files and arrays -> upright samples and metadata. What cannot be kept is refused."""

from __future__ import annotations

import io
import mmap
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.files import exif as exif_tags
from editanything.files.decoded import (
    JPEG_RECIPE,
    Decoded,
    Origin,
    bare,
    check_size,
    reason,
    upright,
)
from editanything.files.vips import load_vips, to_rgb

#: What Pillow reads where libvips does not, by first bytes; all of 8 bits a sample.
_PILLOW_KINDS = {b"BM": "Bmp", b"\0\0\1\0": "Ico", b"qoif": "Qoi"}
#: Kinds whose libraries (libjpeg, libtiff) only warn of pixels that are not there.
_WARY = ("jpeg", "tiff")
_CONVERTED = {"cmyk": "CMYK", "lab": "Lab", "labs": "Lab", "labq": "Lab", "xyz": "XYZ"}
_READABLE = "PNG, JPEG, TIFF, WebP, AVIF, GIF or BMP"

Source = Path | bytes
Data = bytes | mmap.mmap


def kind_of(head: bytes) -> str | None:
    """The kind of a picture file by its first bytes (at least 16): a libvips loader's name."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1", b"miaf", b"heic"):
        return "heif"
    starts = {
        b"\x89PNG\r\n\x1a\n": "png",
        b"\xff\xd8\xff": "jpeg",
        b"II*\0": "tiff",
        b"MM\0*": "tiff",
        b"II+\0": "tiff",
        b"MM\0+": "tiff",
        b"GIF8": "gif",
    }
    return next((kind for start, kind in starts.items() if head.startswith(start)), None)


def read_file(path: Path, max_megapixels: float) -> Decoded:
    """Read a picture file.

    Raises:
        InputError: a file that is missing, unreadable, broken, too large or no pixel picture.
    """
    name = f"'{path}'"
    try:
        what_is_wrong = _not_a_file(path)
        if what_is_wrong:
            raise InputError(what_is_wrong)
        with path.open("rb") as file:
            head = file.read(1024)
    except PermissionError:
        raise InputError(f"{name} may not be read: permission denied.") from None
    except OSError as error:
        raise InputError(f"{name} cannot be opened: {error.strerror}.") from None
    return _read(path, head, name, max_megapixels)


def _not_a_file(path: Path) -> str:
    if path.is_dir():
        return f"'{path}' is a folder; give a picture file."
    if not path.exists():
        return f"There is no file '{path}'."
    return "" if path.is_file() else f"'{path}' is not a regular file; give a picture file."


def read_bytes(data: bytes, max_megapixels: float) -> Decoded:
    """Read the bytes of a picture file; errors as `read_file`."""
    return _read(data, data[:1024], "The picture", max_megapixels)


def read_array(array: NDArray[Any], max_megapixels: float) -> Decoded:
    """Copy an array of samples.

    Raises:
        InputError: unless uint8 or uint16, (H, W) or (H, W, 1..4), not empty.
    """
    fits = array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= 4)
    if not fits or array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise InputError(
            "A picture array is RGB uint8 (H, W, 3), or uint8 or uint16 with 1 to 4 channels; "
            f"this one is {array.dtype} {array.shape}."
        )
    check_size("The array", array.shape[1], array.shape[0], max_megapixels)
    samples = np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True)
    samples = samples.reshape(*array.shape[:2], -1)
    return Decoded(samples, origin=Origin("array", num_axes=array.ndim, dtype=array.dtype.str))


def _read(source: Source, head: bytes, name: str, max_megapixels: float) -> Decoded:
    if not head:
        raise InputError(f"{name} is empty.")
    kind = kind_of(head)
    if kind is not None:
        return _read_vips(source, kind, name, max_megapixels)
    _refuse_drawings(head, name)
    for start, plugin in _PILLOW_KINDS.items():
        if head.startswith(start):
            return _read_pillow(source, plugin, name, max_megapixels)
    raise InputError(f"{name} is no picture that can be read; give {_READABLE}.")


def _refuse_drawings(head: bytes, name: str) -> None:
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_svg = lowered.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype")) and b"<svg" in lowered
    for is_it, what in ((is_svg, "an SVG drawing"), (head.startswith(b"%PDF"), "a PDF document")):
        if is_it:
            raise InputError(f"{name} is {what}, not a pixel picture; export it as PNG first.")


def _read_vips(source: Source, kind: str, name: str, max_megapixels: float) -> Decoded:
    vips = load_vips()
    if isinstance(source, Path) and not _is_utf8(source):
        source = source.read_bytes()  # pyvips takes no other names
    try:
        try:
            strictness = "warning" if kind in _WARY else "error"
            image, samples, notes = _decode(source, kind, name, max_megapixels, strictness)
        except vips.Error as error:
            if kind not in _WARY or _is_serious(kind, error):
                raise
            image, samples, notes = _decode(source, kind, name, max_megapixels, "error")
    except (vips.Error, UnicodeDecodeError) as error:  # the latter: pyvips, of a quoted stray byte
        raise InputError(f"{name} is broken, cut off or of a rare kind: {reason(error)}.") from None
    icc, block, packet = (
        image.get(field) if image.get_typeof(field) else None
        for field in ("icc-profile-data", "exif-data", "xmp-data")
    )
    block = bare(block)
    # A HEIF file turns its picture by a property of its own, which libvips has applied.
    turn = exif_tags.orientation(block) if block and kind != "heif" else 1
    density = exif_tags.density(block) if block else None
    with _data_of(source) as data:
        if kind == "tiff":  # libvips would drop the descriptive tags
            turn, block = exif_tags.orientation(data), exif_tags.block_of_tiff(data)
            density = exif_tags.density(data)
        elif kind in _DENSITIES:
            density = _DENSITIES[kind](data) or density
        long_recipe = _jpeg_recipe(data) if kind == "jpeg" else None
    decoded = upright(samples, turn, icc, block, packet, density, notes, Origin("file"))
    return replace(decoded, recipe=long_recipe) if long_recipe else decoded


def _decode(
    source: Source, kind: str, name: str, max_megapixels: float, strictness: str
) -> tuple[Any, NDArray[Any], tuple[str, ...]]:
    """The header (for its metadata), the samples and the notes of a file."""
    vips = load_vips()
    suffix = "load" if isinstance(source, Path) else "load_buffer"
    given = str(source) if isinstance(source, Path) else source
    image = vips.Operation.call(f"{kind}{suffix}", given, access="sequential", fail_on=strictness)
    check_size(name, image.width, image.height, max_megapixels)
    image, notes = _plain(image, kind, name)
    shape = (image.height, image.width, image.bands)
    dtype = np.uint16 if image.format == "ushort" else np.uint8
    return image, np.frombuffer(image.write_to_memory(), dtype).reshape(shape), notes


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_serious(kind: str, error: Any) -> bool:
    """Whether pixels are damaged; stray bytes between a JPEG's segments, or an odd tag, are not."""
    lines = str(error.detail).splitlines()
    if kind == "tiff":  # a mere warning leaves no text
        return bool(lines)
    return any("Corrupt" in line and "extraneous" not in line for line in lines)


def _plain(image: Any, kind: str, name: str) -> tuple[Any, tuple[str, ...]]:
    """The image as grey or RGB of 8 or 16 bits, with or without alpha, and notes on the way."""
    notes: list[str] = []
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    if pages > 1 and kind == "tiff":
        notes.append(f"the file has {pages} pages: the first is used")
    elif pages > 1:
        notes.append(f"animated, {pages} frames: the first is used")
    if image.interpretation in _CONVERTED:
        notes.append(f"{_CONVERTED[image.interpretation]} converted to RGB")
        image = to_rgb(image)
    if image.format not in ("uchar", "ushort"):
        raise InputError(
            f"{name} holds {image.format} samples, for which black and white are not defined; "
            "save it with 8 or 16 bits a channel first."
        )
    if image.bands > 4 or image.interpretation not in ("b-w", "srgb", "grey16", "rgb16"):
        raise InputError(
            f"{name} has {image.bands} channels of the kind {image.interpretation}; grey and RGB "
            "pictures, with or without alpha, can be edited."
        )
    return image, tuple(notes)


@contextmanager
def _data_of(source: Source) -> Iterator[Data]:
    if isinstance(source, bytes):
        yield source
    else:
        with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as it:
            yield it


def _png_density(data: Data) -> tuple[float, float] | None:
    """Pixels per inch by the pHYs chunk, which comes before the pixels."""
    at = 8
    while data[at + 4 : at + 8] not in (b"IDAT", b""):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"pHYs" and length == 9:
            x, y, unit = struct.unpack(">IIB", data[at + 8 : at + 17])
            return (x * 0.0254, y * 0.0254) if unit == 1 else None
        at += 12 + length
    return None


def _jpeg_density(data: Data) -> tuple[float, float] | None:
    """Pixels per inch by the JFIF header."""
    if data[2:4] != b"\xff\xe0" or data[6:11] != b"JFIF\0":
        return None
    unit, x, y = struct.unpack(">BHH", data[13:18])
    scale = {1: 1.0, 2: 2.54}.get(unit)
    return (x * scale, y * scale) if scale else None


def _jpeg_recipe(data: Data) -> str | None:
    """The recipe that was too long for an XMP packet, from segments of its own."""
    at, parts = 2, []
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":
        length = int.from_bytes(data[at + 2 : at + 4])
        if data[at + 4 : at + 2 + length].startswith(JPEG_RECIPE):
            parts.append(data[at + 4 + len(JPEG_RECIPE) : at + 2 + length])
        at += 2 + length
    try:
        return b"".join(parts).decode() if parts else None
    except UnicodeDecodeError:
        return None


_DENSITIES = {"png": _png_density, "jpeg": _jpeg_density}


def _read_pillow(source: Source, plugin: str, name: str, max_megapixels: float) -> Decoded:
    from PIL.Image import DecompressionBombError

    from editanything.files.pil import read_pil

    # The plugin itself: Image.open has a limit of its own, which max_megapixels could not lift.
    image_file = getattr(import_module(f"PIL.{plugin}ImagePlugin"), f"{plugin}ImageFile")
    file = source.open("rb") if isinstance(source, Path) else io.BytesIO(source)
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decoded = read_pil(image_file(file), max_megapixels)
        except InputError as error:
            raise InputError(str(error).replace("The image", name, 1)) from None
        except (OSError, ValueError, SyntaxError, DecompressionBombError) as error:
            raise InputError(
                f"{name} is broken, cut off or of a rare kind: {reason(error)}."
            ) from None
    return Decoded(**{**vars(decoded), "origin": Origin("file")})
