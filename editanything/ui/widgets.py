"""The page's own widgets: the stage that is pointed at, rows of buttons, and the saver of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

_STATIC = Path(__file__).parent / "static"


def static(name: str) -> str:
    """The text of a file in `static/`."""
    return (_STATIC / name).read_text(encoding="utf-8")


def file_value(path: Path | None) -> dict[str, Any] | None:
    """A file as the page gets it; Gradio adds the address under which it is served."""
    return None if path is None else FileData(path=str(path)).model_dump()


def stage(**settings: Any) -> gr.HTML:
    """A picture to point at; `select` tells of each gesture in pixels of the original.

    Its value: `turn` (grows from answer to answer), `picture`, `overlay`, `map` (files), `width`,
    `height`, `regions` ({id, label, at}), `divided`, `points` ([x, y, positive]), `selected`,
    `facts`; of what a plan takes along `related` ({number, name, on, at}) and `marks` (file).
    `submit` tells that a related region was switched: {number, on}.
    """
    return gr.HTML(
        html_template=static("stage.html"),
        js_on_load=static("regions.js") + static("stage.js"),
        apply_default_css=False,
        **settings,
    )


def buttons(label: str, **settings: Any) -> gr.HTML:
    """A row of buttons; its value: a list of `caption`, `title`, `image` (file), `current`, `ours`.

    `ours` captions are words of the page, which its language decides; others are content.
    """
    return gr.HTML(
        html_template=f'<div class="ea-strip" role="group" aria-label="{label}"></div>',
        js_on_load=static("strip.js"),
        apply_default_css=False,
        **settings,
    )


def tree(**settings: Any) -> gr.HTML:
    """Small pictures with lines between them; `select` tells {number, compare}.

    Its value: a list of `number`, `row`, `column`, `from` (its parent's row, -1 without one),
    `image` (file), `caption`, `current`, `compared`.
    """
    return gr.HTML(
        html_template='<div class="ea-tree" role="group" aria-label="History"></div>',
        js_on_load=static("tree.js"),
        apply_default_css=False,
        **settings,
    )


def plan(**settings: Any) -> gr.HTML:
    """A plan's steps; `select` tells {gesture: {kind, number}}, `submit` {number} to run alone.

    Its value: `steps` ({what, on, clause, prompt, strength, feather_px, seed}) and `related`
    ({name, share, evidence, on}).
    """
    return gr.HTML(
        html_template='<div class="ea-plan"></div>',
        js_on_load=static("plan.js"),
        apply_default_css=False,
        **settings,
    )


def languages(**settings: Any) -> gr.HTML:
    """The choice of the page's language; its value is the catalogue, see `words`."""
    return gr.HTML(
        value=words(),
        html_template=static("language.html"),
        js_on_load=static("language.js"),
        apply_default_css=False,
        **settings,
    )


def words() -> dict[str, dict[str, str]]:
    """The page's English texts and sentences with {} in them, in each other language."""
    return json.loads(static("words.json"))


def preview(where: str, **settings: Any) -> gr.HTML:
    """Shows how a picture comes about inside the element `where`; its value: {image} or None."""
    return gr.HTML(
        html_template="<span></span>",
        js_on_load=static("preview.js").replace("WHERE", json.dumps(where)),
        apply_default_css=False,
        **settings,
    )


def saver(**settings: Any) -> gr.HTML:
    """Downloads `file` as `name` whenever it gets a value."""
    return gr.HTML(
        html_template="<span></span>",
        js_on_load=static("saver.js"),
        apply_default_css=False,
        **settings,
    )


def only_files(component: Any) -> Any:
    """`component`, taking files that are sent but no address: the server fetches nothing."""
    gradios_own = component.async_move_resource_to_block_cache

    async def move(url_or_file_path: str | Path | None) -> str | None:
        if str(url_or_file_path or "").lower().startswith(("http:", "https:")):
            raise gr.Error(
                "Send the picture itself, not an address: this server fetches nothing.",
                print_exception=False,
            )
        return await gradios_own(url_or_file_path)

    # On the instance: for a subclass Gradio would write a .pyi file into the package.
    component.async_move_resource_to_block_cache = move
    return component


class NoProxy:
    """ASGI middleware: Gradio's file route would fetch addresses for anybody; ours does not.

    And a file that is deleted between the question and the answer is one that is not there.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer 403 to requests for an address, 404 for what is just gone, pass on all others."""
        path = str(scope.get("path", "")).lower()
        if "/file=http:" in path or "/file=https:" in path or "/proxy=" in path:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"This server fetches nothing."})
            return
        begun = False

        async def sent(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except RuntimeError as error:
            # A page that goes takes its pictures along, also those that it has just asked for.
            if begun or not str(error).startswith("File at path"):
                raise
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"This picture is gone."})
