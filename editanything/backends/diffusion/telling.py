"""What a step says -> what the networks are told."""

from __future__ import annotations

from typing import Any

from editanything.backends.diffusion.options import PaintOptions
from editanything.types import Task

#: Kinds of change that keep what is there and give it another look.
RESTYLES = frozenset({"style", "scene"})


def prompt_of(task: Task, options: PaintOptions, *, instructed: bool, caption: str = "") -> str:
    """The prompt of a step: the words for what will be there, or the command for who takes those.

    A prompt of the settings comes in place of the command's words; quality words go to models that
    are told what is seen, not to those that are told what to do.
    """
    if options.prompt:
        words = options.prompt
    elif instructed:
        return task.what
    elif task.op == "remove":
        words = options.remove_prompt
    else:
        words = str(task.params.get("prompt", ""))
    if instructed:
        return words
    return ", ".join(part for part in (caption, words, options.quality) if part)


def strength_of(task: Task, options: PaintOptions) -> float:
    """How much is made anew."""
    kind: Any = task.params.get("kind")
    return options.restyle_strength if kind in RESTYLES else options.strength
