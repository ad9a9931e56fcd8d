"""Words that can be grounded without a model: the selection, names, colours, places and sizes.

Names come from the picture's known regions (the example photos have them). Any other noun is
answered by a request to point at the thing: never by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from editanything import masks
from editanything.colors import name_of, parse_color
from editanything.command.describe import describe
from editanything.command.types import Selector
from editanything.errors import Refusal
from editanything.grounders.base import Grounding, not_found, tie, wrong_count
from editanything.places import place_box
from editanything.types import RGB, Mask, Region, Seen

# Nouns that stand for any region whatever it shows, and for a part of the frame.
ANY_REGION = frozenset(
    {"thing", "object", "region", "area", "one", "part", "spot", "shape", "patch", "item", "stuff",
     "piece", "bit", "pixel", "color", "colour", "element"}
)  # fmt: skip
PLACE_NOUNS = frozenset(
    {"half", "side", "part", "area", "corner", "edge", "section", "region", "*", "@image",
     "middle", "center", "centre", "picture", "image", "photo", "portion"}
)  # fmt: skip
SUBJECTS = frozenset({"foreground", "subject"})
PEOPLE = frozenset({"woman", "man", "girl", "boy", "child", "lady", "baby"})
SIZES = frozenset({"small", "little", "tiny", "big", "large", "huge"})
# What things stand in front of (the "stuff" classes of COCO-Stuff, Caesar et al. 2018, shortened).
STUFF = frozenset(
    {"background", "sky", "table", "wall", "floor", "ground", "grass", "sea", "water", "road",
     "field", "sand", "snow", "ceiling", "street", "desk", "mountain", "cloud"}
)  # fmt: skip
_COLOR_SIDE_PX = 1024  # colours are looked up at this size; finer detail is noise
_LEAST_SHARE = 0.001  # a colour region is at least this share of the picture


@dataclass(frozen=True)
class Words:
    """Finds what a selector means by geometry, colour and the names that a picture came with."""

    least_share: float = _LEAST_SHARE

    def ground(self, seen: Seen, selector: Selector, *, selection: Mask | None) -> Grounding:
        """See `Grounder.ground`."""
        shape = seen.image.shape[:2]
        if selector.exclude is not None:
            taken_out = self.ground(seen, selector.exclude, selection=selection).union()
            plain = replace(selector, exclude=None)
            everything = self.ground(seen, plain, selection=selection).union()
            rest = masks.minus(everything, taken_out)
            if rest.area == 0:
                raise not_found(describe(selector))
            return Grounding((rest,), "all but what was named")
        if selector.noun == "@selection":
            if selection is None:
                raise Refusal(
                    "Nothing is selected; click, draw a box or brush first.",
                    reason="unresolved_reference",
                    question="What do you mean? Click it or draw a box around it.",
                )
            return Grounding((selection,), "your selection")
        if selector.region and selector.noun in PLACE_NOUNS and not selector.attrs:
            box = place_box(selector.region, shape)
            full = np.ones((box[3] - box[1], box[2] - box[0]), bool)
            return Grounding((Mask(shape, box, full),), "its place")
        if selector.noun in ("@image", "*") and not selector.attrs:
            return Grounding((Mask.everything(shape),), "everything")
        if selector.noun == "background":
            return self._background(seen, selection)
        if selector.noun in SUBJECTS and selection is not None:
            return Grounding((selection,), "your selection")
        return self._things(seen, selector, selection)

    def _background(self, seen: Seen, selection: Mask | None) -> Grounding:
        if selection is not None:
            return Grounding((masks.complement(selection),), "all but your selection")
        things = [r.mask for r in seen.known if r.label and r.label not in STUFF]
        if things:
            return Grounding((masks.complement(_in_front(things)),), "what lies around the things")
        raise Refusal(
            "I cannot tell the background of this picture by myself: select the thing in front "
            "(click it or draw a box), then the background is all the rest.",
            reason="not_found",
            question="What is in front? Click it or draw a box around it.",
        )

    def _things(self, seen: Seen, selector: Selector, selection: Mask | None) -> Grounding:
        found, by = self._candidates(seen, selector)
        if selector.part_of is not None:
            owner = self.ground(seen, selector.part_of, selection=selection).union()
            found = [r for r in found if _share_inside(r.mask, owner) > 0.7]
        if selector.relation is not None:
            found = self._related(seen, selector, found, selection)
        if selector.region:
            found = _in_place(found, place_box(selector.region, seen.image.shape[:2]))
        if not found:
            raise not_found(describe(selector), _names(seen))
        return Grounding(tuple(r.mask for r in _choose(found, selector)), by)

    def _candidates(self, seen: Seen, selector: Selector) -> tuple[list[Region], str]:
        known = {attr: parse_color(attr) for attr in selector.attrs}
        colors = [name_of(color) for color in known.values() if color is not None]
        others = [a for a, color in known.items() if color is None and a not in SIZES]
        labelled = [r for r in seen.known if r.label]
        named = [r for r in labelled if r.label == selector.noun]
        if not named and selector.noun == "person":  # "her face" is a person's
            named = [r for r in labelled if r.label in PEOPLE]
        if not named and " " in selector.noun:  # "coffee cup" is a cup
            named = [r for r in labelled if r.label == selector.noun.split()[-1]]
        if named:
            if colors and len(named) > 1:
                named = [r for r in named if _main_color(seen.image, r.mask) in colors]
            return named, "its name"
        if selector.noun not in ANY_REGION or others:
            return [], "its name"
        if colors:
            return self._by_color(seen.image, colors), "its colour"
        return list(seen.regions()), "its place and size"

    def _by_color(self, image: RGB, colors: list[str]) -> list[Region]:
        """The connected parts of the picture whose colour has one of these names, largest first."""
        mask = masks.fill_holes(
            Mask.of(_named_pixels(image, frozenset(colors))),
            max_area_px=round(self.least_share * image.shape[0] * image.shape[1]),
        )
        if mask.area == 0:
            return []
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.crop.astype(np.uint8))
        least = self.least_share * image.shape[0] * image.shape[1]
        order = sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])
        parts = [i for i in order if stats[i, cv2.CC_STAT_AREA] >= least]
        x, y = mask.box[:2]
        return [
            Region(number, Mask.placed(mask.shape, (x, y), labels == part))
            for number, part in enumerate(parts)
        ]

    def _related(
        self, seen: Seen, selector: Selector, found: list[Region], selection: Mask | None
    ) -> list[Region]:
        relation = selector.relation
        assert relation is not None, selector
        anchors = [self.ground(seen, a, selection=selection).union() for a in relation.anchors]
        test = RELATIONS.get(relation.rel)
        if test is None:
            words = relation.rel.replace("_", " ")
            raise Refusal(
                f"I cannot find things by “{words}” yet: say left of, right of, above, below, on, "
                "in or next to, or click the thing.",
                reason="not_found",
                question=f"Where is “{describe(selector)}”? Click it or draw a box around it.",
            )
        return [r for r in found if all(test(r.mask, anchor) for anchor in anchors)]


def _in_front(things: list[Mask]) -> Mask:
    """The largest thing, with all that touches it."""
    front = max(things, key=lambda mask: mask.area)
    rest = [mask for mask in things if mask is not front]
    while True:
        reach = masks.grow(front, 3)
        touching = [mask for mask in rest if masks.intersection(reach, mask).area]
        if not touching:
            return front
        front = masks.union(front, *touching)
        rest = [mask for mask in rest if not any(mask is other for other in touching)]


def _share_inside(mask: Mask, owner: Mask) -> float:
    return masks.intersection(mask, owner).area / mask.area


def _touches(mask: Mask, anchor: Mask) -> bool:
    size = max(mask.box[2] - mask.box[0], mask.box[3] - mask.box[1])
    return masks.intersection(masks.grow(mask, max(2, size // 8)), anchor).area > 0


def _near(mask: Mask, anchor: Mask) -> bool:
    x0, y0, x1, y1 = anchor.box
    reach = max(x1 - x0, y1 - y0)
    return masks.intersection(masks.grow(mask, reach), anchor).area > 0


RELATIONS = {
    "left_of": lambda m, a: m.centroid()[0] < a.box[0] + (a.box[2] - a.box[0]) / 4,
    "right_of": lambda m, a: m.centroid()[0] > a.box[2] - (a.box[2] - a.box[0]) / 4,
    "above": lambda m, a: m.centroid()[1] < a.box[1] + (a.box[3] - a.box[1]) / 4,
    "below": lambda m, a: m.centroid()[1] > a.box[3] - (a.box[3] - a.box[1]) / 4,
    "under": lambda m, a: m.centroid()[1] > a.box[3] - (a.box[3] - a.box[1]) / 4,
    "on": _touches,
    "in": lambda m, a: _share_inside(m, a) > 0.5 or _share_inside(m, masks.fill_holes(a)) > 0.5,
    "with": _touches,
    "next_to": _near,
}


def _in_place(found: list[Region], box: tuple[int, int, int, int]) -> list[Region]:
    """The regions whose centre lies in a place of the frame."""
    x0, y0, x1, y1 = box
    inside = []
    for region in found:
        x, y = region.mask.centroid()
        if x0 <= x < x1 and y0 <= y < y1:
            inside.append(region)
    return inside


# What "the largest", "the leftmost" ... go by; the greatest key is the one.
SUPERLATIVES: dict[str, Any] = {
    "leftmost": lambda m: -m.centroid()[0],
    "rightmost": lambda m: m.centroid()[0],
    "topmost": lambda m: -m.centroid()[1],
    "bottommost": lambda m: m.centroid()[1],
    "largest": lambda m: m.area,
    "smallest": lambda m: -m.area,
    "tallest": lambda m: m.box[3] - m.box[1],
    "nearest": lambda m: m.box[3],  # what stands lower in a picture is nearer
    "farthest": lambda m: -m.box[3],
}
FROM = {"left": "leftmost", "right": "rightmost", "top": "topmost", "bottom": "bottommost"}


def _choose(found: list[Region], selector: Selector) -> list[Region]:
    """As many of `found` as were asked for, or a question."""
    count, what = selector.count, describe(selector)
    if selector.ordinal is not None:
        n, start = selector.ordinal
        first = SUPERLATIVES[FROM[start or "left"]]
        ranked = sorted(found, key=lambda r: first(r.mask), reverse=True)
        if not -len(ranked) <= n <= len(ranked) or n == 0:
            raise wrong_count(what, n, found)
        return [ranked[n - 1 if n > 0 else n]]
    if selector.superlative:
        key = SUPERLATIVES[selector.superlative]
        ranked = sorted(found, key=lambda r: key(r.mask), reverse=True)
        return ranked[: count if isinstance(count, int) else 1]
    if count == "all":
        return found
    sized = _by_size_word(found, selector)
    if len(sized) == count:
        return sized
    if count == 1:
        raise tie(what, sized)
    raise wrong_count(what, int(count), sized)


def _by_size_word(found: list[Region], selector: Selector) -> list[Region]:
    """For “the small one”: the one clearly smaller than all others; else all of them."""
    words = SIZES & set(selector.attrs)
    if not words or selector.count != 1 or len(found) < 2:
        return found
    ranked = sorted(found, key=lambda r: r.mask.area)
    if words & {"small", "little", "tiny"}:
        return ranked[:1] if ranked[1].mask.area > 1.3 * ranked[0].mask.area else found
    return ranked[-1:] if ranked[-1].mask.area > 1.3 * ranked[-2].mask.area else found


def _names(seen: Seen) -> list[str]:
    return list(dict.fromkeys(r.label for r in seen.known if r.label))


def _main_color(image: RGB, mask: Mask) -> str:
    x0, y0, x1, y1 = mask.box
    pixels = image[y0:y1, x0:x1][mask.crop]
    r, g, b = (int(v) for v in np.median(pixels, axis=0))
    return name_of((r, g, b))


def _named_pixels(image: RGB, names: frozenset[str]) -> np.ndarray:
    """The pixels whose colour has one of these names, cleaned of specks; bool (H, W)."""
    height, width = image.shape[:2]
    scale = min(1.0, _COLOR_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    smooth = cv2.bilateralFilter(small, 5, 30, 3)
    # Colours are named in steps of 8 levels: a few thousand look-ups instead of a million.
    codes = (smooth >> 3).astype(np.int32) @ np.array([1024, 32, 1])
    present, inverse = np.unique(codes, return_inverse=True)
    hit = np.array([_code_name(int(code)) in names for code in present])
    found = hit[inverse].reshape(codes.shape).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, masks.disc(1))
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, masks.disc(2))
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) > 0


def _code_name(code: int) -> str:
    return name_of(((code >> 10) * 8 + 4, (code >> 5) % 32 * 8 + 4, code % 32 * 8 + 4))
