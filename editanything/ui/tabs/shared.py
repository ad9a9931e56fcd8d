"""What the tabs have in common while the app is built."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from editanything.editor import Editor
from editanything.errors import Cancelled, InputError, Refusal
from editanything.progress import Progress
from editanything.ui.drawing import Drawer
from editanything.ui.handlers import Handlers
from editanything.ui.jobs import Desk, follow
from editanything.ui.options import EDIT, LOOK, TURNS
from editanything.ui.paint import status, waiting
from editanything.ui.view import preview_value

logger = logging.getLogger(__name__)
BROKEN = "Something went wrong inside the editor. The terminal says more."


@dataclass(eq=False)
class Shared:
    """The app under construction.

    Attributes:
        app: the Blocks that is being made.
        editor: the editor of the preset that the app was started with.
        tabs: the tab bar, to send the user to another tab.
        edit: what the Edit tab does, with the sessions of all users.
        drawer: draws pictures, for all users.
        pick_generator: `(event, component)`: on `event` the Generate tab takes the generator whose
            name `component` holds, and the event's dependency is returned; set by that tab.
    """

    app: gr.Blocks
    editor: Editor
    tabs: gr.Tabs
    edit: Handlers
    drawer: Drawer
    pick_generator: Callable[[Any, Any], Any] | None = None


@dataclass(frozen=True, eq=False)
class Runner:
    """A button that starts heavy work, its Cancel button, and the line that tells of it."""

    desk: Desk
    run: gr.Button
    cancel: gr.Button
    said: gr.HTML
    preview: gr.HTML | None = None  # where the work is seen while it comes about

    def connect(
        self,
        starts: list[Any],
        inputs: list[Any],
        outputs: list[Any],
        work: Callable[..., Any],
        show: Callable[..., dict[Any, Any]],
    ) -> None:
        """Run `work(request, *inputs, progress=...)` in a thread; `show(request, result)` after it.

        `work` raises InputError or Refusal with one sentence for what the user did wrong.
        """
        own: list[Any] = [self.run, self.cancel, self.said]
        seen = [self.preview] if self.preview is not None else []

        def run(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            def job(progress: Progress) -> Any:
                return work(request, *values, progress=progress)

            yield from self._run(request, job, show)

        for start in starts:
            begun = start(self._begin, None, own, queue=False, **LOOK)
            begun.then(run, inputs, [*own, *seen, *outputs], **(LOOK | EDIT))
        self.cancel.click(self._stop, None, self.said, queue=False, **LOOK)

    def _run(
        self,
        request: gr.Request,
        job: Callable[[Progress], Any],
        show: Callable[..., dict[Any, Any]],
    ) -> Iterator[dict[Any, Any]]:
        """Wait for a turn, do `job`, telling how far it is, and show what came of it."""
        key, ticket = str(request.session_hash), None
        try:
            ticket = TURNS.take(key)
            for count in TURNS.wait(ticket, lambda: self.desk.wants(key)):
                yield {self.said: waiting(count)}
            begun = self.desk.start(key, job)
            for look in follow(begun):
                told_of: dict[Any, Any] = {
                    self.said: status("busy", look.what, look.share, look.left)
                }
                if look.preview is not None and self.preview is not None:
                    told_of[self.preview] = preview_value(look.preview)
                yield told_of
            shown = show(request, begun.result())
        except Cancelled:
            shown = {self.said: status("info", "Stopped.")}
        except (InputError, Refusal) as error:
            shown = {self.said: status("ask", getattr(error, "question", "") or str(error))}
        except Exception:
            logger.exception("A tab's work failed.")
            shown = {self.said: status("ask", BROKEN)}
        finally:
            if ticket is not None:
                TURNS.leave(ticket)
        ended = {self.run: gr.update(visible=True), self.cancel: gr.update(visible=False)}
        seen = [self.preview] if self.preview is not None else []
        yield ended | dict.fromkeys(seen) | shown

    def _begin(self, request: gr.Request) -> dict[Any, Any]:
        if not self.desk.want(str(request.session_hash)):
            return {self.said: gr.skip()}
        return {
            self.run: gr.update(visible=False),
            self.cancel: gr.update(visible=True),
            self.said: status("busy", "Starting", 0.0),
        }

    def _stop(self, request: gr.Request) -> str:
        self.desk.cancel(str(request.session_hash))
        return status("busy", "Stopping")


def told(function: Callable[[], dict[Any, Any]], said: gr.HTML) -> dict[Any, Any]:
    """`function()`; what the user did wrong becomes one sentence in `said`."""
    try:
        return function()
    except (InputError, Refusal) as error:
        return {said: status("ask", str(error))}
    except Exception:
        logger.exception("A handler failed.")
        return {said: status("ask", BROKEN)}
