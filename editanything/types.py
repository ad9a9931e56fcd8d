"""The values that flow through an edit: frozen, and each checks itself once, at birth.

Conventions (the whole package): pictures are RGB uint8 `(H, W, 3)`, masks are bool `(H, W)`, soft
masks (alphas) float32 `(H, W)` in [0, 1], boxes are XYXY in pixels and half open, points are (x, y)
in pixels with (0, 0) the centre of the first pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.progress import Progress

RGB = NDArray[np.uint8]  # (H, W, 3)
Bool2D = NDArray[np.bool_]  # (H, W)
Float2D = NDArray[np.float32]  # (H, W), 0..1
Box = tuple[int, int, int, int]  # x0, y0, x1, y1; half open


def frozen_array(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of `array`; the caller's own array stays writable."""
    view = array.view()
    view.flags.writeable = False
    return view


def _cut(crop: NDArray[Any], at: Box, box: Box) -> NDArray[Any]:
    """What lies inside `box` of a crop that fills the box `at`; zero beyond the crop."""
    x0, y0, x1, y1 = box
    out = np.zeros((y1 - y0, x1 - x0), crop.dtype)
    u0, v0, u1, v1 = max(x0, at[0]), max(y0, at[1]), min(x1, at[2]), min(y1, at[3])
    if u0 < u1 and v0 < v1:
        inside = crop[v0 - at[1] : v1 - at[1], u0 - at[0] : u1 - at[0]]
        out[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0] = inside
    return out


@dataclass(frozen=True, eq=False)
class Mask:
    """A set of pixels of a picture, kept as its bounding box and the bool crop inside it.

    A 24-megapixel picture can so hold hundreds of regions. An empty mask has the box (0, 0, 0, 0).
    """

    shape: tuple[int, int]  # (H, W) of the picture
    box: Box
    crop: Bool2D  # (y1 - y0, x1 - x0)

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        height, width = self.shape
        assert 0 <= x0 <= x1 <= width, self
        assert 0 <= y0 <= y1 <= height, self
        assert self.crop.dtype == bool, self.crop.dtype
        assert self.crop.shape == (y1 - y0, x1 - x0), (self.crop.shape, self.box)
        object.__setattr__(self, "crop", frozen_array(self.crop))

    @classmethod
    def of(cls, array: Bool2D) -> Mask:
        """The mask of a bool `(H, W)` array; the array is copied where it is True.

        Raises:
            InputError: if the array is not bool and two-dimensional.
        """
        if array.dtype != bool or array.ndim != 2:
            raise InputError(
                f"A mask must be a bool array (H, W); this one is {array.dtype} {array.shape}."
            )
        height, width = array.shape
        ys, xs = np.flatnonzero(array.any(1)), np.flatnonzero(array.any(0))
        if not ys.size:
            return cls.empty((height, width))
        x0, y0, x1, y1 = int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
        return cls((height, width), (x0, y0, x1, y1), array[y0:y1, x0:x1].copy())

    @classmethod
    def placed(cls, shape: tuple[int, int], origin: tuple[int, int], crop: Bool2D) -> Mask:
        """The mask of a bool crop whose first pixel lies at `origin` = (x, y), clipped."""
        x, y = origin
        height, width = shape
        inside = crop[max(0, -y) : max(0, height - y), max(0, -x) : max(0, width - x)]
        x, y = max(x, 0), max(y, 0)
        tight = cls.of(np.ascontiguousarray(inside))
        if tight.area == 0:
            return cls.empty(shape)
        x0, y0, x1, y1 = tight.box
        return cls(shape, (x0 + x, y0 + y, x1 + x, y1 + y), tight.crop)

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Mask:
        """The mask with no pixel."""
        return cls(shape, (0, 0, 0, 0), np.zeros((0, 0), bool))

    @classmethod
    def everything(cls, shape: tuple[int, int]) -> Mask:
        """The mask with every pixel."""
        return cls(shape, (0, 0, shape[1], shape[0]), np.ones(shape, bool))

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.crop))

    def full(self) -> Bool2D:
        """The bool `(H, W)` array."""
        return self.within((0, 0, self.shape[1], self.shape[0]))

    def within(self, box: Box) -> Bool2D:
        """The part of the mask inside `box` (which must lie in the picture), as a bool array."""
        return _cut(self.crop, self.box, box)

    def centroid(self) -> tuple[float, float]:
        """Mean (x, y) of the pixels; the mask must not be empty."""
        ys, xs = np.nonzero(self.crop)
        assert ys.size, "an empty mask has no centroid"
        return float(xs.mean()) + self.box[0], float(ys.mean()) + self.box[1]


