"""What all networks have in common: settings that are saved, labels, checkpointing, kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from mdt.models.attention import BACKENDS, Attention, _suggest
from mdt.models.conditioning import Label, LabelEmbedder, Text, TextEmbedder, WordEmbedder

Init = TypeVar("Init", bound=Callable[..., None])


def saved_settings(init: Init) -> Init:
    """Keep the arguments of `__init__` as `config`, so that from_pretrained can repeat them."""
    return cast("Init", register_to_config(init))


class Network(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A denoiser: `model(x, t, label, kept=None)`.

    Args of the call:
        x: (B, C, h, w) float, the noisy latents or pixels; with `mask_channel` (B, C + 1, h, w):
            clean where the last channel is 0, noisy where it is 1, see `mdt.diffusion.inpaint`.
        t: (B,) times.
        label: (B,) int64 classes, (B, L, K) int64 ids of words, a `Text`, or None: no condition
            (the null class where the network knows classes).
        kept: (B, n) int64 ids of the tokens that the masked pass keeps, in drawn order (ids count
            patches row by row); None: all. Heeded in eval() too.

    Returns:
        (B, C, h, w), or (B, 2C, h, w) where the variance is learned.
    """

    config_name = "config.json"
    _supports_gradient_checkpointing = True

    def __init__(self) -> None:
        super().__init__()
        self.gradient_checkpointing = False

    @property
    def has_masked_pass(self) -> bool:
        """Whether the call takes `kept`."""
        return False

    def num_tokens(self, x: Tensor) -> int:
        """How many tokens the input (B, C, h, w) has.

        Raises:
            ValueError: the network has no masked pass, which alone needs to know.
        """
        del x
        self._refuse_masked_pass()

    def depth_blocks(self) -> dict[str, nn.Module]:
        """The blocks in order of depth, for probes."""
        raise NotImplementedError

    def null_label(self, label: Label) -> Label:
        """The labels that mean "no condition", for the pictures of `label`.

        Raises:
            ValueError: if the network was made without a null class.
        """
        if label is None:
            return None
        if isinstance(label, Text):
            return Text(label.tokens, label.pooled, torch.zeros_like(label.mask))
        if self.word_embedder is not None:
            return torch.zeros_like(label)
        embedder = self.y_embedder
        if embedder is None or not embedder.null_class:
            raise ValueError(
                "This model has no null class, so it cannot be guided; build it with "
                "null_class=True and drop labels while training."
            )
        return torch.full_like(label, embedder.num_classes)

    def set_attention_backend(self, backend: str) -> None:
        """Choose the attention kernel, "auto" or a key of `attention.BACKENDS`.

        Raises:
            ValueError: for an unknown name.
        """
        if backend != "auto" and backend not in BACKENDS:
            raise ValueError(f"There is no attention backend {backend!r}{_suggest(backend)}")
        for module in self.modules():
            if isinstance(module, Attention):
                module.backend = backend

    def run(self, block: nn.Module, *inputs: Any) -> Tensor:
        """`block(*inputs)`; recomputed in the backward pass if gradient checkpointing is on."""
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return self._gradient_checkpointing_func(block, *inputs)
        return block(*inputs)

    def make_label_embedder(
        self,
        width: int,
        num_classes: int | None,
        text_dims: Any,
        *,
        null_class: bool,
        words: tuple[int, int] | None = None,
    ) -> None:
        """Set one of `y_embedder` (classes), `text_embedder`, `word_embedder`, or none of them.

        Raises:
            ValueError: a class count below 1, or text widths that are not two numbers.
        """
        self.y_embedder, self.text_embedder, self.word_embedder = None, None, None
        if words is not None:
            self.word_embedder = WordEmbedder(*words, width)
        elif text_dims is not None:
            if len(text_dims) != 2:
                raise ValueError(
                    "text_dims is (width of a text token, width of the pooled vector); "
                    f"got {text_dims!r}."
                )
            self.text_embedder = TextEmbedder(text_dims[0], text_dims[1], width)
        elif num_classes is not None:
            if num_classes < 1:
                raise ValueError(
                    f"num_classes is 1 or more, or None for unconditional; got {num_classes}."
                )
            self.y_embedder = LabelEmbedder(num_classes, width, null_class=null_class)
        for embedder in (self.y_embedder, self.text_embedder, self.word_embedder):
            if embedder is not None:
                embedder.reset_parameters()

    def embed_label(
        self, label: Label, batch: int
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """(vector (B, width), text tokens (B, L, width), blocked (B, L)), each where there is one.

        Raises:
            ValueError: a kind of label that this network does not take, or a wrong count.
        """
        if self.word_embedder is not None:
            return self._embed_words(label, batch)
        kind = "text" if isinstance(label, Text) else "class labels"
        takes = self.text_embedder if isinstance(label, Text) else self.y_embedder
        if label is not None and takes is None:
            wants = "text" if self.text_embedder else "classes" if self.y_embedder else "no label"
            raise ValueError(f"This model was built for {wants}; it got {kind}.")
        if self.text_embedder is not None:
            if not isinstance(label, Text):
                raise ValueError(
                    "This model needs a Text(tokens, pooled, mask); for no text, give one whose "
                    "mask is all False."
                )
            self._check_batch(len(label.tokens), batch)
            tokens, pooled, blocked = self.text_embedder(label)
            return pooled, tokens, blocked
        if self.y_embedder is None:
            return None, None, None
        if label is None:
            some = torch.zeros(batch, dtype=torch.int64, device=self.device)
            label = cast("Tensor", self.null_label(some))
        self._check_batch(len(cast("Tensor", label)), batch)
        return self.y_embedder(label), None, None

    def _embed_words(self, ids: Label, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        assert self.word_embedder is not None
        if ids is None:
            ids = torch.zeros(batch, 2, 1, dtype=torch.int64, device=self.device)
        if not isinstance(ids, Tensor) or ids.ndim != 3 or ids.dtype != torch.int64:
            raise ValueError(
                "This model was built for words: give int64 ids (B, rows, ids) of mdt.words."
            )
        self._check_batch(len(ids), batch)
        tokens, pooled, blocked = self.word_embedder(ids)
        return pooled, tokens, blocked

    @staticmethod
    def _check_batch(came: int, batch: int) -> None:
        if came != batch:
            raise ValueError(f"There are {batch} pictures and {came} labels; give one for each.")

    def check_input(self, x: Tensor, channels: int) -> None:
        """Refuse inputs that are not (B, channels, h, w).

        Raises:
            ValueError: says what came.
        """
        if x.ndim != 4 or x.shape[1] != channels:
            raise ValueError(f"This model takes (B, {channels}, h, w); got {tuple(x.shape)}.")

    def no_masked_pass(self, kept: Tensor | None) -> None:
        """Refuse `kept` in a network that has no mask token.

        Raises:
            ValueError: if `kept` is given.
        """
        if kept is not None:
            self._refuse_masked_pass()

    def _refuse_masked_pass(self) -> NoReturn:
        raise ValueError(
            f"{type(self).__name__} has no masked pass (kept=...); MDT v1 and v2 have one."
        )
