"""Attention with a learned relative-position bias: one function, several kernels.

Shapes: B images, H heads, Q queries, K keys, D channels a head, R = 1 (one index for the whole
batch) or B, T rows of a bias table.
"""

from __future__ import annotations

import contextlib
import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

#: Bytes of logits that the recomputing kernel holds at a time: what a core's cache can take.
CHUNK_BYTES = 2 << 20


@dataclass(frozen=True)
class Bias:
    """What is added to the logits: `table[index]` per head, and -inf at blocked keys."""

    table: Tensor | None = None  # (T, H)
    index: Tensor | None = None  # (R, Q, K) int64, rows of the table
    blocked: Tensor | None = None  # (B, K) bool, True at keys that nobody may look at (padding)

    def __post_init__(self) -> None:
        assert (self.table is None) == (self.index is None), "a table needs an index"

    def dense(self, dtype: torch.dtype) -> Tensor | None:
        """The bias written out, (R or B, H or 1, Q, K) in `dtype`; None where there is none."""
        bias = None
        if self.table is not None and self.index is not None:
            bias = gather_bias(self.table, self.index).to(dtype)
        if self.blocked is not None:
            minus = torch.zeros(self.blocked.shape, dtype=dtype, device=self.blocked.device)
            minus = minus.masked_fill(self.blocked, -math.inf)[:, None, None, :]
            bias = minus if bias is None else bias + minus
        return bias

    def rows(self, start: int, stop: int) -> Bias:
        """The bias of the images `start` to `stop` of the batch."""
        index, blocked = self.index, self.blocked
        if index is not None and len(index) > 1:
            index = index[start:stop]
        return Bias(self.table, index, None if blocked is None else blocked[start:stop])

    @property
    def needs_grad(self) -> bool:
        """Whether the table learns."""
        return self.table is not None and self.table.requires_grad and torch.is_grad_enabled()


def add_at(index: Tensor, grad: Tensor, num_rows: int) -> Tensor:
    """The gradient of `table[index]`, transposed: (H, T) float32.

    One running sum per head over the logits' own layout. On CPU this takes a tenth of the time of
    an embedding's backward pass, and no copy of the logits.

    Args:
        index: (R, Q, K) rows of the table.
        grad: (R, H, Q, K) gradient of the gathered bias.
        num_rows: T.
    """
    total = torch.zeros(grad.shape[1], num_rows, dtype=torch.float32, device=grad.device)
    for rows, part in zip(index, grad, strict=True):
        flat = rows.reshape(1, -1).expand(len(total), -1)
        total.scatter_add_(1, flat, part.reshape(len(total), -1).float())
    return total


class _GatherBias(torch.autograd.Function):
    """`table[index]` as (R, H, Q, K), with the cheap gradient of `add_at`."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.table = table.shape, table.dtype
        return F.embedding(index, table).permute(0, 3, 1, 2).contiguous()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        shape, dtype = ctx.table
        return add_at(index, grads[0], shape[0]).t().to(dtype), None


def gather_bias(table: Tensor, index: Tensor) -> Tensor:
    """(R, H, Q, K): row `index[r, q, k]` of the (T, H) table, at [r, :, q, k]."""
    if index.device.type == "cpu":
        return _GatherBias.apply(table, index)
    return F.embedding(index, table).permute(0, 3, 1, 2).contiguous()


class _Recompute(torch.autograd.Function):
    """Attention that keeps no logits: chunk by chunk, and again in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, table: Tensor | None, rest: Bias
    ) -> Tensor:
        ctx.save_for_backward(q, k, v, table, rest.index, rest.blocked)
        out, bias = torch.empty_like(q), _Rows(rest, q.dtype)
        for start, stop in _chunks(q, k):
            probabilities = _softmax_of(q, k, bias, start, stop)
            torch.matmul(probabilities, v[start:stop], out=out[start:stop])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, table, index, blocked = ctx.saved_tensors
        bias = _Rows(Bias(table, index, blocked), q.dtype)
        d_out, scale = grads[0].contiguous(), q.shape[-1] ** -0.5
        dq, dk, dv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        learns = ctx.needs_input_grad[3]
        d_table, d_shared = None, None  # gradients of the table (H, T), of one shared bias
        for start, stop in _chunks(q, k):
            part = slice(start, stop)
            p = _softmax_of(q, k, bias, start, stop)
            torch.matmul(p.mT, d_out[part], out=dv[part])
            ds = torch.matmul(d_out[part], v[part].mT)
            ds = torch._softmax_backward_data(ds, p, -1, p.dtype)  # noqa: SLF001
            torch.matmul(ds, k[part], out=dq[part])
            torch.matmul(ds.mT, q[part], out=dk[part])
            if learns and len(index) == 1:
                one = ds.sum(0, keepdim=True, dtype=torch.float32)
                d_shared = one if d_shared is None else d_shared.add_(one)
            elif learns:
                one = add_at(index[part], ds, len(table))
                d_table = one if d_table is None else d_table.add_(one)
        if d_shared is not None:
            d_table = add_at(index, d_shared, len(table))
        d_table = None if d_table is None else d_table.t().to(table.dtype)
        return dq.mul_(scale), dk.mul_(scale), dv, d_table, None


