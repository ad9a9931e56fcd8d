"""Pictures of a class, painted by the inpainting base itself, so that it is not forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from editanything.backends.diffusion.weights import open_weights
from editanything.errors import InputError
from editanything.hub import device_of, only_here
from mdt.files import check_output, written_beside


def class_pictures(
    base: str,
    prompt: str,
    out: str | Path,
    *,
    count: int = 100,
    side: int = 512,
    steps: int = 30,
    guidance: float = 7.5,
    seed: int = 0,
    device: str = "auto",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Paint `count` pictures under a mask of the whole frame; picture k does not depend on count.

    Args:
        base: folder or hub id of an inpainting pipeline.
        prompt: of the class: "a photo of a dog".
        out: folder of the pictures; whole or not there.
        count: of the pictures.
        side: of them, in pixels; a multiple of 8.
        steps: of the sampler.
        guidance: scale.
        seed: of the first picture; each further one has the next.
        device: of torch; "auto": CUDA where there is one.
        overwrite: whether an existing folder is replaced.
        progress: called with pictures done and in all.

    Raises:
        InputError: no such base, an ordinary one, or sizes out of range.
        ValueError: an output that cannot be written.
    """
    import torch

    if count < 1 or steps < 1 or side < 8 or side % 8:
        raise InputError(
            f"count and steps are 1 or more, side a multiple of 8; got {count}, {steps}, {side}."
        )
    check_output(out, overwrite=overwrite)
    pipe, where = _opened(base), device_of(device)
    pipe.to(where)
    from PIL import Image

    blank, whole = Image.new("RGB", (side, side)), Image.new("L", (side, side), 255)
    with written_beside(out, overwrite=overwrite) as new:
        new.mkdir()
        for number in range(count):
            draws = torch.Generator("cpu").manual_seed(seed + number)
            with torch.inference_mode():
                picture = pipe(
                    prompt, image=blank, mask_image=whole, height=side, width=side,
                    num_inference_steps=steps, guidance_scale=guidance, generator=draws,
                ).images[0]  # fmt: skip
            picture.save(new / f"{number:05d}.png")
            if progress is not None:
                progress(number + 1, count)
    return count


def _opened(base: str) -> Any:
    from editanything.training.inpaint import unet

    pipe = inpainting_pipeline(base, unet(base))  # which says what is wrong with a base
    pipe.set_progress_bar_config(disable=True)
    return pipe


def inpainting_pipeline(base: str, network: Any) -> Any:
    """The pipeline of an inpainting base with another UNet, in float32.

    Raises:
        InputError: it cannot be opened; safetensors alone are.
    """
    import torch
    from diffusers import StableDiffusionInpaintPipeline

    more: dict[str, Any] = {"safety_checker": None, "requires_safety_checker": False}
    more |= {"unet": network, **only_here(base)}
    opener = StableDiffusionInpaintPipeline.from_pretrained
    try:
        return open_weights(opener, base, dtype=torch.float32, **more)
    except (OSError, ValueError) as error:
        raise InputError(f"{base} cannot be opened: {str(error).strip().splitlines()[0]}") from None
