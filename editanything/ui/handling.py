"""What all handlers of the Edit tab share: a browser tab's session, and sentences for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import gradio as gr
from gradio.utils import get_upload_folder

from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.ui import paint
from editanything.ui.leaving import Leaving
from editanything.ui.page import Page
from editanything.ui.paint import Updates, status
from editanything.ui.session import Session
from editanything.ui.sessions import Sessions
from editanything.ui.view import View

logger = logging.getLogger(__name__)
BROKEN = "Something went wrong inside the editor; the picture is as it was. The terminal says more."


class Handling:
    """The sessions of all users, and what each one's page shows."""

    def __init__(self, editor: Editor, page: Page) -> None:
        self.page = page
        self.takes_settings = True  # of presets: they may name files of this machine
        self.sessions = Sessions(editor)
        self.leaving = Leaving()
        self.leaving.drops.append(self._close)
        self._views: dict[str, View] = {}

    def session(self, request: gr.Request) -> tuple[Session, View]:
        """The session of the tab that asks, and what its page shows."""
        key = str(request.session_hash)
        self.leaving.seen(key)
        session = self.sessions.of(key)
        if key not in self._views:
            # In Gradio's own folder, or it would copy every file; the name cannot be guessed.
            folder = Path(get_upload_folder()) / f"editanything-{token_hex(16)}"
            self._views[key] = View(folder)
        return session, self._views[key]

    def leave(self, request: gr.Request) -> None:
        """The page was closed, or lost for a moment: its pictures go if it stays away."""
        self.leaving.left(str(request.session_hash))

    def close(self) -> None:
        """The server stops: all pictures go."""
        self.leaving.stop()
        for key in list(self._views):
            self._close(key)

    def _close(self, key: str) -> None:
        self.sessions.close(key)
        view = self._views.pop(key, None)
        if view is not None:
            view.close()

    def _all(self, session: Session, view: View, *, compare: bool | None = None) -> Updates:
        return paint.everything(self.page, session, view, compare=compare)

    def _nothing(self) -> Updates:
        # An empty dict is no answer to Gradio.
        return {self.page.status: gr.skip()}

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
