"""A picture as it was given: its own samples and metadata, and the RGB that everyone else sees."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.files import exif as exif_tags
from editanything.files import read
from editanything.files.decoded import Origin
from editanything.types import RGB, Box, frozen_array

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

logger = logging.getLogger(__name__)

_CHECK_PX, _CHECK_LIGHT, _CHECK_DARK = 8, 255, 224


@dataclass(frozen=True, eq=False)
class Picture:
    """The samples of a picture file, array or PIL image, upright, and what was written beside them.

    Attributes:
        samples: (H, W, C) uint8 or uint16, read-only; C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
            (alpha not premultiplied; hidden colours are kept).
        icc: the colour profile's bytes.
        exif: the EXIF block ("II*" or "MM" first), its orientation reset.
        xmp: the XMP packet, without our recipe.
        density: pixels per inch, x and y.
        notes: what the reader should know ("animated, 3 frames: the first is used").
        recipe: the JSON text that files of our own making carry.
        origin: how the picture came.
    """

    samples: NDArray[Any]
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    density: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    recipe: str | None = None
    origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        samples = self.samples
        assert samples.dtype in (np.uint8, np.uint16), samples.dtype
        assert samples.ndim == 3, samples.shape
        assert 1 <= samples.shape[2] <= 4, samples.shape
        assert samples.size, samples.shape
        object.__setattr__(self, "samples", frozen_array(np.ascontiguousarray(samples)))

    @classmethod
    def open(
        cls,
        source: str | Path | bytes | NDArray[Any] | PILImage | Picture,
        *,
        max_megapixels: float = 100,
    ) -> Picture:
        """Read a picture: a file's path or bytes, an array (copied), a PIL image.

        Args:
            source: a path, the bytes of a file, an array (RGB uint8 (H, W, 3); uint8 or uint16
                with 1 to 4 channels are taken too), a PIL image of any mode but F, or a Picture.
            max_megapixels: the largest picture taken, in millions of pixels.

        Raises:
            InputError: one sentence on what is missing, broken, too large or of no usable kind.
        """
        if isinstance(source, Picture):
            return source
        if isinstance(source, str | os.PathLike):
            decoded = read.read_file(Path(source), max_megapixels)
        elif isinstance(source, bytes | bytearray | memoryview):
            decoded = read.read_bytes(bytes(source), max_megapixels)
        elif isinstance(source, np.ndarray):
            decoded = read.read_array(source, max_megapixels)
        elif hasattr(source, "getexif"):
            from editanything.files.pil import read_pil

            decoded = read_pil(source, max_megapixels)
        else:
            raise InputError(
                "A picture is a path, an array or a PIL image; "
                f"this is a {type(source).__module__}.{type(source).__qualname__}."
            )
        return cls(**vars(decoded))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.samples.shape[0], self.samples.shape[1]

    @property
    def has_alpha(self) -> bool:
        """Whether there is an alpha channel."""
        return self.samples.shape[2] in (2, 4)

    def rgb(self, box: Box | None = None) -> RGB:
        """What everyone else sees: 8 bits, grey replicated, alpha dropped; (h, w, 3), read-only.

        Copies no more than the box; nothing where the samples are RGB already and no box is given.
        """
        samples = self.samples[_window(box)]
        colours = samples[..., :1] if samples.shape[2] < 3 else samples[..., :3]
        if colours.dtype == np.uint16:
            colours = _to_8_bit(colours)
        if colours.shape[2] == 1:
            colours = np.repeat(colours, 3, axis=2)
        return frozen_array(np.ascontiguousarray(colours))

    def opacity(self, box: Box | None = None) -> NDArray[np.uint8] | None:
        """The alpha channel in 8 bits, (h, w), read-only; None where there is none."""
        if not self.has_alpha:
            return None
        alpha = self.samples[_window(box)][..., -1]
        return frozen_array(_to_8_bit(alpha) if alpha.dtype == np.uint16 else alpha.copy())

    def with_alpha(self) -> Picture:
        """The picture with an alpha channel: its own, or an opaque one."""
        if self.has_alpha:
            return self
        opaque = np.full((*self.shape, 1), np.iinfo(self.samples.dtype).max, self.samples.dtype)
        return self.with_samples(np.concatenate([self.samples, opaque], axis=2))

    def preview(self, max_side_px: int | None = None) -> RGB:
        """8 bit RGB for a screen, reduced to `max_side_px`, over a checkerboard where transparent.

        The caller may write to the result.
        """
        import cv2

        height, width = self.shape
        scale = min(1.0, (max_side_px or max(height, width)) / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        colours, opacity = self.rgb(), self.opacity()
        if opacity is None:
            return cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
        # Weighted by the opacity, so that hidden colours do not bleed into the reduced picture.
        visible = cv2.multiply(colours, cv2.merge([opacity] * 3), scale=1 / 255)
        visible = cv2.resize(visible, size, interpolation=cv2.INTER_AREA)
        seen_through = 255 - cv2.resize(opacity, size, interpolation=cv2.INTER_AREA)
        ys, xs = np.ogrid[: size[1], : size[0]]
        light = (ys // _CHECK_PX + xs // _CHECK_PX) % 2 == 0
        board = np.where(light, _CHECK_LIGHT, _CHECK_DARK).astype(np.uint8)
        ground = cv2.multiply(board, seen_through, scale=1 / 255)
        return cv2.add(visible, cv2.merge([ground] * 3))

    def digest(self) -> str:
        """SHA-256 over shape, depth and samples, in hex; metadata do not count."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        head = f"{self.samples.shape} {self.samples.dtype.itemsize * 8}".encode()
        digest = hashlib.sha256(head)
        digest.update(self.samples.astype(self.samples.dtype.newbyteorder("<"), copy=False).data)
        return digest.hexdigest()

    def with_samples(self, samples: NDArray[Any], *, recipe: str | None = None) -> Picture:
        """The same metadata around new samples, which are handed over, not copied.

        A thumbnail in the EXIF block is blanked: it would still show what was there before.
        """
        block = exif_tags.without_thumbnail(self.exif) if self.exif else None
        return replace(self, samples=samples, exif=block, recipe=recipe)

    def encode(self, suffix: str) -> bytes:
        """The bytes of a file: ".png", ".tif", ".webp" (lossless) or ".jpg" (quality 95, 4:4:4).

        Raises:
            InputError: an unknown suffix, or samples that the kind of file cannot hold.
        """
        return b"".join(_writer(suffix)(self))

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the file that the path's suffix names, whole or not at all.

        Raises:
            InputError: an unknown suffix, a file that exists (unless `overwrite`), a folder that
                does not, no permission, or samples that the kind of file cannot hold.
        """
        path = Path(path)
        check_output(path, overwrite=overwrite)
        if path.suffix.lower() in (".jpg", ".jpeg"):
            logger.info("JPEG re-encodes every pixel; PNG, TIFF and WebP are exact.")
        home = path.resolve()
        part = home.with_name(f".{uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                file.writelines(_writer(path.suffix)(self))
            if home.exists():
                shutil.copymode(home, part)
            part.replace(home)
        except OSError as error:
            raise InputError(f"'{path}' cannot be written: {error.strerror}.") from None
        finally:
            with suppress(OSError):  # a folder that may not even be looked into
                part.unlink()

    def in_kind(self) -> NDArray[Any] | PILImage:
        """The picture as it came: an array of that shape and depth, a PIL image of that mode.

        A picture from a file comes as RGB uint8 (H, W, 3). PIL modes that were converted (palette,
        CMYK, ...) stay RGB(A) or grey.
        """
        if self.origin.kind == "array":
            flat = self.origin.num_axes == 2 and self.samples.shape[2] == 1
            return (self.samples[..., 0] if flat else self.samples).astype(self.origin.dtype)
        return self._pil() if self.origin.kind == "pil" else self.rgb().copy()

    def _pil(self) -> PILImage:
        from PIL import Image

        samples = self.samples[..., 0] if self.samples.shape[2] == 1 else self.samples
        image = Image.fromarray(samples)
        if self.origin.mode == "1":
            image = image.convert("1", dither=Image.Dither.NONE)
        known = {"icc_profile": self.icc, "exif": self.exif, "xmp": self.xmp, "dpi": self.density}
        image.info.update({name: value for name, value in known.items() if value})
        return image


def check_output(path: str | Path, *, overwrite: bool = False) -> None:
    """Refuse a path that cannot become a picture file, before any work is done for it.

    Raises:
        InputError: unknown suffix, a folder, a missing folder, or an existing file.
    """
    path = Path(path)
    try:
        is_folder, exists, has_home = path.is_dir(), path.exists(), path.parent.is_dir()
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error.strerror}.") from None
    if is_folder:
        raise InputError(f"'{path}' is a folder; give a file name such as 'out.png'.")
    _writer(path.suffix)
    if not has_home:
        raise InputError(f"There is no folder '{path.parent}'; make it first.")
    if exists and not overwrite:
        raise InputError(f"'{path}' exists; choose another name, or ask to overwrite it.")


def _writer(suffix: str) -> Any:
    from editanything.files.write import WRITERS

    if suffix.lower() not in WRITERS:
        raise InputError(
            f"A picture cannot be written as '{suffix}'; use one of {', '.join(WRITERS)}."
        )
    return WRITERS[suffix.lower()]


def _window(box: Box | None) -> tuple[slice, slice]:
    if box is None:
        return slice(None), slice(None)
    x0, y0, x1, y1 = box
    return slice(y0, y1), slice(x0, x1)


@cache
def _eighths() -> NDArray[np.uint8]:
    """The 8 bit value of every 16 bit value: v / 257, rounded (no ties, 257 being odd)."""
    return ((np.arange(65536) + 128) // 257).astype(np.uint8)


def _to_8_bit(samples: NDArray[Any]) -> NDArray[np.uint8]:
    return np.take(_eighths(), samples)
