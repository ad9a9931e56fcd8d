import math

import pytest
import torch

from mdt.diffusion import make_objective
from mdt.diffusion.objective import (
    OBJECTIVES,
    Objective,
    denoising_terms,
    eight_bit_log_likelihood,
    noised,
    variational_bound,
)
from mdt.diffusion.schedule import Flow, linear
from mdt.diffusion.times import TIMES, logit_normal_times
from mdt.draws import StepGenerators
from mdt.models import DiT, UViT
from mdt.optim import Adan


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(batch=4, seed=0):
    return torch.randn(batch, 4, 8, 8, generator=generator(seed))


LABEL = torch.tensor([0, 1, 2, 3])


class Recorder(torch.nn.Module):
    """Notes what the network was asked."""

    def __init__(self, model):
        super().__init__()
        self.module, self.calls = model, []

    def forward(self, x, t, label, kept=None):
        self.calls.append((x, t, label, kept))
        return self.module(x, t, label, kept=kept)


def test_two_passes_as_published(tiny):
    model = Recorder(tiny())
    make_objective("mdtv2", label_drop=0.5).terms(model, pictures(), LABEL, generator=generator())
    (x1, t1, label1, kept1), (x2, t2, label2, kept2) = model.calls
    assert torch.equal(t1, t2)
    assert not torch.equal(x1, x2)  # other noise
    assert not torch.equal(label1, label2)  # other dropped labels
    assert kept1 is None
    assert kept2.shape[0] == 4 and 16 * 0.5 <= kept2.shape[1] <= 16 * 0.7


def test_shared_passes(tiny):
    model = Recorder(tiny())
    objective = make_objective("mdtv2", label_drop=0.5, shared=True)
    objective.terms(model, pictures(), LABEL, generator=generator())
    (x1, t1, label1, _), (x2, t2, label2, _) = model.calls
    assert torch.equal(x1, x2) and torch.equal(t1, t2) and torch.equal(label1, label2)


def test_terms_add_up(tiny):
    objective = make_objective("mdtv2", masked_weight=0.5)
    model, x0 = tiny(), pictures()
    terms = objective.terms(model, x0, LABEL, generator=generator())
    parts = list(objective.passes(model, x0, LABEL, generator=generator()))
    assert set(terms) == {"loss", "mse", "vb", "masked_loss", "masked_mse", "masked_vb"}
    assert all(value.shape == (4,) for value in terms.values())
    torch.testing.assert_close(terms["loss"], sum(part["loss"] for part in parts))
    torch.testing.assert_close(
        terms["loss"], terms["mse"] + terms["vb"] + terms["masked_mse"] + terms["masked_vb"]
    )
    double = make_objective("mdtv2", masked_weight=1.0)
    full = double.terms(model, x0, LABEL, generator=generator())
    torch.testing.assert_close(full["masked_mse"], 2 * terms["masked_mse"])


def test_backward_by_pass_is_backward_of_the_sum(tiny):
    objective, x0 = make_objective("mdtv2"), pictures()
    grads = []
    for by_pass in (False, True):
        model = tiny()
        if by_pass:
            for part in objective.passes(model, x0, LABEL, generator=generator()):
                part["loss"].mean().backward()
        else:
            objective.terms(model, x0, LABEL, generator=generator())["loss"].mean().backward()
        grads.append(
            torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        )
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_right_answer_costs_nothing(name):
    """A network that knows the noise has no squared error, and the flow's target is ε - x0."""
    objective = make_objective(name)
    x0, noise = pictures(seed=1), pictures(seed=2)
    t = objective.schedule.time_from(torch.tensor([0.1, 0.4, 0.6, 0.9], dtype=torch.float64))
    answer = noise - x0 if objective.prediction == "flow" else noise
    terms = denoising_terms(
        answer,
        x0,
        t,
        noise,
        schedule=objective.schedule,
        prediction=objective.prediction,
        min_snr=objective.min_snr,
    )
    assert terms["mse"].tolist() == [0, 0, 0, 0]


