"""Painting a crop with any other pipeline of diffusers, by what its call takes.

FLUX Fill, FLUX, SD 3.5, Qwen-Image and Z-Image are shown a mask; FLUX Kontext, Qwen-Image-Edit and
their kin are told what to do.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from editanything.backends.diffusion.options import PaintOptions
from editanything.backends.diffusion.paint import Order
from editanything.backends.diffusion.working import resized, work_on, working_size
from editanything.errors import InputError
from editanything.progress import Progress, report
from editanything.types import RGB

if TYPE_CHECKING:
    from editanything.backends.diffusion.loading import Loaded

MULTIPLE = 16
SIDE = 1024
#: Pipelines that change a whole picture, and their like that hold on to what is not to change.
MASKED = {
    "FluxKontextPipeline": "FluxKontextInpaintPipeline",
    "QwenImageEditPipeline": "QwenImageEditInpaintPipeline",
}
_INSTRUCTED = ("Kontext", "Edit", "InstructPix2Pix", "Flux2", "OmniGen")


def is_instructed(pipe: Any) -> bool:
    """Whether a pipeline is told what to do, not what will be seen."""
    name = type(pipe).__name__
    return any(part in name for part in _INSTRUCTED)


def painter(pipe: Any) -> Any:
    """The pipeline, or its like on the same networks that takes a picture and a mask.

    Raises:
        InputError: there is none that paints into a picture.
    """
    import diffusers

    name = type(pipe).__name__
    if name in MASKED:
        return _like(getattr(diffusers, MASKED[name]), pipe)
    if "image" in _takes(pipe):
        return pipe
    try:
        made = diffusers.AutoPipelineForInpainting.from_pipe(pipe)
    except ValueError:
        raise InputError(
            f"{name} paints whole pictures and has no like that inpaints; choose one of another "
            "kind (docs/photo.md names some)."
        ) from None
    made.set_progress_bar_config(disable=True)
    return made


def _like(kind: Any, pipe: Any) -> Any:
    made = kind(**pipe.components)
    made.set_progress_bar_config(disable=True)
    return made


def paint_by_call(
    loaded: Loaded, options: PaintOptions, order: Order, progress: Progress | None = None
) -> RGB:
    """The crop painted, RGB uint8 (h, w, 3).

    Raises:
        InputError: the pipeline does not paint into pictures.
        Cancelled: the progress callback asked to stop.
    """
    pipe = loaded.adapters.get("painter")
    if pipe is None:
        pipe = loaded.adapters["painter"] = painter(loaded.pipe)
    shape = order.image.shape[:2]
    size = working_size(shape, options.size or SIDE, MULTIPLE)
    working = work_on(order.image, order.area, size, options.mask_blur_px)
    takes = _takes(pipe)
    told = _arguments(takes, options, order, size)
    told["image"] = Image.fromarray(working.image)
    if "mask_image" in takes:
        told["mask_image"] = Image.fromarray(working.mask.astype(np.uint8) * 255)
    if "callback_on_step_end" in takes:
        told["callback_on_step_end"] = _teller(progress)
    made = pipe(**told).images[0]
    return resized(np.asarray(made.convert("RGB")), shape)


def _takes(pipe: Any) -> Any:
    return inspect.signature(pipe.__call__).parameters


def _arguments(
    takes: Any, options: PaintOptions, order: Order, size: tuple[int, int]
) -> dict[str, Any]:
    import torch

    told: dict[str, Any] = {
        "prompt": order.prompt,
        "height": size[0],
        "width": size[1],
        "num_inference_steps": options.steps,
        "generator": torch.Generator().manual_seed(order.seed),
        "strength": order.strength,
        "image_guidance_scale": options.image_guidance,
        # Kontext would otherwise work on its own size.
        "max_area": size[0] * size[1],
        "_auto_resize": False,
    }
    scale = "true_cfg_scale" if takes.get("guidance_scale") is None else "guidance_scale"
    if "true_cfg_scale" in takes and takes["true_cfg_scale"].default > 1:
        scale = "true_cfg_scale"  # Qwen: the other is for distilled models
    if options.guidance is not None:
        told[scale] = options.guidance
    default = takes["true_cfg_scale"].default if "true_cfg_scale" in takes else 2
    if options.negative and default > 1:
        told["negative_prompt"] = options.negative
    return {name: value for name, value in told.items() if name in takes}


def _teller(progress: Progress | None) -> Any:
    def tell(pipe: Any, index: int, _time: Any, kept: dict[str, Any]) -> dict[str, Any]:
        steps = getattr(pipe, "num_timesteps", 0) or index + 1
        report(progress, min(1.0, (index + 1) / steps), "painting")
        return kept

    return tell
