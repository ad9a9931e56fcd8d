"""Command + regions -> EditPlan: every decision is visible and can be changed before a pixel is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from editanything.command.describe import describe
from editanything.command.types import Command, Operation, Selector
from editanything.errors import InputError, Refusal
from editanything.grounders.base import Grounder
from editanything.planning import PLANNERS
from editanything.planning.along import with_effects
from editanything.planning.beside import with_others
from editanything.planning.change import OF_CLAUSES, changed_operation, changed_step, checked
from editanything.planning.draft import Draft, SecondPicture
from editanything.planning.kin import with_kin
from editanything.planning.order import (
    clause_order,
    moved,
    places,
    renumbered,
    renumbered_related,
)
from editanything.progress import Progress
from editanything.recipe import Edit
from editanything.relations import name_of
from editanything.types import Backend, Box, Mask, Related, Seen, Step

if TYPE_CHECKING:
    from editanything.editor import EditResult

Apply = Callable[["EditPlan", Progress | None], "EditResult"]
Replan = Callable[[Edit], "EditPlan"]


@dataclass(frozen=True, eq=False)
class EditPlan:
    """What an edit will do: nothing has been painted yet.

    Attributes:
        command: the parsed command.
        steps: what will be done, in order; `switch_step` turns one off or on.
        related: regions that belong to the targets; `switch` turns one off or on.
        notes: what the user should know ("no transparency in this file: white instead").
        edit: the command as it was given, with all that decides its result.
    """

    command: Command
    steps: tuple[Step, ...]
    edit: Edit
    apply_with: Apply
    replan: Replan
    related: tuple[Related, ...] = ()
    notes: tuple[str, ...] = ()

    def apply(self, progress: Progress | None = None) -> EditResult:
        """Paint the steps that are on, in order.

        Raises:
            Cancelled: when `progress` answers False.
        """
        return self.apply_with(self, progress)

    def switch(self, i: int, on: bool) -> EditPlan:
        """A new plan with related region number `i` taken along, or left alone."""
        _check_number(i, len(self.related), "related region")
        return self.replan(replace(self.edit, switched={**self.edit.switched, i: bool(on)}))

    def switch_step(self, i: int, on: bool) -> EditPlan:
        """A new plan with step number `i` on or off; later steps are planned anew."""
        _check_number(i, len(self.steps), "step")
        off = set(self.edit.off) - {i} if on else set(self.edit.off) | {i}
        return self.replan(replace(self.edit, off=tuple(sorted(off))))

    def change(self, i: int, **settings: Any) -> EditPlan:
        """A new plan with settings of step number `i` changed; later steps are planned anew.

        Args:
            i: the step's number, from 0.
            settings: `prompt` (what it becomes, in words), `mask` (what it acts on: bool (H, W) at
                this step), `strength` (0..1, of colours and filters), `seed`, `feather_px`.
                Prompt and mask are of a whole clause: of all copies of one thing, say.

        Raises:
            InputError: no such step or setting, or a value that it cannot have.
        """
        _check_number(i, len(self.steps), "step")
        clause = self.steps[i].clause
        first = next(n for n, step in enumerate(self.steps) if step.clause == clause)
        changes = {number: dict(kept) for number, kept in self.edit.changes.items()}
        for name, value in checked(settings).items():
            changes.setdefault(first if name in OF_CLAUSES else i, {})[name] = value
        return self.replan(replace(self.edit, changes=changes))

    def move(self, i: int, to: int) -> EditPlan:
        """A new plan in which the clause of step `i` is carried out where that of step `to` was.

        What was switched and changed goes along; all steps are planned anew in their new order.

        Raises:
            InputError: no such step. Refusal: if a step cannot be done before another.
        """
        _check_number(i, len(self.steps), "step")
        _check_number(to, len(self.steps), "step")
        order = moved(self.steps, i, to)
        bare = self.replan(replace(self.edit, order=order, off=(), switched={}, changes={}))
        off = renumbered(dict.fromkeys(self.edit.off, True), self.steps, bare.steps)
        return self.replan(
            replace(
                self.edit,
                order=() if order == tuple(sorted(order)) else order,
                off=tuple(sorted(off)),
                changes=renumbered(self.edit.changes, self.steps, bare.steps),
                switched=renumbered_related(self.edit.switched, self.related, bare.related),
            )
        )

    def only(self, i: int) -> EditPlan:
        """A new plan in which step number `i` is on and every other one off.

        Raises:
            InputError: no such step. Refusal: if it cannot be done without the others.
        """
        _check_number(i, len(self.steps), "step")
        wanted, plan = places(self.steps)[i], self
        # What an earlier step would have made may change how many steps a later clause has.
        for _ in self.command.ops:
            off = [n for n, place in enumerate(places(plan.steps)) if place != wanted]
            plan = plan.replan(replace(plan.edit, off=tuple(off)))
            if [p for p, s in zip(places(plan.steps), plan.steps, strict=True) if s.on] == [wanted]:
                return plan
        raise Refusal("This step cannot be done without the others.", reason="unsupported")

    def told_related(self) -> tuple[str, ...]:
        """What belongs to the targets, in words: "with its shadow (93%): darker by 38 % ..."."""
        return tuple(
            f"{'with' if r.on else 'without'} its {name_of(r.type)} ({r.score:.0%}): {r.evidence}"
            for r in self.related
        )

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values, for the command line, the app and HTTP."""
        return {
            "text": self.edit.text,
            "ops": [operation.to_dict() for operation in self.command.ops],
            "steps": [_step_to_dict(step) for step in self.steps],
            "related": [
                {
                    "type": r.type,
                    "score": round(r.score, 3),
                    "evidence": r.evidence,
                    "on": r.on,
                    "pixels": r.region.area,
                }
                for r in self.related
            ],
            "notes": list(self.notes),
        }


