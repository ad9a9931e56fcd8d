"""A thing taken from another picture: aligned, lit like its new surroundings, blended in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from editanything.backends.classical.blend import Light, match_colour, seamless
from editanything.backends.classical.matte import box_of, lift, without_hidden
from editanything.backends.classical.place import (
    Layer,
    healed,
    landed,
    mirrored,
    set_down,
    shaded,
    spared,
    warped,
)
from editanything.errors import InputError
from editanything.masks import with_margin
from editanything.progress import Progress, part_of_progress, report
from editanything.types import Bool2D, Painted, Reference, Task


def transfer(task: Task, progress: Progress | None = None) -> Painted:
    """Set the reference's masked thing down where `params["matrix"]` says.

    The matrix (2x3) maps the reference's pixel centres to the crop's. With `params["mode"]` =
    "replace" the target is taken away first. `params["relight"]` in 0..1 (default 0.5): how far
    its light follows that of its new place; `params["blend"]`: "matte" (default) or "seamless".

    Raises:
        InputError: there is no reference, or its mask is empty.
    """
    reference = task.reference
    if reference is None or reference.mask.area == 0:
        raise InputError("There is nothing to take over: give a second picture and what is meant.")
    base = Painted(task.image, task.opacity)
    if task.params["mode"] == "replace" and task.target.any():
        base = without_target(task, part_of_progress(progress, 0.0, 0.7))
    report(progress, 0.7, "lifting the thing")
    layer = warped(lifted(reference), task.params["matrix"], task.target.shape)
    if layer is None:
        return base
    report(progress, 0.8, "lighting it like its place")
    layer = _relit(layer, base, reference, float(task.params.get("relight", 0.5)))
    if task.params.get("blend", "matte") == "seamless":
        report(progress, 0.9, "blending")
        layer = _dissolved(layer, base)
    # What is mirrored is the thing as it stands there, in that light.
    below = mirrored(task, shaded(task, base), layer, layer, np.eye(2, 3))
    return landed(set_down(spared(task, below), layer), layer)


def lifted(reference: Reference) -> Layer:
    """The reference's thing as a layer.

    Where the file's own transparency cuts the thing out, that is a better matte than any guess.
    """
    mask = reference.mask.full()
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if reference.opacity is None or reference.opacity[near].min() == 255:
        matte = lift(reference.image, mask)
        return Layer(matte.box, matte.alpha, matte.foreground)
    x0, y0, x1, y1 = box_of(near)
    sheer = np.where(near, reference.opacity, 0)[y0:y1, x0:x1]
    alpha = (sheer / 255.0).astype(np.float32)
    colour = reference.image[y0:y1, x0:x1].astype(np.float32)
    return Layer((x0, y0, x1, y1), alpha, without_hidden(colour, alpha, alpha))


def without_target(task: Task, progress: Progress | None) -> Painted:
    """The crop with the old thing removed, its mixed rim too."""
    rim = lift(task.image, task.target).full_alpha(task.target.shape) > 0
    return healed(task, rim | task.target, progress)


def _relit(layer: Layer, base: Painted, reference: Reference, strength: float) -> Layer:
    """The layer in the light of its new surroundings."""
    if strength <= 0.0:
        return layer
    there = Light.of(base.image[_surroundings(layer, base.image.shape[:2])])
    solid = reference.mask.full()
    around = ~solid if reference.opacity is None else ~solid & (reference.opacity == 255)
    # A picture's surroundings tell its light; a lone cut-out has but its own colours to compare.
    alone = np.count_nonzero(around) < np.count_nonzero(solid) // 4
    here = Light.of(reference.image[solid if alone else around])
    share = 0.5 * strength if alone else strength
    return replace(layer, colour=match_colour(layer.colour, here, there, share))


def _surroundings(layer: Layer, shape: tuple[int, ...]) -> Bool2D:
    """The part of the crop around a layer, or all of it where the layer leaves nothing."""
    x0, y0, x1, y1 = layer.box
    margin_px = max(8, (x1 - x0) // 2, (y1 - y0) // 2)
    a0, b0, a1, b1 = with_margin(layer.box, margin_px, (shape[0], shape[1]))
    around = np.zeros(shape[:2], bool)
    around[b0:b1, a0:a1] = True
    around[y0:y1, x0:x1] = layer.alpha == 0
    return around if around.any() else np.ones(shape[:2], bool)


def _dissolved(layer: Layer, base: Painted) -> Layer:
    """The layer with its colours bent so that they meet the place at the rim without a step."""
    x0, y0, x1, y1 = layer.box
    under = base.image[y0:y1, x0:x1].astype(np.float32)
    inside = layer.alpha > 0.5
    bent = seamless(under, layer.colour, inside)
    return replace(layer, colour=np.where(inside[..., None], bent, under))
