"""The folder of a training run: its checkpoints, whole or not there, and how to open it.

runs/x/settings.yaml            as the run was begun
runs/x/metrics.jsonl            the loss log; the same bytes however often the run was stopped
runs/x/speed.jsonl              times, which are not
runs/x/checkpoints/00001000/    settings.yaml, state.json, config.json of the network,
                                model.safetensors, optimizer.safetensors, ema_*.safetensors
runs/x/snapshots/               averages for `mdt.ema.posthoc_weights`
runs/x/samples/                 grids drawn while training
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mdt.config import ConfigError, load, save
from mdt.naming import imported
from mdt.settings import TrainSettings

try:
    import fcntl
except ImportError:  # Windows has no flock; two runs in one folder are not noticed there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from mdt.models import Network
    from mdt.pipeline import Pipeline

Tensors = Mapping[str, Tensor]


class Run:
    """A run's folder.

    Args:
        folder: need not exist yet.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.checkpoints = self.folder / "checkpoints"

    def steps(self) -> list[int]:
        """Of the checkpoints that are there, rising."""
        if not self.checkpoints.is_dir():
            return []
        return sorted(int(p.name) for p in self.checkpoints.iterdir() if p.name.isdecimal())

    def place(self, step: int) -> Path:
        """The folder of a checkpoint."""
        return self.checkpoints / f"{step:08d}"

    def newest(self) -> Path:
        """The folder of the newest checkpoint.

        Raises:
            ValueError: there is none yet, or no run.
        """
        self.settings()
        if not self.steps():
            raise ValueError(
                f"The run {self.folder} has no checkpoint yet; wait for save_every steps."
            )
        return self.place(self.steps()[-1])

    def clean(self) -> None:
        """Remove what a killed process left half written."""
        for parent in (self.checkpoints, self.folder / "snapshots"):
            for left in parent.glob(".new-*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    def write(
        self,
        step: int,
        tensors: Mapping[str, Tensors],
        state: Mapping[str, Any],
        settings: TrainSettings,
        config: Mapping[str, Any],
    ) -> None:
        """Write a checkpoint beside its name and rename it, so that it is whole or not there.

        Args:
            step: number of updates done.
            tensors: file name without its ending -> tensors on the CPU.
            state: what JSON can hold.
            settings: of the run.
            config: of the network, as its config.json.

        Raises:
            OSError: the disk is full, or the folder cannot be written; older checkpoints stay.
        """
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        new = self.checkpoints / f".new-{step:08d}"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        try:
            for name, part in tensors.items():
                write_tensors(new / f"{name}.safetensors", part)
            write_json(new / "state.json", {**state, "step": step})
            write_json(new / "config.json", config)
            save(settings, new / "settings.yaml")
            for path in (*new.iterdir(), new):
                _flush(path)
            new.replace(self.place(step))
            _flush(self.checkpoints)
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def read(self, step: int) -> dict[str, Any]:
        """state.json of a checkpoint."""
        return json.loads((self.place(step) / "state.json").read_text(encoding="utf-8"))

    def tensors(self, step: int, name: str) -> dict[str, Tensor]:
        """The tensors of a checkpoint's file, on the CPU.

        Raises:
            ValueError: a missing or damaged file.
        """
        return read_tensors(self.place(step) / f"{name}.safetensors")

    def prune(self, keep: int, keep_every: int) -> None:
        """Remove all checkpoints but the newest `keep` and the multiples of `keep_every`."""
        for step in self.steps()[:-keep]:
            if not keep_every or step % keep_every:
                # Renamed first: a kill in the middle leaves no half of a checkpoint.
                gone = self.checkpoints / f".new-gone-{step:08d}"
                self.place(step).replace(gone)
                shutil.rmtree(gone)

    def settings(self) -> TrainSettings:
        """As the run was begun.

        Raises:
            ConfigError: no run, or one of another version.
        """
        path = self.folder / "settings.yaml"
        if not path.is_file():
            raise ConfigError(f"{self.folder} is no training run: it has no settings.yaml.")
        return load(TrainSettings, path)


def open_run(folder: str | Path, *, ema: str | None = None, step: int | None = None) -> Pipeline:
    """A pipeline with the averaged weights of a run.

    Args:
        folder: of the run.
        ema: which average, such as "power_0.05", or "model" for the weights themselves; None: the
            first of the settings.
        step: of the checkpoint; None: the newest.

    Raises:
        ValueError: no run, no checkpoint yet, or a name or a step that it does not have.
    """
    from mdt import schedulers
    from mdt.convert import open_vae
    from mdt.pipeline import Pipeline

    run = Run(folder)
    settings = run.settings()
    if not draws_pictures(settings):
        raise ValueError(
            f"The run {folder} trains a network that draws no pictures (its objective is "
            f"{settings.objective['name']}); mdt export {folder} -o FOLDER writes it."
        )
    newest, steps = run.newest(), run.steps()
    if step is not None and step not in steps:
        raise ValueError(f"The run {folder} has no checkpoint of step {step}; it has {steps}.")
    model = open_weights(newest if step is None else run.place(step), ema)
    scheduler = schedulers.scheduler_of(settings.objective)
    pipe = Pipeline(model, scheduler, open_vae(settings.vae) if settings.vae else None)
    classes = run.read(steps[-1]).get("classes")
    if classes:
        pipe.set_labels(classes)
    return pipe


