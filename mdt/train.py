"""`mdt train SETTINGS.yaml key=value ...` = `accelerate launch -m mdt.train SETTINGS.yaml ...`.

To resume, run the same command again. Nothing random is kept: what picture p of the run is, how it
is mirrored and which noise it gets are functions of the seed and of counts, so a checkpoint is the
weights, their averages, the optimizer's state and a few numbers, and a run that was killed comes
out as one that never was.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mdt import codec
from mdt.config import ConfigError, find_config, load
from mdt.data import Batch, batches
from mdt.devices import home_of_sums
from mdt.draws import StepGenerators
from mdt.launch import make_accelerator, part
from mdt.parallel import whole
from mdt.parts import Parts, build, named_settings
from mdt.progress import Progress, Stop
from mdt.runs import Run, draws_pictures, held
from mdt.saving import State, checkpoint, restore, snapshot
from mdt.settings import TrainSettings
from mdt.watch import by_level, duration, find_culprit


class NotFinite(Exception):
    """The loss or a gradient is not a finite number; the update was not made."""


def train(settings: TrainSettings, folder: str | Path) -> int:
    """Train, or go on with a run that was stopped; returns the steps done.

    Args:
        settings: of the run.
        folder: of the run; see `mdt.runs`.

    Raises:
        ValueError: settings that cannot be used or that differ from the run's, a disk that is
            full at the end, or numbers that are not finite again and again.
    """
    run = Run(folder)
    if settings.precision == "auto" and run.steps():
        begun = load(TrainSettings, run.newest() / "settings.yaml")
        settings = replace(settings, precision=begun.precision)
    accelerator = make_accelerator(
        precision=settings.precision,
        tracker=settings.tracker,
        folder=str(folder),
        unused=_leaves_some_unused(settings),
    )
    if settings.precision == "auto":
        took = "bf16" if accelerator.mixed_precision == "bf16" else "fp32"
        settings = replace(settings, precision=took)
    _check_batch(settings, accelerator)
    with held(run.folder) if accelerator.is_main_process else contextlib.nullcontext():
        accelerator.wait_for_everyone()
        attempt = 0
        while True:
            parts = build(settings, accelerator)
            state = restore(run, parts, settings, accelerator)
            state.attempt = attempt = max(attempt, state.attempt)
            try:
                return loop(run, parts, state, settings, accelerator)
            except NotFinite as error:
                attempt += 1
                if attempt > settings.max_rollbacks:
                    raise ValueError(
                        f"{error} This was attempt {attempt}; the last checkpoint is whole. A "
                        "lower learning rate or max_grad_norm may help."
                    ) from None
                accelerator.print(f"{error} Going back to step {max([0, *run.steps()])}.")


def loop(run: Run, parts: Parts, state: State, settings: TrainSettings, accelerator: Any) -> int:
    """The steps that are left."""
    main = accelerator.is_main_process
    stream = _stream(parts, state, settings, accelerator)
    saved = state.step
    with Stop() as stop, Progress(run, parts, state.step, settings, accelerator) as progress:
        while state.step < settings.steps:
            batch = next(stream)
            progress.read(batch)
            stopped = take_step(parts, batch, state, settings, accelerator, stopping=stop.asked)
            step = state.step = state.step + 1
            progress.step(step)
            if step % settings.log_every == 0 or step == settings.steps:
                lr = parts.optimizer.param_groups[0]["lr"]
                line = state.window.line(step, settings.batch, lr)
                if main:
                    state.log.write(line)
                progress.tell(line)
            every = settings.ema.snapshot_every
            if every and (step % every == 0 or step == settings.steps):
                snapshot(run, parts, step, main=main)
            if step % settings.save_every == 0 or step == settings.steps or stopped:
                last = stopped or step == settings.steps
                saved = checkpoint(run, parts, state, settings, accelerator, saved, last=last)
            if settings.sample.every and step % settings.sample.every == 0:
                progress.draw(step)
            if stopped:
                accelerator.print(f"Stopped at step {step}; run the same command to go on.")
                break
    return state.step


def take_step(
    parts: Parts,
    batch: Batch,
    state: State,
    settings: TrainSettings,
    accelerator: Any,
    *,
    stopping: bool,
) -> bool:
    """One update of the weights and their averages; whether some process was asked to stop.

    Raises:
        NotFinite: nothing was updated.
    """
    lr = parts.peak * parts.rate(state.step)
    for group in parts.optimizer.param_groups:
        group["lr"] = lr
    parts.optimizer.zero_grad()
    sums = _backward(parts, batch, state, settings, accelerator)
    params = [p for p in parts.model.parameters() if p.grad is not None]
    limit = settings.max_grad_norm or float("inf")
    norm = float(whole(torch.nn.utils.clip_grad_norm_(params, limit)))
    # One small message a step: the sums, and whether anyone was told to stop.
    told = torch.cat([sums.flatten(), sums.new_tensor([float(stopping)])])
    if accelerator.num_processes > 1:
        told = accelerator.reduce(told, "sum")
    told = told.cpu()
    if not (bool(torch.isfinite(told).all()) and norm < float("inf")):
        raise NotFinite(_culprit(parts, batch, state, settings, accelerator))
    parts.optimizer.step()
    parts.ema.update(parts.network, state.step + 1)
    state.window.add(told[:-1].view_as(state.window.sums), norm)
    return bool(told[-1])


def _backward(
    parts: Parts, batch: Batch, state: State, settings: TrainSettings, accelerator: Any
) -> Tensor:
    """Gradients of the mean loss; returns this process's sums for `Window.add`."""
    x, label = batch.x.to(accelerator.device), batch.label
    if parts.encoder is not None:
        with torch.no_grad():
            x = codec.encode(x, parts.encoder)
    label = None if label is None else label.to(accelerator.device)
    size = settings.micro_batch or len(x)
    share = settings.batch // accelerator.num_processes
    first = accelerator.process_index * share
    sums = torch.zeros_like(state.window.sums, device=home_of_sums(x.device))
    for start in range(0, len(x), size):
        rows = slice(start, min(start + size, len(x)))
        passes = parts.objective.passes(
            parts.model,
            x[rows],
            None if label is None else label[rows],
            generator=_generators(state, settings, range(first + rows.start, first + rows.stop)),
        )
        for number in range(parts.objective.num_passes):
            last = rows.stop == len(x) and number == parts.objective.num_passes - 1
            # Processes add up their gradients once a step, in the last backward pass.
            once = contextlib.nullcontext() if last else accelerator.no_sync(parts.model)
            with once, accelerator.autocast():
                terms = next(passes)
                # DDP takes the mean over processes, so this is the mean over the whole batch.
                accelerator.backward(terms["loss"].sum() / share)
            loss = terms["loss"].detach()
            kind = 1 if "hidden" in terms else 0
            sums[2 * kind : 2 * kind + 2] += by_level(terms["u"], loss)
    return sums


