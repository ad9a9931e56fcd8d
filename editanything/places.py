"""The named places of a frame: "left", "top-left", "center", ..."""

from __future__ import annotations

from editanything.errors import Refusal
from editanything.types import Box

# The places of a frame, as shares of its width and height: (left, top, right, bottom).
PLACES: dict[str, tuple[float, float, float, float]] = {
    "left": (0, 0, 0.5, 1), "right": (0.5, 0, 1, 1), "top": (0, 0, 1, 0.5),
    "bottom": (0, 0.5, 1, 1), "center": (0.25, 0.25, 0.75, 0.75),
    "top-left": (0, 0, 0.5, 0.5), "top-right": (0.5, 0, 1, 0.5),
    "bottom-left": (0, 0.5, 0.5, 1), "bottom-right": (0.5, 0.5, 1, 1),
    "foreground": (0, 0.5, 1, 1),
}  # fmt: skip


def place_box(region: str, shape: tuple[int, int]) -> Box:
    """The box of a place such as "top-left" in a picture of `shape` = (H, W).

    Raises:
        Refusal: a place that has no box.
    """
    if region not in PLACES:
        raise Refusal(
            f"“{region}” is no place that I know; there are: {', '.join(PLACES)}.",
            reason="unsupported",
        )
    height, width = shape
    x0, y0, x1, y1 = PLACES[region]
    return round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)
