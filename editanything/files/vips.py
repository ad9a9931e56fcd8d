"""libvips, loaded when the first file is met."""

from __future__ import annotations

import logging
from typing import Any

from editanything.errors import InputError
from editanything.files.decoded import reason


def load_vips() -> Any:
    """libvips, without its operation cache: that would hold whole pictures, and stale ones."""
    try:
        import pyvips
    except (ImportError, OSError) as error:
        raise InputError(
            f"libvips cannot be loaded ({reason(error)}); install it with: pip install "
            "'pyvips[binary]'."
        ) from None
    pyvips.cache_set_max(0)
    pyvips.vips_lib.vips_error_clear()  # else the next error begins with what others left there
    logging.getLogger("pyvips").setLevel(logging.ERROR)  # its warnings come as our errors
    return pyvips


def to_rgb(image: Any) -> Any:
    """RGB (sRGB) of the same depth; CMYK by its own profile, or else a common one for print."""
    depth = 8 if image.format == "uchar" else 16
    if image.interpretation == "cmyk":
        image = image.icc_transform(
            "srgb", embedded=True, input_profile="cmyk", intent="relative", depth=depth
        )
    else:
        image = image.colourspace("srgb" if depth == 8 else "rgb16")
    image = image.copy()
    if image.get_typeof("icc-profile-data"):
        image.remove("icc-profile-data")
    return image
