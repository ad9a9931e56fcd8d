"""Inpainting: draw anew where the mask is True; known pixels come back bit for bit.

Three parts that go together or alone:
- `pinned` tells any sampler what is known: x0 is replaced there, so that the sampler's own noise
  stays the right noise for every level, also in stochastic and multistep samplers;
- `resampled` walks a sampler down and back up again (RePaint), so that both regions agree;
- `masked_denoiser` is MDT's own way: tokens to be drawn are hidden from the encoder, and the
  side-interpolater fills them in from the known ones, which is what it was trained for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mdt.diffusion.guidance import Kept
from mdt.diffusion.prediction import Denoised, Denoiser, denoiser
from mdt.diffusion.samplers import between, ddpm
from mdt.diffusion.schedule import Level
from mdt.draws import Generators, noise_like

Sampler = Callable[..., Tensor]

#: Network times, of 1000, from which on tokens are hidden: costs nothing in v1 and in v2, where a
#: lower one makes v1 draw noise [docs/experiments.md].
HIDE_ABOVE = 400.0


def pinned(denoise: Denoiser, known: Tensor, mask: Tensor) -> Denoiser:
    """A denoiser that knows the picture outside the mask.

    Given x at a level with the known part at α·known + σ·ε, every sampler then keeps it there: the
    deterministic ones with the same ε, DDPM by the exact posterior q(x_s | x_t, x0 = known).

    Args:
        denoise: the denoiser to wrap.
        known: (B, C, h, w); only what lies outside the mask counts.
        mask: (B or 1, 1 or C, h, w) bool, True where to draw anew.

    Raises:
        ValueError: a mask of another type or shape.
    """
    check_mask(known, mask)

    def told(x: Tensor, level: Level) -> Denoised:
        guess = denoise(x, level)
        variance = guess.variance
        if variance is not None:
            variance = torch.where(mask, variance, -1.0)  # β̃: the posterior's variance
        return Denoised(torch.where(mask, guess.x0, known.to(guess.x0.dtype)), variance)

    return told


def resampled(sampler: Sampler, resamplings: int = 10, jump: int = 10) -> Sampler:
    """A sampler that takes every `jump` steps `resamplings` times [Lugmayr et al. 2022, RePaint].

    After a stretch the picture is noised again to where the stretch began, by q(x_t | x_s), and
    walked once more. Costs `resamplings` times the evaluations. Callback indices count within a
    stretch.

    Raises:
        ValueError: counts below 1.
    """
    if resamplings < 1 or jump < 1:
        raise ValueError(f"resamplings and jump are 1 or more; got {resamplings} and {jump}.")

    def run(
        denoise: Denoiser,
        x: Tensor,
        levels: Sequence[Level],
        *,
        generator: Generators | None = None,
        **settings: object,
    ) -> Tensor:
        if _draws(sampler):
            settings["generator"] = generator
        for start in range(0, len(levels) - 1, jump):
            stretch = levels[start : start + jump + 1]
            for again in range(resamplings, 0, -1):
                x = sampler(denoise, x, stretch, **settings)
                if again > 1:
                    x = renoise(x, stretch[-1], stretch[0], generator)
        return x

    return run


def renoise(x: Tensor, here: Level, there: Level, generator: Generators | None) -> Tensor:
    """Take x (B, C, h, w) of the level `here` further, to the noisier level `there`."""
    step = between(there, here)
    return step.scale * x + step.forward_variance**0.5 * noise_like(x, generator)


def inpaint(
    denoise: Denoiser,
    known: Tensor,
    mask: Tensor,
    levels: Sequence[Level],
    *,
    generator: Generators,
    begin: Tensor | None = None,
    sampler: Sampler = ddpm,
    **settings: object,
) -> Tensor:
    """Draw the masked part anew, in agreement with the rest.

    Args:
        denoise: the denoiser, plain or from `masked_denoiser`.
        known: (B, C, h, w) clean picture; what it holds under the mask does not matter.
        mask: (B or 1, 1 or C, h, w) bool, True where to draw anew.
        levels: falling to no noise, as for the sampler.
        generator: one, or one for each picture.
        begin: (B, C, h, w), what the masked part is to remind of, with levels that begin late
            (`levels[k:]`); None: nothing.
        sampler: one of `SAMPLERS`, or `resampled(...)`. DDPM is the default: noise drawn on the
            way lets the parts agree, where a deterministic sampler keeps its early mistakes.
        settings: passed on to the sampler.

    Returns:
        (B, C, h, w), bit-equal to `known` outside the mask.

    Raises:
        ValueError: a mask of another type or shape, or levels that end with noise.
    """
    check_mask(known, mask)
    if len(levels) < 2 or levels[-1].sigma != 0:
        raise ValueError("Inpainting needs levels that end without noise (σ = 0).")
    clean = torch.where(mask, torch.zeros_like(known) if begin is None else begin, known)
    x = levels[0].alpha * clean + levels[0].sigma * noise_like(known, generator)
    if _draws(sampler):
        settings["generator"] = generator
    drawn = sampler(pinned(denoise, known, mask), x, levels, **settings)
    return torch.where(mask, drawn, known)


class Telling:
    """A network with a mask channel, told what is known: it sees that clean, and draws the rest.

    Args:
        network: a `Network` made with `mask_channel`, or one that holds it as `module`.
        known: (B or 1, C, h, w), what is known, made without what lies under the mask.
        mask: (B or 1, 1, h, w), 1 or True where to draw.
    """

    def __init__(self, network: Callable[..., Tensor], known: Tensor, mask: Tensor) -> None:
        self.network, self.known, self.mask = network, known, mask
        self.module = getattr(network, "module", network)  # whose labels these are

    def __call__(self, x: Tensor, t: Tensor, label: Any = None, **kept: Any) -> Tensor:
        """As the network: (B, C, h, w) noisy -> (B, C, h, w)."""
        mask = self.mask.to(x.dtype).expand(len(x), -1, -1, -1)
        shown = torch.where(mask > 0, x, self.known.to(x.dtype))
        return self.network(torch.cat([shown, mask], dim=1), t, label, **kept)


def masked_denoiser(
    model: Callable[..., Tensor],
    mask: Tensor,
    patch_size: int,
    prediction: str = "eps",
    *,
    above: float = HIDE_ABOVE,
    clip: float | None = None,
) -> Denoiser:
    """`hiding` as a denoiser, for samplers; see there, and `denoiser` for prediction and clip."""
    return denoiser(hiding(model, mask, patch_size, above=above), prediction, clip=clip)


def hiding(
    model: Callable[..., Tensor], mask: Tensor, patch_size: int, *, above: float = HIDE_ABOVE
) -> Callable[[Tensor, Tensor], Tensor]:
    """MDT's own inpainting: the encoder sees known tokens alone, the side-interpolater the rest.

    What belongs where is settled early, at high noise; that is where tokens are hidden, and the
    full pass then finishes. v1's hidden tokens are told nothing of their own noise, so its masked
    pass alone gives noise; v2's decoder gets every noisy token through its dense shortcut and can
    walk all the way (above=0) [Gao et al. 2023, section 3.3; docs/experiments.md].

    Args:
        model: such as `guided(...)` gives, of an MDT that has its side-interpolater.
        mask: (B or 1, 1 or C, h, w) bool, True where to draw anew; may differ from row to row.
        patch_size: of the model.
        above: the network time from which on, towards noise, tokens are hidden; the full pass
            runs below.

    Returns:
        (x (B, C, h, w), t (B,), the same time for all) -> the network's output.

    Raises:
        ValueError: a mask that is not bool, or does not divide into patches.
    """
    kept = kept_tokens(mask, patch_size)

    def predict(x: Tensor, t: Tensor) -> Tensor:
        if kept is None or float(t[0]) < above:
            return model(x, t)
        return model(x, t, kept=kept)

    return predict


def kept_tokens(mask: Tensor, patch_size: int) -> Kept:
    """The tokens that are known in all their pixels, as `kept` of a masked pass.

    Args:
        mask: (B or 1, 1 or C, h, w) bool, True where unknown.
        patch_size: side of a token's patch.

    Returns:
        (B or 1, n) int64 ids, rising; a list of such rows where pictures know different counts;
        None where a single mask hides every token.

    Raises:
        ValueError: a mask that is not bool, or does not divide into patches.
    """
    if mask.dtype != torch.bool or mask.ndim != 4:
        raise ValueError(f"The mask must be bool (B, 1, h, w); got {_describe(mask)}.")
    if mask.shape[2] % patch_size or mask.shape[3] % patch_size:
        height, width = mask.shape[2:]
        raise ValueError(f"A {height}x{width} mask does not divide into {patch_size}x{patch_size}.")
    touched = F.max_pool2d(mask.any(1, keepdim=True).float(), patch_size)
    rows = [(row == 0).nonzero()[:, 0] for row in touched.flatten(1)]
    if len(rows) == 1 and len(rows[0]) == 0:
        return None
    if len({len(row) for row in rows}) == 1 and len(rows[0]):
        return torch.stack(rows)
    return rows


def check_mask(known: Tensor, mask: Tensor) -> None:
    """Refuse masks that do not fit.

    Raises:
        ValueError: says what came.
    """
    fits = mask.ndim == known.ndim and all(
        m in (1, k) for m, k in zip(mask.shape[:2], known.shape[:2], strict=True)
    )
    if mask.dtype != torch.bool or not fits or mask.shape[2:] != known.shape[2:]:
        shape = (len(known), 1, *known.shape[2:])
        raise ValueError(f"The mask must be bool {shape}; got {_describe(mask)}.")


def _describe(mask: Tensor) -> str:
    return f"{str(mask.dtype).removeprefix('torch.')} {tuple(mask.shape)}"


def _draws(sampler: Sampler) -> bool:
    return "generator" in inspect.signature(sampler).parameters
