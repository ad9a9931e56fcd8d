"""A few pictures of one thing, each with words that name it, and maybe others of its class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything.training.rows import to_row
from mdt.data import DataError, FolderSource
from mdt.data.source import digest

Draws = tuple[float, float, float]
#: Ways to speak of a thing, or of a style; {} stands for the words.
THING_WORDS = (
    "a photo of {}", "a picture of {}", "a close view of {}", "{} in a photo", "{} on its own",
    "a bright photo of {}", "a dark photo of {}", "a sharp photo of {}", "one {}",
)  # fmt: skip
STYLE_WORDS = (
    "a painting in the style of {}", "a picture in the style of {}", "a work in the style of {}",
    "a scene drawn in the style of {}", "a detail in the style of {}",
)  # fmt: skip
SAYINGS: dict[str, tuple[str, ...]] = {"": ("{}",), "thing": THING_WORDS, "style": STYLE_WORDS}


class InstanceSource:
    """Pictures (size, size, 3) with their words; see `mdt.data.source.Source`.

    Args:
        path: folder of the pictures of the thing.
        size: side of what is read.
        prompt: words that name it: "a photo of sks dog", or "<my-dog>" with a way to speak.
        ways: key of `SAYINGS`: each picture is read once with every way to speak.
        class_path: folder of other pictures of its class, read in turn with those of the thing, so
            that the class is not forgotten [Ruiz et al. 2023]; "": none.
        class_prompt: words for these: "a photo of a dog".
        prior_weight: of the loss on these.
        labels: whether words are given.

    Raises:
        DataError: no pictures, no words, or an unknown way to speak.
    """

    classes: tuple[str, ...] | None = None

    def __init__(
        self,
        path: str | Path,
        *,
        size: int = 512,
        prompt: str = "",
        ways: str = "",
        class_path: str = "",
        class_prompt: str = "",
        prior_weight: float = 1.0,
        labels: bool = True,
    ) -> None:
        if not prompt:
            raise DataError("Say what the pictures show: data.settings.prompt='a photo of ...'.")
        if ways not in SAYINGS:
            raise DataError(f"ways is one of {', '.join(map(repr, SAYINGS))}; got {ways!r}.")
        if class_path and not class_prompt:
            raise DataError(
                "Say what the pictures of the class show: class_prompt='a photo of ...'."
            )
        if prior_weight < 0:
            raise DataError(f"prior_weight is 0 or more; got {prior_weight:g}.")
        self.shape = (3, int(size), int(size))
        self.labels, self.weight = labels, prior_weight
        self.things = FolderSource(path, size=size, labels=False)
        self.sayings = [way.format(prompt) for way in SAYINGS[ways]]
        self.others = FolderSource(class_path, size=size, labels=False) if class_path else None
        self.class_prompt = class_prompt
        parts = [one.identity for one in (self.things, self.others) if one is not None]
        self.identity = digest(parts, self.sayings, class_prompt, str(prior_weight))

    def __len__(self) -> int:
        own = len(self.things) * len(self.sayings)
        return own if self.others is None else 2 * max(own, len(self.others))

    def read(self, index: int, draws: Draws | None = None) -> tuple[NDArray[np.uint8], Any]:
        """uint8 (size, size, 3), and the row of its words.

        Raises:
            DataError: a picture that cannot be read; names it.
        """
        other = False
        if self.others is not None:
            index, turn = divmod(index, 2)
            other = turn == 1
        if other and self.others is not None:
            pixels, _ = self._pixels(self.others, index % len(self.others), draws)
            return pixels, to_row(self.class_prompt, self.weight) if self.labels else None
        number, way = divmod(index % (len(self.things) * len(self.sayings)), len(self.sayings))
        pixels, _ = self._pixels(self.things, number, draws)
        return pixels, to_row(self.sayings[way]) if self.labels else None

    @staticmethod
    def _pixels(source: Any, index: int, draws: Draws | None) -> tuple[NDArray[np.uint8], Any]:
        found: tuple[NDArray[np.uint8], Any]
        found = source.read(index) if draws is None else source.read(index, draws)
        return found
