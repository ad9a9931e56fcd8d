"""Nearest-neighbour fields between patches, all pixels at once (PatchMatch in NumPy).

A field says for each patch of the picture that touches the hole from which whole patch of the
known picture it is to be taken. Patches are compared through a short descriptor: the low
frequencies of the patch in an orthonormal cosine basis, so that squared distances between
descriptors are squared distances between (slightly smoothed) patches. Everything is updated in
the manner of Jacobi, each pixel from the state before, so the result does not depend on an order.

Sources: Barnes et al., PatchMatch (2009); Wexler, Shechtman, Irani, Space-Time Completion of
Video (2007); Newson et al., Video Inpainting of Complex Scenes (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.progress import Progress, report
from editanything.types import Bool2D

Float = NDArray[np.float32]
Index = NDArray[np.int64]  # flat pixel indices into a level

NUM_LUMA = 5  # cosine waves u + v < NUM_LUMA of the luma: 15 numbers
NUM_CHROMA = 2  # and of either chroma: 3 numbers
TEXTURE_WEIGHT = 4.0
MEAN_WEIGHT = 0.7  # shading is corrected at the end, so a patch of another mean is forgiven
POSITION_WEIGHT = 60.0
NARROWER = 0.3
CONFIDENCE_BASE = 1.2  # a patch counts so many times less per pixel away from the rim
CHUNK = 4096  # descriptors compared at a time: what the cache holds


@dataclass(frozen=True, eq=False)
class Level:
    """One scale of the picture."""

    image: Float  # (h, w, 5): RGB 0..255, and the mean strength of horizontal, vertical texture
    hole: Bool2D  # (h, w)
    usable: Bool2D  # (h, w): pixels that may be copied
    radius_px: int  # patches are 2 r + 1 wide

    @cached_property
    def width(self) -> int:
        """Pixels per row."""
        return self.hole.shape[1]

    @cached_property
    def inside(self) -> Bool2D:
        """Centres of patches that lie within the frame."""
        h, w = self.hole.shape
        r = self.radius_px
        out = np.zeros((h, w), bool)
        out[r : h - r, r : w - r] = True
        return out

    @cached_property
    def centres(self) -> Bool2D:
        """Centres of patches that may be copied."""
        side = 2 * self.radius_px + 1
        whole = cv2.erode(self.usable.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        return whole & self.inside

    @cached_property
    def flat_centres(self) -> Bool2D:
        """`centres`, flat."""
        return self.centres.ravel()

    @cached_property
    def sources(self) -> Index:
        """Flat indices of `centres`."""
        return np.flatnonzero(self.centres)

    @cached_property
    def targets(self) -> Index:
        """Flat indices of the centres of all patches that touch the hole."""
        side = 2 * self.radius_px + 1
        touched = cv2.dilate(self.hole.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        return np.flatnonzero(touched & self.inside)

    @cached_property
    def hole_pixels(self) -> Index:
        """Flat indices of the hole."""
        return np.flatnonzero(self.hole)

    @cached_property
    def depth_px(self) -> Float:
        """Distance of each pixel to what is known, (h, w)."""
        return cv2.distanceTransform(self.hole.astype(np.uint8), cv2.DIST_L2, 5)

    @cached_property
    def steps(self) -> list[int]:
        """Flat steps from a patch's centre to its pixels."""
        r = self.radius_px
        return [dy * self.width + dx for dy in range(-r, r + 1) for dx in range(-r, r + 1)]


@dataclass(frozen=True, eq=False)
class Field:
    """For each target of a level the flat index of its source, and their squared distance."""

    source: Index  # (n,)
    distance: Float  # (n,)


def cosine_kernels(radius_px: int) -> list[Float]:
    """The orthonormal cosine basis on a window: (2 r + 1) arrays (2 r + 1, 1)."""
    side = 2 * radius_px + 1
    x = np.arange(side)
    waves = [np.cos(np.pi * (x + 0.5) * u / side) for u in range(side)]
    return [(wave / np.sqrt((wave * wave).sum())).astype(np.float32)[:, None] for wave in waves]


