"""The named endpoints for programs: `/edit`, `/plan`, `/parse`, `/segment`. Doors, no logic."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from editanything.command import parse
from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.image import Picture
from editanything.plan import EditPlan
from editanything.pointing import as_selection, read_mask, select
from editanything.types import Point, Selection
from editanything.ui.widgets import only_files


class Endpoints:
    """What a program can ask; every answer is what Python and the command line give."""

    def __init__(self, editor: Editor) -> None:
        self._editors = {editor.name: editor}
        self._lock = Lock()

    def edit(
        self,
        image: str,
        text: str,
        mask: str | None = None,
        reference: str | None = None,
        preset: str = "default",
        seed: int = 0,
    ) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        """Change a picture by a sentence; no pixel outside the returned mask changes.

        Args:
            image: the picture file.
            text: what to do, in plain English: "remove the cup".
            mask: a picture of the same size, white where it is selected.
            reference: a second picture to take from ("image B").
            preset: name of the preset.
            seed: decides everything that is random.

        Returns:
            The edited picture as PNG, its mask (white = may differ), the plan, the recipe.
        """
        result = self._plan(image, text, mask, reference, preset, seed).apply()
        folder = _folder()
        result.save(folder / "edited.png")
        _save_mask(result.mask, folder / "mask.png")
        recipe = _json(result.recipe.to_json())
        return str(folder / "edited.png"), str(folder / "mask.png"), result.plan.to_dict(), recipe

    def plan(
        self,
        image: str,
        text: str,
        mask: str | None = None,
        reference: str | None = None,
        preset: str = "default",
        seed: int = 0,
    ) -> dict[str, Any]:
        """What `edit` would do, as JSON; nothing is painted."""
        return self._plan(image, text, mask, reference, preset, seed).to_dict()

    def parse(self, text: str, images: Any = None, selection: bool = False) -> dict[str, Any]:
        """How a command is understood, as JSON.

        Args:
            text: the command.
            images: the labels of the pictures that there are: ["A"], or ["A", "B"].
            selection: whether something is selected.
        """
        images = ["A"] if images is None else images
        if not isinstance(images, list) or not all(isinstance(name, str) for name in images):
            raise InputError(f'images is a list of labels such as ["A", "B"]; got {images!r}.')
        return parse(str(text or ""), images=tuple(images), selection=bool(selection)).to_dict()

    def segment(
        self, image: str, points: Any = None, box: Any = None
    ) -> tuple[str, list[dict[str, Any]]]:
        """What clicks and a box mean, and the picture's regions.

        Args:
            image: the picture file.
            points: [[x, y, positive], ...] in pixels.
            box: [x0, y0, x1, y1] in pixels, half open; or null.

        Returns:
            The mask as PNG (white = selected; black where nothing was pointed at), the regions.
        """
        looked = next(iter(self._editors.values())).look(_given(image))
        selection = as_selection(Selection(points=_points(points), boxes=_boxes(box)))
        mask = select(looked.seen, selection)
        path = _folder() / "mask.png"
        _save_mask(mask.full() if mask else np.zeros(looked.picture.shape, bool), path)
        regions = [
            {"id": r.id, "label": r.label, "box": list(r.mask.box), "pixels": r.mask.area}
            for r in looked.seen.regions()
        ]
        return str(path), regions

    def _plan(
        self,
        image: str,
        text: str,
        mask: str | None,
        reference: str | None,
        preset: str,
        seed: int,
    ) -> EditPlan:
        selection = Selection(mask=read_mask(mask)) if mask else None
        return self._editor(preset).plan(
            _given(image),
            str(text or ""),
            selection=selection,
            reference=reference,
            seed=_int(seed),
        )

    def _editor(self, preset: str | None) -> Editor:
        name = preset or "default"
        with self._lock:
            if name not in self._editors:
                # A path or a module's name would let a client read files and run code.
                if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
                    raise InputError(f"preset is the name of a shipped preset; got {name!r}.")
                self._editors[name] = Editor.from_preset(name)
            return self._editors[name]


def add_endpoints(editor: Editor, options: dict[str, Any]) -> None:
    """Add the endpoints to the `gr.Blocks` that is being made; `options` go to each event."""
    do = Endpoints(editor)
    with gr.Column(visible=False):
        image = only_files(gr.File(label="image", type="filepath"))
        mask = only_files(gr.File(label="mask", type="filepath"))
        reference = only_files(gr.File(label="reference", type="filepath"))
        text = gr.Textbox(label="text")
        preset = gr.Textbox("default", label="preset")
        seed = gr.Number(0, label="seed", precision=0)
        images = gr.JSON(["A"], label="images")
        selection = gr.Checkbox(False, label="selection")
        points = gr.JSON(label="points")
        box = gr.JSON(label="box")
        made, made_mask = gr.File(label="image"), gr.File(label="mask")
        plan, recipe = gr.JSON(label="plan"), gr.JSON(label="recipe")
        button = gr.Button()
    common = [image, text, mask, reference, preset, seed]
    for name, function, inputs, outputs in (
        ("edit", do.edit, common, [made, made_mask, plan, recipe]),
        ("plan", do.plan, common, [plan]),
        ("parse", do.parse, [text, images, selection], [plan]),
        ("segment", do.segment, [image, points, box], [made_mask, plan]),
    ):
        event = {"api_name": name, "show_progress": "hidden"} | options
        button.click(in_one_sentence(function), inputs, outputs, **event)


def in_one_sentence(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its refusals told to the client as one sentence."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _told():
            return function(*args, **kwargs)

    return call


@contextmanager
def _told() -> Iterator[None]:
    error = partial(gr.Error, print_exception=False)
    try:
        yield
    except (InputError, Refusal) as refusal:
        # A client knows its files by their names, not by the places where the server put them.
        raise error(re.sub(re.escape(get_upload_folder()) + r"\S*/", "", str(refusal))) from None


def _given(image: str | None) -> str:
    if not image:
        raise InputError("No picture was sent: give `image`, a file (handle_file of a path).")
    return image


def _int(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        raise InputError(f"seed is a whole number; got {value!r}.") from None


def _points(points: Any) -> tuple[Point, ...]:
    try:
        return tuple(Point(float(p[0]), float(p[1]), bool((*p, True)[2])) for p in points or ())
    except (TypeError, ValueError, IndexError):
        raise InputError(
            f"points is a list of [x, y, positive] in pixels: [[120, 80, true]]; got {points!r}."
        ) from None


def _boxes(box: Any) -> tuple[tuple[int, int, int, int], ...]:
    if not box:
        return ()
    try:
        x0, y0, x1, y1 = (round(float(value)) for value in box)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"box is [x0, y0, x1, y1] in pixels, or null; got {box!r}.") from None
    return ((x0, y0, x1, y1),)


def _folder() -> Path:
    """A new folder where Gradio serves files from; it is emptied with Gradio's cache."""
    home = Path(get_upload_folder())
    home.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="answer-", dir=home))


def _save_mask(mask: Any, path: Path) -> None:
    Picture.open(mask.astype(np.uint8) * 255).save(path)


def _json(text: str) -> dict[str, Any]:
    import json

    return json.loads(text)
