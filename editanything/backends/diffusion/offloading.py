"""Networks that take turns on the device: how that is switched on, and laid down for a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from editanything.backends.diffusion.loading import Loaded


def offload_of(pipe: Any) -> str:
    """How a pipeline that is given is offloaded: "none", "model" or "sequential"."""
    hooks = [getattr(part, "_hf_hook", None) for part in pipe.components.values()]
    if all(hook is None for hook in hooks):
        return "none"
    from accelerate.hooks import CpuOffload

    return "model" if any(isinstance(hook, CpuOffload) for hook in hooks) else "sequential"


def offload(pipe: Any, device: torch.device, kind: str) -> None:
    """Let the networks come to the device when they are needed: `kind` is that of a `Layout`."""
    if kind == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif kind == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)


@contextmanager
def at_rest(loaded: Loaded) -> Iterator[None]:
    """Networks that can be changed: where they are offloaded, whole and on the CPU meanwhile.

    Layer by layer, their weights are no tensors that anything could be put into; and what is new
    gets its place among those that take turns only when that is switched on again.
    """
    kind = loaded.layout.offload
    if kind == "none":
        yield
        return
    loaded.pipe.remove_all_hooks()
    loaded.pipe.to("cpu", silence_dtype_warnings=True)
    try:
        yield
    finally:
        offload(loaded.pipe, loaded.device, kind)
