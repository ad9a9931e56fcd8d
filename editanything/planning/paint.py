"""Steps that change how a region looks and leave it in its place: remove, recolour, filter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from editanything.colors import comparative, parse_color
from editanything.command.describe import describe
from editanything.command.types import Amount, Operation
from editanything.errors import Refusal
from editanything.planning import redraw
from editanything.planning.draft import Draft, is_background, make_step, target_of
from editanything.planning.draw import put_instead
from editanything.types import Step

# Words for light that a user says where others say "brighten".
LIGHTNESS = {
    "brighter": "brighten", "lighter": "brighten", "bright": "brighten", "light": "brighten",
    "darker": "darken", "dark": "darken", "more colorful": "saturate", "colorful": "saturate",
    "vivid": "saturate", "black and white": "grayscale", "monochrome": "grayscale",
}  # fmt: skip


def remove(draft: Draft, operation: Operation) -> list[Step]:
    """Fill the target from its surroundings; a removed background becomes transparent."""
    selector = target_of(operation)
    target = draft.find(selector)
    what = f"remove {describe(selector)}"
    if is_background(selector):
        if not draft.has_opacity:
            draft.notes.append(
                "The picture has transparency from now on: PNG, WebP and TIFF keep it, JPEG cannot."
            )
        params = {"transparent": True}
        return [make_step(draft, operation, what, target, op="replace", params=params)]
    if target.area == target.shape[0] * target.shape[1]:
        raise Refusal(
            "There would be nothing left of the picture; say what to remove.", reason="no_target"
        )
    return [make_step(draft, operation, what, target)]


def modify(draft: Draft, operation: Operation) -> list[Step]:
    """Recolour; every other attribute needs something new to be drawn.

    Raises:
        Refusal: a value that is no colour.
    """
    selector, value = target_of(operation), str(operation.value)
    if is_background(selector) and value in ("transparent", "see-through"):
        return remove(draft, operation)
    color, strength = parse_color(value), 1.0
    if color is None and (base := comparative(value)) is not None:
        color, strength = parse_color(base), 0.5
    if value.lower() in LIGHTNESS:
        return _filter(draft, operation, LIGHTNESS[value.lower()], None)
    if color is None:
        step = redraw.changed(draft, operation)
        if step is not None:
            return [step]
        raise Refusal(
            f"“{value}” is no colour that I know, and this preset can change colours, light and "
            "sharpness, but not materials, styles or shapes.",
            reason="unsupported",
            question=f"Which colour is “{value}”? Give it as a name or as #rrggbb.",
        )
    if draft.is_grey and len(set(color)) > 1:
        draft.notes.append(
            f"The picture is greyscale, so “{value}” becomes a shade of grey; save it as RGB first "
            "to have colour."
        )
    target = draft.find(selector)
    params = {"color": color, "strength": strength}
    what = f"make {describe(selector)} {value}"
    return [make_step(draft, operation, what, target, params=params)]


def filter_(draft: Draft, operation: Operation) -> list[Step]:
    """Blur, sharpen, brighten, ...: of a region, of the background or of the whole picture."""
    return _filter(draft, operation, str(operation.kind), operation.amount)


def _filter(draft: Draft, operation: Operation, kind: str, amount: Amount | None) -> list[Step]:
    selector = target_of(operation)
    target = draft.find(selector)
    height, width = draft.shape
    params: dict[str, Any] = {"kind": kind, "frame": (width, height)}
    if amount is not None:
        params["amount"] = _share(amount)
    what = f"{kind} {describe(selector)}"
    step = make_step(draft, operation, what, target, op="filter", params=params)
    whole = target.area == target.shape[0] * target.shape[1]
    return [replace(step, feather_px=0.0) if whole else step]


def _share(amount: Amount) -> float:
    """An amount in words or percent as a share in (0, 1]."""
    if isinstance(amount, str):
        return {"small": 0.25, "large": 0.9}.get(amount, 0.5)
    value = float(amount["value"]) / (100.0 if amount.get("unit") == "%" else 1.0)
    return min(max(value, 0.01), 1.0)


def replace_(draft: Draft, operation: Operation) -> list[Step]:
    """The background becomes a colour; a thing gives way to another that is drawn.

    Raises:
        Refusal: a background that would have to be drawn.
    """
    selector, value = target_of(operation), str(operation.value)
    color = parse_color(value)
    step = redraw.put(draft, operation) if color is None else None
    if step is not None:
        return [step]
    if not is_background(selector):
        return put_instead(draft, operation)
    if color is None:
        raise Refusal(
            f"This preset cannot draw “{value}” as a background: give a picture of it as the "
            "second picture and say “replace the background with image B”, or choose a preset "
            "with a generative model.",
            reason="unsupported",
        )
    target = draft.find(selector)
    what = f"make {describe(selector)} {value}"
    return [make_step(draft, operation, what, target, params={"color": color})]
