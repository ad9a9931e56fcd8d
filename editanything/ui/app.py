"""The web editor as a Gradio app: the page, its handlers, the named endpoints."""

from __future__ import annotations

import atexit
import os
from typing import Any

# Gradio looks up a host of its own when it is imported, unless it is told not to.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr
from starlette.middleware import Middleware

from editanything.editor import Editor
from editanything.ui.endpoints import add_endpoints
from editanything.ui.handlers import Handlers
from editanything.ui.page import lay_out
from editanything.ui.widgets import NoProxy, static

#: Edits that run at the same time, of all users together; others wait.
EDITS_AT_ONCE = 2
#: How often old uploads are deleted, and at which age. The editor reads a file when it is uploaded;
#: the file may belong to several users (Gradio names it by its content), so nobody deletes it.
CLEANS = (600, 3600)
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
LOOK = QUIET | {"concurrency_id": "look", "concurrency_limit": 4}
EDIT = {"concurrency_id": "edit", "concurrency_limit": EDITS_AT_ONCE}


def theme() -> gr.themes.Base:
    """Colours and the system's own fonts: nothing is fetched."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="zinc",
        radius_size="lg",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )


def look() -> dict[str, Any]:
    """What `launch` has to be given beside the address: looks, keys, a closed door."""
    return {
        "theme": theme(),
        "css": static("style.css"),
        "js": static("page.js"),
        "app_kwargs": {"middleware": [Middleware(NoProxy)]},
    }


def build_app(editor: Editor) -> gr.Blocks:
    """The app over `editor`: the page for people, and the endpoints for programs."""
    with gr.Blocks(title="EditAnything", analytics_enabled=False, delete_cache=CLEANS) as app:
        page = lay_out()
        do = Handlers(editor, page)
        _connect(app, do)
        atexit.register(do.close)
        add_endpoints(editor, EDIT)
    return app


def _connect(app: gr.Blocks, do: Handlers) -> None:
    page = do.page
    outputs = page.all()
    settings = [page.text, page.seed, page.grow, page.feather]

    def on(event: Any, handler: Any, inputs: Any = None, **options: Any) -> Any:
        return event(handler, inputs, outputs, **(LOOK | options))

    on(page.open.upload, do.open, page.open)
    on(page.examples.select, do.open_example)
    on(page.open_second.upload, do.open_second, page.open_second)
    on(page.undo.click, do.undo)
    on(page.redo.click, do.redo)
    on(page.history.select, do.go)
    on(page.variations.select, do.adopt)
    # Gestures may follow each other faster than they are answered.
    on(page.stage.select, do.point, trigger_mode="multiple")
    on(page.second.select, do.point_second, trigger_mode="multiple")
    on(page.drop_second.click, do.drop_second)
    on(page.show_plan.click, do.show_plan, settings)
    for boxes in (page.steps, page.related):
        on(boxes.input, do.switch, [page.steps, page.related])
    on(page.cancel.click, do.cancel, queue=False)
    on(page.mode.input, do.view, page.mode)
    on(page.save.click, do.save, page.format)
    _run(on, do, settings)
    app.unload(do.leave)


def _run(on: Any, do: Handlers, settings: list[Any]) -> None:
    """Run by the button, by Enter, or by a suggestion."""
    page = do.page
    suggested = on(page.suggestions.select, do.suggest)
    for start in (page.run.click, page.text.submit, suggested.then):
        begun = on(start, do.begin, queue=False)
        on(begun.then, do.run, settings, **EDIT)
