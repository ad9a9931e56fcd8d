"""Pictures from a layout: from a sketch in flat colours, or from another picture's regions.

Nothing of a source is kept but where its regions lie: the numbers of the regions steer a
SAM-ControlNet, and everything is painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from editanything.backends.diffusion.control_map import condition
from editanything.errors import InputError
from editanything.progress import Progress, part_of_progress
from editanything.types import RGB

if TYPE_CHECKING:
    from editanything.backends.diffusion.backend import Diffusion
    from editanything.backends.diffusion.denoise import Sampling
    from editanything.backends.diffusion.loading import Loaded

Color = tuple[int, int, int]
WHITE: Color = (255, 255, 255)
#: (H, W) of a picture by the shape of its sheet.
ASPECTS = {"square": (512, 512), "horizontal": (512, 768), "vertical": (768, 512)}
MOST_PICTURES = 12
_NO_NET = (
    "A layout steers a SAM-ControlNet on a Stable Diffusion base, and this preset has none; choose "
    "sd15-controlnet."
)


def palette_of(sketch: RGB) -> tuple[Color, ...]:
    """The colours of a sketch (H, W, 3) but white, in the order of their first pixels."""
    flat = sketch.reshape(-1, 3)
    colors, first = np.unique(flat, axis=0, return_index=True)
    ordered = colors[np.argsort(first)]
    return tuple(c for row in ordered.tolist() if (c := (row[0], row[1], row[2])) != WHITE)


def sketch_numbers(sketch: RGB, palette: Sequence[Color] | None = None) -> NDArray[np.uint16]:
    """The number of the region at each pixel, (H, W); 0 where the sheet is white.

    Args:
        sketch: RGB uint8 (H, W, 3), regions in flat colours on white.
        palette: RGB; each distinct colour but white, in this order, is a region: 1, 2, ... Pixels
            of other colours (softened edges) go to the nearest colour, or to the white. None: the
            colours of the sketch in the order in which they come.

    Raises:
        InputError: a sketch or palette that is none.
    """
    if sketch.ndim != 3 or sketch.shape[2] != 3 or sketch.dtype != np.uint8:
        raise InputError(
            f"A sketch is RGB uint8 (H, W, 3); this one is {sketch.dtype} {sketch.shape}."
        )
    given = palette_of(sketch) if palette is None else tuple(palette)
    colors = [c for c in dict.fromkeys(tuple(int(v) for v in c) for c in given) if c != WHITE]
    if not colors:
        raise InputError("The sketch is white: draw regions in flat colours.")
    if len(colors) >= 2**16 or any(len(c) != 3 for c in colors):
        raise InputError("A palette is a list of up to 65535 RGB colours.")
    found, where = np.unique(sketch.reshape(-1, 3), axis=0, return_inverse=True)
    known = np.array([WHITE, *colors], np.int64)
    nearest = np.empty(len(found), np.uint16)
    for i, color in enumerate(found.astype(np.int64)):  # one by one: a photo has many colours
        nearest[i] = np.square(known - color).sum(1).argmin()
    return nearest[where.reshape(-1)].reshape(sketch.shape[:2])


def drawn_scale(numbers: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The strength of the ControlNet, (H, W): 1 where something is drawn, 0 on the white."""
    return (numbers > 0).astype(np.float32)


@dataclass(frozen=True)
class LayoutSettings:
    """How a picture is made from a layout.

    Attributes:
        prompt: what it shows.
        negative: what it does not.
        strength: of the layout, 0..2.
        only_drawn: the layout steers where something is drawn, and leaves the white free.
        size: (H, W) of the picture, multiples of 8.
        seeds: one picture for each, 1 to 12.
        scheduler: by name.
    """

    prompt: str
    negative: str = ""
    strength: float = 1.0
    only_drawn: bool = False
    size: tuple[int, int] = ASPECTS["square"]
    seeds: tuple[int, ...] = (0,)
    scheduler: str = "unipc"

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 2:
            raise InputError(f"strength must be between 0 and 2; got {self.strength:g}.")
        if not 1 <= len(self.seeds) <= MOST_PICTURES:
            raise InputError(f"1 to {MOST_PICTURES} pictures at a time; got {len(self.seeds)}.")
        if any(side < 64 or side % 8 for side in self.size):
            raise InputError(
                f"A picture's sides are multiples of 8 from 64 on; got {self.size[1]}x"
                f"{self.size[0]}."
            )


