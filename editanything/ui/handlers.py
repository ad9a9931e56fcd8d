"""What happens when a widget is used: each handler maps it to calls of the session."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from editanything.editor import Editor
from editanything.errors import Cancelled, InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.ui import paint
from editanything.ui.answers import SESSION_COMMANDS, report
from editanything.ui.jobs import Job
from editanything.ui.page import COMPARE, Page
from editanything.ui.paint import Updates, status
from editanything.ui.pointing import Pointing
from editanything.ui.session import Ask, Outcome, Session
from editanything.ui.sessions import Sessions
from editanything.ui.view import View
from editanything.ui.widgets import file_value

logger = logging.getLogger(__name__)
LOOKS_EVERY_S, STOPS_WITHIN_S = 0.1, 0.3
MOST_MARGIN_PX = 500
RE_ENCODED = "JPEG re-encodes every pixel; PNG, TIFF and WebP keep all that was not edited."
BROKEN = "Something went wrong inside the editor; the picture is as it was. The terminal says more."


class Handlers:
    """The page's handlers over all users' sessions."""

    def __init__(self, editor: Editor, page: Page) -> None:
        self.page = page
        self.sessions = Sessions(editor)
        self._views: dict[str, View] = {}

    # --- sessions

    def session(self, request: gr.Request) -> tuple[Session, View]:
        """The session of the tab that asks, and what its page shows."""
        key = str(request.session_hash)
        session = self.sessions.of(key)
        if key not in self._views:
            # In Gradio's own folder, or it would copy every file; the name cannot be guessed.
            folder = Path(get_upload_folder()) / f"editanything-{token_hex(16)}"
            self._views[key] = View(folder)
        return session, self._views[key]

    def leave(self, request: gr.Request) -> None:
        """The tab was closed: its pictures go."""
        self._close(str(request.session_hash))

    def close(self) -> None:
        """The server stops: all pictures go."""
        for key in list(self._views):
            self._close(key)

    def _close(self, key: str) -> None:
        self.sessions.close(key)
        view = self._views.pop(key, None)
        if view is not None:
            view.close()

    # --- pictures

    def open(self, file: str | None, request: gr.Request) -> Updates:
        """A file was uploaded."""
        session, view = self.session(request)
        if file is None:
            return self._nothing()

        def work() -> Updates:
            self._read(file, lambda path: session.open(path, Path(file).name))
            return self._opened(session, view, None)

        return self._try(session, view, work)

    def open_example(self, event: gr.EventData, request: gr.Request) -> Updates:
        """One of the example photos was chosen."""
        session, view = self.session(request)
        names = list(EXAMPLES)
        name = names[int(event.index) % len(names)]

        def work() -> Updates:
            session.open(EXAMPLES[name].path, name)
            return self._opened(session, view, name)

        return self._try(session, view, work)

    def open_second(self, file: str | None, request: gr.Request) -> Updates:
        """A second picture was uploaded."""
        session, view = self.session(request)
        if file is None:
            return self._nothing()

        def work() -> Updates:
            self._read(file, session.open_second)
            said = status("info", "“Image B” is the second picture; point at the part you mean.")
            return self._all(session, view) | {self.page.status: said}

        return self._try(session, view, work)

    def drop_second(self, request: gr.Request) -> Updates:
        """The second picture is taken away."""
        session, view = self.session(request)
        session.open_second(None)
        return self._all(session, view)

    # --- pointing

    def point(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A gesture on the picture."""
        return self._gesture(event, request, second=False)

    def point_second(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A gesture on the second picture."""
        return self._gesture(event, request, second=True)

    def _gesture(self, event: gr.EventData, request: gr.Request, *, second: bool) -> Updates:
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                here = session.pointing(second=second)
                session.candidates = ()
                GESTURES[str(event.gesture["kind"])](here, event.gesture)
                shown = self._all(session, view)
            # The page asks for the regions by itself: what was said last goes on to stand.
            asked = event.gesture["kind"] == "regions"
            return shown if asked else shown | {self.page.status: ""}

        return self._try(session, view, work)

    # --- commands

    def suggest(self, event: gr.EventData) -> Updates:
        """A suggestion was chosen: it is put where commands are typed."""
        return {self.page.text: str(event.caption)}

    def show_plan(
        self, text: str, seed: float, grow: str, feather: str, request: gr.Request
    ) -> Updates:
        """Show what the command would do."""
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                made = session.plan(_ask(text, seed, grow, feather))
            said = f"{len(made.steps)} step{'s' * (len(made.steps) > 1)}; nothing is painted yet."
            shown = self._all(session, view, compare=False)
            return shown | {self.page.status: status("info", said)}

        return self._try(session, view, work)

    def switch(self, on: list[str], related: list[str], request: gr.Request) -> Updates:
        """A step of the plan, or what belongs to it, was checked or unchecked."""
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                session.switch_related({int(number) for number in related})
                session.switch_steps({int(number) for number in on})
            return self._all(session, view)

        return self._try(session, view, work)

    def begin(self, request: gr.Request) -> Updates:
        """At once when Run is pressed: show that it runs, and how to stop it."""
        session, _ = self.session(request)
        if session.busy:
            return self._nothing()
        session.wanted = True
        return {
            self.page.run: gr.update(visible=False),
            self.page.cancel: gr.update(visible=True),
            self.page.status: status("busy", "Starting", 0.0),
        }

    def run(
        self, text: str, seed: float, grow: str, feather: str, request: gr.Request
    ) -> Iterator[Updates]:
        """Carry out the command, telling how far it is."""
        session, view = self.session(request)
        if session.busy:
            yield self._nothing()
            return
        ended = {
            self.page.run: gr.update(visible=True),
            self.page.cancel: gr.update(visible=False),
        }
        final: Updates = {}
        try:
            job = self._begun(session, _ask(text, seed, grow, feather))
            if isinstance(job, Job):
                yield from self._watch(job)
                final = self._finished(session, view, job)
            else:
                final = self._all(session, view, compare=job[1])
                final |= {self.page.status: status("done", job[0])}
        except Cancelled:
            final = {self.page.status: status("info", "Stopped. The picture is as it was.")}
        except (InputError, Refusal) as refusal:
            final = self._refused(session, view, refusal)
        except Exception:
            logger.exception("The edit failed.")
            final = {self.page.status: status("ask", BROKEN)}
        yield ended | final

    def cancel(self, request: gr.Request) -> Updates:
        """Stop this user's edit, running or waiting."""
        session, _ = self.session(request)
        session.wanted = False
        session.stop()
        return {self.page.status: status("busy", "Stopping")}

    def _begun(self, session: Session, ask: Ask) -> Job[Outcome] | tuple[str, bool | None]:
        """A job for what takes time; for the rest what was done, and whether to compare."""
        if not session.wanted:
            raise Cancelled
        command = session.parse(ask.text)
        session.pointing()
        if not session.is_for_session(command):
            return session.start(ask)
        if command.ops[0].op == "variations":
            return session.start_variations(int(command.ops[0].n or 4))
        with session.lock:
            return SESSION_COMMANDS[command.ops[0].op](session, command)

    def _watch(self, job: Job[Outcome]) -> Iterator[Updates]:
        while not job.wait(LOOKS_EVERY_S):
            if job.cancelled:
                # Its result will be dropped, so nobody has to wait for it to notice.
                job.wait(STOPS_WITHIN_S)
                raise Cancelled
            what = job.what[:1].upper() + job.what[1:]
            yield {self.page.status: status("busy", what, job.share)}
        if job.cancelled:
            raise Cancelled

    def _finished(self, session: Session, view: View, job: Job[Outcome]) -> Updates:
        outcome = job.result()
        with session.lock:
            if not session.finish(outcome):
                said = "The picture was changed meanwhile, so this result was dropped."
                return {self.page.status: status("info", said)}
            shown = self._all(session, view, compare=outcome.wanted == 1 or None)
        return shown | {self.page.status: status("done", report(outcome))}

    # --- history

    def undo(self, request: gr.Request) -> Updates:
        """One step back."""
        return self._walk(request, lambda session: session.undo())

    def redo(self, request: gr.Request) -> Updates:
        """One step forward again."""
        return self._walk(request, lambda session: session.redo())

    def go(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A picture of the history was chosen."""

        def walk(session: Session) -> None:
            states = list(session.history)
            if 0 <= int(event.index) < len(states):
                session.go(states[int(event.index)].number)

        return self._walk(request, walk)

    def adopt(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A variation was chosen."""
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                session.adopt(int(event.index))
                return self._all(session, view, compare=True) | {self.page.status: ""}

        return self._try(session, view, work)

    def _walk(self, request: gr.Request, walk: Callable[[Session], object]) -> Updates:
        session, view = self.session(request)

        def work() -> Updates:
            with session.lock:
                walk(session)
                return self._all(session, view, compare=False) | {self.page.status: ""}

        return self._try(session, view, work)

    def view(self, mode: str, request: gr.Request) -> Updates:
        """The picture, or before and after."""
        session, view = self.session(request)
        with session.lock:
            return paint.mode(self.page, session, view, compare=mode == COMPARE)

    def save(self, suffix: str, request: gr.Request) -> Updates:
        """Write the result and hand it over."""
        session, view = self.session(request)

        def work() -> Updates:
            picture = session.result()
            path = view.new_folder() / session.file_name(suffix)
            picture.save(path)
            lossy = suffix == ".jpg"
            return {
                self.page.saver: {"file": file_value(path), "name": path.name},
                self.page.status: status("info", RE_ENCODED) if lossy else gr.skip(),
            }

        return self._try(session, view, work)

    # --- common

    def _all(self, session: Session, view: View, *, compare: bool | None = None) -> Updates:
        return paint.everything(self.page, session, view, compare=compare)

    def _nothing(self) -> Updates:
        # An empty dict is no answer to Gradio.
        return {self.page.status: gr.skip()}

    def _opened(self, session: Session, view: View, example: str | None) -> Updates:
        return self._all(session, view, compare=False) | {
            self.page.suggestions: paint.suggestions(example),
            self.page.status: "",
            self.page.text: "",
        }

    def _read(self, file: str, take: Callable[[Path], None]) -> None:
        try:
            take(Path(file))
        except InputError as error:
            # The user knows the file by its name, not by the place where it was put.
            raise InputError(str(error).replace(file, Path(file).name)) from None

    def _try(self, session: Session, view: View, work: Callable[[], Updates]) -> Updates:
        """Do `work`; what the user did wrong becomes one sentence, and nothing is lost."""
        try:
            return work()
        except (InputError, Refusal) as refusal:
            return self._refused(session, view, refusal)
        except Exception:
            logger.exception("A handler failed.")
            return {self.page.status: status("ask", BROKEN)}

    def _refused(self, session: Session, view: View, refusal: Exception) -> Updates:
        shown: Updates = {}
        if session.picture is not None:
            shown = {
                self.page.stage: paint.stage(session, view),
                **paint.plan(self.page, session),
                **paint.second(self.page, session, view),
            }
            if isinstance(refusal, Refusal) and refusal.candidates:
                shown |= paint.mode(self.page, session, view, compare=False)
        # The question back is shorter, and means what can be done on this page.
        said = (refusal.question if isinstance(refusal, Refusal) else "") or str(refusal)
        return shown | {self.page.status: status("ask", said)}


def _ask(text: str, seed: float | None, grow: str, feather: str) -> Ask:
    return Ask(
        text=str(text or "").strip(),
        seed=int(seed or 0),
        grow_px=_pixels("Grow", grow),
        feather_px=_pixels("Feather", feather),
    )


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


#: How each gesture of the stage is carried out.
GESTURES: dict[str, Callable[[Pointing, dict[str, Any]], object]] = {
    "click": lambda here, data: here.click(*data["at"], positive=bool(data["add"])),
    "box": lambda here, data: here.box(data["from"], data["to"], add=bool(data["add"])),
    "brush": lambda here, data: here.brush(
        data["line"], float(data["radius"]), add=bool(data["add"]), snap=bool(data["snap"])
    ),
    "region": lambda here, data: here.region(int(data["id"]), add=bool(data["add"])),
    "clear": lambda here, _: here.clear(),
    "regions": lambda here, _: here.regions(),
}