def _generators(state: State, settings: TrainSettings, rows: range) -> StepGenerators:
    return StepGenerators((settings.seed, state.attempt), state.step, rows, settings.batch)


def _stream(
    parts: Parts, state: State, settings: TrainSettings, accelerator: Any
) -> Iterator[Batch]:
    data = settings.data
    return batches(
        parts.source,
        batch=settings.batch,
        # After a roll-back the same pictures in the same order would fail the same way.
        seed=settings.seed + 1_000_003 * state.attempt,
        start=state.step * settings.batch,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
        flip=data.flip,
        crop=data.crop,
        workers=data.workers,
    )


def _leaves_some_unused(settings: TrainSettings) -> bool:
    """Whether some steps leave parameters that learn without a gradient.

    Turns of full and masked passes do; so does a network that was asked to keep the parts of a
    masked pass that the objective does not have.
    """
    told = named_settings(settings.objective)
    kept = told.get("mask_ratio") is None and bool(settings.model.get("maskable"))
    return kept or told.get("alternate") is not None


def _check_batch(settings: TrainSettings, accelerator: Any) -> None:
    if settings.batch % accelerator.num_processes:
        raise ConfigError(
            f"The batch of {settings.batch} pictures cannot be shared out evenly over "
            f"{accelerator.num_processes} processes."
        )


def _culprit(
    parts: Parts, batch: Batch, state: State, settings: TrainSettings, accelerator: Any
) -> str:
    x, label = batch.x.to(accelerator.device), batch.label
    label = None if label is None else label.to(accelerator.device)
    rows = _generators(state, settings, range(len(x)))

    def again() -> None:
        with accelerator.autocast():
            list(parts.objective.passes(parts.network, x, label, generator=rows))

    if parts.encoder is not None or settings.sharding:
        where = "the loss or a gradient"
    else:
        where = find_culprit(parts.network, again)
    return f"Step {state.step + 1}: {where} is not finite."


def run(name: str, changes: Sequence[str] = ()) -> None:
    """The verb.

    Args:
        name: a YAML file, or the name of one in configs/train.
        changes: `key=value`.

    Raises:
        ValueError: see `train`.
    """
    path = find_config("train", name)
    settings = load(TrainSettings, path, changes)
    folder = settings.folder(path)
    start = time.monotonic()
    done = train(settings, folder)
    part()
    if done == settings.steps and int(os.environ.get("RANK", "0")) == 0:
        next_ = f"Write its network with: mdt export {folder} -o FOLDER"
        if draws_pictures(settings):
            next_ = f"Draw pictures with: mdt sample {folder} -o pictures.png"
        took = duration(time.monotonic() - start)
        print(f"{folder}: {settings.steps} steps, {took}. {next_}")  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m mdt.train`."""
    from mdt.cli import main as command

    return command(["train", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
