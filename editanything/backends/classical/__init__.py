"""Editing without any model: classical image processing, on any CPU, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from editanything.backends.classical.background import replace
from editanything.backends.classical.filters import KINDS, filtered
from editanything.backends.classical.paste import transfer
from editanything.backends.classical.place import place
from editanything.backends.classical.recolour import modify
from editanything.backends.classical.remove import outpaint, remove
from editanything.errors import Refusal
from editanything.progress import Progress
from editanything.types import Painted, Task

__all__ = ["OPERATIONS", "Classical"]

#: What each operation does; a new one is a function (task, progress) -> Painted and a line here.
OPERATIONS: dict[str, Callable[[Task, Progress | None], Painted]] = {
    "remove": remove,
    "outpaint": outpaint,
    "modify": modify,
    "filter": filtered,
    "move": place,
    "duplicate": place,
    "resize": place,
    "rotate": place,
    "flip": place,
    "replace": replace,
    "transfer": transfer,
}

#: What an operation must be told, as alternatives; those not named here need nothing.
_NEEDS: dict[str, tuple[str, ...]] = {
    "modify": ("color",),
    "filter": ("kind",),
    "move": ("matrix",),
    "duplicate": ("matrix",),
    "resize": ("matrix",),
    "rotate": ("matrix",),
    "flip": ("matrix",),
    "replace": ("color", "transparent", "frame"),
    "transfer": ("matrix",),
}


class Classical:
    """The backend of the default preset for everything that needs nothing new to be invented."""

    def can(self, op: str, params: Mapping[str, Any]) -> bool:
        """Whether this backend carries out such a step, with these parameters resolved."""
        if op not in OPERATIONS:
            return False
        if op == "filter":
            return params.get("kind") in KINDS
        if op == "transfer" and params.get("mode") not in ("insert", "replace"):
            return False
        needs = _NEEDS.get(op)
        return needs is None or any(need in params for need in needs)

    def why_not(self, op: str, params: Mapping[str, Any]) -> str:  # noqa: ARG002
        """Nothing to say of what is drawn."""
        return ""

    def paint(self, task: Task, progress: Progress | None = None) -> Painted:
        """Carry out one step on one crop; never writes to the task's arrays.

        Raises:
            Refusal: the step is none of this backend's.
            Cancelled: the progress callback asked to stop.
        """
        if not self.can(task.op, task.params):
            raise Refusal(
                f"{task.op!r} with {sorted(task.params)} is nothing that image processing alone "
                f"can do; it does {', '.join(OPERATIONS)}.",
                reason="unsupported",
            )
        return OPERATIONS[task.op](task, progress)
