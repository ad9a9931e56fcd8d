"""New pictures from a layout: a sketch in flat colours, or where the regions of a picture lie.

A door beside the editor: nothing of a source is kept, so there is nothing to composite. The verb
`draw` of the command line is `add_draw` and `draw`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editanything.errors import InputError

if TYPE_CHECKING:
    from editanything.backends.diffusion.backend import Diffusion
    from editanything.editor import Editor
    from editanything.progress import Progress
    from editanything.types import RGB

__all__ = ["add_draw", "draw", "from_picture", "from_sketch"]


def from_sketch(
    editor: Editor,
    sketch: Any,
    prompt: str,
    *,
    palette: Sequence[tuple[int, int, int]] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[RGB, ...]:
    """Pictures with the regions of a sketch.

    Args:
        editor: of a preset with a diffusion backend and a SAM-ControlNet.
        sketch: path, array or PIL image; regions in flat colours on white.
        prompt: what the pictures show.
        palette: the colours in the order of their regions; None: as they come in the sketch.
        progress: told after each step.
        options: seeds, strength, only_drawn, size; see `paint_layout`.

    Raises:
        InputError: bad input, or a preset that cannot do this; one sentence.
    """
    from editanything.backends.diffusion.sketch import paint_layout, sketch_numbers
    from editanything.image import Picture

    backend = _backend(editor)
    sheet = Picture.open(sketch, max_megapixels=editor.preset.max_megapixels).rgb()
    numbers = sketch_numbers(sheet, palette)
    return paint_layout(backend, numbers, prompt, progress=progress, **options)


def from_picture(
    editor: Editor,
    image: Any,
    prompt: str,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[RGB, ...]:
    """New pictures whose regions lie as those of a picture, and nothing else of it.

    Args:
        editor: of a preset with a diffusion backend and a SAM-ControlNet.
        image: path, array, PIL image, or what `editor.look` returned.
        prompt: what the pictures show.
        progress: told after each step.
        options: seeds, strength, only_drawn, size; see `paint_layout`.

    Raises:
        InputError: bad input, or a preset that cannot do this; one sentence.
    """
    from editanything.backends.diffusion.control_map import number_map
    from editanything.backends.diffusion.sketch import paint_layout

    backend = _backend(editor)
    looked = editor.look(image)
    regions = (region.mask.full() for region in looked.seen.regions())
    numbers = number_map(regions, looked.picture.shape, order=backend.options.order)
    return paint_layout(backend, numbers, prompt, progress=progress, **options)


def _backend(editor: Editor) -> Diffusion:
    from editanything.backends.diffusion.backend import Diffusion

    for backend in editor.backends:
        if isinstance(backend, Diffusion):
            return backend
    raise InputError(
        f"The preset {editor.name} has no diffusion backend, and a layout is painted by one; "
        "choose sd15-controlnet."
    )


def add_draw(verb: argparse.ArgumentParser) -> None:
    """The options of `draw`."""
    from editanything.cli_parts import add_preset

    verb.add_argument("input", metavar="IN", help="a sketch in flat colours on white")
    verb.add_argument("text", metavar="PROMPT", help='what it shows: "a castle by a lake"')
    verb.add_argument("-o", "--output", required=True, metavar="OUT", help="where to write")
    verb.add_argument("--overwrite", action="store_true", help="replace existing files")
    verb.add_argument(
        "--layout", action="store_true", help="IN is a picture: take where its regions lie"
    )
    verb.add_argument(
        "--palette", metavar="#RGB,#RGB", help="a sketch's colours in the order of their regions"
    )
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="of the first picture (0)")
    verb.add_argument("--pictures", type=int, default=1, metavar="N", help="how many, 1 to 12")
    verb.add_argument("--strength", type=float, default=1.0, metavar="S", help="of the layout")
    verb.add_argument("--only-drawn", action="store_true", help="leave the white free")
    verb.add_argument("--size", metavar="WxH", help="of the pictures, multiples of 8")
    add_preset(verb)
    verb.set_defaults(preset="sd15-controlnet")


def draw(arguments: argparse.Namespace) -> None:
    """Paint pictures from a layout and write them: OUT, OUT-2, OUT-3, ...

    Raises:
        InputError: bad input; one sentence, and nothing is written.
    """
    from editanything.cli_parts import open_editor, say
    from editanything.image import Picture, check_output

    if not 1 <= arguments.pictures <= 12:
        raise InputError(f"--pictures is 1 to 12; got {arguments.pictures}.")
    paths = _paths(Path(arguments.output), arguments.pictures)
    for path in paths:
        check_output(path, overwrite=arguments.overwrite)
    options: dict[str, Any] = {
        "seeds": tuple(range(arguments.seed, arguments.seed + arguments.pictures)),
        "strength": arguments.strength,
        "only_drawn": arguments.only_drawn,
        "size": _size(arguments.size),
    }
    editor = open_editor(arguments)
    if arguments.layout:
        made = from_picture(editor, arguments.input, arguments.text, **options)
    else:
        palette = _palette(arguments.palette)
        made = from_sketch(editor, arguments.input, arguments.text, palette=palette, **options)
    for path, rgb in zip(paths, made, strict=True):
        Picture.open(rgb).save(path, overwrite=arguments.overwrite)
        say(str(path))


def _paths(first: Path, count: int) -> list[Path]:
    more = [first.with_name(f"{first.stem}-{n}{first.suffix}") for n in range(2, count + 1)]
    return [first, *more]


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise InputError(f"--size is WxH in pixels, such as 768x512; got {text!r}.")
    return int(height), int(width)


def _palette(text: str | None) -> list[tuple[int, int, int]] | None:
    from editanything.colors import parse_color

    if text is None:
        return None
    colors = [(name.strip(), parse_color(name.strip())) for name in text.split(",")]
    for name, color in colors:
        if color is None:
            raise InputError(f"{name!r} is no colour; give names or #rrggbb, with commas between.")
    return [color for _, color in colors if color is not None]
