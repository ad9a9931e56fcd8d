"""SAM 3 [Carion et al. 2025] of `transformers`: clicks and boxes, and words.

Its tracker answers clicks and boxes like SAM 2; its detector finds every thing that a noun phrase
names. Each network is opened, and embeds a picture, when it is first asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from editanything.errors import InputError
from editanything.hub import Opened, open_network
from editanything.segmenters.classical import Classical
from editanything.segmenters.prompted import Embedded, Everything
from editanything.segmenters.sam import SamSeen, check
from editanything.segmenters.window import Window
from editanything.types import RGB, Bool2D, Region

NO_ID = -1  # of a region that words found: it is none of `regions()`


@dataclass(frozen=True)
class Sam3Segmenter:
    """Settings; `look` holds a picture. See `Sam2Segmenter` for those that are alike.

    Attributes:
        model: hub id or folder of both networks, or a `Sam3TrackerModel`.
        processor: a `Sam3TrackerProcessor`, where `model` is a network.
        words: hub id, folder or `Sam3Model` for words; None: as `model`.
        words_processor: a `Sam3Processor`, where `words` is a network.
        min_score: of a thing that words name, 0 to 1.

    Raises:
        InputError: settings out of range; at the first question, a model that cannot be opened.
    """

    model: Any = "facebook/sam3"
    processor: Any = None
    words: Any = None
    words_processor: Any = None
    device: str = "auto"
    dtype: str = "float32"
    working_px: int = 1008
    zoom: bool = False
    refine: bool = False
    mirror: bool = False
    points_per_side: int = 16
    min_quality: float = 0.8
    min_stability: float = 0.95
    min_score: float = 0.5

    def __post_init__(self) -> None:
        check(self.working_px, self.points_per_side)
        if not 0 <= self.min_score <= 1:
            raise InputError(f"min_score is 0 to 1; got {self.min_score:g}.")

    @cached_property
    def network(self) -> Opened:
        """The tracker, for clicks and boxes."""
        return open_network(
            "Sam3TrackerModel",
            "Sam3TrackerProcessor",
            self.model,
            self.processor,
            device=self.device,
            dtype=self.dtype,
        )

    @cached_property
    def detector(self) -> Opened:
        """The detector, for words."""
        return open_network(
            "Sam3Model",
            "Sam3Processor",
            self.model if self.words is None else self.words,
            self.words_processor,
            device=self.device,
            dtype=self.dtype,
        )

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> Sam3Seen:
        """See `Segmenter.look`; RGB uint8 (H, W, 3).

        Raises:
            InputError: an array of another kind, or a known region of another picture size.
        """
        checked = Classical().look(image, known=known)
        return Sam3Seen(self, checked.image, checked.known)

    def predictor(self, small: RGB) -> Embedded:
        """See `Promptable.predictor`."""
        return Embedded.of(self.network, small)

    def everything(self, small: RGB, predictor: Embedded) -> list[Bool2D]:  # noqa: ARG002
        """See `Promptable.everything`; the embedding in hand is asked."""
        grid = Everything(self.points_per_side, self.min_quality, self.min_stability)
        return predictor.everything(grid)


@dataclass(frozen=True, eq=False)
class Sam3Seen(SamSeen):
    """A picture in hand that can be asked by words too."""

    settings: Sam3Segmenter
    _named: dict[str, tuple[Region, ...]] = field(default_factory=dict, init=False, repr=False)

    def concept(self, phrase: str) -> tuple[Region, ...]:
        """Every thing that a noun phrase names, surest first, with its score; () for none.

        Args:
            phrase: one kind of thing: "dog", "striped shirt".
        """
        if phrase not in self._named:
            self._named[phrase] = self._concept(phrase)
        return self._named[phrase]

    def _concept(self, phrase: str) -> tuple[Region, ...]:
        import torch

        detector, window = self.settings.detector, self._window
        words = detector.place(detector.processor(text=phrase, return_tensors="pt"))
        with torch.inference_mode():
            answer = detector.model(
                vision_embeds=self._embedded,
                input_ids=words["input_ids"],
                attention_mask=words["attention_mask"],
            )
        found = detector.processor.post_process_instance_segmentation(
            answer, threshold=self.settings.min_score, target_sizes=[window.small.shape[:2]]
        )[0]
        scores = found["scores"].float().cpu().numpy()
        masks = found["masks"].cpu().numpy().astype(bool)
        order = [int(i) for i in np.argsort(-scores, kind="stable")]
        out = [(window.outward(masks[i]), float(scores[i])) for i in order]
        return tuple(Region(NO_ID, mask, phrase, score) for mask, score in out if mask.area)

    @cached_property
    def _window(self) -> Window:
        return Window.of(self.image, self._everything, self.settings.working_px)

    @cached_property
    def _embedded(self) -> Any:
        """What the detector sees in the picture; computed once."""
        import torch

        detector = self.settings.detector
        pixels = detector.processor.image_processor(
            images=np.array(self._window.small),
            input_data_format="channels_last",
            return_tensors="pt",
        )["pixel_values"]
        with torch.inference_mode():
            return detector.model.get_vision_features(**detector.place({"pixel_values": pixels}))
