"""Steps that drag: a second picture as it comes, through the package's own sampling loop."""

import numpy as np
import pytest
import torch

from editanything.backends.diffusion import latents, prompts
from editanything.backends.diffusion.control_map import condition, inpaint_condition
from editanything.backends.diffusion.denoise import Canvas, Sampling, Steering, denoise
from editanything.backends.diffusion.drag import DragSettings
from editanything.backends.diffusion.drag.apply import drag_reference
from editanything.backends.diffusion.loading import load
from editanything.backends.diffusion.schedulers import make_scheduler
from editanything.backends.diffusion.settings import ModelSettings
from editanything.types import Mask, Reference

SIZE = (64, 96)


def picture(seed=0, shape=SIZE):
    values = np.random.default_rng(seed).integers(0, 256, (shape[0] // 8, shape[1] // 8, 3))
    return np.kron(values, np.ones((8, 8, 1), int)).astype(np.uint8)


def reference(seed=1):
    mask = np.zeros((80, 40), bool)
    mask[10:60, 8:30] = True
    return Reference(picture(seed, (80, 40)), Mask.of(mask))


def edited():
    mask = torch.zeros(1, 1, 8, 12)
    mask[..., 2:7, 3:9] = 1
    return mask


def run(loaded, nets=(), *, source=None, sampling=None, mask=None, **settings):
    """Latents of an edit of `picture()`; with a second picture if there is one."""
    mask = edited() if mask is None else mask
    scheduler = make_scheduler(loaded.pipe.scheduler, "unipc")
    noise = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(4))
    code, steering = latents.encode(loaded, picture()), []
    if nets:
        numbers = np.arange(64 * 96, dtype=np.uint16).reshape(SIZE) // 500
        hole = np.kron(mask[0, 0].numpy(), np.ones((8, 8))) > 0
        steering = [
            Steering(nets[0], condition(numbers, SIZE), 0.5),
            Steering(nets[1], inpaint_condition(picture(), hole)),
        ]
    seen = None
    if loaded.unet.config.in_channels == 9:
        seen = torch.cat([mask, code * (1 - mask)], 1)
    given = {"steering": steering, "canvas": Canvas(code, mask, seen)}
    words = prompts.encode(loaded, "a red dog", "low quality")
    sampling = sampling or Sampling(steps=3, alignment=None)
    if source is None:
        return denoise(loaded, scheduler, words, sampling, noise, **given)
    with drag_reference(
        loaded, scheduler, source, mask, prompt="a blue hat", size=SIZE, seed=7,
        guides=steering[:1], contents=steering[1:], settings=DragSettings(**settings),
    ):  # fmt: skip
        return denoise(loaded, scheduler, words, sampling, noise, **given)


@pytest.mark.parity("P18")
def test_p18_an_edit_takes_from_the_second_picture_and_the_next_does_not(sd, controlnets):
    loaded = load(ModelSettings(sd, controlnets=controlnets))
    plain = run(loaded, controlnets)
    taken = run(loaded, controlnets, source=reference())
    inside = edited().bool().expand_as(plain)
    assert (taken - plain)[inside].abs().max() > 1e-2
    assert torch.equal(taken[~inside], plain[~inside])
    assert torch.equal(run(loaded, controlnets, source=reference()), taken)
    assert not torch.equal(run(loaded, controlnets, source=reference(seed=2)), taken)
    assert torch.equal(run(loaded, controlnets), plain)


@pytest.mark.parity("P21")
def test_p21_each_setting_of_a_drag_counts(sd, controlnets):
    loaded = load(ModelSettings(sd, controlnets=controlnets))
    base = run(loaded, controlnets, source=reference())
    for name, value in {
        "position_scale": 1.0, "content_scale": 1.0, "fit": "stretch", "style_fidelity": 1.0,
        "frequency": 0.6, "attention": False, "adain": False, "attention_weight": 0.3,
        "groupnorm_weight": 0.3,
    }.items():  # fmt: skip
        found = run(loaded, controlnets, source=reference(), **{name: value})
        assert (found - base).abs().max() > 1e-4, name


@pytest.mark.parity("P18")
@pytest.mark.parametrize("guidance", [0.0, 1.0, 7.5])
def test_p18_any_guidance_one_step_and_the_whole_picture(sd_inpaint, guidance):
    loaded = load(ModelSettings(sd_inpaint))
    sampling = Sampling(steps=1, guidance=guidance, alignment=None)
    whole = torch.ones(1, 1, 8, 12)
    plain = run(loaded, sampling=sampling, mask=whole)
    taken = run(loaded, source=reference(), sampling=sampling, mask=whole)
    assert torch.isfinite(taken).all()
    assert not torch.equal(taken, plain)


@pytest.mark.parity("P18")
def test_p18_guess_mode_shows_controlnets_the_conditional_half_only(sd, controlnets):
    loaded = load(ModelSettings(sd, controlnets=controlnets))
    sampling = Sampling(steps=2, guess=True, alignment=None)
    plain = run(loaded, controlnets, sampling=sampling)
    taken = run(loaded, controlnets, source=reference(), sampling=sampling)
    assert torch.isfinite(taken).all()
    assert not torch.equal(taken, plain)


@pytest.mark.parity("P18")
def test_p18_half_precision(sd, controlnets):
    import copy

    pipe = copy.deepcopy(sd).to(torch.bfloat16)
    nets = [copy.deepcopy(net).to(torch.bfloat16) for net in controlnets]
    loaded = load(ModelSettings(pipe, controlnets=tuple(nets)))
    taken = run(loaded, nets, source=reference(), frequency=0.3, style_fidelity=0.5)
    assert torch.isfinite(taken).all()
    assert not torch.equal(taken, run(loaded, nets))