@dataclass(frozen=True)
class Point:
    """A click at (x, y) in pixels of the picture; `positive` = this belongs to it."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True, eq=False)
class Selection:
    """What a user pointed at; the parts add up, negative points take away.

    `mask` is taken as it is. `brush` (rough strokes), `points` and `boxes` are grown by the
    segmenter to the thing that they touch.
    """

    points: tuple[Point, ...] = ()
    boxes: tuple[Box, ...] = ()
    mask: Mask | None = None
    brush: Mask | None = None

    def __post_init__(self) -> None:
        for box in self.boxes:
            if box[0] >= box[2] or box[1] >= box[3]:
                raise InputError(f"A box is x0,y0,x1,y1 with x0 < x1 and y0 < y1; got {box}.")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was pointed at."""
        return not (self.points or self.boxes or self.mask or self.brush)

    def boxes_alone(self) -> tuple[Box, ...]:
        """The boxes, if nothing else was pointed at."""
        return () if self.points or self.mask or self.brush else self.boxes

    def check_inside(self, shape: tuple[int, int]) -> None:
        """Refuse what does not lie in a picture of `shape` = (H, W).

        Raises:
            InputError: a mask of another size, or a point or box outside the picture.
        """
        height, width = shape
        for mask in (self.mask, self.brush):
            if mask is not None and mask.shape != shape:
                raise InputError(
                    f"The mask is {mask.shape[1]}x{mask.shape[0]} pixels but the picture is "
                    f"{width}x{height}; give a mask of the picture's size."
                )
        for point in self.points:
            if not (0 <= point.x < width and 0 <= point.y < height):
                raise InputError(
                    f"The point {point.x:g},{point.y:g} lies outside the {width}x{height} picture."
                )
        for x0, y0, x1, y1 in self.boxes:
            if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
                raise InputError(
                    f"The box {x0},{y0},{x1},{y1} lies outside the {width}x{height} picture."
                )


@dataclass(frozen=True, eq=False)
class Region:
    """A part of a picture that can be named and clicked."""

    id: int
    mask: Mask
    label: str = ""  # a noun in lower case, or empty where nobody knows what it is
    score: float = 1.0
    made: bool = False  # an edit set it there: its name tells nothing of what else there is

    def __post_init__(self) -> None:
        assert self.mask.area > 0, "a region has at least one pixel"


class Seen(Protocol):
    """A picture as a segmenter holds it: computed once, asked many times."""

    @property
    def image(self) -> RGB:
        """The picture that was looked at."""
        ...

    @property
    def known(self) -> tuple[Region, ...]:
        """The named regions that the picture came with; they cost nothing."""
        ...

    def regions(self) -> tuple[Region, ...]:
        """The regions of the picture, named ones first; computed at the first call and kept."""
        ...

    def select(self, selection: Selection) -> Mask:
        """The mask that a user's clicks, boxes and strokes mean."""
        ...


class Segmenter(Protocol):
    """Anything that can look at a picture."""

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> Seen:
        """Hold `image` for questions; `known` regions come first in `regions()`."""
        ...


@dataclass(frozen=True, eq=False)
class Reference:
    """A second picture to take from: its pixels and the part that is meant."""

    image: RGB
    mask: Mask
    opacity: NDArray[np.uint8] | None = None  # (H, W) where the file had transparency


