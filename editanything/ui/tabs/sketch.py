"""Sketch: new pictures whose regions lie as in a sketch, or as in another picture."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.image import Picture
from editanything.layouts import from_picture, from_sketch
from editanything.progress import Progress
from editanything.ui import widgets
from editanything.ui.jobs import Desk
from editanything.ui.options import LOOK
from editanything.ui.paint import status
from editanything.ui.places import Kept, OwnFolders
from editanything.ui.tabs.shared import Runner, Shared, told

SKETCH, LAYOUT = "sketch", "layout"
KINDS = [("A sketch in flat colours on white", SKETCH), ("A picture, for its layout", LAYOUT)]
MOST = 12
EMPTY = (
    '<p class="ea-empty">Open a sketch or a picture: what is painted keeps where its regions lie, '
    "and nothing else of it. This needs the preset sd15-controlnet (see Models).</p>"
)


@dataclass(frozen=True)
class _Page:
    open: gr.UploadButton
    kind: gr.Radio
    what: gr.Textbox
    count: gr.Slider
    seed: gr.Number
    strength: gr.Slider
    only_drawn: gr.Checkbox
    run: gr.Button
    cancel: gr.Button
    said: gr.HTML
    gallery: gr.Gallery
    use: gr.Button
    preview: gr.HTML


def sketch_tab(shared: Shared, _tab: gr.Tab) -> None:
    """Lay out the tab and connect it."""
    page = _lay_out()
    do = Sketching(shared, page)
    atexit.register(do.folders.drop_all)
    page.open.upload(do.open, page.open, page.said, **LOOK)
    wishes = [page.kind, page.what, page.count, page.seed, page.strength, page.only_drawn]
    runner = Runner(do.desk, page.run, page.cancel, page.said, page.preview)
    starts = [page.run.click, page.what.submit]
    runner.connect(starts, wishes, [page.gallery, page.use], do.work, do.show)
    page.gallery.select(do.choose, None, page.use, **LOOK)
    used = page.use.click(do.use, None, [*shared.edit.page.all(), page.said], **LOOK)
    used.then(lambda: gr.Tabs(selected="edit"), None, shared.tabs, **LOOK)
    shared.app.unload(do.leave)
    shared.edit.leaving.drops.append(do.drop)


def _lay_out() -> _Page:
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="ea-tab"):
        with gr.Column(scale=4, min_width=300, elem_classes="ea-panel"):
            parts["kind"] = gr.Radio(KINDS, value=SKETCH, label="Given is", elem_id="sketch-kind")
            parts["open"] = widgets.only_files(
                gr.UploadButton("Open it", size="sm", elem_id="sketch-open", file_types=["image"])
            )
            parts["what"] = gr.Textbox(
                label="What does it show?",
                info="In plain words: a castle by a lake.",
                elem_id="sketch-what",
                max_lines=3,
            )
            with gr.Row():
                parts["run"] = gr.Button(
                    "Paint", variant="primary", elem_id="sketch-run", min_width=90
                )
                parts["cancel"] = gr.Button(
                    "Cancel", variant="stop", elem_id="sketch-cancel", min_width=90, visible=False
                )
            parts |= _settings()
        with gr.Column(scale=7, min_width=300):
            parts["said"] = gr.HTML(EMPTY, elem_id="sketch-status")
            parts["gallery"] = gr.Gallery(
                label="Pictures",
                show_label=False,
                columns=3,
                object_fit="contain",
                format="png",
                interactive=False,
                elem_id="sketched",
                visible=False,
            )
            parts["use"] = gr.Button(
                "Edit the first", size="sm", elem_id="sketch-use", visible=False
            )
            gr.HTML('<div class="ea-coming"></div>', elem_id="sketch-coming")
            parts["preview"] = widgets.preview(
                "#sketch-coming .ea-coming", elem_classes="ea-hidden"
            )
    return _Page(**parts)


def _settings() -> dict[str, Any]:
    return {
        "count": gr.Slider(1, MOST, 1, step=1, label="Pictures", elem_id="sketch-count"),
        "seed": gr.Number(0, label="Seed", precision=0, elem_id="sketch-seed"),
        "strength": gr.Slider(
            0, 2, 1.0, step=0.1, label="Strength of the layout", elem_id="sketch-strength"
        ),
        "only_drawn": gr.Checkbox(False, label="Leave the white free", elem_id="sketch-free"),
    }


class Sketching:
    """The handlers of the tab."""

    def __init__(self, shared: Shared, page: _Page) -> None:
        self.shared, self.page = shared, page
        self.desk, self.folders = Desk(), OwnFolders("sketched")
        self._sheets: dict[str, Picture] = {}
        self._made: dict[str, list[Kept]] = {}
        self._chosen: dict[str, int] = {}

    def open(self, file: str | None, request: gr.Request) -> str:
        """A sketch or a picture was uploaded."""
        if file is None:
            return ""
        try:
            picture = Picture.open(file)
        except InputError as error:
            # The user knows the file by its name, not by the place where it was put.
            return status("ask", str(error).replace(file, Path(file).name))
        self._sheets[str(request.session_hash)] = picture
        height, width = picture.shape
        return status("info", f"“{Path(file).name}” is open: {width} × {height} pixels.")

    def work(self, request: gr.Request, *values: Any, progress: Progress) -> list[Path]:
        """Paint what the page asks for, by the preset of this user's edits."""
        key = str(request.session_hash)
        kind, what, count, seed, strength, only_drawn = values
        sheet = self._sheets.get(key)
        if sheet is None:
            raise InputError("Open a sketch or a picture first.")
        first, number = int(seed or 0), int(count)
        if not 1 <= number <= MOST:
            raise InputError(f"1 to {MOST} pictures at a time; got {number}.")
        made = paint_sheet(
            self.shared.edit.session(request)[0].editor,
            sheet,
            str(what or ""),
            kind=str(kind),
            seeds=range(first, first + number),
            strength=float(strength),
            only_drawn=bool(only_drawn),
            progress=progress,
        )
        folder = self.folders.another(key)
        paths = [folder / f"picture-{first + i}.png" for i in range(number)]
        for path, rgb in zip(paths, made, strict=True):
            Picture.open(rgb).save(path)
        return paths

    def show(self, request: gr.Request, paths: list[Path]) -> dict[Any, Any]:
        """Show what was painted."""
        page, key = self.page, str(request.session_hash)
        self.folders.only(key, paths[0].parent)
        self._made[key], self._chosen[key] = [Kept.of(path) for path in paths], 0
        count = f"{len(paths)} picture{'s' * (len(paths) > 1)}"
        items = [str(path) for path in paths]
        return {
            page.gallery: gr.update(value=items, selected_index=None, visible=True),
            page.use: gr.update(value="Edit the first", visible=True),
            page.said: status("done", f"{count} painted."),
        }

    def choose(self, event: gr.SelectData, request: gr.Request) -> Any:
        """A picture was clicked."""
        self._chosen[str(request.session_hash)] = int(event.index)
        return gr.update(value=f"Edit picture {int(event.index) + 1}")

    def use(self, request: gr.Request) -> dict[Any, Any]:
        """Open the chosen picture in the Edit tab."""

        def work() -> dict[Any, Any]:
            key = str(request.session_hash)
            made = self._made.get(key)
            if not made:
                raise InputError("Nothing is painted yet: press “Paint” first.")
            number = min(self._chosen.get(key, 0), len(made) - 1)
            return self.shared.edit.open(str(made[number].file()), request)

        return told(work, self.page.said)

    def leave(self, request: gr.Request) -> None:
        """The page was closed, or lost: nobody waits for what is being painted."""
        self.desk.leave(str(request.session_hash))

    def drop(self, key: str) -> None:
        """The user has gone."""
        self.folders.drop(key)
        for held in (self._sheets, self._made, self._chosen):
            held.pop(key, None)


def paint_sheet(
    editor: Editor, sheet: Picture, what: str, *, kind: str, seeds: Sequence[int], **options: Any
) -> tuple[Any, ...]:
    """Pictures of a sketch or of a picture's layout; see `layouts`.

    Raises:
        InputError: bad input, or a preset that cannot do this; one sentence.
    """
    if kind == LAYOUT:
        return from_picture(editor, sheet, what, seeds=tuple(seeds), **options)
    return from_sketch(editor, sheet.rgb(), what, seeds=tuple(seeds), **options)
