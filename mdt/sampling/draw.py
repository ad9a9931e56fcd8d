"""Pictures by their numbers, the same bits in whatever company they are drawn."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdt.sampling.labels import Labels
from mdt.sampling.settings import SampleSettings

#: Kernels are chosen by the number of rows, and sum in other orders: below four rows MKL has
#: kernels of its own, and convolutions differ with any number. So the number is always the same.
_ROWS_ON_CPU = 4


def rows_at_a_time(settings: SampleSettings, device: torch.device) -> int:
    """How many pictures are drawn together, always.

    On a CPU it does not depend on the settings; larger batches are hardly faster there.
    """
    return _ROWS_ON_CPU if device.type == "cpu" else settings.batch


def draw(
    pipe: Any, settings: SampleSettings, labels: Labels, numbers: range, *, animated: bool
) -> np.ndarray:
    """The pictures of these numbers.

    Args:
        pipe: a `Pipeline`.
        settings: how.
        labels: what each picture is told.
        numbers: of the pictures, from a multiple of their count on: a picture has its own row.
        animated: whether to keep what was guessed on the way.

    Returns:
        uint8 (B, F, H, W, C): F frames, the last of them the picture; F = 1 unless animated.
    """
    frames: list[np.ndarray] = []

    def look(_pipe: Any, _index: int, _time: Any, told: dict[str, Tensor]) -> dict[str, Tensor]:
        frames.append(_to_uint8(pipe.decode(told["x0"])))
        return {}

    more: dict[str, Any] = {}
    if animated:
        more = {"callback_on_step_end": look, "callback_on_step_end_tensor_inputs": ["x0"]}
    told = [labels.of(i, settings.seed) for i in numbers] if labels.classes else None
    if told and isinstance(told[0], str):
        more |= {"prompt": told, "style": settings.style}
        told = None
    drawn = pipe(
        told,
        num_images=len(numbers),
        seed=settings.seed + numbers[0],
        output_type="pt",
        **settings.of_call(),
        **more,
    ).images
    return np.stack([*frames, _to_uint8(drawn)], axis=1)


def fingerprint(pipe: Any) -> str:
    """sha256 of the weights and the scheduler's settings."""
    digest = hashlib.sha256(json.dumps(dict(pipe.scheduler.config), default=str).encode())
    for part in (pipe.model, pipe.vae):
        for name, value in part.state_dict().items() if part is not None else ():
            digest.update(f"{name} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _to_uint8(pictures: Tensor) -> np.ndarray:
    return (255 * pictures).round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
