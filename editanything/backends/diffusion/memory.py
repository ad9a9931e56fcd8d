"""How a pipeline is laid out in memory: one pure function of the device and the networks' size."""

from __future__ import annotations

from dataclasses import dataclass

from editanything.errors import InputError

OFFLOADS = ("auto", "none", "model", "sequential")
DTYPES = ("auto", "float32", "float16", "bfloat16")
#: What a pass needs beside the weights, in bytes: about that of SDXL at 1024 px with 16 bits.
ROOM_BYTES = 3 * 2**30
#: Below that much free memory the autoencoder works picture by picture and in tiles.
ROOMY_BYTES = 12 * 2**30
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Layout:
    """Where the weights lie while a pipeline works.

    Attributes:
        dtype: of the weights: "float32", "float16" or "bfloat16".
        offload: "none": all on the device; "model": one network at a time; "sequential": layer
            by layer, slow and with the least memory.
        slicing: the autoencoder takes one picture at a time.
        tiling: the autoencoder takes a large picture in tiles.
    """

    dtype: str
    offload: str
    slicing: bool
    tiling: bool


def memory_layout(
    device: str,
    *,
    num_weights: int,
    largest_weights: int,
    free_bytes: int | None,
    resident_weights: int = 0,
    dtype: str = "auto",
    offload: str = "auto",
    bfloat16: bool = True,
) -> Layout:
    """The layout for a device; a setting that is not "auto" stands.

    Args:
        device: "cpu", "mps" or "cuda...".
        num_weights: of all networks together.
        largest_weights: of the largest of those that can take turns on the device.
        resident_weights: of those that cannot: ControlNets are asked in every step.
        free_bytes: free memory of the device; None where nobody knows.
        dtype: one of `DTYPES`.
        offload: one of `OFFLOADS`.
        bfloat16: whether the device computes with it.

    Raises:
        InputError: an unknown setting, or offloading to where the weights are anyway.
    """
    _check(dtype, "dtype", DTYPES)
    _check(offload, "offload", OFFLOADS)
    kind = device.split(":", maxsplit=1)[0]
    if dtype == "auto":
        half = "bfloat16" if bfloat16 else "float16"
        dtype = half if kind == "cuda" else ("float16" if kind == "mps" else "float32")
    if kind != "cuda":
        if offload in ("model", "sequential"):
            raise InputError(
                f"offload={offload} brings weights to a GPU when they are needed, and the device "
                f"is {device}; leave it at auto."
            )
        return Layout(dtype, "none", slicing=True, tiling=kind == "mps")
    if offload == "auto":
        weight = BYTES[dtype]
        least = largest_weights + resident_weights
        offload = _fitting(num_weights * weight, least * weight, free_bytes)
    tight = free_bytes is not None and free_bytes < ROOMY_BYTES
    return Layout(dtype, offload, slicing=True, tiling=tight or offload == "sequential")


def _fitting(total: int, least: int, free: int | None) -> str:
    """The fastest layout with room; `least`: bytes on the device while one network has its turn."""
    if free is None or total + ROOM_BYTES <= free:
        return "none"
    return "model" if least + ROOM_BYTES <= free else "sequential"


def _check(value: str, name: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} is one of {', '.join(known)}; got {value!r}.")
