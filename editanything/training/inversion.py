"""Textual inversion [Gal et al. 2023]: a new word for a thing or a style, learned from pictures.

Nothing but the word's vectors learns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from editanything.training.frozen import Frozen, frozen
from editanything.training.rows import captions_of
from mdt.draws import Generators


class Word(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The vectors of a new word.

    Args:
        base: folder or hub id of the pipeline.
        token: the word, such as "<my-dog>".
        like: a known word that its vectors start from.
        num_vectors: how many there are; more hold more of the thing, and take more of the prompt.

    Raises:
        ValueError: a word that is known already, a start that is not one token, or no vectors.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        base: str,
        token: str = "<new-thing>",  # noqa: S107 - a word
        like: str = "thing",
        num_vectors: int = 1,
    ) -> None:
        super().__init__()
        if num_vectors < 1:
            raise ValueError(f"num_vectors is 1 or more; got {num_vectors}.")
        tokenizer = frozen(base).part("tokenizer")
        if token in tokenizer.get_vocab() or not token.strip() or " " in token:
            raise ValueError(
                f"The token {token!r} is known or has spaces: choose one like <my-dog>."
            )
        ids = tokenizer(like, add_special_tokens=False).input_ids
        if len(ids) != 1:
            raise ValueError(f"like={like!r} is {len(ids)} tokens: name a plain, known word.")
        table = frozen(base).part("text_encoder").get_input_embeddings().weight
        start = table[ids[0]].detach().float().cpu()
        self.vectors = nn.Parameter(start.repeat(num_vectors, 1))

    def forward(self, encoder: Any, ids: Tensor, at: Tensor) -> Tensor:
        """Hidden states (B, L, K) of ids (B, L), where the word's vector at[b, l] - 1 stands.

        Args:
            encoder: the frozen text encoder.
            ids: of tokens; any known one where `at` is above 0.
            at: (B, L), 0 where no vector of the word stands.
        """

        def replaced(_layer: Any, _inputs: Any, out: Tensor) -> Tensor:
            mine = self.vectors[(at - 1).clamp(min=0)].to(out.dtype)
            return torch.where((at > 0)[..., None], mine, out)

        hook = encoder.get_input_embeddings().register_forward_hook(replaced)
        try:
            hidden: Tensor = encoder(ids)[0]
        finally:
            hook.remove()
        return hidden


def placed(base: Frozen, captions: list[str], token: str, count: int) -> tuple[Tensor, Tensor]:
    """(ids, at) of captions, see `Word.forward`.

    Raises:
        ValueError: a caption without the word.
    """
    tokenizer = base.part("tokenizer")
    length, end = int(tokenizer.model_max_length), int(tokenizer.eos_token_id)
    pad = int(tokenizer.pad_token_id)
    ids = torch.full((len(captions), length), pad, dtype=torch.int64)
    at = torch.zeros_like(ids)
    for row, caption in enumerate(captions):
        if token not in caption:
            raise ValueError(
                f"The word {token} is not in {caption!r}: put it into data.settings.prompt."
            )
        tokens, marks = [int(tokenizer.bos_token_id)], [0]
        for number, piece in enumerate(caption.split(token)):
            if number:
                tokens += [end] * count
                marks += list(range(1, count + 1))
            if piece.strip():
                found = tokenizer(piece, add_special_tokens=False).input_ids
                tokens += found
                marks += [0] * len(found)
        tokens, marks = [*tokens[: length - 1], end], [*marks[: length - 1], 0]
        # The encoder pools at the first end token, or the largest id: the word's places hold
        # a token that is neither.
        tokens = [tokens[0] if mark else one for one, mark in zip(tokens, marks, strict=True)]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        at[row, : len(marks)] = torch.tensor(marks)
    return ids, at


@dataclass(frozen=True)
class InversionObjective:
    """The denoising loss of a frozen base whose prompts hold the new word.

    Args:
        base: folder or hub id of an ordinary pipeline.
    """

    base: str
    num_passes: int = 1
    mask_ratio: None = None

    def passes(
        self, model: Any, x0: Tensor, label: Any = None, *, generator: Generators
    ) -> Iterator[dict[str, Tensor]]:
        """One pass: "loss" and "mse" (B,), and "u" (B,), the times in [0, 1).

        Args:
            model: a `Word`.
            x0: (B, 3, H, W) in [-1, 1].
            label: (B, L) of `rows.to_row`; every caption holds the word.
            generator: of times and noise.

        Raises:
            ValueError: pictures without words, or words without the new one.
        """
        if x0.shape[1] != 3 or label is None:
            raise ValueError(
                "This learns from pictures with words: set data.settings.prompt; got pictures of "
                f"{x0.shape[1]} channels."
            )
        base, word = frozen(self.base), getattr(model, "module", model).config
        at = base.noised(base.latents(x0, generator), generator)
        ids, marks = placed(base, captions_of(label), word.token, word.num_vectors)
        encoder = base.part("text_encoder", x0.device)
        hidden = model(encoder, ids.to(x0.device), marks.to(x0.device))
        unet = base.part("unet", x0.device)
        yield at.terms(unet(at.x, at.t, hidden, return_dict=False)[0])
