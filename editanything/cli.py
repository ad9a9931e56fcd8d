"""The command line: a door to the Editor, with no logic of its own.

Exit 0: done. Exit 2: bad input, a refusal or a question back; one clear sentence on stderr, nothing
on stdout, no file written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from editanything.cli_parts import add_preset, check_kept, lossy, open_editor, say
from editanything.cli_serving import add_batch, add_serve, batch, serve
from editanything.errors import InputError, Refusal
from editanything.layouts import add_draw, draw

if TYPE_CHECKING:
    from editanything.progress import Progress
    from editanything.types import Mask, Selection

BAD_INPUT = 2

EDIT_EXAMPLES = r"""
examples:
  editanything edit photo.jpg "remove the selection" --box 40,60,180,220 -o out.png
  editanything edit photo.jpg "make it teal" --select 120,80 --select 300,90- -o out.png
  editanything edit photo.jpg "replace the background with image B" --mask m.png \
      --reference sea.jpg -o out.png
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one sentence, not a page of usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with exit code 2."""
        print(f"{self.prog}: {message} (see `{self.prog} --help`)", file=sys.stderr)  # noqa: T201
        sys.exit(BAD_INPUT)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (InputError, Refusal) as error:
        message = " ".join(str(error).split())
        print(f"editanything: {message}", file=sys.stderr)  # noqa: T201
        return BAD_INPUT
    except KeyboardInterrupt:
        print("editanything: stopped.", file=sys.stderr)  # noqa: T201
        return 130
    return 0


def build_parser() -> Parser:
    """All verbs and their options."""
    from mdt.version import __version__

    parser = Parser(
        prog="editanything",
        description="Change the regions of a picture by a sentence; no other pixel changes.",
    )
    parser.add_argument("--version", action="version", version=f"editanything {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, (help_, add, run) in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=help_,
            description=help_,
            epilog=EDIT_EXAMPLES if name == "edit" else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add(verb)
        verb.set_defaults(run=run)
    return parser


def _add_pointing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--select", action="append", default=[], metavar="X,Y", help="a click; X,Y- takes away"
    )
    verb.add_argument(
        "--box", action="append", default=[], metavar="X0,Y0,X1,Y1", help="a box around a thing"
    )
    verb.add_argument(
        "--brush", action="append", default=[], metavar="X,Y,X,Y:R", help="a stroke of radius R"
    )
    verb.add_argument(
        "--mask", metavar="M.png", help="a mask of the picture's size; white = selected"
    )


def _add_output(verb: argparse.ArgumentParser, *, required: bool) -> None:
    verb.add_argument("-o", "--output", required=required, metavar="OUT", help="where to write")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing file")


def _add_edit(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("input", metavar="IN", help="the picture")
    verb.add_argument("text", metavar="COMMAND", help='what to do: "remove the cup"')
    _add_output(verb, required=False)
    _add_pointing(verb)
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="decides all chance (0)")
    verb.add_argument("--reference", metavar="R", help="a second picture, “image B”")
    add_preset(verb)
    both = argparse.BooleanOptionalAction
    verb.add_argument("--related", action=both, default=True, help="take its shadow along")
    verb.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="N",
        help="take region N along; N- does not",
    )
    verb.add_argument("--plan", action="store_true", help="show the plan, paint nothing")
    verb.add_argument("--json", action="store_true", help="print what was done as JSON")


def _edit(arguments: argparse.Namespace) -> None:
    if arguments.output is None and not arguments.plan:
        raise InputError("Say where to write the result: -o OUT.png (or --plan to only look).")
    if not arguments.plan:
        _check_output(arguments)
    editor = open_editor(arguments)
    looked = editor.look(arguments.input)
    plan = editor.plan(
        looked,
        arguments.text,
        selection=_selection(arguments, looked.picture.shape, editor.preset.max_megapixels),
        reference=arguments.reference,
        seed=arguments.seed,
        related=arguments.related,
    )
    for number in arguments.switch:
        plan = _switched(plan, number)
    if arguments.plan:
        say(json.dumps(plan.to_dict(), ensure_ascii=False) if arguments.json else _plan_text(plan))
        return
    check_kept(arguments.output, looked.picture, plan)
    with _bar() as progress:
        result = plan.apply(progress)
    result.save(arguments.output, overwrite=arguments.overwrite)
    if arguments.json:
        done = {"output": arguments.output, "changed_pixels": int(result.mask.sum())}
        say(json.dumps(done | plan.to_dict(), ensure_ascii=False))
        return
    say(_plan_text(plan))
    say(
        f"{arguments.output}: {result.mask.mean():.1%} of the picture may differ."
        f"{lossy(arguments.output)}"
    )


def _plan_text(plan: Any) -> str:
    steps = (f"{i + 1}. {step.what}" for i, step in enumerate(plan.steps))
    related = (f"   {i + 1}) {line}" for i, line in enumerate(plan.told_related()))
    return "\n".join([*steps, *related, *(f"   {note}" for note in plan.notes)])


def _switched(plan: Any, number: str) -> Any:
    """The plan with a related region switched on ("2"), or off ("2-")."""
    if not number.removesuffix("-").isdecimal():
        raise InputError(f"--switch takes a number of the plan, 2 or 2-; got {number!r}.")
    i = int(number.removesuffix("-")) - 1
    if not 0 <= i < len(plan.related):
        raise InputError(
            f"The plan has {len(plan.related)} related regions; got --switch {number}."
        )
    return plan.switch(i, not number.endswith("-"))


def _add_parse(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("text", nargs="?", metavar="COMMAND", help="one command")
    verb.add_argument("--jsonl", metavar="FILE", help='lines of {"id", "text", "context"}')


def _parse(arguments: argparse.Namespace) -> None:
    from editanything.command import parse

    if (arguments.text is None) == (arguments.jsonl is None):
        raise InputError('Give one command, "remove the cup", or a file of them with --jsonl FILE.')
    if arguments.text is not None:
        say(json.dumps(parse(arguments.text).to_dict(), ensure_ascii=False, indent=2))
        return
    lines = []
    for number, row in _rows(arguments.jsonl):
        try:
            context = row.get("context") or {}
            command = parse(
                str(row["text"]),
                images=tuple(context.get("images", ("A",))),
                selection=bool(context.get("selection", False)),
            ).to_dict()
            kept = {key: command[key] for key in ("status", "reason", "ops")}
            lines.append(json.dumps({"id": row["id"], **kept}, ensure_ascii=False))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{arguments.jsonl}, line {number}: needs id, text and context; {error!r}."
            ) from None
    if lines:
        say("\n".join(lines))


def _rows(path: str) -> Iterator[tuple[int, Any]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}, line {number} is not JSON: {error}.") from None


def _add_segment(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("input", metavar="IN", help="the picture")
    _add_output(verb, required=True)
    _add_pointing(verb)
    add_preset(verb)


def _segment(arguments: argparse.Namespace) -> None:
    from editanything.image import Picture
    from editanything.pointing import as_selection, select
    from editanything.segmenters.overlay import draw_regions

    _check_output(arguments)
    editor = open_editor(arguments)
    limit = editor.preset.max_megapixels
    looked = editor.look(arguments.input)
    selection = as_selection(_selection(arguments, looked.picture.shape, limit))
    mask = select(looked.seen, selection)
    if mask is not None:
        shown = Picture.open(mask.full().astype("uint8") * 255, max_megapixels=limit)
        shown.save(arguments.output, overwrite=arguments.overwrite)
        say(json.dumps({"box": list(mask.box), "pixels": mask.area}))
        return
    regions = looked.seen.regions()
    shown = Picture.open(draw_regions(looked.seen.image, regions), max_megapixels=limit)
    shown.save(arguments.output, overwrite=arguments.overwrite)
    for region in regions:
        row = {"id": region.id, "label": region.label, "box": list(region.mask.box)}
        say(json.dumps(row | {"pixels": region.mask.area}, ensure_ascii=False))


def _add_replay(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("recipe", metavar="RECIPE", help="a saved result, or its recipe as JSON")
    verb.add_argument("input", metavar="IN", help="the picture that the recipe starts from")
    _add_output(verb, required=True)
    verb.add_argument("--reference", action="append", default=[], metavar="R")
    add_preset(verb)


def _replay(arguments: argparse.Namespace) -> None:
    _check_output(arguments)
    editor = open_editor(arguments)
    recipe = read_recipe(arguments.recipe, editor.preset.max_megapixels)
    with _bar() as progress:
        result = editor.replay(
            recipe, arguments.input, references=tuple(arguments.reference), progress=progress
        )
    result.save(arguments.output, overwrite=arguments.overwrite)
    same = "the same bytes" if result.recipe.result == recipe.result else "NOT the same pixels"
    count = len(recipe.edits)
    edits = "1 edit" if count == 1 else f"{count} edits"
    say(f"{arguments.output}: {edits} replayed; {same} as recorded.")


def read_recipe(path: str, max_megapixels: float) -> Any:
    """The recipe in a JSON file or inside a saved picture of that many megapixels at most.

    Raises:
        InputError: if there is none.
    """
    from editanything.image import Picture
    from editanything.recipe import Recipe

    if path.lower().endswith(".json"):
        try:
            return Recipe.from_json(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {error}.") from None
    text = Picture.open(path, max_megapixels=max_megapixels).recipe
    if text is None:
        raise InputError(f"{path} carries no recipe; give a picture that editanything has saved.")
    return Recipe.from_json(text)


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuse an output that cannot be written before any work is done for it."""
    from editanything.image import check_output

    check_output(arguments.output, overwrite=arguments.overwrite)


