"""What comes out of a source: upright samples and metadata, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.files import exif as exif_tags
from editanything.files import xmp as xmp_packet

#: Opens the JPEG segments of a recipe that is too long for an XMP packet.
JPEG_RECIPE = b"EditAnything recipe\0"


@dataclass(frozen=True)
class Origin:
    """How a picture came, so that the result can be handed back in kind."""

    kind: Literal["file", "array", "pil"] = "file"
    mode: str = ""  # of a PIL image
    num_axes: int = 3  # of an array
    dtype: str = "uint8"  # of an array, its byte order included


@dataclass(frozen=True, eq=False)
class Decoded:
    """What was found in a source; the fields are those of `Picture`."""

    samples: NDArray[Any]
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    density: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    recipe: str | None = None
    origin: Origin = field(default_factory=Origin)


def check_size(name: str, width: int, height: int, max_megapixels: float) -> None:
    """Refuse an empty or too large picture, before a pixel of it is decoded.

    Raises:
        InputError: no pixels, or more than `max_megapixels`.
    """
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width}x{height}).")
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise InputError(
            f"{name} is {width}x{height} = {megapixels:.0f} megapixels, more than the limit of "
            f"{max_megapixels:g}; raise max_megapixels to open it."
        )


def upright(
    samples: NDArray[Any],
    turn: int,
    icc: bytes | None,
    block: bytes | None,
    packet: bytes | None,
    density: tuple[float, float] | None,
    notes: tuple[str, ...],
    origin: Origin,
) -> Decoded:
    """Apply the orientation `turn` (EXIF 2.32, tag 0x0112) and reset it in the metadata."""
    if turn >= 5:
        samples = samples.transpose(1, 0, 2)
        density = density and density[::-1]
    if turn in (3, 4, 7, 8):
        samples = samples[::-1]
    if turn in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    packet, recipe = xmp_packet.split(packet) if packet else (None, None)
    return Decoded(
        np.ascontiguousarray(samples),
        bytes(icc) if icc else None,
        exif_tags.upright(block) if block else None,
        xmp_packet.upright(packet) if packet else None,
        density if density and all(0.1 <= d <= 100_000 for d in density) else None,
        notes,
        recipe,
        origin,
    )


def bare(block: bytes | None) -> bytes | None:
    """An EXIF block without the prefix that JPEG and some others put before it."""
    return block.removeprefix(exif_tags.PREFIX) if block else None


def reason(error: Exception) -> str:
    """The first line of an error, without its full stop."""
    if isinstance(error, UnicodeDecodeError):
        return "damaged"
    text = str(getattr(error, "detail", "") or error).strip() or type(error).__name__
    return text.splitlines()[0].strip().rstrip(".")
