"""What several verbs of the command line share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from editanything.editor import Editor


def add_preset(verb: argparse.ArgumentParser) -> None:
    """The options that choose an editor."""
    verb.add_argument("--preset", default="default", metavar="P", help="preset name or YAML file")
    verb.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a preset's setting"
    )


def open_editor(arguments: argparse.Namespace) -> Editor:
    """The editor that the options choose.

    Raises:
        InputError: an unknown preset or setting.
    """
    from editanything.editor import Editor
    from editanything.preset import read_settings

    return Editor.from_preset(arguments.preset, **read_settings(arguments.set))


def say(text: str) -> None:
    """Tell the user."""
    print(text)  # noqa: T201
