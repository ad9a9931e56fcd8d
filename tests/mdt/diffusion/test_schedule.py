import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.diffusion import make_schedule
from mdt.diffusion.schedule import (
    SCHEDULES,
    SPACINGS,
    Discrete,
    Flow,
    Karras,
    cosine,
    karras_sigmas,
    linear,
    respace,
)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("num_steps", [1, 2, 7, 50])
def test_levels_fall_to_no_noise(name, num_steps):
    levels = make_schedule(name).levels(num_steps)
    assert len(levels) == num_steps + 1
    assert (levels[-1].alpha, levels[-1].sigma) == (1.0, 0.0)
    halves = [level.log_snr_half for level in levels]
    assert all(a < b for a, b in pairwise(halves))
    assert levels[0].log_snr_half < -2.5  # nearly pure noise


@pytest.mark.parametrize("name", SCHEDULES)
def test_training_and_sampling_agree_on_every_level(name):
    schedule = make_schedule(name)
    levels = schedule.levels(20)[:-1]
    times = torch.tensor([level.t for level in levels], dtype=torch.float64)
    alpha, sigma = schedule.at(times)
    expected = torch.tensor([(level.alpha, level.sigma) for level in levels], dtype=torch.float64)
    torch.testing.assert_close(torch.stack([alpha, sigma], dim=1), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_times_grow_with_noise(name):
    schedule = make_schedule(name)
    u = torch.linspace(0, 0.999, 33, dtype=torch.float64)
    alpha, sigma = schedule.at(schedule.time_from(u))
    ratio = sigma / alpha
    assert bool((ratio.diff() > 0).all())


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("num_steps", [1, 10, 33])
def test_spacings(spacing, num_steps):
    levels = linear().levels(num_steps, spacing)
    times = [level.t for level in levels[:-1]]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == num_steps
    assert 0 <= times[-1] <= times[0] <= 999
    if spacing != "leading" and num_steps > 1:
        assert times[0] == pytest.approx(999)
    if spacing in ("karras", "log_snr", "respaced") and num_steps > 1:
        assert times[-1] == pytest.approx(0, abs=1e-9)


def test_log_snr_spacing_is_even():
    halves = [level.log_snr_half for level in linear().levels(12, "log_snr")[:-1]]
    gaps = [b - a for a, b in pairwise(halves)]
    assert max(gaps) - min(gaps) < 1e-9


def test_karras_sigmas():
    """Equation 5 written out, and its ends."""
    sigmas = karras_sigmas(3)
    middle = ((80 ** (1 / 7) + 0.002 ** (1 / 7)) / 2) ** 7
    assert sigmas == pytest.approx([80, middle, 0.002])
    level = Karras().levels(3)[0]
    assert level.sigma / level.alpha == pytest.approx(80)
    assert level.t == pytest.approx(math.log(80) / 4)


def test_karras_draws_edms_noise():
    s = Karras().time_from(torch.rand(20000, generator=torch.Generator().manual_seed(0)))
    log = 4 * s.double()
    assert float(log.mean()) == pytest.approx(-1.2, abs=0.03)
    assert float(log.std()) == pytest.approx(1.2, abs=0.03)


def test_flow_shift():
    """Equation 23: α = 3 sends the middle to 3/4."""
    level = Flow(shift=3.0).levels(2)[1]
    assert (level.alpha, level.sigma, level.t) == (0.25, 0.75, 750.0)


def test_cosine_is_the_cosine():
    schedule = cosine(1000)
    t = torch.tensor([0, 300, 700])
    angle = ((t + 1) / 1000 + 0.008) / 1.008 * math.pi / 2
    start = math.cos(0.008 / 1.008 * math.pi / 2)
    expected = (torch.cos(angle.double()) / start) ** 2
    torch.testing.assert_close(schedule.alphas_cumprod[t], expected, rtol=1e-6, atol=0)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 1200), st.data())
def test_respace_is_even(num_times, data):
    count = data.draw(st.integers(2, num_times))
    times = respace(num_times, count)
    assert (len(times), times[0], times[-1]) == (count, 0, num_times - 1)
    gaps = {b - a for a, b in pairwise(times)}
    assert min(gaps) >= 1
    assert max(gaps) - min(gaps) <= 1


def test_respace_by_sections():
    assert respace(10, "2,3") == [0, 4, 5, 7, 9]
    assert respace(10, [1, 1]) == [0, 5]
    assert respace(11, "6,5") == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    levels = linear().levels(30, "10,20")
    assert len(levels) == 31


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_schedule("cosin"), "did you mean 'cosine'"),
        (lambda: make_schedule("linear", steps=5), "Schedule linear"),
        (lambda: linear().levels(10, "kerras"), "did you mean 'karras'"),
        (lambda: linear().levels(10, "ddim50"), "makes 50 steps"),
        (lambda: linear().levels(0), "1 step or more"),
        (lambda: linear().levels(1001), "1001 steps"),
        (lambda: linear().levels(1001, "leading"), "do not fit"),
        (lambda: linear().levels(1001, "trailing"), "do not fit"),
        (lambda: Flow().levels(0), "1 step or more"),
        (lambda: Flow(shift=0), "shift"),
        (lambda: Karras(sigma_min=3, sigma_max=2), "sigma_min < sigma_max"),
        (lambda: respace(1000, "ddim300"), "No whole stride"),
        (lambda: respace(1000, "fast"), "whole numbers"),
        (lambda: Discrete([0.5]), "two βs"),
        (lambda: Discrete([0.5, 1.5]), "between 0 and 1"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
