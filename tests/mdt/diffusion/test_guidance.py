import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.diffusion import SAMPLERS, denoiser, draw_noise, guided, make_generators
from mdt.diffusion.guidance import call, guidance_weight
from mdt.diffusion.schedule import linear
from mdt.models import Text, draw_kept

LABEL = torch.tensor([0, 3, 4])


def batch(size=3, channels=4):
    x = torch.randn(size, channels, 8, 8, generator=torch.Generator().manual_seed(0))
    return x, torch.tensor([900.0, 500.0, 20.0])[:size]


class Counting:
    """A network that notes how many pictures each call brought."""

    def __init__(self, model):
        self.module, self.rows = model, []

    def __call__(self, x, *args, **more):
        self.rows.append(len(x))
        return self.module(x, *args, **more)


@pytest.fixture(autouse=True)
def _no_grad():
    with torch.no_grad():
        yield


def written_out(model, x, t, label, weights, channels, **more):
    """Guidance as a formula, with two calls."""
    strong, null = model(x, t, label, **more), model(x, t, model.null_label(label), **more)
    w = torch.tensor(weights).view(-1, 1, 1, 1)
    out = strong.clone()
    out[:, :channels] = null[:, :channels] + w * (strong[:, :channels] - null[:, :channels])
    return out


def same(one, other):
    torch.testing.assert_close(one, other, rtol=0, atol=2e-6)


@pytest.mark.parametrize("channels", ["all", 3, 1])
@pytest.mark.parametrize("power", [None, 4, 0.01])
def test_the_formula(tiny, channels, power):
    model, (x, t) = tiny(), batch()
    out = guided(model, LABEL, 3.8, power, channels, 0)(x, t)
    weights = [guidance_weight(float(time), 3.8, power) for time in t]
    same(out, written_out(model, x, t, LABEL, weights, 4 if channels == "all" else channels))
    # The learned variance is the conditional one.
    same(out[:, 4:], model(x, t, LABEL)[:, 4:])


def test_scale_one_is_the_model(tiny):
    model, (x, t) = tiny(), batch()
    counting = Counting(model)
    assert torch.equal(guided(counting, LABEL, 1.0)(x, t), model(x, t, LABEL))
    assert counting.rows == [3]


def test_scale_one_without_skipping(tiny):
    model, (x, t) = tiny(), batch()
    counting = Counting(model)
    same(guided(counting, LABEL, 1.0, skip_below=0)(x, t), model(x, t, LABEL))
    assert counting.rows == [6]


def test_scale_zero_is_the_null_branch(tiny):
    model, (x, t) = tiny(), batch()
    same(guided(model, LABEL, 0.0)(x, t)[:, :4], model(x, t, model.null_label(LABEL))[:, :4])


def test_null_branch_is_left_out_where_it_hardly_weighs(tiny):
    model, (x, t) = tiny(), batch()
    counting = Counting(model)
    out = guided(counting, LABEL, 3.8, power=4)(x, t)
    # w is 1.0000001 at 900, 1.027 at 500 and 3.79 at 20: only the last is guided.
    assert counting.rows == [4]
    weights = [1.0, 1.0, guidance_weight(20, 3.8, 4)]
    same(out, written_out(model, x, t, LABEL, weights, 4))


def test_half_of_the_published_steps_need_no_null_branch():
    weights = [guidance_weight(level.t, 3.8, 4) for level in linear().levels(250)[:-1]]
    spared = sum(abs(w - 1) < 0.05 for w in weights) / 250
    assert spared == pytest.approx(0.54, abs=0.01)


def test_skipping_hardly_changes_the_picture(tiny):
    model, levels = tiny(), linear().levels(10)
    x = draw_noise((3, 4, 8, 8), make_generators(range(3)))
    outs, rows = [], []
    for skip_below in (0, 0.05):
        counting = Counting(model)
        guide = guided(counting, LABEL, 3.8, 4, skip_below=skip_below)
        outs.append(SAMPLERS["ddim"](denoiser(guide, clip=3.0), x, levels))
        rows.append(sum(counting.rows))
    assert rows == [60, 45]
    assert float((outs[0] - outs[1]).abs().max()) < 0.02 * float(outs[0].abs().max())


def test_interval(tiny):
    model, (x, t) = tiny(), batch()
    counting = Counting(model)
    out = guided(counting, LABEL, 2.0, interval=(0.3, 0.7), skip_below=0)(x, t)
    assert counting.rows == [4]
    same(out, written_out(model, x, t, LABEL, [1.0, 2.0, 1.0], 4))


