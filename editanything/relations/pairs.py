"""How regions belong to each other: part of, worn, held, standing on, twins; from masks and pixels.

Words help where regions have names (a hat is worn, an eye is a part), but nothing hangs on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything import masks
from editanything.relations.front import in_front
from editanything.relations.likeness import Features, cosines
from editanything.relations.words import BEARERS, LABELS, PARTS, PRODUCED, WORN
from editanything.types import RGB, Bool2D, Box, Mask, Region

Floats = NDArray[np.float32]


_SIDE_PX = 400  # longest side at which pairs are compared
_PLACE_SHARE = 0.22  # of the picture: what is larger, or lies along two edges of it, is a place
_PATCH = 32
_TOUCHES = 0.04  # of a rim: what is worn need not lie flat
_CLEARLY = 0.75  # in front: less is not told
_ALIKE, _UNLIKE = 0.75, 4.0  # cosine at which features say nothing, and how much they say else
_HELD, _HELD_BY_BEARER = 0.18, 0.08  # of a rim, by things, and by those who have hands or jaws


@dataclass(frozen=True)
class Edge:
    """One relation between two regions.

    Attributes:
        type: "part_of", "worn", "held", "attached", "on", "twin", "same_kind", "occludes",
            "produces" or "names"; in a graph also "casts" and "mirrors".
        source: id of the region that it is about: the part, what is worn, what stands, what lies
            in front, what names; for "produces", "casts" and "mirrors" it is the thing that does.
        target: id of the other.
        score: how likely, 0..1.
        evidence: why, in words.
    """

    type: str
    source: int
    target: int
    score: float
    evidence: str


@dataclass(frozen=True, eq=False)
class _Piece:
    """A region at the size at which pairs are compared."""

    region: Region
    mask: Bool2D
    image: NDArray[np.float32]  # CIELAB of the whole reduced picture

    @cached_property
    def area(self) -> int:
        return max(1, int(np.count_nonzero(self.mask)))

    @cached_property
    def box(self) -> Box:
        return Mask.of(self.mask).box

    @cached_property
    def rim(self) -> Bool2D:
        """The pixels around it."""
        return (cv2.dilate(self.mask.astype(np.uint8), masks.disc(2)) > 0) & ~self.mask

    def stands_on(self, other: Bool2D) -> float:
        """The share of the pixels below its lowest ones that are the other's, 0..1.

        A mask may end a little early: the row that says most is taken.
        """
        low = self.mask.copy()
        low[: self.box[3] - 3] = False
        best = 0.0
        for shift in (3, 6):
            down = np.zeros_like(low)
            down[shift:] = low[:-shift]
            down &= ~self.mask
            best = max(best, np.count_nonzero(down & other) / _count(down))
        return best

    @cached_property
    def filled(self) -> Bool2D:
        """It with its holes: a part may have been cut out of it."""
        return masks.fill_holes(Mask.of(self.mask)).full()

    @cached_property
    def is_place(self) -> bool:
        """Whether it is ground, wall or sky rather than a thing."""
        edges = (self.mask[0], self.mask[-1], self.mask[:, 0], self.mask[:, -1])
        along = sum(float(edge.mean()) > 0.3 for edge in edges)
        return self.area > _PLACE_SHARE * self.mask.size or along >= 2

    @cached_property
    def patch(self) -> tuple[Floats, Floats]:
        """Its shape and its colours, both scaled to a square."""
        x0, y0, x1, y1 = self.box
        size = (_PATCH, _PATCH)
        shape = self.mask[y0:y1, x0:x1].astype(np.float32)
        colour = self.image[y0:y1, x0:x1] * shape[..., None]
        soft = cv2.resize(shape, size, interpolation=cv2.INTER_AREA)
        return soft, cv2.resize(colour, size, interpolation=cv2.INTER_AREA)


def find_edges(
    image: RGB, regions: Sequence[Region], *, features: Features | None = None
) -> list[Edge]:
    """All relations between regions, likely ones first.

    Args:
        image: RGB uint8 (H, W, 3).
        regions: with or without names; parts may overlap what they are part of.
        features: an encoder that says how alike two regions are; None: shape and colour alone.
    """
    pieces = _pieces(image, regions)
    alike = None
    if features is not None and pieces:
        alike = cosines(features, image, [piece.region.mask.full() for piece in pieces])
    found: list[Edge] = []
    fronts: list[Edge] = []
    for i, a in enumerate(pieces):
        for j, b in enumerate(pieces[i + 1 :], i + 1):
            small, large = (a, b) if a.area <= b.area else (b, a)
            edge = None
            if _near(small.box, large.box):
                edge = _by_name(small, large) or _attached(small, large)
                fronts += _in_front(small, large) if edge is None else []
            if edge is None:
                edge = _twin(small, large, None if alike is None else float(alike[i, j]))
            if edge is not None:
                found.append(edge)
    return sorted([*_one_parent(found), *fronts], key=lambda edge: -edge.score)


def _by_name(small: _Piece, large: _Piece) -> Edge | None:
    """What is made by a thing, smoke or spray, and what is written on it: by their names."""
    for one, other in ((small, large), (large, small)):
        name = _noun(one.region)
        touches = max(_rim_share(one, other), np.count_nonzero(one.mask & other.mask) / one.area)
        if other.is_place or touches < _TOUCHES:
            continue
        if name in PRODUCED and _noun(other.region) not in PRODUCED:
            score, why = min(1.0, 0.75 + touches), f"{name}, {touches:.0%} of its rim touches it"
            return Edge("produces", other.region.id, one.region.id, score, why)
        if name in LABELS and touches > 0.5:
            score, why = min(1.0, 0.5 + touches / 2), f"{name}, {touches:.0%} of it lies on it"
            return Edge("names", one.region.id, other.region.id, score, why)
    return None


def _in_front(small: _Piece, large: _Piece) -> list[Edge]:
    """Which of two things that touch hides the other."""
    if small.is_place or large.is_place:
        return []
    seen = in_front(small.mask, large.mask)
    if seen is None or max(seen[0], 1 - seen[0]) < _CLEARLY:
        return []
    front, behind = (small, large) if seen[0] > 0.5 else (large, small)
    score = max(seen[0], 1 - seen[0])
    return [Edge("occludes", front.region.id, behind.region.id, score, seen[1])]


def _pieces(image: RGB, regions: Sequence[Region]) -> list[_Piece]:
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    out = []
    for region in regions:
        full = region.mask.full().astype(np.uint8)
        mask = cv2.resize(full, size, interpolation=cv2.INTER_AREA) > 0
        if np.count_nonzero(mask) >= 12:
            out.append(_Piece(region, mask, lab))
    return out


def _near(a: Box, b: Box) -> bool:
    return a[0] - 4 < b[2] and b[0] - 4 < a[2] and a[1] - 4 < b[3] and b[1] - 4 < a[3]


def _attached(small: _Piece, large: _Piece) -> Edge | None:
    """The smaller region as part of the larger, worn or held by it, or standing on it."""
    inside = np.count_nonzero(small.mask & large.mask) / small.area
    around = _rim_share(small, large)
    below = small.stands_on(large.mask)
    ids = small.region.id, large.region.id
    name, bearer = _noun(small.region), _noun(large.region)
    share = small.area / large.area
    if inside >= (0.55 if name in PARTS else 0.85) and share < 0.6:
        # Where masks overlap, whoever made them says that the one belongs to the other.
        kind = "worn" if name in WORN and bearer in BEARERS else "part_of"
        return Edge(kind, *ids, min(1.0, inside), f"{inside:.0%} of it lies in the other")
    if large.is_place:
        if small.is_place or below < 0.55:
            return None
        return Edge(
            "on", *ids, min(1.0, 0.4 + 0.6 * below), f"{below:.0%} of its foot stands on it"
        )
    touches = max(inside, around)
    if name in WORN and bearer in BEARERS and touches > _TOUCHES:
        return Edge("worn", *ids, min(1.0, 0.7 + touches), f"{name} on a {bearer}, touching")
    if bearer in WORN and name in BEARERS and _rim_share(large, small) > _TOUCHES:
        return Edge("worn", *ids[::-1], 0.75, f"{bearer} on a {name}, touching")
    around = max(around, np.count_nonzero(small.mask & large.filled) / small.area)
    if around >= (0.55 if name in PARTS else 0.85) and share < 0.6:
        return Edge(
            "part_of", *ids, min(1.0, around), f"{around:.0%} of it is enclosed by the other"
        )
    return _resting(small, large, around, below, ids)


def _rim_share(a: _Piece, b: _Piece) -> float:
    """The share of a's rim that is b."""
    return np.count_nonzero(a.rim & b.mask) / _count(a.rim)


