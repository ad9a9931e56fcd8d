"""Pictures of which it is known what casts which shadow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

SHAPE = (220, 300)


def plain(rng: np.random.Generator) -> np.ndarray:
    """A ground of fine texture, levels as floats (H, W, 3)."""
    grain = cv2.GaussianBlur(rng.normal(0, 22, SHAPE), (0, 0), 1.0)
    return (150 + grain)[..., None] * np.array([1.0, 0.92, 0.8])


def standing(x: int, foot: int) -> np.ndarray:
    """A thing with a head and a body; its foot in row `foot`."""
    mask = np.zeros(SHAPE, np.uint8)
    cv2.rectangle(mask, (x - 12, foot - 40), (x + 12, foot), 1, -1)
    cv2.circle(mask, (x + 4, foot - 52), 15, 1, -1)
    return mask > 0


def thrown(mask: np.ndarray, light: tuple[float, float]) -> np.ndarray:
    """The coverage of its shadow, by the definition, point by point."""
    kx, ky = light
    foot = np.flatnonzero(mask.any(1))[-1]
    out = np.zeros(SHAPE, np.float32)
    ys, xs = np.nonzero(mask)
    for x, y in zip(xs, ys, strict=True):
        for part in np.linspace(0, 1, 4):
            h = foot - y + part
            sx, sy = round(x + kx * h), round(foot - ky * h)
            if 0 <= sx < SHAPE[1] and 0 <= sy < SHAPE[0]:
                out[sy, sx] = 1
    return cv2.GaussianBlur(out, (0, 0), 0.8)


class Lit:
    """Two things under one light."""

    light = (1.1, 0.45)
    drop = 0.5

    def __init__(self, *, shadows: bool = True) -> None:
        rng = np.random.default_rng(3)
        self.things = [standing(70, 150), standing(170, 195)]
        self.ground = plain(rng)
        self.shades = [thrown(mask, self.light) for mask in self.things]
        levels = self.ground.copy()
        if shadows:
            for shade in self.shades:
                levels *= 1 - (1 - np.exp(-self.drop)) * shade[..., None]
        levels[self.things[0]] = (40, 90, 160)
        levels[self.things[1]] = (190, 60, 40)
        self.image = np.clip(levels, 0, 255).astype(np.uint8)

    def shadow(self, i: int) -> np.ndarray:
        """bool (H, W): what is seen of the shadow of thing `i`."""
        return (self.shades[i] >= 0.5) & ~self.things[0] & ~self.things[1]


@pytest.fixture(scope="session")
def lit() -> Lit:
    return Lit()


@pytest.fixture(scope="session")
def unlit() -> Lit:
    return Lit(shadows=False)


@pytest.fixture(scope="session")
def mirrored() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture with a thing on a mirror of 40 %, the thing, and the ground without either."""
    rng = np.random.default_rng(0)
    ground = np.full((240, 280, 3), 120.0) + rng.normal(0, 3, (240, 280, 1))
    mask = np.zeros((240, 280), bool)
    mask[50:120, 90:150] = True
    mask[50:75, 90:110] = False
    picture = cv2.GaussianBlur(rng.uniform(0, 255, (240, 280, 3)), (0, 0), 5)
    picture = np.clip(128 + 5 * (picture - 128), 0, 255)
    seen = mask[::-1]  # row 119 + k shows row 120 - k
    image = ground + 0.4 * seen[..., None] * (picture[::-1] - ground)
    image[mask] = picture[mask]
    return image.astype(np.uint8), mask, ground
