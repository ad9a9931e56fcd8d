"""Quick pictures with known things in them, made to be like photographs where it counts.

Stickers and silhouettes, filled with colours, shading or pieces of photographs, lie on photographs
or plain grounds; then the whole is blurred, made noisy and compressed as cameras do.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mdt.data.source import Array
from mdt.data.stickers.photos import patch
from mdt.data.stickers.shapes import shape

_MAX_THINGS = 6


def collage(
    rng: np.random.Generator, size: int, sticker: Callable[[np.random.Generator], Array]
) -> tuple[Array, list[Array]]:
    """A picture and its things.

    Args:
        rng: draws everything.
        size: of the picture's sides, in pixels.
        sticker: draws an RGBA uint8 (h, w, 4).

    Returns:
        RGB float32 (size, size, 3) in 0..255, and the visible masks, bool (size, size). A thing
        holds what is painted on it, which is a thing of its own, too.
    """
    image = _ground(rng, size)
    masks: list[Array] = []
    large = rng.random() < 0.5  # one thing over much of the picture, as after zooming in
    for number in range(int(rng.integers(1, _MAX_THINGS + 1))):
        share = rng.uniform(0.4, 0.95) if large and number == 0 else rng.uniform(0.06, 0.5)
        colors, alpha, part = _thing(rng, max(10, int(share * size)), sticker)
        layer, cover, inner = _placed(rng, (colors, alpha, part), size)
        if rng.random() < 0.4:
            _cast(rng, image, cover)
        image *= 1 - cover[..., None]
        image += layer * cover[..., None]
        solid = cover >= 0.5
        masks = [mask & ~solid for mask in masks]
        masks.append(solid)
        if inner is not None:
            masks.append((inner >= 0.5) & solid)
    return image, masks


def _ground(rng: np.random.Generator, size: int) -> Array:
    if rng.random() < 0.7:
        image = patch(rng, size)
        if rng.random() < 0.3:  # out of focus
            image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(1, 6)))
        return image
    return _shaded(rng, size)


def _shaded(rng: np.random.Generator, side: int) -> Array:
    """A colour that changes from one side to the other, and some grain: (side, side, 3)."""
    low, high = rng.uniform(0, 255, 3), rng.uniform(-70, 70, 3)
    turn = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    along = np.cos(turn) * (x - 0.5) + np.sin(turn) * (y - 0.5)
    image = low.astype(np.float32) + along[..., None] * high.astype(np.float32)
    if rng.random() < 0.5:
        cells = int(rng.integers(4, 24))
        grain = rng.normal(0, rng.uniform(4, 25), (cells, cells, 1 if rng.random() < 0.6 else 3))
        big = cv2.resize(grain.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        image = image + big.reshape(side, side, -1)
    return np.clip(image, 0, 255)


def _thing(
    rng: np.random.Generator, side: int, sticker: Callable[[np.random.Generator], Array]
) -> tuple[Array, Array, Array | None]:
    """(colours (side, side, 3), alpha (side, side), a part painted on it or None)."""
    if rng.random() < 0.4:
        rgba = _square(sticker(rng), side)
        alpha = rgba[..., 3] / 255
        colors = rgba[..., :3] if rng.random() < 0.65 else _fill(rng, side)
    else:
        alpha, colors = shape(rng, side), _fill(rng, side)
    if rng.random() < 0.5:
        colors = colors * _light(rng, side)
    part = None
    if side >= 48 and rng.random() < 0.3:
        inner = max(12, int(side * rng.uniform(0.2, 0.5)))
        y, x = (int(v) for v in rng.integers(0, side - inner + 1, 2))
        part = np.zeros((side, side), np.float32)
        part[y : y + inner, x : x + inner] = shape(rng, inner)
        part *= alpha
        colors = colors * (1 - part[..., None]) + _fill(rng, side) * part[..., None]
    return colors, alpha, part


def _square(rgba: Array, side: int) -> Array:
    """A sticker at a new size, float32; its sides stay in proportion."""
    height, width = rgba.shape[:2]
    longer = max(height, width)
    whole = np.zeros((longer, longer, 4), np.uint8)
    y, x = (longer - height) // 2, (longer - width) // 2
    whole[y : y + height, x : x + width] = rgba
    way = cv2.INTER_AREA if side < longer else cv2.INTER_LINEAR
    return cv2.resize(whole, (side, side), interpolation=way).astype(np.float32)


def _fill(rng: np.random.Generator, side: int) -> Array:
    return patch(rng, side, least_px=24) if rng.random() < 0.5 else _shaded(rng, side)


def _light(rng: np.random.Generator, side: int) -> Array:
    """Light from one side, as on a round thing: (side, side, 1)."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    turn, round_ = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    level = 1 + 0.35 * (np.cos(turn) * x + np.sin(turn) * y) - round_ * (x * x + y * y)
    return np.clip(level, 0.2, 1.6)[..., None]


def _placed(
    rng: np.random.Generator, thing: tuple[Array, Array, Array | None], size: int
) -> tuple[Array, Array, Array | None]:
    """The thing turned, squeezed and put somewhere: the same three, (size, size, ...)."""
    colors, alpha, part = thing
    side = len(alpha)
    turn = rng.uniform(0, 360) if rng.random() < 0.5 else rng.normal(0, 8)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), float(turn), 1.0)
    matrix[0] *= float(np.exp(rng.normal(0, 0.25)))
    reach = 0.15 if rng.random() < 0.8 else 0.0  # some are cut off by the frame
    middle = rng.uniform(reach, 1 - reach, 2) * size
    centre = matrix[:, :2] @ np.full(2, (side - 1) / 2) + matrix[:, 2]
    matrix[:, 2] += middle - centre
    goal = (size, size)
    layer = cv2.warpAffine(
        colors.astype(np.float32), matrix, goal, flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    cover = cv2.warpAffine(alpha.astype(np.float32), matrix, goal, flags=cv2.INTER_LINEAR)
    inner = None if part is None else cv2.warpAffine(part, matrix, goal, flags=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.4, 1.2)))
    return layer, cover, inner


def _cast(rng: np.random.Generator, image: Array, cover: Array) -> None:
    """A soft shadow beside a thing, which is none of it; changes `image`."""
    across, down = rng.normal(0, 0.05 * len(image), 2)
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
    shade = cv2.warpAffine(cover, matrix, cover.shape[::-1])
    shade = cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(1, 6)))
    image *= 1 - float(rng.uniform(0.1, 0.5)) * shade[..., None]


def weathered(rng: np.random.Generator, image: Array) -> Array:
    """RGB float32 in 0..255 -> uint8: other colours, blur, noise and JPEG's blocks."""
    if rng.random() < 0.6:
        image = image * rng.uniform(0.75, 1.25, 3 if rng.random() < 0.5 else 1).astype(np.float32)
        image = image + float(rng.normal(0, 18))
    if rng.random() < 0.4:
        grey = image.mean(2, keepdims=True)
        image = grey + (image - grey) * float(rng.uniform(0, 1.3))
    if rng.random() < 0.4:
        image = 128 + (image - 128) * float(rng.uniform(0.5, 1.3))
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.4)))
    if rng.random() < 0.4:
        fine = rng.standard_normal(image.shape, np.float32)
        image = image + fine * float(rng.uniform(1, 11))
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))]
        coded = cv2.imencode(".jpg", levels, quality)[1]
        levels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return levels
