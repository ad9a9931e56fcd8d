"""Samples and metadata -> the bytes of a PNG, TIFF, WebP or JPEG file.

libvips compresses the pixels; the metadata are put around them here, byte for byte as they came
(libvips would rewrite the EXIF block). The same picture always gives the same bytes.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from editanything.errors import InputError
from editanything.files import exif as exif_tags
from editanything.files import xmp as xmp_packet
from editanything.files.decoded import JPEG_RECIPE
from editanything.files.exif import LONG, SHORT, UNDEFINED, Directory, Value
from editanything.files.vips import load_vips

if TYPE_CHECKING:
    from editanything.image import Picture

logger = logging.getLogger(__name__)

_JPEG_SEGMENT = 65533  # bytes of a segment's payload
_STRIP_BYTES = 1 << 20
_WEBP_BIG_PX = 8_000_000


def png(picture: Picture) -> Iterator[bytes | memoryview]:
    """A PNG file in parts (PNG 3rd edition): lossless, every kind of samples."""
    _check_sides(picture, 2**31 - 1, "PNG")
    body = memoryview(_image(picture).pngsave_buffer(compression=4, filter="up", keep="none"))
    yield body[:33]  # signature and IHDR
    if picture.icc:
        yield _png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(picture.icc, 9))
    if picture.density:
        per_metre = [round(d / 0.0254) for d in picture.density]
        yield _png_chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if picture.exif:
        yield _png_chunk(b"eXIf", picture.exif)
    packet = xmp_packet.join(picture.xmp, picture.recipe)
    if packet:
        yield _png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    at = 33
    while at < len(body):
        (length,) = struct.unpack_from(">I", body, at)
        if bytes(body[at + 4 : at + 8]) in (b"IDAT", b"IEND"):
            yield body[at : at + 12 + length]
        at += 12 + length


def _png_chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def jpeg(picture: Picture) -> Iterator[bytes | memoryview]:
    """A JPEG file in parts: quality 95, chroma not subsampled; 8 bit, no transparency.

    Raises:
        InputError: 16 bit samples, an alpha channel, or too many pixels on a side.
    """
    _check_depth(picture, "JPEG")
    _check_sides(picture, 65535, "JPEG")
    if picture.samples.shape[2] in (2, 4):
        raise InputError("JPEG has no transparency; save the picture as PNG, WebP or TIFF.")
    body = memoryview(_image(picture).jpegsave_buffer(Q=95, subsample_mode="off", keep="none"))
    yield body[:2]
    density = picture.density
    dots = [min(max(round(d), 1), 65535) for d in density] if density else [1, 1]
    yield _segment(0xE0, b"JFIF\0\1\1" + struct.pack(">BHHBB", bool(density), *dots, 0, 0))
    if picture.exif:
        yield _segment(0xE1, exif_tags.PREFIX + picture.exif, "EXIF block")
    packet, long_recipe = xmp_packet.join(picture.xmp, picture.recipe), b""
    if packet and picture.recipe and len(packet) > _JPEG_SEGMENT - 64:
        packet, long_recipe = picture.xmp, picture.recipe.encode()
    for part in _pieces(long_recipe, _JPEG_SEGMENT - len(JPEG_RECIPE)):
        yield _segment(0xE1, JPEG_RECIPE + part)
    if packet:
        yield _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet, "XMP packet")
    parts = _pieces(picture.icc or b"", _JPEG_SEGMENT - 14)
    for number, part in enumerate(parts, 1):
        yield _segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part)
    has_header = bytes(body[2:4]) == b"\xff\xe0"
    yield body[4 + int.from_bytes(body[4:6]) if has_header else 2 :]


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def _segment(marker: int, data: bytes, what: str = "") -> bytes:
    if len(data) > _JPEG_SEGMENT:
        logger.warning("The %s has %d bytes, more than JPEG holds: left out.", what, len(data))
        return b""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def webp(picture: Picture) -> Iterator[bytes | memoryview]:
    """A lossless WebP file in parts (RFC 9649); grey comes out as RGB of equal channels.

    Raises:
        InputError: 16 bit samples, or too many pixels on a side.
    """
    _check_depth(picture, "WebP")
    _check_sides(picture, 16383, "WebP")
    image = _image(picture)
    if image.bands < 3:
        image = image.colourspace("srgb")
    height, width = picture.shape
    # Big pictures quickly: at 24 megapixels 12 s and 570 MB instead of 21 s and 930 MB (+22 %).
    effort = 0 if height * width > _WEBP_BIG_PX else 2
    body = bytearray(image.webpsave_buffer(lossless=True, exact=True, effort=effort, keep="none"))
    pixels = body[body.index(b"VP8L") :]
    has_alpha = image.bands == 4
    # "alpha_is_used" (RFC 9649, 3.4) is left unset by the encoder where all is opaque; then the
    # channel would be lost.
    pixels[12] = (pixels[12] & 0xEF) | (0x10 * has_alpha)
    (length,) = struct.unpack_from("<I", pixels, 4)
    pixels = pixels[: 8 + length + length % 2]
    icc = picture.icc if picture.icc and picture.icc[16:20] == b"RGB " else None
    block = picture.exif
    if picture.density:
        block = exif_tags.with_density(block, picture.density)
    packet = xmp_packet.join(picture.xmp, picture.recipe)
    flags = 0x20 * bool(icc) | 0x10 * has_alpha | 0x08 * bool(block) | 0x04 * bool(packet)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    parts: list[bytes | memoryview] = [_riff(b"VP8X", bytes([flags, 0, 0, 0]) + sides)]
    parts += [_riff(b"ICCP", icc)] if icc else []
    parts += [memoryview(pixels)]
    parts += [_riff(b"EXIF", block)] if block else []
    parts += [_riff(b"XMP ", packet)] if packet else []
    yield struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, parts)), b"WEBP")
    yield from parts


def _riff(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)


def tiff(picture: Picture) -> Iterator[bytes]:
    """A TIFF file in parts (TIFF 6.0): lossless, deflate with horizontal differencing.

    Raises:
        InputError: more than 4 GB of samples.
    """
    samples = picture.samples
    height, width, channels = samples.shape
    if samples.nbytes > 0xF0000000:
        raise InputError("The picture has more than 4 GB of samples, more than TIFF holds.")
    rows = max(1, _STRIP_BYTES // max(1, samples[0].nbytes))
    strips = [_tiff_strip(samples[y : y + rows]) for y in range(0, height, rows)]
    lengths = [len(strip) for strip in strips]
    offsets = [int(end) - size for end, size in zip(8 + np.cumsum(lengths), lengths, strict=True)]
    end = 8 + sum(lengths)
    bits = samples.dtype.itemsize * 8
    tags: dict[int, Value | Directory] = {
        256: Value.of(LONG, width),
        257: Value.of(LONG, height),
        258: Value.of(SHORT, *[bits] * channels),
        259: Value.of(SHORT, 8),  # deflate
        262: Value.of(SHORT, 1 if channels < 3 else 2),
        273: Value.of(LONG, *offsets),
        277: Value.of(SHORT, channels),
        278: Value.of(LONG, rows),
        279: Value.of(LONG, *lengths),
        284: Value.of(SHORT, 1),
        317: Value.of(SHORT, 2),
        339: Value.of(SHORT, *[1] * channels),
    }
    if channels in (2, 4):
        tags[338] = Value.of(SHORT, 2)  # alpha, not premultiplied
    tags = {**_descriptive(picture), **tags}
    yield b"II*\0" + struct.pack("<I", end + end % 2)
    yield from strips
    yield b"\0" * (end % 2) + exif_tags.serialise(tags, end + end % 2)


def _descriptive(picture: Picture) -> dict[int, Value | Directory]:
    tags: dict[int, Value | Directory] = {}
    if picture.exif:
        try:
            tags.update(exif_tags.directory(picture.exif))
        except exif_tags.BadTags:
            logger.warning("The EXIF block is broken: left out.")
    if picture.density:
        tags.update(exif_tags.density_tags(picture.density))
    packet = xmp_packet.join(picture.xmp, picture.recipe)
    if packet:
        tags[700] = Value(exif_tags.BYTE, len(packet), packet)
    if picture.icc:
        tags[34675] = Value(UNDEFINED, len(picture.icc), picture.icc)
    return tags


def _tiff_strip(samples: np.ndarray[Any, Any]) -> bytes:
    """One strip: each row's differences from pixel to pixel (TIFF 6.0, section 14), deflated."""
    differences = samples.copy()
    differences[:, 1:] -= samples[:, :-1]
    return zlib.compress(differences.astype(samples.dtype.newbyteorder("<"), copy=False).data, 4)


#: The writer of each suffix.
WRITERS: dict[str, Callable[[Picture], Iterator[bytes | memoryview]]] = {
    ".png": png,
    ".tif": tiff,
    ".tiff": tiff,
    ".webp": webp,
    ".jpg": jpeg,
    ".jpeg": jpeg,
}


def _image(picture: Picture) -> Any:
    height, width, channels = picture.samples.shape
    deep = picture.samples.dtype == np.uint16
    image = load_vips().Image.new_from_memory(
        picture.samples.data, width, height, channels, "ushort" if deep else "uchar"
    )
    grey, colour = ("grey16", "rgb16") if deep else ("b-w", "srgb")
    return image.copy(interpretation=grey if channels < 3 else colour)


def _check_depth(picture: Picture, kind: str) -> None:
    if picture.samples.dtype == np.uint16:
        raise InputError(f"{kind} holds 8 bits a channel, the picture has 16: save PNG or TIFF.")


def _check_sides(picture: Picture, limit_px: int, kind: str) -> None:
    height, width = picture.shape
    if max(height, width) > limit_px:
        raise InputError(
            f"{kind} holds up to {limit_px} pixels a side, the picture is {width}x{height}: "
            "save PNG or TIFF."
        )
