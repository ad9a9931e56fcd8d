"""Scenes for grounding.py: how they are drawn, and what is asked of them.

Every scene is built around its questions, so that the answers are known by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from editanything.command.types import Selector
from editanything.types import RGB, Bool2D, Mask, Region

WIDTH, HEIGHT = 360, 240
COLORS = {
    "red": (205, 30, 30), "green": (30, 140, 45), "blue": (35, 65, 205), "yellow": (240, 215, 30),
    "purple": (125, 35, 150), "orange": (250, 140, 10), "white": (250, 250, 250),
    "black": (18, 18, 18), "brown": (120, 70, 30),
}  # fmt: skip
THINGS = ("cup", "ball", "box", "lamp", "vase", "bottle", "chair", "clock", "book", "basket")
GROUND = (128, 128, 128)
Truth = frozenset[int] | str | tuple[int, int, int, int]
Draw = np.random.Generator


@dataclass(frozen=True)
class Query:
    """A question, and what it should lead to: ids of regions, an outcome, or a box of pixels."""

    kind: str
    text: str  # the thing in words: "the red cup"
    selector: Selector
    truth: Truth


@dataclass(eq=False)
class Scene:
    """A drawn picture whose parts are known; the grounder sees it as it sees any picture."""

    image: RGB = field(default_factory=lambda: np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8))
    known: tuple[Region, ...] = ()

    def regions(self) -> tuple[Region, ...]:
        """All there is has a name."""
        return self.known

    def draw(
        self,
        name: str,
        box: tuple[float, float, float, float],
        color: str | tuple[int, int, int] = "brown",
        *,
        shape: str = "box",
        part: bool = False,
    ) -> int:
        """Draw a thing into a box x0, y0, x1, y1; it hides what is behind, unless it is a part."""
        pixels = stencil(box, shape)
        self.image[pixels] = COLORS[color] if isinstance(color, str) else color
        cut = pixels if not part else np.zeros_like(pixels)
        before = [replace(r, mask=Mask.of(r.mask.full() & ~cut)) for r in self.known]
        number = len(self.known) + 1
        self.known = (*before, Region(number, Mask.of(pixels), name))
        return number


def stencil(box: tuple[float, float, float, float], shape: str) -> Bool2D:
    """The pixels of a box, an ellipse or a triangle (its tip above)."""
    x0, y0, x1, y1 = (round(v) for v in box)
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    if shape == "box":
        out[max(y0, 0) : y1, max(x0, 0) : x1] = 1
    elif shape == "round":
        centre, axes = ((x0 + x1) // 2, (y0 + y1) // 2), ((x1 - x0) // 2, (y1 - y0) // 2)
        cv2.ellipse(out, centre, axes, 0, 0, 360, 1, -1)
    else:
        corners = np.array([[x0, y1 - 1], [x1 - 1, y1 - 1], [(x0 + x1) // 2, y0]])
        cv2.fillPoly(out, [corners], 1)
    return out > 0


Template = Callable[[Draw], Iterator[tuple[Scene, Query]]]


def pick(rng: Draw, *names: str) -> str:
    """One of the names."""
    return str(rng.choice(names or THINGS))


def two(rng: Draw, names: tuple[str, ...] = THINGS) -> tuple[str, str]:
    """Two different names."""
    first, second = rng.choice(names, 2, replace=False)
    return str(first), str(second)


def plural(noun: str) -> str:
    """More than one of it."""
    return noun + ("es" if noun.endswith("x") else "s")


def around(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
    """The box of a size around a point."""
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def only(*ids: int) -> Truth:
    """Exactly these things."""
    return frozenset(ids)


def roughened(scene: Scene, rng: Draw) -> Scene:
    """The scene as a photo would have it; every answer stays what it was.

    Light falls off to one side, pixels are noisy, masks are a pixel too large or too small and
    ragged, and small things of other names lie about on the bare ground.
    """
    rough = Scene(scene.image.copy(), scene.known)
    for _ in range(4):
        box = around(rng.uniform(10, WIDTH - 10), rng.uniform(10, HEIGHT - 10), 9, 9)
        ground = (rough.image[stencil(around(*_centre(box), 17, 17), "box")] == GROUND).all()
        if ground:
            rough.draw(pick(rng, "coin", "leaf", "pebble"), box, pick(rng, "white", "black"))
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    turn = rng.uniform(0, 2 * np.pi)
    along = (np.cos(turn) * (xs / WIDTH - 0.5) + np.sin(turn) * (ys / HEIGHT - 0.5))[..., None]
    light = rough.image * (1 + 0.15 * along) + rng.normal(0, 5, rough.image.shape)
    rough.image = np.clip(light, 0, 255).round().astype(np.uint8)
    rough.known = tuple(replace(r, mask=_ragged(r.mask, rng)) for r in rough.known)
    return rough


def _centre(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _ragged(mask: Mask, rng: Draw) -> Mask:
    noise = cv2.GaussianBlur(rng.normal(0, 1, mask.shape).astype(np.float32), (0, 0), 2)
    inside = cv2.distanceTransform(mask.full().astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask.full()).astype(np.uint8), cv2.DIST_L2, 3)
    return Mask.of(inside - outside > 4 * noise + rng.uniform(-1, 1))
