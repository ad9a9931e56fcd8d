"""Our MDTv2 training step and guided sampling against the published design, written out plainly.

    python benchmarks/mdt_speed.py [--batch 8] [--pairs 3] [--dtype fp32|bf16|both] [--compile]

S/2 at 256 tokens. The plain version runs on the same weights: the bias gathered per sample and
block, softmax written out, the side block over all tokens. Its outputs are compared with ours
first. `--compile` times our step in bf16 under `torch.compile` too (minutes to compile). Times are
medians of interleaved pairs, processor seconds beside wall seconds; memory is the growth of the
process's peak over one step (Linux only). Guided sampling compares skipping the null
branch where it hardly weighs with never skipping it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from mdt.diffusion import denoiser, draw_noise, find_sampler, guided, make_generators, make_schedule
from mdt.models import build_model, draw_kept
from mdt.models.layers import relative_index, unpatchify

GRID = (16, 16)
HIDDEN_SHARE = 0.4


class Plain:
    """The published MDTv2 forward pass, step for step, from the weights of one of our models."""

    def __init__(self, model: Any) -> None:
        """Use `model`'s weights."""
        self.model = model
        self.index = relative_index(GRID)[0]

    def attention(self, attn: Any, x: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
        """softmax(q k / sqrt(d) + bias) v, the bias gathered for every sample."""
        batch, n, width = x.shape
        heads = attn.num_heads
        q, k, v = attn.qkv(x).reshape(batch, n, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        logits = (q * (width // heads) ** -0.5) @ k.transpose(-2, -1)
        tokens = len(self.index)
        table = attn.rel_pos_bias.relative_position_bias_table
        bias = table[self.index.view(-1)].view(tokens, tokens, heads).permute(2, 0, 1)[None]
        if kept is not None:
            bias = bias.repeat(batch, 1, 1, 1)
            bias = bias.gather(2, kept[:, None, :, None].expand(-1, heads, -1, tokens))
            bias = bias.gather(3, kept[:, None, None, :].expand(-1, heads, n, -1))
        weights = (logits + bias).softmax(-1)
        return attn.proj((weights @ v).transpose(1, 2).reshape(batch, n, width))

    def block(self, block: Any, x: Any, c: Any, kept: Any = None, skip: Any = None) -> torch.Tensor:
        """One transformer block with its adaptive norms and, where it has one, its long skip."""
        if skip is not None:
            x = block.skip_linear(torch.cat([x, skip], -1))
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            part.unsqueeze(1) for part in block.adaLN_modulation(c).chunk(6, 1)
        )
        h = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale1) + shift1
        x = x + gate1 * self.attention(block.attn, h, kept)
        h = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale2) + shift2
        return x + gate2 * block.mlp(h)

    def __call__(self, x: Any, t: Any, label: Any, kept: Any = None) -> torch.Tensor:
        """(B, C, h, w) -> (B, 2 C, h, w)."""
        model = self.model
        h = entry = model.x_embedder(x) + model.pos_embed
        c = model.t_embedder(t) + model.y_embedder(label)
        if kept is not None:
            h = h.gather(1, kept[..., None].expand(-1, -1, h.shape[-1]))
        skips = []
        for block in model.en_inblocks:
            h = self.block(block, h, c, kept)
            skips.append(h)
        for block in model.en_outblocks:
            h = self.block(block, h, c, kept, skips.pop())
        h = self.interpolated(h, c, kept) if kept is not None else h + model.decoder_pos_embed
        for block in model.de_blocks:
            h = self.block(block, h, c, None, entry)
        shift, scale = (p.unsqueeze(1) for p in model.final_layer.adaLN_modulation(c).chunk(2, 1))
        h = F.layer_norm(h, h.shape[-1:], eps=1e-6) * (1 + scale) + shift
        return unpatchify(model.final_layer.linear(h), GRID, 2)

    def interpolated(self, h: Any, c: Any, kept: Any) -> torch.Tensor:
        """Hidden tokens from the mask token, through the side block over all tokens."""
        model, tokens = self.model, len(self.index)
        hidden = torch.ones(len(h), tokens).scatter_(1, kept, 0.0)
        rest = torch.argsort(hidden, dim=1, stable=True)[:, kept.shape[1] :]
        restore = torch.cat([kept, rest], 1).argsort(1)
        h = torch.cat([h, model.mask_token.expand(len(h), rest.shape[1], -1)], 1)
        h = h.gather(1, restore[..., None].expand(-1, -1, h.shape[-1])) + model.decoder_pos_embed
        side = self.block(model.sideblocks[0], h, c)
        return side * hidden[..., None] + h * (1 - hidden[..., None])


def make_case(batch: int) -> tuple[Any, tuple[Any, ...], torch.Tensor]:
    """(model, (x, t, label), kept) with no weight at zero, the same each time."""
    generator = torch.Generator().manual_seed(0)
    model = build_model("mdtv2_s2").train()
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.02, generator=generator)
    x = torch.randn(batch, 4, 32, 32, generator=generator)
    t = torch.randint(0, 1000, (batch,), generator=generator)
    label = torch.randint(0, 1000, (batch,), generator=generator)
    return model, (x, t, label), draw_kept(batch, 256, HIDDEN_SHARE, generator=generator)


