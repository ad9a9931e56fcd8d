"""Training runs, started as processes of their own, watched through what they write. No Gradio.

A run is `accelerate launch -m mdt.train`: it goes on when the page is closed or the server stops,
and all that is shown comes from its folder (see `mdt.runs`), so whoever opens the page later sees
the same. Beside it lie `started.json` (process, sizes) and `train.log` (what it said).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.libraries import networks
from editanything.ui.photo_trainings import MODULE, PhotoWish, photo_command, write_out

#: Name -> (recipe in configs/train, what it is).
SIZES: dict[str, tuple[str, str]] = {
    "tiny": ("tiny", "32 pixels; a quarter of an hour on a CPU"),
    "small": ("pictures", "64 pixels; an hour or two on a CPU"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
#: How the last words of a command begin.
_SPEAKERS = ("mdt: ", "editanything: ")
_STARTED, _LOG = "started.json", "train.log"
MOST_STEPS = 10_000_000


@dataclass(frozen=True)
class Status:
    """How a run stands.

    Attributes:
        state: "starting", "running", "stopped", "done" or "failed".
        step: updates done, as last told.
        steps: updates wanted.
        seconds_left: None where it is not known.
        loss: (step, loss) as logged.
        grid: the newest pictures drawn while training.
        said: of a run that failed, its last words.
        can_draw: whether there is a checkpoint to draw with.
        can_write: whether there is one of a training on a base, to be written for diffusers.
    """

    name: str
    state: str
    step: int
    steps: int
    seconds_left: float | None
    loss: tuple[tuple[int, float], ...]
    grid: Path | None
    said: str = ""
    can_draw: bool = False
    can_write: bool = False

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.state in ("starting", "running")


class Trainings:
    """The runs below a folder.

    Args:
        root: where runs are written, each into a folder of its name.
    """

    def __init__(self, root: str | Path = "runs") -> None:
        self.root = Path(root)
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def names(self) -> list[str]:
        """The runs that were started here, newest first."""
        found = self.root.glob(f"*/{_STARTED}") if self.root.is_dir() else ()
        by_time = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
        return [path.parent.name for path in by_time]

    def look_at(self, folder: str) -> tuple[int, tuple[str, ...]]:
        """(number of pictures, classes) in a folder.

        Raises:
            InputError: no folder, no pictures, or some that cannot be read; names one.
        """
        networks()
        from mdt.data import FolderSource

        if not folder.strip():
            raise InputError("Say which folder the pictures are in.")
        try:
            source = FolderSource(Path(folder.strip()).expanduser())
        except (ValueError, OSError) as error:
            raise InputError(" ".join(str(error).split())) from None
        return len(source), tuple(source.classes or ())

    def start(self, name: str, folder: str, size: str = "tiny", steps: int | None = None) -> Status:
        """Begin a run in a process of its own.

        Args:
            name: of the run: lower-case letters, digits, - and _.
            folder: of pictures; sub-folders are classes.
            size: a key of `SIZES`.
            steps: None: as the size's recipe has it.

        Raises:
            InputError: a folder without pictures, a name that is taken or cannot be, a bad size.
        """
        place = self._free_place(name)
        if size not in SIZES:
            raise InputError(f"There is no size {size!r}; there are: {', '.join(SIZES)}.")
        if steps is not None and not 1 <= steps <= MOST_STEPS:
            raise InputError(f"steps is 1 to {MOST_STEPS}; got {steps}.")
        self.look_at(folder)
        place.mkdir(parents=True)
        where = str(Path(folder.strip()).expanduser().resolve())
        # The path in quotes, as YAML: a folder may have any name.
        changes = [f"data.path={json.dumps(where)}", f"output={json.dumps(str(place.resolve()))}"]
        changes += [f"steps={steps}"] if steps else []
        command = ["mdt.train", SIZES[size][0], *changes, "progress=false"]
        return self._launch(name, command)

    def start_photo(self, name: str, folder: str, wish: PhotoWish) -> Status:
        """Begin a training on a Stable Diffusion base in a process of its own.

        Args:
            name: of the run.
            folder: of pictures.
            wish: what is learned, and on which base.

        Raises:
            InputError: as `start`, and a wish that cannot be.
        """
        place = self._free_place(name)
        self.look_at(folder)
        command = photo_command(wish, Path(folder.strip()).expanduser().resolve(), place)
        place.mkdir(parents=True)
        return self._launch(name, command)

    def write_out(self, name: str) -> tuple[Path, str]:
        """What a training on a base has learned, for diffusers; see `photo_trainings.write_out`."""
        return write_out(self.root / name, self._read(name)["command"])

    def _free_place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"A run's name has lower-case letters, digits, - and _, up to 40; got {name!r}."
            )
        place = self.root / name
        if place.exists():
            raise InputError(f"There is a run {name!r} already; resume it, or choose another name.")
        return place

    def resume(self, name: str) -> Status:
        """Go on with a run that was stopped.

        Raises:
            InputError: no such run, or one that runs already.
        """
        if self.status(name).alive:
            raise InputError(f"The run {name} is training already.")
        return self._launch(name, self._read(name)["command"])

    def stop(self, name: str) -> None:
        """Ask a run to finish its step, save and leave.

        Raises:
            InputError: no such run.
        """
        import psutil  # type: ignore[import-untyped]

        started = self._read(name)
        for process in _family(started):
            try:
                if started["command"][0] in process.cmdline() and "launch" not in process.cmdline():
                    process.terminate()
            except psutil.Error:  # gone meanwhile
                continue

    def delete(self, name: str) -> None:
        """Remove a run with all that it learned.

        Raises:
            InputError: no such run, or one that still trains.
        """
        if self.status(name).alive:
            raise InputError(f"The run {name} is still training; stop it first.")
        shutil.rmtree(self.root / name)

    def status(self, name: str) -> Status:
        """How a run stands, from what it has written.

        Raises:
            InputError: no such run.
        """
        started = self._read(name)
        place = self.root / name
        on_base = started["command"][:1] == [MODULE]
        lines = _lines(place / "metrics.jsonl")
        speed = _lines(place / "speed.jsonl")
        step = lines[-1]["step"] if lines else 0
        steps = _steps_of(place) or step
        alive = self._is_alive(name, started)
        state = ("running" if lines else "starting") if alive else "stopped"
        said = ""
        if not alive and step and step >= steps:
            state = "done"
        elif not alive:
            said = _last_words(place / _LOG, started["log"])
            state = "failed" if said else "stopped"
        grids = sorted((place / "samples").glob("*.png"))
        losses = ((row["step"], row["loss"] or row["masked_loss"]) for row in lines)
        return Status(
            name,
            state,
            step,
            steps,
            speed[-1]["seconds_left"] if alive and speed else None,
            tuple((at, float(loss)) for at, loss in losses if loss is not None),
            grids[-1] if grids else None,
            said,
            _has_checkpoint(place) and not on_base,
            _has_checkpoint(place) and on_base,
        )

    def _launch(self, name: str, command: list[str]) -> Status:
        import psutil

        place = self.root / name
        log_path = place / _LOG
        whole = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
        whole += ["--num_processes", "1", "--num_machines", "1", "--mixed_precision", "no"]
        whole += ["--dynamo_backend", "no", "-m", *command]
        begins = log_path.stat().st_size if log_path.is_file() else 0
        with log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                whole,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"HF_HUB_OFFLINE": "1"},
            )
        self._started[name] = process
        created = psutil.Process(process.pid).create_time()
        told = {"pid": process.pid, "created": created, "command": command, "log": begins}
        new = place / f".{_STARTED}"
        new.write_text(json.dumps(told), encoding="utf-8")
        new.replace(place / _STARTED)
        return self.status(name)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.root / name / _STARTED
        if not _NAME.fullmatch(name or "") or not path.is_file():
            raise InputError(f"There is no run {name!r} that was started here.")
        return json.loads(path.read_text(encoding="utf-8"))

    def _is_alive(self, name: str, started: dict[str, Any]) -> bool:
        child = self._started.get(name)
        if child is not None and child.pid == started["pid"]:
            return child.poll() is None
        return bool(_family(started))


def _family(started: dict[str, Any]) -> list[Any]:
    """The launcher and what it launched; nothing where they have ended."""
    import psutil

    try:
        launcher = psutil.Process(started["pid"])
        if abs(launcher.create_time() - started["created"]) > 1:
            return []  # the number belongs to another process by now
        if launcher.status() == psutil.STATUS_ZOMBIE:
            return []
        return [launcher, *launcher.children(recursive=True)]
    except psutil.Error:
        return []


def _lines(path: Path) -> list[dict[str, Any]]:
    """Of a file of JSON lines that may be written at this moment."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # the last one, half written
            break
    return found