def test_autoguidance(tiny):
    """Away from a weaker model with the same label, by the same formula."""
    model, worse, (x, t) = tiny(), tiny(seed=1, depth=2), batch()
    out = guided(model, LABEL, 2.0, weak=worse)(x, t)
    strong, weak = model(x, t, LABEL), worse(x, t, LABEL)
    same(out[:, :4], 2 * strong[:, :4] - weak[:, :4])
    same(out[:, 4:], strong[:, 4:])
    nothing = guided(model, LABEL, 3.0, weak=model)(x, t)
    same(nothing, strong)


def test_autoguidance_of_an_unconditional_model(tiny):
    model, worse, (x, t) = tiny(num_classes=None), tiny(seed=1, num_classes=None), batch()
    out = guided(model, None, 2.0, weak=worse, skip_below=0)(x, t)
    same(out[:, :4], 2 * model(x, t)[:, :4] - worse(x, t)[:, :4])


def test_autoguidance_in_the_masked_pass_of_some_pictures(tiny):
    """The weaker model sees the tokens of its own pictures: here those in the interval."""
    model, worse, (x, t) = tiny(), tiny(seed=1), batch()
    kept = draw_kept(3, 16, 0.4, generator=torch.Generator().manual_seed(0))
    out = guided(model, LABEL, 2.0, weak=worse, interval=(0.3, 0.7))(x, t, kept=kept)
    strong, weak = (one(x, t, LABEL, kept=kept) for one in (model, worse))
    same(out[1, :4], 2 * strong[1, :4] - weak[1, :4])
    same(out[::2], strong[::2])


def test_text(tiny):
    model, (x, t) = tiny(num_classes=None, text_dims=(6, 5)), batch()
    generator = torch.Generator().manual_seed(1)
    mask = torch.tensor([[True, True], [True, False], [False, False]])
    text = Text(
        torch.randn(3, 2, 6, generator=generator), torch.randn(3, 5, generator=generator), mask
    )
    out = guided(model, text, 3.8, power=4)(x, t)
    same(out, written_out(model, x, t, text, [1.0, 1.0, guidance_weight(20, 3.8, 4)], 4))


@pytest.mark.parametrize("shared", [True, False])
def test_masked_pass(tiny, shared):
    model, (x, t) = tiny(), batch()
    kept = draw_kept(1 if shared else 3, 16, 0.4, generator=torch.Generator().manual_seed(0))
    out = guided(model, LABEL, 3.8, power=4)(x, t, kept=kept)
    weights = [1.0, 1.0, guidance_weight(20, 3.8, 4)]
    same(out, written_out(model, x, t, LABEL, weights, 4, kept=kept))


def test_masked_pass_of_uneven_masks(tiny):
    model, (x, t) = tiny(), batch()
    kept = [torch.tensor([1, 5, 9]), torch.tensor([], dtype=torch.int64), torch.tensor([0, 3, 2])]
    out = guided(model, LABEL, 2.0, skip_below=0)(x, t, kept=kept)
    for i, ids in enumerate(kept):
        one = x[i : i + 1], t[i : i + 1], LABEL[i : i + 1]
        more = {"kept": ids[None]} if len(ids) else {}
        same(out[i : i + 1], written_out(model, *one, [2.0], 4, **more))
    same(call(model, x, t, LABEL, kept)[1:2], model(x[1:2], t[1:2], LABEL[1:2]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 8), st.floats(0, 6))
def test_weight_lies_between_one_and_the_scale(t, scale, power):
    w = guidance_weight(t, scale, power)
    assert min(1, scale) - 1e-9 <= w <= max(1, scale) + 1e-9
    assert guidance_weight(t, scale, power, (0.0, 0.0)) == (1.0 if t else w)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda m: guided(m, None, 2.0), "nothing to be guided by"),
        (lambda m: guided(m, LABEL, 2.0, channels="three"), "'all' or a number"),
        (lambda m: guided(m, LABEL, 2.0, channels=0), "'all' or a number"),
        (lambda m: guided(m, LABEL, 2.0, skip_below=-1), "skip_below"),
        (lambda m: guided(m, LABEL, 2.0, power=-1), "power"),
        (lambda m: guided(m, LABEL, float("nan")), "finite"),
        (lambda m: guided(m, LABEL, 2.0, interval=(0.7, 0.3)), "interval"),
        (lambda m: guided(m, LABEL, 2.0, channels=9)(*batch()), "9 channels"),
        (lambda m: guided(m, LABEL, 2.0, power=4, num_times=100)(*batch()), "from 0 to 100"),
    ],
)
def test_bad_input(tiny, make, words):
    with pytest.raises(ValueError, match=words):
        make(tiny())


def test_a_model_without_null_class(tiny):
    with pytest.raises(ValueError, match="no null class"):
        guided(tiny(null_class=False), LABEL, 2.0)
