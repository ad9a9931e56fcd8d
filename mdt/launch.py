"""Processes and devices, by Accelerate's book; the one place that knows how a run was launched."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import Any

import torch

TORCHRUN = "ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 -m mdt.train SETTINGS.yaml"


def check_launch() -> None:
    """Refuse launches that would silently be something else than what was asked for.

    On a CPU `accelerate launch --num_processes 2` starts one process, and Accelerate's FSDP does
    nothing; both without a word.

    Raises:
        ValueError: says which launch works.
    """
    launched = "ACCELERATE_MIXED_PRECISION" in os.environ
    # Accelerate's launcher sets the address for several processes, but starts one without a rank.
    if launched and "MASTER_ADDR" in os.environ and "WORLD_SIZE" not in os.environ:
        raise ValueError(
            "accelerate launch was asked for several processes, but on a CPU it starts only one. "
            f"Launch them with: {TORCHRUN}"
        )


def check_sharding(accelerator: Any) -> None:
    """Refuse a request for Accelerate's FSDP that it did not honour.

    Raises:
        ValueError: names the setting that shards on every device.
    """
    asked = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() in ("1", "true", "yes")
    if asked and accelerator.distributed_type.value != "FSDP":
        raise ValueError(
            "Accelerate was asked for FSDP, but it does not do it here (it never does on a CPU): "
            "leave that out and set sharding=fsdp2, which shards on every device."
        )


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 by itself.

    Elsewhere it is computed in pieces: with AVX2 alone a training step took ten times as long as
    in float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # Older releases of torch do not tell.
        told: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        return any(told.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16"))
    return False


def part() -> None:
    """End the processes' group, together, when all work is done; nothing where there is none.

    torch complains where nobody ends it. Whose neighbour has hung up while it still waits for the
    word that all are here hears an error (gloo's "connection closed by peer"): the neighbour was
    done, for it came to this meeting, and one that crashed is told of by the launcher.
    """
    from accelerate import PartialState

    with contextlib.suppress(RuntimeError):
        PartialState().wait_for_everyone()
    PartialState().destroy_process_group()


def make_accelerator(
    *, precision: str = "fp32", tracker: str = "", folder: str | None = None, unused: bool = False
) -> Any:
    """An Accelerator for this process.

    Args:
        precision: "fp32", "bf16" (autocast), or "auto": bf16 where `has_bf16`, else fp32; the
            accelerator's `mixed_precision` tells which.
        tracker: of accelerate; "": none.
        folder: where trackers write.
        unused: whether some parameters get no gradient in a step (DDP has to look for them).

    Raises:
        ValueError: see `check_launch` and `check_sharding`.
    """
    from accelerate import Accelerator, PartialState
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedDataParallelKwargs

    check_launch()
    # Accelerate keeps the precision of the first one in this process for all that follow.
    AcceleratorState._reset_state(reset_partial_state=False)  # noqa: SLF001
    if precision != "fp32":
        native = has_bf16(PartialState().device)
        if precision == "bf16" and not native:
            warnings.warn(
                "This device has no bfloat16 of its own, so precision=bf16 may be many times "
                "slower than fp32 here; precision=auto takes what is faster.",
                stacklevel=2,
            )
        precision = "bf16" if precision == "bf16" or native else "fp32"
    try:
        accelerator = Accelerator(
            mixed_precision="bf16" if precision == "bf16" else "no",
            log_with=tracker or None,
            project_dir=folder,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused)],
        )
    except ValueError as error:
        if not tracker or tracker not in str(error):
            raise
        raise ValueError(f"Accelerate knows no tracker {tracker!r}.") from None
    check_sharding(accelerator)
    if tracker and not accelerator.log_with:
        raise ValueError(
            f"The tracker {tracker!r} is not installed; pip install it, or leave tracker out: "
            "metrics.jsonl is always written."
        )
    return accelerator
