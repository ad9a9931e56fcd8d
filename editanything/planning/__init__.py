"""How each operation of a command becomes steps: which pixels, which numbers, which words."""

from __future__ import annotations

from collections.abc import Callable

from editanything.command.types import Operation
from editanything.errors import Refusal
from editanything.planning.draft import Draft, target_of
from editanything.planning.draw import add
from editanything.planning.frame import crop, outpaint, upscale
from editanything.planning.paint import filter_, modify, remove, replace_
from editanything.planning.place import duplicate, flip, move, resize, rotate
from editanything.planning.redraw import edit_text, scene, style
from editanything.planning.transfer import transfer
from editanything.types import Step

__all__ = ["PLANNERS"]


def _only_shows(draft: Draft, operation: Operation) -> list[Step]:
    draft.find(target_of(operation))
    raise Refusal(
        "“Select” changes nothing: the app shows the selection, and `editanything segment` saves "
        "it as a mask.",
        reason="nothing_to_do",
    )


def _needs_session(_: Draft, operation: Operation) -> list[Step]:
    raise Refusal(
        f"“{operation.op}” needs a session with a history; use the web editor.",
        reason="unsupported",
    )


#: A new operation is one more function and one line here, and one more in a backend.
PLANNERS: dict[str, Callable[[Draft, Operation], list[Step]]] = {
    "add": add,
    "remove": remove,
    "modify": modify,
    "filter": filter_,
    "move": move,
    "duplicate": duplicate,
    "resize": resize,
    "rotate": rotate,
    "flip": flip,
    "replace": replace_,
    "transfer": transfer,
    "style": style,
    "scene": scene,
    "edit_text": edit_text,
    "crop": crop,
    "outpaint": outpaint,
    "upscale": upscale,
    "select": _only_shows,
    "undo": _needs_session,
    "redo": _needs_session,
    "variations": _needs_session,
    "compare": _needs_session,
}
