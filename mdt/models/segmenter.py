"""A small promptable segmenter, in the architecture of Segment Anything [Kirillov et al. 2023].

`Segmenter.sam` is a `Sam` of the `segment-anything` package, so that the package's `SamPredictor`
and `SamAutomaticMaskGenerator` run it unchanged. The parts are made for learning on a CPU: an
encoder of convolutions around a small vision transformer (edges are local [Xiao et al. 2021]), and
a decoder that makes a filter for every mask; see `mdt.models.segmenter_decoder`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from segment_anything.modeling import Sam
from segment_anything.modeling.image_encoder import Block
from torch import Tensor, nn

from mdt.models.autoencoder import ResBlock
from mdt.models.network import saved_settings
from mdt.models.segmenter_decoder import COARSE, DETAIL, NUM_MASKS, FilterDecoder, Maps, Points

#: Pixels of the picture to one of the embedding, and to one of a mask.
PIXELS_PER_CELL, PIXELS_PER_MASK = 8, 2


class Encoder(nn.Module):
    """Pictures (B, 3, S, S) -> embeddings (B, packed_width(out), S/8, S/8).

    Convolutions down to S/16, a transformer there, and convolutions up again beside what was seen
    on the way down; the finer maps are packed into the channels (see `Maps`).
    """

    def __init__(
        self, img_size: int, fine: int, mid: int, width: int, depth: int, out: int
    ) -> None:
        super().__init__()
        self.img_size = img_size
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(48, fine, 3, padding=1), ResBlock(fine)
        )
        self.down = nn.Sequential(nn.Conv2d(fine, mid, 2, stride=2), ResBlock(mid))
        self.patch_embed = nn.Conv2d(mid, width, 2, stride=2)
        side = img_size // 16
        self.pos_embed = nn.Parameter(torch.zeros(1, side, side, width))
        self.blocks = nn.ModuleList(
            Block(width, max(1, width // 48), input_size=(side, side)) for _ in range(depth)
        )
        self.far, self.mix_mid = nn.Conv2d(width, mid, 1), ResBlock(mid)
        self.up, self.mix_fine = nn.Conv2d(mid, fine, 1), ResBlock(fine)
        self.deep, self.coarse = nn.Conv2d(mid, out, 1), nn.Conv2d(fine, COARSE, 1)
        edge = fine // 2
        self.edges = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, edge, 3, padding=1))
        self.up_edges = nn.Conv2d(fine, edge, 1)
        self.detail = nn.Conv2d(edge, DETAIL, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The embeddings of pictures as `Sam.preprocess` makes them."""
        return self.maps(x).packed()

    def maps(self, x: Tensor) -> Maps:
        """The same, not packed."""
        x = x.contiguous(memory_format=torch.channels_last)
        fine = self.stem(x)
        mid = self.down(fine)
        tokens = self.patch_embed(mid).permute(0, 2, 3, 1) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        mid = self.mix_mid(mid + _larger(self.far(tokens.permute(0, 3, 1, 2))))
        fine = self.mix_fine(fine + _larger(self.up(mid)))
        edges = F.silu(self.edges(x) + _larger(self.up_edges(fine)))
        return Maps(self.deep(mid), self.coarse(fine), self.detail(edges))


