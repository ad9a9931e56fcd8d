"""The web editor as a Gradio app: the page, its handlers, the named endpoints."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import Any

# Gradio looks up a host of its own when it is imported, unless it is told not to.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr
from starlette.middleware import Middleware

from editanything.editor import Editor
from editanything.ui.drawing import Drawer
from editanything.ui.endpoints import add_endpoints
from editanything.ui.options import EDIT, LOOK
from editanything.ui.page import lay_out_head
from editanything.ui.serving import OnlyHosts
from editanything.ui.tabs.combine import combine_tab
from editanything.ui.tabs.edit import edit_tab
from editanything.ui.tabs.generate import generate_tab
from editanything.ui.tabs.models import models_tab
from editanything.ui.tabs.shared import Shared
from editanything.ui.tabs.sketch import sketch_tab
from editanything.ui.tabs.train import train_tab
from editanything.ui.widgets import NoProxy, static

#: How often old uploads are deleted, and at which age. The editor reads a file when it is uploaded;
#: the file may belong to several users (Gradio names it by its content), so nobody deletes it.
CLEANS = (600, 3600)
#: The tabs beside Edit, in order.
TABS: dict[str, Callable[[Shared, gr.Tab], None]] = {
    "Combine": combine_tab,
    "Generate": generate_tab,
    "Sketch": sketch_tab,
    "Train": train_tab,
    "Models": models_tab,
}


def theme() -> gr.themes.Base:
    """Colours and the system's own fonts: nothing is fetched."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="zinc",
        radius_size="lg",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )


def look(hosts: frozenset[str] | None = None) -> dict[str, Any]:
    """What `launch` has to be given beside the address: looks, keys, a closed door.

    Args:
        hosts: names that requests may call the server by; None: any.
    """
    doors = [Middleware(NoProxy)]
    if hosts is not None:
        doors.insert(0, Middleware(OnlyHosts, hosts=hosts))
    return {
        "theme": theme(),
        "css": static("style.css") + static("tabs.css"),
        "js": static("page.js"),
        "app_kwargs": {"middleware": doors},
    }


def build_app(editor: Editor, *, training: bool = True) -> gr.Blocks:
    """The app over `editor`: the page for people, and the endpoints for programs.

    Args:
        editor: of the preset that sessions begin with.
        training: whether there is a Train tab, and settings of presets can be typed: both name
            files of this machine.
    """
    with gr.Blocks(
        title="EditAnything", analytics_enabled=False, delete_cache=CLEANS, fill_width=True
    ) as app:
        open_button = lay_out_head()
        with gr.Tabs(selected="edit", elem_id="tabs") as tabs:
            with gr.Tab("Edit", id="edit"):
                edit = edit_tab(app, editor, open_button)
            edit.takes_settings = edit.page.settings.visible = training
            shared = Shared(app, editor, tabs, edit, Drawer())
            for name, lay_out in TABS.items():
                if name == "Train" and not training:
                    continue
                with gr.Tab(name, id=name.lower()) as tab:
                    gr.HTML(f"<h2>{name}</h2>", elem_classes="ea-only-read")
                    lay_out(shared, tab)
        open_button.upload(lambda: gr.Tabs(selected="edit"), None, tabs, **LOOK)
        atexit.register(edit.close)
        add_endpoints(editor, shared.drawer, EDIT)
    return app
