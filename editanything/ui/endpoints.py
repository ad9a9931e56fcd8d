"""The named endpoints for programs, which are the MCP tools too: doors, no logic; docs/api.md."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from threading import Lock
from typing import Any, get_type_hints

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from editanything.command import parse
from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.image import Picture
from editanything.plan import EditPlan
from editanything.pointing import as_selection, read_mask, select
from editanything.rows import Row, edit_rows
from editanything.types import Point, Selection
from editanything.ui.drawing import SHIPPED, Drawer, Wish
from editanything.ui.options import TURNS
from editanything.ui.places import answer_folder
from editanything.ui.widgets import only_files

#: JSON schemas of what programs send, beyond what the components say of themselves.
LIST_OF_NAMES = {"type": "array", "items": {"type": "string"}}
_X_Y_POSITIVE = {"anyOf": [{"type": "number"}, {"type": "boolean"}]}
LIST_OF_POINTS = {"type": "array", "items": {"type": "array", "items": _X_Y_POSITIVE}}
BOX = {"type": "array", "items": {"type": "number"}}


class Endpoints:
    """What a program can ask; every answer is what Python and the command line give."""

    def __init__(self, editor: Editor, drawer: Drawer) -> None:
        self._editors = {editor.name: editor}
        self._drawer = drawer
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
        folder = answer_folder()
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
        path = answer_folder() / "mask.png"
        _save_mask(mask.full() if mask else np.zeros(looked.picture.shape, bool), path)
        regions = [
            {"id": r.id, "label": r.label, "box": list(r.mask.box), "pixels": r.mask.area}
            for r in looked.seen.regions()
        ]
        return str(path), regions

    def generate(
        self,
        what: str,
        num_images: int = 1,
        seed: int = 0,
        steps: int = 20,
        guidance: float = 2.5,
        sampler: str = "",
        style: str = "fluent",
        ground: str = "transparent",
        source: str = SHIPPED,
    ) -> tuple[str, list[str], dict[str, Any]]:
        """Draw pictures of things by their names.

        Args:
            what: names with commas between, taken in turn: "red apple, tiger".
            num_images: how many, 1 to 64.
            seed: of the first picture; the next has the next.
            steps: of the sampler.
            guidance: how closely the words are followed.
            sampler: ddpm, ddim, euler, heun, dpmpp_2m, unipc; empty: the generator's own.
            style: of the pictures; empty: any.
            ground: "transparent" or "white".
            source: "default" (shipped), or the name of a folder in runs/.

        Returns:
            All pictures as one grid, each as a PNG of its own, how they were made.
        """
        wish = Wish(
            source=str(source or SHIPPED),
            what=str(what or ""),
            num_images=_int(num_images or 1, "num_images"),
            seed=_int(seed),
            steps=_int(steps or 20, "steps"),
            guidance=2.5 if guidance is None else float(guidance),
            sampler=str(sampler or ""),
            style=str(style or ""),
            ground=str(ground or "transparent"),
        )
        drawn = self._drawer.draw(wish, answer_folder())
        return str(drawn.grid), [str(path) for path in drawn.pictures], drawn.recipe

    def batch(
        self, images: Any, text: str, preset: str = "default", seed: int = 0
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """The same command for several pictures; one that cannot be edited stops no other.

        Args:
            images: the picture files.
            text: what to do with each.
            preset: name of the preset.
            seed: decides everything that is random.

        Returns:
            The edited pictures as PNG, and a line for each picture given: its name, "done" or
            "failed", the share of pixels that may differ, the seconds, what was said.
        """
        if not images:
            raise InputError("No pictures were sent: give `images`, a list of files.")
        out = answer_folder()
        given = [Path(image) for image in images]
        rows = [
            Row(path, str(text or ""), out / f"{i:04d}-{path.stem}.png", None, _int(seed))
            for i, path in enumerate(given)
        ]
        done = list(edit_rows(self._editor(preset), rows, out))
        lines = [one.line() | {"file": one.source.name, "output": one.output.name} for one in done]
        for line in lines:
            line["said"] = _without_places(line["said"])
        return [str(one.output) for one in done if one.error is None], lines

    def _plan(
        self,
        image: str,
        text: str,
        mask: str | None,
        reference: str | None,
        preset: str,
        seed: int,
    ) -> EditPlan:
        editor = self._editor(preset)
        most = editor.preset.max_megapixels
        selection = Selection(mask=read_mask(mask, max_megapixels=most)) if mask else None
        return editor.plan(
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


def add_endpoints(editor: Editor, drawer: Drawer, options: dict[str, Any]) -> None:
    """Add the endpoints to the `gr.Blocks` that is being made; `options` go to each event."""
    do = Endpoints(editor, drawer)
    with gr.Column(visible=False):
        image = only_files(gr.File(label="image", type="filepath"))
        mask = only_files(gr.File(label="mask", type="filepath"))
        reference = only_files(gr.File(label="reference", type="filepath"))
        text = gr.Textbox(label="text")
        preset = gr.Textbox("default", label="preset")
        seed = gr.Number(0, label="seed", precision=0)
        images = _json_of(LIST_OF_NAMES, gr.JSON(["A"], label="images"))
        selection = gr.Checkbox(False, label="selection")
        points = _json_of(LIST_OF_POINTS, gr.JSON(label="points"))
        box = _json_of(BOX, gr.JSON(label="box"))
        made, made_mask = gr.File(label="image"), gr.File(label="mask")
        plan, recipe = gr.JSON(label="plan"), gr.JSON(label="recipe")
        several = only_files(gr.File(label="images", file_count="multiple", type="filepath"))
        wishes = _wishes()
        drawn = gr.File(label="pictures", file_count="multiple")
        button = gr.Button()
    common = [image, text, mask, reference, preset, seed]
    for name, function, inputs, outputs in (
        ("edit", do.edit, common, [made, made_mask, plan, recipe]),
        ("plan", do.plan, common, [plan]),
        ("parse", do.parse, [text, images, selection], [plan]),
        ("segment", do.segment, [image, points, box], [made_mask, plan]),
        ("generate", do.generate, wishes, [made, drawn, recipe]),
        ("batch", do.batch, [several, text, preset, seed], [drawn, plan]),
    ):
        event = {"api_name": name, "show_progress": "hidden"} | options
        button.click(in_one_sentence(function), inputs, outputs, **event)


def _json_of(schema: dict[str, Any], component: Any) -> Any:
    """`component`, whose JSON has this schema for those who ask how the endpoint is called."""
    component.api_info = lambda: schema
    return component


def _wishes() -> list[Any]:
    """What `generate` takes, in its order."""
    return [
        gr.Textbox(label="what"),
        gr.Number(1, label="num_images", precision=0),
        gr.Number(0, label="seed", precision=0),
        gr.Number(20, label="steps", precision=0),
        gr.Number(2.5, label="guidance"),
        gr.Textbox("", label="sampler"),
        gr.Textbox("fluent", label="style"),
        gr.Textbox("transparent", label="ground"),
        gr.Textbox(SHIPPED, label="source"),
    ]


def in_one_sentence(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` when its turn has come, its refusals told to the client as one sentence."""

    @wraps(function)
    def call(request: gr.Request, *args: Any) -> Any:
        who = str(request.session_hash or getattr(request.client, "host", ""))
        with _told(), TURNS.turn(who):
            return function(*args)

    # Gradio hands over what the signature asks for.
    own = inspect.signature(function)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    asked = inspect.Parameter("request", kind, annotation=gr.Request)
    call.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[asked, *own.parameters.values()]
    )
    call.__annotations__ = {"request": gr.Request} | get_type_hints(function)
    return call


@contextmanager
def _told() -> Iterator[None]:
    error = partial(gr.Error, print_exception=False)
    try:
        yield
    except (InputError, Refusal) as refusal:
        # A client knows its files by their names, not by the places where the server put them.
        raise error(_without_places(str(refusal))) from None


def _without_places(text: str) -> str:
    return re.sub(re.escape(get_upload_folder()) + r"\S*/", "", text)


def _given(image: str | None) -> str:
    if not image:
        raise InputError("No picture was sent: give `image`, a file (handle_file of a path).")
    return image


def _int(value: Any, name: str = "seed") -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        raise InputError(f"{name} is a whole number; got {value!r}.") from None


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


def _save_mask(mask: Any, path: Path) -> None:
    Picture.open(mask.astype(np.uint8) * 255).save(path)


def _json(text: str) -> dict[str, Any]:
    import json

    return json.loads(text)
