"""Which regions of a picture belong together, and what goes along with which operation."""

from editanything.relations.effects import Effect, find_all_effects, find_effects, light_angle
from editanything.relations.graph import Graph, region_graph
from editanything.relations.pairs import Edge, find_edges
from editanything.relations.policy import POLICY, name_of

__all__ = [
    "POLICY",
    "Edge",
    "Effect",
    "Graph",
    "find_all_effects",
    "find_edges",
    "find_effects",
    "light_angle",
    "name_of",
    "region_graph",
]