def step(forward: Any, case: Any, dtype: str, *, summed: bool) -> None:
    """Both passes, forward and backward: one backward for their sum, or one each."""
    model, inputs, kept = case
    model.zero_grad()
    half = torch.autocast("cpu", torch.bfloat16) if dtype == "bf16" else contextlib.nullcontext()
    with half:
        if summed:
            full, masked = forward(*inputs), forward(*inputs, kept)
            (full.float().square().mean() + masked.float().square().mean()).backward()
            return
        for extra in ((), (kept,)):
            forward(*inputs, *extra).float().square().mean().backward()


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """(processor seconds, wall seconds)."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def compare(name: str, plain: Callable[[], None], ours: Callable[[], None], pairs: int) -> float:
    """Print medians of interleaved pairs; returns plain / ours in processor seconds."""
    plain(), ours()
    rows = [(timed(plain), timed(ours)) for _ in range(pairs)]
    a, b = ([statistics.median(r[who][i] for r in rows) for i in (0, 1)] for who in (0, 1))
    print(f"{name:28} {a[0]:7.2f} {a[1]:7.2f}   {b[0]:7.2f} {b[1]:7.2f}   {a[0] / b[0]:5.2f}x")
    return round(a[0] / b[0], 3)


def peak_mb(which: str, batch: int, queue: Any) -> None:
    """Put the growth of this process's peak memory over one fp32 training step into `queue`."""
    case = make_case(batch)
    forward = Plain(case[0]) if which == "plain" else case[0]
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # start the peak anew
    before = _status_mb("VmRSS")
    step(forward, case, "fp32", summed=which == "plain")
    queue.put(_status_mb("VmHWM") - before)


def _status_mb(key: str) -> float:
    rows = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(row.split()[1] for row in rows if row.startswith(key))) / 1024


def measured_peak(which: str, batch: int) -> float:
    """`peak_mb` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=peak_mb, args=(which, batch, queue))
    process.start()
    peak = queue.get()
    process.join()
    return float(peak)


def main() -> None:
    """Print the tables and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--dtype", choices=("fp32", "bf16", "both"), default="both")
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    case = make_case(arguments.batch)
    model, inputs, kept = case
    plain = Plain(model)
    with torch.no_grad():
        full = (plain(*inputs) - model(*inputs)).abs().max().item()
        masked = (plain(*inputs, kept) - model(*inputs, kept)).abs().max().item()
    assert max(full, masked) < 1e-4, (full, masked)
    print(
        f"S/2, 256 tokens, batch {arguments.batch}; plain and ours agree to {max(full, masked):.1e}"
    )
    print(f"{'':28} {'plain':>7} {'wall':>7}   {'ours':>7} {'wall':>7}   ratio (processor s)")
    ratios = {}
    for dtype in ("fp32", "bf16") if arguments.dtype == "both" else (arguments.dtype,):
        ratios[f"step_{dtype}"] = compare(
            f"training step, {dtype}",
            lambda d=dtype: step(plain, case, d, summed=True),
            lambda d=dtype: step(model, case, d, summed=False),
            arguments.pairs,
        )
    if arguments.compile:
        start = time.perf_counter()
        compiled = torch.compile(model)
        step(compiled, case, "bf16", summed=False)
        print(f"compiling took {time.perf_counter() - start:.0f} s")
        ratios["step_bf16_compiled"] = compare(
            "training step, bf16 compiled",
            lambda: step(plain, case, "bf16", summed=True),
            lambda: step(compiled, case, "bf16", summed=False),
            arguments.pairs,
        )
    model.eval()

    def sample(skip_below: float) -> None:
        denoise = denoiser(guided(model, inputs[2][:2], 3.8, power=4, skip_below=skip_below), "eps")
        noise = draw_noise((2, 4, 32, 32), make_generators([1, 2]))
        with torch.no_grad():
            find_sampler("dpmpp_2m")(denoise, noise, make_schedule("linear").levels(25))

    ratios["guided_sampling"] = compare(
        "guided sampling, 25 steps", lambda: sample(0.0), lambda: sample(0.05), arguments.pairs
    )
    memory = {which: round(measured_peak(which, arguments.batch)) for which in ("plain", "ours")}
    print(f"peak memory of a step, fp32: plain {memory['plain']} MB, ours {memory['ours']} MB")
    share = round(memory["ours"] / memory["plain"], 3)
    print(json.dumps({"ratios": ratios, "peak_mb": memory, "peak_share": share}))


if __name__ == "__main__":
    main()
