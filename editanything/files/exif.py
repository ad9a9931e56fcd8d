"""EXIF and TIFF tags: one structure, the image file directory (TIFF 6.0, 2; EXIF 2.32, 4.6).

An EXIF block is a small TIFF file without pixels. It is kept as the camera wrote it and patched in
place, since moving its parts breaks the maker's own notes; only TIFF files, whose tags lie among
those that describe the pixels, are taken apart and put together anew.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

PREFIX = b"Exif\0\0"  # stands before the block in JPEG files, and nowhere else
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
SUB_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # EXIF, GPS, interoperability
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_MAX_BYTES = 64 << 20
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}  # BigTIFF
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

#: Tags that say how and where a TIFF file keeps its pixels, or that have a field of their own in
#: `Picture`: they belong to the file, not to the picture.
_STORAGE_RANGES = "254-266 273-274 277-284 288-293 296-297 301-301 317-347 512-521 529-532"
_STORAGE_RANGES += " 559-559 700-700 32995-32998 33421-33422 34377-34377 34675-34675 37724-37724"
_STORAGE = frozenset(
    tag
    for first, last in (text.split("-") for text in _STORAGE_RANGES.split())
    for tag in range(int(first), int(last) + 1)
)

Source = bytes | mmap.mmap


@dataclass(frozen=True)
class Value:
    """A tag's value; `data` holds `count` items of TIFF type `kind`, little-endian."""

    kind: int
    count: int
    data: bytes

    @classmethod
    def of(cls, kind: int, *numbers: int) -> Value:
        """Numbers as SHORTs, LONGs or (numerator, denominator pairs) RATIONALs."""
        letter = "H" if kind == SHORT else "I"
        count = len(numbers) // 2 if kind == RATIONAL else len(numbers)
        return cls(kind, count, struct.pack(f"<{len(numbers)}{letter}", *numbers))


Directory = Mapping[int, "Value | Directory"]


class BadTags(ValueError):
    """The bytes are no sound tag structure."""


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    at: int  # where the value's bytes begin


class _Reader:
    """Random access to the directories of a block or file, in either byte order, BigTIFF too."""

    def __init__(self, source: Source) -> None:
        head = source[:16]
        if head[:2] not in (b"II", b"MM"):
            raise BadTags
        self.source = source
        self.budget = _MAX_BYTES
        self.order = "<" if head[:2] == b"II" else ">"
        version = self.number(2, 2)
        if version not in (42, 43):
            raise BadTags
        self.big = version == 43
        self.width = 8 if self.big else 4  # bytes of an offset
        self.first = self.number(8 if self.big else 4, self.width)

    def number(self, at: int, width: int) -> int:
        """The unsigned number of `width` bytes at `at`."""
        raw = self.source[at : at + width]
        if at < 0 or len(raw) != width:
            raise BadTags
        return int.from_bytes(raw, "little" if self.order == "<" else "big")

    def entries(self, at: int) -> Iterator[_Entry]:
        """The entries of the directory at `at`; those of unknown type are passed over."""
        width = self.width
        count_width = 8 if self.big else 2
        count = self.number(at, count_width)
        if count > 4096:
            raise BadTags
        for index in range(count):
            entry = at + count_width + index * (4 + 2 * width)
            tag, kind = self.number(entry, 2), self.number(entry + 2, 2)
            items = self.number(entry + 4, width)
            size = items * _SIZES.get(kind, 0)
            value = entry + 4 + width
            if kind in _SIZES:
                yield _Entry(
                    tag, kind, items, value if size <= width else self.number(value, width)
                )

    def next_at(self, at: int) -> int:
        """Where the pointer to the following directory lies."""
        count_width = 8 if self.big else 2
        return at + count_width + self.number(at, count_width) * (4 + 2 * self.width)

    def integer(self, entry: _Entry) -> int:
        """The first item of an integer entry."""
        return self.number(entry.at, _SIZES[entry.kind])

    def value(self, entry: _Entry) -> Value:
        """An entry's value, its words turned to little-endian."""
        size = entry.count * _SIZES[entry.kind]
        self.budget -= size  # entries of a hostile file may all name the same long stretch
        if self.budget < 0:
            raise BadTags
        data = bytes(self.source[entry.at : entry.at + size])
        if len(data) != size:
            raise BadTags
        word = _WORDS.get(entry.kind, 1)
        if self.order == ">" and word > 1:
            data = np.frombuffer(data, f">u{word}").astype(f"<u{word}").tobytes()
        return Value(entry.kind, entry.count, data)


def orientation(source: Source) -> int:
    """The orientation tag (1..8) of an EXIF block or TIFF file; 1 where there is none."""
    try:
        reader = _Reader(source)
        for entry in reader.entries(reader.first):
            if entry.tag == ORIENTATION and entry.count:
                found = reader.integer(entry)
                return found if 1 <= found <= 8 else 1
    except BadTags:
        pass
    return 1


