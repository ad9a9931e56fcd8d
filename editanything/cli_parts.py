"""What several verbs of the command line share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from editanything.errors import InputError

if TYPE_CHECKING:
    from editanything.editor import Editor
    from editanything.image import Picture
    from editanything.plan import EditPlan


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


def check_kept(path: str, picture: Picture, plan: EditPlan) -> None:
    """Refuse, before anything is painted, to write transparency where none can be kept.

    Raises:
        InputError: a JPEG file for a picture that has transparency, or gains it.
    """
    gains = any(step.on and step.params.get("transparent") for step in plan.steps)
    if _is_jpeg(path) and (picture.has_alpha or gains):
        instead = " Or say “make the background white”." if gains else ""
        raise InputError(f"JPEG has no transparency; write {path} as PNG, WebP or TIFF.{instead}")


def lossy(path: str) -> str:
    """What a user should know of the kind of file that was written; "" if nothing."""
    if _is_jpeg(path):
        return " JPEG re-encodes every pixel; PNG, TIFF and lossless WebP are exact."
    return ""


def _is_jpeg(path: str) -> bool:
    return Path(path).suffix.lower() in (".jpg", ".jpeg")
