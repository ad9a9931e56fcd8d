import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.models.masking import draw_kept, draw_ratio, kept_from_noise, split, take


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(1, 30), st.floats(0, 0.95), st.integers(0, 999))
def test_split_and_restore(batch, num_tokens, ratio, seed):
    if int(num_tokens * (1 - ratio)) < 1:
        return
    g = torch.Generator().manual_seed(seed)
    kept = draw_kept(batch, num_tokens, ratio, generator=g)
    assert kept.shape == (batch, int(num_tokens * (1 - ratio)))
    assert kept.dtype == torch.int64
    parts = split(kept, batch, num_tokens)
    assert bool((parts.order.sort(dim=1).values == torch.arange(num_tokens)).all())
    assert bool((parts.hidden[:, 1:] > parts.hidden[:, :-1]).all())
    x = torch.randn(batch, num_tokens, 3, generator=g)
    assert torch.equal(take(take(x, parts.order), parts.restore), x)
    after = parts.after(2)
    longer = torch.cat([torch.randn(batch, 2, 3, generator=g), x], dim=1)
    assert torch.equal(take(take(longer, after.order), after.restore), longer)
    assert after.kept[:, :2].tolist() == [[0, 1]] * batch


def test_draws_repeat_and_differ_between_images():
    one, two = (draw_kept(4, 64, 0.5, generator=torch.Generator().manual_seed(3)) for _ in "ab")
    assert torch.equal(one, two)
    assert len({tuple(row) for row in one.tolist()}) == 4


def test_ratio_range():
    g = torch.Generator().manual_seed(0)
    ratios = [draw_ratio(0.3, 0.5, g) for _ in range(200)]
    assert 0.3 <= min(ratios) < 0.31
    assert 0.49 < max(ratios) <= 0.5
    counts = {draw_kept(1, 256, (0.3, 0.5), generator=g).shape[1] for _ in range(50)}
    assert min(counts) >= 128
    assert max(counts) <= 179
    assert len(counts) > 10


@pytest.mark.parametrize("ratio", [1.0, 0.99, -0.1])
def test_bad_ratio(ratio):
    with pytest.raises(ValueError, match="mask ratio"):
        kept_from_noise(torch.rand(2, 16), ratio)


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (torch.zeros(2, 3), r"int64 token ids of shape \(2, n\); got float32"),
        (torch.zeros(3, 3, dtype=torch.int64), "shape"),
        (torch.zeros(2, 0, dtype=torch.int64), "0 ids"),
        (torch.zeros(2, 9, dtype=torch.int64), "9 ids a picture; there are 8"),
        (torch.tensor([[0, 8], [1, 2]]), "token 8"),
        (torch.tensor([[0, -1], [1, 2]]), "token -1"),
        (torch.tensor([[0, 1], [2, 2]]), "twice"),
    ],
)
def test_bad_kept(kept, says):
    with pytest.raises(ValueError, match=says):
        split(kept, 2, 8)


def test_one_draw_for_the_whole_batch():
    parts = split(torch.tensor([[3, 1]]), 5, 4)
    x = torch.randn(5, 4, 2)
    assert torch.equal(take(x, parts.kept), x[:, [3, 1]])
