"""Networks of `transformers` that answer prompts (SAM 2, the tracker of SAM 3), as a predictor.

Both see a picture stretched to a square, and take points and boxes in pixels of that square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything.hub import Opened
from editanything.types import RGB, Bool2D

#: Clicks that are asked at once when everything is sought.
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Embedded:
    """A picture that a network has embedded; every question costs the small decoder alone.

    `predict` is that of `segment_anything.SamPredictor`.
    """

    network: Opened
    embeddings: list[Any]
    shape: tuple[int, int]  # (h, w)

    @classmethod
    def of(cls, network: Opened, small: RGB) -> Embedded:
        """Embed a picture, RGB uint8 (h, w, 3)."""
        import torch

        pixels = network.processor.image_processor(
            images=np.array(small), input_data_format="channels_last", return_tensors="pt"
        )["pixel_values"]
        with torch.inference_mode():
            held = network.model.get_image_embeddings(**network.place({"pixel_values": pixels}))
        return cls(network, held, (small.shape[0], small.shape[1]))

    def predict(
        self,
        point_coords: NDArray[np.float32] | None = None,
        point_labels: NDArray[np.int64] | None = None,
        box: NDArray[np.float32] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[NDArray[Any], NDArray[np.float32], None]:
        """Masks (n, h, w) of the picture (bool, or logits) and the IoU expected of each (n,).

        Args:
            point_coords: (k, 2), x and y in pixels of the picture.
            point_labels: (k,), 1 for "of it", 0 for "not of it".
            box: (4,), XYXY.
            multimask_output: three answers instead of one.
            return_logits: logits instead of bool.
        """
        logits, quality = self._ask(
            None if point_coords is None else point_coords[None],
            None if point_labels is None else point_labels[None],
            None if box is None else np.asarray(box, np.float32)[None],
            multimask_output,
        )
        return (logits[0] if return_logits else logits[0] > 0), quality[0], None

    def _ask(
        self,
        points: NDArray[np.float32] | None,
        labels: NDArray[np.int64] | None,
        boxes: NDArray[np.float32] | None,
        several: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (m, n, h, w) and quality (m, n) of m prompts: points (m, k, 2), boxes (m, 4)."""
        import torch
        import torch.nn.functional as F

        scale = np.array(self._side, np.float32) / np.array(self.shape[::-1], np.float32)
        inputs: dict[str, Any] = {}
        if points is not None:
            inputs["input_points"] = torch.from_numpy((points * scale).astype(np.float32))[None]
            inputs["input_labels"] = torch.from_numpy(np.asarray(labels, np.int64))[None]
        if boxes is not None:
            inputs["input_boxes"] = torch.from_numpy(boxes * np.tile(scale, 2))[None]
        with torch.inference_mode():
            answer = self.network.model(
                image_embeddings=list(self.embeddings),
                multimask_output=several,
                **self.network.place(inputs),
            )
            low = answer.pred_masks[0].float()
            logits = F.interpolate(low, self.shape, mode="bilinear", align_corners=False)
        return logits.cpu().numpy(), answer.iou_scores[0].float().cpu().numpy()

    @property
    def _side(self) -> tuple[int, int]:
        """Width and height that the network sees."""
        side = int(self.network.processor.target_size)
        return side, side

    def everything(self, settings: Everything) -> list[Bool2D]:
        """The masks (h, w) of all that a grid of clicks finds, best first; they may overlap."""
        import torch
        from torchvision.ops import batched_nms

        found = list(self._clicked(settings))
        if not found:
            return []
        boxes = torch.tensor([_box(mask) for mask, _ in found], dtype=torch.float32)
        quality = torch.tensor([score for _, score in found], dtype=torch.float32)
        kept = batched_nms(boxes, quality, torch.zeros(len(found)), settings.same_box)
        return [found[int(i)][0] for i in kept]

    def _clicked(self, settings: Everything) -> Iterator[tuple[Bool2D, float]]:
        """What every click of the grid gives that the network is sure of."""
        h, w = self.shape
        steps = (np.arange(settings.points_per_side) + 0.5) / settings.points_per_side
        grid = np.stack(np.meshgrid(steps * w, steps * h), -1).reshape(-1, 1, 2).astype(np.float32)
        for start in range(0, len(grid), _AT_ONCE):
            clicks = grid[start : start + _AT_ONCE]
            logits, quality = self._ask(clicks, np.ones(clicks.shape[:2], np.int64), None, True)
            inner = (logits > 1).sum((2, 3))
            stable = inner / np.maximum((logits > -1).sum((2, 3)), 1)
            sure = (quality >= settings.min_quality) & (stable >= settings.min_stability)
            for i, j in np.argwhere(sure & (inner > 0)):
                yield logits[i, j] > 0, float(quality[i, j])


@dataclass(frozen=True)
class Everything:
    """How everything is sought: the published generator's settings.

    Attributes:
        points_per_side: of the grid of clicks.
        min_quality: IoU that the network expects of a mask.
        min_stability: overlap of the mask with that of logits one higher and one lower.
        same_box: overlap of boxes from which two masks are one thing.
    """

    points_per_side: int = 16
    min_quality: float = 0.8
    min_stability: float = 0.95
    same_box: float = 0.7


def _box(mask: Bool2D) -> tuple[int, int, int, int]:
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