def test_bound_is_the_divergence_of_two_normals():
    """Against torch's own KL, with β and β̃ from their definitions."""
    schedule, t = linear(), torch.tensor([1, 400, 999])
    x0, noise, guess = (pictures(3, seed).double() for seed in (1, 2, 3))
    variance = pictures(3, 4).double().clamp(-1, 1)
    x = noised(x0, noise, *schedule.at(t))
    bound = variational_bound(x0, x, guess, variance, t, schedule)
    bar, before = schedule.alphas_cumprod[t], schedule.alphas_cumprod[t - 1]
    bar, before, beta = (v.view(-1, 1, 1, 1) for v in (bar, before, schedule.betas[t]))
    small = beta * (1 - before) / (1 - bar)

    def mean(clean):
        add, keep = before.sqrt() * beta / (1 - bar), (1 - beta).sqrt() * (1 - before) / (1 - bar)
        return add * clean + keep * x

    share = (variance + 1) / 2
    spread = torch.exp(0.5 * (share * beta.log() + (1 - share) * small.log()))
    truth = torch.distributions.Normal(mean(x0), small.sqrt())
    model = torch.distributions.Normal(mean(guess), spread)
    expected = torch.distributions.kl_divergence(truth, model).flatten(1).mean(1) / math.log(2)
    torch.testing.assert_close(bound, expected, rtol=1e-6, atol=1e-9)


def test_first_step_is_the_likelihood_of_eight_bits():
    """The 256 values that a pixel can have share all the probability."""
    values = torch.arange(256, dtype=torch.float64) / 127.5 - 1
    mean, log_std = torch.full((256,), 0.2), torch.full((256,), -1.0)
    total = eight_bit_log_likelihood(values, mean.double(), log_std.double()).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-6)
    schedule, t = linear(), torch.tensor([0])
    x0 = (torch.arange(64).view(1, 1, 8, 8) * 4 / 127.5 - 1).double()
    x, variance = x0 + 0.01, torch.zeros_like(x0)
    bound = variational_bound(x0, x, x0, variance, t, schedule)
    log_std = 0.25 * (schedule.log_betas[0] + schedule.posterior_log_variance[0])
    expected = -eight_bit_log_likelihood(x0, x0, log_std.expand_as(x0)).mean() / math.log(2)
    assert float(bound) == pytest.approx(float(expected))


def test_only_the_variance_learns_from_the_bound():
    out = pictures(4, 5).repeat(1, 2, 1, 1).requires_grad_()
    noise, t = pictures(seed=1), torch.tensor([9, 99, 500, 900])
    terms = denoising_terms(out, pictures(), t, noise, schedule=linear())
    (grad,) = torch.autograd.grad(terms["loss"].sum(), out)
    assert float(grad[:, 4:].abs().max()) > 0
    # ε's share is the squared error's alone, a mean over 256 values.
    torch.testing.assert_close(grad[:, :4], 2 * (out[:, :4] - noise).detach() / 256)
    assert not terms["mse"].requires_grad and not terms["vb"].requires_grad


