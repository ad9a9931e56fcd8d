"""The settings of a training run: what `configs/train/*.yaml` may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdt.config import ConfigError, _suggest

PRECISIONS = ("auto", "fp32", "bf16")
SHARDINGS = ("", "fsdp2")

#: Settings that change neither the weights nor the loss log: they may differ after a stop.
FREE = frozenset(
    {
        "output", "save_every", "keep", "keep_every", "sample", "tracker", "progress",
        "max_rollbacks", "data.path", "data.workers",
    }
)  # fmt: skip


@dataclass(frozen=True)
class DataSettings:
    """Where the pictures are and how they are taken.

    Args:
        name: a key of `mdt.data.SOURCES`.
        path: file, folder or pattern.
        size: side of the pictures in pixels; 0: the model's input size.
        flip: whether half of the pictures are mirrored.
        crop: "center" or "random".
        workers: processes that read; 0: the training process itself.
        labels: whether to use the labels that there are.
        settings: others, of the source.
    """

    name: str = "folder"
    path: str = ""
    size: int = 0
    flip: bool = False
    crop: str = "center"
    workers: int = 0
    labels: bool = True
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EmaSettings:
    """Averages of the weights that are kept; pictures are drawn from the first.

    Args:
        widths: σ_rel of power-function averages [Karras et al. 2024], as a share of the run.
        decays: classic averages, such as 0.9999.
        snapshot_every: steps between snapshots of the power-function averages, from which any
            other width can be had after the run (`mdt.ema.reconstruct`); 0: none.
    """

    widths: list[float] = field(default_factory=lambda: [0.05, 0.10])
    decays: list[float] = field(default_factory=list)
    snapshot_every: int = 0


@dataclass(frozen=True)
class GridSettings:
    """Pictures drawn while training, from the averaged weights.

    Args:
        every: steps between grids; 0: none.
        num_images: in a grid.
        steps: of the sampler.
        guidance: scale.
        seed: of the first picture.
    """

    every: int = 0
    num_images: int = 36
    steps: int = 25
    guidance: float = 1.5
    seed: int = 0


@dataclass(frozen=True)
class TrainSettings:
    """A training run, complete.

    Args:
        output: folder of the run; "": runs/NAME of the settings file.
        seed: of all randomness.
        model: name of `mdt.models.MODELS` and settings of its class.
        data: see `DataSettings`.
        vae: folder of a VAE of diffusers, to train on its latents; "": on pixels.
        objective: name of `mdt.diffusion.objective.OBJECTIVES` and its settings.
        optimizer: name of `mdt.optim.OPTIMIZERS`, lr and its other settings.
        schedule: name of `mdt.optim.SCHEDULES` and its settings; total_steps is filled in.
        steps: of the optimizer.
        batch: pictures a step, over all processes.
        micro_batch: pictures at a time in one process, to save memory; 0: all.
        max_grad_norm: gradients are clipped to this norm; 0: not.
        ema: see `EmaSettings`.
        init: folder of a run or a model to start from (weights alone); "": fresh weights.
        precision: "fp32", "bf16" (autocast; the weights stay float32), or "auto": bf16 where the
            device computes it by itself, else fp32. A run that goes on keeps what it began with.
        compile: backend of torch.compile, such as "inductor"; "": not compiled.
        checkpointing: recompute activations in the backward pass, to save memory.
        sharding: "fsdp2": torch's fully_shard over the processes; "": copies (DDP).
        log_every: steps between lines of metrics.jsonl.
        save_every: steps between checkpoints.
        keep: newest checkpoints that are kept.
        keep_every: checkpoints at multiples of this are kept for good; 0: none.
        max_rollbacks: how often a run goes back to a checkpoint when numbers are not finite.
        sample: see `GridSettings`.
        tracker: of accelerate ("tensorboard", "wandb", ...); "": metrics.jsonl alone.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: values out of range.
    """

    output: str = ""
    seed: int = 0
    model: dict[str, Any] = field(default_factory=lambda: {"name": "mdtv2_s2"})
    data: DataSettings = field(default_factory=DataSettings)
    vae: str = ""
    objective: dict[str, Any] = field(default_factory=lambda: {"name": "mdtv2"})
    optimizer: dict[str, Any] = field(default_factory=lambda: {"name": "adan", "lr": 1e-3})
    schedule: dict[str, Any] = field(default_factory=lambda: {"name": "constant"})
    steps: int = 100_000
    batch: int = 256
    micro_batch: int = 0
    max_grad_norm: float = 1.0
    ema: EmaSettings = field(default_factory=EmaSettings)
    init: str = ""
    precision: str = "fp32"
    compile: str = ""
    checkpointing: bool = False
    sharding: str = ""
    log_every: int = 50
    save_every: int = 1000
    keep: int = 2
    keep_every: int = 0
    max_rollbacks: int = 3
    sample: GridSettings = field(default_factory=GridSettings)
    tracker: str = ""
    progress: bool = True

    def __post_init__(self) -> None:
        for key in ("steps", "batch", "log_every", "save_every", "keep"):
            if getattr(self, key) < 1:
                raise ConfigError(f"{key} is 1 or more; got {getattr(self, key)}.")
        for key in ("seed", "micro_batch", "max_grad_norm", "keep_every", "max_rollbacks"):
            if getattr(self, key) < 0:
                raise ConfigError(f"{key} is 0 or more; got {getattr(self, key)}.")
        for key, known in (("precision", PRECISIONS), ("sharding", SHARDINGS)):
            value = getattr(self, key)
            if value not in known:
                hint = _suggest(value, [k for k in known if k])
                raise ConfigError(f"There is no {key} {value!r}{hint}")
        for key in ("model", "objective", "optimizer", "schedule"):
            if "name" not in getattr(self, key):
                raise ConfigError(f"{key} needs a name: write `{key}: {{name: ...}}`.")
        if not self.ema.widths and not self.ema.decays:
            raise ConfigError("ema needs a width or a decay: pictures are drawn from an average.")

    def folder(self, path: str | Path) -> Path:
        """Where the run is written; `path` is the settings file."""
        return Path(self.output) if self.output else Path("runs") / Path(path).stem


def differences(old: dict[str, Any], new: dict[str, Any], at: str = "") -> list[str]:
    """What differs between two settings as nested dicts, as "key: old -> new", `FREE` left out."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        where = f"{at}.{key}" if at else key
        a, b = old.get(key), new.get(key)
        if where in FREE or a == b:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, where)
        else:
            found.append(f"{where}: {a} -> {b}")
    return found
