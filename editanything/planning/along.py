"""What goes along with a target: found, shown with a switch, and put into the step.

The policy (relations/policy.py) says what is taken, what is only shown; words and switches come
before it. A step has one target: all that goes along is part of it, or of the hole that its effects
leave, so one pass of a backend edits everything together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything import masks
from editanything.command.types import Operation
from editanything.planning.draft import Draft
from editanything.relations.effects import ASKED_FROM, SHOWN_FROM, SURE_FROM, Effect, find_effects
from editanything.relations.policy import POLICY, WORDS, wanted
from editanything.types import Mask, Related, Shade, Step

#: From this alpha on, a pixel of an effect is painted anew; its faint rim is part of it.
_FAINT = 0.12
_RIM_PX = 2
_MOST_THINGS = 4


@dataclass(frozen=True, eq=False)
class _Found:
    related: Related
    effect: Effect


def with_effects(draft: Draft, operation: Operation, step: Step) -> Step:
    """`step` with the shadows and mirror images that go along; all are shown in `draft.related`.

    Args:
        draft: the plan so far; what is found is added to it.
        operation: what the user asked for.
        step: of that operation, with its target; its old place is emptied or kept.
    """
    if step.op == "add":
        casts = draft.take_related and bool(step.params.get("shadow"))
        return _inserted(draft, step) if casts else step
    if step.op in ("redraw", "drag"):
        gives_way = "replace" in (operation.op, operation.mode)
        return _with_old_effects(draft, operation, step) if gives_way else step
    policy = set(POLICY.get(operation.op, {})) & {"casts", "mirrors"}
    if not (policy or operation.related) or step.frame is not None:
        return step
    if step.op == "replace" and "prompt" not in step.params:  # a background
        return step
    if step.params.get("mode") == "insert":
        return _inserted(draft, step) if draft.take_related else step
    target = step.target
    found = list(_found(draft, operation, target))
    for word in operation.related or ():
        if not any(f.effect.type == WORDS[word] for f in found):
            draft.notes.append(f"I see no {word} of it, so there is none to take along.")
    on = [f.effect for f in found if f.related.on]
    if operation.op in ("modify", "filter"):
        return _recoloured(step, on)
    return _drawn_anew(_emptied(step, on), on) if on else step


def _with_old_effects(draft: Draft, operation: Operation, step: Step) -> Step:
    """The step with the effects of what gives way in its area, to be painted over too."""
    if step.params.get("kind") not in ("thing", "replace"):
        return step
    on = [found.effect for found in _found(draft, operation, step.target) if found.related.on]
    hole = masks.union(*(_pixels(effect) for effect in on)) if on else None
    if hole is None:
        return step
    hole = masks.minus(hole, step.keep) if step.keep is not None else hole
    return replace(step, hole=hole, area=masks.union(step.area, hole))


def _emptied(step: Step, effects: list[Effect]) -> Step:
    """The step with the effects' pixels in its hole, where the target leaves its place."""
    drawn = step.op == "replace" and "prompt" in step.params
    if not (step.op == "remove" or drawn or step.params.get("fill_source")):
        return step
    hole = masks.union(*(_pixels(effect) for effect in effects))
    if step.keep is not None:
        hole = masks.minus(hole, step.keep)
    return replace(step, hole=hole, area=masks.union(step.area, hole))


def _drawn_anew(step: Step, effects: list[Effect]) -> Step:
    """The step with the target's effects where it lands, if it lands anywhere."""
    shadow = next((e for e in effects if e.type == "casts"), None)
    if "prompt" in step.params:
        for effect in effects:
            step = _with_room_below(step, effect) if effect.type == "mirrors" else step
        return step if shadow is None else _in_light(step, shadow)
    if "matrix" not in step.params:
        return step
    for effect in effects:
        step = _with_mirror(step, effect) if effect.type == "mirrors" else step
    return step if shadow is None else _with_shadow(step, shadow)