def upright(block: bytes) -> bytes:
    """The block with its orientation tag reset to 1, nothing else touched."""
    try:
        reader = _Reader(block)
        for entry in reader.entries(reader.first):
            if entry.tag == ORIENTATION and entry.count:
                size = _SIZES[entry.kind]
                one = (1).to_bytes(size, "little" if reader.order == "<" else "big")
                return block[: entry.at] + one + block[entry.at + size :]
    except BadTags:
        pass
    return block


def without_thumbnail(block: bytes) -> bytes:
    """The block with its thumbnail blanked: it would show the picture as it was before the edit."""
    try:
        reader = _Reader(block)
        pointer = reader.next_at(reader.first)
        second = reader.number(pointer, reader.width)
        if not second:
            return block
        found = {entry.tag: reader.integer(entry) for entry in reader.entries(second)}
    except BadTags:
        return block
    out = bytearray(block)
    start, length = found.get(_THUMBNAIL_OFFSET, 0), found.get(_THUMBNAIL_LENGTH, 0)
    stop = min(start + length, len(block))
    out[start:stop] = bytes(max(0, stop - start))
    out[pointer : pointer + reader.width] = bytes(reader.width)
    return bytes(out)


def directory(
    source: Source, *, without: frozenset[int] = _STORAGE
) -> dict[int, Value | Directory]:
    """The first directory of a block or TIFF file, `without` some tags; others nested in it.

    Raises:
        BadTags: where the structure is broken.
    """
    reader = _Reader(source)
    found = _collect(reader, reader.first, depth=0)
    return {tag: value for tag, value in found.items() if tag not in without}


def _collect(reader: _Reader, at: int, depth: int) -> dict[int, Value | Directory]:
    found: dict[int, Value | Directory] = {}
    for entry in reader.entries(at):
        if entry.tag in SUB_DIRECTORIES:
            if depth < 3 and entry.tag not in found:
                found[entry.tag] = _collect(reader, reader.integer(entry), depth + 1)
        elif entry.kind < 16:
            found[entry.tag] = reader.value(entry)
    return found


def block_of_tiff(source: Source) -> bytes | None:
    """What a TIFF file tells about the picture (maker, dates, place, ...) as an EXIF block."""
    try:
        tags = directory(source)
    except BadTags:
        return None
    kept = {t: v for t, v in tags.items() if t not in (X_RESOLUTION, Y_RESOLUTION)}
    return block_of(kept) if kept else None


def block_of(tags: Directory) -> bytes:
    """An EXIF block with these tags."""
    return b"II*\0" + struct.pack("<I", 8) + serialise(tags, 8)


def serialise(tags: Directory, offset: int) -> bytes:
    """The bytes of a directory that will lie at `offset` of its file, little-endian."""
    head = struct.pack("<H", len(tags))
    tail = b""
    start = offset + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        at = start + len(tail)
        if isinstance(value, Value):
            size = len(value.data)
            inline = value.data.ljust(4, b"\0") if size <= 4 else struct.pack("<I", at)
            head += struct.pack("<HHI", tag, value.kind, value.count) + inline
            tail += value.data + b"\0" * (size % 2) if size > 4 else b""
        else:
            head += struct.pack("<HHII", tag, LONG, 1, at)
            tail += serialise(value, at)
    return head + bytes(4) + tail


def with_density(block: bytes | None, density: tuple[float, float]) -> bytes:
    """The block with a resolution (pixels per inch, x and y), for files that keep it only there."""
    try:
        tags = directory(block, without=frozenset()) if block else {}
    except BadTags:
        tags = {}
    if X_RESOLUTION in tags and block:
        return block
    return block_of({**tags, **density_tags(density)})


def density(source: Source) -> tuple[float, float] | None:
    """Pixels per inch, x and y, as an EXIF block or TIFF file has them."""
    try:
        tags = directory(source, without=frozenset())
    except BadTags:
        return None
    x, y, unit = (tags.get(tag) for tag in (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT))
    if not (isinstance(x, Value) and isinstance(y, Value) and x.kind == y.kind == RATIONAL):
        return None
    per_cm = isinstance(unit, Value) and unit.data[:2] == b"\3\0"
    over_x, under_x, over_y, under_y = struct.unpack("<4I", x.data[:8] + y.data[:8])
    if not (over_x and under_x and over_y and under_y):
        return None
    scale = 2.54 if per_cm else 1.0
    return over_x / under_x * scale, over_y / under_y * scale


def density_tags(density: tuple[float, float]) -> dict[int, Value]:
    """The resolution tags for pixels per inch, x and y."""
    x, y = (round(value * 10000) for value in density)
    return {
        X_RESOLUTION: Value.of(RATIONAL, x, 10000),
        Y_RESOLUTION: Value.of(RATIONAL, y, 10000),
        RESOLUTION_UNIT: Value.of(SHORT, 2),
    }
