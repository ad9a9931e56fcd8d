"""Models: which presets there are, what each needs and has here; one is chosen for a session."""

from __future__ import annotations

from html import escape
from threading import Lock
from typing import Any

import gradio as gr

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.ui import paint
from editanything.ui.options import LOOK
from editanything.ui.paint import status
from editanything.ui.presets import (
    OURS,
    PresetCard,
    checked_name,
    hardware,
    preset_card,
    preset_names,
)
from editanything.ui.tabs.shared import Shared, told


def models_tab(shared: Shared, tab: gr.Tab) -> None:
    """Lay out the tab and connect it."""
    with gr.Column(elem_classes="ea-panel", elem_id="models"):
        gr.HTML(
            "<p>A preset is what edits: one finder of regions, one reader of words, and painters. "
            "The choice holds for this page until it is closed.</p>",
            elem_classes="ea-hint",
        )
        with gr.Row():
            choice = gr.Dropdown(
                preset_names(),
                value=shared.editor.name,
                label="Preset for my edits",
                elem_id="models-choice",
                allow_custom_value=True,
            )
            use = gr.Button("Use it", variant="primary", elem_id="models-use", scale=0)
        said = gr.HTML(elem_id="models-status", elem_classes="ea-said")
        table = gr.HTML("<p>Looking what is here …</p>", elem_id="models-table")
    do = _Models(shared, said)
    tab.select(do.opened, None, [table, choice], **LOOK)
    use.click(do.use, choice, [*shared.edit.page.all(), said], **LOOK)


class _Models:
    """The handlers of the tab."""

    def __init__(self, shared: Shared, said: gr.HTML) -> None:
        self.shared, self.said = shared, said
        self._editors = {shared.editor.name: shared.editor}
        self._lock = Lock()

    def opened(self, request: gr.Request) -> tuple[Any, Any]:
        """The tab was opened: look what is here now."""
        session, _ = self.shared.edit.session(request)
        return table_of([preset_card(name) for name in preset_names()]), session.editor.name

    def use(self, name: str, request: gr.Request) -> dict[Any, Any]:
        """Edit with another preset from now on."""

        def work() -> dict[Any, Any]:
            edit = self.shared.edit
            session, view = edit.session(request)
            if session.busy:
                raise InputError("An edit is running; wait for it or cancel it first.")
            card = preset_card(checked_name(str(name)))
            if card.trouble or card.missing:
                raise InputError(f"{name} cannot be used yet. {card.said()}")
            with session.lock:
                edit.sessions.use(str(request.session_hash), self._editor(card.name))
                shown = paint.everything(edit.page, session, view, compare=None)
            done = f"Edits on this page are made by {card.name} now. {card.about}"
            return shown | {self.said: status("done", done)}

        return told(work, self.said)

    def _editor(self, name: str) -> Editor:
        with self._lock:
            if name not in self._editors:
                self._editors[name] = Editor.from_preset(name)
            return self._editors[name]


def table_of(cards: list[PresetCard]) -> str:
    """The presets as an HTML table."""
    heads = "".join(f"<th scope='col'>{h}</th>" for h in ("Preset", "What it is", "Files", "Here"))
    rows = "".join(
        f"<tr><th scope='row' translate='no'>{escape(card.name)}</th><td translate='no'>"
        f"{escape(card.about)}<br><small>{escape(', '.join(card.parts))}</small></td>"
        f"<td>{_needs(card)}</td><td>{_here(card)}</td></tr>"
        for card in cards
    )
    return (
        f"<p class='ea-hint'>{escape(hardware())}</p><div class='ea-scroll'>"
        f"<table class='ea-table'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _here(card: PresetCard) -> str:
    """Whether it can be used now, and what would bring it here."""
    if card.trouble or not card.missing:
        return (
            f"<b class='ea-ready'>{escape(card.said())}</b>"
            if not card.trouble
            else (escape(card.trouble))
        )
    return (
        f"<span>Not here yet.</span><details><summary>How to get it</summary>"
        f"<code translate='no'>{escape(card.command)}</code></details>"
    )


def _needs(card: PresetCard) -> str:
    if not card.needs:
        return f"ship with the package<br><small translate='no'>{OURS}</small>"
    return "<br>".join(
        f"<span translate='no'>{'✓' if need.here else '✗'} {escape(need.name)}</span> "
        f"<small>{escape(need.licence)}</small>"
        for need in card.needs
    )
