"""What the network of photographs sees: in a picture, in a part of it, of a mask alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.grounders.base import Scene
from editanything.grounders.rims import at_full_size, reduced
from editanything.libraries import networks
from editanything.types import RGB, Bool2D, Box, Mask

if TYPE_CHECKING:
    from torch import Tensor

    from mdt.features.photographs import Photographs

Floats = NDArray[np.float32]

#: A picture is looked at with its longer side this long: near things fill the small ones.
SIDES_PX = (224, 320, 448, 640)
_PLACE_PX = 32  # of a side, one place of the network
_WINDOWS = (7, 5)  # places; what the network was trained to name is seven wide
_HEAT_PX = 96  # of the map of likely places, the longer side
#: A closer look shows so many times what is likely, where that is no more than this share of all.
_CLOSER, _FILLS, _LEAST_PX = 2.2, 0.75, 64
_LIKELIEST = 0.6  # of the map's highest value: what is around it is looked at from nearer
_BLUR_PX = 12.0
_AROUND = 0.25  # of a thing's longer side, what is shown beside it
LOOK_PX = 224  # of what is looked at as a whole
_GREY = 127


@lru_cache(maxsize=1)
def _network() -> Photographs:
    networks()
    from mdt.features.photographs import open_photographs

    try:
        return open_photographs()
    except ValueError as error:
        raise InputError(str(error)) from None


@lru_cache(maxsize=1)
def kinds() -> tuple[str, ...]:
    """The kinds' names alone, from the card: a sentence must not wait for torch.

    Raises:
        InputError: the card is missing or damaged.
    """
    import mdt

    card = Path(mdt.__file__).parent / "weights" / "photographs" / "photographs.json"
    try:
        return tuple(json.loads(card.read_text(encoding="utf-8"))["kinds"])
    except (OSError, ValueError, KeyError):
        raise InputError(
            f"The card {card} is missing or damaged; install the package again."
        ) from None


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture as the network sees it at several sizes.

    Attributes:
        picture: (h, w, 3), the largest of them.
        places: of each size, smallest first, logits (1000, rows, columns).
    """

    picture: RGB
    places: tuple[Tensor, ...]

    @classmethod
    def of(cls, image: RGB) -> Shown:
        """Look at a picture (H, W, 3); sizes much above its own are left out."""
        network, longer = _network(), max(image.shape[:2])
        sides = [side for side in SIDES_PX if side == SIDES_PX[0] or side <= 1.5 * longer]
        return cls(
            reduced(image, SIDES_PX[-1]), tuple(network.places(_at(image, s)) for s in sides)
        )

    def surest(self, ids: Sequence[int]) -> float:
        """The highest probability of the kinds `ids` in any window."""
        return self.surest_of([ids])[0]

    def surest_of(self, groups: Sequence[Collection[int]]) -> list[float]:
        """The same for each of some groups of kinds."""
        return [
            max(float(likely[list(ids)].sum(0).max()) for likely in self._windows) for ids in groups
        ]

    @cached_property
    def _windows(self) -> list[Tensor]:
        """The probability of each kind in every window, of every size: (1000, rows, columns)."""
        from torch.nn.functional import avg_pool2d

        sides = [(p, min(s, p.shape[1]), min(s, p.shape[2])) for p in self.places for s in _WINDOWS]
        return [avg_pool2d(p[None], (tall, wide), 1)[0].softmax(0) for p, tall, wide in sides]

    def heat(self, ids: Sequence[int]) -> Floats:
        """How likely the kinds `ids` are at each place, mean of all sizes: (h, w), 96 px long."""
        scale = _HEAT_PX / max(self.picture.shape[:2])
        size = tuple(max(8, round(n * scale)) for n in self.picture.shape[1::-1])
        maps = [cv2.resize(_likely(places, ids).numpy(), size) for places in self.places]
        return np.mean(maps, axis=0, dtype=np.float32)


