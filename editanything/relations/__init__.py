"""Which regions of a picture belong together, and what goes along with which operation."""

from editanything.relations.effects import Effect, find_effects, light_angle
from editanything.relations.pairs import Edge, find_edges
from editanything.relations.policy import POLICY, name_of

__all__ = ["POLICY", "Edge", "Effect", "find_edges", "find_effects", "light_angle", "name_of"]
