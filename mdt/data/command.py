"""`mdt data`: get a set of pictures that is free to use."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mdt data`."""
    sets = parser.add_subparsers(dest="set", required=True, metavar="SET")
    about = "Emoji as pictures with alpha, by name, from npm packages (MIT, Apache-2.0)."
    stickers = sets.add_parser("stickers", help=about, description=about)
    stickers.add_argument("-o", "--output", required=True, metavar="FOLDER", help="folder to write")
    stickers.add_argument("--size", type=int, default=128, metavar="N", help="side in pixels (128)")
    stickers.add_argument(
        "--styles", default="fluent,noto", metavar="A,B", help="fluent, noto or both (both)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Get them, as the command line asks.

    Raises:
        ValueError: see `mdt.data.stickers.build.build`.
    """
    from mdt.data.stickers.build import build

    styles = [style.strip() for style in arguments.styles.split(",")]
    bar = sys.stderr.isatty()
    count = build(arguments.output, size=arguments.size, styles=styles, bar=bar)
    print(f"{arguments.output}: {count} stickers; NOTICE.txt says whose they are.")  # noqa: T201
