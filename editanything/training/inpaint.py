"""DreamBooth on an inpainting base [Ruiz et al. 2023]: the whole UNet learns, or a LoRA does.

Masks are drawn anew each time: a rectangle or an ellipse, up to the whole picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from editanything.training.frozen import Frozen, check_share, dropped, frozen, open_part
from editanything.training.lora import Lora
from editanything.training.rows import captions_of, weights_of
from mdt.draws import Generators, draw_uniform

#: Channels of an inpainting UNet: latents, mask, latents of what is known.
INPAINT_CHANNELS = 9
#: A mask's sides, as shares of the picture's.
LEAST_SIDE = 0.1


def unet(base: str) -> Any:
    """The UNet of an inpainting base, to be trained whole.

    Raises:
        InputError: no such base, or an ordinary one.
    """
    found = open_part(base, "unet")
    _check_channels(base, found)
    return found


def drawn_masks(shape: tuple[int, int, int], generator: Generators) -> Tensor:
    """Masks (B, 1, H, W) of 0 and 1: a rectangle or an ellipse each, up to the whole picture."""
    count, height, width = shape
    kind, tall, wide, down, right = draw_uniform((count, 5), generator).T[..., None, None]
    h = height * (LEAST_SIDE + (1 - LEAST_SIDE) * tall)
    w = width * (LEAST_SIDE + (1 - LEAST_SIDE) * wide)
    y0, x0 = (height - h) * down, (width - w) * right
    y = torch.arange(height)[None, :, None] + 0.5
    x = torch.arange(width)[None, None] + 0.5
    box = (y >= y0) & (y < y0 + h) & (x >= x0) & (x < x0 + w)
    disc = ((y - y0 - h / 2) / (h / 2)).square() + ((x - x0 - w / 2) / (w / 2)).square() <= 1
    masks = torch.where(kind < 0.5, box, disc)
    return masks[:, None].float()


@dataclass(frozen=True)
class InpaintObjective:
    """The denoising loss of an inpainting UNet, on masks that are drawn.

    Args:
        base: folder or hub id of an inpainting pipeline.
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
            model: a UNet of nine channels, or a `Lora` on one.
            x0: (B, 3, H, W) in [-1, 1].
            label: (B, L) of `rows.to_row`.
            generator: of times, noise, masks and dropped captions.

        Raises:
            ValueError: pictures without words.
        """
        if x0.shape[1] != 3 or label is None:
            raise ValueError(
                "This learns from pictures with words: set data.settings.prompt; got pictures of "
                f"{x0.shape[1]} channels."
            )
        base = frozen(self.base)
        mask = drawn_masks((len(x0), *x0.shape[2:]), generator).to(x0.device)
        at = base.noised(base.latents(x0, generator), generator)
        known = base.latents(x0 * (1 - mask), generator)
        hole = F.interpolate(mask, known.shape[2:], mode="nearest")
        x = torch.cat([at.x, hole, known], 1)
        ids = base.tokens(dropped(captions_of(label), self.drop_text, generator), x0.device)
        predicted = _predicted(base, model, x, at.t, ids)
        yield at.terms(predicted, weights_of(label))


def _predicted(base: Frozen, model: Any, x: Tensor, t: Tensor, ids: Tensor) -> Tensor:
    text = base.part("text_encoder", x.device)
    if not isinstance(getattr(model, "module", model), Lora):
        with torch.no_grad():
            hidden = text(ids)[0]
        return model(x, t, hidden, return_dict=False)[0]
    network = base.part("unet", x.device)
    _check_channels(base.base, network)

    def call() -> Tensor:
        found: Tensor = network(x, t, text(ids)[0], return_dict=False)[0]
        return found

    return model(call)


def _check_channels(base: str, network: Any) -> None:
    came = int(network.config.in_channels)
    if came != INPAINT_CHANNELS:
        raise ValueError(
            f"{base} is no inpainting base: its UNet takes {came} channels, not "
            f"{INPAINT_CHANNELS}. Give one such as stable-diffusion-inpainting."
        )
