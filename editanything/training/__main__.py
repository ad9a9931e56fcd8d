"""`python -m editanything.training build | class | train | export | init | transfer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from editanything.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 when done, 2 on bad input, with one sentence on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        said = VERBS[arguments.verb](arguments)
    except (ValueError, OSError) as error:
        print(f"editanything: {str(error).strip()}".split("\n")[0], file=sys.stderr)  # noqa: T201
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
    _add_build(build)
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
    train.add_argument(
        "--pictures", default="", metavar="FOLDER", help="build the shards of data.path from these"
    )
    train.add_argument(
        "--carry", nargs=2, metavar=("CONTROL", "OLD"), help="begin with CONTROL, made for base OLD"
    )
    _add_build(train)
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


def _add_build(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--segmenter", default="sam2", help="name, as in a preset")
    verb.add_argument("--segmenter-set", action="append", default=[], metavar="KEY=VALUE")
    verb.add_argument("--captioner", default="", help="blip, blip2 or florence-2; else .txt files")
    verb.add_argument("--captioner-set", action="append", default=[], metavar="KEY=VALUE")
    verb.add_argument("--side", type=int, default=512, help="of the shorter side, in pixels")
    verb.add_argument("--per-shard", type=int, default=1000)
    verb.add_argument("--order", default="given", help="of region numbers: given or area")


def _build(arguments: argparse.Namespace) -> str:
    count = _build_pairs(arguments, arguments.out, overwrite=arguments.overwrite)
    return f"{arguments.out}: {count} pictures."


def _build_pairs(arguments: argparse.Namespace, out: str, *, overwrite: bool) -> int:
    from editanything.captions import build_captioner
    from editanything.preset import build
    from editanything.training.pairs import build_pairs

    segmenter = build("segmenter", {"name": arguments.segmenter, **_told(arguments.segmenter_set)})
    captioner = None
    if arguments.captioner:
        told = {"name": arguments.captioner, **_told(arguments.captioner_set)}
        captioner = build_captioner(told)
    return build_pairs(
        arguments.pictures,
        out,
        segmenter=segmenter,
        captioner=captioner,
        side=arguments.side,
        per_shard=arguments.per_shard,
        order=arguments.order,
        overwrite=overwrite,
    )


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
    from editanything.training.running import carried, settings_of, train

    changes = list(arguments.changes)
    shards = settings_of(arguments.settings, changes).data.path
    if arguments.pictures and not any(Path(shards).glob("*.tar")):
        Path(shards).parent.mkdir(parents=True, exist_ok=True)
        _build_pairs(arguments, shards, overwrite=False)
    if arguments.carry:
        changes.append(carried(arguments.settings, changes, *arguments.carry))
    folder, steps = train(arguments.settings, changes)
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
