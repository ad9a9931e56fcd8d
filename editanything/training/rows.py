"""What a picture's label holds: how much it weighs, and its caption."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

#: Bytes of a caption that are kept; text encoders read some 77 tokens.
CAPTION_BYTES = 320
_WEIGHT_STEPS = 1000


def to_row(caption: str, weight: float = 1.0) -> NDArray[np.int64]:
    """int64 (1 + CAPTION_BYTES,): the weight in thousandths, then UTF-8 and zeros."""
    raw = caption.encode("utf-8")[:CAPTION_BYTES]
    row = np.zeros(1 + CAPTION_BYTES, np.int64)
    row[0] = round(weight * _WEIGHT_STEPS)
    row[1 : 1 + len(raw)] = list(raw)
    return row


def captions_of(label: Tensor) -> list[str]:
    """The captions of labels (B, 1 + CAPTION_BYTES)."""
    rows: Sequence[Sequence[int]] = label[:, 1:].tolist()
    return [bytes(b for b in row if b).decode("utf-8", "ignore") for row in rows]


def weights_of(label: Tensor) -> Tensor:
    """The weights (B,) of labels, float32."""
    return label[:, 0].float() / _WEIGHT_STEPS
