"""The layout of the page: every component, none of what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from editanything.examples import EXAMPLES
from editanything.ui import widgets

FORMATS = [("PNG", ".png"), ("TIFF", ".tif"), ("WebP", ".webp"), ("JPEG", ".jpg")]
PICTURE, COMPARE = "Picture", "Before / after"


@dataclass(frozen=True)
class Page:
    """The components that handlers read and write."""

    open: gr.UploadButton
    start: gr.Column
    examples: gr.HTML
    work: gr.Row
    mode: gr.Radio
    stage: gr.HTML
    preview: gr.HTML
    slider: gr.ImageSlider
    text: gr.Textbox
    suggestions: gr.HTML
    run: gr.Button
    show_plan: gr.Button
    cancel: gr.Button
    status: gr.HTML
    plan: gr.Column
    steps: gr.HTML
    notes: gr.HTML
    variations: gr.HTML
    undo: gr.Button
    redo: gr.Button
    history: gr.HTML
    format: gr.Dropdown
    save: gr.Button
    saver: gr.HTML
    replay: gr.UploadButton
    open_second: gr.UploadButton
    drop_second: gr.Button
    second: gr.HTML
    seed: gr.Number
    grow: gr.Textbox
    feather: gr.Textbox
    open_mask: gr.UploadButton
    settings: gr.Textbox

    def all(self) -> list[Any]:
        """Every component, for handlers that may change any."""
        return list(vars(self).values())


def lay_out_head() -> gr.UploadButton:
    """What stands above the tabs; returns the button that opens a picture."""
    with gr.Row(elem_id="head"):
        gr.HTML("<h1>EditAnything</h1><p>Edit a picture by a sentence</p>", elem_id="title")
        widgets.languages(elem_id="language")
        button = gr.UploadButton("Open picture", elem_id="open", size="sm", scale=0, min_width=130)
        return widgets.only_files(button)


def lay_out(open_button: gr.UploadButton) -> Page:
    """Make the components of the Edit tab; call it inside a `gr.Blocks`."""
    parts: dict[str, Any] = {"open": open_button}
    with gr.Column(elem_id="start") as parts["start"]:
        gr.HTML(widgets.static("welcome.html"))
        gr.HTML(widgets.static("drop.html"))
        gr.HTML("<h3>Or try one of these</h3>", elem_classes="ea-heading")
        parts["examples"] = widgets.buttons("Example photos", elem_id="examples", value=_examples())
    with gr.Row(elem_id="work", visible=False) as parts["work"]:
        with gr.Column(scale=7, min_width=320, elem_id="left"):
            parts |= _left()
        with gr.Column(scale=4, min_width=320, elem_id="right"):
            parts |= _right()
    return Page(**parts)


def _examples() -> list[dict[str, Any]]:
    return [
        {
            "image": widgets.file_value(example.path),
            "caption": example.name,
            "title": f"{example.title} ({example.credit})",
        }
        for example in EXAMPLES.values()
    ]


def _left() -> dict[str, Any]:
    return {
        "mode": gr.Radio(
            [PICTURE, COMPARE],
            value=PICTURE,
            label="View",
            show_label=False,
            container=False,
            elem_id="mode",
            visible=False,
        ),
        "stage": widgets.stage(elem_id="stage"),
        "preview": widgets.preview("#stage .ea-frame", elem_id="preview"),
        "slider": gr.ImageSlider(
            label="Before and after",
            show_label=False,
            format="png",
            type="filepath",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="slider",
            visible=False,
            max_height=2000,
        ),
    }


def _right() -> dict[str, Any]:
    return _say() | _past() | _second() | _settings()


def _say() -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Column(elem_id="say", elem_classes="ea-panel"):
        parts["text"] = gr.Textbox(
            label="What should change?",
            placeholder="make it teal",
            lines=1,
            max_lines=4,
            elem_id="text",
            autofocus=True,
        )
        parts["suggestions"] = widgets.buttons("Suggestions", elem_id="suggestions")
        with gr.Row(elem_id="go"):
            parts["run"] = gr.Button("Run", variant="primary", elem_id="run", min_width=90)
            parts["cancel"] = gr.Button(
                "Cancel", variant="stop", elem_id="cancel", min_width=90, visible=False
            )
            parts["show_plan"] = gr.Button("Show plan", elem_id="show-plan", min_width=90)
        parts["status"] = gr.HTML(elem_id="status")
        with gr.Column(elem_id="plan", visible=False) as parts["plan"]:
            parts["steps"] = widgets.plan(elem_id="steps")
            parts["notes"] = gr.HTML(elem_id="notes")
        parts["variations"] = widgets.buttons("Variations", elem_id="variations", visible=False)
    return parts


def _past() -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Column(elem_id="past", elem_classes="ea-panel"):
        with gr.Row():
            parts["undo"] = gr.Button("Undo", size="sm", elem_id="undo", min_width=70)
            parts["redo"] = gr.Button("Redo", size="sm", elem_id="redo", min_width=70)
        parts["history"] = widgets.tree(elem_id="history")
        with gr.Row(elem_id="keep"):
            parts["format"] = gr.Dropdown(
                FORMATS,
                value=".png",
                label="Save as",
                show_label=False,
                container=False,
                elem_id="format",
                scale=3,
                min_width=150,
                filterable=False,
            )
            parts["save"] = gr.Button("Download", size="sm", elem_id="save", scale=2, min_width=100)
        parts["saver"] = widgets.saver(elem_id="saver")
        parts["replay"] = widgets.only_files(
            gr.UploadButton(
                "Replay a recipe",
                elem_id="replay",
                size="sm",
                file_types=[".json", "image"],
                min_width=110,
            )
        )
    return parts


def _second() -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Accordion("Second picture", open=False, elem_id="second-panel"):
        gr.HTML(
            "<p>“Image B”, to take something from: “use image B as the background”, "
            "“put the cat from image B on the table”. Point at the part that is meant.</p>",
            elem_classes="ea-hint",
        )
        with gr.Row():
            parts["open_second"] = widgets.only_files(
                gr.UploadButton(
                    "Open second picture", size="sm", elem_id="open-second", min_width=140
                )
            )
            parts["drop_second"] = gr.Button(
                "Take it away", size="sm", elem_id="drop-second", min_width=110, visible=False
            )
        parts["second"] = widgets.stage(elem_id="second")
    return parts


def _settings() -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Accordion("More settings", open=False, elem_id="settings"):
        parts["seed"] = gr.Number(
            0, label="Seed", info="Decides all that is random.", precision=0, elem_id="seed"
        )
        with gr.Row():
            parts["grow"] = gr.Textbox(
                label="Grow (px)",
                info="Change this much around the thing too.",
                placeholder="as each edit needs",
                min_width=130,
                elem_id="grow",
            )
            parts["feather"] = gr.Textbox(
                label="Feather (px)",
                info="How soft the edge is, inwards.",
                placeholder="as each edit needs",
                min_width=130,
                elem_id="feather",
            )
        parts["open_mask"] = widgets.only_files(
            gr.UploadButton(
                "Select by a mask file", size="sm", elem_id="open-mask", file_types=["image"]
            )
        )
        parts["settings"] = gr.Textbox(
            label="Settings of the preset",
            info="KEY=VALUE, one a line (backends.0.steps=20), for edits from now on.",
            lines=1,
            max_lines=8,
            elem_id="preset-settings",
        )
    with gr.Accordion("Keys", open=False, elem_id="keys"):
        gr.HTML(widgets.static("keys.html"))
    return parts