def _steps_of(place: Path) -> int | None:
    from mdt.runs import Run

    try:
        return Run(place).settings().steps
    except ValueError:  # nothing is written yet
        return None


def _has_checkpoint(place: Path) -> bool:
    from mdt.runs import Run

    return bool(Run(place).steps())


def _last_words(log: Path, begins: int) -> str:
    """The sentence with which a process ended that failed; "" where it did not.

    Args:
        log: what the launcher and its processes said.
        begins: where in the file those of the last start begin.
    """
    if not log.is_file():
        return "It wrote no log."
    text = log.read_bytes()[begins:].decode("utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or "CalledProcessError" not in lines[-1]:
        return ""
    own = [line.partition(": ")[2] for line in lines if line.startswith(_SPEAKERS)]
    return (own or ["Its process ended without a word; train.log may say more."])[-1][:500]


def with_generator(editor: Editor, folder: str) -> tuple[Editor, list[str]]:
    """`editor`, its new things drawn by the generator in `folder`; and the names that it knows.

    Raises:
        InputError: a preset that does not draw so, or a folder that cannot be drawn with.
    """
    from editanything.backends.mdt import Mdt

    for number, backend in enumerate(editor.backends):
        if isinstance(backend, Mdt):
            changed = editor.overrides | {f"backends.{number}.model": folder}
            made = editor.with_settings(editor.name, changed)
            own = made.backends[number]
            assert isinstance(own, Mdt), own
            try:
                return made, list(own.vocabulary.names)
            except ValueError as error:
                raise InputError(" ".join(str(error).split())) from None
    raise InputError(
        f"The preset {editor.name} paints in its own way; choose “default” under Models first."
    )


def curve(loss: tuple[tuple[int, float], ...], steps: int) -> str:
    """The losses as an SVG line over the steps of the run."""
    if len(loss) < 2:
        return ""
    width, height, left, top = 640, 220, 44, 10
    most, least = max(v for _, v in loss), min(v for _, v in loss)
    span = (most - least) or 1.0

    def at(step: int, value: float) -> str:
        x = left + (width - left - 8) * step / max(steps, 1)
        y = top + (height - top - 26) * (1 - (value - least) / span)
        return f"{x:.1f} {y:.1f}"

    every = max(1, len(loss) // 400)
    points = " L ".join(at(*pair) for pair in [*loss[::every], loss[-1]])
    floor = height - 16
    return (
        f'<svg class="ea-curve" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Loss from {loss[0][1]:.3f} to {loss[-1][1]:.3f}">'
        f'<line x1="{left}" y1="{floor}" x2="{width - 8}" y2="{floor}"/><path d="M {points}"/>'
        f'<text x="0" y="{top + 10}">{most:.3f}</text>'
        f'<text x="0" y="{floor - 4}">{least:.3f}</text>'
        f'<text x="{left}" y="{height - 2}">0</text>'
        f'<text x="{width - 8}" y="{height - 2}" text-anchor="end">{steps} steps</text></svg>'
    )
