"""Low-rank changes of a frozen network's projections [Hu et al. 2022], as a network of their own.

Only they learn and are saved; the frozen network is lent to `forward`, which lays them over it for
the length of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from editanything.training.frozen import frozen

#: Projections that are changed, by the ends of their names.
UNET_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
TEXT_TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj")


class Lora(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """B·A for every attention projection of a UNet, and of the text encoder if asked.

    Args:
        base: folder or hub id of the pipeline.
        rank: of the changes.
        alpha: their scale is alpha / rank; 0: alpha = rank.
        text_encoder: whether the text encoder's projections learn too.

    Raises:
        ValueError: a rank below 1.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        base: str,
        rank: int = 4,
        alpha: float = 0.0,
        text_encoder: bool = False,  # noqa: ARG002 - read from the config
    ) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"rank is 1 or more; got {rank}.")
        self.scale = (alpha or rank) / rank
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for part in self.parts:
            for name, layer in targets(frozen(base).part(part), part):
                key = f"{part}.{name}".replace(".", "/")
                down = torch.empty(rank, layer.in_features)
                self.down[key] = nn.Parameter(nn.init.normal_(down, std=1 / rank))
                self.up[key] = nn.Parameter(torch.zeros(layer.out_features, rank))

    @property
    def parts(self) -> tuple[str, ...]:
        """Of the pipeline, what is changed."""
        return ("unet", "text_encoder") if self.config.text_encoder else ("unet",)

    def forward(self, call: Callable[[], Tensor]) -> Tensor:
        """What `call` returns with the changes laid over the base's frozen networks."""
        with self.laid_over():
            return call()

    @contextmanager
    def laid_over(self) -> Iterator[None]:
        """The changes act on the base's frozen networks meanwhile, and on nobody else's calls."""
        hooks = []
        try:
            for part in self.parts:
                for name, layer in targets(frozen(self.config.base).part(part), part):
                    key = f"{part}.{name}".replace(".", "/")
                    hooks.append(layer.register_forward_hook(self._hook(key)))
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, key: str) -> Any:
        def changed(_layer: Any, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
            return out + self.scale * (inputs[0] @ self.down[key].T) @ self.up[key].T

        return changed


def targets(network: Any, part: str) -> list[tuple[str, nn.Linear]]:
    """The projections of a network that are changed, by name."""
    ends = UNET_TARGETS if part == "unet" else TEXT_TARGETS
    return [
        (name, layer)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear) and name.endswith(ends)
    ]


def published(weights: dict[str, Tensor], rank: int, alpha: float) -> dict[str, Tensor]:
    """The tensors as `load_lora_weights` of diffusers reads them.

    Args:
        weights: of a `Lora`.
        rank: of it.
        alpha: of it; the scale is folded into the upper half.
    """
    out = {}
    for name, value in weights.items():
        half, _, key = name.partition(".")
        letter = "A" if half == "down" else "B"
        scale = 1.0 if half == "down" else (alpha or rank) / rank
        out[f"{key.replace('/', '.')}.lora_{letter}.weight"] = value * scale
    return out
