"""`python -m editanything.training build | class | train | export | init | transfer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from editanything.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 when done, 2 on bad input, with one sentence on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        said = VERBS[arguments.verb](arguments)
    except (ValueError, OSError) as error:
        print(str(error).strip().split("\n")[0], file=sys.stderr)  # noqa: T201
        return 2
    print(said)  # noqa: T201
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m editanything.training",
        description="Train on Stable Diffusion bases; see docs/training-photo.md.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="shards of pictures, region maps and captions")
    build.add_argument("pictures", help="folder of pictures")
    build.add_argument("--segmenter", default="sam2", help="name, as in a preset")
    build.add_argument("--segmenter-set", action="append", default=[], metavar="KEY=VALUE")
    build.add_argument("--captioner", default="", help="blip, blip2 or florence-2; else .txt files")
    build.add_argument("--captioner-set", action="append", default=[], metavar="KEY=VALUE")
    build.add_argument("--side", type=int, default=512, help="of the shorter side, in pixels")
    build.add_argument("--per-shard", type=int, default=1000)
    build.add_argument("--order", default="given", help="of region numbers: given or area")
    others = verbs.add_parser("class", help="pictures of a class, painted by an inpainting base")
    others.add_argument("base", help="folder or hub id of the pipeline")
    others.add_argument("prompt", help="of the class: 'a photo of a dog'")
    others.add_argument("--count", type=int, default=100)
    others.add_argument("--side", type=int, default=512, help="in pixels")
    others.add_argument("--steps", type=int, default=30)
    others.add_argument("--seed", type=int, default=0)
    train = verbs.add_parser("train", help="as `mdt train`")
    train.add_argument("settings", help="YAML file, or photo/NAME of configs/train")
    train.add_argument("changes", nargs="*", metavar="KEY=VALUE")
    export = verbs.add_parser("export", help="a run's newest weights, for diffusers")
    export.add_argument("run", help="folder of the run")
    export.add_argument("--ema", default=None, help="which average; the weights themselves if left")
    init = verbs.add_parser("init", help="a fresh ControlNet on a base")
    init.add_argument("base", help="folder or hub id of the pipeline")
    transfer = verbs.add_parser("transfer", help="a ControlNet for another base")
    transfer.add_argument("control", help="folder of the ControlNet")
    transfer.add_argument("old", help="its base")
    transfer.add_argument("new", help="the other base")
    for verb in (build, others, export, init, transfer):
        verb.add_argument("-o", "--out", required=True, help="folder that is written")
        verb.add_argument("--overwrite", action="store_true")
    return parser


def _build(arguments: argparse.Namespace) -> str:
    from editanything.captions import build_captioner
    from editanything.preset import build
    from editanything.training.pairs import build_pairs

    segmenter = build("segmenter", {"name": arguments.segmenter, **_told(arguments.segmenter_set)})
    captioner = None
    if arguments.captioner:
        told = {"name": arguments.captioner, **_told(arguments.captioner_set)}
        captioner = build_captioner(told)
    count = build_pairs(
        arguments.pictures,
        arguments.out,
        segmenter=segmenter,
        captioner=captioner,
        side=arguments.side,
        per_shard=arguments.per_shard,
        order=arguments.order,
        overwrite=arguments.overwrite,
    )
    return f"{arguments.out}: {count} pictures."


def _class(arguments: argparse.Namespace) -> str:
    from editanything.training.others import class_pictures

    count = class_pictures(
        arguments.base,
        arguments.prompt,
        arguments.out,
        count=arguments.count,
        side=arguments.side,
        steps=arguments.steps,
        seed=arguments.seed,
        overwrite=arguments.overwrite,
    )
    return f"{arguments.out}: {count} pictures."


def _train(arguments: argparse.Namespace) -> str:
    from editanything.training.running import train

    folder, steps = train(arguments.settings, arguments.changes)
    return (
        f"{folder}: {steps} steps. `python -m editanything.training export {folder} -o OUT` "
        "writes what diffusers loads."
    )


def _export(arguments: argparse.Namespace) -> str:
    from editanything.training.export import export

    said = export(arguments.run, arguments.out, ema=arguments.ema, overwrite=arguments.overwrite)
    return f"{arguments.out}: {said}"


def _init(arguments: argparse.Namespace) -> str:
    from editanything.training.transfer import init_control

    init_control(arguments.base, arguments.out, overwrite=arguments.overwrite)
    return f"{arguments.out}: ControlNetModel.from_pretrained('{arguments.out}')"


def _transfer(arguments: argparse.Namespace) -> str:
    from editanything.training.transfer import transfer_control

    count = transfer_control(
        arguments.control,
        arguments.old,
        arguments.new,
        arguments.out,
        overwrite=arguments.overwrite,
    )
    return f"{arguments.out}: {count} tensors carried over."


def _told(pairs: Sequence[str]) -> dict[str, object]:
    """`key=value` as settings; values are read as YAML."""
    import yaml

    out: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"Settings are KEY=VALUE; got {pair!r}.")
        out[key] = yaml.safe_load(value)
    return out


VERBS = {
    "build": _build,
    "class": _class,
    "train": _train,
    "export": _export,
    "init": _init,
    "transfer": _transfer,
}

if __name__ == "__main__":
    sys.exit(main())
