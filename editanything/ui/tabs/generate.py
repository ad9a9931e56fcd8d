"""Generate: words or classes to pictures, with a generator that is here."""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from editanything.errors import InputError
from editanything.progress import Progress
from editanything.ui import widgets
from editanything.ui.drawing import GROUNDS, SHIPPED, Drawn, Wish
from editanything.ui.jobs import Desk
from editanything.ui.options import LOOK
from editanything.ui.paint import status
from editanything.ui.places import Kept, OwnFolders
from editanything.ui.tabs.shared import Runner, Shared, told

SAMPLERS = [
    ("its own", ""), ("DDPM", "ddpm"), ("DDIM", "ddim"), ("Euler", "euler"),
    ("Heun", "heun"), ("DPM-Solver++ (2M)", "dpmpp_2m"), ("UniPC", "unipc"),
]  # fmt: skip
TRIES = ("red apple, blue apple, tiger, hamburger", "cat", "rocket, castle, robot", "T-Rex, owl")
EMPTY = '<p class="ea-empty">The pictures come here.</p>'
NAMELESS = "<p>It was trained without names: it draws what it has seen.</p>"


@dataclass(frozen=True)
class _Page:
    source: gr.Dropdown
    what: gr.Textbox
    tries: gr.HTML
    count: gr.Slider
    seed: gr.Number
    steps: gr.Slider
    guidance: gr.Slider
    sampler: gr.Radio
    style: gr.Textbox
    ground: gr.Radio
    animation: gr.Radio
    run: gr.Button
    cancel: gr.Button
    said: gr.HTML
    gallery: gr.Gallery
    moving: gr.Image
    keep: gr.Row
    grid: gr.Button
    use: gr.Button
    saver: gr.HTML
    preview: gr.HTML
    names: gr.HTML


def generate_tab(shared: Shared, tab: gr.Tab) -> None:
    """Lay out the tab and connect it."""
    page = _lay_out()
    do = _Generate(shared, page)
    atexit.register(do.folders.drop_all)
    of_source = [page.source, page.names, page.tries]
    tab.select(do.refresh, page.source, of_source, **LOOK)
    page.source.input(do.refresh, page.source, of_source, **LOOK)
    suggested = page.tries.select(do.suggest, None, page.what, **LOOK)
    wishes = [page.source, page.what, page.count, page.seed, page.steps, page.guidance]
    wishes += [page.sampler, page.style, page.ground, page.animation]
    shown = [page.gallery, page.moving, page.keep, page.said]
    runner = Runner(do.desk, page.run, page.cancel, page.said, page.preview)
    starts = [page.run.click, page.what.submit, suggested.then]
    runner.connect(starts, wishes, shown, do.work, do.show)
    page.gallery.select(do.choose, None, page.use, **LOOK)
    page.grid.click(do.save, None, [page.saver, page.said], **LOOK)
    used = page.use.click(do.use, None, [*shared.edit.page.all(), page.said], **LOOK)
    used.then(do.to_edit, None, shared.tabs, **LOOK)
    shared.app.unload(do.leave)
    shared.edit.leaving.drops.append(do.drop)

    def pick(event: Any, name: Any) -> Any:
        return event(do.refresh, name, of_source, **LOOK)

    shared.pick_generator = pick


