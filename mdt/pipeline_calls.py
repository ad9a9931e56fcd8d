"""What a call of the pipeline asks, put as the networks and samplers take it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdt.data.regions import prompt_ids
from mdt.diffusion.inpaint import Telling
from mdt.known import Known
from mdt.models import Network
from mdt.models.conditioning import Label
from mdt.words import split_words


def words_of(
    network: Network,
    label: Any,
    prompt: str | Sequence[str],
    style: str | None,
    names: Iterable[str] = (),
) -> Tensor:
    """The label that a prompt is: int64 ids (B, L, K).

    Args:
        network: trained on words.
        label: beside the prompt: None.
        prompt: one text, or one a picture.
        style: of the pictures; None: any.
        names: of what the network has learnt to draw. A prompt that shares no word with any of them
            is no condition at all, and a warning says so: the ids of words that were never trained
            on are noise, which leads a picture that is to be gone on with astray
            (docs/experiments.md). Empty: every prompt is told.

    Raises:
        ValueError: a network that was not trained on words, or a label beside the prompt.
    """
    if network.config.get("num_words") is None:
        raise ValueError("This network was not trained on words; give a label, not a prompt.")
    if label is not None:
        raise ValueError("Give a prompt or a label, not both.")
    texts = [prompt] if isinstance(prompt, str) else list(prompt)
    ids = np.stack([prompt_ids(text, style) for text in texts])
    trained = {word for name in names for word in split_words(name)}
    for i, words in enumerate(map(split_words, texts)):
        if trained and words and trained.isdisjoint(words):
            warnings.warn(
                f"No word of {texts[i]!r} was trained on: the picture is gone on with as it is, "
                "without words.",
                stacklevel=4,  # who called the pipeline: torch.no_grad stands between
            )
            ids[i] = 0
    return torch.from_numpy(ids)


def telling(network: Any, known: Known | None, noise: Tensor) -> Telling:
    """The network, told what is known; without a picture: nothing is."""
    if known is not None:
        return Telling(network, known.latent, known.hidden)
    return Telling(network, torch.zeros_like(noise[:1]), torch.ones_like(noise[:1, :1]))


class InFloat32:
    """A network that is asked and answers in float32, whatever its own type."""

    def __init__(self, module: Network) -> None:
        self.module = module

    def __call__(self, x: Tensor, t: Tensor, label: Label, **kept: Any) -> Tensor:
        """See `Network`."""
        return self.module(x.to(self.module.dtype), t, label, **kept).float()


class Stop(Exception):
    """A callback has asked one of our samplers to stop."""

    def __init__(self, x: Tensor) -> None:
        super().__init__("stopped by a callback")
        self.x = x


def seeds_of(seed: int | Sequence[int], count: int) -> list[int]:
    """Picture i's seed: seed + i, or the i-th that is given; raises ValueError on another count."""
    seeds = [seed + i for i in range(count)] if isinstance(seed, int) else list(seed)
    agree(len(seeds), count, "seeds")
    return seeds


def agree(came: int, num_images: int | None, what: str = "labels") -> int:
    """The number of pictures that came; raises ValueError if another one was asked for."""
    if num_images not in (None, came):
        raise ValueError(f"There are {num_images} pictures and {came} {what}; give one for each.")
    return came


def check_steps(num_steps: int, num_times: int) -> None:
    """Raises ValueError for steps that the schedule does not have."""
    if not 1 <= num_steps <= num_times:
        raise ValueError(f"num_inference_steps is 1 to {num_times}; got {num_steps}.")
