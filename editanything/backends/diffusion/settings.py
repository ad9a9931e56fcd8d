"""What a pipeline is made of: one frozen value that checks itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from editanything.backends.diffusion.memory import DTYPES, OFFLOADS
from editanything.errors import InputError

#: Our names of attention kernels -> diffusers' own; "auto" leaves torch's choice.
ATTENTIONS = {
    "auto": None, "sdpa": "native", "math": "_native_math", "efficient": "_native_efficient",
    "flash": "_native_flash", "cudnn": "_native_cudnn", "flex": "flex", "xformers": "xformers",
    "sage": "sage", "flash-attn": "flash",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ModelSettings:
    """Where the networks come from and how they are held.

    Attributes:
        model: hub id, local folder, or a pipeline of diffusers that is already built (it is
            then used as it is, on the device where it lies).
        controlnets: hub ids ("owner/name", or "owner/name@revision"), folders or
            ControlNetModels, in the order in which their residuals are added.
        dtype: of the weights: auto, float32, float16, bfloat16.
        device: auto, cpu, mps, cuda, cuda:1.
        offload: auto, none, model, sequential (see `memory_layout`).
        attention: a key of `ATTENTIONS`.
        variant: of the files, such as "fp16"; empty for the plain ones. Where there are none of
            these, but of the other precision, those are taken.
        revision: of a hub repository; empty for the newest.
        local_only: never ask the hub, take what was downloaded before.
        skip: parts that are left out, such as ("text_encoder_3", "tokenizer_3") of SD 3.5.
    """

    model: Any
    controlnets: tuple[Any, ...] = ()
    dtype: str = "auto"
    device: str = "auto"
    offload: str = "auto"
    attention: str = "auto"
    variant: str = ""
    revision: str = ""
    local_only: bool = False
    skip: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        controlnets = self.controlnets
        if isinstance(controlnets, str) or not isinstance(controlnets, (list, tuple)):
            controlnets = (controlnets,)
        object.__setattr__(self, "controlnets", tuple(controlnets))
        object.__setattr__(self, "skip", tuple(self.skip))
        if isinstance(self.model, str) and not self.model.strip():
            raise InputError("model is empty: give a hub id, a folder, or a pipeline object.")
        for name, known in (
            ("dtype", DTYPES),
            ("offload", OFFLOADS),
            ("attention", tuple(ATTENTIONS)),
        ):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} is one of {', '.join(known)}; got {getattr(self, name)!r}."
                )

    def key(self) -> tuple[Any, ...]:
        """What two settings share if and only if they mean the same loaded networks."""
        parts = (self.model, *self.controlnets)
        named = tuple(str(p) if _is_name(p) else id(p) for p in parts)
        return (
            named, self.dtype, self.device, self.offload, self.attention, self.variant,
            self.revision, self.skip,
        )  # fmt: skip


def _is_name(part: Any) -> bool:
    from pathlib import Path

    return isinstance(part, (str, Path))
