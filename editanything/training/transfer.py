"""A ControlNet without training: a fresh one on a base, or an old one carried to another base."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from editanything.backends.diffusion.weights import open_weights
from editanything.errors import InputError
from editanything.training.frozen import open_part
from mdt.files import written_beside


def init_control(base: str, out: str | Path, *, overwrite: bool = False) -> None:
    """Write a fresh ControlNet on a base: a copy of its UNet's encoder, with zero convolutions.

    Raises:
        InputError: no such base.
        ValueError: an output that cannot be written.
    """
    from diffusers import ControlNetModel

    fresh = ControlNetModel.from_unet(open_part(base, "unet"))
    with written_beside(out, overwrite=overwrite) as new:
        fresh.save_pretrained(new)


def transfer_control(
    control: str | Path, old: str, new: str, out: str | Path, *, overwrite: bool = False
) -> int:
    """Write a ControlNet for another base; returns how many tensors were carried over.

    Args:
        control: folder of the ControlNet, trained on `old`.
        old: its base, folder or hub id.
        new: the other base.
        out: where to.
        overwrite: whether an existing output is replaced.

    Raises:
        InputError: what cannot be opened, or bases of another shape than the ControlNet.
        ValueError: an output that cannot be written.
    """
    from diffusers import ControlNetModel

    try:
        model = open_weights(ControlNetModel.from_pretrained, control, dtype=torch.float32)
    except (OSError, ValueError) as error:
        first = str(error).strip().split("\n")[0][:160]
        raise InputError(f"{control} is no ControlNet with safetensors: {first}") from None
    before = open_part(old, "unet").state_dict()
    after = open_part(new, "unet").state_dict()
    carried, count = carried_over(model.state_dict(), before, after)
    model.load_state_dict(carried)
    with written_beside(out, overwrite=overwrite) as place:
        model.save_pretrained(place)
    return count


def carried_over(
    control: Mapping[str, Tensor], old: Mapping[str, Tensor], new: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], int]:
    """Control + new - old for every key that all have; other keys as they are, and the count.

    Raises:
        InputError: a key whose shapes differ, or no key in common.
    """
    out, count = dict(control), 0
    for name, value in control.items():
        if name not in old or name not in new:
            continue
        if not value.shape == old[name].shape == new[name].shape:
            raise InputError(
                f"{name} is {tuple(value.shape)} in the ControlNet, {tuple(old[name].shape)} in "
                f"the old base and {tuple(new[name].shape)} in the new one: the bases must be of "
                "one kind."
            )
        out[name] = value + (new[name].to(torch.float32) - old[name].to(torch.float32)).to(
            value.dtype
        )
        count += 1
    if not count:
        raise InputError("The ControlNet and the bases have no part in common.")
    return out, count
