"""Things of photographs by their everyday nouns: seen by a network, cut out, and looked at again.

`mdt.features.photographs` says how likely a kind of thing is at every place of a picture. Where it
is likeliest the thing is cut out in several ways, and that one counts which, shown alone, is still
such a thing, and without which there is none left. Where neither holds nothing is found: a wrong
thing is worse than a question.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.grounders.base import Scene, Selecting
from editanything.grounders.imagenet import everyday_nouns, numbers
from editanything.grounders.rims import at_full_size, cut_out, reduced
from editanything.libraries import networks
from editanything.masks import iou
from editanything.salient import Salient
from editanything.types import RGB, Bool2D, Box, Mask, Selection

if TYPE_CHECKING:
    from torch import Tensor

    from mdt.features.photographs import Photographs

Floats = NDArray[np.float32]

#: A picture is looked at with its longer side this long: near things fill the small ones.
SIDES_PX = (224, 320, 448, 640)
_PLACE_PX = 32  # of a side, one place of the network
_WINDOWS = (7, 5)  # places; what the network was trained to name is seven wide
#: Kinds are there where some window shows them with this probability, and some more where they are
#: many, since each is a little likely anywhere; and are taken where a mask is this sure
#: (`_sureness`). All chosen on photographs that come with packages: docs/experiments.md.
THERE, BY_CHANCE, SURE = 0.5, 0.75, 0.35
_MORE_THERE = 0.8  # ... once one was found, and hidden
#: Soft IoU of a mask and the map of likely places, and the map's mean in it: with less it holds
#: other things too.
_LEAST_FIT, _LEAST_MEAN = 0.3, 0.5
_FIT = 0.5  # the share of these two in the choice among masks
_MOST = 6  # things of one noun
_HEAT_PX = 96  # of the map of likely places, the longer side
#: The map is cut at these shares of its highest value; what is around it there is a box.
_LEVELS = (0.6, 0.4, 0.25, 0.12)
_SURELY, _LIKELY, _POSSIBLY = 0.8, 0.35, 0.06  # of the highest value, for the cut by colours
_CUT_PX = 320
#: What a noun is hardly likely to name, where another kind is plainly likelier, is not that.
_HARDLY, _PLAINLY = 0.02, 0.5
_AS_SURE = 0.85  # of the surest box: a smaller one that is nearly so will do
#: What is offered unasked is this likely; a narrower noun is as good with this share of it.
_PLAIN, _NEARLY = 0.7, 0.9
_MOST_KINDS = 130  # of a noun that is offered: "animal" is seen in the moon
_SAME = 0.5  # IoU from which two masks are of one thing
#: A closer look shows so many times what is likely, where that is no more than this share of all.
_CLOSER, _FILLS, _LEAST_PX = 2.2, 0.75, 64
#: Beside a mask so many colours are told apart, by so many pixels; it is trimmed with no fewer.
_PALETTE, _PALETTE_PX, _LEAST_RING_PX = 8, 5000, 200
_AROUND = 0.25  # of a thing's longer side, what is shown beside it
_LOOK_PX = 224
_GREY = 127


@lru_cache(maxsize=1)
def _network() -> Photographs:
    networks()
    from mdt.features.photographs import open_photographs

    try:
        return open_photographs()
    except ValueError as error:
        raise InputError(str(error)) from None


@lru_cache(maxsize=1024)
def is_everyday(noun: str) -> bool:
    """Whether `noun` (lower case, singular) may be found here."""
    return bool(numbers(noun, _kinds()))


@lru_cache(maxsize=1)
def _kinds() -> tuple[str, ...]:
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


def plainest(seen: Scene, most: int) -> tuple[str, ...]:
    """The everyday nouns of what a picture plainly shows, likeliest first; `most` at most.

    Of nouns for much the same ("tabby", "cat", "animal") the narrowest that is nearly as likely.

    Args:
        seen: the picture.
        most: how many at most, each of other kinds than those before it.

    Raises:
        InputError: the weights are missing or damaged.
    """
    kinds = _kinds()
    ids = {noun: frozenset(numbers(noun, kinds)) for noun in everyday_nouns()}
    ids = {noun: some for noun, some in ids.items() if len(some) <= _MOST_KINDS}
    likely = dict(zip(ids, shown(seen).surest_of(list(ids.values())), strict=True))
    left = {noun for noun in ids if likely[noun] >= max(_PLAIN, _least(ids[noun]))}
    out: list[str] = []
    while left and len(out) < most:
        top = max(sorted(left), key=lambda noun: likely[noun])
        same = [n for n in ids if n in left and likely[n] >= _NEARLY * likely[top]]
        same = [n for n in same if ids[n] & ids[top]]
        out.append(min(same, key=lambda noun: len(ids[noun])))
        left = {noun for noun in left if not ids[noun] & ids[out[-1]]}
    return tuple(out)


@dataclass(frozen=True, eq=False)
class _Part:
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
    def of(cls, seen: Scene, box: Box | None = None, hidden: Sequence[Mask] = ()) -> _Part:
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

    def closer(self, heat: Floats, hidden: Sequence[Mask]) -> _Part | None:
        """A look at what is around the highest place of the map alone; None: it fills the part."""
        x0, y0, x1, y1 = self.across(_box(heat, _LEVELS[0]))
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
        return _Part.of(self.seen, (left, top, right, bottom), hidden)

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
        left, top, right, bottom = _outward(box, (y1 - y0, x1 - x0))
        return x0 + left, y0 + top, x0 + right, y0 + bottom


def find_photographed(seen: Scene, noun: str) -> tuple[Mask, ...]:
    """The things that `noun` names, surest first; () where none is sure.

    Args:
        seen: the picture; what it tells of a box is made use of, if it does.
        noun: one that `is_everyday`.

    Raises:
        InputError: the weights are missing or damaged.
    """
    part, ids = _Part.of(seen), numbers(noun, _kinds())
    least = _least(ids)
    found: list[Mask] = []
    while len(found) < _MOST:
        if part.view.surest(ids) < (max(least, _MORE_THERE) if found else least):
            break
        heat = part.view.heat(ids)
        looks = [(part, heat)]
        while (closer := part.closer(heat, found)) and closer.view.surest(ids) >= least:
            part, heat = closer, closer.view.heat(ids)
            looks.append((part, heat))
        best = next(filter(None, (_cut_out(*look, ids) for look in reversed(looks))), None)
        if best is None or any(iou(best, mask) > _SAME for mask in found):
            break
        found.append(best)
        part = _Part.of(seen, hidden=found)
    return tuple(found)


def _least(ids: Collection[int]) -> float:
    """The probability from which one of the kinds `ids` is there, and not by chance."""
    return THERE + BY_CHANCE * len(ids) / len(_kinds())


def is_plainly_else(seen: Scene, mask: Mask, noun: str) -> bool:
    """Whether a part of a picture plainly shows something that the everyday `noun` does not name.

    False for nouns that are not everyday ones: of an eye nothing is said.
    """
    if not is_everyday(noun):
        return False
    picture = shown(seen).picture
    height, width = seen.image.shape[:2]
    part = _around(_within(mask, (0, 0, width, height), picture.shape[:2]))
    kinds = _whole(picture[part])
    other = float(kinds.max())
    return float(kinds[list(numbers(noun, _kinds()))].sum()) < _HARDLY and other >= _PLAINLY


def _cut_out(part: _Part, heat: Floats, ids: Sequence[int]) -> Mask | None:
    """The likeliest thing: of the masks that are sure, the surest that fits the map; None: none."""
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
        sure = _sureness(part.view.picture, small, ids)
        worth = sure + _FIT * (fit + mean)
        if sure >= SURE and (best is None or worth > best[0]):
            best = worth, mask
    return best and _trimmed(part, best[1], ids)


def _trimmed(part: _Part, mask: Mask, ids: Sequence[int]) -> Mask:
    """A mask without what goes on in the same colours outside of it, if it is as surely the thing.

    Of what lies along its rim alone is this asked, so white fur on a cat stays.
    """
    picture, small = part.view.picture, part.small(mask)
    where = _around(small)
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
    kept = cv2.morphologyEx(kept.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    new = np.zeros_like(small)
    new[where] = kept
    if not kept.any() or _sureness(picture, new, ids) < _AS_SURE * _sureness(picture, small, ids):
        return mask
    return part.whole(new)


def _masks(part: _Part, heat: Floats, ids: Sequence[int]) -> Iterator[Mask]:
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
    if out.any():
        yield part.whole(out)
    if isinstance(part.seen, Selecting):
        boxes = [_box(heat, level) for level in _LEVELS]
        sure = [_sureness(picture, _filled(box, picture.shape[:2]), ids) for box in boxes]
        best = next(i for i, s in enumerate(sure) if s >= _AS_SURE * max(sure))
        boxes = boxes[max(0, best - 1) : best + 1]
        if out.any():
            boxes.append(_around_all(out))
        for box in dict.fromkeys(part.across(box) for box in boxes):
            yield part.seen.select(Selection(boxes=(box,)))


def _around_all(mask: Bool2D) -> tuple[float, ...]:
    """The tight box of a mask, as shares of its sides."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = mask.shape
    ends = (xs[0] / width, ys[0] / height, (xs[-1] + 1) / width, (ys[-1] + 1) / height)
    return tuple(float(end) for end in ends)


