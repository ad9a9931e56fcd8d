import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.diffusion import SAMPLERS, denoiser, draw_noise, find_sampler, guided, make_generators
from mdt.diffusion.prediction import Denoised
from mdt.diffusion.samplers import between, ddim, ddpm, dpmpp_2m, euler, heun, unipc
from mdt.diffusion.schedule import Flow, Karras, Level, cosine, linear

X = torch.linspace(-2, 2, 9, dtype=torch.float64).view(1, 1, 3, 3)


def settings_of(name, seed=0, batch=1):
    draws = name in ("ddpm", "ddim_half")
    return {"generator": make_generators(range(seed, seed + batch))} if draws else {}


def measured_order(gaussian, sampler, make_levels, num_steps=64):
    """log2 of how much the error falls when the steps are halved."""
    errors = []
    for n in (num_steps, 2 * num_steps):
        levels = make_levels(n)
        out = sampler(gaussian.denoise, X, levels)
        errors.append(float((out - gaussian.flow(X, levels[0], levels[-1])).abs().max()))
    return math.log2(errors[0] / errors[1])


ORDERS = [
    (euler, 0.95, 1.05),
    (ddim, 0.95, 1.05),
    (heun, 1.9, 2.1),
    (lambda *a: heun(*a, frame="edm"), 1.9, 2.15),
    (dpmpp_2m, 1.9, 2.15),
    (lambda *a: unipc(*a, order=1), 1.9, 2.1),  # the corrector adds one
    (unipc, 2.8, 3.2),
    (lambda *a: unipc(*a, order=3), 3.6, 4.3),
]


@pytest.mark.parametrize(("sampler", "low", "high"), ORDERS)
def test_order_of_accuracy(gaussian, sampler, low, high):
    """On EDM's levels, whose last step (noise 0.002 to 0) is short."""
    order = measured_order(gaussian, sampler, lambda n: Karras().levels(n)[:-1])
    assert low <= order <= high


@pytest.mark.parametrize(
    ("sampler", "low", "high"), [(euler, 0.95, 1.05), (heun, 1.9, 2.1), (dpmpp_2m, 1.9, 2.15)]
)
def test_order_on_the_published_chain(gaussian, sampler, low, high):
    order = measured_order(gaussian, sampler, lambda n: linear().levels(n, "log_snr")[:-1], 32)
    assert low <= order <= high


@pytest.mark.parametrize(("sampler", "low"), [(euler, 0.95), (heun, 1.9), (unipc, 1.9)])
def test_order_from_pure_noise_to_none(gaussian, sampler, low):
    assert measured_order(gaussian, sampler, Flow().levels) >= low


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("schedule", [linear(), cosine(), Flow(), Karras()])
def test_every_sampler_on_every_schedule(gaussian, name, schedule):
    """Both ends are infinite in log(α/σ) for some; 100 steps land near the truth everywhere."""
    levels = schedule.levels(100)
    if name != "ddpm":
        out = SAMPLERS[name](gaussian.denoise, X, levels)
        error = (out - gaussian.flow(X, levels[0], levels[-1])).abs().max()
        assert float(error) < 0.03
        return
    x = torch.randn(1, 1, 100, 100, generator=torch.Generator().manual_seed(1))
    out = ddpm(gaussian.denoise, x, levels, generator=torch.Generator().manual_seed(2))
    assert float(out.mean()) == pytest.approx(gaussian.mean, abs=0.03)
    assert float(out.std()) == pytest.approx(gaussian.std, abs=0.04)


angles = st.floats(0.05, 1.5)


@settings(max_examples=60, deadline=None)
@given(angles, angles, st.floats(0.5, 2), st.floats(-2, 2), st.floats(-2, 2))
def test_between_is_bayes(first, second, length, x0, x):
    """q(x_s | x_t, x0) by multiplying the two normals q(x_t | x_s) and q(x_s | x0)."""
    low, high = sorted((first, second))
    if high - low < 1e-3:
        return
    there, here = Level(0, math.cos(low), math.sin(low)), Level(1, math.cos(high), math.sin(high))
    here = Level(1, length * here.alpha, length * here.sigma)
    step = between(here, there)
    scale = here.alpha / there.alpha
    forward = here.sigma**2 - (scale * there.sigma) ** 2
    assert step.scale == pytest.approx(scale)
    assert step.forward_variance == pytest.approx(forward, rel=1e-6)
    precision = scale**2 / forward + 1 / there.sigma**2
    mean = (scale * x / forward + there.alpha * x0 / there.sigma**2) / precision
    assert step.variance == pytest.approx(1 / precision, rel=1e-6)
    assert step.keep * x + step.add * x0 == pytest.approx(mean, rel=1e-6, abs=1e-6)


def test_between_is_ddpm_on_its_chain():
    schedule = linear()
    t = 400
    step = between(schedule.level(t), schedule.level(t - 1))
    bar, before = schedule.alphas_cumprod[t], schedule.alphas_cumprod[t - 1]
    beta = float(schedule.betas[t])
    assert step.forward_variance == pytest.approx(beta)
    assert math.log(step.variance) == pytest.approx(float(schedule.posterior_log_variance[t]))
    assert step.add == pytest.approx(float(before.sqrt() * beta / (1 - bar)))
    assert step.keep == pytest.approx(float(math.sqrt(1 - beta) * (1 - before) / (1 - bar)))


