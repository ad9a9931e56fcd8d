"""Models: which presets there are, what each needs and has here; one is chosen for a session."""

from __future__ import annotations

import json
from html import escape
from threading import Lock
from typing import Any

import gradio as gr

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.preset import read_settings
from editanything.ui import paint
from editanything.ui.options import LOOK
from editanything.ui.paint import status
from editanything.ui.presets import (
    ELSEWHERE,
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
        settings = gr.Textbox(
            label="Settings of the preset",
            info="KEY=VALUE, one a line (backends.0.model=FOLDER); also of what finds regions.",
            lines=1,
            max_lines=8,
            elem_id="models-settings",
            visible=shared.edit.takes_settings,
        )
        said = gr.HTML(elem_id="models-status", elem_classes="ea-said")
        table = gr.HTML("<p>Looking what is here …</p>", elem_id="models-table")
    do = _Models(shared, said)
    tab.select(do.opened, None, [table, choice], **LOOK)
    use.click(do.use, [choice, settings], [*shared.edit.page.all(), said], **LOOK)


class _Models:
    """The handlers of the tab."""

    def __init__(self, shared: Shared, said: gr.HTML) -> None:
        self.shared, self.said = shared, said
        self._editors: dict[str, Editor] = {}
        self._lock = Lock()

    def opened(self, request: gr.Request) -> tuple[Any, Any]:
        """The tab was opened: look what is here now."""
        session, _ = self.shared.edit.session(request)
        return table_of([preset_card(name) for name in preset_names()]), session.editor.name

    def use(self, name: str, settings: str, request: gr.Request) -> dict[Any, Any]:
        """Edit with another preset, or with other settings of one, from now on."""

        def work() -> dict[Any, Any]:
            edit = self.shared.edit
            session, view = edit.session(request)
            if session.busy:
                raise InputError("An edit is running; wait for it or cancel it first.")
            editor = self._editor(str(name), str(settings or ""))
            card = preset_card(editor.name, editor.overrides)
            if card.trouble or card.missing:
                raise InputError(f"{name} cannot be used yet. {card.said()}")
            with session.lock:
                edit.sessions.use(str(request.session_hash), editor)
                shown = paint.everything(edit.page, session, view, compare=None)
            done = f"Edits on this page are made by {card.name} now. {card.about}"
            return shown | {self.said: status("done", done)}

        return told(work, self.said)

    def _editor(self, name: str, settings: str) -> Editor:
        ours = self.shared.editor
        typed = read_settings(settings.splitlines())
        if typed and not self.shared.edit.takes_settings:
            raise InputError("This server does not take settings of presets from its users.")
        if name != ours.name:
            checked_name(name)
        elif not typed:
            return ours
        overrides = (ours.overrides if name == ours.name else {}) | typed
        key = json.dumps([name, sorted(typed.items())])
        with self._lock:
            if key not in self._editors:
                self._editors[key] = ours.with_settings(name, overrides)
            return self._editors[key]


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


def _licence(text: str) -> str:
    name = "" if text == ELSEWHERE else " translate='no'"
    return f"<small{name}>{escape(text)}</small>"


def _needs(card: PresetCard) -> str:
    if not card.needs:
        return f"ship with the package<br><small translate='no'>{OURS}</small>"
    return "<br>".join(
        f"<span translate='no'>{'✓' if need.here else '✗'} {escape(need.name)}</span> "
        f"{_licence(need.licence)}"
        for need in card.needs
    )
