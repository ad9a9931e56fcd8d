"""Combine: a part of a second picture into the first, both pointed at side by side."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from editanything.editor import EditResult
from editanything.errors import InputError
from editanything.examples import EXAMPLES
from editanything.progress import Progress
from editanything.ui import widgets
from editanything.ui.answers import report
from editanything.ui.jobs import Desk
from editanything.ui.opening import GESTURES
from editanything.ui.options import LOOK
from editanything.ui.paint import stage_value, status
from editanything.ui.places import OwnFolders
from editanything.ui.session import DROPPED, NO_PICTURE, Outcome, Session
from editanything.ui.tabs.shared import Runner, Shared, told
from editanything.ui.view import View

TRIES = (
    "put the selection from image B here",
    "put the cat from image B on the right",
    "replace it with image B",
    "use image B as the background",
)


@dataclass(frozen=True)
class _Page:
    open: gr.UploadButton
    open_second: gr.UploadButton
    drop: gr.HTML
    drop_second: gr.HTML
    example: gr.Button
    stage: gr.HTML
    second: gr.HTML
    text: gr.Textbox
    tries: gr.HTML
    seed: gr.Number
    run: gr.Button
    cancel: gr.Button
    said: gr.HTML
    slider: gr.ImageSlider
    keep: gr.Row
    use: gr.Button
    save: gr.Button
    saver: gr.HTML
    preview: gr.HTML


@dataclass(frozen=True, eq=False)
class _Held:
    """What belongs to one user on this tab."""

    session: Session
    view: View


def combine_tab(shared: Shared, _tab: gr.Tab) -> None:
    """Lay out the tab and connect it."""
    page = _lay_out()
    do = _Combine(shared, page)
    atexit.register(do.close)
    stages = [page.stage, page.second, page.drop, page.drop_second, page.example, page.said]
    page.open.upload(do.open, page.open, stages, **LOOK)
    page.open_second.upload(do.open_second, page.open_second, stages, **LOOK)
    page.example.click(do.open_example, None, stages, **LOOK)
    for stage, second in ((page.stage, False), (page.second, True)):
        stage.select(do.pointing(second=second), None, stages, trigger_mode="multiple", **LOOK)
    suggested = page.tries.select(do.suggest, None, page.text, **LOOK)
    runner = Runner(do.desk, page.run, page.cancel, page.said, page.preview)
    starts = [page.run.click, page.text.submit, suggested.then]
    shown = [page.slider, page.keep, page.saver]
    runner.connect(starts, [page.text, page.seed], shown, do.work, do.show)
    page.save.click(do.save, None, [page.saver, page.said], **LOOK)
    used = page.use.click(do.use, None, [*shared.edit.page.all(), page.said], **LOOK)
    used.then(lambda: gr.Tabs(selected="edit"), None, shared.tabs, **LOOK)
    shared.app.unload(do.leave)
    shared.edit.leaving.drops.append(do.drop)


def _lay_out() -> _Page:
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="ea-tab", elem_id="combine-sides"):
        for key, end, label in (
            ("stage", "", "A: what is changed"),
            ("second", "_second", "B: what is taken from"),
        ):
            with gr.Column(min_width=300, elem_id=f"combine-side{end}"):
                parts |= _side(key, end, label)
    parts["example"] = gr.Button("Try an example", size="sm", elem_id="combine-example")
    with gr.Column(elem_classes="ea-panel"):
        parts["text"] = gr.Textbox(
            label="What should go where?",
            info="Point at what is meant in both pictures, or name it.",
            placeholder="put the selection from image B here",
            elem_id="combine-text",
        )
        parts["tries"] = widgets.buttons(
            "Suggestions", elem_id="combine-tries", value=[{"caption": text} for text in TRIES]
        )
        with gr.Row():
            parts["run"] = gr.Button("Combine", variant="primary", elem_id="combine-run")
            parts["cancel"] = gr.Button(
                "Cancel", variant="stop", visible=False, elem_id="combine-cancel"
            )
        parts["said"] = gr.HTML(elem_id="combine-status", elem_classes="ea-said")
        with gr.Accordion("More settings", open=False, elem_id="combine-settings"):
            parts["seed"] = gr.Number(
                0, label="Seed", info="Decides all that is random.", precision=0
            )
    parts["slider"] = gr.ImageSlider(
        label="Before and after",
        show_label=False,
        format="png",
        type="filepath",
        interactive=False,
        visible=False,
        buttons=["fullscreen"],
        elem_id="combine-slider",
    )
    with gr.Row(visible=False) as parts["keep"]:
        parts["use"] = gr.Button("Go on in Edit", size="sm", elem_id="combine-use")
        parts["save"] = gr.Button("Download", size="sm", elem_id="combine-save")
    parts["saver"] = widgets.saver(elem_id="combine-saver", elem_classes="ea-saver")
    parts["preview"] = widgets.preview("#combine-stage .ea-frame", elem_classes="ea-hidden")
    return _Page(**parts)


def _side(key: str, end: str, label: str) -> dict[str, Any]:
    """One of the two pictures: its name, a button to open it, a place to drop it, itself."""
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="ea-side-head"):
        gr.HTML(f"<h2>{label}</h2>", elem_classes="ea-heading")
        button = gr.UploadButton(
            f"Open picture {'B' if end else 'A'}",
            size="sm",
            elem_id=f"combine-open{end}",
            min_width=130,
            scale=0,
        )
        parts[f"open{end}"] = widgets.only_files(button)
    place = widgets.static("drop.html").replace(
        'id="drop" data-opens="open"', f'data-opens="combine-open{end}"'
    )
    parts[f"drop{end}"] = gr.HTML(place)
    parts[key] = widgets.stage(elem_id=f"combine-{key}", elem_classes="ea-side")
    return parts


class _Combine:
    """The handlers of the tab: a session of its own for each user, beside the Edit tab's."""

    def __init__(self, shared: Shared, page: _Page) -> None:
        self.shared, self.page, self.desk = shared, page, Desk()
        self.folders = OwnFolders("combine")
        self._held: dict[str, _Held] = {}
        self._made: dict[str, EditResult] = {}

    def held(self, request: gr.Request) -> _Held:
        """What the user has here."""
        key = str(request.session_hash)
        self.shared.edit.leaving.seen(key)
        if key not in self._held:
            folder = self.folders.fresh(key)
            self._held[key] = _Held(Session(self.shared.editor), View(folder / "shown"))
        return self._held[key]

    def open(self, file: str | None, request: gr.Request) -> dict[Any, Any]:
        """The picture that is changed was uploaded."""
        return self._do(request, lambda here: here.session.open(file, Path(str(file)).name), file)

    def open_second(self, file: str | None, request: gr.Request) -> dict[Any, Any]:
        """The picture that is taken from was uploaded."""
        return self._do(request, lambda here: here.session.open_second(file), file)

    def open_example(self, request: gr.Request) -> dict[Any, Any]:
        """Two of the example photos."""

        def both(here: _Held) -> None:
            here.session.open(EXAMPLES["coffee"].path, "coffee")
            here.session.open_second(EXAMPLES["cat"].path)

        return self._do(request, both, "example")

    def pointing(self, *, second: bool) -> Callable[[gr.EventData, gr.Request], dict[Any, Any]]:
        """The handler of gestures on one of the pictures."""

        def point(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
            def work(here: _Held) -> None:
                with here.session.lock:
                    on = here.session.pointing(second=second)
                    GESTURES[str(event.gesture["kind"])](on, event.gesture)

            return self._do(request, work, "gesture")

        return point

    def suggest(self, event: gr.EventData) -> str:
        """A suggestion was chosen."""
        return str(event.caption)

    def work(
        self, request: gr.Request, text: str, seed: float | None, *, progress: Progress
    ) -> Outcome:
        """Carry out the command, with the preset that the Edit tab works with."""
        session = self.held(request).session
        if session.picture is None:
            raise InputError(NO_PICTURE)
        if session.second is None:
            raise InputError("Open a second picture too: “image B”.")
        editor = self.shared.edit.session(request)[0].editor
        with session.lock:
            base, history = session.number(), session.history
            plan = editor.plan(
                session.picture.looked,
                str(text or "").strip(),
                selection=session.picture.selection,
                reference=(session.second.looked, session.second.selection),
                seed=int(seed or 0),
            )
        return Outcome(base, history, "", (plan.apply(progress),))

    def show(self, request: gr.Request, outcome: Outcome) -> dict[Any, Any]:
        """Show before and after."""
        here, page, result = self.held(request), self.page, outcome.results[0]
        session = here.session
        start = session.history.current
        if outcome.history is not session.history or start is None:
            return {page.said: status("info", DROPPED)}
        self._made[str(request.session_hash)] = result
        session.history.add(result.picture, result.plan.edit.text, result.plan.edit)
        made = session.history.current
        assert made is not None
        files = here.view.pair(start, made)
        session.history.undo(1)
        return {
            page.slider: gr.update(value=tuple(map(str, files)), visible=True),
            page.keep: gr.update(visible=True),
            page.said: status("done", report(outcome)),
        }

    def use(self, request: gr.Request) -> dict[Any, Any]:
        """Open the result in the Edit tab."""
        return told(
            lambda: self.shared.edit.open(str(self._file(request)), request), self.page.said
        )

    def save(self, request: gr.Request) -> dict[Any, Any]:
        """Hand over the result."""

        def work() -> dict[Any, Any]:
            path = self._file(request)
            return {self.page.saver: {"file": widgets.file_value(path), "name": path.name}}

        return told(work, self.page.said)

    def leave(self, request: gr.Request) -> None:
        """The page was closed, or lost: nobody waits for what is being combined."""
        self.desk.leave(str(request.session_hash))

    def close(self) -> None:
        """The server stops."""
        for key in list(self._held):
            self.drop(key)

    def drop(self, key: str) -> None:
        """The user has gone."""
        self.desk.leave(key)
        self._made.pop(key, None)
        held = self._held.pop(key, None)
        if held is not None:
            held.session.close()
            held.view.close()
        self.folders.drop(key)

    def _file(self, request: gr.Request) -> Path:
        result = self._made.get(str(request.session_hash))
        if result is None:
            raise InputError("Nothing is combined yet.")
        here = self.held(request)
        path = here.view.new_folder() / f"{here.session.name}-combined.png"
        result.save(path)
        return path

    def _do(
        self, request: gr.Request, work: Callable[[_Held], object], given: str | None
    ) -> dict[Any, Any]:
        page = self.page

        def whole() -> dict[Any, Any]:
            here = self.held(request)
            if given is not None:
                try:
                    work(here)
                except InputError as error:
                    # The user knows the file by its name, not by the place where it was put.
                    plain = str(error).replace(given, Path(given).name)
                    raise InputError(plain.replace(get_upload_folder(), "")) from None
            first, second = here.session.picture, here.session.second
            return {
                page.stage: stage_value(first, here.view, None) if first else None,
                page.second: stage_value(second, here.view, None) if second else None,
                page.drop: gr.update(visible=first is None),
                page.drop_second: gr.update(visible=second is None),
                page.example: gr.update(visible=first is None and second is None),
                page.said: "",
            }

        return told(whole, page.said)