def _resting(
    small: _Piece, large: _Piece, around: float, below: float, ids: tuple[int, int]
) -> Edge | None:
    """Two things that touch: the one on the other, or held by it."""
    tall = large.box[3] - large.box[1]
    holds = _noun(large.region) in BEARERS
    on_top = not holds or small.box[3] < large.box[1] + 0.35 * tall
    if below > 0.6 and small.box[3] < large.box[3] and on_top:
        return Edge("on", *ids, 0.4 + 0.5 * below, f"{below:.0%} of its foot stands on it")
    aloft = small.box[3] < large.box[3] - 0.12 * tall
    least = _HELD_BY_BEARER if holds else _HELD
    if around > least and aloft and small.area < 0.6 * large.area:
        score = min(0.95, 0.5 + around + 0.2 * holds)
        kind = "held" if holds or not large.region.label else "attached"
        return Edge(kind, *ids, score, f"{around:.0%} of its rim touches it, and it stands on air")
    return None


def _twin(a: _Piece, b: _Piece, alike: float | None) -> Edge | None:
    """Two of a kind: alike in size, shape (or mirrored) and colour, and to an encoder's eye."""
    if a.is_place or b.is_place or a.area / b.area < 0.55:
        return None
    if np.count_nonzero(a.mask & b.mask) > 0.1 * a.area:
        return None
    named = bool(a.region.label) and a.region.label == b.region.label
    if a.region.label and b.region.label and not named:
        return None
    shape, colour, mirrored = _likeness(a, b)
    ratio = (a.box[2] - a.box[0]) / max(b.box[2] - b.box[0], 1)
    if not 0.6 < ratio < 1.67 or shape < 0.72:
        return None
    logit = 14 * (shape - 0.8) + (14 - colour) / 4 + 1.5 * named
    if alike is not None:
        logit += _UNLIKE * (alike - _ALIKE) / (1 - _ALIKE)
    score = 1 / (1 + np.exp(-logit))
    if score < 0.5:
        return None
    how = "its mirror image in shape" if mirrored else "of its shape"
    evidence = f"{how} by {shape:.0%}, colours {colour:.0f} apart (CIELAB)"
    if alike is not None:
        evidence += f", features alike by {alike:.2f}"
    first, second = sorted((a.region.id, b.region.id))
    return Edge("twin", first, second, float(score), evidence)


