"""The command `mdt`: a door to the library, no logic of its own.

Exit codes: 0 done; 2 bad input, with one sentence on stderr and no file written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

BAD_INPUT = 2

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ValueError, OSError) as error:
        print(f"mdt: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        return BAD_INPUT
    except KeyboardInterrupt:
        print("mdt: stopped; nothing was written.", file=sys.stderr)  # noqa: T201
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
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, (help_, add, run) in VERBS.items():
        verb = verbs.add_parser(name, help=help_, description=help_)
        add(verb)
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
    verb.add_argument("folder", metavar="FOLDER", help="a model that `mdt convert` wrote")
    _add_output(verb, "folder of the pipeline to write")
    verb.add_argument("--vae", metavar="FOLDER", help="a VAE of diffusers, for latents")
    verb.add_argument(
        "--schedule", default="linear", metavar="S", help="linear, scaled_linear, cosine or flow"
    )
    verb.add_argument("--prediction", metavar="P", help="eps (unless flow), x0, v or flow")


def _export(arguments: argparse.Namespace) -> None:
    from mdt.convert import export

    _quiet()
    export(
        arguments.folder,
        arguments.output,
        vae=arguments.vae,
        schedule=arguments.schedule,
        prediction=arguments.prediction,
        overwrite=arguments.overwrite,
    )
    _say(f"{arguments.output}: open it with mdt.Pipeline.from_pretrained.")


def _add_sample(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", metavar="FOLDER", help="a pipeline that `mdt export` wrote")
    _add_output(verb, "the picture to write, all samples in a grid")
    verb.add_argument("-n", "--num-images", type=_count, metavar="N", help="how many (1)")
    verb.add_argument(
        "--labels", type=_labels, default=[], metavar="A,B,...", help="classes, in turn"
    )
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="of the first picture (0)")
    verb.add_argument("--steps", type=_count, default=25, metavar="N", help="of the sampler (25)")
    verb.add_argument(
        "--sampler", metavar="S", help="ddpm, ddim, euler, heun, dpmpp_2m, unipc (the pipeline's)"
    )
    verb.add_argument("--guidance", type=float, default=1.0, metavar="W", help="scale (1: none)")
    verb.add_argument("--power", type=float, metavar="S", help="of power-cosine guidance")
    verb.add_argument("--batch", type=_count, default=16, metavar="N", help="drawn at a time (16)")
    verb.add_argument("--columns", type=_count, metavar="N", help="of the grid (about square)")
    verb.add_argument("--device", metavar="D", help="cpu, cuda (cuda where there is one)")


def _sample(arguments: argparse.Namespace) -> None:
    from mdt.files import check_output
    from mdt.sample import sample_grid

    check_output(arguments.output, overwrite=arguments.overwrite)
    _quiet()
    sample_grid(
        arguments.folder,
        arguments.output,
        num_images=arguments.num_images,
        labels=arguments.labels,
        columns=arguments.columns,
        batch=arguments.batch,
        device=arguments.device,
        overwrite=arguments.overwrite,
        bar=sys.stderr.isatty(),
        seed=arguments.seed,
        num_inference_steps=arguments.steps,
        sampler=arguments.sampler,
        guidance_scale=arguments.guidance,
        guidance_power=arguments.power,
    )
    _say(arguments.output)


def _labels(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"takes class numbers such as 207,360; got {text!r}"
        ) from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a whole number from 1 on; got {text!r}")
    return int(text)


def _quiet() -> None:
    """Errors of the libraries come as our one sentence."""
    from diffusers.utils import logging

    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()


def _say(text: str) -> None:
    print(text)  # noqa: T201


Add = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], Any]


def _add_train(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("settings", metavar="SETTINGS", help="YAML file, or name in configs/train")
    verb.add_argument("changes", nargs="*", metavar="key=value", help="such as data.path=FOLDER")


def _train(arguments: argparse.Namespace) -> None:
    from mdt.train import run

    _quiet()
    run(arguments.settings, arguments.changes)


VERBS: dict[str, tuple[str, Add, Run]] = {
    "train": ("Train a network, or go on with a run that was stopped.", _add_train, _train),
    "convert": (
        "Write a published MDT v1, MDTv2 or DiT checkpoint as a folder of safetensors.",
        _add_convert,
        _convert,
    ),
    "export": ("Write a model as a complete diffusers pipeline.", _add_export, _export),
    "sample": ("Draw pictures from a pipeline into one grid.", _add_sample, _sample),
}

if __name__ == "__main__":
    sys.exit(main())
