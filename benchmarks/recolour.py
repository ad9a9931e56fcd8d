"""Does a recoloured thing keep its shading, and does it have the colour that was asked for?

    python benchmarks/recolour.py

Photographs from scikit-image, masks made by hand (colour ranges, ellipses, polygons), ten colours.
For every photograph and mask, over all pixels of the mask:

- correlation: Pearson's, of the luminance before and after; in CIELAB's L*, over the whole mask and
  without the one pixel along its rim, where what is shown is half the background; in OKLab's L.
- hue error: the angle between the hue that was asked for and the mean hue of the result, each
  pixel weighted by its chroma; in CIELAB and in OKLab. Colours without a hue (white, black, grey)
  have none to miss; for them the result's mean chroma is shown.
- lightness: mean of the result (OKLab's L) against the colour's own, for "make it white".

Prints a table, then one JSON line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import cv2
import numpy as np
from skimage import data
from skimage.color import rgb2lab
from skimage.draw import polygon

from editanything.backends.classical import Classical
from editanything.backends.classical.oklab import lab_of
from editanything.types import RGB, Bool2D, Task

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "orange": (255, 165, 0),
    "yellow": (255, 255, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "purple": (128, 0, 128),
    "pink": (255, 192, 203),
    "brown": (139, 69, 19),
    "teal": (0, 128, 128),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
}


def ellipse(image: RGB, x: float, y: float, a: float, b: float) -> Bool2D:
    """The pixels inside an ellipse around (x, y) with half axes a and b."""
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]]
    inside: Bool2D = ((xs - x) / a) ** 2 + ((ys - y) / b) ** 2 <= 1
    return inside


def shape(image: RGB, *corners: tuple[int, int]) -> Bool2D:
    """The pixels inside a polygon with corners (x, y)."""
    mask = np.zeros(image.shape[:2], bool)
    xs, ys = zip(*corners, strict=True)
    mask[polygon(ys, xs, mask.shape)] = True
    return mask


def coloured(image: RGB, within: Bool2D, least_a: float, least_b: float) -> Bool2D:
    """The largest connected part of `within` that is at least so red and so yellow in CIELAB."""
    lab = rgb2lab(image)
    found = within & (lab[..., 1] >= least_a) & (lab[..., 2] >= least_b)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    largest: Bool2D = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return largest


def cases() -> Iterator[tuple[str, RGB, Bool2D]]:
    """(name, photograph, mask): saturated, near grey, very dark, very light, textured things."""
    coffee, cat = data.coffee(), data.chelsea()
    astronaut, rocket = data.astronaut(), data.rocket()
    dish = ellipse(coffee, 279, 225, 201, 160) & ~ellipse(coffee, 290, 130, 122, 130)
    yield "coffee: saucer", coffee, coloured(coffee, dish, 15, 15)
    yield "coffee: white cup", coffee, ellipse(coffee, 290, 113, 115, 93)
    yield "coffee: table", coffee, shape(coffee, (440, 0), (599, 0), (599, 399), (500, 330))
    yield "cat: eye", cat, ellipse(cat, 171, 116, 34, 30)
    fur = shape(cat, (60, 0), (320, 0), (340, 110), (250, 190), (150, 170), (40, 150))
    yield "cat: fur", cat, fur
    suit = shape(astronaut, (30, 240), (110, 200), (240, 300), (240, 470), (30, 510))
    yield "astronaut: suit", astronaut, coloured(astronaut, suit, 15, 15)
    yield "astronaut: black visor", astronaut, ellipse(astronaut, 382, 440, 95, 85)
    yield (
        "astronaut: grey wall",
        astronaut,
        shape(astronaut, (300, 0), (378, 0), (350, 200), (320, 200)),
    )
    yield (
        "rocket: dark sky",
        rocket,
        shape(rocket, (90, 0), (300, 0), (300, 250), (210, 250), (90, 200)),
    )
    yield (
        "rocket: white hull",
        rocket,
        shape(rocket, (314, 180), (333, 180), (332, 400), (314, 400)),
    )


def correlation(before: np.ndarray, after: np.ndarray) -> float:
    """Pearson's correlation of two samples."""
    return float(np.corrcoef(before, after)[0, 1])


