"""Masks of what a network of photographs sees: cut out in several ways, and looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from editanything.cuts import tidy
from editanything.grounders.base import Selecting
from editanything.grounders.rims import cut_out, reduced
from editanything.grounders.shown import (
    Floats,
    Part,
    box_at,
    in_place,
    outward,
    shows_alone,
    sureness,
    surroundings,
)
from editanything.salient import Salient
from editanything.types import Bool2D, Mask, Selection

#: A mask is taken where it is this sure (`sureness`). This and what follows was chosen on
#: photographs that come with packages: docs/experiments.md.
SURE = 0.35
#: Soft IoU of a mask and the map of likely places, and the map's mean in it: with less it holds
#: other things too.
_LEAST_FIT, _LEAST_MEAN = 0.3, 0.5
_LEAST_OUT = 0.25  # of the map's mean in what stands out, for that to be looked at
_FIT = 0.5  # the share of these two in the choice among masks
#: The map is cut at these shares of its highest value; what is around it there is a box.
_LEVELS = (0.6, 0.4, 0.25, 0.12)
_SURELY, _LIKELY, _POSSIBLY = 0.8, 0.35, 0.06  # of the highest value, for the cut by colours
_CUT_PX = 320
_AS_SURE = 0.85  # of the surest box: a smaller one that is nearly so will do
#: Beside a mask so many colours are told apart, by so many pixels; it is trimmed with no fewer.
_PALETTE, _PALETTE_PX, _LEAST_RING_PX = 8, 5000, 200
#: What goes shows the thing no more likely than this; what stays, by this share of before.
_NOTHING, _TRIMMED = 0.2, 0.4
_TELLING = 0.2  # a mask that is less sure in its place tells nothing


def outlined(part: Part, ids: Sequence[int]) -> Mask | None:
    """The likeliest thing: of the masks that are sure, the surest that fits the map; None: none."""
    heat = part.view.heat(ids)
    heat = heat / max(float(heat.max()), 1e-6)
    best: tuple[float, Mask] | None = None
    for mask in _masks(part, heat, ids):
        small = part.small(mask)
        if not small.any():
            continue
        over = cv2.resize(heat, small.shape[::-1])
        fit = float(over[small].sum() / np.maximum(over, small).sum())
        mean = float(over[small].mean())
        if fit < _LEAST_FIT or mean < _LEAST_MEAN:
            continue
        sure = sureness(part.view.picture, small, ids)
        worth = sure + _FIT * (fit + mean)
        if sure >= SURE and (best is None or worth > best[0]):
            best = worth, mask
    return best and trimmed(part, best[1], ids)


def trimmed(part: Part, mask: Mask, ids: Sequence[int]) -> Mask:
    """A mask without what is coloured as what lies beside it, and shows nothing of the thing."""
    picture, small = part.view.picture, part.small(mask)
    where = surroundings(small)
    lab = cv2.cvtColor(picture[where].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    inside, ring = small[where], ~small[where]
    if ring.sum() < _LEAST_RING_PX:
        return mask
    beside = lab[ring][:: max(1, int(ring.sum()) // _PALETTE_PX)]
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 10, 1.0)
    _, _, palette = cv2.kmeans(beside, _PALETTE, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    unlike = np.min([np.linalg.norm(lab - colour, axis=2) for colour in palette], axis=0)
    grey = np.minimum(unlike, 255).astype(np.uint8)
    level, _ = cv2.threshold(grey[inside], 0, 255, cv2.THRESH_OTSU)
    kept = cut_out(
        picture[where], sure=np.zeros_like(inside), likely=inside & (grey > level), possible=inside
    )
    opened = cv2.morphologyEx(kept.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    new = np.zeros_like(small)
    new[where] = tidy(opened > 0)
    gone = small & ~new
    if not (new.any() and gone.any()) or max(shows_alone(picture, gone, ids)) > _NOTHING:
        return mask
    before = in_place(picture, small, ids)
    if before < _TELLING or in_place(picture, new, ids) < _TRIMMED * before:
        return mask
    return part.whole(new)


def _masks(part: Part, heat: Floats, ids: Sequence[int]) -> Iterator[Mask]:
    """Masks of the thing at the highest place of the map.

    By colours, by what stands out of the part, and by the segmenter. That is asked about the box
    of what stands out and two others, since it takes seconds for many: the smallest of those
    around the map's levels without which (next to) no such thing is left, and the next smaller one.
    """
    picture = part.view.picture
    small = reduced(picture, _CUT_PX)
    over = cv2.resize(heat, small.shape[1::-1])
    found = cut_out(small, sure=over > _SURELY, likely=over > _LIKELY, possible=over > _POSSIBLY)
    kept = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    if kept.any():
        yield part.whole(kept)
    out = Salient.of(picture).thing()
    stands_out = out.any() and float(cv2.resize(heat, out.shape[::-1])[out].mean()) >= _LEAST_OUT
    if stands_out:
        yield part.whole(out)
    if isinstance(part.seen, Selecting):
        boxes = [box_at(heat, level) for level in _LEVELS]
        sure = [sureness(picture, _filled(box, picture.shape[:2]), ids) for box in boxes]
        best = next(i for i, s in enumerate(sure) if s >= _AS_SURE * max(sure))
        boxes = boxes[max(0, best - 1) : best + 1]
        if stands_out:
            boxes.append(_around_all(out))
        for box in dict.fromkeys(part.across(box) for box in boxes):
            yield part.seen.select(Selection(boxes=(box,)))


def _around_all(mask: Bool2D) -> tuple[float, ...]:
    """The tight box of a mask, as shares of its sides."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = mask.shape
    ends = (xs[0] / width, ys[0] / height, (xs[-1] + 1) / width, (ys[-1] + 1) / height)
    return tuple(float(end) for end in ends)


def _filled(box: tuple[float, ...], shape: tuple[int, int]) -> Bool2D:
    x0, y0, x1, y1 = outward(box, shape)
    out = np.zeros(shape, bool)
    out[y0:y1, x0:x1] = True
    return out