def _likely(logits: Tensor, ids: Sequence[int]) -> Tensor:
    """The probability of any of `ids`, from logits (1000, ...)."""
    return logits.softmax(0)[list(ids)].sum(0)


def _at(image: RGB, side_px: int) -> RGB:
    """`image` with a longer side of `side_px`, its sides multiples of a place."""
    scale = side_px / max(image.shape[:2])
    size = [max(2, round(n * scale / _PLACE_PX)) * _PLACE_PX for n in image.shape[1::-1]]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=way)


_SHOWN: WeakKeyDictionary[Any, Shown] = WeakKeyDictionary()


def shown(seen: Scene) -> Shown:
    """A picture in hand, looked at once; kept."""
    if seen not in _SHOWN:
        _SHOWN[seen] = Shown.of(seen.image)
    return _SHOWN[seen]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a picture, looked at as if it were all.

    Attributes:
        seen: the picture.
        box: of the part.
        view: what the network sees there.
    """

    seen: Scene
    box: Box
    view: Shown

    @classmethod
    def of(cls, seen: Scene, box: Box | None = None, hidden: Sequence[Mask] = ()) -> Part:
        """Look at what lies in a box, or at all, as if the hidden things were not there."""
        height, width = seen.image.shape[:2]
        box = box or (0, 0, width, height)
        if box == (0, 0, width, height) and not hidden:
            return cls(seen, box, shown(seen))
        x0, y0, x1, y1 = box
        part = reduced(np.ascontiguousarray(seen.image[y0:y1, x0:x1]), SIDES_PX[-1])
        for mask in hidden:
            part = _hidden(part, _within(mask, box, part.shape[:2]))
        return cls(seen, box, Shown.of(part))

    def closer(self, heat: Floats, hidden: Sequence[Mask]) -> Part | None:
        """A look at what is around the highest place of the map alone; None: it fills the part."""
        x0, y0, x1, y1 = self.across(box_at(heat, _LIKELIEST * float(heat.max())))
        height, width = self.seen.image.shape[:2]
        half = _CLOSER * max(x1 - x0, y1 - y0) / 2
        if 2 * half > _FILLS * max(self.box[2] - self.box[0], self.box[3] - self.box[1]):
            return None
        (left, right), (top, bottom) = (
            (max(0, round((a + b) / 2 - half)), min(side, round((a + b) / 2 + half)))
            for a, b, side in ((x0, x1, width), (y0, y1, height))
        )
        if min(right - left, bottom - top) < _LEAST_PX:
            return None
        return Part.of(self.seen, (left, top, right, bottom), hidden)

    def small(self, mask: Mask) -> Bool2D:
        """A mask of the picture, as large as the part is looked at."""
        return _within(mask, self.box, self.view.picture.shape[:2])

    def whole(self, small: Bool2D) -> Mask:
        """A mask of the picture from one of the part, at any size."""
        x0, y0, x1, y1 = self.box
        crop = np.ascontiguousarray(self.seen.image[y0:y1, x0:x1])
        return Mask.placed(self.seen.image.shape[:2], (x0, y0), at_full_size(small, crop))

    def across(self, box: tuple[float, ...]) -> Box:
        """Shares of the part's sides as a box of the picture."""
        x0, y0, x1, y1 = self.box
        left, top, right, bottom = outward(box, (y1 - y0, x1 - x0))
        return x0 + left, y0 + top, x0 + right, y0 + bottom


