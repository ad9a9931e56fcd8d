"""libvips, loaded when the first file is met."""

from __future__ import annotations

import atexit
import logging
from functools import cache
from typing import Any

from editanything.errors import InputError
from editanything.files.decoded import reason

logger = logging.getLogger(__name__)


def load_vips() -> Any:
    """libvips, with nothing left over from earlier work.

    Raises:
        InputError: where it is not installed.
    """
    pyvips = _load()
    pyvips.vips_lib.vips_error_clear()  # else the next error begins with what others left there
    return pyvips


@cache
def _load() -> Any:
    try:
        import pyvips
    except (ImportError, OSError) as error:
        raise InputError(
            f"libvips cannot be loaded ({reason(error)}); install it with: pip install "
            "'pyvips[binary]'."
        ) from None
    pyvips.cache_set_max(0)  # the cache would hold whole pictures, and stale ones
    # libvips' warnings come as our errors. pyvips would print a traceback at those which are not
    # UTF-8 (they quote the file), so they are taken here.
    if pyvips.API_mode:
        ffi, domain = pyvips.ffi, b"GLib-GObject"  # complains of sizes beyond all bounds
        callback = pyvips.glib_lib._log_handler_callback  # noqa: SLF001  it has no public name
        handler = pyvips.glib_lib.g_log_set_handler(domain, 0xFF, callback, ffi.NULL)
        atexit.register(pyvips.glib_lib.g_log_remove_handler, domain, handler)
        ffi.def_extern(name="_log_handler_callback")(
            lambda _domain, _level, message, _data: logger.debug(
                "libvips: %s", ffi.string(message).decode(errors="replace")
            )
        )
    logging.getLogger("pyvips").setLevel(logging.ERROR)
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
