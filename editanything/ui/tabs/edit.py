"""Edit: change a picture by sentences. The page's events; what they do is in `handlers`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from editanything.editor import Editor
from editanything.ui.handlers import Handlers
from editanything.ui.options import EDIT, GLIMPSE, LOOK
from editanything.ui.page import lay_out


def edit_tab(app: gr.Blocks, editor: Editor, open_button: gr.UploadButton) -> Handlers:
    """Lay out the tab inside `app`, and connect it; returns what it does."""
    do = Handlers(editor, lay_out(open_button))
    _connect(app, do)
    return do


def _connect(app: gr.Blocks, do: Handlers) -> None:
    page = do.page
    outputs = page.all()
    settings = [page.text, page.seed, page.grow, page.feather, page.settings]

    def on(event: Any, handler: Any, inputs: Any = None, **options: Any) -> Any:
        return event(handler, inputs, outputs, **(LOOK | options))

    opened = on(page.open.upload, do.open, page.open)
    on(opened.then, do.glimpse, **GLIMPSE)
    on(page.examples.select, do.open_example)
    on(page.open_second.upload, do.open_second, page.open_second)
    on(page.open_mask.upload, do.open_mask, page.open_mask)
    on(page.undo.click, do.undo)
    on(page.redo.click, do.redo)
    on(page.history.select, do.go)
    on(page.variations.select, do.adopt)
    # Gestures may follow each other faster than they are answered.
    on(page.stage.select, do.point, trigger_mode="multiple")
    on(page.second.select, do.point_second, trigger_mode="multiple")
    on(page.drop_second.click, do.drop_second)
    on(page.show_plan.click, do.show_plan, settings)
    on(page.steps.select, do.change_plan)
    on(page.stage.submit, do.change_plan)
    on(page.cancel.click, do.cancel, queue=False)
    on(page.mode.input, do.view, page.mode)
    on(page.save.click, do.save, page.format)
    _run(on, do, settings)
    app.unload(do.leave)


def _run(on: Any, do: Handlers, settings: list[Any]) -> None:
    """Run by the button, by Enter, by a suggestion, one step of the plan, or a recipe."""
    page = do.page
    suggested = on(page.suggestions.select, do.suggest)
    chosen = page.steps.submit(do.alone, None, None, **LOOK)
    for start in (page.run.click, page.text.submit, suggested.then, chosen.then):
        begun = on(start, do.begin, queue=False)
        on(begun.then, do.run, settings, **EDIT)
    begun = on(page.replay.upload, do.begin, queue=False)
    on(begun.then, do.replay, page.replay, **EDIT)
