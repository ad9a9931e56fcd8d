"""Handlers of the Edit tab: commands, their plans, and carrying them out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from editanything.errors import Cancelled, InputError, Refusal
from editanything.plan import EditPlan
from editanything.ui import paint
from editanything.ui.answers import SESSION_COMMANDS, report
from editanything.ui.handling import BROKEN, Handling
from editanything.ui.jobs import Job, follow
from editanything.ui.options import TURNS
from editanything.ui.paint import Updates, status, waiting
from editanything.ui.session import DROPPED, OF_THE_SESSION, Ask, Outcome, Session
from editanything.ui.view import View, preview_value
from editanything.ui.works import read_recipe, start_replay, start_variations

logger = logging.getLogger(__name__)
MOST_MARGIN_PX = 500
STOPPED = "Stopped. The picture is as it was."


class Running(Handling):
    """What the user says, and what becomes of it."""

    def suggest(self, event: gr.EventData) -> Updates:
        """A suggestion was chosen: it is put where commands are typed."""
        return {self.page.text: str(event.caption)}

    def show_plan(
        self, text: str, seed: float, grow: str, feather: str, settings: str, request: gr.Request
    ) -> Updates:
        """Show what the command would do."""
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                made = session.plan(self._ask(text, seed, grow, feather, settings))
            said = f"{len(made.steps)} step{'s' * (len(made.steps) > 1)}; nothing is painted yet."
            shown = self._all(session, view, compare=False)
            return shown | {self.page.status: status("info", said)}

        return self._try(session, view, work)

    def change_plan(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A step of the plan, or what belongs to it, was switched, moved or changed."""
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                session.change_plan(lambda plan: changed(plan, event.gesture))
            return self._all(session, view) | {self.page.status: ""}

        return self._try(session, view, work)

    def alone(self, event: gr.EventData, request: gr.Request) -> None:
        """The next run carries out one step of the plan alone."""
        session, _ = self.session(request)
        session.alone = int(event.number)

    def begin(self, request: gr.Request) -> Updates:
        """At once when Run is pressed: show that it runs, and how to stop it."""
        session, view = self.session(request)
        if session.busy:
            return self._nothing()
        session.wanted = True
        # What comes about is seen on the picture, not on the slider.
        shown = paint.mode(self.page, session, view, compare=False) if session.picture else {}
        return shown | {
            self.page.run: gr.update(visible=False),
            self.page.cancel: gr.update(visible=True),
            self.page.status: status("busy", "Starting", 0.0),
        }

    def run(
        self, text: str, seed: float, grow: str, feather: str, settings: str, request: gr.Request
    ) -> Iterator[Updates]:
        """Carry out the command, telling how far it is."""
        session, view = self.session(request)
        # Taken now: a run that is refused, or stopped while it waits, takes it along.
        alone, session.alone = session.alone, None

        def begin() -> Job[Outcome] | tuple[str, bool | None]:
            return self._begun(session, self._ask(text, seed, grow, feather, settings), alone)

        yield from self._carry_out(session, view, begin, str(request.session_hash), text)

    def replay(self, file: str | None, request: gr.Request) -> Iterator[Updates]:
        """Carry out the recipe of a file on the picture that it starts from."""
        session, view = self.session(request)

        def begin() -> Job[Outcome]:
            if file is None or not session.wanted:
                raise Cancelled
            session.pointing()
            recipe = read_recipe(Path(file))
            return start_replay(session, recipe, takes_settings=self.takes_settings)

        yield from self._carry_out(session, view, begin, str(request.session_hash))

    def _carry_out(
        self,
        session: Session,
        view: View,
        begin: Callable[[], Job[Outcome] | tuple[str, bool | None]],
        who: str,
        text: str = "",
    ) -> Iterator[Updates]:
        if session.busy:
            yield self._nothing()
            return
        ended = {
            self.page.run: gr.update(visible=True),
            self.page.cancel: gr.update(visible=False),
            self.page.preview: None,
        }
        final: Updates = {}
        ticket = None
        try:
            if not is_quick(session, text):
                ticket = TURNS.take(who)
                for count in TURNS.wait(ticket, lambda: session.wanted):
                    yield {self.page.status: waiting(count)}
            job = begin()
            if isinstance(job, Job):
                yield from self._watch(job)
                final = self._finished(session, view, job)
            else:
                final = self._all(session, view, compare=job[1])
                final |= {self.page.status: status("done", job[0])}
        except Cancelled:
            final = {self.page.status: status("info", STOPPED)}
        except (InputError, Refusal) as refusal:
            final = self._refused(session, view, refusal)
        except Exception:
            logger.exception("The edit failed.")
            final = {self.page.status: status("ask", BROKEN)}
        finally:
            if ticket is not None:
                TURNS.leave(ticket)
        yield ended | final

    def cancel(self, request: gr.Request) -> Updates:
        """Stop this user's edit, running or waiting."""
        session, _ = self.session(request)
        session.wanted = False
        session.stop()
        return {self.page.status: status("busy", "Stopping")}

    def _ask(self, text: str, seed: float | None, grow: str, feather: str, settings: str) -> Ask:
        settings = str(settings or "").strip()
        if settings and not self.takes_settings:
            raise InputError("This server does not take settings of presets from its users.")
        return Ask(
            text=str(text or "").strip(),
            seed=int(seed or 0),
            grow_px=_pixels("Grow", grow),
            feather_px=_pixels("Feather", feather),
            settings=settings,
        )

    def _begun(
        self, session: Session, ask: Ask, alone: int | None
    ) -> Job[Outcome] | tuple[str, bool | None]:
        """A job for what takes time; for the rest what was done, and whether to compare."""
        if not session.wanted:
            raise Cancelled
        command = session.parse(ask.text)
        session.pointing()
        if not session.is_for_session(command):
            return session.start(ask, alone)
        if command.ops[0].op == "variations":
            return start_variations(session, int(command.ops[0].n or 4))
        with session.lock:
            return SESSION_COMMANDS[command.ops[0].op](session, command)

    def _watch(self, job: Job[Outcome]) -> Iterator[Updates]:
        for look in follow(job):
            shown: Updates = {self.page.status: status("busy", look.what, look.share, look.left)}
            if look.preview is not None:
                shown[self.page.preview] = preview_value(look.preview)
            yield shown

    def _finished(self, session: Session, view: View, job: Job[Outcome]) -> Updates:
        outcome = job.result()
        with session.lock:
            if not session.finish(outcome):
                return {self.page.status: status("info", DROPPED)}
            shown = self._all(session, view, compare=outcome.wanted == 1 or None)
        return shown | {self.page.status: status("done", report(outcome))}


def is_quick(session: Session, text: str) -> bool:
    """Whether a command speaks of the session ("undo"): it waits for no turn."""
    command = session.parse(str(text or "").strip())
    kinds = {operation.op for operation in command.ops}
    return bool(kinds) and kinds <= OF_THE_SESSION - {"variations"}


def changed(plan: EditPlan, gesture: dict[str, Any]) -> EditPlan:
    """The plan after a gesture in its list of steps.

    Raises:
        InputError: a value that a setting cannot have. Refusal: if the rest cannot be done so.
    """
    number = int(gesture["number"])
    kind = gesture["kind"]
    if kind == "switch":
        return plan.switch_step(number, bool(gesture["on"]))
    if kind == "related":
        return plan.switch(number, bool(gesture["on"]))
    if kind == "move":
        return plan.move(number, int(gesture["to"]))
    assert kind == "change", gesture
    return plan.change(number, **dict(gesture["settings"]))


def _pixels(what: str, text: str) -> float | None:
    """A number of pixels as it is typed; nothing means that the editor chooses."""
    if not str(text or "").strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST_MARGIN_PX:
        raise InputError(
            f"{what} is a number of pixels from 0 to {MOST_MARGIN_PX}, or empty; got “{text}”."
        )
    return value
