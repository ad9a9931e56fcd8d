"""Which tokens the masked pass sees: drawn outside the network, so that a draw can be repeated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mdt.draws import Generators, draw_uniform, shared


def draw_ratio(low: float, high: float, generator: torch.Generator | None = None) -> float:
    """A share of tokens to hide, uniform in [low, high]; MDTv2 draws one a step from (0.3, 0.5)."""
    draw = torch.rand((), generator=generator, device=generator.device if generator else None)
    return low + (high - low) * float(draw)


def kept_from_noise(noise: Tensor, ratio: float) -> Tensor:
    """The ids of the int(N·(1 - ratio)) tokens of least noise, in rising order of it.

    Args:
        noise: (B, N).
        ratio: share of tokens to hide.

    Raises:
        ValueError: if no token would be left.
    """
    num_kept = int(noise.shape[1] * (1 - ratio))
    if not 1 <= num_kept <= noise.shape[1]:
        raise ValueError(
            f"A mask ratio of {ratio:g} keeps {num_kept} of {noise.shape[1]} tokens; "
            "give one from 0 up to, but not including, 1."
        )
    return noise.argsort(dim=1)[:, :num_kept]


def draw_kept(
    batch: int,
    num_tokens: int,
    ratio: float | tuple[float, float],
    *,
    generator: Generators | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Random tokens to keep, other ones for each image: (B, n) int64 ids in drawn order.

    Args:
        batch: number of images.
        num_tokens: tokens of an image, `model.num_tokens(x)`.
        ratio: share to hide (MDT v1: 0.3), or (low, high) to draw the share first (MDTv2).
        generator: source of randomness; lives on the device that it draws on. One, or one for
            each image.
        device: where the ids shall be.

    Raises:
        ValueError: if no token would be left.
    """
    once = None if generator is None else shared(generator)
    share = draw_ratio(*ratio, once) if isinstance(ratio, tuple) else ratio
    if generator is None:
        noise = torch.rand(batch, num_tokens, device=device)
    else:
        noise = draw_uniform((batch, num_tokens), generator)
    return kept_from_noise(noise, share).to(device)


@dataclass(frozen=True)
class Split:
    """A picture's tokens as the masked pass holds them: first the kept ones, then the hidden."""

    kept: Tensor  # (R, n) ids, R = 1 or B
    hidden: Tensor  # (R, N - n) ids, rising
    restore: Tensor  # (R, N): where in `order` each token lies

    @property
    def order(self) -> Tensor:
        """(R, N) ids: kept, then hidden."""
        return torch.cat([self.kept, self.hidden], dim=1)

    def after(self, num_text: int) -> Split:
        """The same split of a sequence that begins with text tokens, all of them kept."""
        if num_text == 0:
            return self
        text = torch.arange(num_text, device=self.kept.device).expand(len(self.kept), -1)
        return Split(
            torch.cat([text, self.kept + num_text], dim=1),
            self.hidden + num_text,
            torch.cat([text, self.restore + num_text], dim=1),
        )


def split(kept: Tensor, batch: int, num_tokens: int) -> Split:
    """Find the hidden tokens to the kept ones.

    Args:
        kept: (B, n) int64, or (1, n) for one draw shared by the whole batch.
        batch: B.
        num_tokens: N.

    Raises:
        ValueError: another shape or type, ids outside the picture, or an id twice.
    """
    if kept.ndim != 2 or kept.dtype != torch.int64 or len(kept) not in (1, batch):
        raise ValueError(
            f"kept must hold int64 token ids of shape ({batch}, n); "
            f"got {str(kept.dtype).removeprefix('torch.')} {tuple(kept.shape)}."
        )
    if not 1 <= kept.shape[1] <= num_tokens:
        raise ValueError(f"kept has {kept.shape[1]} ids a picture; there are {num_tokens} tokens.")
    if kept.device.type == "cpu" and not torch.compiler.is_compiling():
        _check_ids(kept, num_tokens)
    is_kept = torch.zeros(len(kept), num_tokens, dtype=torch.uint8, device=kept.device)
    is_kept.scatter_(1, kept, 1)
    hidden = is_kept.argsort(dim=1, stable=True)[:, : num_tokens - kept.shape[1]]
    order = torch.cat([kept, hidden], dim=1)
    ids = torch.arange(num_tokens, device=kept.device).expand_as(order)
    return Split(kept, hidden, torch.empty_like(order).scatter_(1, order, ids))


def _check_ids(kept: Tensor, num_tokens: int) -> None:
    low, high = int(kept.min()), int(kept.max())
    if low < 0 or high >= num_tokens:
        bad = low if low < 0 else high
        raise ValueError(f"kept names token {bad}; the picture has tokens 0 to {num_tokens - 1}.")
    ranked = kept.sort(dim=1).values
    if bool((ranked[:, 1:] == ranked[:, :-1]).any()):
        raise ValueError("kept names a token twice; each may be kept once.")


def take(x: Tensor, ids: Tensor) -> Tensor:
    """Tokens `ids` (R, n) of `x` (B, N, C), with one of R and B equal to the other or to 1."""
    rows = max(len(x), len(ids))
    ids = ids.expand(rows, -1)[:, :, None].expand(-1, -1, x.shape[-1])
    return x.expand(rows, -1, -1).gather(1, ids)
