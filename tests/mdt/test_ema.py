import numpy as np
import pytest
import torch

from mdt.ema import (
    Ema,
    classic_decay,
    combine,
    gamma_from_width,
    posthoc_weights,
    power_decay,
)


class Walk(torch.nn.Module):
    """One weight that a test moves."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))

    def at(self, step):
        with torch.no_grad():
            self.w.copy_(path(step))


def path(step):
    return torch.tensor([step, step**2, np.sin(step / 9)], dtype=torch.float64)


def averaged(width, end, start=1):
    """The power-function average by its definition: weights t^γ, discretised as β says."""
    total = path(start)
    for step in range(start, end + 1):
        total = torch.lerp(total, path(step), 1 - power_decay(step, width))
    return total


@pytest.mark.parametrize(("width", "gamma"), [(0.05, 16.97), (0.10, 6.94)])
def test_gamma_as_published(width, gamma):
    """Karras et al. 2024, section 3.1: γ 16.97 and 6.94."""
    assert gamma_from_width(width) == pytest.approx(gamma, abs=5e-3)
    g = gamma_from_width(width)
    assert ((g + 1) / ((g + 2) ** 2 * (g + 3))) ** 0.5 == pytest.approx(width, rel=1e-9)


@pytest.mark.parametrize("width", [0, -0.1, 0.3])
def test_a_width_out_of_range_is_refused(width):
    with pytest.raises(ValueError, match=r"up to 0\.28"):
        Ema(Walk(), [width])


def test_an_average_weighs_steps_by_their_power():
    """Against Σ t^γ·x_t / Σ t^γ, which the recursion approaches."""
    model, end = Walk(), 2000
    ema = Ema(model, [0.1], [0.9])
    for step in range(1, end + 1):
        model.at(step)
        ema.update(model, step)
    steps = np.arange(1, end + 1)
    weights = steps ** gamma_from_width(0.1)
    exact = sum(w * path(t).numpy() for w, t in zip(weights, steps, strict=True)) / weights.sum()
    np.testing.assert_allclose(ema.averages["power_0.1"]["w"][:2], exact[:2], rtol=2e-3)
    assert ema.names == ["power_0.1", "decay_0.9"]


def test_a_classic_average_starts_as_a_mean_and_forgets_the_first_weights():
    model = Walk()
    ema = Ema(model, [], [0.99])
    for step in range(1, 11):
        model.at(step)
        ema.update(model, step)
    assert float(ema.averages["decay_0.99"]["w"][0]) == pytest.approx(5.5)
    assert classic_decay(1, 0.9) == 0
    assert classic_decay(1000, 0.9) == 0.9


def test_another_width_from_snapshots():
    """Two averages, ten snapshots each: the rebuilt one is near the one that was not kept."""
    snapshots, known = [], []
    for width in (0.05, 0.10):
        for end in range(100, 1001, 100):
            snapshots.append({"w": averaged(width, end)})
            known.append((width, end))
    for wanted in ((0.07, 1000), (0.15, 1000), (0.08, 850)):
        weights = posthoc_weights(known, wanted)
        assert weights.sum() == pytest.approx(1)
        rebuilt = combine(snapshots, weights.tolist())["w"]
        exact = averaged(*wanted)
        torch.testing.assert_close(rebuilt[:2], exact[:2], rtol=5e-3, atol=0)


def test_halves_are_combined_in_float32():
    one, other = (torch.full((2,), value, dtype=torch.bfloat16) for value in (1.0, 1.0078125))
    mixed = combine([{"w": one}, {"w": other}], [0.5, 0.5])["w"]
    assert mixed.dtype == torch.float32
    assert mixed.tolist() == [1.00390625] * 2  # which bfloat16 does not have


def test_a_snapshot_rebuilds_itself():
    known = [(0.05, 500), (0.10, 500), (0.05, 1000), (0.10, 1000)]
    for i, one in enumerate(known):
        np.testing.assert_allclose(posthoc_weights(known, one), np.eye(4)[i], atol=1e-6)
