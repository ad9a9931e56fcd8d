"""How a promptable segmenter learns: focal and dice loss, and to know how good its masks are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mdt.draws import Generators
from mdt.models.segmenter import PIXELS_PER_MASK, Answers, Prompts

#: Things of a picture that are asked for: each is one bit of the fourth channel.
NUM_THINGS = 4
#: Numbers in the row of a thing: its box, a click on it, three draws.
ROW = 9
DRAWS = 1_000_000


def prompts_of(label: Tensor) -> Prompts:
    """The prompts that integers (B, K, ROW) stand for; see `mdt.data.prompted`."""
    rows = label.float()
    return Prompts(box=rows[..., :4], click=rows[..., 4:6], draws=rows[..., 6:] / DRAWS)


def truth_of(channel: Tensor) -> Tensor:
    """Bits (B, S, S) -> bool (B, K, S/2, S/2): True where at least half of the pixels are."""
    bits = channel.to(torch.int32)[:, None]
    powers = 2 ** torch.arange(NUM_THINGS, device=channel.device, dtype=torch.int32)
    masks = (bits // powers[:, None, None]) % 2
    return F.avg_pool2d(masks.float(), PIXELS_PER_MASK) >= 0.5


@dataclass(frozen=True)
class SegmenterObjective:
    """focal · focal loss + dice loss + quality · error of the predicted IoU.

    The mean over what is asked: a click, a box, a click that two more mend. Of the three masks that
    one click may mean, the best learns [Kirillov et al. 2023, section 3].

    Args:
        focal: weight of the focal loss [Lin et al. 2017], with γ = 2 and α = 0.25.
        quality: weight of the squared error of the predicted IoU.

    Raises:
        ValueError: weights below 0.
    """

    focal: float = 20.0
    quality: float = 1.0
    num_passes: int = 1
    mask_ratio: None = None

    def __post_init__(self) -> None:
        if self.focal < 0 or self.quality < 0:
            raise ValueError(
                f"focal and quality are 0 or more; got {self.focal:g} and {self.quality:g}."
            )

    def passes(
        self, model: Any, x0: Tensor, label: Any = None, *, generator: Generators
    ) -> Iterator[dict[str, Tensor]]:
        """One pass: "loss" (B,), "mse" (B,), here 1 - IoU, and "u", zeros.

        Args:
            model: a `Segmenter`.
            x0: (B, 4, S, S): the picture in [-1, 1], and the things' bits.
            label: (B, K, ROW), the prompts.
            generator: not drawn from: the data holds all draws.

        Raises:
            ValueError: pictures without prompts.
        """
        del generator
        if x0.shape[1] != 4 or label is None or tuple(label.shape[1:]) != (NUM_THINGS, ROW):
            raise ValueError(
                "A segmenter learns from data with prompts: set data.name=prompted; got pictures "
                f"of {x0.shape[1]} channels."
            )
        truth = truth_of(x0[:, 3])
        answers = model(x0[:, :3], truth, prompts_of(label))
        told = [self._loss(answer, truth) for answer in answers.values()]
        loss = torch.stack([one for one, _ in told]).mean(0)
        iou = torch.stack([overlap for _, overlap in told]).mean(0)
        yield {"loss": loss, "mse": 1 - iou, "u": torch.zeros(len(x0), device=x0.device)}

    def _loss(self, answers: Answers, truth: Tensor) -> tuple[Tensor, Tensor]:
        """(loss, IoU of the mask for many prompts), both (B,); truth bool (B, K, h, w)."""
        goal = truth.float()[:, :, None]
        right = torch.sigmoid(answers.logits * (2 * goal - 1))  # the share given to the truth
        # A logarithm of a sum, as on a CPU softplus takes several times as long.
        focal = -((0.75 - 0.5 * goal) * (1 - right).square() * (right + 1e-6).log()).mean((-2, -1))
        share = (2 * goal - 1) * right + (1 - goal)
        size = goal.sum((-2, -1))
        both = (share * goal).sum((-2, -1))
        dice = 1 - (2 * both + 1) / (share.sum((-2, -1)) + size + 1)
        each = self.focal * focal + dice
        with torch.no_grad():
            found = (answers.logits > 0).float()
            common = (found * goal).sum((-2, -1))
            iou = common / (found.sum((-2, -1)) + size - common).clamp(min=1)
        error = (answers.quality - iou).square().mean(-1)
        loss = each[..., 0] + self.quality * error
        if each.shape[-1] > 1:
            loss = loss + each[..., 1:].amin(-1)
        return loss.mean(-1), iou[..., 0].mean(-1)
