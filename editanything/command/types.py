"""What a command says, as frozen values; `to_dict()` is the schema of docs/commands.md."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

#: A quantity: "small" or "large", or {"value": number, "unit": "px" | "%"}.
Amount = str | dict[str, Any]
Count = int | str  # a number, or "all"

REASONS = (
    "empty", "nonsense", "no_target", "no_operation", "no_value", "unresolved_reference",
    "contradiction", "nothing_to_do", "missing_source", "vague", "not_an_edit", "unsupported",
    "unsafe",
)  # fmt: skip
#: Said no to, rather than asked back.
REJECTED = frozenset({"not_an_edit", "unsupported", "unsafe"})


@dataclass(frozen=True)
class Selector:
    """Words that mean a part of the picture; finding that part is the grounder's task."""

    noun: str  # singular; "*", "background", "@image" and "@selection" are special
    attrs: tuple[str, ...] = ()
    count: Count = 1
    ordinal: tuple[int, str | None] | None = None  # (n, from which side)
    superlative: str | None = None
    region: str | None = None
    relation: Relation | None = None
    part_of: Selector | None = None
    exclude: Selector | None = None
    image: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The selector of docs/commands.md; absent parts are left out."""
        out: dict[str, Any] = {"noun": self.noun, "attrs": list(self.attrs), "count": self.count}
        if self.ordinal is not None:
            out["ordinal"] = {"n": self.ordinal[0], "from": self.ordinal[1]}
        for name in ("superlative", "region", "relation", "part_of", "exclude", "image"):
            value = getattr(self, name)
            if value is not None:
                out[name] = _plain(value)
        return out


@dataclass(frozen=True)
class Relation:
    """How a thing lies to other things: `rel` is one of the keys of [relations] in places.txt."""

    rel: str
    anchors: tuple[Selector, ...]

    def to_dict(self) -> dict[str, Any]:
        """`{"rel": ..., "anchors": [...]}`."""
        return {"rel": self.rel, "anchors": [anchor.to_dict() for anchor in self.anchors]}


@dataclass(frozen=True)
class Where:
    """The place of something new: beside something, in a part of the frame, or anywhere."""

    relation: Relation | None = None
    region: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """`{"relation": ...}`, `{"region": ...}` or `{}`."""
        if self.relation is not None:
            return {"relation": self.relation.to_dict()}
        return {"region": self.region} if self.region is not None else {}


@dataclass(frozen=True)
class Operation:
    """One thing to do; only the slots that the operation has are set."""

    op: str
    target: Selector | None = None
    other: Selector | None = None
    subject: Selector | None = None
    attribute: str | None = None
    attribute_alt: tuple[str, ...] | None = None
    value: str | None = None
    kind: str | None = None
    mode: str | None = None
    direction: str | None = None
    amount: Amount | None = None
    factor: float | None = None
    copies: int | None = None
    angle: float | None = None  # degrees, clockwise
    axis: str | None = None
    sides: tuple[str, ...] | None = None
    steps: Count | None = None
    n: int | None = None
    count: Count | None = None
    where: Where | None = None
    preserve: tuple[Selector, ...] | None = None
    related: tuple[str, ...] | None = None
    related_keep: tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The operation of docs/commands.md; absent slots are left out."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: _plain(value) for name, value in values if value is not None}


@dataclass(frozen=True)
class Command:
    """What a sentence asks for, or why it cannot be done and what to ask back."""

    text: str
    status: str  # "ok", "clarify" (ask one question), "reject" (say no)
    reason: str | None = None
    ops: tuple[Operation, ...] = ()
    question: str = ""
    not_understood: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.status in {"ok", "clarify", "reject"}, self.status
        assert (self.status == "ok") == (self.reason is None), self
        assert self.reason is None or self.reason in REASONS, self.reason

    def to_dict(self) -> dict[str, Any]:
        """`status`, `reason`, `ops`, then `question` and `not_understood`."""
        return {
            "status": self.status,
            "reason": self.reason,
            "ops": [op.to_dict() for op in self.ops],
            "question": self.question,
            "not_understood": list(self.not_understood),
        }


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
