"""Prompts of any length, with weights, as the networks take them.

Tokens go in windows of 75, each between the marks of begin and end that the text networks were
trained with; what they make of the windows is put side by side. "(red:1.3)" counts 1.3 times,
"(red)" 1.1 times, "[red]" 1/1.1 times; a backslash keeps a bracket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from editanything.errors import InputError

if TYPE_CHECKING:
    import torch

    from editanything.backends.diffusion.loading import Loaded

STEP = 1.1  # of one bracket
_PIECE = re.compile(r"\\.|\(|\[|:\s*[+-]?\d*\.?\d+\s*\)|\)|\]|[^\\()\[\]:]+|:|\\")


@dataclass(frozen=True, eq=False)
class Words:
    """What the networks are told: with guidance, also what they should turn away from.

    Attributes:
        positive: (1, L, D).
        negative: (1, L, D).
        pooled: (1, D'), of SDXL.
        pooled_negative: (1, D').
    """

    positive: torch.Tensor
    negative: torch.Tensor
    pooled: torch.Tensor | None = None
    pooled_negative: torch.Tensor | None = None


def weighted(prompt: str) -> list[tuple[str, float]]:
    """The pieces of a prompt and how much each counts, in order."""
    pieces: list[list[Any]] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}
    for match in _PIECE.finditer(prompt):
        text = match.group()
        if text in opened:
            opened[text].append(len(pieces))
            continue
        kind = "[" if text == "]" else "("
        if text[-1] in ")]" and text[0] != "\\" and opened[kind]:
            factor = float(text[1:-1]) if len(text) > 1 else (STEP if kind == "(" else 1 / STEP)
            _times(pieces, opened[kind].pop(), factor)
            continue
        pieces.append([text[1:] if text[0] == "\\" and len(text) > 1 else text, 1.0])
    for kind, factor in (("(", STEP), ("[", 1 / STEP)):
        for start in opened[kind]:  # never closed
            _times(pieces, start, factor)
    return _merged(pieces)


def _times(pieces: list[list[Any]], start: int, factor: float) -> None:
    for piece in pieces[start:]:
        piece[1] *= factor


def _merged(pieces: list[list[Any]]) -> list[tuple[str, float]]:
    out: list[tuple[str, float]] = []
    for text, weight in pieces:
        if out and out[-1][1] == weight:
            out[-1] = (out[-1][0] + text, weight)
        else:
            out.append((text, weight))
    return out


def encode(loaded: Loaded, positive: str, negative: str = "") -> Words:
    """Both prompts, as long as each other, on the pipeline's device.

    Raises:
        InputError: the pipeline has no text network of this kind.
    """
    import torch

    pipe = loaded.pipe
    readers = _readers(pipe)
    counts = [
        max(len(_windows(pipe, reader[0], text)) for text in (positive, negative))
        for reader in readers
    ]
    num = max(counts)
    with torch.no_grad():
        told = [_read(loaded, readers, text, num) for text in (positive, negative)]
    (good, pooled), (bad, pooled_bad) = told
    if not negative and getattr(pipe.config, "force_zeros_for_empty_prompt", False):
        bad = torch.zeros_like(bad)
        pooled_bad = None if pooled_bad is None else torch.zeros_like(pooled_bad)
    return Words(good, bad, pooled, pooled_bad)


def _readers(pipe: Any) -> list[tuple[Any, Any]]:
    """Each tokenizer with its text network."""
    found = [
        (getattr(pipe, f"tokenizer{end}", None), getattr(pipe, f"text_encoder{end}", None))
        for end in ("", "_2")
    ]
    pairs = [(tokenizer, network) for tokenizer, network in found if network is not None]
    if not pairs:
        raise InputError(f"{type(pipe).__name__} has no text network that reads prompts.")
    return pairs


def _windows(pipe: Any, tokenizer: Any, prompt: str) -> list[tuple[list[int], list[float]]]:
    """Token ids with their weights, in windows of the network's length."""
    ids: list[int] = []
    weights: list[float] = []
    for text, weight in weighted(prompt):
        if hasattr(pipe, "maybe_convert_prompt"):  # learned words of several vectors
            text = pipe.maybe_convert_prompt(text, tokenizer)
        # Not by its call, which would warn of the length that the windows are there for.
        own = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
        ids += own
        weights += [weight] * len(own)
    room = tokenizer.model_max_length - 2
    starts = range(0, max(len(ids), 1), room)
    return [_window(tokenizer, ids[s : s + room], weights[s : s + room]) for s in starts]


def _window(tokenizer: Any, ids: list[int], weights: list[float]) -> tuple[list[int], list[float]]:
    length = tokenizer.model_max_length
    pad = tokenizer.pad_token_id
    ids = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    weights = [1.0, *weights, 1.0]
    missing = length - len(ids)
    return ids + [pad] * missing, weights + [1.0] * missing


def _read(
    loaded: Loaded, readers: list[tuple[Any, Any]], prompt: str, num_windows: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    import torch

    parts = []
    pooled: torch.Tensor | None = None
    for tokenizer, network in readers:
        windows = _windows(loaded.pipe, tokenizer, prompt)
        windows += [_window(tokenizer, [], [])] * (num_windows - len(windows))
        ids = torch.tensor([window[0] for window in windows], device=loaded.device)
        weights = torch.tensor([window[1] for window in windows], device=loaded.device)
        double = len(readers) > 1 or hasattr(loaded.pipe, "text_encoder_2")
        out = network(ids, output_hidden_states=double)
        # SDXL reads the last layer but one of both, and one network's summary of all.
        hidden = out.hidden_states[-2] if double else out[0]
        if double and out[0].ndim == 2:
            pooled = out[0][:1].to(loaded.dtype)
        parts.append(_weigh(hidden.float(), weights))
    joined = torch.cat([part.reshape(1, -1, part.shape[-1]) for part in parts], dim=-1)
    return joined.to(loaded.dtype), pooled


def _weigh(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Vectors times their weights, with the mean of each window kept."""
    if bool((weights == 1).all()):
        return hidden
    scaled = hidden * weights[..., None]
    before, after = hidden.mean(dim=(1, 2), keepdim=True), scaled.mean(dim=(1, 2), keepdim=True)
    return scaled * (before / after)