def _lay_out() -> _Page:
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="ea-tab"):
        with gr.Column(scale=4, min_width=300, elem_classes="ea-panel"):
            parts |= _ask() | _settings()
        with gr.Column(scale=7, min_width=300):
            parts["said"] = gr.HTML(EMPTY, elem_id="generate-status")
            parts["gallery"] = gr.Gallery(
                label="Pictures",
                show_label=False,
                columns=4,
                object_fit="contain",
                format="png",
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_id="generated",
                height="auto",
                visible=False,
            )
            with gr.Row(visible=False, elem_id="generate-keep") as parts["keep"]:
                parts["use"] = gr.Button("Edit the first", size="sm", elem_id="generate-use")
                parts["grid"] = gr.Button("Download the grid", size="sm", elem_id="generate-grid")
            parts["moving"] = gr.Image(
                label="How the pictures came about",
                type="filepath",
                interactive=False,
                visible=False,
                buttons=["download"],
                elem_id="generate-moving",
            )
            gr.HTML('<div class="ea-coming"></div>', elem_id="generate-coming")
            parts["preview"] = widgets.preview(
                "#generate-coming .ea-coming", elem_classes="ea-hidden"
            )
            parts["saver"] = widgets.saver(elem_id="generate-saver", elem_classes="ea-saver")
            with gr.Accordion("What it can draw", open=False, elem_id="generate-known"):
                parts["names"] = gr.HTML(elem_id="generate-names")
    return _Page(**parts)


def _ask() -> dict[str, Any]:
    parts: dict[str, Any] = {}
    parts["source"] = gr.Dropdown(
        [SHIPPED],
        value=SHIPPED,
        label="Generator",
        info="“default” ships with the package; your own runs are listed too.",
        elem_id="generate-source",
        filterable=False,
    )
    parts["what"] = gr.Textbox(
        label="What should be drawn?",
        info="Names with commas between; empty: what it knows, in turn.",
        placeholder="red apple, tiger",
        elem_id="generate-what",
        max_lines=3,
    )
    parts["tries"] = widgets.buttons(
        "Suggestions",
        elem_id="generate-tries",
        value=_tries(SHIPPED, []),
    )
    with gr.Row():
        parts["run"] = gr.Button("Draw", variant="primary", elem_id="generate-run", min_width=90)
        parts["cancel"] = gr.Button(
            "Cancel", variant="stop", elem_id="generate-cancel", min_width=90, visible=False
        )
    return parts


def _settings() -> dict[str, Any]:
    parts: dict[str, Any] = {
        "count": gr.Slider(1, 16, 4, step=1, label="Pictures", elem_id="generate-count"),
        "seed": gr.Number(0, label="Seed", precision=0, elem_id="generate-seed"),
    }
    with gr.Accordion("More settings", open=False, elem_id="generate-settings"):
        parts["steps"] = gr.Slider(
            1,
            100,
            20,
            step=1,
            label="Steps",
            info="More: finer and slower.",
            elem_id="generate-steps",
        )
        parts["guidance"] = gr.Slider(
            0, 10, 2.5, step=0.1, label="Guidance", info="How closely it follows the words."
        )
        parts["sampler"] = gr.Radio(SAMPLERS, value="", label="Sampler")
        parts["style"] = gr.Textbox(
            "fluent", label="Style", info="Of generators of words; empty: any."
        )
        parts["ground"] = gr.Radio(
            [(name.capitalize(), name) for name in GROUNDS], value="transparent", label="Ground"
        )
        parts["animation"] = gr.Radio(
            [("None", ""), ("WebP", "webp"), ("GIF", "gif")],
            value="",
            label="Animation of the denoising",
            elem_id="generate-animation",
        )
    return parts


