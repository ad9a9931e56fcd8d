"""Steps that paint a region, or the picture, anew by words: for backends with a generative model.

What such a backend gets: `params["prompt"]`, the words for what will be there, and
`params["kind"]`, what they are about.
"""

from __future__ import annotations

from dataclasses import replace

from editanything.command.describe import describe
from editanything.command.types import Operation, Selector
from editanything.errors import Refusal
from editanything.planning.draft import Draft, is_background, is_whole, make_step, target_of
from editanything.types import Mask, Step

REDRAW = "redraw"
#: How a value is told of a thing, by attribute; where none stands, before its noun.
_AFTER = {
    "expression": "{noun} with the expression “{value}”",
    "state": "{noun}, {value}",
    "pose": "{noun}, {value}",
    "style": "{noun} in the style of {value}",
    "appearance": "{noun}, {value}",
    "text": "{noun} that says “{value}”",
    "hairstyle": "{value} hair",
}
_SCENES = "the same scene, {value}"
_STYLES = "{value}"


def can_redraw(draft: Draft, prompt: str, kind: str) -> bool:
    """Whether a backend paints such words."""
    return draft.can(REDRAW, {"prompt": prompt, "kind": kind})


def redrawn(
    draft: Draft, operation: Operation, what: str, target: Mask, *, prompt: str, kind: str
) -> Step:
    """One step that paints `target` anew, with a margin for what the new thing needs more."""
    params = {"prompt": prompt, "kind": kind}
    step = make_step(draft, operation, what, target, op=REDRAW, params=params)
    whole = target.area == target.shape[0] * target.shape[1]
    return replace(step, feather_px=0.0) if whole else step


def changed(draft: Draft, operation: Operation) -> Step | None:
    """A thing with another material, age, expression...: None where no backend paints it."""
    selector, value = target_of(operation), str(operation.value)
    attribute = operation.attribute or "appearance"
    prompt = told(selector, attribute, value)
    if not can_redraw(draft, prompt, attribute):
        return None
    what = f"make {describe(selector)} {value}"
    return redrawn(draft, operation, what, draft.find(selector), prompt=prompt, kind=attribute)


def put(draft: Draft, operation: Operation) -> Step | None:
    """Something else in the place of a thing, or a background; None where no backend paints it."""
    selector, value = target_of(operation), str(operation.value)
    kind = "background" if is_background(selector) else "thing"
    if not can_redraw(draft, value, kind):
        return None
    what = f"replace {describe(selector)} with {value}"
    return redrawn(draft, operation, what, draft.find(selector), prompt=value, kind=kind)


def style(draft: Draft, operation: Operation) -> list[Step]:
    """The picture, or a part of it, as a watercolour, a pencil drawing, ..."""
    return [_remade(draft, operation, "style", _STYLES)]


def scene(draft: Draft, operation: Operation) -> list[Step]:
    """The picture, or a part of it, in another season, weather or light."""
    return [_remade(draft, operation, "scene", _SCENES)]


def edit_text(draft: Draft, operation: Operation) -> list[Step]:
    """Other letters where letters stand."""
    selector, value = target_of(operation), str(operation.value)
    prompt = told(Selector(noun="text"), "text", value)
    _check(draft, operation, prompt, "text")
    what = f"change {describe(selector)} to “{value}”"
    return [redrawn(draft, operation, what, draft.find(selector), prompt=prompt, kind="text")]


def _remade(draft: Draft, operation: Operation, kind: str, words: str) -> Step:
    selector, value = target_of(operation), str(operation.value)
    thing = "" if is_whole(selector) or selector.noun.startswith("@") else _noun(selector)
    prompt = words.format(value=value) + (f", {thing}" if thing else "")
    _check(draft, operation, prompt, kind)
    what = f"turn {describe(selector)} into {value}"
    return redrawn(draft, operation, what, draft.find(selector), prompt=prompt, kind=kind)


def _check(draft: Draft, operation: Operation, prompt: str, kind: str) -> None:
    if not can_redraw(draft, prompt, kind):
        raise Refusal(
            f"The preset's backends cannot do “{operation.op.replace('_', ' ')}”: it needs "
            "something new to be drawn, and that takes a preset with a generative model, such as "
            "sd15 or flux-fill.",
            reason="unsupported",
        )


def told(selector: Selector, attribute: str, value: str) -> str:
    """The words for a thing as it will be: "wooden cup", "door, open"."""
    noun = _noun(selector)
    if not noun:
        return value
    return _AFTER.get(attribute, "{value} {noun}").format(noun=noun, value=value)


def _noun(selector: Selector) -> str:
    """The thing without its article and place; "" where only pointing says what it is."""
    if selector.noun.startswith("@") or selector.noun == "*":
        return ""
    return " ".join((*selector.attrs, selector.noun))
