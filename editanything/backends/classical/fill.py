"""Hole filling: what a picture would show where something is taken out, from the picture itself.

From coarse to fine (Wexler, Shechtman, Irani 2007; Newson et al. 2014): at the coarsest scale the
hole is closed from its rim inwards with whole patches; at each scale patches are matched
(patchmatch.py) and the hole is repainted in turn. At the finest scale every pixel is a copy of one
known pixel, so texture stays sharp, and a Poisson equation (poisson.py) makes seams and shading
continuous.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical import patchmatch as pm
from editanything.backends.classical import poisson
from editanything.backends.classical.onion import peel
from editanything.errors import InputError
from editanything.progress import Progress, part_of_progress, report, show
from editanything.types import RGB, Bool2D, Painted

RADIUS_PX = 3
COARSEST_DEPTH_PX = 10.0  # the deepest hole pixel at the coarsest scale is about this far inside
COARSEST_SIDE_PX = 24
FEWEST_SOURCES = 40
SEAM_LIMIT = 64.0  # grey levels
ROUNDS = (2, 3, 4, 6, 8, 10)  # at full size, half, a quarter, ...
JUMPS_PX = (1, 2, 5)  # how far away the neighbours are whose shift is tried
REACH_PX = 32
PLAINER = 0.9  # a membrane's field is taken only where it matches better than this
SHADE_LIMITS = 48.0, 10.0  # grey levels deep inside a hole: of light, of colour
RIM_PX = 12.0  # how soon the limits come in
SHADING_REACH = 8.0  # of the hole's depth: how far the rim's shading is felt


@dataclass(frozen=True)
class Effort:
    """How much work a hole is worth.

    Attributes:
        matched_px: a larger crop is matched at half its resolution, or a quarter, ..., and copied
            at full; less is coarser in structure, not in grain.
        exact_pairs: as many pairs of patches, or fewer, are compared exhaustively.
    """

    matched_px: int = 1_300_000
    exact_pairs: int = 30_000_000


THOROUGH, QUICK = Effort(), Effort(matched_px=120_000, exact_pairs=4_000_000)


def fill(
    image: RGB,
    hole: Bool2D,
    *,
    sources: Bool2D | None = None,
    seed: int = 0,
    opacity: NDArray[np.uint8] | None = None,
    effort: Effort = THOROUGH,
    progress: Progress | None = None,
) -> Painted:
    """Paint the hole with what the rest of the picture suggests.

    Args:
        image: (h, w, 3) a crop with context.
        hole: (h, w) pixels to be made; may touch the border and have several parts.
        sources: (h, w) pixels that may be copied; default all outside the hole.
        seed: drives the random tries. In small crops all patches are compared, without any
            tries, so that every seed gives the same picture.
        opacity: (h, w) a transparency that is to be filled likewise.
        effort: `QUICK` takes about half the time of `THOROUGH`.
        progress: told after every pass over the hole; answering False cancels.

    Returns:
        The crop with its hole filled; all other pixels are as they were.

    Raises:
        InputError: the hole covers everything, or nothing may be copied.
        Cancelled: the progress callback asked to stop.
    """
    assert image.dtype == np.uint8, image.dtype
    assert image.shape[:2] == hole.shape, (image.shape, hole.shape)
    usable = ~hole if sources is None else sources & ~hole
    if hole.all():
        raise InputError(
            "The area to fill covers the whole picture, so nothing is left to fill it from; "
            "choose a smaller area."
        )
    if not usable.any():
        raise InputError(
            "Nothing outside the area to fill may be used as material; allow some of the picture."
        )
    out = image.copy()
    alpha = None if opacity is None else opacity.copy()
    if hole.any():
        report(progress, 0.0, "looking for matching texture")
        part = part_of_progress(progress, 0.0, 0.9)
        source = match(image, hole, usable, seed, part, effort=effort)
        out[hole] = compose(image, hole, source, part_of_progress(progress, 0.9, 1.0))[hole]
        if alpha is not None:
            alpha = alpha.ravel()[source]
    report(progress, 1.0, "hole filled")
    return Painted(out, alpha)


def compose(image: RGB, hole: Bool2D, source: NDArray[np.int64], progress: Progress | None) -> RGB:
    """The picture copied from `source` (h, w), its seams and shading made continuous."""
    report(progress, 0.0, "blending")
    copied = image.reshape(-1, 3)[source].astype(np.float32)
    divergence = poisson.seam_divergence(copied, source, hole, SEAM_LIMIT)
    depth_px = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    report(progress, 0.3, "blending")
    shade = poisson.correction(
        divergence,
        hole,
        reach_px=max(8.0, float(depth_px.max()) * SHADING_REACH),
        progress=part_of_progress(progress, 0.3, 1.0),
    )
    shade = bounded(shade, depth_px)
    return np.clip(np.rint(copied + shade), 0, 255).astype(np.uint8)


def bounded(shade: NDArray[np.float32], depth_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """A shading that may be anything at the rim, and little of a colour deep inside.

    The seams of a very large hole add up: without a bound its middle drifts to rainbow colours.
    """
    near = np.exp(-depth_px / np.float32(RIM_PX))[..., None]
    grey = shade.mean(axis=2, keepdims=True)
    most_light, most_colour = (np.float32(v) + 255 * near for v in SHADE_LIMITS)
    return np.clip(grey, -most_light, most_light) + np.clip(shade - grey, -most_colour, most_colour)


def match(
    image: RGB,
    hole: Bool2D,
    usable: Bool2D,
    seed: int,
    progress: Progress | None,
    *,
    effort: Effort = THOROUGH,
) -> NDArray[np.int64]:
    """For each pixel the flat index of the pixel to copy, (h, w); known pixels are themselves."""
    rng = np.random.default_rng(seed)
    scales = pyramid(image, hole, usable)
    finest = next(
        (k for k, s in enumerate(scales) if s.hole.size <= effort.matched_px), len(scales) - 1
    )
    rounds = [ROUNDS[min(k, len(ROUNDS) - 1)] for k in range(len(scales))]
    work = np.array([n * (len(s.targets) + 3000.0) for n, s in zip(rounds, scales, strict=True)])
    work[:finest] = 0
    done = 1.0 - np.cumsum(work) / work.sum()  # share before scale k is begun
    below, field = scales[-1], None
    for k in range(len(scales) - 1, finest - 1, -1):
        level = scales[k]
        part = part_of_progress(progress, done[k], done[k] + work[k] / work.sum())
        if field is None:
            field = closed(level, rounds[k], rng, part, effort.exact_pairs)
        else:
            painted, start = begin(level, below, field, rng)
            _show_level(part, painted, image, hole)
            field = refine(level, painted, start, rounds[k], rng, part, effort.exact_pairs)
        below = level
    assert field is not None
    return spread(level, pm.best_copy(level, field), 2**finest, hole, usable)


def pyramid(image: RGB, hole: Bool2D, usable: Bool2D) -> list[pm.Level]:
    """The picture at full size, half, a quarter, ..., down to where the hole is shallow."""
    h, w = hole.shape
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    planes = np.empty((h, w, 5), np.float32)
    planes[..., :3] = image
    known = ~hole
    for k, axis in ((3, 1), (4, 0)):
        step, whole = np.abs(np.diff(luma, axis=axis)), np.ones((h, w), bool)
        pad = ((0, 0), (0, 1)) if axis == 1 else ((0, 1), (0, 0))
        whole = known & np.roll(known, -1, axis)
        planes[..., k] = np.where(whole, np.pad(step, pad), 0)
    radius_px = next(
        (
            r
            for r in range(RADIUS_PX, 0, -1)
            if len(pm.Level(planes, hole, usable, r).sources) >= FEWEST_SOURCES
        ),
        0,
    )
    levels = [pm.Level(planes, hole, usable, radius_px)]
    while levels[-1].depth_px.max() > COARSEST_DEPTH_PX:
        level = halved(levels[-1])
        if min(level.hole.shape) < COARSEST_SIDE_PX or len(level.sources) < FEWEST_SOURCES:
            break
        levels.append(level)
    return levels


def halved(level: pm.Level) -> pm.Level:
    """The next coarser scale; a pixel is known if half of its four are, usable if all are."""
    h, w = level.hole.shape
    pad = ((0, h % 2), (0, w % 2))
    known = np.pad(~level.hole, pad, mode="edge").astype(np.float32)
    usable = np.pad(level.usable, pad).astype(np.float32)
    image = np.pad(level.image, (*pad, (0, 0)), mode="edge") * known[..., None]
    size = (image.shape[1] // 2, image.shape[0] // 2)
    share, total = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (known, image))
    hole = share < 0.5
    whole = cv2.resize(usable, size, interpolation=cv2.INTER_AREA) > 0.99
    return pm.Level(
        total / np.maximum(share, 0.25)[..., None], hole, whole & ~hole, level.radius_px
    )


def closed(
    level: pm.Level,
    rounds: int,
    rng: np.random.Generator,
    progress: Progress | None,
    exact_pairs: int,
) -> pm.Field:
    """The coarsest scale's field, from the better of two beginnings.

    Closing from the rim carries on texture and lines, but may carry in half a face; a smooth
    membrane has no such things, but ends with plainer patches, which match more easily. It is
    taken where it matches better by more than that.
    """
    fields = []
    for turn in range(2):
        part = part_of_progress(progress, turn / 2, (turn + 1) / 2)
        if turn == 0:
            painted = level.image.copy()
            start = peel(level, painted, level.hole, rng, part_of_progress(part, 0.0, 0.1))[
                level.targets
            ]
        else:
            painted = poisson.membrane(level.image, level.hole)
            start = np.full(len(level.targets), -1, np.int64)
        part = part_of_progress(part, 0.1, 1.0)
        fields.append(
            refine(level, painted, or_chance(level, start, rng), rounds, rng, part, exact_pairs)
        )
    peeled, smooth = (float(field.distance.mean(dtype=np.float64)) for field in fields)
    return fields[1] if smooth < PLAINER * peeled else fields[0]


def or_chance(level: pm.Level, start: pm.Index, rng: np.random.Generator) -> pm.Index:
    """`start` with a random source wherever it has none (-1)."""
    chance = level.sources[rng.integers(0, len(level.sources), len(start))]
    return np.where(start < 0, chance, start)


def begin(
    level: pm.Level, below: pm.Level, field: pm.Field, rng: np.random.Generator
) -> tuple[pm.Float, pm.Index]:
    """The picture as first painted at a scale, and a source for each target.

    Takes over the field of the coarser scale where that has one; closes the rest from the rim.
    """
    plane = np.full(level.hole.size, -1, np.int64)
    plane[level.targets] = doubled(level, below, field)
    painted = level.image.copy()
    seen = pm.covered(level, plane)
    unknown = level.hole.copy()
    unknown.ravel()[level.hole_pixels[seen]] = False
    painted[level.hole & ~unknown] = pm.vote(level, plane, (plane >= 0).astype(np.float32))[seen]
    if unknown.any():
        peeled = peel(level, painted, unknown, rng)
        plane = np.where(plane < 0, peeled, plane)
    return painted, or_chance(level, plane[level.targets], rng)


def doubled(level: pm.Level, below: pm.Level, field: pm.Field) -> pm.Index:
    """The coarser field at this scale's targets; -1 where it has none that is usable."""
    plane = np.full(below.hole.size, -1, np.int64)
    plane[below.targets] = field.source
    y, x = np.divmod(level.targets, level.width)
    source = plane[(y // 2) * below.width + x // 2]
    sy, sx = np.divmod(source, below.width)
    sy, sx = 2 * sy + y % 2, 2 * sx + x % 2
    r = level.radius_px
    h, w = level.hole.shape
    at = np.clip(sy, r, h - 1 - r) * w + np.clip(sx, r, w - 1 - r)
    return np.where((source >= 0) & level.flat_centres[at], at, -1)


def refine(
    level: pm.Level,
    painted: pm.Float,
    start: pm.Index,
    rounds: int,
    rng: np.random.Generator,
    progress: Progress | None,
    exact_pairs: int,
) -> pm.Field:
    """Match and repaint in turn; ends with a match. `painted` is written to."""
    h, w = level.hole.shape
    scale_px = max(h, w)
    report(progress, 0.0, "describing texture")
    sources = pm.descriptors(level.image, level.radius_px, (0, 0), scale_px)
    ys, xs = np.nonzero(level.hole)
    m = 2 * level.radius_px
    y0, y1 = max(0, ys.min() - m), min(h, ys.max() + m + 1)
    x0, x1 = max(0, xs.min() - m), min(w, xs.max() + m + 1)
    ty, tx = np.divmod(level.targets, w)
    inside = (ty - y0) * (x1 - x0) + tx - x0
    exact = len(start) * len(level.sources) <= exact_pairs
    for turn in range(rounds):
        part = part_of_progress(progress, turn / rounds, (turn + 1) / rounds)
        report(part, 0.0, "matching texture")
        near = pm.descriptors(painted[y0:y1, x0:x1], level.radius_px, (y0, x0), scale_px)
        targets = near[inside]
        if exact:
            field = pm.nearest(level, targets, sources)
        else:
            field = pm.search(
                level,
                targets,
                sources,
                start,
                rng=rng,
                jumps_px=JUMPS_PX,
                reach_px=REACH_PX,
                progress=part,
            )
        start = field.source
        if turn < rounds - 1:
            report(part, 1.0, "painting texture")
            plane = np.zeros(level.hole.size, np.int64)
            plane[level.targets] = field.source
            weight = np.zeros(level.hole.size, np.float32)
            weight[level.targets] = pm.vote_weights(level, field)
            painted[level.hole] = pm.vote(level, plane, weight)
    return field


def _show_level(progress: Progress | None, painted: pm.Float, image: RGB, hole: Bool2D) -> None:
    """Show what a coarser scale is painted with, at full size."""

    def make() -> RGB:
        size = image.shape[1], image.shape[0]
        large = cv2.resize(np.clip(painted[..., :3], 0, 255), size).astype(np.uint8)
        return np.where(hole[..., None], large, image)

    show(progress, make)


def spread(
    level: pm.Level, source: pm.Index, scale: int, hole: Bool2D, usable: Bool2D
) -> NDArray[np.int64]:
    """The shifts of a scale's hole pixels at full size: for each pixel what to copy, (h, w)."""
    h, w = hole.shape
    shifts = np.zeros((2, *level.hole.shape), np.int64)
    there, here = np.divmod(source, level.width), np.divmod(level.hole_pixels, level.width)
    for axis in (0, 1):
        shifts[axis][level.hole] = (there[axis] - here[axis]) * scale
    y, x = np.nonzero(hole)
    shift = shifts[:, y // scale, x // scale]
    to_y, to_x = np.clip(y + shift[0], 0, h - 1), np.clip(x + shift[1], 0, w - 1)
    out = np.arange(h * w).reshape(h, w)
    out[y, x] = to_y * w + to_x
    bad = hole & ~usable.ravel()[out]
    if bad.any():  # rim pixels that belong to the hole at full size only: what their neighbour has
        out[bad] = out.ravel()[nearest_of(usable | (hole & ~bad))[bad]]
    return out


def nearest_of(there: Bool2D) -> NDArray[np.int64]:
    """For each pixel the flat index of the nearest one of `there`, (h, w)."""
    _, labels = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(int(labels.max()) + 1, np.int64)
    place[labels[there]] = np.flatnonzero(there)
    return place[labels]