class _Generate:
    """The handlers of the tab."""

    def __init__(self, shared: Shared, page: _Page) -> None:
        self.shared, self.page = shared, page
        self.desk, self.folders = Desk(), OwnFolders("drawn")
        self._drawn: dict[str, list[Kept]] = {}  # the grid, then each picture
        self._chosen: dict[str, int] = {}

    def refresh(self, source: str) -> tuple[Any, Any, Any]:
        """The tab was opened, or another generator chosen: which are here, and what it knows."""
        found = self.shared.drawer.sources()
        value = source if source in found else SHIPPED
        names = self._names(value)
        told_of = NAMELESS
        if names:
            told_of = f'<p translate="no">{len(names)}: {escape(", ".join(sorted(names)))}</p>'
        return gr.update(choices=found, value=value), told_of, _tries(value, names)

    def suggest(self, event: gr.EventData) -> str:
        """A suggestion was chosen."""
        return str(event.caption)

    def work(self, request: gr.Request, *values: Any, progress: Progress) -> Drawn:
        """Draw what the page asks for."""
        source, what, count, seed, steps, guidance, sampler, style, ground, animation = values
        wish = Wish(
            source=str(source or SHIPPED),
            what=str(what or ""),
            num_images=int(count),
            seed=int(seed or 0),
            steps=int(steps),
            guidance=float(guidance),
            sampler=str(sampler or ""),
            style=str(style or "").strip(),
            ground=str(ground),
            animation=str(animation or ""),
        )
        key = str(request.session_hash)
        self.shared.edit.leaving.seen(key)
        return self.shared.drawer.draw(wish, self.folders.another(key), progress)

    def show(self, request: gr.Request, drawn: Drawn) -> dict[Any, Any]:
        """Show what was drawn."""
        page, key = self.page, str(request.session_hash)
        self.folders.only(key, drawn.grid.parent)
        self._drawn[key] = [Kept.of(path) for path in (drawn.grid, *drawn.pictures)]
        self._chosen[key] = 0
        items = [(str(p), t or None) for p, t in zip(drawn.pictures, drawn.titles, strict=True)]
        count = f"{len(items)} picture{'s' * (len(items) > 1)}"
        return {
            page.gallery: gr.update(
                value=items, columns=min(4, len(items)), selected_index=None, visible=True
            ),
            page.moving: gr.update(
                value=drawn.animation and str(drawn.animation), visible=bool(drawn.animation)
            ),
            page.keep: gr.update(visible=True),
            page.said: status("done", f"{count} drawn; how is written inside each file."),
        }

    def choose(self, event: gr.SelectData, request: gr.Request) -> Any:
        """A picture was clicked."""
        self._chosen[str(request.session_hash)] = int(event.index)
        return gr.update(value=f"Edit picture {int(event.index) + 1}")

    def use(self, request: gr.Request) -> dict[Any, Any]:
        """Open the chosen picture in the Edit tab."""

        def work() -> dict[Any, Any]:
            pictures = self._of(request)[1:]
            number = min(self._chosen.get(str(request.session_hash), 0), len(pictures) - 1)
            return self.shared.edit.open(str(pictures[number].file()), request)

        return told(work, self.page.said)

    def to_edit(self, request: gr.Request) -> Any:
        """Send the user to the Edit tab, if there is something to edit."""
        session, _ = self.shared.edit.session(request)
        return gr.skip() if session.picture is None else gr.Tabs(selected="edit")

    def save(self, request: gr.Request) -> dict[Any, Any]:
        """Hand over all pictures as one."""
        page = self.page

        def work() -> dict[Any, Any]:
            grid = self._of(request)[0].file()
            return {page.saver: {"file": widgets.file_value(grid), "name": grid.name}}

        return told(work, page.said)

    def leave(self, request: gr.Request) -> None:
        """The page was closed, or lost: nobody waits for what is being drawn."""
        self.desk.leave(str(request.session_hash))

    def drop(self, key: str) -> None:
        """The user has gone."""
        self.folders.drop(key)
        self._drawn.pop(key, None)
        self._chosen.pop(key, None)

    def _of(self, request: gr.Request) -> list[Kept]:
        drawn = self._drawn.get(str(request.session_hash))
        if drawn is None:
            raise InputError("Nothing is drawn yet: press “Draw” first.")
        return drawn

    def _names(self, source: str) -> list[str]:
        try:
            return self.shared.drawer.names(source)
        except InputError:  # said when it is drawn with
            return []


def _tries(source: str, names: list[str]) -> list[dict[str, str]]:
    """Sentences to try: for a generator of one's own, some of the names that it knows."""
    some = list(TRIES)
    if source != SHIPPED:
        some = [", ".join(names[:4]), *names[:3]] if names else []
    return [{"caption": text} for text in dict.fromkeys(some)]
