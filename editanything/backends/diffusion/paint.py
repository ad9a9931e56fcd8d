"""Painting a crop with a UNet: Stable Diffusion 1, 2 and XL, ordinary, inpainting or instructed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from editanything.backends.diffusion.control_map import (
    condition,
    continued,
    inpaint_condition,
    number_map,
)
from editanything.backends.diffusion.options import Control, PaintOptions
from editanything.backends.diffusion.working import Working, resized, work_on, working_size
from editanything.errors import InputError
from editanything.progress import Progress, part_of_progress
from editanything.types import RGB, Bool2D

if TYPE_CHECKING:
    import torch

    from editanything.backends.diffusion.denoise import Canvas, Sampling, Steering
    from editanything.backends.diffusion.loading import Loaded
    from editanything.backends.diffusion.prompts import Words

MULTIPLE = 8


@dataclass(frozen=True, eq=False)
class Order:
    """What is to be painted.

    Attributes:
        image: RGB uint8 (h, w, 3), at native size.
        area: bool (h, w), where it is painted.
        prompt: for the whole crop.
        seed: of its noise.
        strength: how much of it is made anew.
        regions: of the crop; asked if a ControlNet is shown them.
        removes: whether what lies in the area goes, so that its own region steers nothing.
        shown: a picture for an IP-Adapter.
    """

    image: RGB
    area: Bool2D
    prompt: str
    seed: int
    strength: float = 1.0
    regions: Callable[[], tuple[Bool2D, ...]] | None = None
    removes: bool = False
    shown: Any = None


@dataclass(frozen=True, eq=False)
class Pass:
    """One run of the sampling loop, as it is about to start; for what reaches into it."""

    loaded: Loaded
    scheduler: Any
    words: Words
    working: Working
    canvas: Canvas | None
    steering: tuple[Steering, ...]
    noise: torch.Tensor


Around = Callable[[Pass], AbstractContextManager[Any]]


def paint_with_unet(
    loaded: Loaded,
    controls: Sequence[Control],
    options: PaintOptions,
    order: Order,
    progress: Progress | None = None,
    around: Around | None = None,
) -> RGB:
    """The crop painted, RGB uint8 (h, w, 3); only where `order.area` is true does it count.

    Args:
        loaded: a pipeline with a UNet; its lock is held.
        controls: what each of `loaded.controlnets` is for.
        options: how.
        order: what.
        progress: told after each step.
        around: entered for the run of the loop; the refinement is none of it.

    Raises:
        Cancelled: the progress callback asked to stop.
    """
    side = options.size or model_side(loaded)
    size = working_size(order.image.shape[:2], side, MULTIPLE)
    refined = _refines(controls, options, order, side)
    blur = options.mask_blur_px
    working = work_on(order.image, order.area, size, blur)
    share = 0.5 if refined else 1.0
    made = _run(
        loaded, controls, options, order, working, part_of_progress(progress, 0, share), around
    )
    if refined:
        # What is kept is the crop's own detail; what was made is enlarged and made finer.
        large = working_size(order.image.shape[:2], options.refine_size, MULTIPLE)
        fine = work_on(order.image, order.area, large, blur)
        fine = replace(fine, image=np.where(fine.mask[..., None], resized(made, large), fine.image))
        aligned = replace(options, alignment=options.refine_alignment, mix=0.0)
        again = replace(order, strength=1.0)
        made = _run(
            loaded, controls, aligned, again, fine, part_of_progress(progress, share, 1), tile=True
        )
    return resized(made, order.image.shape[:2])


def model_side(loaded: Loaded) -> int:
    """The side of the pictures that the UNet was trained with, in pixels."""
    sample = loaded.unet.config.sample_size
    return int(sample if isinstance(sample, int) else max(sample)) * factor(loaded)


def factor(loaded: Loaded) -> int:
    """Pixels of a picture for one of its latents."""
    return 2 ** (len(loaded.pipe.vae.config.block_out_channels) - 1)


def _refines(controls: Sequence[Control], options: PaintOptions, order: Order, side: int) -> bool:
    height, width = order.image.shape[:2]
    large = (height * width) ** 0.5 >= options.refine_at_least * side
    return large and any(control.role == "tile" for control in controls)


def _run(
    loaded: Loaded,
    controls: Sequence[Control],
    options: PaintOptions,
    order: Order,
    working: Working,
    progress: Progress | None,
    around: Around | None = None,
    *,
    tile: bool = False,
) -> RGB:
    import torch

    from editanything.backends.diffusion.denoise import denoise
    from editanything.backends.diffusion.latents import decode
    from editanything.backends.diffusion.prompts import encode
    from editanything.backends.diffusion.schedulers import make_scheduler

    height, width = working.size
    generator = torch.Generator().manual_seed(order.seed)
    shape = (1, 4, height // factor(loaded), width // factor(loaded))
    noise = torch.randn(shape, generator=generator).to(loaded.device)
    words = encode(loaded, order.prompt, options.negative)
    canvas = _canvas(loaded, working, order)
    steering = _steering(loaded, controls, options, order, working, tile=tile)
    scheduler = make_scheduler(loaded.pipe.scheduler, options.scheduler)
    sampling = _sampling(loaded, options, order)
    current = Pass(loaded, scheduler, words, working, canvas, steering, noise)
    with around(current) if around is not None else nullcontext():
        latents = denoise(
            loaded,
            scheduler,
            words,
            sampling,
            noise,
            canvas=canvas,
            steering=steering,
            added=_added(loaded, words, working.size, order, guided=sampling.guidance > 1),
            generator=generator,
            progress=progress,
        )
    return decode(loaded, latents)


def _sampling(loaded: Loaded, options: PaintOptions, order: Order) -> Sampling:
    from editanything.backends.diffusion.denoise import PLAIN, Sampling

    alignment = options.alignment
    if alignment is None and loaded.unet.config.in_channels == PLAIN:
        alignment = 1.0
    return Sampling(
        steps=options.steps,
        guidance=7.5 if options.guidance is None else options.guidance,
        image_guidance=options.image_guidance,
        strength=order.strength,
        guess=options.guess,
        alignment=alignment,
        mix=options.mix,
    )


def _canvas(loaded: Loaded, working: Working, order: Order) -> Canvas | None:
    """The picture under the paint; None where all of it is made anew."""
    import torch

    from editanything.backends.diffusion.denoise import INPAINTING, INSTRUCTED, Canvas
    from editanything.backends.diffusion.latents import encode

    channels = loaded.unet.config.in_channels
    if order.area.all() and order.strength >= 1 and channels not in (INPAINTING, INSTRUCTED):
        return None
    height, width = (side // factor(loaded) for side in working.size)
    source = encode(loaded, working.image).float()
    soft = torch.from_numpy(resized(working.soft, (height, width)))[None, None].to(source)
    seen = None
    if channels == INPAINTING:
        hidden = np.where(working.mask[..., None], np.uint8(128), working.image)
        # By nearest neighbour, as in the training of such bases.
        rows, columns = (np.arange(n) * factor(loaded) for n in (height, width))
        hard = torch.from_numpy(working.mask[np.ix_(rows, columns)])[None, None].to(source)
        seen = torch.cat([hard, encode(loaded, hidden).float()], dim=1)
    elif channels == INSTRUCTED:
        seen = source / loaded.pipe.vae.config.scaling_factor
    return Canvas(source, soft, seen)


def _steering(
    loaded: Loaded,
    controls: Sequence[Control],
    options: PaintOptions,
    order: Order,
    working: Working,
    *,
    tile: bool,
) -> tuple[Steering, ...]:
    from editanything.backends.diffusion.denoise import Steering

    steering = []
    for net, control in zip(loaded.controlnets, controls, strict=True):
        if (control.role == "tile") != tile:
            continue
        if control.role == "inpaint" and order.area.all():
            continue  # nothing is left to be shown
        scale: Any = control.scale
        if control.role == "regions":
            scale = _scale_map(control, options, working)
        shown = _shown(control.role, options, order, working).to(loaded.device)
        steering.append(Steering(net, shown, scale, control.start, control.end))
    return tuple(steering)


def _shown(role: str, options: PaintOptions, order: Order, working: Working) -> torch.Tensor:
    import torch

    if role == "inpaint":
        return inpaint_condition(working.image, working.mask)
    if role == "tile":
        return torch.from_numpy(working.image.copy()).permute(2, 0, 1)[None].float() / 255
    regions = order.regions() if order.regions is not None else ()
    numbers = number_map(regions, order.image.shape[:2], order=options.order)
    if order.removes:
        numbers = continued(numbers, order.area)
    return condition(numbers, working.size)


def _scale_map(control: Control, options: PaintOptions, working: Working) -> Any:
    import torch

    if options.scale_map == "everywhere":
        return control.scale
    where = working.mask if options.scale_map == "painted" else ~working.mask
    return torch.from_numpy(where.astype(np.float32)) * control.scale


def _added(
    loaded: Loaded, words: Words, size: tuple[int, int], order: Order, *, guided: bool
) -> Mapping[str, Any]:
    """What SDXL is told of sizes, and an IP-Adapter of its picture."""
    import torch

    added: dict[str, Any] = {}
    if words.pooled is not None and words.pooled_negative is not None:
        height, width = size
        ids = torch.tensor([[height, width, 0, 0, height, width]] * 2)
        added["text_embeds"] = torch.cat([words.pooled_negative, words.pooled])
        added["time_ids"] = ids.to(loaded.device, loaded.dtype)
    if loaded.adapters.get("ip_adapter") is not None:
        if order.shown is None:
            raise InputError(
                "The IP-Adapter has no picture to go by: give one as ip_adapter.image, or a "
                "second picture with the command."
            )
        from PIL import Image

        embeds = loaded.pipe.prepare_ip_adapter_image_embeds(
            [Image.fromarray(order.shown)], None, loaded.device, 1, guided
        )
        added["image_embeds"] = embeds
    return added
