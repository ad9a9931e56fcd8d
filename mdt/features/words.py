"""Which words name which region of a picture: the network of `mdt.models.words`, ready to ask.

The weights ship in mdt/weights/words, with a card that says what they were trained on, their sum,
and from which score on a word is believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mdt.crops import CONTEXT, crop_region
from mdt.features.convnet import WEIGHTS, read_weights
from mdt.files import write_with_card
from mdt.models.words import WordRegions
from mdt.words import phrase_ids

_NUM_ROWS = 16  # regions at a time: kernels round alike for one shape alone
#: Looks at a region: with how much around it (`crops.CONTEXT`), and mirrored or not.
LOOKS = ((CONTEXT, False), (CONTEXT, True), (1.6, False), (1.15, True))
WORDS_FILE, CARD = "words.safetensors", "card.json"


@dataclass(frozen=True)
class Words:
    """What regions may be called.

    Attributes:
        network: see `mdt.models.words`.
        card: what stands beside the weights; from the logit `threshold` on a word is believed of a
            thing with a true mask, from `sure` on of a region that may be cut wrongly.
    """

    network: WordRegions
    card: dict[str, Any]

    @torch.no_grad()
    def regions(
        self, image: np.ndarray, masks: Sequence[np.ndarray], *, closely: bool = False
    ) -> Tensor:
        """Regions of a picture in the common space: (n, width).

        Args:
            image: RGB uint8 (H, W, 3).
            masks: bool (H, W), none empty.
            closely: the mean of four looks, see `LOOKS`: where they differ it is short, and nothing
                is like it.
        """
        size, looks = self.network.config.input_size, LOOKS if closely else LOOKS[:1]
        crops = [[crop_region(image, mask, size, c) for c, _ in looks] for mask in masks]
        seen = []
        for (_, mirrored), some in zip(looks, zip(*crops, strict=True), strict=True):
            x = torch.from_numpy(np.stack(some))
            seen.append(self._seen(x.flip(3) if mirrored else x))
        return torch.stack(seen).mean(0)

    def _seen(self, x: Tensor) -> Tensor:
        rows = []
        for part in torch.split(x, _NUM_ROWS):
            filled = torch.cat([part, part[-1:].expand(_NUM_ROWS - len(part), -1, -1, -1)])
            rows.append(self.network.regions(filled)[: len(part)])
        return torch.cat(rows)

    @torch.no_grad()
    def logits(self, regions: Tensor, phrases: Sequence[str]) -> np.ndarray:
        """How well phrases name regions: float32 (n, phrases); above 0: rather yes than no.

        Args:
            regions: what `regions` gave.
            phrases: any words; those without letters name nothing (minus infinity).
        """
        ids = np.stack([phrase_ids(phrase, self.network.config.buckets) for phrase in phrases])
        found = self.network.compare(regions, self.network.phrases(torch.from_numpy(ids))).numpy()
        return np.where((ids != 0).any(axis=1), found, -np.inf).astype(np.float32)


def open_words(folder: str | Path = WEIGHTS / "words") -> Words:
    """The network of a folder, in eval(), checked against the sum in its card.

    Raises:
        ValueError: weights or card are missing, damaged, or do not fit each other.
    """
    place = Path(folder)
    own = place.resolve() == WEIGHTS / "words"
    again = "install the package again" if own else "write it again"
    try:
        card = json.loads((place / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ValueError(
            f"The network of words in {place} is missing or its card is damaged; {again}."
        ) from None
    path = place / WORDS_FILE
    content = read_weights(path, card, f"The weights {path} of the network of words", again)
    try:
        with torch.device("meta"):  # fresh weights would be drawn from the global generator
            network = WordRegions(**card["settings"])
        weights = {key: value.float() for key, value in load(content).items()}
        network.load_state_dict(weights, strict=True, assign=True)
        float(card["threshold"]), float(card["sure"])
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        first = " ".join(str(error).split())[:200]
        raise ValueError(
            f"The network of words in {place} does not fit its card: {first}"
        ) from None
    return Words(network.eval().requires_grad_(False), card)


def write_words(words: Words, folder: str | Path, **about: Any) -> None:
    """Write a network and its card as `open_words` reads them: fp16.

    Args:
        words: the network; its card is taken over.
        folder: is made where there is none; files in it are replaced.
        about: more for the card: threshold, vocabulary, data, licence, scores, ...
    """
    state = words.network.state_dict()
    content = save({key: value.half().contiguous() for key, value in state.items()})
    config = words.network.config
    card = {
        "what": "which words name which region of a picture (mdt.features.words)",
        "sha256": hashlib.sha256(content).hexdigest(),
        "settings": {key: config[key] for key in config if not key.startswith("_")},
        **words.card,
        **about,
    }
    place = Path(folder)
    write_with_card(place / WORDS_FILE, content, place / CARD, card)
