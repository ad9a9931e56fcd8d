"""Which class each picture is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mdt.labels import find_label
from mdt.sampling.settings import SampleSettings


class Labels(NamedTuple):
    """Classes or prompts, and the order in which pictures get them."""

    classes: tuple[int, ...] | tuple[str, ...]  # empty: no condition
    random: bool = False  # drawn from the picture's seed, not in turn

    def of(self, number: int, seed: int) -> int | str | None:
        """The class or prompt of picture `number`, where picture 0 has `seed`."""
        if not self.classes:
            return None
        if self.random:
            # A stream beside the one of the picture's noise.
            stream = np.random.SeedSequence(seed + number, spawn_key=(1,))
            number = int(np.random.default_rng(stream).integers(len(self.classes)))
        return self.classes[number % len(self.classes)]


def choose_labels(settings: SampleSettings, pipe: Any) -> tuple[Labels, int]:
    """(labels, number of pictures) that the settings ask of a pipeline.

    Raises:
        ValueError: classes that the network does not have, or a file that cannot be read.
    """
    num_classes = pipe.model.config.get("num_classes")
    given: list[str] = []
    if settings.label_file is not None:
        given = _lines(settings.label_file)
    elif settings.labels not in ("balanced", "random", "none"):
        given = settings.labels.split(",")
    if pipe.model.config.get("num_words") is not None:
        return _prompts(settings, given, pipe)
    if num_classes is None:
        if given or settings.labels == "random":
            raise ValueError("This network was built for no classes; leave the labels out.")
        return Labels(()), settings.num_images or 1
    if given:
        classes = tuple(find_label(one, pipe.id2label, num_classes) for one in given)
        return Labels(classes), settings.num_images or len(given)
    count = settings.num_images or 1
    if settings.labels == "none":
        return Labels(()), count
    return Labels(tuple(range(num_classes)), random=settings.labels == "random"), count


def _prompts(settings: SampleSettings, given: list[str], pipe: Any) -> tuple[Labels, int]:
    """For networks of words: what is asked for, or the names that were trained."""
    names = tuple(given) or tuple(pipe.id2label.values())
    if settings.labels == "none" or not names:
        return Labels(("",)), settings.num_images or 1
    random = settings.labels == "random" and not given
    return Labels(names, random=random), settings.num_images or (len(given) or 1)


def _lines(path: str) -> list[str]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"The label file {path} cannot be read as text.") from None
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise ValueError(f"The label file {path} is empty; write a class on each line.")
    return found