def generate(
    loaded: Loaded,
    numbers: NDArray[np.uint16],
    settings: LayoutSettings,
    sampling: Sampling | None = None,
    *,
    net: Any = None,
    progress: Progress | None = None,
) -> tuple[RGB, ...]:
    """New pictures whose regions lie as the layout says.

    Args:
        loaded: an ordinary base with a SAM-ControlNet; its lock is taken.
        numbers: (H, W), of a sketch or of a picture's regions (`control_map.number_map`).
        settings: what is made.
        sampling: how.
        net: the SAM-ControlNet; None: the first of `loaded`.
        progress: told after each step.

    Raises:
        InputError: there is no ControlNet, or the base is none.
        Cancelled: the progress callback asked to stop.
    """
    import torch

    from editanything.backends.diffusion.denoise import Sampling, Steering, denoise
    from editanything.backends.diffusion.latents import decode
    from editanything.backends.diffusion.prompts import encode
    from editanything.backends.diffusion.schedulers import make_scheduler

    net = net or next(iter(loaded.controlnets), None)
    if net is None or loaded.unet is None:
        raise InputError(_NO_NET)
    scale: Any = settings.strength
    seen = condition(numbers, settings.size)
    if settings.only_drawn:
        scale = (seen[0, :2].sum(0) > 0).float().to(loaded.device) * settings.strength
    steering = [Steering(net, seen.to(loaded.device), scale)]
    sampling = sampling or Sampling()
    factor = 2 ** (len(loaded.pipe.vae.config.block_out_channels) - 1)
    shape = (1, 4, settings.size[0] // factor, settings.size[1] // factor)
    pictures = []
    with loaded.lock, torch.no_grad():
        try:
            words = encode(loaded, settings.prompt, settings.negative)
            for i, seed in enumerate(settings.seeds):
                generator = torch.Generator().manual_seed(seed)
                noise = torch.randn(shape, generator=generator).to(loaded.device)
                scheduler = make_scheduler(loaded.pipe.scheduler, settings.scheduler)
                done, all_ = i, len(settings.seeds)
                latents = denoise(
                    loaded,
                    scheduler,
                    words,
                    sampling,
                    noise,
                    steering=steering,
                    generator=generator,
                    progress=part_of_progress(progress, done / all_, (done + 1) / all_),
                )
                pictures.append(decode(loaded, latents))
        finally:
            loaded.pipe.maybe_free_model_hooks()  # also where it is cancelled
    return tuple(pictures)


def paint_layout(
    backend: Diffusion,
    numbers: NDArray[np.uint16],
    prompt: str,
    *,
    seeds: Sequence[int] = (0,),
    strength: float = 1.0,
    only_drawn: bool = False,
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> tuple[RGB, ...]:
    """Pictures of a layout by a preset's backend, with its own settings.

    Args:
        backend: of the preset.
        numbers: (H, W) of the layout.
        prompt: what the pictures show; the preset's words of quality are put after it.
        seeds: one picture for each, 1 to 12.
        strength: of the layout, 0..2.
        only_drawn: the layout leaves the white free.
        size: (H, W), multiples of 8; None: the layout's proportions at the preset's size.
        progress: told while networks are loaded, and after each step.

    Raises:
        InputError: no words, no ControlNet for regions, or what hinders the loading.
        Cancelled: the progress callback asked to stop.
    """
    from editanything.backends.diffusion.denoise import Sampling
    from editanything.backends.diffusion.paint import model_side
    from editanything.backends.diffusion.working import working_size

    if not prompt.strip():
        raise InputError("Say what the picture shall show.")
    roles = [control.role for control in backend.extras.controlnets]
    if "regions" not in roles:
        raise InputError(_NO_NET)
    loaded = backend.load(part_of_progress(progress, 0, 0.3))
    if loaded.unet is None:
        raise InputError(_NO_NET)
    options = backend.options
    settings = LayoutSettings(
        prompt=", ".join(part for part in (prompt, options.quality) if part),
        negative=options.negative,
        strength=strength,
        only_drawn=only_drawn,
        size=size or working_size(numbers.shape, options.size or model_side(loaded), 8),
        seeds=tuple(seeds),
        scheduler=options.scheduler,
    )
    sampling = Sampling(
        steps=options.steps,
        guidance=7.5 if options.guidance is None else options.guidance,
        guess=options.guess,
    )
    net = loaded.controlnets[roles.index("regions")]
    rest = part_of_progress(progress, 0.3, 1)
    return generate(loaded, numbers, settings, sampling, net=net, progress=rest)