def export_run(
    folder: str | Path,
    out: str | Path,
    *,
    ema: str | None = None,
    step: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write a run as a pipeline of diffusers; see `open_run`.

    Raises:
        ValueError: as `open_run`, or an output that cannot be written.
    """
    from mdt.files import check_output, written_beside

    check_output(out, overwrite=overwrite)
    pipe = open_run(folder, ema=ema, step=step)
    with written_beside(out, overwrite=overwrite) as new:
        pipe.save_pretrained(new)


def draws_pictures(settings: TrainSettings) -> bool:
    """Whether the network of a run with these settings is a denoiser, which `open_run` opens."""
    from mdt.diffusion.objective import OBJECTIVES

    return settings.objective["name"] in OBJECTIVES


def is_run(folder: str | Path) -> bool:
    """Whether the folder is a training run's."""
    return (Path(folder) / "settings.yaml").is_file() and not (
        Path(folder) / "model_index.json"
    ).exists()


def open_weights(checkpoint: Path, ema: str | None = None) -> Network:
    """The network of a checkpoint's folder, in eval(); see `open_run`."""
    names = sorted(p.stem.removeprefix("ema_") for p in checkpoint.glob("ema_*.safetensors"))
    state = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    ema = state["ema"][0] if ema is None else ema
    if ema != "model" and ema not in names:
        raise ValueError(f"{checkpoint} has no average {ema!r}; it has model, {', '.join(names)}.")
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    kind = network_class(state.get("network", config["_class_name"]))
    model = kind.from_config(config)
    name = "model" if ema == "model" else f"ema_{ema}"
    model.load_state_dict(read_tensors(checkpoint / f"{name}.safetensors"))
    return model.eval()


def class_name(kind: type) -> str:
    """How a state.json names the class of the network: ours by name, others as module:Class."""
    from mdt import models

    ours = getattr(models, kind.__name__, None) is kind
    return kind.__name__ if ours else f"{kind.__module__}:{kind.__qualname__}"


def network_class(name: str) -> Any:
    """The class that `class_name` named.

    Raises:
        ConfigError: a class of one's own that is not there any more.
    """
    from mdt import models

    return imported(name) if ":" in name else getattr(models, name)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU.

    Raises:
        ValueError: a missing or damaged file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise ValueError(f"{path} is missing.") from None
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def write_tensors(path: Path, tensors: Tensors) -> None:
    """As safetensors.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    except SafetensorError as error:  # what it makes of a full disk
        raise OSError(str(error)) from error


def write_json(path: Path, value: Any) -> None:
    """Readable, and the same bytes for the same value."""
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _flush(path: Path) -> None:
    """To the disk itself, so that a rename never comes before the content."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_snapshot(folder: Path, step: int, name: str, tensors: Tensors) -> None:
    """Keep an average, in half the bits: snapshots are many.

    Raises:
        OSError: as for checkpoints.
    """
    place = folder / "snapshots"
    place.mkdir(exist_ok=True)
    new = place / f".new-{step:08d}_{name}"
    try:
        write_tensors(new, {key: value.half() for key, value in tensors.items()})
        new.replace(place / f"{step:08d}_{name}.safetensors")
    except OSError:
        new.unlink(missing_ok=True)
        raise


def reconstruct(folder: str | Path, width: float, step: int | None = None) -> dict[str, Tensor]:
    """The power-function average of any width, from the snapshots of a run.

    Args:
        folder: of the run, with `ema.snapshot_every` set.
        width: σ_rel.
        step: where the average ends; None: at the newest snapshot.

    Returns:
        Parameters by name, float32.

    Raises:
        ValueError: no snapshots, or a width out of range.
    """
    from mdt.ema import combine, posthoc_weights

    paths = sorted((Path(folder) / "snapshots").glob("*_power_*.safetensors"))
    known = [(float(p.stem.split("_")[-1]), int(p.stem.split("_")[0])) for p in paths]
    if step is not None:
        paths = [p for p, (_, at) in zip(paths, known, strict=True) if at <= step]
        known = [one for one in known if one[1] <= step]
    if not paths:
        raise ValueError(f"{folder} has no snapshots; train with ema.snapshot_every above 0.")
    end = max(at for _, at in known) if step is None else step
    return combine((read_tensors(p) for p in paths), posthoc_weights(known, (width, end)).tolist())


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder for this process alone, until it ends, however it ends.

    Raises:
        ValueError: another process trains there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"Another process is training in {folder}; choose another output=FOLDER."
                ) from None
        yield
