"""What a training run tells while it runs: the loss by noise level, speed, and what went wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mdt.devices import home_of_sums

#: The loss is logged for so many ranges of u, the share of the way from clean to noise.
NUM_LEVELS = 8


class Window:
    """Sums since the last line of the log, the same on all processes.

    The sums are float64 and are saved with a checkpoint, so that a line that spans a stop comes
    out the same.
    """

    def __init__(self, saved: dict[str, Any] | None = None) -> None:
        self.sums = torch.zeros(4, NUM_LEVELS, dtype=torch.float64)
        self.grad_norm, self.steps = 0.0, 0
        if saved is not None:
            self.sums = torch.tensor(saved["sums"], dtype=torch.float64)
            self.grad_norm, self.steps = saved["grad_norm"], saved["steps"]

    def saved(self) -> dict[str, Any]:
        """For state.json; JSON keeps every bit of a float64."""
        sums = self.sums.tolist()
        return {"sums": sums, "grad_norm": self.grad_norm, "steps": self.steps}

    def add(self, sums: Tensor, grad_norm: float) -> None:
        """Take in a step: (4, NUM_LEVELS) pictures and losses, of full and of masked passes."""
        self.sums += sums
        self.grad_norm += grad_norm
        self.steps += 1

    def line(self, step: int, batch: int, lr: float) -> dict[str, Any]:
        """A line of metrics.jsonl, and begin anew."""
        count, full, masked_count, masked = self.sums
        levels = [round(float(f / c), 6) if c else None for f, c in zip(full, count, strict=True)]
        line = {
            "step": step,
            "pictures": step * batch,
            "loss": _mean(full, count),
            "masked_loss": _mean(masked, masked_count),
            "loss_by_noise": levels,
            "grad_norm": round(self.grad_norm / max(self.steps, 1), 6),
            "lr": lr,
        }
        self.sums.zero_()
        self.grad_norm, self.steps = 0.0, 0
        return line


def _mean(total: Tensor, count: Tensor) -> float | None:
    return round(float(total.sum() / count.sum()), 6) if count.any() else None


def by_level(u: Tensor, loss: Tensor) -> Tensor:
    """(2, NUM_LEVELS) float64 in `home_of_sums`: pictures and summed losses in each range of u.

    Args:
        u: (B,) in [0, 1], 0 clean.
        loss: (B,).
    """
    home = home_of_sums(loss.device)
    level = (u.to(home).double() * NUM_LEVELS).long().clamp(0, NUM_LEVELS - 1)
    sums = torch.zeros(2, NUM_LEVELS, dtype=torch.float64, device=home)
    both = torch.stack([torch.ones_like(loss), loss]).to(home).double()
    return sums.index_add_(1, level, both)


class Log:
    """A file of JSON lines that a resumed run cuts back to where its checkpoint was.

    Args:
        path: of the file.
        num_bytes: of it that count; the rest was written after the checkpoint.
    """

    def __init__(self, path: Path, num_bytes: int | None = None) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if num_bytes is not None and path.exists() and path.stat().st_size > num_bytes:
            with path.open("r+b") as file:
                file.truncate(num_bytes)

    def write(self, line: dict[str, Any]) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def num_bytes(self) -> int:
        """How long the file is."""
        return self.path.stat().st_size if self.path.exists() else 0


def find_culprit(model: nn.Module, run: Callable[[], Any]) -> str:
    """Where numbers first stop being finite, in words.

    Args:
        model: after the backward pass.
        run: repeats the forward pass.
    """
    for name, p in model.named_parameters():
        if not bool(torch.isfinite(p).all()):
            return f"the weights {name}"
    found: list[str] = []

    def look(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            fine = not isinstance(output, Tensor) or bool(torch.isfinite(output).all())
            if not fine and not found:
                found.append(name or type(module).__name__)

        return hook

    handles = [m.register_forward_hook(look(name)) for name, m in model.named_modules()]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return f"the output of {found[0]}"
    for name, p in model.named_parameters():
        if p.grad is not None and not bool(torch.isfinite(p.grad).all()):
            return f"the gradient of {name}"
    return "the loss"


def flops_per_picture(model: nn.Module, x: Tensor, passes: list[Callable[[], Any]]) -> float:
    """Floating-point operations of a training step per picture, about 3 times the forward passes.

    Counted by torch over matrix products, convolutions and attention.

    Args:
        model: the network.
        x: (B, ...) that the passes run on.
        passes: each runs one forward pass.
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    training = model.training
    with torch.no_grad(), counter:
        for run in passes:
            run()
    model.train(training)
    return 3 * counter.get_total_flops() / len(x)


def duration(seconds: float) -> str:
    """Such as 1:02:03 or 2:03."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
