"""Move, duplicate, resize, rotate, flip: lift the target, heal the hole, set it down elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical.around import fill_around
from editanything.backends.classical.fill import QUICK
from editanything.backends.classical.matte import Matte, lift, without_hidden
from editanything.backends.classical.oklab import to_bytes
from editanything.backends.classical.relight import relit
from editanything.progress import Progress, part_of_progress, report
from editanything.types import Bool2D, Box, Float2D, Painted, Task

_COVERS = 0.5  # alpha from which on a pixel is the thing's

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]  # (2, 3)


@dataclass(frozen=True, eq=False)
class Layer:
    """Something to be set down: a box of the picture, how much it covers, and its colours."""

    box: Box
    alpha: Float2D  # (h, w): of its matte and the file's transparency together
    colour: Floats  # (h, w, 3), levels 0..255; goes on past the rim

    @classmethod
    def of(cls, matte: Matte, opacity: NDArray[np.uint8] | None) -> Layer:
        """The lifted object, with the file's transparency where it has any."""
        if opacity is None:
            return cls(matte.box, matte.alpha, matte.foreground)
        x0, y0, x1, y1 = matte.box
        sheer = opacity[y0:y1, x0:x1].astype(np.float32) / np.float32(255)
        alpha = matte.alpha * sheer
        return cls(matte.box, alpha, without_hidden(matte.foreground, sheer, alpha))


def place(task: Task, progress: Progress | None = None) -> Painted:
    """Set `task.target` down where `params["matrix"]` says.

    The matrix (2x3) maps pixel centres of the crop: (x', y') = M (x, y, 1). With
    `params["fill_source"]` the old place is healed first. A whole-pixel shift, a flip or a quarter
    turn copies the object's pixels exactly.
    """
    if not task.target.any():
        return Painted(task.image, task.opacity)
    report(progress, 0.0, "lifting the object")
    matte = lift(task.image, task.target)
    layer = Layer.of(matte, task.opacity)
    base = Painted(task.image, task.opacity)
    if task.params["fill_source"]:
        hole = (matte.full_alpha(task.target.shape) > 0) | task.target
        base = healed(task, hole, part_of_progress(progress, 0.1, 0.9))
    report(progress, 0.9, "setting the object down")
    placed = warped(layer, task.params["matrix"], task.target.shape)
    matrix = np.asarray(task.params["matrix"], np.float64)
    below = mirrored(task, shaded(task, base), layer, placed, matrix)
    return landed(set_down(spared(task, below), placed), placed)


def healed(task: Task, hole: Bool2D, progress: Progress | None) -> Painted:
    """The crop with `hole`, and the effects that go along, filled from what is around it.

    A shadow that goes along is lit instead, where that comes out well.
    """
    image = task.image
    sources = np.ones(hole.shape, bool) if task.keep is None else ~task.keep
    if task.hole is not None and task.hole.any():
        known = sources if task.others is None else sources & ~task.others
        lit = relit(image, task.hole & ~hole, known & ~hole & ~task.hole)
        image, hole = lit.image, hole | (task.hole & ~lit.done)
    return fill_around(
        replace(task, image=image), hole, sources=sources & ~hole, effort=QUICK, progress=progress
    )


def shaded(task: Task, base: Painted) -> Painted:
    """`base` with the step's shadow on it: every level times exp(-drop), as much as it covers."""
    if task.shade is None or not task.shade.any():
        return base
    drop = np.asarray(task.params["drop"], np.float32)
    factor = 1.0 - task.shade[..., None] * (1.0 - np.exp(-drop))
    return Painted(to_bytes(base.image * factor), base.opacity)


def spared(task: Task, base: Painted) -> Painted:
    """`base` with the other things as they are: no fill, shadow or mirror image lies on them."""
    if task.others is None or not task.others.any():
        return base
    image = np.where(task.others[..., None], task.image, base.image)
    if base.opacity is None or task.opacity is None:
        return Painted(image, base.opacity)
    return Painted(image, np.where(task.others, task.opacity, base.opacity))


def mirrored(
    task: Task, base: Painted, layer: Layer, placed: Layer | None, matrix: Matrix
) -> Painted:
    """`base` with the mirror image of what is set down, below its foot, fainter with depth.

    `params["mirror"]` is (strength, height per height of the thing); `matrix` (2x3) sets `layer`
    down as `placed`.
    """
    if placed is None or "mirror" not in task.params:
        return base
    strength, factor = (float(v) for v in task.params["mirror"])
    # Of something translucent no pixel may cover half.
    rows = np.flatnonzero((placed.alpha >= 0.5 * placed.alpha.max()).any(1))
    if not rows.size:
        return base
    top, foot = placed.box[1] + rows[0], placed.box[1] + rows[-1] + 0.5
    flip = np.array([[1, 0, 0], [0, -factor, foot * (1 + factor)], [0, 0, 1]])
    whole = np.vstack([matrix, [0, 0, 1]])
    image = warped(layer, (flip @ whole)[:2], task.target.shape)
    if image is None:
        return base
    depth = np.arange(image.box[1], image.box[3]) - foot
    fade = strength * np.clip(1 - 0.3 * depth / max(foot - top, 1.0), 0.4, 1)
    fade[depth < 0] = 0
    alpha = (image.alpha * fade[:, None]).astype(np.float32)
    return set_down(base, Layer(image.box, alpha, image.colour))


