"""The graph of a picture's regions: what belongs to what, how surely, and why, in words.

Effects that no segmenter returns, shadows and mirror images, are regions of the graph too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from editanything.relations.effects import SHOWN_FROM, Effect, find_all_effects
from editanything.relations.likeness import Features
from editanything.relations.pairs import Edge, find_edges
from editanything.types import RGB, Float2D, Region

#: An edge's type -> what it is called from its other end.
INVERSE = {
    "part_of": "has_part", "on": "supports", "worn": "wears", "held": "holds",
    "attached": "attached", "occludes": "occluded_by", "produces": "produced_by",
    "names": "named_by", "casts": "cast_by", "mirrors": "mirrored_by", "twin": "twin",
    "same_kind": "same_kind",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Graph:
    """Regions and the edges between them.

    Attributes:
        regions: those that were given, then one for each effect ("shadow", "reflection").
        edges: likely ones first.
        effects: id of an effect's region -> the effect.
    """

    regions: tuple[Region, ...]
    edges: tuple[Edge, ...]
    effects: dict[int, Effect]

    @property
    def alphas(self) -> dict[int, Float2D]:
        """Id of an effect's region -> (H, W) how much of it lies on each pixel; made anew."""
        return {number: effect.alpha for number, effect in self.effects.items()}

    def of(self, number: int) -> tuple[Edge, ...]:
        """All edges of a region, each with the region as its source: inverse ones are turned."""
        out = []
        for edge in self.edges:
            if edge.source == number:
                out.append(edge)
            elif edge.target == number:
                turned = INVERSE[edge.type]
                out.append(replace(edge, type=turned, source=number, target=edge.source))
        return tuple(out)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: regions by id, name and pixels; edges as they are."""
        return {
            "regions": [
                {"id": r.id, "label": r.label, "pixels": r.mask.area} for r in self.regions
            ],
            "edges": [vars(edge) for edge in self.edges],
        }


def region_graph(
    image: RGB,
    regions: Sequence[Region],
    *,
    features: Features | None = None,
    least_score: float = SHOWN_FROM,
) -> Graph:
    """The graph of a picture.

    Args:
        image: RGB uint8 (H, W, 3).
        regions: with or without names; ids are unlike.
        features: an encoder that says how alike two regions are; None: shape and colour alone.
        least_score: less likely edges are left out.
    """
    edges = list(find_edges(image, regions, features=features))
    found = list(regions)
    held: dict[int, Effect] = {}
    names = {"casts": "shadow", "mirrors": "reflection"}
    number = max((region.id for region in regions), default=0)
    every = find_all_effects(image, [r.mask for r in regions], least_score=least_score)
    for region, effects in zip(regions, every, strict=True):
        for effect in effects:
            number += 1
            found.append(Region(number, effect.pixels(), names[effect.type]))
            held[number] = effect
            edges.append(Edge(effect.type, region.id, number, effect.score, effect.evidence))
    likely = [edge for edge in edges if edge.score >= least_score]
    return Graph(tuple(found), tuple(sorted(likely, key=lambda e: -e.score)), held)