@pytest.mark.parametrize("name", TIMES)
def test_times(name):
    u = TIMES[name](4000, generator())
    assert u.shape == (4000,) and float(u.min()) >= 0 and float(u.max()) < 1
    assert float(u.mean()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(u, TIMES[name](4000, generator()))


def test_even_times_leave_no_gap():
    u = TIMES["even"](64, generator()).sort().values
    assert float(u.diff().max()) == pytest.approx(1 / 64)


def test_logit_normal_times():
    logits = torch.logit(logit_normal_times(20000, generator(), mean=-0.8, std=0.8))
    assert float(logits.mean()) == pytest.approx(-0.8, abs=0.03)
    assert float(logits.std()) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("name", ["dit", "mdtv2", "mdt_flow"])
def test_a_real_network_learns(tiny, name):
    """Twenty steps on four pictures; the loss is measured before and after on the same draws."""
    objective = make_objective(name)
    model = tiny(learn_sigma=objective.prediction == "eps").train()
    optimizer = Adan(model.parameters(), lr=3e-3)
    x0 = torch.sin(torch.arange(4 * 4 * 64).view(4, 4, 8, 8) * 0.1)

    def held():
        with torch.no_grad():
            draws = [
                objective.terms(model, x0, LABEL, generator=generator(100 + i))["loss"].mean()
                for i in range(2)
            ]
        return float(torch.stack(draws).mean())

    before = held()
    for step in range(20):
        loss = objective.terms(model, x0, LABEL, generator=generator(step))["loss"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert held() < 0.9 * before


def test_a_network_without_masked_pass():
    model = DiT(input_size=8, hidden_size=32, depth=2, num_heads=2, num_classes=5)
    terms = make_objective("dit").terms(model, pictures(), LABEL, generator=generator())
    assert set(terms) == {"loss", "mse", "vb"}
    with pytest.raises(ValueError, match="no masked pass"):
        make_objective("mdt").terms(model, pictures(), LABEL, generator=generator())
    model = UViT(input_size=8, hidden_size=32, depth=2, num_heads=2, num_classes=5)
    with pytest.raises(ValueError, match="UViT has no masked pass"):
        make_objective("mdt_flow").terms(model, pictures(), LABEL, generator=generator())


@pytest.mark.parametrize("name", ["mdt_s2", "mdtv2_s2", "dit_s2"])
def test_what_learns_gets_a_gradient_without_a_masked_pass_too(name, tiny):
    """Several processes wait for the gradient of every parameter that learns."""
    more = {} if name == "dit_s2" else {"maskable": False}
    model = tiny(name, learn_sigma=False, **more)
    model.train()
    terms = make_objective("flow").terms(model, pictures(), LABEL, generator=generator())
    terms["loss"].mean().backward()
    assert [key for key, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


def test_unconditional(tiny):
    model = tiny(num_classes=None)
    terms = make_objective("mdtv2").terms(model, pictures(), generator=generator())
    assert bool(torch.isfinite(terms["loss"]).all())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_objective("mdt2"), "did you mean 'mdt"),
        (lambda: make_objective("flow", min_snar=5), "did you mean 'min_snr'"),
        (lambda: Objective(linear(), "epsilon"), "did you mean 'eps'"),
        (lambda: Objective(linear(), label_drop=1.0), "label_drop"),
        (lambda: Objective(linear(), mask_ratio=(0.3, 1.5)), "mask_ratio"),
        (lambda: Objective(linear(), min_snr=0), "min_snr"),
        (
            lambda: denoising_terms(
                pictures().repeat(1, 2, 1, 1),
                pictures(),
                torch.full((4,), 500.0),
                pictures(),
                schedule=Flow(),
                prediction="flow",
            ),
            "learned variance",
        ),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_masked_and_full_passes_take_turns(tiny):
    """The step decides, the same for all of its pictures; the share is as asked for."""
    model, x0 = tiny(learn_sigma=False), pictures()
    objective = make_objective("mdt_flow", mask_ratio=0.5, alternate=0.25)
    assert objective.num_passes == 1
    hidden = []
    for step in range(60):
        generators = StepGenerators((0,), step, range(4), 4)
        (terms,) = objective.passes(model, x0, LABEL, generator=generators)
        hidden.append("hidden" in terms)
        assert terms.get("hidden", torch.full((4,), 0.5)).tolist() == [0.5] * 4
    assert 0.1 < sum(hidden) / 60 < 0.45


@pytest.mark.parametrize("times", TIMES)
def test_a_picture_draws_the_same_however_the_batch_is_cut(tiny, times):
    """One process with 4 pictures, or two with 2: the same times, noise, labels and tokens."""
    x0 = pictures()
    objective = make_objective("mdt_flow", times=times, label_drop=0.5)

    def calls(rows):
        model = Recorder(tiny(learn_sigma=False))
        generators = StepGenerators((7,), 3, rows, 4)
        cut = slice(rows.start, rows.stop)
        list(objective.passes(model, x0[cut], LABEL[cut], generator=generators))
        return model.calls

    halves = zip(calls(range(2)), calls(range(2, 4)), strict=True)
    for whole, parts in zip(calls(range(4)), halves, strict=True):
        for one, *two in zip(whole, *parts, strict=True):
            assert (one is None and two == [None, None]) or torch.equal(one, torch.cat(two))


@pytest.mark.parametrize("alternate", [-0.1, 1.5])
def test_a_share_of_masked_steps_lies_in_its_range(alternate):
    with pytest.raises(ValueError, match="alternate is a share"):
        make_objective("mdt_flow", alternate=alternate)
    with pytest.raises(ValueError, match="mask_ratio"):
        make_objective("flow", alternate=0.5)


def test_times_by_name_with_settings():
    times = make_objective("flow", times={"name": "logit_normal", "mean": 2.0}).times
    assert float(times(2000, generator()).mean()) > 0.8
    with pytest.raises(ValueError, match="did you mean 'logit_normal'"):
        make_objective("flow", times="logitnormal")
    with pytest.raises(ValueError, match="did you mean 'mean'"):
        make_objective("flow", times={"name": "logit_normal", "meen": 1})