def box_at(heat: Floats, level: float) -> tuple[float, ...]:
    """Around the connected places above a level that hold the highest one: shares of the sides."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats((heat >= level).astype(np.uint8))
    x, y, wide, high, _ = stats[parts[np.unravel_index(int(heat.argmax()), heat.shape)]].tolist()
    height, width = heat.shape
    return x / width, y / height, (x + wide) / width, (y + high) / height


def outward(box: tuple[float, ...], shape: tuple[int, int]) -> Box:
    """Shares of the sides as a box of whole pixels, no smaller."""
    height, width = shape
    x0, y0 = int(box[0] * width), int(box[1] * height)
    return x0, y0, max(x0 + 1, round(box[2] * width)), max(y0 + 1, round(box[3] * height))


def surroundings(mask: Bool2D) -> tuple[slice, ...]:
    """The rows and columns of a mask and some of what lies beside it; of all, if it is empty."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not ys.size:
        return slice(None), slice(None)
    tops, lefts = (ys[0], ys[-1] + 1), (xs[0], xs[-1] + 1)
    half = (0.5 + _AROUND) * max(tops[1] - tops[0], lefts[1] - lefts[0])
    return tuple(
        slice(max(0, round(sum(ends) / 2 - half)), min(side, round(sum(ends) / 2 + half)))
        for ends, side in zip((tops, lefts), mask.shape, strict=True)
    )


def whole_of(picture: RGB) -> Tensor:
    """The probability of each kind, of a whole picture: (1000,)."""
    small = max(picture.shape[:2]) < LOOK_PX
    way = cv2.INTER_CUBIC if small else cv2.INTER_AREA
    places = _network().places(cv2.resize(picture, (LOOK_PX, LOOK_PX), interpolation=way))
    return places.mean((1, 2)).softmax(0)


def sureness(picture: RGB, mask: Bool2D, ids: Sequence[int]) -> float:
    """How surely a mask alone shows the kinds, times how surely what is around it does not."""
    part, named = surroundings(mask), list(ids)
    alone = np.where(mask[..., None], picture, np.uint8(_GREY))
    without = _hidden(picture, mask)
    shows, left = (float(whole_of(view[part])[named].sum()) for view in (alone, without))
    return shows * (1 - left)


def shows_alone(picture: RGB, mask: Bool2D, ids: Sequence[int]) -> tuple[float, float]:
    """How likely the kinds are of a mask alone, on plain grey and on its blurred surroundings."""
    part, named = surroundings(mask), list(ids)
    soft = cv2.GaussianBlur(_hidden(picture, mask), (0, 0), _BLUR_PX)
    grey, blurred = (
        float(whole_of(np.where(mask[..., None], picture, ground)[part])[named].sum())
        for ground in (np.uint8(_GREY), soft)
    )
    return grey, blurred


def in_place(picture: RGB, mask: Bool2D, ids: Sequence[int]) -> float:
    """As `sureness`, but on its blurred surroundings, and without the thing as if painted over."""
    part = surroundings(mask)
    small = reduced(np.ascontiguousarray(picture[part]), LOOK_PX)
    thing = cv2.resize(mask[part].astype(np.uint8), small.shape[1::-1])
    grown = cv2.dilate(thing, np.ones((5, 5), np.uint8))
    left = whole_of(cv2.inpaint(small, grown, 3, cv2.INPAINT_TELEA))
    return shows_alone(picture, mask, ids)[1] * (1 - float(left[list(ids)].sum()))


def _hidden(picture: RGB, mask: Bool2D) -> RGB:
    """`picture` where a thing is as what is around it, on average."""
    thing = mask.astype(np.uint8)
    grown = cv2.dilate(thing, np.ones((5, 5), np.uint8)) > 0
    ring = (cv2.dilate(thing, np.ones((25, 25), np.uint8)) > 0) & ~grown
    out = picture.copy()
    out[grown] = picture[ring].mean(0) if ring.any() else _GREY
    return out


def _within(mask: Mask, box: Box, shape: tuple[int, int]) -> Bool2D:
    """What a mask of the whole picture covers of a box, (h, w) at another size."""
    x0, y0, x1, y1 = box
    full = mask.full()[y0:y1, x0:x1]
    if full.shape == shape:
        return full
    share = cv2.resize(full.astype(np.uint8) * 255, shape[::-1], interpolation=cv2.INTER_AREA)
    return share > 127
