"""PIL images of every mode, and the few kinds of files that only Pillow reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.files import exif as exif_tags
from editanything.files.decoded import Decoded, Origin, bare, check_size, reason, upright
from editanything.files.vips import load_vips, to_rgb

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage


def read_pil(image: PILImage, max_megapixels: float) -> Decoded:
    """Copy a PIL image of any mode, its metadata with it, upright.

    Raises:
        InputError: a broken or too large image, or float samples.
    """
    origin = Origin("pil", image.mode)
    check_size("The image", *image.size, max_megapixels)
    try:
        image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"The image cannot be decoded: {reason(error)}.") from None
    samples, notes = _pil_samples(image)
    icc = image.info.get("icc_profile") if image.mode != "CMYK" else None
    packet = image.info.get("xmp")
    dpi = image.info.get("dpi")
    density = (float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None
    if getattr(image, "n_frames", 1) > 1:
        notes = (*notes, f"one of {getattr(image, 'n_frames', 1)} frames is used")
    block = bare(image.info.get("exif"))
    if block is None and len(image.getexif()):
        block = bare(image.getexif().tobytes())
    if block and image.format == "TIFF":
        block = exif_tags.block_of_tiff(block)  # Pillow hands over the storage tags as well
    turn = exif_tags.orientation(block) if block else 1
    return upright(samples, turn, icc, block, packet, density, notes, origin)


def _pil_samples(image: PILImage) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The samples of a PIL image of any mode, (H, W, C)."""
    mode = image.mode
    if mode == "F":
        raise InputError("The image holds float samples (PIL mode F); convert it to L or I;16.")
    if mode == "CMYK":
        return _pil_cmyk(image)
    if mode.startswith("I"):
        return _pil_16_bit(image), ()
    notes = (f"{mode} converted to RGB",) if mode in ("LAB", "HSV", "YCbCr") else ()
    if "transparency" in image.info and mode in ("1", "L", "RGB", "P"):
        image = image.convert("LA" if mode in ("1", "L") else "RGBA")
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        plain = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}
        image = image.convert(plain.get(mode, "RGB"))
    samples = np.array(image)
    return samples.reshape(*samples.shape[:2], -1), notes


def _pil_16_bit(image: PILImage) -> NDArray[np.uint16]:
    samples = np.asarray(image)
    if samples.size and (samples.min() < 0 or samples.max() > 65535):
        raise InputError(
            f"The image (PIL mode {image.mode}) holds numbers from {samples.min()} to "
            f"{samples.max()}; 0 to 65535 can be edited."
        )
    return samples.astype(np.uint16)[..., None]


def _pil_cmyk(image: PILImage) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    vips = load_vips()
    ink = vips.Image.new_from_array(np.array(image), interpretation="cmyk")
    profile = image.info.get("icc_profile")
    if profile:
        ink = ink.copy()
        ink.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
    return to_rgb(ink).numpy(), ("CMYK converted to RGB",)
