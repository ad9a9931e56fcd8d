import math
import warnings
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.models.attention import (
    BACKENDS,
    Attention,
    Bias,
    Positions,
    RelPosBias,
    add_at,
    attn,
    gather_bias,
    resolve_backend,
)

ON_CPU = [name for name, backend in BACKENDS.items() if not backend.needs_cuda]


def inputs(batch=3, heads=2, queries=5, keys=7, rows=1, blocked=True, dtype=torch.float64):
    g = torch.Generator().manual_seed(0)
    q, k, v = (
        torch.randn(batch, heads, n, 4, generator=g, dtype=dtype) for n in (queries, keys, keys)
    )
    table = torch.randn(11, heads, generator=g, dtype=dtype)
    index = torch.randint(0, 11, (rows, queries, keys), generator=g)
    padding = torch.rand(batch, keys, generator=g) < 0.3 if blocked else None
    if padding is not None:
        padding[:, -1] = False
    return q, k, v, table, index, padding


def by_hand(q, k, v, table, index, padding):
    logits = torch.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(q.shape[-1])
    logits = logits + table[index].permute(0, 3, 1, 2)
    if padding is not None:
        logits = logits.masked_fill(padding[:, None, None], -math.inf)
    return torch.einsum("bhqk,bhkd->bhqd", logits.softmax(-1), v)


@pytest.mark.parametrize(
    ("backend", "rows", "blocked"),
    [(name, *case) for name in ON_CPU if name != "flex" for case in product((1, 3), (False, True))]
    + [("flex", 3, True)],  # slow without a compiler
)
def test_every_kernel_agrees_with_the_formula(backend, rows, blocked):
    q, k, v, table, index, padding = inputs(rows=rows, blocked=blocked, dtype=torch.float32)
    wanted = by_hand(q, k, v, table, index, padding)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "flex_attention called without torch.compile")
        out = attn(q, k, v, Bias(table, index, padding), backend)
    assert (out - wanted).abs().max() < 1e-6


@pytest.mark.parametrize("backend", [n for n in ON_CPU if BACKENDS[n].cpu_grad])
@pytest.mark.parametrize("rows", [1, 3])
def test_every_kernel_has_the_gradients_of_the_formula(backend, rows, monkeypatch):
    monkeypatch.setattr("mdt.models.attention.CHUNK_BYTES", 700)  # several chunks, one uneven
    *leaves, index, padding = inputs(rows=rows)
    for leaf in leaves:
        leaf.requires_grad_()
    weight = torch.randn(3, 2, 5, 4, generator=torch.Generator().manual_seed(1))
    wanted = torch.autograd.grad((by_hand(*leaves, index, padding) * weight).sum(), leaves)
    q, k, v, table = leaves
    out = attn(q, k, v, Bias(table, index, padding), backend)
    came = torch.autograd.grad((out * weight).sum(), leaves)
    for a, b in zip(came, wanted, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("bias", [False, True])
def test_recompute_passes_gradcheck(bias):
    q, k, v, table, index, _ = inputs(batch=2, rows=2 if bias else 1, queries=3, keys=4)
    leaves = [x.requires_grad_() for x in (q, k, v, table)]

    def run(q, k, v, table):
        return attn(q, k, v, Bias(table, index) if bias else None, "recompute")

    assert torch.autograd.gradcheck(run, leaves, atol=1e-3)


def test_recompute_keeps_no_logits():
    q, k, v, table, index, _ = inputs(batch=2, rows=2, queries=50, keys=50, dtype=torch.float32)
    leaves = [x.requires_grad_() for x in (q, k, v, table)]
    saved = []

    def pack(x):
        saved.append(x.numel() if x.is_floating_point() else 0)
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        attn(*leaves[:3], Bias(leaves[3], index), "recompute")
    assert max(saved) <= q.numel()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 6), st.integers(0, 10**6))
def test_table_gradient_is_that_of_indexing(rows, heads, keys, seed):
    g = torch.Generator().manual_seed(seed)
    index = torch.randint(0, 7, (rows, 3, keys), generator=g)
    grad = torch.randn(rows, heads, 3, keys, generator=g)
    table = torch.randn(7, heads, generator=g, requires_grad=True)
    (wanted,) = torch.autograd.grad((table[index].permute(0, 3, 1, 2) * grad).sum(), table)
    (came,) = torch.autograd.grad((gather_bias(table, index) * grad).sum(), table)
    assert torch.allclose(came, wanted, atol=1e-5)
    assert torch.allclose(add_at(index, grad, 7).t(), wanted, atol=1e-5)


def test_bfloat16_and_autocast():
    q, k, v, table, index, _ = inputs(dtype=torch.float32)
    wanted = by_hand(q, k, v, table, index, None)
    table.requires_grad_()
    out = attn(q.bfloat16(), k.bfloat16(), v.bfloat16(), Bias(table, index), "recompute")
    assert out.dtype == torch.bfloat16
    assert (out.float() - wanted).abs().max() < 0.05
    out.float().sum().backward()
    assert table.grad.dtype == torch.float32


def test_auto_chooses():
    q, _k, _v, table, index, padding = inputs()
    bias = Bias(table, index, padding)
    assert resolve_backend("auto", q, bias, grad=True) == "recompute"
    assert resolve_backend("auto", q, bias, grad=False) == "sdpa"
    assert resolve_backend("auto", q, None, grad=True) == "sdpa"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("flash", "runs on CUDA only"),
        ("xformers", "runs on CUDA only"),
        ("flex", "no gradient on CPU"),
        ("sdpaa", "did you mean 'sdpa'"),
        ("??", "there are: auto, recompute"),
    ],
)
def test_a_kernel_named_outright_is_refused_with_the_reason(name, says):
    q, _k, _v, table, index, _ = inputs()
    with pytest.raises(ValueError, match=says):
        resolve_backend(name, q, Bias(table, index), grad=True)


@pytest.mark.parametrize("biased", [False, True])
def test_asking_tokens_get_what_they_get_among_all(biased):
    torch.manual_seed(0)
    layer = Attention(8, 2, (2, 3) if biased else None, qkv_bias=not biased)
    x = torch.randn(2, 6, 8)
    if biased:
        torch.nn.init.normal_(layer.rel_pos_bias.relative_position_bias_table)
    index = torch.randint(0, 18, (1, 6, 6))
    full = layer(x, Positions((2, 3), index if biased else None))
    some = layer(x, Positions((2, 3), index[:, -2:] if biased else None), 2)
    assert torch.allclose(some, full[:, -2:], atol=1e-6)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 8 does not divide into 3 heads"):
        Attention(8, 3, qkv_bias=True)


def test_table_for_another_size():
    tables = RelPosBias((3, 4), 2)
    rows = torch.linspace(-1, 1, 5).view(5, 1).expand(5, 7)
    with torch.no_grad():
        tables.relative_position_bias_table[:-3] = rows.reshape(-1, 1)
    assert tables.table_for((3, 4)) is tables.relative_position_bias_table
    bigger = tables.table_for((6, 8))
    assert bigger.shape == (11 * 15 + 3, 2)
    middle = bigger[:-3, 0].view(11, 15)
    assert torch.allclose(middle, -middle.flip(0), atol=1e-6)
    assert abs(middle[5]).max() < 1e-6
    assert bool((middle[1:] >= middle[:-1] - 1e-3).all())
