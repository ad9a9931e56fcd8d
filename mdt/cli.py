"""The command `mdt`: a door to the library, no logic of its own.

Exit codes: 0 done; 2 bad input, with one sentence on stderr (of each process that met it, where
several were launched); 130 stopped by Ctrl+C.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

BAD_INPUT = 2

Add = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], Any]

EXAMPLES = r"""
examples:
  mdt convert mdt_xl2_v2_ckpt.pt -o mdt-xl
  mdt export mdt-xl --vae sd-vae-ft-ema -o generator
  mdt sample generator --labels 207,360,387 --guidance 4 --power 0.01 -o pictures.png
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one sentence, not a page of usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with exit code 2."""
        print(f"{self.prog}: {message} (see `{self.prog} --help`)", file=sys.stderr)  # noqa: T201
        sys.exit(BAD_INPUT)


class Verb(Parser):
    """The parser of one verb; its options are asked for when it is used, with their imports."""

    add: Add | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See argparse."""
        if self.add is not None:
            add, self.add = self.add, None
            add(self)
        return super().parse_known_args(args, namespace)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ValueError, OSError) as error:
        # Of several processes that were launched together any one may be the only one to know.
        rank = os.environ.get("RANK", "0")
        who = "" if rank == "0" else f"process {rank}: "
        print(f"mdt: {who}{' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        return BAD_INPUT
    except KeyboardInterrupt:
        # Pictures and shards that are whole stay, and so does a run's last checkpoint.
        print("mdt: stopped.", file=sys.stderr)  # noqa: T201
        return 130
    return 0


def build_parser() -> Parser:
    """All verbs and their options."""
    from mdt.version import __version__

    parser = Parser(
        prog="mdt",
        description="Make pictures with the Masked Diffusion Transformer.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mdt {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Verb)
    for name, (help_, add, run) in VERBS.items():
        verb = verbs.add_parser(name, help=help_, description=help_)
        verb.add = add
        verb.set_defaults(run=run)
    return parser


def _add_output(verb: argparse.ArgumentParser, what: str) -> None:
    verb.add_argument("-o", "--output", required=True, metavar="OUT", help=what)
    verb.add_argument("--overwrite", action="store_true", help="replace what is there")


def _add_convert(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("checkpoint", metavar="CHECKPOINT", help=".pt or .safetensors, as published")
    _add_output(verb, "folder of the model to write")
    verb.add_argument("--num-heads", type=int, metavar="N", help="of a DiT of unpublished width")
    verb.add_argument("--decode-layers", type=int, metavar="N", help="of an MDT v1 (2)")


def _convert(arguments: argparse.Namespace) -> None:
    from mdt.convert import convert

    _quiet()
    model = convert(
        arguments.checkpoint,
        arguments.output,
        num_heads=arguments.num_heads,
        decode_layers=arguments.decode_layers,
        overwrite=arguments.overwrite,
    )
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    _say(f"{arguments.output}: {type(model).__name__}, {millions:.1f} million parameters.")


def _add_export(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", metavar="FOLDER", help="a model that `mdt convert` wrote, or a run")
    _add_output(verb, "folder of the pipeline to write, or of the network")
    verb.add_argument("--vae", metavar="FOLDER", help="a VAE of diffusers, for latents")
    verb.add_argument(
        "--schedule", default="linear", metavar="S", help="linear, scaled_linear, cosine or flow"
    )
    verb.add_argument("--prediction", metavar="P", help="eps (unless flow), x0, v or flow")
    verb.add_argument(
        "--classes", metavar="A,B,...", help="names of the classes in order, or a .json of them"
    )


def _export(arguments: argparse.Namespace) -> None:
    from mdt.convert import export
    from mdt.runs import Run, draws_pictures, export_run, is_run

    _quiet()
    if is_run(arguments.folder):
        asked = ("vae", "prediction", "classes")
        if any(getattr(arguments, name) for name in asked) or arguments.schedule != "linear":
            raise ValueError("A run knows its VAE, schedule and classes; leave those options out.")
        if not draws_pictures(Run(arguments.folder).settings()):
            from mdt.exporting import export_network

            told = export_network(arguments.folder, arguments.output, overwrite=arguments.overwrite)
            _say(f"{arguments.output}: {told}")
            return
        export_run(arguments.folder, arguments.output, overwrite=arguments.overwrite)
        _say(f"{arguments.output}: open it with mdt.Pipeline.from_pretrained.")
        return
    export(
        arguments.folder,
        arguments.output,
        vae=arguments.vae,
        schedule=arguments.schedule,
        prediction=arguments.prediction,
        id2label=_class_names(arguments.classes),
        overwrite=arguments.overwrite,
    )
    _say(f"{arguments.output}: open it with mdt.Pipeline.from_pretrained.")


def _class_names(given: str | None) -> Any:
    """The value of --classes: names with commas between, or a JSON file of them."""
    if given is None or not given.lower().endswith(".json"):
        return given and given.split(",")
    try:
        return json.loads(Path(given).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ValueError(f"The class names in {given} cannot be read as JSON.") from None


def _quiet() -> None:
    """Errors of the libraries come as our one sentence."""
    from diffusers.utils import logging

    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()


def _say(text: str) -> None:
    print(text)  # noqa: T201


def _add_train(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("settings", metavar="SETTINGS", help="YAML file, or name in configs/train")
    verb.add_argument("changes", nargs="*", metavar="key=value", help="such as data.path=FOLDER")


def _train(arguments: argparse.Namespace) -> None:
    from mdt.train import run

    _quiet()
    run(arguments.settings, arguments.changes)


def _of_module(name: str) -> tuple[Add, Run]:
    """`add_arguments` and `run` of a module, which is imported when its verb is used."""

    def add(verb: argparse.ArgumentParser) -> None:
        import_module(name).add_arguments(verb)

    def run(arguments: argparse.Namespace) -> None:
        _quiet()
        import_module(name).run(arguments)

    return add, run


VERBS: dict[str, tuple[str, Add, Run]] = {
    "data": ("Get a set of pictures, such as stickers.", *_of_module("mdt.data.command")),
    "train": ("Train a network, or go on with a run that was stopped.", _add_train, _train),
    "encode": ("Cache the latents of pictures.", *_of_module("mdt.encode")),
    "regions": ("Draw and encode what a generator of stickers learns.", *_of_module("mdt.regions")),
    "evaluate": ("Measure how far samples are from a reference.", *_of_module("mdt.evaluate")),
    "sample": ("Draw pictures: a grid, a folder, an array.", *_of_module("mdt.sample")),
    "convert": (
        "Write a published MDT v1, MDTv2 or DiT checkpoint as a folder of safetensors.",
        _add_convert,
        _convert,
    ),
    "export": (
        "Write a model or a run as a complete diffusers pipeline; of other runs the network.",
        _add_export,
        _export,
    ),
}

if __name__ == "__main__":
    sys.exit(main())
