"""One user's session: pictures, selection, plan, history. Knows nothing of Gradio."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from editanything.command import parse
from editanything.command.types import Command
from editanything.editor import Editor, EditResult
from editanything.errors import InputError, Refusal
from editanything.image import Picture
from editanything.plan import EditPlan
from editanything.preset import read_settings
from editanything.progress import Progress
from editanything.types import Mask
from editanything.ui.history import LIMIT_BYTES, History, State
from editanything.ui.jobs import Job
from editanything.ui.pointing import Pointing
from editanything.ui.variants import apart

#: Operations that speak of the session, not of a picture.
OF_THE_SESSION = frozenset({"undo", "redo", "select", "variations", "compare"})
#: After these the selected thing is still where it was.
STAYS = frozenset({"modify", "filter"})
MOST_VARIATIONS = 8
#: Selections that a session keeps for who goes back, and editors with other settings.
MOST_SELECTED = 8
MOST_EDITORS = 8
GONE = "This step is no longer there: the oldest are dropped to save space."
DROPPED = "The picture was changed meanwhile, so this result was dropped."
NO_PICTURE = "Open a picture first, or choose one of the examples."


@dataclass(frozen=True)
class Ask:
    """What the user has typed and set."""

    text: str
    seed: int = 0
    grow_px: float | None = None
    feather_px: float | None = None
    settings: str = ""

    def overrides(self) -> dict[str, Any]:
        """The preset's settings that the user replaced.

        Raises:
            InputError: a line that is no setting, or one that an edit alone cannot have.
        """
        typed = read_settings(self.settings.splitlines())
        if any(key.partition(".")[0] == "segmenter" for key in typed):
            raise InputError("What finds regions is set for the whole page: in the Models tab.")
        given = {"grow_px": self.grow_px, "feather_px": self.feather_px}
        return typed | {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan, and all that it depends on: if that changes, it has to be made anew."""

    key: tuple[Any, ...]
    plan: EditPlan


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job has made: results one after the other, or several variations to choose from."""

    base: int  # number of the state that it started from
    history: History
    title: str  # of the only result; empty: each by its own command
    results: tuple[EditResult, ...]
    wanted: int = 1  # number of variations that were asked for


@dataclass(eq=False)
class Session:
    """All that belongs to one user; `close` deletes it from the disk."""

    editor: Editor
    limit_bytes: int = LIMIT_BYTES
    lock: RLock = field(default_factory=RLock)
    name: str = ""
    history: History = field(init=False)
    picture: Pointing | None = None
    second: Pointing | None = None
    planned: Planned | None = None
    variations: tuple[EditResult, ...] = ()
    varied: int = -1  # number of the state that they start from
    candidates: tuple[int, ...] = ()  # regions that a refusal asked about
    job: Job[Outcome] | None = None
    compared: int | None = None  # state that the current one is compared with; None: the one before
    alone: int | None = None  # the only step of the plan that the next run carries out
    wanted: bool = False  # an edit was asked for, and nobody has cancelled it
    _editors: dict[tuple[tuple[str, float], ...], Editor] = field(default_factory=dict)
    _selected: dict[int, Mask] = field(default_factory=dict)  # by number of the state it was in

    def __post_init__(self) -> None:
        self.history = History(limit_bytes=self.limit_bytes)

    def open(self, source: Any, name: str = "picture") -> None:
        """Begin with a picture; what there was before is deleted.

        Raises:
            InputError: a file that cannot be read; the session stays as it was.
        """
        looked = self.editor.look(source)
        self.stop()
        self.history.close()
        self.history = History(limit_bytes=self.limit_bytes)
        self._selected.clear()
        self.history.add(looked.picture, "Original")
        self.picture = Pointing(looked)
        self.compared = None
        self.name = re.sub(r"[^\w .()-]", "_", Path(name).stem)[:80].strip(" .") or "picture"
        self._forget()

    def open_second(self, source: Any | None) -> None:
        """Hold a second picture ("image B"), or none."""
        self.second = None if source is None else Pointing(self.editor.look(source))

    def close(self) -> None:
        """Stop what runs and delete the session's pictures."""
        self.stop()
        self.history.close()
        self.picture = self.second = self.planned = None
        self.variations = ()

    @property
    def busy(self) -> bool:
        """Whether an edit runs that nobody has cancelled."""
        return self.job is not None and not self.job.wait(0) and not self.job.cancelled

    def stop(self) -> None:
        """Ask the running edit to stop, if there is one."""
        if self.job is not None:
            self.job.cancel()

    def file_name(self, suffix: str) -> str:
        """The name under which the result is saved."""
        return f"{self.name}-edited{suffix}"

    def pointing(self, *, second: bool = False) -> Pointing:
        """The picture (or second picture) and what is pointed at in it.

        Raises:
            InputError: if there is none.
        """
        held = self.second if second else self.picture
        if held is None:
            raise InputError("Give a second picture first." if second else NO_PICTURE)
        return held

    def parse(self, text: str) -> Command:
        """What the command says, with the pictures and the selection that there are."""
        images = ("A", "B") if self.second else ("A",)
        selected = self.picture is not None and self.picture.selection is not None
        return parse(text, images=images, selection=selected)

    def is_for_session(self, command: Command) -> bool:
        """Whether a command is about the session ("undo") and not an edit.

        Raises:
            Refusal: a sentence that mixes both.
        """
        of_session = [operation.op in OF_THE_SESSION for operation in command.ops]
        if any(of_session) and len(of_session) > 1:
            raise Refusal(
                f"“{command.ops[of_session.index(True)].op}” goes alone: "
                "give these commands one after the other.",
                reason="unsupported",
            )
        return any(of_session)

    def plan(self, ask: Ask) -> EditPlan:
        """The plan of an edit; the one made before is kept while nothing that it rests on changes.

        Raises:
            InputError, Refusal: with one sentence on why there is none.
        """
        here = self.pointing()
        here.hear(ask.text)
        key = (ask, id(self.history), self.number(), here.version, *self._second_key())
        if self.planned is None or self.planned.key != key:
            self.planned = None
            reference = (self.second.looked, self.second.selection) if self.second else None
            self.candidates = ()
            try:
                plan = self._editor(ask).plan(
                    here.looked,
                    ask.text,
                    selection=here.selection,
                    reference=reference,
                    seed=ask.seed,
                )
            except Refusal as refusal:
                self.candidates = refusal.candidates
                here.guess(refusal.guess, ask.text)
                raise
            self.planned = Planned(key, plan)
        return self.planned.plan

    def change_plan(self, change: Callable[[EditPlan], EditPlan]) -> EditPlan:
        """The plan as `change` makes it, which is kept; the old one stays where that fails.

        Raises:
            InputError: if there is no plan, or a setting that cannot be. Refusal: if the rest of it
                cannot be done that way.
        """
        if self.planned is None:
            raise InputError("There is no plan yet: type a command and press “Show plan”.")
        self.planned = Planned(self.planned.key, change(self.planned.plan))
        return self.planned.plan

    def start(self, ask: Ask, alone: int | None = None) -> Job[Outcome]:
        """Plan and carry out an edit in a thread; hand its outcome to `finish` afterwards.

        Args:
            ask: what was typed and set.
            alone: number of the plan's only step that is carried out; None: all that are on.

        Raises:
            InputError: no picture, or another edit still runs.
        """
        self.pointing()
        base, history = self.number(), self.history

        def work(progress: Progress) -> Outcome:
            with self.lock:
                plan = self.plan(ask)
            title = ask.text.strip()
            if alone is not None:
                plan = plan.only(alone)
                title = plan.steps[alone].what if alone < len(plan.steps) else title
            return Outcome(base, history, title, (plan.apply(progress),))

        return self.begin(work)

    def finish(self, outcome: Outcome) -> bool:
        """Take a job's outcome into the history; False where the picture has changed meanwhile."""
        if outcome.history is not self.history:
            return False
        if outcome.wanted > 1:
            self.variations, self.varied = outcome.results, outcome.base
            return True
        if outcome.base != self.number():
            return False
        for result in outcome.results:
            self._take(result, outcome.title or result.plan.edit.text)
        self.variations = apart(outcome.results[0]) if len(outcome.results) == 1 else ()
        self.varied = outcome.base
        return True

    def adopt(self, index: int) -> None:
        """Make variation number `index` the picture; it becomes a branch beside the last edit.

        Raises:
            InputError: if there is no such variation.
        """
        if not 0 <= index < len(self.variations):
            raise InputError("This variation is no longer there.")
        self.history.go(self.varied)
        kept = self.variations
        self._take(kept[index], kept[index].plan.edit.text)
        self.variations = kept

    def compare_with(self, number: int) -> None:
        """Compare the current picture with that of state `number` from now on.

        Raises:
            InputError: if it is no longer there, or is the current one.
        """
        if self.history.get(number) is None:
            raise InputError(GONE)
        if number == self.number():
            raise InputError("This is the current picture; choose another one to compare it with.")
        self.compared = number

    @property
    def other(self) -> State | None:
        """The state that the current one is compared with: a chosen one, or the one before."""
        chosen = None if self.compared is None else self.history.get(self.compared)
        same = chosen is self.history.current
        return self.history.before if chosen is None or same else chosen

    def undo(self, steps: int = 1) -> int:
        """Go back; returns by how many steps."""
        return self._moved(self.history.undo(steps))

    def redo(self, steps: int = 1) -> int:
        """Go forward again; returns by how many steps."""
        return self._moved(self.history.redo(steps))

    def go(self, number: int) -> None:
        """Go to a state of the history.

        Raises:
            InputError: if it is no longer there.
        """
        if not self.history.go(number):
            raise InputError(GONE)
        self._moved(1)

    def select_words(self, command: Command) -> int:
        """Select what a "select ..." command names; returns its number of pixels.

        Raises:
            Refusal: if it cannot be found.
        """
        here, target = self.pointing(), command.ops[0].target
        assert target is not None, command
        here.hear(command.text)
        try:
            found = self.editor.grounder.ground(here.looked.seen, target, selection=here.mask)
        except Refusal as refusal:
            self.candidates = refusal.candidates
            here.guess(refusal.guess, command.text)
            raise
        here.take(found.union())
        self._forget()
        return here.mask.area if here.mask else 0

    def result(self) -> Picture:
        """The current picture with its metadata and recipe.

        Raises:
            InputError: if there is none.
        """
        return self.pointing().looked.picture

    def begin(self, work: Callable[[Progress], Outcome]) -> Job[Outcome]:
        """Do `work` in a thread.

        Raises:
            InputError: another edit still runs.
        """
        if self.busy:
            raise InputError("The last edit still runs; wait for it or press “Cancel”.")
        self.job = Job(work)
        return self.job

    def _take(self, result: EditResult, title: str) -> None:
        old = self.pointing()
        if old.mask is not None:
            if len(self._selected) >= MOST_SELECTED:
                self._selected.pop(next(iter(self._selected)))
            self._selected[self.number()] = old.mask
        self.history.add(result.picture, title, result.plan.edit)
        self._look(result.picture)
        kinds = {step.op for step in result.plan.steps if step.on}
        if kinds <= STAYS and self.picture is not None and self.picture.shape == old.shape:
            self.picture.take(old.mask)

    def _moved(self, steps: int) -> int:
        state = self.history.current
        if steps and state is not None:
            # What was removed is selected again where it is back.
            old = self.pointing().mask or self._selected.get(state.number)
            self._look(state.load())
            if old is not None and self.picture is not None and old.shape == self.picture.shape:
                self.picture.take(old)
        return steps

    def _look(self, picture: Picture) -> None:
        self.picture = Pointing(self.editor.look(picture))
        self._forget()

    def _forget(self) -> None:
        self.planned, self.variations, self.candidates = None, (), ()

    def number(self) -> int:
        """Number of the current state of the history; -1 where there is none."""
        state = self.history.current
        return -1 if state is None else state.number

    def _second_key(self) -> tuple[Any, ...]:
        return (None, 0) if self.second is None else (id(self.second), self.second.version)

    def _editor(self, ask: Ask) -> Editor:
        return self.editor_with(self.editor.overrides | ask.overrides())

    def editor_with(self, overrides: dict[str, Any]) -> Editor:
        """This session's editor with other settings of its preset, which may come from a file.

        Raises:
            InputError: a setting that there is not, or one that names code.
        """
        if overrides == self.editor.overrides:
            return self.editor
        key = tuple(sorted(overrides.items()))
        if key not in self._editors:
            if len(self._editors) >= MOST_EDITORS:
                self._editors.pop(next(iter(self._editors)))
            self._editors[key] = self.editor.with_settings(self.editor.name, overrides)
        return self._editors[key]
