"""Handlers of the Edit tab: pictures are opened and pointed at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from editanything.errors import InputError
from editanything.examples import EXAMPLES
from editanything.recipe import Recipe
from editanything.ui import paint
from editanything.ui.handling import Handling
from editanything.ui.options import TURNS
from editanything.ui.paint import Updates, status
from editanything.ui.pointing import Pointing
from editanything.ui.session import Session
from editanything.ui.view import View


class Opening(Handling):
    """Pictures come in, and gestures on them."""

    def open(self, file: str | None, request: gr.Request) -> Updates:
        """A file was uploaded."""
        session, view = self.session(request)
        if file is None:
            return self._nothing()

        def work() -> Updates:
            self._read(file, lambda path: session.open(path, Path(file).name))
            return self._opened(session, view)

        return self._try(session, view, work)

    def glimpse(self, request: gr.Request) -> Updates:
        """After a picture was opened: it is looked at, and sentences for what it shows are offered.

        Nobody waits for it, so it is left out while edits need the machine.
        """
        session, _ = self.session(request)
        here = session.picture
        if here is None or not TURNS.idle:
            return self._nothing()
        here.prepare()
        if here.named() or here.glimpsed is not None or not TURNS.idle:
            return self._nothing()
        try:
            here.glimpsed = session.editor.glimpse(here.looked)
        except InputError:  # it is told when something is asked for
            return self._nothing()
        if session.picture is not here or here.glimpsed is None:
            return self._nothing()
        return {self.page.suggestions: paint.suggestions(session)}

    def open_example(self, event: gr.EventData, request: gr.Request) -> Updates:
        """One of the example photos was chosen."""
        session, view = self.session(request)
        names = list(EXAMPLES)
        name = names[int(event.index) % len(names)]

        def work() -> Updates:
            session.open(EXAMPLES[name].path, name)
            return self._opened(session, view)

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

    def open_mask(self, file: str | None, request: gr.Request) -> Updates:
        """A mask was uploaded: its white pixels are selected."""
        session, view = self.session(request)
        if file is None:
            return self._nothing()

        def work() -> Updates:
            with session.lock:
                self._read(file, lambda path: session.pointing().take_file(path))
                area = session.pointing().mask
                said = f"The mask selects {area.area if area else 0} pixels."
                return self._all(session, view) | {self.page.status: status("info", said)}

        return self._try(session, view, work)

    def drop_second(self, request: gr.Request) -> Updates:
        """The second picture is taken away."""
        session, view = self.session(request)
        session.open_second(None)
        return self._all(session, view)

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
                shown = self._all(session, view, compare=False)
            # The page asks for the regions by itself: what was said last goes on to stand.
            asked = event.gesture["kind"] == "regions"
            return shown if asked else shown | {self.page.status: ""}

        return self._try(session, view, work)

    def _opened(self, session: Session, view: View) -> Updates:
        return self._all(session, view, compare=False) | {
            self.page.status: carried(session),
            self.page.text: "",
        }

    def _read(self, file: str, take: Callable[[Path], None]) -> None:
        try:
            take(Path(file))
        except InputError as error:
            # The user knows the file by its name, not by the place where it was put.
            raise InputError(str(error).replace(file, Path(file).name)) from None


def carried(session: Session) -> str:
    """What is said when a picture with a recipe inside was opened."""
    text = session.result().recipe
    if not text:
        return ""
    try:
        count = len(Recipe.from_json(text).edits)
    except InputError:
        return ""
    return status(
        "info", f"This picture carries a recipe of {count} edits; the next go on from it."
    )


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
