"""A small promptable segmenter, in the architecture of Segment Anything [Kirillov et al. 2023].

`Segmenter.sam` is a `Sam` of the `segment-anything` package, so that the package's `SamPredictor`
and `SamAutomaticMaskGenerator` run it unchanged. Two parts differ from the published networks, for
the sake of learning on a CPU: convolutions before and beside the vision transformer (edges are
local [Xiao et al. 2021]), and prompts that are also drawn into the dense embedding.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from segment_anything.modeling.image_encoder import Block
from torch import Tensor, nn

from mdt.models.autoencoder import ResBlock
from mdt.models.network import saved_settings

#: Pixels of the picture to one of the embedding, and to one of a mask.
PIXELS_PER_CELL, PIXELS_PER_MASK = 8, 2
#: Maps that a prompt is drawn as: clicks (wide and narrow, + and -), box, place in the box.
_NUM_MAPS = 8


class Encoder(nn.Module):
    """Pictures (B, 3, S, S) -> embeddings (B, out, S/8, S/8).

    Convolutions down to S/16, a transformer there, and its result added to what was at S/8.
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
        self.far = nn.Conv2d(width, out, 1)
        self.near = nn.Conv2d(mid, out, 1)
        self.neck = nn.Sequential(
            nn.GroupNorm(1, out), nn.Conv2d(out, out, 3, padding=1, bias=False), LayerNorm2d(out)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The embeddings of pictures as `Sam.preprocess` makes them."""
        x = x.contiguous(memory_format=torch.channels_last)
        near = self.down(self.stem(x))
        tokens = self.patch_embed(near).permute(0, 2, 3, 1) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        far = self.far(tokens.permute(0, 3, 1, 2))
        far = F.interpolate(far, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.neck(far + self.near(near))


class DrawnPrompts(PromptEncoder):  # type: ignore[misc]
    """SAM's prompt encoder, whose dense embedding also shows where the clicks and the box are."""

    def __init__(self, embed_dim: int, side: int, img_size: int) -> None:
        super().__init__(embed_dim, (side, side), (img_size, img_size), mask_in_chans=16)
        self.drawn = nn.Conv2d(_NUM_MAPS, embed_dim, 1, bias=False)

    def forward(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """(sparse, dense); see `segment_anything.modeling.PromptEncoder`."""
        # In bfloat16 a place would be known to a pixel or two.
        with torch.autocast(self._get_device().type, enabled=False):
            masks = None if masks is None else masks.float()
            sparse, dense = super().forward(points, boxes, masks)
            return sparse, dense + self.drawn(self._maps(points, boxes, len(sparse)))

    def _maps(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, rows: int
    ) -> Tensor:
        """(rows, 8, side, side): wide and narrow spots of clicks (+, -), and the box."""
        side = self.image_embedding_size[0]
        cell = self.input_image_size[0] / side
        device = self._get_device()
        centre = (torch.arange(side, device=device) + 0.5) * cell
        maps = torch.zeros(rows, _NUM_MAPS, side, side, device=device)
        if points is not None:
            place, sign = points[0].float() + 0.5, points[1]
            for i, radius in enumerate((1.5 * cell, 5 * cell)):
                across = (-0.5 * ((centre - place[..., :1]) / radius) ** 2).exp()  # (rows, n, side)
                upright = (-0.5 * ((centre - place[..., 1:]) / radius) ** 2).exp()
                for k in (0, 1):
                    weight = (sign == k).float()[..., None] * upright
                    spots = weight[..., :, None] * across[..., None, :]
                    maps[:, 2 * i + k] = spots.amax(1)
        if boxes is not None:
            low, high = boxes.reshape(-1, 2, 2).float().unbind(1)  # (rows, 2): x, y
            middle, half = (low + high) / 2, ((high - low) / 2).clamp(min=1.0)
            across = (centre - middle[:, :1]) / half[:, :1]  # (rows, side), -1..1 in the box
            upright = (centre - middle[:, 1:]) / half[:, 1:]
            x, y = across[:, None, :].expand(-1, side, -1), upright[:, :, None].expand(-1, -1, side)
            out = torch.maximum(x.abs(), y.abs())
            maps[:, 4] = (out <= 1).float()
            maps[:, 5] = 1.0
            maps[:, 6], maps[:, 7] = x.square().clamp(max=4), y.square().clamp(max=4)
        return maps


class Prompts(NamedTuple):
    """What a training batch asks of each picture; all of one picture are of one kind.

    Attributes:
        box: (B, K, 4), XYXY in pixels of the network's picture.
        points: (B, K, n, 2), x and y.
        signs: (B, K, n): 1 on the thing, 0 off it, -1 no click.
        boxed: (B,) bool: the box is given, not the clicks.
        rounds: (B,) int: from the second on, a click mends a mistake.
        draws: (B, K) in [0, 1): picks that click among the mistaken pixels.
    """

    box: Tensor
    points: Tensor
    signs: Tensor
    boxed: Tensor
    rounds: Tensor
    draws: Tensor


class Answer(NamedTuple):
    """The masks of one picture in one round, and how good the network takes them to be.

    Attributes:
        picture: its number in the batch.
        logits: (K, 4, S/2, S/2): the mask for many prompts, then the three for one click.
        quality: (K, 4): the predicted IoU.
    """

    picture: int
    logits: Tensor
    quality: Tensor


class Segmenter(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A picture and prompts -> masks.

    Args:
        input_size: S, the longest side of a picture in pixels; a multiple of 16.
        fine_width: channels at S/4.
        mid_width: channels at S/8.
        width: of the transformer's tokens, at S/16; a multiple of 48.
        depth: of the transformer.
        prompt_width: of the embeddings that meet the prompts; a multiple of 32.

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
    ) -> None:
        super().__init__()
        for name, value, unit in (
            ("input_size", input_size, 16),
            ("width", width, 48),
            ("prompt_width", prompt_width, 32),
        ):
            if not isinstance(value, int) or value < unit or value % unit:
                raise ValueError(f"{name} of a segmenter is a multiple of {unit}; got {value!r}.")
        side = input_size // PIXELS_PER_CELL
        self.sam = Sam(
            Encoder(input_size, fine_width, mid_width, width, depth, prompt_width),
            DrawnPrompts(prompt_width, side, input_size),
            MaskDecoder(
                transformer_dim=prompt_width,
                transformer=TwoWayTransformer(
                    depth=2, embedding_dim=prompt_width, mlp_dim=4 * prompt_width, num_heads=4
                ),
                iou_head_hidden_dim=prompt_width,
            ),
            pixel_mean=[127.5] * 3,
            pixel_std=[127.5] * 3,
        )

    def depth_blocks(self) -> dict[str, nn.Module]:
        """Its parts in order, for probes and sharding."""
        blocks = {f"block{i}": block for i, block in enumerate(self.sam.image_encoder.blocks)}
        return {**blocks, "decoder": self.sam.mask_decoder}

    def forward(self, x: Tensor, truth: Tensor, prompts: Prompts) -> list[Answer]:
        """The answers to all rounds of all pictures.

        Args:
            x: (B, 3, S, S) in [-1, 1].
            truth: bool (B, K, S/2, S/2), by which the correcting clicks are placed.
            prompts: of the first round.
        """
        embeddings = self.sam.image_encoder(x)
        with torch.autocast(x.device.type, enabled=False):
            places = self.sam.prompt_encoder.get_dense_pe()
        answers: list[Answer] = []
        for i in range(len(x)):
            box = prompts.box[i] if bool(prompts.boxed[i]) else None
            clicks = None if box is not None else (prompts.points[i], prompts.signs[i])
            mask = None
            for number in range(int(prompts.rounds[i])):
                if number:
                    mask = _shown(answers[-1], single=box is None and number == 1)
                    clicks = _mended(clicks, mask[:, 0] > 0, truth[i], prompts.draws[i])
                sparse, dense = self.sam.prompt_encoder(clicks, box, mask)
                logits, quality = self.sam.mask_decoder.predict_masks(
                    embeddings[i : i + 1], places, sparse, dense
                )
                answers.append(Answer(i, logits.float(), quality.float()))
        return answers


def _shown(answer: Answer, *, single: bool) -> Tensor:
    """(K, 1, h, w): the mask that a user would see: after one click the best by its own word."""
    if not single:
        return answer.logits[:, :1].detach()
    best = 1 + answer.quality[:, 1:].argmax(1)
    return answer.logits[torch.arange(len(best)), best][:, None].detach()


def _mended(
    clicks: tuple[Tensor, Tensor] | None, found: Tensor, truth: Tensor, draws: Tensor
) -> tuple[Tensor, Tensor]:
    """The clicks so far and one more on a mistaken pixel, drawn evenly [Kirillov et al. 2023, A].

    Without a mistake it is on the thing.
    """
    places, signs = [], []
    for row in range(len(found)):
        wrong = found[row] != truth[row]
        spots = (wrong if bool(wrong.any()) else truth[row]).nonzero()
        if not len(spots):
            places.append(draws.new_zeros(2))
            signs.append(draws.new_full((), -1.0))
            continue
        y, x = spots[int(draws[row] * len(spots))].unbind()
        places.append(torch.stack([x, y]).to(draws.dtype) * PIXELS_PER_MASK + 0.5)
        signs.append(truth[row, y, x].to(draws.dtype))
    place, sign = torch.stack(places)[:, None], torch.stack(signs)[:, None]
    if clicks is None:
        return place, sign
    return torch.cat([clicks[0], place], 1), torch.cat([clicks[1], sign], 1)