def _selection(
    arguments: argparse.Namespace, shape: tuple[int, int], max_megapixels: float
) -> Selection | None:
    if not (arguments.select or arguments.box or arguments.mask or arguments.brush):
        return None
    from editanything.pointing import read_mask
    from editanything.types import Point, Selection

    points = []
    for text in arguments.select:
        x, y = _numbers(text.removesuffix("-"), 2, "--select takes X,Y (and X,Y- to take away)")
        points.append(Point(x, y, positive=not text.endswith("-")))
    boxes = []
    for text in arguments.box:
        x0, y0, x1, y1 = _numbers(text, 4, "--box takes X0,Y0,X1,Y1")
        boxes.append((round(x0), round(y0), round(x1), round(y1)))
    mask = read_mask(arguments.mask, max_megapixels=max_megapixels) if arguments.mask else None
    mask = _painted(mask, arguments.brush, shape)
    return Selection(points=tuple(points), boxes=tuple(boxes), mask=mask)


def _painted(mask: Mask | None, strokes: Sequence[str], shape: tuple[int, int]) -> Mask | None:
    """Exactly the pixels of a mask and of strokes."""
    from editanything.masks import union
    from editanything.pointing import draw_stroke
    from editanything.types import Selection

    if mask is not None:
        Selection(mask=mask).check_inside(shape)
    for text in strokes:
        line, _, radius = text.partition(":")
        usage = "--brush takes X,Y,X,Y:R, the points of a stroke and its radius"
        numbers = _numbers(line, 2 * max(1, (line.count(",") + 1) // 2), usage)
        (width,) = _numbers(radius, 1, usage)
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        stroke = draw_stroke(shape, points, width)
        mask = union(mask, stroke) if mask else stroke
    return mask


def _numbers(text: str, count: int, usage: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not all(abs(value) < 1e9 for value in values):
        raise InputError(f"{usage}, numbers in pixels; got {text!r}.")
    return values


@contextmanager
def _bar() -> Iterator[Progress | None]:
    """A progress bar on stderr for people; none where stderr is a file or a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(
        total=100, leave=False, bar_format="{desc}: {percentage:3.0f}% |{bar}| {elapsed}"
    ) as bar:

        def progress(share: float, what: str) -> None:
            bar.set_description_str(what)
            bar.update(round(share * 100) - bar.n)

        yield progress


Add = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], None]
VERBS: dict[str, tuple[str, Add, Run]] = {
    "edit": ("Change a picture by a sentence.", _add_edit, _edit),
    "draw": ("Paint pictures from a sketch, or from a picture's layout.", add_draw, draw),
    "parse": ("Show how a command is understood, as JSON.", _add_parse, _parse),
    "segment": (
        "Save a mask (with a click, box or mask) or a map of all regions.",
        _add_segment,
        _segment,
    ),
    "batch": (
        "Edit the pictures of a folder, by one command or a table of them.",
        add_batch,
        batch,
    ),
    "replay": ("Carry out a saved result's recipe again.", _add_replay, _replay),
    "serve": ("Serve the web editor, its endpoints and MCP tools.", add_serve, serve),
}
