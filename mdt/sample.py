"""`mdt sample`: pictures from a pipeline or a training run; see docs/sampling.md.

Over several processes: `accelerate launch -m mdt.sample ...`, on CPUs
`ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 -m mdt.sample ...`.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdt import options
from mdt.config import find_config, load
from mdt.sampling.outputs import Animation, Output, make_grid, open_output
from mdt.sampling.settings import SampleSettings

if TYPE_CHECKING:
    from mdt.pipeline import Pipeline
    from mdt.sampling.group import Group
    from mdt.sampling.labels import Labels

__all__ = ["add_arguments", "make_grid", "open_source", "run", "sample"]


def sample(
    source: str | Path,
    out: str | Path,
    settings: SampleSettings | None = None,
    *,
    animation: str | Path | None = None,
    columns: int | None = None,
    ema: str | None = None,
    step: int | None = None,
    device: str | None = None,
    overwrite: bool = False,
    bar: bool = False,
) -> int:
    """Draw pictures and write them, shared out over the processes of this launch.

    Args:
        source: see `open_source`, as for ema and step.
        out: .png: one grid; .npz: arr_0 uint8 (N, H, W, C) and arr_1 labels; without an ending: a
            folder of 000000.png and on, in which pictures that are there are kept.
        settings: which pictures, and how.
        animation: .webp or .gif to write too: what was guessed step by step, as a grid.
        columns: of the grid; None: about square.
        ema: average of a run.
        step: checkpoint of a run.
        device: None: CUDA where there is one, else CPU.
        overwrite: whether outputs may be replaced.
        bar: whether to show progress.

    Returns:
        How many pictures were drawn.

    Raises:
        ValueError: arguments that do not fit; see `Pipeline`.
    """
    from mdt.sampling.draw import fingerprint
    from mdt.sampling.group import Group
    from mdt.sampling.labels import choose_labels

    settings = settings or SampleSettings()
    outputs: list[Output] = [open_output(out, columns=columns, overwrite=overwrite)]
    if animation is not None:  # first, since it may refuse
        outputs.insert(0, Animation(animation, columns, overwrite=overwrite))
    with Group(device) as group:

        def check() -> None:
            for output in outputs:
                output.check()

        group.agree(check)
        pipe = open_source(source, ema=ema, step=step)
        labels, count = choose_labels(settings, pipe)

        def begin() -> list[list[int]]:
            record = {"made_by": fingerprint(pipe), **settings.of_pictures()}
            record |= {"classes": labels.classes, "random_classes": labels.random}
            return [output.begin(count, record) for output in outputs]

        todo = list(zip(outputs, map(set, group.agree(begin)), strict=True))
        _prepare(pipe, settings, group)
        _draw_all(pipe, settings, labels, todo, group, bar=bar and group.main)

        def finish() -> None:
            told = [labels.of(i, settings.seed) for i in range(count)]
            for output in outputs:
                output.finish(told)

        group.agree(finish)
    return len(set().union(*(numbers for _, numbers in todo)))


def _prepare(pipe: Pipeline, settings: SampleSettings, group: Group) -> None:
    import torch

    pipe.to(group.device)
    if settings.precision != "fp32":
        pipe.to({"bf16": torch.bfloat16, "fp16": torch.float16}[settings.precision])
    if settings.compile:
        pipe.model.compile()


def _draw_all(
    pipe: Pipeline,
    settings: SampleSettings,
    labels: Labels,
    todo: Sequence[tuple[Output, set[int]]],
    group: Group,
    *,
    bar: bool,
) -> None:
    """Draw what is to be done, in batches of one size whose rows are always the same pictures."""
    from tqdm import tqdm

    from mdt.sampling.draw import draw, rows_at_a_time

    rows = rows_at_a_time(settings, group.device)
    numbers = set().union(*(wanted for _, wanted in todo))
    batches = [range(k * rows, (k + 1) * rows) for k in sorted({i // rows for i in numbers})]
    animated = any(isinstance(output, Animation) for output, _ in todo)
    alone = [(output, wanted) for output, wanted in todo if output.each_writes]
    together = [(output, wanted) for output, wanted in todo if not output.each_writes]
    pipe.set_progress_bar_config(disable=not bar or len(batches) > 1)
    with tqdm(total=len(numbers), unit="picture", disable=not bar or len(batches) == 1) as shown:
        for some, mine in group.rounds(batches):
            if mine is not None or together:
                # Who has none left draws along, so that all gather arrays of one shape.
                frames = draw(pipe, settings, labels, mine or some[0], animated=animated)
            if mine is not None:
                _give(alone, mine, frames)
            for batch, theirs in zip(some, group.gather(frames) if together else (), strict=False):
                _give(together if group.main else [], batch, theirs)
            shown.update(sum(i in numbers for batch in some for i in batch))


def _give(outputs: Sequence[tuple[Output, set[int]]], numbers: range, frames: Any) -> None:
    for output, wanted in outputs:
        for number, picture in zip(numbers, frames, strict=True):
            if number in wanted:
                output.add(number, picture)


def open_source(folder: str | Path, *, ema: str | None = None, step: int | None = None) -> Pipeline:
    """The pipeline in a folder that `mdt export` wrote, or of a training run's folder.

    Args:
        folder: which.
        ema: of a run: which average; None: the first.
        step: of a run: which checkpoint; None: the newest.

    Raises:
        ValueError: nothing of the kind is there.
    """
    from mdt.pipeline import Pipeline

    if (Path(folder) / "settings.yaml").is_file():
        from mdt.runs import open_run

        return open_run(folder, ema=ema, step=step)
    if ema is not None or step is not None:
        raise ValueError(f"Averages and steps are of training runs; {folder} is none.")
    return Pipeline.from_pretrained(folder)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mdt sample`; those of `SampleSettings` have its names."""
    add = parser.add_argument
    add("source", nargs="?", default="default", metavar="FOLDER", help="a pipeline, or a run")
    add("-o", "--output", required=True, metavar="OUT", help="grid .png, .npz, or a folder")
    add("--overwrite", action="store_true", help="replace what is there")
    add("--animation", metavar="FILE", help="write how they came about too: .webp or .gif")
    add("--columns", type=options.from_1, metavar="N", help="of the grid (about square)")
    add("--ema", metavar="NAME", help="average of a run (its first)")
    add("--step", type=int, metavar="N", help="checkpoint of a run (the newest)")
    add("--device", metavar="D", help="cpu, cuda (cuda where there is one)")
    add("--config", metavar="RECIPE", help="scores, looks or a YAML file; options go before it")
    add("-n", "--num-images", type=options.from_1, metavar="N", help="how many (1, or one a label)")
    add("--seed", type=int, metavar="N", help="of the first picture (0); the next has the next")
    add("--labels", metavar="A,B,...", help="numbers or words in turn; balanced, random, none")
    add("--style", metavar="S", help="of networks of words, such as fluent (any)")
    add("--label-file", metavar="FILE", help="a class on each line, in turn")
    add("--sampler", metavar="S", help="ddpm, ddim, euler, heun, dpmpp_2m, unipc (pipeline's)")
    add("--steps", type=options.from_1, metavar="N", help="of the sampler (25)")
    add("--guidance", type=float, metavar="W", help="scale (1: none)")
    add("--power", type=float, metavar="S", help="of power-cosine guidance")
    add("--interval", type=_ends, metavar="LOW,HIGH", help="of the time that is guided (0,1)")
    add("--channels", metavar="C", help="how many are guided (all)")
    add("--skip-below", type=float, metavar="D", help="guide where |w-1| is above (0.05)")
    add(
        "--batch",
        type=options.from_1,
        metavar="N",
        help="at a time on CUDA (16); on a CPU always 4",
    )
    add("--precision", metavar="P", help="fp32, bf16 or fp16 (fp32)")
    add("--compile", action="store_true", default=None, help="use torch.compile")


def run(arguments: argparse.Namespace) -> None:
    """Draw what the command line asks for.

    Raises:
        ValueError: see `sample`.
    """
    import os

    settings = SampleSettings()
    if arguments.config is not None:
        settings = load(SampleSettings, find_config("sample", arguments.config))
    names = [field.name for field in dataclasses.fields(SampleSettings) if field.name != "about"]
    given = {name: getattr(arguments, name) for name in names}
    settings = dataclasses.replace(settings, **{k: v for k, v in given.items() if v is not None})
    drawn = sample(
        arguments.source,
        arguments.output,
        settings,
        animation=arguments.animation,
        columns=arguments.columns,
        ema=arguments.ema,
        step=arguments.step,
        device=arguments.device,
        overwrite=arguments.overwrite,
        bar=sys.stderr.isatty(),
    )
    if os.environ.get("RANK", "0") == "0":
        count = f"{drawn} picture{'' if drawn == 1 else 's'} drawn"
        print(f"{arguments.output}: {count}.")  # noqa: T201


def _ends(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes two shares such as 0,0.8; got {text!r}") from None


if __name__ == "__main__":
    from mdt.cli import main

    sys.exit(main(["sample", *sys.argv[1:]]))