def _box(heat: Floats, level: float) -> tuple[float, ...]:
    """Around the connected places above a level that hold the highest one: shares of the sides."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats((heat >= level).astype(np.uint8))
    x, y, wide, high, _ = stats[parts[np.unravel_index(int(heat.argmax()), heat.shape)]].tolist()
    height, width = heat.shape
    return x / width, y / height, (x + wide) / width, (y + high) / height


def _outward(box: tuple[float, ...], shape: tuple[int, int]) -> Box:
    height, width = shape
    x0, y0 = int(box[0] * width), int(box[1] * height)
    return x0, y0, max(x0 + 1, round(box[2] * width)), max(y0 + 1, round(box[3] * height))


def _filled(box: tuple[float, ...], shape: tuple[int, int]) -> Bool2D:
    x0, y0, x1, y1 = _outward(box, shape)
    out = np.zeros(shape, bool)
    out[y0:y1, x0:x1] = True
    return out


def _sureness(picture: RGB, mask: Bool2D, ids: Sequence[int]) -> float:
    """How surely a mask alone shows the kinds, times how surely what is around it does not."""
    part, kinds = _around(mask), list(ids)
    alone = np.where(mask[..., None], picture, np.uint8(_GREY))
    without = _hidden(picture, mask)
    shows, left = (float(_whole(view[part])[kinds].sum()) for view in (alone, without))
    return shows * (1 - left)


def _around(mask: Bool2D) -> tuple[slice, ...]:
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


def _whole(picture: RGB) -> Tensor:
    """The probability of each kind, of a whole picture: (1000,)."""
    small = max(picture.shape[:2]) < _LOOK_PX
    way = cv2.INTER_CUBIC if small else cv2.INTER_AREA
    places = _network().places(cv2.resize(picture, (_LOOK_PX, _LOOK_PX), interpolation=way))
    return places.mean((1, 2)).softmax(0)


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
