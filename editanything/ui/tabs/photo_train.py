"""The Train tab's panel for trainings on Stable Diffusion bases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from editanything.ui.options import LOOK
from editanything.ui.paint import status
from editanything.ui.photo_trainings import KINDS, PhotoWish
from editanything.ui.tabs.shared import told


@dataclass(frozen=True)
class PhotoPage:
    """The components of the panel."""

    kind: gr.Radio
    base: gr.Textbox
    words: gr.Textbox
    segmenter: gr.Textbox
    carry: gr.Textbox
    carry_base: gr.Textbox
    settings: gr.Textbox
    start: gr.Button
    write: gr.Button


def photo_panel(train: Any, every: list[Any]) -> None:
    """Lay out the panel and connect it.

    Args:
        train: the handlers of the Train tab.
        every: all that they change.
    """
    page = _lay_out()
    do = PhotoTraining(train)
    wish = [page.kind, page.base, page.words, page.segmenter, page.carry, page.carry_base]
    asked = [train.page.folder, train.page.name, *wish, page.settings]
    page.start.click(do.start, asked, every, **LOOK)
    page.write.click(do.write, train.page.run, train.page.said, **LOOK)


def _lay_out() -> PhotoPage:
    parts: dict[str, Any] = {}
    with gr.Accordion("On a photo base", open=False, elem_id="train-photo"):
        parts["kind"] = gr.Radio(
            [(kind.about, name) for name, kind in KINDS.items()],
            value="lora",
            label="What is learned",
            elem_id="train-photo-kind",
        )
        for key, label, info in (
            ("base", "Base", "A folder of Stable Diffusion, or a hub id."),
            ("words", "Words", "What the pictures show, or the new word: <my-dog>."),
        ):
            parts[key] = gr.Textbox(
                label=label, info=info, max_lines=1, elem_id=f"train-photo-{key}"
            )
        with gr.Accordion("More settings", open=False, elem_id="train-photo-more"):
            parts["segmenter"] = gr.Textbox(
                "sam2", label="Finder of regions", info="For a ControlNet.", max_lines=1
            )
            parts["carry"] = gr.Textbox(
                label="Begin with a ControlNet", info="Its folder; empty: afresh.", max_lines=1
            )
            parts["carry_base"] = gr.Textbox(
                label="Its base", info="It is carried over from there.", max_lines=1
            )
            parts["settings"] = gr.Textbox(
                label="Settings of the training",
                info="KEY=VALUE, one a line (optimizer.name=adan).",
                lines=1,
                max_lines=8,
                elem_id="train-photo-settings",
            )
        with gr.Row():
            parts["start"] = gr.Button(
                "Train on the base", variant="primary", elem_id="train-photo-start", min_width=120
            )
            parts["write"] = gr.Button(
                "Write its files", size="sm", elem_id="train-photo-write", min_width=120
            )
    return PhotoPage(**parts)


class PhotoTraining:
    """The handlers of the panel, beside those of the tab."""

    def __init__(self, train: Any) -> None:
        self.train = train

    def start(self, folder: str, name: str, *asked: str) -> dict[Any, Any]:
        """Begin a training on a base."""
        train = self.train
        kind, base, words, segmenter, carry, carry_base, settings = (
            str(one or "").strip() for one in asked
        )
        wish = PhotoWish(kind, base, words, settings, segmenter, carry, carry_base)
        name = str(name or "").strip()

        def work() -> dict[Any, Any]:
            train.runs.start_photo(name, str(folder or ""), wish)
            said = "Training; it goes on when this page is closed."
            return train.shown_of(name) | {train.page.said: status("done", said)}

        return told(work, train.page.said)

    def write(self, name: str | None) -> dict[Any, Any]:
        """Write what a run has learned, and say how a preset takes it."""
        train = self.train

        def work() -> dict[Any, Any]:
            out, use = train.runs.write_out(str(name))
            said = f"Written to {out}. A preset takes it by the setting {use}"
            return {train.page.said: status("done", said)}

        return told(work, train.page.said)
