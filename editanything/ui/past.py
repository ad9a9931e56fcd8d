"""Handlers of the Edit tab: history, comparing, variations, saving."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from editanything.ui import paint
from editanything.ui.handling import Handling
from editanything.ui.page import COMPARE
from editanything.ui.paint import Updates, status
from editanything.ui.session import Session
from editanything.ui.widgets import file_value

RE_ENCODED = "JPEG re-encodes every pixel; PNG, TIFF and WebP keep all that was not edited."


class Past(Handling):
    """What was done, and what is kept of it."""

    def undo(self, request: gr.Request) -> Updates:
        """One step back."""
        return self._walk(request, lambda session: session.undo())

    def redo(self, request: gr.Request) -> Updates:
        """One step forward again."""
        return self._walk(request, lambda session: session.redo())

    def go(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A picture of the history was chosen: to go there, or to compare with."""
        session, view = self.session(request)
        if not event.compare:
            return self._walk(request, lambda session: session.go(int(event.number)))

        def work() -> Updates:
            with session.lock:
                session.compare_with(int(event.number))
                return self._all(session, view, compare=True) | {self.page.status: ""}

        return self._try(session, view, work)

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