def _larger(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Prompts(NamedTuple):
    """What a training batch asks of each picture: K things, each by a click, a box, and mended.

    Attributes:
        box: (B, K, 4), XYXY in pixels of the network's picture.
        click: (B, K, 2), x and y of a click on the thing.
        draws: (B, K, 3) in [0, 1): two pick clicks among the mistaken pixels; below a half, the
            third shows the earlier mask with them.
    """

    box: Tensor
    click: Tensor
    draws: Tensor


class Answers(NamedTuple):
    """Masks and how good the network takes them to be.

    Attributes:
        logits: (B, K, m, S/2, S/2).
        quality: (B, K, m): the predicted IoU.
    """

    logits: Tensor
    quality: Tensor

    def shown(self) -> Tensor:
        """(B, K, S/2, S/2): the logits that a user would see: the best by the network's word."""
        best = self.quality.argmax(-1)[..., None, None, None]
        return self.logits.take_along_dim(best, 2)[:, :, 0].detach()


class Segmenter(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A picture and prompts -> masks.

    Args:
        input_size: S, the longest side of a picture in pixels; a multiple of 16.
        fine_width: channels at S/4; a multiple of 16.
        mid_width: channels at S/8; a multiple of 16.
        width: of the transformer's tokens, at S/16; a multiple of 48.
        depth: of the transformer.
        prompt_width: of the tokens of prompts; a multiple of 32.
        prompt_depth: how often these look at the picture.

    Raises:
        ValueError: sizes that do not divide.
    """

    config_name = "config.json"
    _supports_gradient_checkpointing = False

    @saved_settings
    def __init__(
        self,
        input_size: int = 192,
        fine_width: int = 48,
        mid_width: int = 96,
        width: int = 192,
        depth: int = 4,
        prompt_width: int = 96,
        prompt_depth: int = 3,
    ) -> None:
        super().__init__()
        for name, value, unit in (
            ("input_size", input_size, 16),
            ("fine_width", fine_width, 16),
            ("mid_width", mid_width, 16),
            ("width", width, 48),
            ("prompt_width", prompt_width, 32),
        ):
            if not isinstance(value, int) or value < unit or value % unit:
                raise ValueError(f"{name} of a segmenter is a multiple of {unit}; got {value!r}.")
        self.sam = Sam(
            Encoder(input_size, fine_width, mid_width, width, depth, prompt_width),
            Points(prompt_width, input_size // PIXELS_PER_CELL, input_size),
            FilterDecoder(prompt_width, prompt_depth),
            pixel_mean=[127.5] * 3,
            pixel_std=[127.5] * 3,
        )

    def depth_blocks(self) -> dict[str, nn.Module]:
        """Its parts in order, for probes and sharding."""
        blocks = {f"block{i}": block for i, block in enumerate(self.sam.image_encoder.blocks)}
        return {**blocks, "decoder": self.sam.mask_decoder}

    def forward(self, x: Tensor, truth: Tensor, prompts: Prompts) -> dict[str, Answers]:
        """The answers to a "click" (all `NUM_MASKS`), a "box", and to a click "mended" by two more.

        Args:
            x: (B, 3, S, S) in [-1, 1].
            truth: bool (B, K, S/2, S/2), by which the mending clicks are placed.
            prompts: what is asked.
        """
        maps = self.sam.image_encoder.maps(x)
        on = torch.ones_like(prompts.click[..., :1])
        click = self._asked(maps, (prompts.click[:, :, None], on), None, None, NUM_MASKS)
        box = self._asked(maps, None, prompts.box, None, 1)
        shown = Answers(click.logits[:, :, 1:], click.quality[:, :, 1:]).shown()
        places, signs = mending(shown > 0, truth, prompts.draws[..., :2])
        places = torch.cat([prompts.click[:, :, None], places.to(on.dtype)], 2)
        signs = torch.cat([on, signs.to(on.dtype)], 2)
        earlier = shown[:, :, None] * (prompts.draws[..., 2] < 0.5)[..., None, None, None]
        mended = self._asked(maps, (places, signs), None, earlier, 1)
        return {"click": click, "box": box, "mended": mended}

    def _asked(
        self,
        maps: Maps,
        clicks: tuple[Tensor, Tensor] | None,
        box: Tensor | None,
        earlier: Tensor | None,
        number: int,
    ) -> Answers:
        """Prompts (B, K, ...) to the first `number` masks."""
        b, k = (clicks[0] if clicks is not None else box).shape[:2]  # type: ignore[union-attr]
        points = None if clicks is None else (clicks[0].flatten(0, 1), clicks[1].flatten(0, 1))
        boxes = None if box is None else box.flatten(0, 1)
        masks = None if earlier is None else earlier.flatten(0, 1)
        encoder = self.sam.prompt_encoder
        with torch.autocast(maps.deep.device.type, enabled=False):
            places = encoder.get_dense_pe()
        sparse, dense = encoder(points, boxes, masks)
        sparse, dense = sparse.view(b, k, *sparse.shape[1:]), dense.view(b, k, *dense.shape[1:])
        logits, quality = self.sam.mask_decoder.masks(maps, places, sparse, dense, slice(number))
        return Answers(logits.float(), quality.float())


def mending(found: Tensor, truth: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Clicks on mistaken pixels, drawn evenly [Kirillov et al. 2023, appendix A].

    Args:
        found: bool (B, K, h, w).
        truth: bool (B, K, h, w), not empty.
        draws: (B, K, n) in [0, 1).

    Returns:
        (B, K, n, 2), x and y in pixels of the picture, and the signs (B, K, n): 1 where the truth
        is missing. Without a mistake the clicks are on the thing.
    """
    wrong = (found != truth).flatten(2)
    wrong = torch.where(wrong.any(-1, keepdim=True), wrong, truth.flatten(2))
    counted = wrong.long().cumsum(-1)
    number = (draws * counted[..., -1:]).long() + 1  # of the mistaken pixel, from 1
    spot = torch.searchsorted(counted, number).clamp(max=wrong.shape[-1] - 1)
    width = truth.shape[-1]
    xy = torch.stack([spot % width, spot // width], -1) * PIXELS_PER_MASK + 0.5
    return xy, truth.flatten(2).take_along_dim(spot, -1)