def _likeness(a: _Piece, b: _Piece) -> tuple[float, float, bool]:
    """IoU of the two shapes in their boxes, the mean colour difference, and whether flipped."""
    (sa, ca), (sb, cb) = a.patch, b.patch
    best = (0.0, 100.0, False)
    for flipped in (False, True):
        s, c = (sb[:, ::-1], cb[:, ::-1]) if flipped else (sb, cb)
        iou = float(np.minimum(sa, s).sum() / max(float(np.maximum(sa, s).sum()), 1e-6))
        both = np.minimum(sa, s) > 0.5
        away = float(np.linalg.norm(ca - c, axis=2)[both].mean()) if both.any() else 100.0
        if iou - away / 60 > best[0] - best[1] / 60:
            best = iou, away, flipped
    return best


def _one_parent(edges: list[Edge]) -> list[Edge]:
    """A region is part of, worn by, or stands on one other: the one that is likeliest."""
    best: dict[tuple[str, int], Edge] = {}
    out = []
    for edge in edges:
        if edge.type in ("twin", "same_kind", "produces", "names"):
            out.append(edge)
            continue
        family = "on" if edge.type == "on" else "belongs"
        key = family, edge.source
        if key not in best or edge.score > best[key].score:
            best[key] = edge
    return _twins_or_kind([*out, *best.values()])


def _twins_or_kind(edges: list[Edge]) -> list[Edge]:
    """Of two alike, twins; of three and more, all of one kind."""
    count: dict[int, int] = {}
    for edge in edges:
        if edge.type == "twin":
            for number in (edge.source, edge.target):
                count[number] = count.get(number, 0) + 1
    return [
        Edge("same_kind", e.source, e.target, e.score, e.evidence)
        if e.type == "twin" and max(count[e.source], count[e.target]) > 1
        else e
        for e in edges
    ]


def _count(mask: Bool2D) -> int:
    return max(1, int(np.count_nonzero(mask)))


def _noun(region: Region) -> str:
    words = region.label.split()
    return words[-1] if words else ""
