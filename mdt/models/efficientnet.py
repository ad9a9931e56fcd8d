"""EfficientNet-Lite0: which of 1000 kinds of things is where in a photograph.

Inverted residuals without squeeze-and-excitation, with ReLU6 [Tan and Le 2019; "lite": Liu 2020].
For looking alone: what batch normalisation learned is folded into the convolutions, and kinds are
told place by place, before any average, so a picture may have any size and shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Of a picture's side, a side of a place.
STRIDE = 32
NUM_KINDS = 1000
#: Expansion, channels, kernel, stride of the first block, number of blocks.
_STAGES = (
    (1, 16, 3, 1, 1), (6, 24, 3, 2, 2), (6, 40, 5, 2, 2), (6, 80, 3, 2, 3),
    (6, 112, 5, 1, 3), (6, 192, 5, 2, 4), (6, 320, 3, 1, 1),
)  # fmt: skip
_STEM, _HEAD = 32, 1280
#: Pixels of 0..255 are seen as (pixel - _MIDDLE) / _HALF, as the network was trained.
_MIDDLE, _HALF = 127.0, 128.0
_EPSILON = 1e-3  # of batch normalisation


class EfficientNetLite(nn.Module):
    """RGB (b, 3, h, w) in 0..255 -> logits of kinds (b, 1000, h / 32, w / 32), rounded up.

    The mean over all places are the logits of the picture, as the network was trained.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Same(3, _STEM, 3, stride=2)
        blocks, last = [], _STEM
        for expansion, channels, kernel, stride, num in _STAGES:
            for i in range(num):
                blocks.append(_Block(last, channels, expansion, kernel, stride if i == 0 else 1))
                last = channels
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Conv2d(last, _HEAD, 1)
        self.kinds = nn.Conv2d(_HEAD, NUM_KINDS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = F.relu6(self.stem((x - _MIDDLE) / _HALF))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.kinds(F.relu6(self.head(x)))
        return logits


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow pads "SAME": an odd pixel goes to the right and below."""

    def __init__(
        self, narrow: int, wide: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(narrow, wide, kernel, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads: list[int] = []
        for side in (x.shape[-1], x.shape[-2]):
            more = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [more // 2, more - more // 2]
        return super().forward(F.pad(x, pads))


class _Block(nn.Module):
    """Wider by a product, mixed within each channel, narrower by a product; beside what it was."""

    def __init__(self, narrow: int, wide: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = narrow * expansion
        self.expand = nn.Conv2d(narrow, inner, 1) if expansion > 1 else None
        self.mix = _Same(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, wide, 1)
        self.adds = stride == 1 and narrow == wide

    def forward(self, x: Tensor) -> Tensor:
        inner = x if self.expand is None else F.relu6(self.expand(x))
        out: Tensor = self.project(F.relu6(self.mix(inner)))
        return x + out if self.adds else out


def folded(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of this module, from a checkpoint with batch normalisation.

    Args:
        published: under the names of the package efficientnet-lite-pytorch.

    Raises:
        ValueError: tensors are missing.
    """
    try:
        return dict(_folded(published))
    except KeyError as error:
        raise ValueError(
            f"This is no checkpoint of EfficientNet-Lite0: it lacks {error}."
        ) from None


def _folded(published: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    def pair(ours: str, convolution: str, norm: str) -> Iterator[tuple[str, Tensor]]:
        scale = published[f"{norm}.weight"] / torch.sqrt(
            published[f"{norm}.running_var"] + _EPSILON
        )
        yield f"{ours}.weight", published[f"{convolution}.weight"] * scale[:, None, None, None]
        yield f"{ours}.bias", published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * scale

    yield from pair("stem", "_conv_stem", "_bn0")
    number = 0
    for expansion, *_, num in _STAGES:
        for _ in range(num):
            ours, theirs = f"blocks.{number}", f"_blocks.{number}"
            if expansion > 1:
                yield from pair(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            yield from pair(f"{ours}.mix", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            yield from pair(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
            number += 1
    yield from pair("head", "_conv_head", "_bn1")
    yield "kinds.weight", published["_fc.weight"][:, :, None, None]
    yield "kinds.bias", published["_fc.bias"]
