"""Diffusion against numbers recorded from the published code, and against diffusers' solvers."""

import json
import math
import zlib
from pathlib import Path

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    UniPCMultistepScheduler,
)

from mdt.diffusion import SAMPLERS, denoiser, guided
from mdt.diffusion.guidance import guidance_weight
from mdt.diffusion.objective import denoising_terms, noised
from mdt.diffusion.prediction import min_snr_weight
from mdt.diffusion.schedule import linear, respace
from mdt.models import build_model

NUMBERS = json.loads((Path(__file__).parent / "numbers_diffusion.json").read_text())
TOLERANCE = 1e-5


def close(out, recorded, atol=TOLERANCE):
    torch.testing.assert_close(
        torch.as_tensor(out, dtype=torch.float64),
        torch.tensor(recorded, dtype=torch.float64),
        rtol=0,
        atol=atol,
    )


@pytest.mark.parametrize("name", NUMBERS["mdt/power_cosine_cfg"]["values"])
def test_power_cosine(name):
    recorded = NUMBERS["mdt/power_cosine_cfg"]
    power, scale = (float(part[3 if part[0] == "p" else 1 :]) for part in name.split("_"))
    weights = [guidance_weight(t, scale, power) for t in recorded["t"]]
    close(weights, recorded["values"][name], atol=1e-12)


def test_linear_schedule():
    recorded, schedule = NUMBERS["mdt/linear_schedule_1000"], linear()
    t = torch.tensor(recorded["t"])
    alpha, sigma = schedule.at(t)
    close(schedule.betas[t], recorded["betas"], atol=1e-15)
    close(alpha**2, recorded["alphas_cumprod"], atol=1e-14)
    torch.testing.assert_close(
        (alpha / sigma) ** 2, torch.tensor(recorded["snr"], dtype=torch.float64), rtol=1e-11, atol=0
    )
    close(
        schedule.posterior_log_variance[t], recorded["posterior_log_variance_clipped"], atol=1e-12
    )
    close(min_snr_weight(alpha, sigma, "eps", 5.0), recorded["min_snr5_eps_weight"], atol=1e-12)
    alpha, sigma = schedule.at(torch.arange(1000))
    below = ((alpha / sigma) ** 2 < 5).nonzero()
    assert int(below[0]) == recorded["first_t_with_snr_below_5"]


@pytest.mark.parametrize("sections", ["250", "50", "ddim50", "20"])
def test_respace(sections):
    recorded = NUMBERS["mdt/respace"][sections]
    times = respace(1000, sections)
    assert len(times) == recorded["n"]
    assert times[:5] == recorded["first5"]
    assert times[-3:] == recorded["last3"]
    spacing = sections if "ddim" in sections else "respaced"
    levels = linear().levels(len(times), spacing)
    assert [level.t for level in levels[:-1]] == times[::-1]


def wave(function, step, *shape):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return function(step * i).view(shape).float()


def test_training_losses():
    recorded = NUMBERS["mdt/training_losses"]
    x0, noise = wave(torch.sin, 0.37, 2, 4, 4, 4), wave(torch.cos, 0.21, 2, 4, 4, 4)
    t, schedule = torch.tensor([50, 700]), linear()
    x = noised(x0, noise, *schedule.at(t))
    out = torch.cat([0.9 * x, 0.1 * x], dim=1)
    terms = denoising_terms(out, x0, t, noise, schedule=schedule, min_snr=5.0)
    for name in ("mse", "vb", "loss"):
        close(terms[name], recorded[name], atol=1e-7)


def tiny_mdt(version):
    config = NUMBERS[f"mdt/mdt{version}_tiny"]["config"]
    name = {"v1": "mdt_s2", "v2": "mdtv2_s2"}[version]
    sizes = {key: config[key] for key in ("input_size", "hidden_size", "depth", "num_heads")}
    model = build_model(name, **sizes, num_classes=10, decode_layers=2)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            i = torch.arange(parameter.numel(), dtype=torch.float64)
            values = 0.2 * torch.sin(0.7 * i + zlib.crc32(key.encode()) % 1000)
            parameter.copy_(values.view(parameter.shape))
    return model.eval()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_published_guidance(version):
    """`guided` gives the conditional half of what was recorded; the other half repeats its ε."""
    recorded = NUMBERS[f"mdt/mdt{version}_tiny"]["cfg"]
    model, x = tiny_mdt(version), wave(torch.sin, 0.37, 4, 4, 8, 8)[:2]
    t, label = torch.tensor([900.0, 300.0]), torch.tensor([3, 7])
    with torch.no_grad():
        out = guided(model, label, 3.8, power=4, channels=3, skip_below=0)(x, t)
        null = model(x, t, model.null_label(label))
    close(out.flatten()[: len(recorded["out_first8"])], recorded["out_first8"])
    close(out[0, 3].flatten()[:4], recorded["ch3_first4"])
    total = out.sum() + out[:, :3].sum() + null[:, 3:].sum()
    assert abs(float(total) - recorded["out_sum"]) <= 4 * out.numel() * TOLERANCE


# diffusers' schedulers were compared with the published sampling code: equal to 1e-5 and better.
SOLVERS = {
    "ddpm": (
        DDPMScheduler,
        {"variance_type": "learned_range", "timestep_spacing": "linspace"},
        "respaced",
    ),
    "ddim": (DDIMScheduler, {"timestep_spacing": "leading", "set_alpha_to_one": True}, "leading"),
    "dpmpp_2m": (
        DPMSolverMultistepScheduler,
        {"timestep_spacing": "trailing", "final_sigmas_type": "zero"},
        "trailing",
    ),
    "unipc": (
        UniPCMultistepScheduler,
        {"timestep_spacing": "trailing", "final_sigmas_type": "zero"},
        "trailing",
    ),
}


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # of diffusers, under numpy 2
@pytest.mark.parametrize("num_steps", [4, 10, 50])
@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_step_as_those_of_diffusers(name, num_steps):
    make, settings, spacing = SOLVERS[name]
    theirs = make(beta_start=1e-4, beta_end=0.02, beta_schedule="linear", **settings)
    theirs.set_timesteps(num_steps)
    if hasattr(theirs.config, "clip_sample"):
        theirs.register_to_config(clip_sample=False)
    levels = linear().levels(num_steps, spacing)
    assert theirs.timesteps.tolist() == [level.t for level in levels[:-1]]

    def model(x, t):
        """Some smooth network."""
        share = (t / 1000).view(-1, 1, 1, 1)
        return torch.cat([torch.tanh(x) * (0.5 + 0.5 * share), 0.5 * torch.sin(x)], dim=1)

    start = wave(torch.cos, 0.21, 2, 4, 4, 4).double()
    x, generator = start, torch.Generator().manual_seed(3)
    draws = {"generator": generator} if name == "ddpm" else {}
    for t in theirs.timesteps:
        out = model(x, t.expand(2))
        out = out if name == "ddpm" else out[:, :4]
        x = theirs.step(out, t, x, **draws).prev_sample
    ours = SAMPLERS[name](
        denoiser(model),
        start,
        levels,
        **({"generator": torch.Generator().manual_seed(3)} if draws else {}),
    )
    scale = float(x.abs().max())
    assert float((ours - x).abs().max()) <= TOLERANCE * scale