def _inserted(draft: Draft, step: Step) -> Step:
    """What comes new throws a shadow, and is mirrored, as the things around it are."""
    things = sorted((r.mask for r in draft.scene.known), key=lambda m: -m.area)
    told: dict[str, Effect] = {}
    for thing in things[:_MOST_THINGS]:
        for effect in find_effects(draft.scene.image, thing, things, least_score=SURE_FROM):
            if effect.type == "mirrors" or effect.light is not None:
                told.setdefault(effect.type, effect)
    drawn = step.op == "add"
    if "mirrors" in told:
        draft.notes.append(f"It is mirrored as the others are: {told['mirrors'].evidence}.")
        below = _with_room_below if drawn else _with_mirror
        step = below(step, told["mirrors"])
    if "casts" in told:
        draft.notes.append(f"Its shadow falls as the others do: {told['casts'].evidence}.")
        step = _in_light(step, told["casts"]) if drawn else _with_shadow(step, told["casts"])
    return step


def _found(draft: Draft, operation: Operation, target: Mask) -> Iterator[_Found]:
    """Every effect of every thing of the target, with its switch; numbered as they come."""
    kept = {WORDS[word] for word in operation.related_keep or () if word in WORDS}
    said = {WORDS[word] for word in operation.related or () if word in WORDS}
    least = ASKED_FROM if said else SHOWN_FROM
    others = [r.mask for r in draft.scene.known]
    things = _things(target)
    for thing in things:
        rest = [m for m in (*others, *things) if m is not thing]
        for effect in find_effects(draft.scene.image, thing, rest, least_score=least):
            state = wanted(
                operation.op, effect.type, asked=effect.type in said, kept=effect.type in kept
            )
            if state is None or (effect.score < SHOWN_FROM and effect.type not in said):
                continue
            sure = effect.type in said or effect.score >= SURE_FROM
            default = state == "take" and sure and (draft.take_related or effect.type in said)
            on = draft.switched.get(len(draft.related), default)
            told = effect.type, effect.score, effect.evidence
            related = Related(*told, on, effect.pixels(), (effect.box, effect.crop))
            draft.related.append(related)
            yield _Found(related, effect)


def _things(target: Mask) -> list[Mask]:
    """The separate things of a target: its large parts, where they lie apart."""
    reach = max(3, round(0.04 * np.sqrt(target.area)))
    joined = masks.grow(target, reach)
    count, labels = cv2.connectedComponents(joined.crop.astype(np.uint8))
    if count <= 2:
        return [target]
    x, y = joined.box[:2]
    inside = target.within(joined.box)
    parts = [
        Mask.placed(target.shape, (x, y), (labels == number) & inside) for number in range(1, count)
    ]
    parts.sort(key=lambda part: -part.area)
    return [p for p in parts[:_MOST_THINGS] if p.area > 0.1 * parts[0].area]


def _pixels(effect: Effect) -> Mask:
    """All pixels that show the effect, the faint rim too."""
    return masks.grow(effect.pixels(_FAINT), _RIM_PX)


def _with_shadow(step: Step, effect: Effect) -> Step:
    """The step with the target's shadow drawn where it lands."""
    matrix = np.array(step.params["matrix"], np.float64)
    shape = step.target.shape
    thing = step.target if step.reference is None else step.reference.mask
    landing = masks.warp(thing, matrix, shape)
    if landing.area == 0:
        return step
    keeps_shape = step.op in ("move", "duplicate", "resize")  # and its foot stays its foot
    if keeps_shape or effect.light is None:
        along = matrix if keeps_shape else _from_to(step.target, landing)
        alpha = cv2.warpAffine(effect.alpha, along, shape[::-1])
    else:
        alpha = cast_shadow(landing, effect.light)
    seen = Mask.of(alpha > 0.02)
    if seen.area == 0:
        return step
    x0, y0, x1, y1 = seen.box
    shade = Shade(seen.box, alpha[y0:y1, x0:x1].copy(), effect.drop)
    params = dict(step.params) | {"drop": effect.drop}
    if effect.light is not None:
        params["light"] = effect.light
    area = masks.union(step.area, seen if step.keep is None else masks.minus(seen, step.keep))
    return replace(step, shade=shade, area=area, params=params)


