"""The page's own widgets: the stage that is pointed at, rows of buttons, and the saver of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

_STATIC = Path(__file__).parent / "static"


def static(name: str) -> str:
    """The text of a file in `static/`."""
    return (_STATIC / name).read_text(encoding="utf-8")


def file_value(path: Path | None) -> dict[str, Any] | None:
    """A file as the page gets it; Gradio adds the address under which it is served."""
    return None if path is None else FileData(path=str(path)).model_dump()


def stage(**settings: Any) -> gr.HTML:
    """A picture to point at; `select` tells of each gesture in pixels of the original.

    Its value: `picture`, `overlay`, `map` (files), `width`, `height`, `regions` ({id, label}),
    `points` ([x, y, positive]), `selected`, `facts`.
    """
    return gr.HTML(
        html_template=static("stage.html"),
        js_on_load=static("stage.js"),
        apply_default_css=False,
        **settings,
    )


def buttons(label: str, **settings: Any) -> gr.HTML:
    """A row of buttons; its value is a list of `caption`, `title`, `image` (file), `current`."""
    return gr.HTML(
        html_template=f'<div class="ea-strip" role="group" aria-label="{label}"></div>',
        js_on_load=static("strip.js"),
        apply_default_css=False,
        **settings,
    )


def saver(**settings: Any) -> gr.HTML:
    """Downloads `file` as `name` whenever it gets a value."""
    return gr.HTML(
        html_template="<span></span>",
        js_on_load=static("saver.js"),
        apply_default_css=False,
        **settings,
    )
