import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.diffusion import denoiser
from mdt.diffusion.prediction import (
    PREDICTIONS,
    convert,
    learned_log_variance,
    min_snr_weight,
    split_variance,
    target,
    to_eps,
    to_x0,
)
from mdt.diffusion.schedule import Level

KINDS = sorted(PREDICTIONS)
kinds = st.sampled_from(KINDS)
# Angles of (α, σ) and a length: variance-preserving, straight and other paths.
angles = st.floats(0.02, 1.55)
lengths = st.floats(0.3, 3.0)


def pair(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 2, 4, 4, generator=generator, dtype=torch.float64)


def level_of(angle, length):
    alpha = torch.tensor([length, 1.0], dtype=torch.float64) * torch.cos(torch.tensor(angle))
    sigma = torch.tensor([length, 1.0], dtype=torch.float64) * torch.sin(torch.tensor(angle))
    return alpha, sigma


def noisy(x0, eps, alpha, sigma):
    return alpha.view(-1, 1, 1, 1) * x0 + sigma.view(-1, 1, 1, 1) * eps


@settings(max_examples=60, deadline=None)
@given(kinds, kinds, angles, lengths, st.integers(0, 99))
def test_conversions_go_there_and_back(source, to, angle, length, seed):
    x0, eps = pair(seed)[:, :2]
    alpha, sigma = level_of(angle, length)
    x = noisy(x0, eps, alpha, sigma)
    out = target(x0, eps, alpha, sigma, source)
    other = convert(out, x, alpha, sigma, source, to)
    torch.testing.assert_close(other, target(x0, eps, alpha, sigma, to), rtol=1e-8, atol=1e-8)
    back = convert(other, x, alpha, sigma, to, source)
    torch.testing.assert_close(back, out, rtol=1e-7, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(kinds, angles, lengths, st.integers(0, 99))
def test_any_output_stands_for_one_picture_and_noise(kind, angle, length, seed):
    """Whatever comes out, α·x0 + σ·ε is x again: samplers may use either."""
    out, x = pair(seed)[:, :2]
    alpha, sigma = level_of(angle, length)
    x0, eps = to_x0(out, x, alpha, sigma, kind), to_eps(out, x, alpha, sigma, kind)
    again = noisy(x0, eps, alpha, sigma)
    torch.testing.assert_close(again, x, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(kinds, angles, st.floats(0.5, 20))
def test_min_snr_weighs_every_prediction_alike(kind, angle, gamma):
    """The same mistake in x0 costs min(SNR, γ) whatever the network predicts."""
    alpha, sigma = level_of(angle, 1.3)
    x0, eps = pair(0)[:, :2]
    x, mistake = noisy(x0, eps, alpha, sigma), 0.1
    wrong = convert(x0 + mistake, x, alpha, sigma, "x0", kind)
    error = (wrong - target(x0, eps, alpha, sigma, kind)).square().flatten(1).mean(1)
    loss = min_snr_weight(alpha, sigma, kind, gamma) * error
    expected = mistake**2 * ((alpha / sigma) ** 2).clamp(max=gamma)
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)


def test_numbers_and_tensors_agree():
    out, x = pair(1)[:, :2]
    for kind in KINDS:
        one = to_x0(out, x, 0.6, 0.8, kind)
        many = to_x0(out, x, torch.full((2,), 0.6), torch.full((2,), 0.8), kind)
        torch.testing.assert_close(one, many, rtol=1e-6, atol=1e-6)
        weight = min_snr_weight(0.6, 0.8, kind, 5.0)
        both = (
            torch.full((2,), 0.6, dtype=torch.float64),
            torch.full((2,), 0.8, dtype=torch.float64),
        )
        assert float(min_snr_weight(*both, kind, 5.0)[0]) == pytest.approx(weight)


def test_pure_noise_of_the_straight_path():
    """At α = 0 a flow or v still tells the picture."""
    x0, eps = pair(2)[:, :2]
    for kind in ("flow", "v", "x0"):
        out = target(x0, eps, 0.0, 1.0, kind)
        torch.testing.assert_close(to_x0(out, eps, 0.0, 1.0, kind), x0)


def test_learned_range():
    variance = torch.tensor([-1.0, 0.0, 1.0, 3.0]).view(1, 4, 1, 1)
    between = learned_log_variance(variance, -4.0, -2.0).flatten()
    assert between.tolist() == [-4, -3, -2, 0]


def test_denoiser_splits_clips_and_tells_the_time():
    told = []

    def model(x, t):
        told.append(t)
        return torch.cat([x, 0 * x + 0.25], dim=1)

    x = pair(3)[0]
    level = Level(37.0, 0.6, 0.8)
    guess = denoiser(model, "x0", clip=0.5)(x, level)
    assert torch.equal(guess.x0, x.clamp(-0.5, 0.5))
    assert torch.equal(guess.variance, torch.full_like(x, 0.25))
    assert told[0].tolist() == [37.0] * 3
    plain = denoiser(lambda x, t: x / 2, "eps")(x, level)
    torch.testing.assert_close(plain.x0, (x - 0.8 * x / 2) / 0.6)
    assert plain.variance is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: denoiser(torch.sin, "epsilon"), "did you mean 'eps'"),
        (lambda: denoiser(torch.sin, "zzz"), "there are: eps, x0, v, flow"),
        (lambda: denoiser(torch.sin, "eps", clip=0.0), "clip"),
        (lambda: split_variance(torch.zeros(1, 5, 2, 2), 4), "puts out 4, or 8"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
