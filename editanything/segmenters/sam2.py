"""SAM 2 [Ravi et al. 2024] of `transformers` as a segmenter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from editanything.hub import Opened, open_network
from editanything.segmenters.classical import Classical
from editanything.segmenters.prompted import Embedded, Everything
from editanything.segmenters.sam import SamSeen, check
from editanything.types import RGB, Bool2D, Region


@dataclass(frozen=True)
class Sam2Segmenter:
    """Settings; `look` holds a picture. The network is opened at the first question.

    Attributes:
        model: hub id, folder, or a `Sam2Model`.
        processor: a `Sam2Processor`, where `model` is a network.
        device: of torch; "auto": CUDA where there is one.
        dtype: float32, bfloat16, float16 or auto.
        working_px: longest side at which the network sees the picture or a part of it.
        zoom: whether the part around a box, or around what clicks were taken to mean, is looked
            at once more at full sharpness.
        refine: whether GrabCut moves the rim to where colours change.
        mirror: whether every answer is averaged with that about the mirrored picture.
        points_per_side: of the grid that is clicked for `regions`.
        min_quality, min_stability: of the masks of `regions`; see `prompted.Everything`.

    Raises:
        InputError: sizes out of range; at the first question, a model that cannot be opened.
    """

    model: Any = "facebook/sam2.1-hiera-large"
    processor: Any = None
    device: str = "auto"
    dtype: str = "float32"
    working_px: int = 1024
    zoom: bool = False
    refine: bool = False
    mirror: bool = False
    points_per_side: int = 16
    min_quality: float = 0.8
    min_stability: float = 0.95

    def __post_init__(self) -> None:
        check(self.working_px, self.points_per_side)

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return open_network(
            "Sam2Model",
            "Sam2Processor",
            self.model,
            self.processor,
            device=self.device,
            dtype=self.dtype,
        )

    def look(self, image: RGB, *, known: tuple[Region, ...] = ()) -> SamSeen:
        """See `Segmenter.look`; RGB uint8 (H, W, 3).

        Raises:
            InputError: an array of another kind, or a known region of another picture size.
        """
        checked = Classical().look(image, known=known)
        return SamSeen(self, checked.image, checked.known)

    def predictor(self, small: RGB) -> Embedded:
        """See `Promptable.predictor`."""
        return Embedded.of(self.network, small)

    def everything(self, small: RGB, predictor: Embedded) -> list[Bool2D]:  # noqa: ARG002
        """See `Promptable.everything`; the embedding in hand is asked."""
        grid = Everything(self.points_per_side, self.min_quality, self.min_stability)
        return predictor.everything(grid)
