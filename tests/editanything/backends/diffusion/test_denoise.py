"""The loop of UNets: held to diffusers' own pipelines, and to its rules where they have none."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from editanything.backends.diffusion.denoise import Canvas, Sampling, Steering, denoise
from editanything.backends.diffusion.loading import load
from editanything.backends.diffusion.prompts import encode
from editanything.backends.diffusion.schedulers import SCHEDULERS, make_scheduler
from editanything.backends.diffusion.settings import ModelSettings
from editanything.errors import Cancelled, InputError

H = W = 64


def _noise(seed=7):
    return torch.randn(1, 4, H // 8, W // 8, generator=torch.Generator().manual_seed(seed))


def _mask():
    mask = torch.zeros(1, 1, H, W)
    mask[..., 16:48, 8:40] = 1
    return mask, F.interpolate(mask, size=(H // 8, W // 8))


def _picture():
    drawn = np.random.default_rng(3).uniform(0, 1, (1, 3, H, W))
    return torch.from_numpy(drawn).float()


def _latents(pipe, picture):
    with torch.no_grad():
        return pipe.vae.encode(2 * picture - 1).latent_dist.mode() * pipe.vae.config.scaling_factor


def _canvas(pipe, soft=None):
    _, small = _mask()
    return Canvas(_latents(pipe, _picture()), small if soft is None else soft)


def _run(pipe, sampling, *, canvas=None, steering=(), scheduler="ddim", **more):
    loaded = load(ModelSettings(pipe))
    words = encode(loaded, "a red dog", "low quality")
    made = make_scheduler(pipe.scheduler, scheduler)
    return denoise(
        loaded, made, words, sampling, _noise(), canvas=canvas, steering=steering, **more
    )


def _controls(seed=5):
    draw = np.random.default_rng(seed)
    regions = torch.from_numpy(draw.integers(0, 256, (1, 3, H, W))).float()
    holes = torch.from_numpy(draw.uniform(0, 1, (1, 3, H, W))).float()
    holes[..., 16:48, 8:40] = -1
    return regions, holes


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction"])  # v: Stable Diffusion 2.1
def test_text_to_picture_is_what_the_pipeline_makes(sd, own, predicts):
    pipe = own(sd)
    pipe.scheduler = pipe.scheduler.from_config(pipe.scheduler.config, prediction_type=predicts)
    truth = pipe(
        "a red dog", negative_prompt="low quality", num_inference_steps=4, guidance_scale=5.0,
        latents=_noise(), height=H, width=W, output_type="latent",
    ).images  # fmt: skip
    ours = _run(pipe, Sampling(steps=4, guidance=5.0))
    assert torch.allclose(ours, truth, atol=1e-5)


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_p08_inpainting_with_two_controlnets_is_what_the_pipeline_makes(
    sd, controlnets, strength, monkeypatch
):
    from diffusers import StableDiffusionControlNetInpaintPipeline

    pipe = StableDiffusionControlNetInpaintPipeline(
        **{**sd.components, "controlnet": list(controlnets)}, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    regions, holes = _controls()
    mask, _ = _mask()
    canvas = _canvas(sd)
    monkeypatch.setattr(pipe, "_encode_vae_image", lambda image, generator: canvas.source)
    monkeypatch.setattr(
        "diffusers.pipelines.controlnet.pipeline_controlnet_inpaint.randn_tensor",
        lambda *a, **k: _noise(),
    )
    truth = pipe(
        "a red dog", negative_prompt="low quality", image=_picture(), mask_image=mask,
        control_image=[regions, holes], controlnet_conditioning_scale=[0.5, 1.0],
        num_inference_steps=4, guidance_scale=5.0, height=H, width=W, output_type="latent",
        strength=strength,
    ).images  # fmt: skip
    steering = [
        Steering(controlnets[0], regions, 0.5),
        Steering(controlnets[1], holes, 1.0),
    ]
    sampling = Sampling(steps=4, guidance=5.0, strength=strength)
    ours = _run(sd, sampling, canvas=canvas, steering=steering)
    assert torch.allclose(ours, truth, atol=1e-5)
    without = _run(sd, sampling, canvas=canvas)
    assert not torch.allclose(ours, without, atol=1e-2)


@pytest.mark.parametrize("guess", [False, True])
def test_p07_p13_one_controlnet_and_guess_mode_are_what_the_pipeline_makes(sd, controlnets, guess):
    from diffusers import StableDiffusionControlNetPipeline

    pipe = StableDiffusionControlNetPipeline(
        **{**sd.components, "controlnet": controlnets[0]}, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    regions, _ = _controls()
    truth = pipe(
        "a red dog", negative_prompt="low quality", image=regions, latents=_noise(),
        controlnet_conditioning_scale=0.7, guess_mode=guess, num_inference_steps=3,
        guidance_scale=5.0, output_type="latent", control_guidance_end=0.7,
    ).images  # fmt: skip
    steering = [Steering(controlnets[0], regions, 0.7, end=0.7)]
    ours = _run(sd, Sampling(steps=3, guidance=5.0, guess=guess), steering=steering)
    assert torch.allclose(ours, truth, atol=1e-5)


def test_p09_an_inpainting_base_is_what_the_pipeline_makes(sd_inpaint, monkeypatch):
    mask, small = _mask()
    shown = _latents(sd_inpaint, _picture() * (mask < 0.5) + 0.5 * (mask >= 0.5))
    monkeypatch.setattr(sd_inpaint, "_encode_vae_image", lambda image, generator: shown)
    truth = sd_inpaint(
        "a red dog", negative_prompt="low quality", image=_picture(), mask_image=mask,
        num_inference_steps=4, guidance_scale=5.0, height=H, width=W, output_type="latent",
        latents=_noise(),
    ).images  # fmt: skip
    canvas = Canvas(shown, small, torch.cat([small, shown], dim=1))
    ours = _run(sd_inpaint, Sampling(steps=4, guidance=5.0, alignment=None), canvas=canvas)
    free = small.bool().expand_as(ours)
    assert torch.allclose(ours[free], truth[free], atol=1e-5)


def test_an_instructed_base_is_what_the_pipeline_makes(ip2p):
    truth = ip2p(
        "a red dog", negative_prompt="low quality", image=_picture(), num_inference_steps=4,
        guidance_scale=5.0, image_guidance_scale=1.4, latents=_noise(), output_type="latent",
    ).images  # fmt: skip
    source = _latents(ip2p, _picture())
    unscaled = source / ip2p.vae.config.scaling_factor
    canvas = Canvas(source, _mask()[1], unscaled)
    ours = _run(ip2p, Sampling(steps=4, guidance=5.0, image_guidance=1.4), canvas=canvas)
    assert torch.allclose(ours, truth, atol=1e-4)


def test_sdxl_is_what_the_pipeline_makes(sdxl):
    truth = sdxl(
        "a red dog", negative_prompt="low quality", num_inference_steps=3, guidance_scale=5.0,
        latents=_noise(), height=H, width=W, output_type="latent",
    ).images  # fmt: skip
    loaded = load(ModelSettings(sdxl))
    words = encode(loaded, "a red dog", "low quality")
    added = {
        "text_embeds": torch.cat([words.pooled_negative, words.pooled]),
        "time_ids": torch.tensor([[H, W, 0, 0, H, W]] * 2).float(),
    }
    made = make_scheduler(sdxl.scheduler, "default")
    ours = denoise(loaded, made, words, Sampling(steps=3, guidance=5.0), _noise(), added=added)
    assert torch.allclose(ours, truth, atol=1e-4)


def test_p12_a_strength_for_each_pixel(sd, controlnets):
    regions, _ = _controls()
    scale = torch.linspace(0, 1, W).repeat(H, 1)
    seen = {}

    def listen(net, args, out):
        seen["down"], seen["middle"] = out

    def check(net, args, kwargs):
        parts = [
            *kwargs["down_block_additional_residuals"],
            kwargs["mid_block_additional_residual"],
        ]
        whole = [*seen["down"], seen["middle"]]
        for part, residual in zip(parts, whole, strict=True):
            h, w = residual.shape[-2:]
            # Bilinear with aligned corners of a ramp is the ramp.
            ramp = torch.linspace(0, 1, w).repeat(h, 1)
            assert torch.allclose(part, residual * ramp, atol=1e-5)
        seen["checked"] = True

    hooks = [
        controlnets[0].register_forward_hook(listen),
        sd.unet.register_forward_pre_hook(check, with_kwargs=True),
    ]
    try:
        _run(sd, Sampling(steps=1), steering=[Steering(controlnets[0], regions, scale)])
    finally:
        for hook in hooks:
            hook.remove()
    assert seen["checked"]
    sampling = Sampling(steps=2)
    same = _run(sd, sampling, steering=[Steering(controlnets[0], regions, torch.full((H, W), 0.6))])
    number = _run(sd, sampling, steering=[Steering(controlnets[0], regions, 0.6)])
    assert torch.allclose(same, number, atol=1e-5)
    none = _run(sd, sampling, steering=[Steering(controlnets[0], regions, torch.zeros(H, W))])
    assert torch.allclose(none, _run(sd, sampling), atol=1e-6)


@pytest.mark.parametrize("alignment", [0.0, 0.3, 0.95, 1.0, None])
def test_p10_alignment_holds_on_for_its_share_of_the_steps(sd, alignment):
    steps, canvas, noise = 5, _canvas(sd), _noise()
    kept = []
    scheduler = make_scheduler(sd.scheduler, "ddim")
    whole = scheduler.step
    outside = canvas.mask.expand(1, 4, -1, -1) < 0.5

    def watch(out, t, x, **kw):
        kept.append(x[outside])
        return whole(out, t, x, **kw)

    scheduler.step = watch
    loaded = load(ModelSettings(sd))
    words = encode(loaded, "a red dog")
    sampling = Sampling(steps=steps, alignment=alignment)
    end = denoise(loaded, scheduler, words, sampling, noise, canvas=canvas)
    times = scheduler.timesteps
    for i in range(steps):
        final = i == steps - 1
        known = (
            canvas.source
            if final
            else scheduler.add_noise(canvas.source, noise, times[i + 1 :][:1])
        )
        now = end[outside] if final else kept[i + 1]
        held = torch.allclose(now, known[outside], atol=1e-5)
        wanted = alignment is not None and i < alignment * steps
        assert held == (wanted or (final and alignment in (None, 1.0))), (i, alignment)


def test_p11_mixing_exactly(sd):
    canvas, noise, mix = _canvas(sd), _noise(), 0.3
    scheduler = make_scheduler(sd.scheduler, "ddim")
    inside = canvas.mask.expand(1, 4, -1, -1) >= 0.5
    whole, steps = scheduler.step, []

    def watch(out, t, x, **kw):
        made = whole(out, t, x, **kw)
        steps.append((x, made[0]))
        return made

    scheduler.step = watch
    loaded = load(ModelSettings(sd))
    words = encode(loaded, "a red dog")
    sampling = Sampling(steps=3, alignment=0.0, mix=mix)
    end = denoise(loaded, scheduler, words, sampling, noise, canvas=canvas)
    times = scheduler.timesteps
    first = scheduler.add_noise(canvas.source, noise, times[:1])
    assert torch.allclose(steps[0][0][~inside], first[~inside], atol=1e-6)
    assert torch.allclose(steps[0][0][inside], noise[inside], atol=1e-6)
    afters = [x for x, _ in steps[1:]] + [end]
    for i, ((_, made), after) in enumerate(zip(steps, afters, strict=True)):
        known = (
            canvas.source
            if i == 2
            else scheduler.add_noise(canvas.source, noise, times[i + 1 :][:1])
        )
        truth = torch.where(inside, (1 - mix) * made + mix * known, made)
        assert torch.allclose(after, truth, atol=1e-5)
    full = _run(sd, Sampling(steps=3, alignment=1.0, mix=1.0), canvas=canvas)
    assert torch.allclose(full, canvas.source, atol=1e-5)


def test_a_soft_mask_lets_pixels_free_one_after_the_other(sd):
    ramp = torch.linspace(0, 1, 8).repeat(8, 1)[None, None]
    canvas = _canvas(sd, ramp)
    steps = 20
    soft = (_run(sd, Sampling(steps=steps), canvas=canvas) - canvas.source).abs().mean((0, 1, 2))
    hard = _run(sd, Sampling(steps=steps, soft=False), canvas=canvas)
    plain = (hard - canvas.source).abs().mean((0, 1, 2))
    assert soft[0] < 1e-5
    assert (soft[1:-1] > plain[1:-1]).all()
    assert soft[-1] == pytest.approx(plain[-1], rel=0.5)
    assert soft[6] > soft[1]


@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS))
@pytest.mark.parametrize("steps", [1, 4])
def test_few_steps_never_crash_whatever_the_scheduler(sd, scheduler, steps):
    sampling = Sampling(steps=steps, guidance=1)
    draw = torch.Generator().manual_seed(0)
    out = _run(sd, sampling, canvas=_canvas(sd), scheduler=scheduler, generator=draw)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("alignment", [0.95, 1.0])
def test_p10_alignment_never_crashes_with_few_steps_or_many(sd, alignment):
    for steps in (1, 2, 3, 5, 10, 19, 20, 21, 50):
        sampling = Sampling(steps=steps, guidance=1, alignment=alignment)
        out = _run(sd, sampling, canvas=_canvas(sd), scheduler="unipc")
        assert torch.isfinite(out).all()


def test_progress_is_real_and_cancels_within_a_step(sd):
    heard = []
    _run(sd, Sampling(steps=4), progress=lambda share, what: heard.append(share))
    assert heard == pytest.approx([0.25, 0.5, 0.75, 1.0])
    heard.clear()
    with pytest.raises(Cancelled):
        _run(sd, Sampling(steps=4), progress=lambda share, what: heard.append(share) or share < 0.5)
    assert len(heard) == 2


def test_a_network_that_asks_for_more_is_told(sd_inpaint):
    with pytest.raises(InputError, match="9 channels"):
        _run(sd_inpaint, Sampling(steps=1), canvas=_canvas(sd_inpaint))


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"steps": 2.5}, {"guidance": -1}, {"alignment": 1.5}, {"strength": 0}]
)
def test_settings_check_themselves(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Sampling(**wrong)
