"""A SAM-ControlNet [Zhang et al. 2023; EditAnything 2023]: regions in, a picture of them out.

The UNet stays frozen; the ControlNet starts as a copy of its encoder with zero convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from editanything.training.frozen import check_share, dropped, frozen, open_part
from editanything.training.rows import captions_of
from mdt.draws import Generators


def controlnet(base: str, start: str = "") -> Any:
    """A `ControlNetModel` on a base.

    Args:
        base: folder or hub id of the pipeline whose UNet is controlled.
        start: folder of a ControlNet to go on from; "": a copy of the UNet's encoder.

    Raises:
        InputError: no such base or ControlNet.
    """
    from diffusers import ControlNetModel

    if start:
        return ControlNetModel.from_pretrained(start, use_safetensors=True)
    return ControlNetModel.from_unet(open_part(base, "unet"))


def map_of(x: Tensor) -> Tensor:
    """The condition (B, 3, H, W) in 0..255 of pictures (B, 5, H, W) in [-1, 1].

    Channels 3 and 4 hold the region's number mod 256 and div 256, see `PairSource`.
    """
    numbers = ((x[:, 3:5] + 1) * 127.5).round()
    return torch.cat([numbers, torch.zeros_like(numbers[:, :1])], 1)


@dataclass(frozen=True)
class ControlObjective:
    """The denoising loss of a frozen UNet that a ControlNet helps.

    Args:
        base: folder or hub id of the pipeline.
        drop_text: share of the captions that are left out.
    """

    base: str
    drop_text: float = 0.1
    num_passes: int = 1
    mask_ratio: None = None

    def __post_init__(self) -> None:
        check_share("drop_text", self.drop_text)

    def passes(
        self, model: Any, x0: Tensor, label: Any = None, *, generator: Generators
    ) -> Iterator[dict[str, Tensor]]:
        """One pass: "loss" and "mse" (B,), and "u" (B,), the times in [0, 1).

        Args:
            model: a `ControlNetModel`.
            x0: (B, 5, H, W) of `PairSource`.
            label: (B, L) of `rows.to_row`.
            generator: of times, noise and dropped captions.

        Raises:
            ValueError: pictures without maps or captions.
        """
        if x0.shape[1] != 5 or label is None:
            raise ValueError(
                "A ControlNet learns from pictures with maps and captions: build shards with "
                "`python -m editanything.training build`; got pictures of "
                f"{x0.shape[1]} channels."
            )
        base = frozen(self.base)
        at = base.noised(base.latents(x0[:, :3], generator), generator)
        words = dropped(captions_of(label), self.drop_text, generator)
        with torch.no_grad():
            ids = base.tokens(words, x0.device)
            hidden = base.part("text_encoder", x0.device)(ids)[0]
        down, mid = model(at.x, at.t, hidden, controlnet_cond=map_of(x0), return_dict=False)
        predicted = base.part("unet", x0.device)(
            at.x,
            at.t,
            hidden,
            down_block_additional_residuals=list(down),
            mid_block_additional_residual=mid,
            return_dict=False,
        )[0]
        yield at.terms(predicted)
