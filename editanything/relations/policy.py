"""What goes along with what: one table, operation by relation.

"take": edited together, if it is likely enough; "ask": shown with its switch off; what is not
named is not even looked for. Words come before the table: "and its shadow", "but keep the
reflection", "both".
"""

from __future__ import annotations

from collections.abc import Mapping

_EFFECTS = {"casts": "take", "mirrors": "take"}
_ATTACHED = {
    "worn": "take", "held": "take", "attached": "take", "has_part": "take", "produces": "take",
    "names": "take",
}  # fmt: skip

#: What happens to what belongs to a thing: operation -> relation -> "take" or "ask".
POLICY: Mapping[str, Mapping[str, str]] = {
    "remove": {**_EFFECTS, **_ATTACHED, "on": "ask"},
    "move": {**_EFFECTS, **_ATTACHED},
    "resize": {**_EFFECTS, **_ATTACHED},
    "flip": {**_EFFECTS, **_ATTACHED},
    "rotate": _EFFECTS,
    "duplicate": {"casts": "take"},
    "transfer": _EFFECTS,
    "replace": _EFFECTS,
    "modify": {"twin": "ask", "same_kind": "ask", "mirrors": "ask"},
}

#: The word of a command -> the relation.
WORDS = {"shadow": "casts", "reflection": "mirrors"}
#: The relation -> what the user reads.
NAMES = {
    "casts": "shadow", "mirrors": "reflection", "worn": "worn by it", "held": "held by it",
    "attached": "attached to it", "produces": "made by it", "names": "its label",
    "has_part": "part of it", "on": "standing on it", "twin": "twin", "same_kind": "same kind",
}  # fmt: skip


def name_of(relation: str) -> str:
    """What a user reads for a relation: "shadow" for "casts"."""
    return NAMES.get(relation, relation)


def wanted(op: str, relation: str, *, asked: bool, kept: bool) -> str | None:
    """What happens to a relation: "take", "ask" or None, once words have been heard."""
    if kept:
        return None
    return "take" if asked else POLICY.get(op, {}).get(relation)
