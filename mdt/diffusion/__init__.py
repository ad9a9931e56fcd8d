"""Diffusion: schedules, predictions, objectives, guidance, samplers, inpainting.

Three nouns that never look inside each other. A schedule makes levels, a denoiser says what the
clean picture is, a sampler walks:

    denoise = denoiser(guided(model, label, 3.8, power=4), "eps")
    levels = make_schedule("linear").levels(25)
    x = draw_noise(shape, make_generators(seeds))
    x = SAMPLERS["dpmpp_2m"](denoise, x, levels)
"""

from mdt.diffusion.guidance import guided
from mdt.diffusion.inpaint import inpaint, masked_denoiser, resampled
from mdt.diffusion.objective import make_objective
from mdt.diffusion.prediction import denoiser
from mdt.diffusion.samplers import SAMPLERS, Step, find_sampler
from mdt.diffusion.schedule import make_schedule
from mdt.draws import draw_noise, make_generators

__all__ = [
    "SAMPLERS",
    "Step",
    "denoiser",
    "draw_noise",
    "find_sampler",
    "guided",
    "inpaint",
    "make_generators",
    "make_objective",
    "make_schedule",
    "masked_denoiser",
    "resampled",
]
