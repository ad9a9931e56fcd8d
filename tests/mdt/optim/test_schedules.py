import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mdt.optim import SCHEDULES, Win, make_schedule
from mdt.optim.schedules import constant, cosine, inverse_sqrt, warmup, wsd

SETTINGS = {
    "constant": {"warmup_steps": 10},
    "warmup": {"warmup_steps": 10},
    "cosine": {"total_steps": 100, "warmup_steps": 10, "final": 0.1},
    "wsd": {"total_steps": 100, "warmup_steps": 10, "final": 0.1},
    "inverse_sqrt": {"reference_steps": 30, "warmup_steps": 10},
}


def test_values_at_points_that_can_be_worked_out():
    assert [warmup(s, warmup_steps=4) for s in (0, 1, 2, 4, 9)] == [0, 0.25, 0.5, 1, 1]
    assert constant(0) == 1
    assert constant(1, warmup_steps=4) == 0.25
    assert cosine(0, total_steps=100) == 1
    assert cosine(50, total_steps=100, final=0.2) == pytest.approx(0.6)
    assert cosine(60, total_steps=100, warmup_steps=20) == pytest.approx(0.5)
    assert cosine(250, total_steps=100, final=0.2) == pytest.approx(0.2)
    assert [wsd(s, total_steps=100, decay_steps=40) for s in (0, 60)] == [1, 1]
    assert wsd(70, total_steps=100, decay_steps=40) == pytest.approx(1 - math.sqrt(0.25))
    assert wsd(70, total_steps=100, decay_steps=40, shape="linear") == pytest.approx(0.75)
    assert wsd(90, total_steps=100) == pytest.approx(1 - math.sqrt(0.5))
    assert wsd(100, total_steps=100, final=0.1) == pytest.approx(0.1)
    assert wsd(99, total_steps=100, decay_steps=0) == 1
    assert inverse_sqrt(25, reference_steps=100) == 1
    assert inverse_sqrt(400, reference_steps=100) == pytest.approx(0.5)
    assert inverse_sqrt(400, reference_steps=100, warmup_steps=200) == pytest.approx(0.5)


@pytest.mark.parametrize("name", list(SCHEDULES))
@given(step=st.floats(0, 1e6), scale=st.floats(0.01, 1e6))
def test_factors_lie_in_0_to_1_and_hold_in_any_unit(name, step, scale):
    value = SCHEDULES[name](step, **SETTINGS[name])
    assert 0 <= value <= 1
    scaled = {k: v * scale if k.endswith("steps") else v for k, v in SETTINGS[name].items()}
    # 1 - sqrt(progress) is as steep as can be where it begins, so rounding shows there.
    assert SCHEDULES[name](step * scale, **scaled) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_rise_then_fall(name):
    values = [SCHEDULES[name](s, **SETTINGS[name]) for s in range(120)]
    assert values[:11] == sorted(values[:11])
    assert values[0] == 0
    assert values[10] == 1
    assert values[10:] == sorted(values[10:], reverse=True)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_drives_an_optimizer_through_torch_and_resumes(name):
    def build():
        p = torch.nn.Parameter(torch.ones(2))
        optimizer = Win([p], lr=0.1)
        schedule = make_schedule(name, **SETTINGS[name])
        return p, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)

    p, optimizer, schedule = build()
    for step in range(110):
        expected = 0.1 * SCHEDULES[name](step, **SETTINGS[name])
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)
        p.grad = torch.ones(2)
        optimizer.step()
        schedule.step()
        if step == 50:
            saved = schedule.state_dict()
            p, optimizer2, schedule = build()
            optimizer2.load_state_dict(optimizer.state_dict())
            schedule.load_state_dict(saved)
            optimizer = optimizer2
    assert torch.isfinite(p).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (partial(make_schedule, "cosin", total_steps=9), "did you mean 'cosine'"),
        (partial(make_schedule, "cosine"), "cosine: missing a required argument: 'total_steps'"),
        (partial(make_schedule, "constant", total_steps=9), "unexpected keyword argument"),
        (partial(make_schedule, "cosine", total_steps=0), "total_steps must be above 0"),
        (partial(make_schedule, "wsd", total_steps=9, warmup_steps=10), "hold the warm-up"),
        (partial(make_schedule, "wsd", total_steps=9, decay_steps=-1), "decay_steps must be"),
        (partial(make_schedule, "wsd", total_steps=9, shape="exp"), "no shape 'exp'"),
        (partial(make_schedule, "wsd", total_steps=math.inf), "total_steps must be a finite"),
        (partial(make_schedule, "inverse_sqrt", reference_steps=0), "must be above 0"),
        (partial(warmup, -1, warmup_steps=3), "step must be"),
    ],
)
def test_bad_settings_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)
