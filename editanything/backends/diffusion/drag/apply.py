"""A step that drags: from its second picture, settings and networks to a running drag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import torch

from editanything.backends.diffusion import latents, prompts
from editanything.backends.diffusion.drag.bank import mask_at
from editanything.backends.diffusion.drag.fitting import fit_reference
from editanything.backends.diffusion.drag.run import Control, Taken, dragging
from editanything.backends.diffusion.drag.settings import DragSettings
from editanything.errors import InputError
from editanything.types import Reference, Task

if TYPE_CHECKING:
    from editanything.backends.diffusion.denoise import Steering
    from editanything.backends.diffusion.loading import Loaded
    from editanything.backends.diffusion.options import Control as NamedControl
    from editanything.backends.diffusion.paint import Pass

#: Of the second picture's noise, so that it is none of the edit's own.
_NOISE_SEED = 0x5EED


def check_unet(loaded: Loaded) -> None:
    """Refuse a pipeline that cannot be reached into.

    Raises:
        InputError: it has no UNet.
    """
    if loaded.unet is None:
        raise InputError(
            f"{loaded.name} has no UNet, and only UNets (SD 1.5, SD 2.1, SDXL) take from a second "
            "picture layer by layer: set drag=false to paste instead."
        )


def around(
    task: Task, controls: Sequence[NamedControl], settings: DragSettings, prompt: str
) -> Callable[[Pass], AbstractContextManager[None]]:
    """What a step with a second picture enters for the run of the sampling loop.

    Args:
        task: the step.
        controls: what each of the pipeline's ControlNets is for.
        settings: how much goes over.
        prompt: words for the second picture.

    Raises:
        InputError: there is no second picture.
    """
    reference = task.reference
    if reference is None:
        raise InputError("There is nothing to take over: give a second picture and what is meant.")

    def enter(current: Pass) -> AbstractContextManager[None]:
        roles = {
            net: control.role
            for net, control in zip(current.loaded.controlnets, controls, strict=True)
        }
        canvas = current.canvas
        edited = torch.ones(current.noise.shape[2:]) if canvas is None else canvas.mask
        return drag_reference(
            current.loaded,
            current.scheduler,
            reference,
            edited,
            prompt=prompt,
            size=current.working.size,
            seed=task.seed,
            guides=[s for s in current.steering if roles[s.net] == "regions"],
            contents=[s for s in current.steering if roles[s.net] == "inpaint"],
            settings=settings,
        )

    return enter


@contextmanager
def drag_reference(
    loaded: Loaded,
    scheduler: Any,
    reference: Reference,
    edited: torch.Tensor,
    *,
    prompt: str,
    size: tuple[int, int],
    seed: int,
    guides: Sequence[Steering] = (),
    contents: Sequence[Steering] = (),
    settings: DragSettings | None = None,
) -> Iterator[None]:
    """While it lasts, what is denoised on `loaded` takes from the second picture.

    Args:
        loaded: a pipeline with a UNet; its lock is held.
        scheduler: the one that the edit uses.
        reference: the second picture, and what of it is meant.
        edited: (1, 1, h, w) of the latents or (h, w), above 0.5 where the picture is painted.
        prompt: words for the second picture.
        size: (H, W) at which the networks work.
        seed: of the noise on the second picture.
        guides: ControlNets that the edit uses and that see the same here: the region map.
        contents: ControlNets that see the second picture without a hole here: the inpainting one.
        settings: how much goes over.

    Raises:
        InputError: the model has no UNet, or one that cannot be reached into.
    """
    settings = settings or DragSettings()
    check_unet(loaded)
    fitted = fit_reference(reference, size, settings.fit)
    code = latents.encode(loaded, fitted.image).float()
    at = (code.shape[2], code.shape[3])
    mask = mask_at(torch.from_numpy(fitted.mask), at).to(code.device)
    area = mask_at(edited.reshape(edited.shape[-2:]) > 0.5, at).to(code.device)
    generator = torch.Generator().manual_seed(seed ^ _NOISE_SEED)
    noise = torch.randn(code.shape, generator=generator).to(code)
    words = prompts.encode(loaded, prompt)
    whole = torch.from_numpy(fitted.image).permute(2, 0, 1)[None].to(code) / 255
    dtype = loaded.dtype
    controls = [
        *(
            Control(g.net, g.condition.to(code.device, dtype), settings.position_scale)
            for g in guides
        ),
        *(Control(c.net, whole.to(dtype), settings.content_scale, takes=True) for c in contents),
    ]
    taken = Taken(code.to(dtype), noise.to(dtype), mask, words.positive, words.pooled)
    with dragging(loaded.unet, scheduler, taken, area, controls=controls, settings=settings):
        yield