def test_ddim_with_all_noise_is_ddpm(gaussian):
    levels, x = linear().levels(17), X.float()
    one = ddpm(gaussian.denoise, x, levels, generator=torch.Generator().manual_seed(5))
    other = ddim(gaussian.denoise, x, levels, eta=1.0, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_ddpm_variances(gaussian):
    """-1 and 1 of a learned variance are the small and the large fixed one."""
    levels, x = linear().levels(9), X.float()

    def learned(value):
        def denoise(x, level):
            return Denoised(gaussian.denoise(x, level).x0, torch.full_like(x, value))

        return denoise

    def run(denoise, **more):
        return ddpm(denoise, x, levels, generator=torch.Generator().manual_seed(0), **more)

    small, large = run(gaussian.denoise), run(gaussian.denoise, variance="large")
    torch.testing.assert_close(run(learned(-1.0)), small, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(run(learned(1.0)), large, rtol=1e-4, atol=1e-5)
    assert float((small - large).abs().max()) > 0.1


@pytest.mark.parametrize("name", [*SAMPLERS, "ddim_half"])
def test_picture_seven_does_not_depend_on_the_batch(gaussian, name):
    def run(seeds):
        x = draw_noise((len(seeds), 3, 8, 8), make_generators(seeds))
        levels, more = linear().levels(6), {}
        if name in ("ddpm", "ddim_half"):
            more["generator"] = make_generators(1000 + s for s in seeds)
        if name == "ddim_half":
            return ddim(gaussian.denoise, x, levels, eta=0.5, **more)
        return SAMPLERS[name](gaussian.denoise, x, levels, **more)

    many, alone = run(range(10)), run([7])
    assert torch.equal(many[7], alone[0])
    assert not torch.equal(many[6], alone[0])
    assert torch.equal(many, run(range(10)))


def test_picture_seven_with_a_network(tiny):
    model = tiny()
    seeds = list(range(8))

    def run(seeds):
        x = draw_noise((len(seeds), 4, 8, 8), make_generators(seeds))
        label = torch.tensor([s % 5 for s in seeds])
        denoise = denoiser(guided(model, label, 2.0))
        return ddpm(denoise, x, linear().levels(4), generator=make_generators(seeds))

    many, alone = run(seeds), run([7])
    scale = float(many.abs().max())
    assert float((many[7] - alone[0]).abs().max()) < 1e-4 * scale


def test_callback_and_progress(gaussian):
    seen, wrapped = [], []

    def progress(steps):
        wrapped.extend(steps)
        return wrapped

    for name, sampler in SAMPLERS.items():
        seen.clear()
        wrapped.clear()
        out = sampler(
            gaussian.denoise,
            X,
            linear().levels(5),
            callback=seen.append,
            progress=progress,
            **settings_of(name),
        )
        assert [(step.done, step.num_steps) for step in seen] == [(i, 5) for i in range(1, 6)]
        assert wrapped == [0, 1, 2, 3, 4]
        assert torch.equal(seen[-1].x, out)
        assert seen[-1].level.sigma == 0
        assert seen[0].x0.shape == X.shape


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_callers_noise_is_left_alone(gaussian, name):
    x = X.clone()
    SAMPLERS[name](gaussian.denoise, x, Karras().levels(4), **settings_of(name))
    assert torch.equal(x, X)


@pytest.mark.parametrize("name", SAMPLERS)
def test_evaluations(gaussian, name):
    calls = []

    def counting(x, level):
        calls.append(level)
        return gaussian.denoise(x, level)

    SAMPLERS[name](counting, X, linear().levels(8), **settings_of(name))
    assert len(calls) == (15 if name == "heun" else 8)
    assert all(level.sigma > 0 for level in calls)


def test_noise_is_drawn_per_picture():
    noise = draw_noise((3, 2, 4, 4), make_generators([5, 6, 7]))
    assert torch.equal(noise[1], draw_noise((1, 2, 4, 4), make_generators([6]))[0])
    half = draw_noise((3, 2, 4, 4), make_generators([5, 6, 7]), dtype=torch.bfloat16)
    assert torch.equal(half, noise.bfloat16())


@pytest.mark.parametrize(
    ("name", "meant"),
    [("dpm++2m", "dpmpp_2m"), ("DDIMM", "ddim"), ("uni-pc", "unipc"), ("Heuns", "heun")],
)
def test_unknown_samplers(name, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        find_sampler(name)


def test_known_samplers():
    assert find_sampler("unipc") is unipc


LEVELS = [Level(1, 0.5, 0.8), Level(0, 1.0, 0.0)]


@pytest.mark.parametrize(
    ("sampler", "levels", "more", "words"),
    [
        (euler, LEVELS[:1], {}, "two levels"),
        (euler, LEVELS[::-1], {}, "must fall"),
        (dpmpp_2m, [LEVELS[0], LEVELS[0]], {}, "must fall"),
        (ddpm, [Level(1, 0.1, 1.0), *LEVELS], {}, "give generator="),
        (ddpm, LEVELS, {"variance": "big"}, "'small' or 'large'"),
        (ddim, LEVELS, {"eta": 1.5}, "eta lies"),
        (ddim, [Level(1, 0.1, 1.0), *LEVELS], {"eta": 0.5}, "give generator="),
        (heun, LEVELS, {"frame": "rk4"}, "frame is"),
        (heun, [Level(1, 0.0, 1.0), *LEVELS], {"frame": "edm"}, "pure noise"),
        (unipc, LEVELS, {"order": 5}, "1, 2 or 3"),
    ],
)
def test_bad_input(gaussian, sampler, levels, more, words):
    with pytest.raises(ValueError, match=words):
        sampler(gaussian.denoise, X, levels, **more)


def test_wrong_number_of_generators():
    with pytest.raises(ValueError, match="3 pictures and 2 generators"):
        draw_noise((3, 1, 2, 2), make_generators([1, 2]))