def descriptors(image: Float, radius_px: int, origin: tuple[int, int], scale_px: int) -> Float:
    """Descriptors of all patches of `image`, (h * w, k).

    Args:
        image: (h, w, 5) as in `Level.image`.
        radius_px: patches are 2 r + 1 wide.
        origin: (y, x) of the image's first pixel within its level.
        scale_px: the level's longer side; positions are counted in its parts.
    """
    r, g, b = image[..., 0], image[..., 1], image[..., 2]
    luma = (r + g + b) * np.float32(1 / np.sqrt(3))
    chroma = (r - b) * np.float32(np.sqrt(0.5)), (r - 2 * g + b) * np.float32(np.sqrt(1 / 6))
    kernels = cosine_kernels(radius_px)
    h, w = luma.shape
    plan = [
        (plane, u, v)
        for plane, num in ((luma, NUM_LUMA), (chroma[0], NUM_CHROMA), (chroma[1], NUM_CHROMA))
        for u in range(min(num, len(kernels)))
        for v in range(min(num - u, len(kernels)))
    ]
    out = np.empty((h, w, len(plan) + 4), np.float32)
    for k, (plane, u, v) in enumerate(plan):
        # cv2 keeps float32 sums in a fixed order per pixel: the same on any number of threads
        wave = cv2.sepFilter2D(plane, -1, kernels[u], kernels[v], borderType=cv2.BORDER_REFLECT)
        out[..., k] = wave if u + v else wave * np.float32(MEAN_WEIGHT)
    side = (2 * radius_px + 1,) * 2
    for k in (3, 4):
        mean = cv2.blur(image[..., k], side, borderType=cv2.BORDER_REFLECT)
        out[..., k - 5] = mean * np.float32(TEXTURE_WEIGHT * side[0])
    out[..., -4] = (np.arange(h, dtype=np.float32)[:, None] + origin[0]) * (
        POSITION_WEIGHT / scale_px
    )
    out[..., -3] = (np.arange(w, dtype=np.float32)[None] + origin[1]) * (POSITION_WEIGHT / scale_px)
    return out.reshape(h * w, -1)


def squared_distances(targets: Float, sources: Float, source: Index) -> Float:
    """`||targets[i] - sources[source[i]]||^2` for each i."""
    out = np.empty(len(source), np.float32)
    for start in range(0, len(source), CHUNK):
        part = slice(start, start + CHUNK)
        difference = sources.take(source[part], axis=0)
        difference -= targets[part]
        np.einsum("ij,ij->i", difference, difference, out=out[part])
    return out