@dataclass(frozen=True, eq=False)
class Task:
    """What a backend gets: one crop of the picture at native resolution, and what to do with it.

    `target` is what the step acts on; `area` is where the output may differ (never less than
    what the operation needs: both places of a move, the target with its grown rim, ...).
    """

    op: str
    image: RGB  # (h, w, 3)
    target: Bool2D  # (h, w)
    area: Bool2D  # (h, w)
    params: Mapping[str, Any]
    seed: int
    opacity: NDArray[np.uint8] | None = None  # (h, w), the file's transparency if it has any
    reference: Reference | None = None
    keep: Bool2D | None = None  # pixels that must not serve as material (the user's "keep")
    hole: Bool2D | None = None  # effects of the target (its shadow) that go where it goes
    shade: Float2D | None = None  # (h, w) a shadow to draw, darker by exp(-params["drop"])
    others: Bool2D | None = None  # things that stay: only what is set down may cover them
    behind: tuple[Bool2D, ...] = ()  # of these, each that lies behind the target
    what: str = ""  # the step in words
    regions: Callable[[], tuple[Bool2D, ...]] | None = None  # of the crop, (h, w); asked if needed

    def __post_init__(self) -> None:
        shape = self.image.shape[:2]
        assert self.target.shape == shape, (self.target.shape, shape)
        assert self.area.shape == shape, (self.area.shape, shape)


@dataclass(frozen=True, eq=False)
class Painted:
    """A backend's answer: the whole crop repainted (only `task.area` of it will be used)."""

    image: RGB  # (h, w, 3)
    opacity: NDArray[np.uint8] | None = None  # None: the transparency stays as it was
    landed: Bool2D | None = None  # (h, w) where what was set down lies, if that is known


class Backend(Protocol):
    """Anything that can paint."""

    def can(self, op: str, params: Mapping[str, Any]) -> bool:
        """Whether this backend carries out such a step."""
        ...

    def why_not(self, op: str, params: Mapping[str, Any]) -> str:
        """A sentence on a step that it could do but for something in `params`; else ""."""
        ...

    def paint(self, task: Task, progress: Progress | None = None) -> Painted:
        """Carry out one step on one crop; never writes to the task's arrays."""
        ...


@dataclass(frozen=True, eq=False)
class Shade:
    """A shadow to be drawn: a box of the picture, how much of it lies where, how dark it is."""

    box: Box
    alpha: Float2D  # (h, w) of the box
    drop: tuple[float, float, float]  # logarithm by which red, green and blue become darker

    def within(self, box: Box) -> Float2D:
        """The part inside `box` of the picture."""
        return _cut(self.alpha, self.box, box)


@dataclass(frozen=True, eq=False)
class Step:
    """One visible step of a plan: what will be done, where, and how."""

    op: str
    what: str  # one sentence for people: "remove the selection"
    target: Mask  # what it acts on
    area: Mask  # where the picture may change
    feather_px: float = 0.0  # softness of the area's rim, inwards
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    on: bool = True
    keep: Mask | None = None  # what the user said must stay
    reference: Reference | None = None
    frame: Mapping[str, Any] | None = None  # a change of the whole frame, see frames.py
    where: str = ""  # the target in the user's words: "the cup to the left of the plate"
    prompt: str = ""  # what it becomes, or what is drawn: "teal", "a dog"
    brings: str = ""  # the noun of what it takes over from a second picture
    clause: int = 0  # number of the operation that it carries out
    hole: Mask | None = None  # effects of the target that go where it goes: its shadow
    shade: Shade | None = None  # a shadow that is drawn anew
    others: Mask | None = None  # things that stay: only what is set down may cover them
    behind: tuple[Mask, ...] = ()  # of these, each that lies behind the target

    @property
    def strength(self) -> float:
        """How much of the change is made, in (0, 1]."""
        return float(self.params.get("strength", self.params.get("amount", 1.0)))


@dataclass(frozen=True, eq=False)
class Related:
    """A region that belongs to a step's target (its shadow, its twin), with the reason why."""

    type: str
    score: float
    evidence: str
    on: bool
    region: Mask  # where at least half of it lies
    soft: tuple[Box, Float2D] | None = None  # how much lies where in a box; None: all of `region`

    @property
    def mask(self) -> Bool2D:
        """Its pixels, (H, W); made anew each time: a large picture has many."""
        return self.region.full()

    @property
    def alpha(self) -> Float2D:
        """How much of it lies on each pixel, (H, W), 0..1; made anew each time."""
        if self.soft is None:
            return self.mask.astype(np.float32)
        at, crop = self.soft
        height, width = self.region.shape
        return _cut(crop, at, (0, 0, width, height))
