"""The bytes of one picture -> RGB uint8 of the size that is asked for."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mdt.data.source import Array, DataError

#: Endings of files that are taken for pictures.
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")
MAX_MEGAPIXELS = 100
#: A drawn crop's short side, as a share of the picture's, is at least this [ADM].
MIN_SHARE = 0.8
_TOO_LARGE = f"more than {MAX_MEGAPIXELS} megapixels"
#: What Pillow's readers raise on broken files.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError,
    struct.error, zlib.error,
)  # fmt: skip

Draws = tuple[float, float, float]


def decode(data: bytes, size: tuple[int, int] | None, draws: Draws | None = None) -> Array:
    """A picture, upright, RGB uint8 (H, W, 3).

    Transparent parts are laid over white; 16-bit greys keep their upper 8 bits; of a moving
    picture the first frame is taken.

    Args:
        data: of the file.
        size: (H, W) that is filled and cropped to; None: the picture's own.
        draws: three numbers in [0, 1) that choose the crop: how far in, how far down, how far
            right; None: the whole short side, in the middle.

    Raises:
        DataError: it cannot be decoded, or is too large; says why, not which picture.
    """
    with _opened(io.BytesIO(data)) as image:
        picture = to_rgb(image)
    if size is not None:
        picture = crop(picture, size, draws)
    return np.array(picture)


def check(file: IO[bytes]) -> None:
    """Read the head of a picture's file.

    Raises:
        DataError: it is no picture, or too large; says why, not which picture.
    """
    with _opened(file):
        pass


def upright_size(data: bytes) -> tuple[int, int]:
    """(H, W) of a picture once it stands upright.

    Raises:
        DataError: it is no picture, or too large; says why, not which picture.
    """
    with _opened(io.BytesIO(data)) as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # EXIF 2.32: the axes change places
        return image.size if turned else image.size[::-1]


def to_rgb(image: Image.Image) -> Image.Image:
    """An opened picture of any mode, upright, as RGB; see `decode`."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _grey_8_bit(image)
    image = ImageOps.exif_transpose(image)
    if image.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return image if image.mode == "RGB" else image.convert("RGB")


def crop(image: Image.Image, size: tuple[int, int], draws: Draws | None = None) -> Image.Image:
    """Shrink or enlarge a picture until it just covers `size`, and cut out the middle.

    Halved by boxes while it stays twice as large as needed, the rest bicubic: ADM's
    `center_crop_arr` and, with `draws`, `random_crop_arr` [Dhariwal & Nichol 2021].

    Args:
        image: RGB.
        size: (H, W).
        draws: see `decode`; with them, the picture covers up to 1 / MIN_SHARE of `size`.
    """
    height, width = size
    zoom = 1.0 if draws is None else 1 / (1 - draws[0] * (1 - MIN_SHARE))
    tall, wide = height * zoom, width * zoom
    while image.width >= 2 * wide and image.height >= 2 * tall:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    scale = max(wide / image.width, tall / image.height)
    covering = max(width, round(image.width * scale)), max(height, round(image.height * scale))
    if covering != image.size:
        image = image.resize(covering, Image.Resampling.BICUBIC)
    down, right = image.height - height, image.width - width
    if draws is None:
        top, left = down // 2, right // 2
    else:
        top, left = int(draws[1] * (down + 1)), int(draws[2] * (right + 1))
    return image.crop((left, top, left + width, top + height))


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Image.Image]:
    """An image whose size has been checked; what goes wrong inside becomes a `DataError`."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as image:
            _check_pixels(image)
            yield image
    except Image.DecompressionBombError:
        raise DataError(_TOO_LARGE) from None
    except UnidentifiedImageError:
        raise DataError("not a picture") from None
    except _BROKEN as error:
        raise DataError(_reason(error)) from None


def _check_pixels(image: Image.Image) -> None:
    if image.width * image.height > MAX_MEGAPIXELS * 1e6:
        raise DataError(_TOO_LARGE)


def _grey_8_bit(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise DataError("float samples")
    upper = np.clip(np.asarray(image).astype(np.int64) // 256, 0, 255).astype(np.uint8)
    grey = Image.fromarray(upper)
    grey.info = dict(image.info)
    grey.info.pop("transparency", None)  # a 16-bit sample: no grey of eight bits answers to it
    return grey


def _reason(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
