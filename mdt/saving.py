"""How a training run is kept and taken up again: what a checkpoint holds, and what it must fit."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from mdt.config import ConfigError, load, save
from mdt.parallel import (
    load_optimizer,
    optimizer_groups,
    optimizer_tensors,
    own_class,
    put,
    whole,
)
from mdt.parts import Parts
from mdt.runs import Run, class_name, write_snapshot
from mdt.settings import TrainSettings, differences
from mdt.watch import Log, Window


@dataclasses.dataclass
class State:
    """How far a run has come."""

    step: int  # updates done
    attempt: int  # times that the run went back because of numbers that are not finite
    window: Window
    log: Log


def checkpoint(
    run: Run,
    parts: Parts,
    state: State,
    settings: TrainSettings,
    accelerator: Any,
    saved: int,
    *,
    last: bool,
) -> int:
    """Write one; returns the step of the newest.

    Raises:
        ValueError: it cannot be written and the run ends here.
    """
    if state.step == saved:
        return saved
    weights = {name: whole(value) for name, value in parts.network.state_dict().items()}
    tensors = {"model": weights, "optimizer": optimizer_tensors(parts.optimizer, parts.network)}
    for name, average in parts.ema.averages.items():
        tensors[f"ema_{name}"] = weights | {key: whole(value) for key, value in average.items()}
    failed = ""
    if accelerator.is_main_process:
        try:
            run.write(state.step, tensors, _told(parts, state), settings, _config(parts))
            run.prune(settings.keep, settings.keep_every)
        except OSError as error:
            failed = f"The checkpoint of step {state.step} could not be written: {error}."
    accelerator.wait_for_everyone()
    if failed and last:
        raise ValueError(f"{failed} The newest one is of step {saved}.")
    if failed:
        _warn(f"{failed} Training goes on; the old one stays.")
        return saved
    return state.step


def _warn(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def _told(parts: Parts, state: State) -> dict[str, Any]:
    source = parts.source
    return {
        "network": class_name(own_class(parts.network)),
        "attempt": state.attempt,
        "window": state.window.saved(),
        "optimizer_groups": optimizer_groups(parts.optimizer),
        "metrics_bytes": state.log.num_bytes(),
        "ema": parts.ema.names,
        "classes": list(source.classes) if source.classes else None,
        "num_pictures": len(source),
        "data": getattr(source, "identity", ""),
    }


def _config(parts: Parts) -> dict[str, Any]:
    config = json.loads(parts.network.to_json_string())
    return {**config, "_class_name": own_class(parts.network).__name__}


def snapshot(run: Run, parts: Parts, step: int, *, main: bool) -> None:
    """Keep the power-function averages of now; see `mdt.ema.posthoc_weights`."""
    for name, average in parts.ema.averages.items():
        if name.startswith("power_"):
            tensors = {key: whole(value) for key, value in average.items()}
            try:
                if main:
                    write_snapshot(run.folder, step, name, tensors)
            except OSError as error:
                _warn(f"The snapshot of step {step} could not be written: {error}.")


def restore(run: Run, parts: Parts, settings: TrainSettings, accelerator: Any) -> State:
    """Put the newest checkpoint into the parts, or begin.

    Raises:
        ValueError: a run with other settings or other pictures, or damaged files.
    """
    log = run.folder / "metrics.jsonl"
    steps = run.steps()
    if not steps:
        if accelerator.is_main_process:
            run.clean()
            save(settings, run.folder / "settings.yaml")
            Log(log, 0)
        accelerator.wait_for_everyone()
        return State(0, 0, Window(), Log(log))
    step = steps[-1]
    _check_same(run, settings, step)
    told = run.read(step)
    _check_pictures(run, parts, told)
    put(parts.network.state_dict(), run.tensors(step, "model"), "The checkpoint")
    moments = run.tensors(step, "optimizer")
    load_optimizer(parts.optimizer, parts.network, moments, told["optimizer_groups"])
    for name, average in parts.ema.averages.items():
        kept = run.tensors(step, f"ema_{name}")
        put(average, {key: kept[key] for key in average if key in kept}, "The checkpoint")
    if accelerator.is_main_process:
        run.clean()
        Log(log, told["metrics_bytes"])
    accelerator.wait_for_everyone()
    return State(step, told["attempt"], Window(told["window"]), Log(log))


def _check_same(run: Run, settings: TrainSettings, step: int) -> None:
    old = load(TrainSettings, run.place(step) / "settings.yaml")
    changed = differences(dataclasses.asdict(old), dataclasses.asdict(settings))
    if changed:
        raise ConfigError(
            f"The run {run.folder} is at step {step} with other settings ({'; '.join(changed)}). "
            f"Take them back to resume it, or begin another run from its weights: "
            f"output=FOLDER init={run.folder}."
        )


def _check_pictures(run: Run, parts: Parts, told: dict[str, Any]) -> None:
    came, was = len(parts.source), told["num_pictures"]
    if came == was and told["data"] == getattr(parts.source, "identity", ""):
        return
    what = f"now there are {came}" if came != was else "now they are others"
    raise ConfigError(
        f"The run {run.folder} was begun with {was} pictures; {what}. Give it those, or begin "
        f"another run from its weights: output=FOLDER init={run.folder}."
    )