def landed(painted: Painted, layer: Layer | None) -> Painted:
    """`painted`, told where the thing lies: the pixels that `layer`, set down last, covers."""
    lies = np.zeros(painted.image.shape[:2], bool)
    if layer is not None:
        x0, y0, x1, y1 = layer.box
        lies[y0:y1, x0:x1] = layer.alpha >= _COVERS
    return replace(painted, landed=lies)


def set_down(base: Painted, layer: Layer | None) -> Painted:
    """`base` with `layer` over it (Porter & Duff 1984): what shows through it is not erased."""
    if layer is None:
        return base
    x0, y0, x1, y1 = layer.box
    image = base.image.copy()
    under = image[y0:y1, x0:x1]
    if base.opacity is None:
        image[y0:y1, x0:x1] = to_bytes(under + layer.alpha[..., None] * (layer.colour - under))
        return Painted(image)
    opacity = base.opacity.copy()
    below = opacity[y0:y1, x0:x1].astype(np.float32) / np.float32(255)
    # In this order of terms an opaque ground gives exactly 1, a transparent one exactly alpha.
    covered = below + layer.alpha * (1 - below)
    share = layer.alpha / np.where(covered > 0, covered, 1)
    image[y0:y1, x0:x1] = to_bytes(under + share[..., None] * (layer.colour - under))
    opacity[y0:y1, x0:x1] = to_bytes(255 * covered)
    return Painted(image, opacity)


def warped(layer: Layer, matrix: object, shape: tuple[int, int]) -> Layer | None:
    """`layer` mapped by `matrix` (2x3, pixel centres) into a picture of `shape` = (H, W).

    None where nothing of it falls inside.
    """
    m = np.asarray(matrix, np.float64)
    assert m.shape == (2, 3), m.shape
    box = _box_after(layer.box, m, shape)
    if box is None:
        return None
    # The same map between the two boxes' own coordinates.
    local = m.copy()
    local[:, 2] += m[:, :2] @ np.array(layer.box[:2]) - np.array(box[:2])
    size = (box[2] - box[0], box[3] - box[1])
    turns = np.round(local)
    exact = bool(np.abs(local - turns).max() < 1e-6 and np.abs(turns[:, :2]).sum(0).max() == 1)
    warp = _copied if exact else _resampled
    local = turns if exact else local
    alpha = warp(layer.alpha, local, size, outside=0.0)
    if not exact and _finest(local) < 1.0:
        # Where pixels are averaged, those of the object count: not what shows beyond its rim.
        colour = warp(layer.colour * layer.alpha[..., None], local, size, outside=None)
        colour /= np.maximum(alpha, np.float32(1e-3))[..., None]
    else:
        colour = warp(layer.colour, local, size, outside=None)
    return Layer(box, np.clip(alpha, 0.0, 1.0), np.clip(colour, 0.0, 255.0))


def _box_after(box: Box, m: Matrix, shape: tuple[int, int]) -> Box | None:
    """The box around the mapped `box`, inside the picture."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, x0, x1 - 1, x1 - 1], [y0, y1 - 1, y0, y1 - 1], [1, 1, 1, 1]])
    low = np.floor((m @ corners).min(1) + 1e-6).astype(int) - 1
    high = np.ceil((m @ corners).max(1) - 1e-6).astype(int) + 2
    a0, b0 = max(0, low[0]), max(0, low[1])
    a1, b1 = min(shape[1], high[0]), min(shape[0], high[1])
    return (int(a0), int(b0), int(a1), int(b1)) if a0 < a1 and b0 < b1 else None


def _finest(m: Matrix) -> float:
    """By how much a map shrinks things where it shrinks them most (below 1), or stretches them."""
    return float(np.linalg.svd(m[:, :2], compute_uv=False)[-1])


def _copied(plane: Floats, m: Matrix, size: tuple[int, int], *, outside: float | None) -> Floats:
    """A warp that only moves whole pixels about."""
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(
        plane, m, size, flags=cv2.INTER_NEAREST, borderMode=border, borderValue=outside or 0.0
    )


def _resampled(plane: Floats, m: Matrix, size: tuple[int, int], *, outside: float | None) -> Floats:
    """A cubic warp; where it shrinks, several samples a pixel are averaged, so nothing aliases."""
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    n = int(np.clip(np.ceil(1.0 / max(_finest(m), 1e-6) - 0.05), 1, 16))
    # Pixel (x, y) of the result is the mean of the n x n fine pixels n x + 0 ... n x + n - 1,
    # whose centres lie around (n x + (n - 1) / 2).
    fine = m * n
    fine[:, 2] += (n - 1) / 2
    big = cv2.warpAffine(
        plane,
        fine,
        (size[0] * n, size[1] * n),
        flags=cv2.INTER_CUBIC,
        borderMode=border,
        borderValue=outside or 0.0,
    )
    return big if n == 1 else cv2.resize(big, size, interpolation=cv2.INTER_AREA)