def _chunks(q: Tensor, k: Tensor) -> list[tuple[int, int]]:
    """Which images to take together, so that their logits fit the cache."""
    bytes_per_image = q.shape[1] * q.shape[2] * k.shape[2] * q.element_size()
    size = max(1, CHUNK_BYTES // bytes_per_image)
    return [(start, min(start + size, len(q))) for start in range(0, len(q), size)]


class _Rows:
    """A bias written out chunk by chunk; what the whole batch shares, once."""

    def __init__(self, bias: Bias, dtype: torch.dtype) -> None:
        self.bias, self.dtype = bias, dtype
        self.shared = bias.blocked is None and (bias.index is None or len(bias.index) == 1)
        self.dense = bias.dense(dtype) if self.shared else None

    def of(self, start: int, stop: int) -> Tensor | None:
        return self.dense if self.shared else self.bias.rows(start, stop).dense(self.dtype)


def _softmax_of(q: Tensor, k: Tensor, bias: _Rows, start: int, stop: int) -> Tensor:
    """softmax(q·kᵀ/√D + bias) of some images, (stop - start, H, Q, K)."""
    logits = torch.matmul(q[start:stop] * q.shape[-1] ** -0.5, k[start:stop].mT)
    dense = bias.of(start, stop)
    if dense is not None:
        logits += dense
    return logits.softmax(-1)


def _recompute(q: Tensor, k: Tensor, v: Tensor, bias: Bias | None) -> Tensor:
    rest = bias or Bias()
    table = rest.table
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    return _Recompute.apply(q, k, v, table, rest)


def _math(q: Tensor, k: Tensor, v: Tensor, bias: Bias | None) -> Tensor:
    logits = (q * q.shape[-1] ** -0.5) @ k.mT
    dense = None if bias is None else bias.dense(q.dtype)
    if dense is not None:
        logits = logits + dense
    return logits.softmax(-1) @ v


def _sdpa(*kernels: SDPBackend) -> Callable[[Tensor, Tensor, Tensor, Bias | None], Tensor]:
    """PyTorch's fused attention, held to `kernels` where any are named."""

    def attend(q: Tensor, k: Tensor, v: Tensor, bias: Bias | None) -> Tensor:
        dense = None if bias is None else bias.dense(q.dtype)
        held = sdpa_kernel(list(kernels)) if kernels else contextlib.nullcontext()
        with held:
            return F.scaled_dot_product_attention(q, k, v, dense)

    return attend


def _flex(q: Tensor, k: Tensor, v: Tensor, bias: Bias | None) -> Tensor:
    from torch.nn.attention.flex_attention import flex_attention

    table, index, blocked = (bias.table, bias.index, bias.blocked) if bias else (None, None, None)

    def score(logit: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        if table is not None and index is not None:
            row = index[b if len(index) > 1 else 0, i, j]
            logit = logit + table[row, h]
        return logit if blocked is None else torch.where(blocked[b, j], -math.inf, logit)

    attend = torch.compile(flex_attention) if q.is_cuda else flex_attention
    return attend(q, k, v, score_mod=score if bias else None)


def _xformers(q: Tensor, k: Tensor, v: Tensor, bias: Bias | None) -> Tensor:
    from xformers.ops import (  # type: ignore[import-not-found]
        memory_efficient_attention,
    )

    dense = None if bias is None else bias.dense(q.dtype)
    if dense is not None:  # (B, H, Q, K) in memory whose rows are padded to a multiple of 8
        padded = F.pad(dense, (0, -k.shape[2] % 8))
        dense = padded[..., : k.shape[2]].expand(len(q), q.shape[1], -1, -1)
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    return memory_efficient_attention(q, k, v, attn_bias=dense).transpose(1, 2)


@dataclass(frozen=True)
class Backend:
    """A kernel and what it can do."""

    attend: Callable[[Tensor, Tensor, Tensor, Bias | None], Tensor]
    needs_cuda: bool = False
    accepts_bias: bool = True
    bias_grad: bool = True  # can learn the bias on this device
    cpu_grad: bool = True  # has a backward pass on CPU at all
    half_only: bool = False
    extra: str = ""  # the optional package it needs


_EFFICIENT, _MATH = SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH
BACKENDS: dict[str, Backend] = {
    "recompute": Backend(_recompute),
    "math": Backend(_math),
    "sdpa": Backend(_sdpa()),
    # cuDNN with a mask gives NaN gradients at some lengths, so a bias on CUDA stays away from it.
    "efficient": Backend(_sdpa(_EFFICIENT, _MATH), needs_cuda=True),
    "flash": Backend(
        _sdpa(SDPBackend.FLASH_ATTENTION), needs_cuda=True, accepts_bias=False, half_only=True
    ),
    "cudnn": Backend(_sdpa(SDPBackend.CUDNN_ATTENTION), needs_cuda=True, half_only=True),
    "flex": Backend(_flex, cpu_grad=False),
    "xformers": Backend(_xformers, needs_cuda=True, extra="xformers"),
}


def resolve_backend(name: str, q: Tensor, bias: Bias | None, *, grad: bool) -> str:
    """The kernel that will run: a key of `BACKENDS`.

    "auto" takes, on CUDA, the memory-efficient kernel under a bias and PyTorch's choice without;
    on CPU the recomputing kernel where the bias learns, else PyTorch's fused kernel.

    Raises:
        ValueError: an unknown name, or a kernel named outright that cannot do what is asked.
    """
    if name == "auto":
        if q.is_cuda:
            return "efficient" if bias is not None else "sdpa"
        return "recompute" if grad and bias is not None else "sdpa"
    if name not in BACKENDS:
        raise ValueError(f"There is no attention backend {name!r}{_suggest(name)}")
    reason = _refusal(name, q, bias, grad=grad)
    if reason:
        raise ValueError(f"The attention backend {name!r} {reason}; use 'auto' or another.")
    return name


def _refusal(name: str, q: Tensor, bias: Bias | None, *, grad: bool) -> str:
    """Why this kernel cannot do this, or nothing."""
    import importlib.util

    backend = BACKENDS[name]
    half = q.dtype in (torch.float16, torch.bfloat16)
    reasons = {
        "runs on CUDA only": backend.needs_cuda and not q.is_cuda,
        "takes no position bias or text padding": bias is not None and not backend.accepts_bias,
        "has no gradient on CPU": grad and not q.is_cuda and not backend.cpu_grad,
        "needs float16 or bfloat16": backend.half_only and not half,
        f"needs the package {backend.extra} (pip install 'mdt-edit[{backend.extra}]')": bool(
            backend.extra and importlib.util.find_spec(backend.extra) is None
        ),
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _suggest(name: str) -> str:
    known = ["auto", *BACKENDS]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}."


def attn(
    q: Tensor, k: Tensor, v: Tensor, bias: Bias | None = None, backend: str = "auto"
) -> Tensor:
    """softmax(q·kᵀ/√D + bias)·v, (B, H, Q, D).

    Args:
        q: (B, H, Q, D).
        k: (B, H, K, D).
        v: (B, H, K, D).
        bias: what to add to the logits.
        backend: "auto" or a key of `BACKENDS`.

    Raises:
        ValueError: see `resolve_backend`.
    """
    learns = bias is not None and bias.needs_grad
    grad = torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or learns)
    return BACKENDS[resolve_backend(backend, q, bias, grad=grad)].attend(q, k, v, bias)


class RelPosBias(nn.Module):
    """The bias table of one block: a value per head for every offset (Δrow, Δcolumn).

    Rows T-3, T-2, T-1 belong to pairs with a text token (image to text, text to image, text to
    text); published models have them and never use them.
    """

    def __init__(self, grid: tuple[int, int], num_heads: int) -> None:
        super().__init__()
        self.grid = grid
        offsets = (2 * grid[0] - 1) * (2 * grid[1] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.zeros(offsets + 3, num_heads))

    def reset_parameters(self) -> None:
        """As published: a truncated normal of spread 0.02."""
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def table_for(self, grid: tuple[int, int]) -> Tensor:
        """The table for pictures of another size, interpolated; (T', H)."""
        table = self.relative_position_bias_table
        if grid == self.grid:
            return table
        old, new = [(2 * h - 1, 2 * w - 1) for h, w in (self.grid, grid)]
        picture = table[:-3].t().reshape(1, -1, *old)
        picture = F.interpolate(picture, size=new, mode="bicubic", align_corners=False)
        return torch.cat([picture.reshape(table.shape[1], -1).t(), table[-3:]])


@dataclass(frozen=True)
class Positions:
    """Where the tokens of one pass lie: made once a step, used by every block."""

    grid: tuple[int, int]  # (rows, columns) of the whole picture
    index: Tensor | None = None  # (R, Q, K) rows of the bias tables, for blocks that have one
    blocked: Tensor | None = None  # (B, K) bool

    def bias(self, tables: RelPosBias | None) -> Bias | None:
        """What a block with these tables adds to its logits."""
        if tables is None:
            return None if self.blocked is None else Bias(blocked=self.blocked)
        return Bias(tables.table_for(self.grid), self.index, self.blocked)


class Attention(nn.Module):
    """Multi-head self-attention over (B, K, C) tokens."""

    def __init__(
        self, width: int, num_heads: int, grid: tuple[int, int] | None = None, *, qkv_bias: bool
    ) -> None:
        super().__init__()
        if num_heads < 1 or width % num_heads:
            raise ValueError(f"The width {width} does not divide into {num_heads} heads.")
        self.num_heads = num_heads
        self.backend = "auto"
        self.qkv = nn.Linear(width, 3 * width, bias=qkv_bias)
        self.proj = nn.Linear(width, width)
        self.rel_pos_bias = RelPosBias(grid, num_heads) if grid is not None else None

    def forward(self, x: Tensor, where: Positions, num_queries: int | None = None) -> Tensor:
        """Attend; only the last `num_queries` tokens ask, and come out, where it is given."""
        if num_queries is None:
            q, k, v = self._heads(self.qkv(x), 3)
        else:
            width, weight, offset = x.shape[-1], self.qkv.weight, self.qkv.bias
            cut = (None, None) if offset is None else (offset[:width], offset[width:])
            (q,) = self._heads(F.linear(x[:, -num_queries:], weight[:width], cut[0]), 1)
            k, v = self._heads(F.linear(x, weight[width:], cut[1]), 2)
        out = attn(q, k, v, where.bias(self.rel_pos_bias), self.backend)
        return self.proj(out.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """(B, N, parts·C) -> `parts` tensors (B, H, N, D)."""
        x = x.view(*x.shape[:2], parts, self.num_heads, -1)  # B N parts H D
        return x.permute(2, 0, 3, 1, 4).unbind(0)
