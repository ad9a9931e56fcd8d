"""Train: learn to draw from a folder of pictures on the machine that the editor runs on."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from editanything.errors import InputError
from editanything.ui import paint
from editanything.ui.options import LOOK
from editanything.ui.paint import status
from editanything.ui.tabs.photo_train import photo_panel
from editanything.ui.tabs.shared import Shared, told
from editanything.ui.trainings import SIZES, Status, Trainings, curve, with_generator

LOOKS_EVERY_S = 3.0
EMPTY = (
    '<p class="ea-empty">No run was started yet. Loss, time left and pictures come here; a run '
    "goes on when the page is closed, and as soon as it has saved once it can be drawn and edited "
    "with.</p>"
)


@dataclass(frozen=True)
class _Page:
    folder: gr.Textbox
    name: gr.Textbox
    size: gr.Radio
    steps: gr.Textbox
    start: gr.Button
    run: gr.Dropdown
    stop: gr.Button
    resume: gr.Button
    use: gr.Button
    edit: gr.Button
    said: gr.HTML
    told: gr.HTML
    loss: gr.HTML
    grid: gr.Image
    clock: gr.Timer


def train_tab(shared: Shared, tab: gr.Tab) -> None:
    """Lay out the tab and connect it."""
    page = _lay_out()
    do = _Train(Trainings(shared.drawer.root), page, shared)
    shown = [page.told, page.loss, page.grid, page.stop, page.resume, page.use, page.edit]
    every = [page.said, page.run, page.clock, *shown]
    tab.select(do.opened, page.run, every, **LOOK)
    page.clock.tick(do.look, page.run, [page.clock, *shown], **LOOK)
    page.run.input(do.look, page.run, [page.clock, *shown], **LOOK)
    asked = [page.folder, page.name, page.size, page.steps]
    page.start.click(do.start, asked, every, **LOOK)
    page.stop.click(do.stop, page.run, every, **LOOK)
    page.resume.click(do.resume, page.run, every, **LOOK)
    on_edit = [*shared.edit.page.all(), page.said]
    edited = page.edit.click(do.edit_with, page.run, on_edit, **LOOK)
    edited.then(do.to_edit, None, shared.tabs, **LOOK)
    # The generator is chosen before the tab opens, or the tab would look the old one up again.
    assert shared.pick_generator is not None, "Generate comes before Train"
    used = shared.pick_generator(page.use.click, page.run)
    used.then(lambda: gr.Tabs(selected="generate"), None, shared.tabs, **LOOK)
    photo_panel(do, every)


def _lay_out() -> _Page:
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="ea-tab"):
        with gr.Column(scale=4, min_width=300, elem_classes="ea-panel"):
            parts["folder"] = gr.Textbox(
                label="Folder of pictures",
                info="On this machine. Its sub-folders are classes, if it has any.",
                placeholder="/home/me/pictures",
                elem_id="train-folder",
                max_lines=1,
            )
            parts["name"] = gr.Textbox("mine", label="Name of the run", elem_id="train-name")
            parts["size"] = gr.Radio(
                [(f"{name.capitalize()}: {what}", name) for name, (_, what) in SIZES.items()],
                value="tiny",
                label="Size",
                elem_id="train-size",
            )
            parts["steps"] = gr.Textbox(
                label="Steps", placeholder="as the size has it", elem_id="train-steps", max_lines=1
            )
            parts["start"] = gr.Button("Train", variant="primary", elem_id="train-start")
            parts["said"] = gr.HTML(elem_id="train-status", elem_classes="ea-said")
        with gr.Column(scale=7, min_width=300, elem_classes="ea-panel"):
            parts["run"] = gr.Dropdown(
                [],
                label="Training run",
                elem_id="train-run",
                filterable=False,
                interactive=True,
                visible=False,
            )
            parts["told"] = gr.HTML(EMPTY, elem_id="train-told")
            with gr.Row():
                for key, label in (
                    ("stop", "Stop"),
                    ("resume", "Go on"),
                    ("use", "Draw with it"),
                    ("edit", "Edit with it"),
                ):
                    parts[key] = gr.Button(
                        label, size="sm", visible=False, elem_id=f"train-{key}", min_width=90
                    )
            parts["loss"] = gr.HTML(elem_id="train-loss")
            parts["grid"] = gr.Image(
                label="Drawn while training",
                type="filepath",
                format="png",
                interactive=False,
                visible=False,
                buttons=["download", "fullscreen"],
                elem_id="train-grid",
            )
    parts["clock"] = gr.Timer(LOOKS_EVERY_S, active=False)
    return _Page(**parts)


class _Train:
    """The handlers of the tab; runs belong to the machine, not to a user."""

    def __init__(self, runs: Trainings, page: _Page, shared: Shared) -> None:
        self.runs, self.page, self.shared = runs, page, shared
        self._ready: set[str] = set()  # users whose last wish to edit with a run was granted

    def opened(self, name: str | None) -> dict[Any, Any]:
        """The tab was opened."""
        return told(lambda: self.shown_of(name), self.page.said)

    def look(self, name: str | None) -> dict[Any, Any]:
        """How the chosen run stands now."""
        page = self.page
        if name not in self.runs.names():
            return {page.clock: gr.Timer(active=False)}
        assert name is not None
        return told(lambda: self._shown(self.runs.status(name)), page.told)

    def start(self, folder: str, name: str, size: str, steps: str) -> dict[Any, Any]:
        """Begin a run."""

        def work() -> dict[Any, Any]:
            count, classes = self.runs.look_at(str(folder or ""))
            self.runs.start(str(name or "").strip(), str(folder), size, _number(steps))
            among = f" in {len(classes)} classes" if classes else ""
            said = f"Training on {count} pictures{among}; it goes on when this page is closed."
            return self.shown_of(str(name).strip()) | {self.page.said: status("done", said)}

        return told(work, self.page.said)

    def stop(self, name: str | None) -> dict[Any, Any]:
        """Stop a run; it saves what it learned."""

        def work() -> dict[Any, Any]:
            self.runs.stop(str(name))
            said = "Stopping: it finishes its step and saves."
            return self.shown_of(name) | {self.page.said: status("info", said)}

        return told(work, self.page.said)

    def resume(self, name: str | None) -> dict[Any, Any]:
        """Go on with a run."""

        def work() -> dict[Any, Any]:
            self.runs.resume(str(name))
            return self.shown_of(name) | {self.page.said: ""}

        return told(work, self.page.said)

    def edit_with(self, name: str | None, request: gr.Request) -> dict[Any, Any]:
        """Draw the new things of this page's edits with a run from now on."""
        edit, key = self.shared.edit, str(request.session_hash)
        self._ready.discard(key)

        def work() -> dict[Any, Any]:
            self.runs.status(str(name))
            session, view = edit.session(request)
            if session.busy:
                raise InputError("An edit is running; wait for it or cancel it first.")
            editor, names = with_generator(session.editor, str(self.runs.root / str(name)))
            with session.lock:
                edit.sessions.use(key, editor)
                shown = paint.everything(edit.page, session, view)
            self._ready.add(key)
            listed = ", ".join(f"“add a {one}”" for one in names[:3])
            said = f"What is new on this page is drawn by {name} now: say {listed}."
            gr.Info(said)
            done = status("done", said)
            return shown | {edit.page.status: done, self.page.said: done}

        return told(work, self.page.said)

    def to_edit(self, request: gr.Request) -> Any:
        """Send the user to the Edit tab, if the run draws there now."""
        ready = str(request.session_hash) in self._ready
        return gr.Tabs(selected="edit") if ready else gr.skip()

    def shown_of(self, name: str | None) -> dict[Any, Any]:
        """All that the tab shows of the runs, run `name` chosen."""
        page, names = self.page, self.runs.names()
        if not names:
            return {page.run: gr.update(choices=[], value=None, visible=False)}
        name = name if name in names else names[0]
        return {
            page.run: gr.update(choices=names, value=name, visible=True),
            **self._shown(self.runs.status(name)),
        }

    def _shown(self, now: Status) -> dict[Any, Any]:
        page = self.page
        return {
            page.clock: gr.Timer(active=now.alive),
            page.told: _told(now),
            page.loss: curve(now.loss, now.steps),
            page.grid: gr.update(value=now.grid and str(now.grid), visible=now.grid is not None),
            page.stop: gr.update(visible=now.alive),
            page.resume: gr.update(visible=now.state in ("stopped", "failed")),
            page.use: gr.update(visible=now.can_draw),
            page.edit: gr.update(visible=now.can_draw),
        }


def _told(now: Status) -> str:
    """A run's state as a line with a bar."""
    words = {
        "starting": "Starting: this takes some seconds",
        "running": f"Step {now.step} of {now.steps}",
        "stopped": f"Stopped at step {now.step} of {now.steps}",
        "done": f"Done: {now.steps} steps",
        "failed": f"It failed: {now.said}",
    }[now.state]
    if now.seconds_left is not None:
        words += f", {_duration(now.seconds_left)} left"
    if now.loss:
        words += f"; loss {now.loss[-1][1]:.3f}"
    kind = {"failed": "ask", "done": "done", "running": "busy"}.get(now.state, "info")
    return status(kind, words, now.step / now.steps if now.steps else 0.0)


def _duration(seconds: float) -> str:
    from mdt.watch import duration

    return escape(duration(seconds))


def _number(text: str | None) -> int | None:
    if not str(text or "").strip():
        return None
    if not str(text).strip().isdecimal():
        raise InputError(f"Steps is a whole number, or empty; got “{text}”.")
    return int(str(text))