def hue_error(result_ab: np.ndarray, wanted_ab: np.ndarray) -> float:
    """Degrees between the chroma-weighted mean hue of (n, 2) pixels and a wanted one (2,).

    The sum of the (a, b) vectors has just that mean hue.
    """
    total = result_ab.sum(0, dtype=np.float64)
    turn = np.arctan2(total[1], total[0]) - np.arctan2(wanted_ab[1], wanted_ab[0])
    return float(abs(np.degrees((turn + np.pi) % (2 * np.pi) - np.pi)))


def measure(image: RGB, mask: Bool2D, color: tuple[int, int, int]) -> dict[str, float]:
    """The figures of one photograph, mask and colour."""
    task = Task("modify", image, mask, mask, {"color": color}, seed=0)
    start = time.perf_counter()
    result = Classical().paint(task).image
    seconds = time.perf_counter() - start
    swatch = np.array([[color]], np.uint8)
    old_lab, new_lab = rgb2lab(image)[mask], rgb2lab(result)[mask]
    old_ok, new_ok = lab_of(image[mask]), lab_of(result[mask])
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))[mask] > 0
    cie, ok = rgb2lab(swatch)[0, 0], lab_of(swatch)[0, 0]
    figures = {
        "corr_cielab": correlation(old_lab[:, 0], new_lab[:, 0]),
        "corr_inside": correlation(old_lab[inner, 0], new_lab[inner, 0]),
        "corr_oklab": correlation(old_ok[:, 0], new_ok[:, 0]),
        "lightness_error": float(new_ok[:, 0].mean() - ok[0]),
        "seconds": seconds,
    }
    if np.hypot(ok[1], ok[2]) > 0.01:
        figures["hue_cielab"] = hue_error(new_lab[:, 1:], cie[1:])
        figures["hue_oklab"] = hue_error(new_ok[:, 1:], ok[1:])
    else:
        figures["chroma"] = float(np.hypot(new_ok[:, 1], new_ok[:, 2]).mean())
    return figures


def main() -> None:
    """Measure everything and print."""
    rows: list[dict[str, float]] = []
    keys = (
        "corr_cielab",
        "corr_inside",
        "corr_oklab",
        "hue_cielab",
        "hue_oklab",
        "lightness_error",
    )
    print(f"{'photograph':24}{'colour':8}" + "".join(f"{key:>17}" for key in keys))
    for name, image, mask in cases():
        for color_name, color in COLORS.items():
            row = measure(image, mask, color)
            rows.append(row)
            cells = (f"{row[key]:17.3f}" if key in row else f"{'-':>17}" for key in keys)
            print(f"{name:24}{color_name:8}" + "".join(cells))

    def every(key: str) -> list[float]:
        return [row[key] for row in rows if key in row]

    summary = {
        "benchmark": "recolour",
        "cases": len(rows),
        "corr_cielab_mean": round(float(np.mean(every("corr_cielab"))), 4),
        "corr_cielab_min": round(min(every("corr_cielab")), 4),
        "corr_inside_mean": round(float(np.mean(every("corr_inside"))), 4),
        "corr_inside_min": round(min(every("corr_inside")), 4),
        "share_corr_inside_097": round(float(np.mean(np.array(every("corr_inside")) >= 0.97)), 4),
        "corr_oklab_min": round(min(every("corr_oklab")), 4),
        "share_corr_cielab_097": round(float(np.mean(np.array(every("corr_cielab")) >= 0.97)), 4),
        "hue_error_cielab_mean": round(float(np.mean(every("hue_cielab"))), 3),
        "hue_error_cielab_max": round(max(every("hue_cielab")), 3),
        "hue_error_oklab_mean": round(float(np.mean(every("hue_oklab"))), 3),
        "hue_error_oklab_max": round(max(every("hue_oklab")), 3),
        "grey_chroma_max": round(max(every("chroma")), 4),
        "seconds_max": round(max(every("seconds")), 3),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
