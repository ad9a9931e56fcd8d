"""Whether what hangs from the top of a picture is a sky: signs that are asked of every part.

A sky is smooth, its rim is sharp, what lies under it has more edges, and it is blue, or grey and
brighter than the ground, or it glows in layers over a level horizon. Walls, blurred gardens, the
black of space and grounds of studios lack one of these. The bounds were set on half of the photos
that docs/experiments.md tells of.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.types import Bool2D, Float2D

Lab = NDArray[np.float32]  # (h, w, 3): L in 0..100, a and b of CIE L*a*b*

LEAST_SHARE = 0.04  # of the picture
_MOST_SHARE = 0.95  # with more there is no ground to tell it from, and other signs are asked
#: There: chroma; clouds, so much lighter and nearly grey, of the picture; or it is paler below.
_LEAST_FULL_CHROMA, _WHITER, _MOST_WHITE, _LEAST_CLOUDS, _PALER = 12.0, 10.0, 14.0, 0.02, 5.0
_LEAST_OF_SKY = 0.97  # of it is blue or cloud
_MOST_AT_BOTTOM = 0.2  # of the bottom edge
_LEAST_AT_TOP = 0.25  # of the top edge
_LEAST_RIM = 0.3  # of the columns hold a lower rim
_MOST_UNSMOOTH = 6.5  # Lab units beside a smooth field, RMS
_MOST_CLOUDY = 8.2  # ... where the rim is sharper than clouds are
_SHARPER = 7.0  # Lab units a pixel across three quarters of the rim
_MOST_SLOPE, _MOST_STEEP = 1.8, 6.0  # Lab units a pixel: the median, and all but a tenth
_LEAST_SHARP = 2.7  # Lab units a pixel across three quarters of the rim: a blurred one has less
_RIM_MARGIN_PX = 5
_BLUE = (228.0, 310.0)  # degrees in the plane of a and b: from cyan's end to violet
_LEAST_CHROMA = 5.0  # of a blue; less is grey
_LEAST_BLUE = 15.0  # lightness; the dark of water and of rooms is less
_MOST_GREY = 8.0  # chroma
_LEAST_GREY = 40.0  # lightness
_BRIGHTER = 0.7  # of a grey sky's rim is brighter than what is under it
_LEAST_APART = 10.0  # Lab units from a blue or grey sky to the ground, their medians
_FEW = 16  # pixels that tell nothing
_SAMPLE = 6000  # pixels tell a field
_LAYERED = 2.0  # times more colour goes from zenith to horizon than from side to side
_LEVEL = 0.08  # of the picture's height: the spread of a horizon under a glowing sky


def lower_rim(part: Bool2D, margin_px: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of its pixels that lie on something else, away from top and bottom."""
    rows, columns = np.nonzero(part[:-1] & ~part[1:])
    inside = (rows >= margin_px) & (rows < part.shape[0] - margin_px - 1)
    return rows[inside], columns[inside]


def unsmooth(lab: Lab, part: Bool2D) -> float:
    """Lab units that a smooth field (cubic down, square across) leaves over in `part`, RMS."""
    return float(np.sqrt((_fitted(lab, part, curved=True)[1] ** 2).mean()))


def smooth_field(lab: Lab, part: Bool2D) -> tuple[Lab, float]:
    """The colours that those of `part` lead to everywhere, as a plane each, and how far it is off.

    Returns:
        Colours (h, w, 3), and the distance of the part's own to them in Lab units, RMS.
    """
    height, width = part.shape
    factors, off = _fitted(lab, part, curved=False)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    terms = _terms(y / height - 0.5, x / width - 0.5, curved=False)
    return (terms @ factors).astype(np.float32), float(np.sqrt((off**2).mean()))


def _fitted(lab: Lab, part: Bool2D, *, curved: bool) -> tuple[Float2D, Float2D]:
    """Factors of the terms (k, 3), and how far a sample of the part's pixels is off (n,)."""
    height, width = part.shape
    rows, columns = np.nonzero(part)
    some = np.linspace(0, rows.size - 1, min(rows.size, _SAMPLE)).astype(np.intp)
    rows, columns = rows[some], columns[some]
    terms = _terms(rows / height - 0.5, columns / width - 0.5, curved=curved)
    colours = lab[rows, columns]
    factors = np.linalg.lstsq(terms, colours, rcond=None)[0]
    return factors, np.linalg.norm(colours - terms @ factors, axis=1)


def _terms(y: Float2D, x: Float2D, *, curved: bool) -> Float2D:
    plane = [np.ones_like(y), y, x]
    terms = [*plane, y * y, x * x, x * y, y**3] if curved else plane
    return np.stack(terms, -1).astype(np.float32)


def is_sky(lab: Lab, slope: Float2D, part: Bool2D) -> bool:
    """Whether `part` (h, w) of a reduced picture is a sky for sure.

    Args:
        lab: the picture's colours.
        slope: how much they change, in Lab units a pixel.
        part: what hangs from the top edge.
    """
    if part.mean() > _MOST_SHARE:
        return _fills(lab, slope, part)
    if not _hangs(part):
        return False
    sharp = _rim_slope(slope, part)
    cloudy = _MOST_CLOUDY if sharp >= _SHARPER else _MOST_UNSMOOTH
    return (
        sharp >= _LEAST_SHARP
        and _even(slope, part)
        and unsmooth(lab, part) <= cloudy
        and _looks(lab, part)
    )


