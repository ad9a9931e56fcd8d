"""What several verbs of the command line share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from editanything.errors import InputError

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

    overrides = {}
    for setting in arguments.set:
        key, separator, value = setting.partition("=")
        if not separator or not key:
            raise InputError(f"--set takes KEY=VALUE; got {setting!r}.")
        overrides[key] = value
    return Editor.from_preset(arguments.preset, **overrides)


def say(text: str) -> None:
    """Tell the user."""
    print(text)  # noqa: T201