def nearest(level: Level, targets: Float, sources: Float) -> Field:
    """The best source of every target, by comparing them all."""
    choice = level.sources
    rows = max(1, 4_000_000 // len(choice))
    found, distance = [], []
    known = sources.take(choice, axis=0)
    for start in range(0, len(targets), rows):
        d, i = cv2.batchDistance(
            targets[start : start + rows], known, cv2.CV_32F, normType=cv2.NORM_L2SQR, K=1
        )
        found.append(choice[i[:, 0]])
        distance.append(d[:, 0])
    return Field(np.concatenate(found), np.concatenate(distance))


@dataclass(eq=False)
class _Search:
    """One search in progress: the state that candidates improve."""

    level: Level
    targets: Float
    sources: Float
    source: Index
    distance: Float

    def offer(self, candidate: Index) -> None:
        """Take each candidate that is a usable source and better than the present one."""
        candidate = np.clip(candidate, 0, self.level.hole.size - 1)
        new = np.flatnonzero(self.level.flat_centres[candidate] & (candidate != self.source))
        for start in range(0, len(new), CHUNK):
            i = new[start : start + CHUNK]
            c = candidate[i]
            difference = self.sources.take(c, axis=0)
            difference -= self.targets.take(i, axis=0)
            d = np.einsum("ij,ij->i", difference, difference)
            better = d < self.distance[i]
            self.source[i[better]] = c[better]
            self.distance[i[better]] = d[better]


def search(
    level: Level,
    targets: Float,
    sources: Float,
    start: Index,
    *,
    rng: np.random.Generator,
    jumps_px: tuple[int, ...],
    reach_px: int,
    progress: Progress | None = None,
) -> Field:
    """Improve a field by PatchMatch: neighbours' shifts, then random tries.

    Args:
        level: the scale that is worked at.
        targets: (n, k) descriptors of `level.targets`.
        sources: (h * w, k) descriptors of the level's pixels.
        start: (n,) flat sources to begin with, each of them usable.
        rng: where the random tries come from.
        jumps_px: how far away the neighbours are whose shift is tried, one pass each.
        reach_px: the first random window; it is halved down to one pixel.
        progress: told after every pass over the targets.
    """
    state = _Search(
        level, targets, sources, start.copy(), squared_distances(targets, sources, start)
    )
    here, width = level.targets, level.width
    plane = np.full(level.hole.size, -1, np.int64)
    for turn, jump in enumerate(jumps_px):
        for step in (jump, -jump, jump * width, -jump * width):
            plane[here] = state.source
            neighbour = plane[np.clip(here + step, 0, plane.size - 1)]
            state.offer(np.where(neighbour < 0, -1, neighbour - step))
            report(progress, turn / (len(jumps_px) + 1), "matching texture")
    state.offer(level.sources[rng.integers(0, len(level.sources), len(here))])
    reach = reach_px
    while reach >= 1:
        dy, dx = rng.integers(-reach, reach + 1, (2, len(here)))
        state.offer(state.source + dy * width + dx)
        report(progress, len(jumps_px) / (len(jumps_px) + 1), "matching texture")
        reach //= 2
    return Field(state.source, state.distance)


def vote_weights(level: Level, field: Field) -> Float:
    """How much each target's patch says about its pixels: alike patches near the rim most.

    The likeness is eq. 4 of Wexler et al.; their sigma^2, the 75th percentile of the distances,
    is made narrower, so that fewer patches are averaged and less texture is lost.
    """
    variance = np.float32(NARROWER * np.percentile(field.distance, 75) + 1e-3)
    near = np.maximum(level.depth_px.ravel()[level.targets] - level.radius_px, 0)
    confidence = np.power(np.float32(CONFIDENCE_BASE), -np.minimum(near, 60))
    return np.asarray(np.exp(-field.distance / (2 * variance)) * confidence + 1e-9, np.float32)


def covered(level: Level, plane: Index) -> NDArray[np.bool_]:
    """Which hole pixels some patch with a source lies over, (m,); `plane` is (h * w,), -1 none."""
    side = 2 * level.radius_px + 1
    has = (plane >= 0).reshape(level.hole.shape).astype(np.uint8)
    return cv2.dilate(has, np.ones((side, side), np.uint8)).ravel()[level.hole_pixels] > 0


def vote(level: Level, plane: Index, weight: Float) -> Float:
    """The mean of what all patches over a hole pixel say of it, (m, c); Wexler's eq. 5.

    Args:
        level: the scale.
        plane: (h * w,) flat source of the patch around each pixel.
        weight: (h * w,) of that patch; 0 where there is none.
    """
    pixels = level.hole_pixels
    flat = level.image.reshape(-1, level.image.shape[2])
    total = np.zeros((len(pixels), flat.shape[1]), np.float32)
    norm = np.zeros(len(pixels), np.float32)
    for step in level.steps:
        centre = np.clip(pixels - step, 0, plane.size - 1)
        w = weight[centre]
        total += w[:, None] * flat.take(np.clip(plane[centre] + step, 0, plane.size - 1), axis=0)
        norm += w
    total /= np.maximum(norm, 1e-30)[:, None]
    return total


def best_copy(level: Level, field: Field) -> Index:
    """For each hole pixel the known pixel that its best patch says, (m,) flat; no averaging."""
    pixels = level.hole_pixels
    source = np.zeros(level.hole.size, np.int64)
    distance = np.full(level.hole.size, np.inf, np.float32)
    source[level.targets], distance[level.targets] = field.source, field.distance
    best = np.full(len(pixels), np.inf, np.float32)
    out = np.zeros(len(pixels), np.int64)
    for step in level.steps:
        centre = np.clip(pixels - step, 0, source.size - 1)
        d = distance[centre]
        better = d < best
        best = np.where(better, d, best)
        out = np.where(better, source[centre] + step, out)
    return out