def make_plan(
    seen: Seen,
    command: Command,
    edit: Edit,
    *,
    grounder: Grounder,
    backends: tuple[Backend, ...],
    selection: Mask | None,
    second: SecondPicture | None,
    boxes: tuple[Box, ...],
    has_opacity: bool,
    is_grey: bool,
    margins: tuple[float | None, float | None],
    max_megapixels: float,
    apply_with: Apply,
    replan: Replan,
) -> EditPlan:
    """Every operation of `command` becomes one or more visible steps.

    Raises:
        Refusal: what cannot be found, or cannot be done by this preset's backends.
    """
    if command.status != "ok":
        raise Refusal(
            command.question or f"That cannot be done ({command.reason}).",
            reason=command.reason or "nonsense",
            question=command.question,
        )
    draft = Draft(
        seen=seen,
        grounder=grounder,
        selection=selection,
        second=second,
        boxes=boxes,
        has_opacity=has_opacity,
        is_grey=is_grey,
        margins=margins,
        max_megapixels=max_megapixels,
        seed=edit.seed,
        off=frozenset(edit.off),
        can=lambda op, params: any(backend.can(op, params) for backend in backends),
        take_related=edit.related,
        switched=edit.switched,
    )
    for clause in clause_order(edit.order, len(command.ops)):
        operation = command.ops[clause]
        settings = edit.changes.get(len(draft.steps), {})
        operation = changed_operation(operation, settings)
        for step in _steps_of(draft, operation, settings):
            step = with_effects(draft, operation, with_kin(draft, operation, step))
            step = with_others(draft, step)
            painted_by_none = not any(b.can(step.op, step.params) for b in backends)
            if (step.frame is None or step.op == "outpaint") and painted_by_none:
                raise _cannot(step.op, backends, step.params)
            own = edit.changes.get(len(draft.steps), {})
            step = changed_step(_told(step, operation, clause), own)
            draft.add(step)
    return EditPlan(
        command=command,
        steps=tuple(draft.steps),
        edit=edit,
        apply_with=apply_with,
        replan=replan,
        related=tuple(draft.related),
        notes=tuple(draft.notes),
    )


def _steps_of(draft: Draft, operation: Operation, settings: Mapping[str, Any]) -> list[Step]:
    """The steps of one operation, on the mask that the user has given it, if there is one."""
    planner = PLANNERS.get(operation.op)
    if planner is None:
        raise _cannot(operation.op)
    draft.given = None
    if "mask" in settings:
        if operation.target is None:
            raise InputError(f"“{operation.op}” acts on no part of the picture: it has no mask.")
        draft.given = operation.target, settings["mask"]
    return planner(draft, operation)


def _told(step: Step, operation: Operation, clause: int) -> Step:
    """The step with what the user said about it."""
    where = "" if operation.target is None else describe(operation.target)
    if operation.subject is not None:
        told, brings = describe(operation.subject), _brings(operation.subject)
        return replace(step, where=where, prompt=told, brings=brings, clause=clause)
    return replace(step, where=where, prompt=operation.value or "", clause=clause)


def _brings(subject: Selector) -> str:
    """The noun of what is taken over from a second picture; "" where it was pointed at."""
    return "" if subject.noun.startswith(("@", "*")) else subject.noun


def _cannot(
    op: str, backends: Sequence[Backend] = (), params: Mapping[str, Any] | None = None
) -> Refusal:
    name = op.replace("_", " ")
    for backend in backends:
        reason = backend.why_not(op, params or {})
        if reason:
            return Refusal(reason, reason="unsupported")
    return Refusal(
        f"The preset's backends cannot do “{name}”: it needs something new to be drawn, and that "
        "takes a preset with a generative model. This one can remove, recolour, filter, move, "
        "duplicate, resize, rotate, flip, crop, extend, change the background and paste from a "
        "second picture.",
        reason="unsupported",
    )


def _check_number(i: int, count: int, what: str) -> None:
    if not 0 <= i < count:
        raise InputError(f"There is no {what} number {i}; this plan has {count}.")


def _step_to_dict(step: Step) -> dict[str, Any]:
    params = {key: value for key, value in step.params.items() if _is_json(value)}
    return {
        "op": step.op,
        "what": step.what,
        "clause": step.clause,
        "where": step.where,
        "prompt": step.prompt,
        "mask": {"box": list(step.target.box), "pixels": step.target.area},
        "strength": step.strength,
        "on": step.on,
        "box": list(step.area.box),
        "pixels": step.area.area,
        "feather_px": step.feather_px,
        "params": params | ({"frame": dict(step.frame)} if step.frame else {}),
        "seed": step.seed,
    }


def _is_json(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, list, tuple, dict)) or value is None