def _hangs(part: Bool2D) -> bool:
    return bool(
        LEAST_SHARE <= part.mean() <= _MOST_SHARE
        and part[:2].mean() >= _LEAST_AT_TOP
        and part[-2:].mean() <= _MOST_AT_BOTTOM
    )


def _fills(lab: Lab, slope: Float2D, part: Bool2D) -> bool:
    """Whether it is all that there is: blue, and paler below or with clouds."""
    inner = _inner(part)
    light, green_red, blue_yellow = (float(v) for v in np.median(lab[inner], axis=0))
    if np.hypot(green_red, blue_yellow) < _LEAST_FULL_CHROMA or light < _LEAST_BLUE:
        return False
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    blue = (hue >= _BLUE[0]) & (hue <= _BLUE[1]) & (chroma >= _LEAST_CHROMA)
    white = (lab[..., 0] > light + _WHITER) & (chroma < _MOST_WHITE)
    if (blue | white)[part].mean() < _LEAST_OF_SKY or np.median(slope[inner]) > _MOST_SLOPE:
        return False
    third = part.shape[0] // 3
    paler = np.median(lab[-third:, :, 0]) - np.median(lab[:third, :, 0])
    return bool(white.mean() >= _LEAST_CLOUDS or paler >= _PALER)


def _even(slope: Float2D, part: Bool2D) -> bool:
    """Without texture, and the ground with more of it."""
    inner, ground = _inner(part), slope[_inner(~part)]
    if ground.size < _FEW or slope[inner].size < _FEW:
        return False
    middle, steep = np.percentile(slope[inner], (50, 90))
    rough = float(np.percentile(ground, 90))
    return bool(middle <= _MOST_SLOPE and steep <= min(_MOST_STEEP, max(rough, 1.0)))


def _rim_slope(slope: Float2D, part: Bool2D) -> float:
    """Lab units a pixel that three quarters of its lower rim have at least; 0 for a short rim."""
    rows, columns = lower_rim(part, 1)
    if np.unique(columns).size < _LEAST_RIM * part.shape[1]:
        return 0.0
    across = np.maximum.reduce([slope[rows + step, columns] for step in (-1, 0, 1)])
    return float(np.percentile(across, 25))


def _looks(lab: Lab, part: Bool2D) -> bool:
    """Blue, or grey and bright, or glowing in layers."""
    inner, ground = _inner(part), _inner(~part)
    light, green_red, blue_yellow = (float(v) for v in np.median(lab[inner], axis=0))
    apart = float(np.linalg.norm(np.median(lab[inner], 0) - np.median(lab[ground], 0)))
    chroma, hue = np.hypot(green_red, blue_yellow), _degrees(green_red, blue_yellow)
    if chroma >= _LEAST_CHROMA and _BLUE[0] <= hue <= _BLUE[1]:
        return apart >= _LEAST_APART and light >= _LEAST_BLUE
    brighter = _brighter_than_under(lab, part) >= _BRIGHTER
    if chroma <= _MOST_GREY:
        return brighter and light >= _LEAST_GREY and apart >= _LEAST_APART
    warm = hue >= _BLUE[1] or hue <= 100  # violet, red, orange, yellow
    return bool(warm and brighter and _is_layered(lab, part) and _is_level(part))


def _degrees(a: float, b: float) -> float:
    return float(np.degrees(np.arctan2(b, a)) % 360)


def _brighter_than_under(lab: Lab, part: Bool2D) -> float:
    """The share of the rim that is clearly brighter than what is under it."""
    rows, columns = lower_rim(part, _RIM_MARGIN_PX)
    clear = part[rows - _RIM_MARGIN_PX, columns] & ~part[rows + _RIM_MARGIN_PX, columns]
    rows, columns = rows[clear], columns[clear]
    if not rows.size:
        return 0.0
    over = lab[rows - _RIM_MARGIN_PX, columns, 0] - lab[rows + _RIM_MARGIN_PX, columns, 0]
    return float((over > 3).mean())


def _is_layered(lab: Lab, part: Bool2D) -> bool:
    field = smooth_field(lab, part)[0]
    down = np.linalg.norm(field[-1, 0] - field[0, 0])
    across = np.linalg.norm(field[0, -1] - field[0, 0])
    return bool(down > _LAYERED * across and down > 20)


def _is_level(part: Bool2D) -> bool:
    rows, columns = lower_rim(part, 1)
    whole = np.unique(columns).size > 0.9 * part.shape[1]
    return bool(whole and np.std(rows) < _LEVEL * part.shape[0])


def _inner(part: Bool2D) -> Bool2D:
    """Its pixels away from its rim; the picture's edge is no rim."""
    return cv2.erode(part.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1) > 0