def _in_light(step: Step, effect: Effect) -> Step:
    """The step of a thing yet to be drawn, with room for its shadow in the scene's light."""
    if effect.light is None:
        return step
    x0, y0, x1, y1 = step.target.box
    (kx, ky), high = effect.light, y1 - y0
    left, right = min(0.0, kx * high), max(0.0, kx * high)
    below = max(0.0, -ky * high)
    room = np.ones((round(high + below), round(x1 - x0 + right - left)), bool)
    there = Mask.placed(step.target.shape, (round(x0 + left), y0), room)
    params = dict(step.params) | {"light": effect.light, "drop": effect.drop}
    if step.keep is not None:
        there = masks.minus(there, step.keep)
    return replace(step, area=masks.union(step.area, there), params=params)


def _with_room_below(step: Step, effect: Effect) -> Step:
    """The step of a thing yet to be drawn, with room for its mirror image."""
    x0, y0, x1, y1 = step.target.box
    room = np.ones((max(1, round(effect.factor * (y1 - y0))), x1 - x0), bool)
    there = masks.grow(Mask.placed(step.target.shape, (x0, y1), room), _RIM_PX)
    if step.keep is not None:
        there = masks.minus(there, step.keep)
    params = dict(step.params) | {"mirror": (effect.strength, effect.factor)}
    return replace(step, area=masks.union(step.area, there), params=params)


def _with_mirror(step: Step, effect: Effect) -> Step:
    """The step with the target's mirror image drawn below where it lands."""
    landing = masks.warp(
        step.target if step.reference is None else step.reference.mask,
        np.array(step.params["matrix"], np.float64),
        step.target.shape,
    )
    if landing.area == 0:
        return step
    foot, factor = landing.box[3] - 0.5, effect.factor
    flipped = masks.warp(landing, np.array([[1, 0, 0], [0, -factor, foot * (1 + factor)]]))
    more = masks.grow(flipped, _RIM_PX)
    if step.keep is not None:
        more = masks.minus(more, step.keep)
    params = dict(step.params) | {"mirror": (effect.strength, factor)}
    return replace(step, area=masks.union(step.area, more), params=params)


def cast_shadow(thing: Mask, light: tuple[float, float]) -> NDArray[np.float32]:
    """(H, W) the shadow that a standing thing throws on level ground, softer away from its foot.

    Args:
        thing: its pixels.
        light: (kx, ky): a point at height h throws its shadow to (x + kx h, foot - ky h).
    """
    kx, ky = light
    foot = thing.box[3] - 1.0
    matrix = np.array([[1, -kx, kx * foot], [0, ky, foot * (1 - ky)]])
    soft = cv2.warpAffine(thing.full().astype(np.float32), matrix, thing.shape[::-1])
    tall = thing.box[3] - thing.box[1]
    near = cv2.GaussianBlur(soft, (0, 0), 0.8)
    far = cv2.GaussianBlur(soft, (0, 0), max(0.8, 0.025 * tall))
    rows = np.arange(thing.shape[0], dtype=np.float32)[:, None]
    share = np.clip(np.abs(rows - foot) / max(tall * abs(ky), 1.0), 0, 1)
    return (near + share * (far - near)).astype(np.float32)


def _from_to(old: Mask, new: Mask) -> NDArray[np.float64]:
    """The map that carries the foot of one thing to that of another, scaled with its width."""
    scale = (new.box[2] - new.box[0]) / max(old.box[2] - old.box[0], 1)
    x0, y0 = (old.box[0] + old.box[2] - 1) / 2, old.box[3] - 1.0
    x1, y1 = (new.box[0] + new.box[2] - 1) / 2, new.box[3] - 1.0
    return np.array([[scale, 0, x1 - scale * x0], [0, scale, y1 - scale * y0]])


def _recoloured(step: Step, effects: list[Effect]) -> Step:
    """One colour curve for the target and its mirror images."""
    along = [effect.pixels() for effect in effects]
    if not along:
        return step
    more = masks.union(*along)
    if step.keep is not None:
        more = masks.minus(more, step.keep)
    return replace(step, target=masks.union(step.target, more), area=masks.union(step.area, more))
