"""Kill a training run at random moments, run the same command again, and compare every byte.

    python benchmarks/kill_resume.py [--trials 20] [--processes 1 2] [--seed 0]

A tiny MDTv2 learns pictures that are drawn here. One run is never stopped; each trial is killed
(SIGKILL, all of its processes) once or twice at random moments from its first step on and
then finished. Weights, averages, optimizer, settings and the loss log must come out as the same
bytes. Prints a line a trial, then one JSON line.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

SETTINGS = """# A tiny network, for trials.
model: {name: mdtv2_s4, hidden_size: 32, depth: 4, num_heads: 2, decode_layers: 2}
data: {name: folder, size: 16, flip: true, crop: random}
objective: {name: mdt_flow}
optimizer: {name: adan, lr: 1.0e-3}
steps: 60
batch: 8
micro_batch: 4
ema: {widths: [0.1], decays: [0.9], snapshot_every: 20}
log_every: 4
save_every: 7
keep: 2
progress: false
"""


def draw_pictures(folder: Path, count: int = 40, size: int = 20) -> None:
    """Discs and squares of random colours, in two class folders."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:size, :size]
    for i in range(count):
        y, x, radius = (*rng.uniform(6, size - 6, 2), rng.uniform(3, 6))
        away = np.stack([rows - y, columns - x])
        inside = (np.hypot(*away) if i % 2 else np.abs(away).max(0)) < radius
        picture = np.where(inside[..., None], *rng.integers(0, 256, (2, 3))).astype(np.uint8)
        place = folder / ("disc" if i % 2 else "square")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{i:03d}.png")


def command(settings: Path, data: Path, out: Path) -> list[str]:
    """Of a training run, behind `python`."""
    return ["-m", "mdt.train", str(settings), f"data.path={data}", f"output={out}"]


def start(words: list[str], processes: int) -> subprocess.Popen[str]:
    """So many processes of one thread each, on the CPU."""
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        launcher = ["-m", "torch.distributed.run", "--nproc_per_node", str(processes)]
        words = [*launcher, "--master_port", str(port), *words]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: Any) -> None:
    """Wait for the end of a run, a `Popen` or its like."""
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"A run failed with {process.returncode}:\n{said}")


def kill_at(process: Any, out: Path, step: int, delay_s: float) -> int:
    """Kill the run so long after it logged `step`; returns the step of its last checkpoint."""
    while process.poll() is None and _logged(out) < step:
        time.sleep(0.005)
    time.sleep(delay_s)
    kill_all(process.pid)
    process.communicate()
    return _newest(out)


def kill_all(number: int) -> None:
    """SIGKILL for a process and all that it started; torchrun's have groups of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [psutil.Process(number), *psutil.Process(number).children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)


def _logged(out: Path) -> int:
    """The step of the log's last whole line; -1 before there is a log."""
    try:
        rows = (out / "metrics.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return 0 if (out / "settings.yaml").is_file() else -1
    return int(json.loads(rows[-1])["step"]) if rows else 0


def _newest(out: Path) -> int:
    return max((int(p.name) for p in (out / "checkpoints").glob("0*")), default=0)


def digest(out: Path) -> dict[str, str]:
    """sha256 of everything that must be the same."""
    last = sorted((out / "checkpoints").glob("0*"))
    paths = [p for folder in last for p in folder.iterdir()]
    paths += [out / "metrics.jsonl", *(out / "snapshots").iterdir()]
    # The settings name the output folder, which differs.
    found = {}
    for path in sorted(paths):
        content = path.read_bytes().replace(str(out).encode(), b"OUT")
        found[str(path.relative_to(out))] = hashlib.sha256(content).hexdigest()
    return found


def trials(
    count: int, processes: int, seed: int, start: Callable[[list[str], int], Any] = start
) -> int:
    """How many of the trials came out the same; prints a line each; `start` begins a run."""
    rng = random.Random(seed)
    same = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        draw_pictures(folder / "pictures")
        settings = folder / "trial.yaml"
        settings.write_text(SETTINGS, encoding="utf-8")
        whole = folder / "whole"
        finish(start(command(settings, folder / "pictures", whole), processes))
        wanted = digest(whole)
        rows = (whole / "speed.jsonl").read_text(encoding="utf-8").splitlines()
        times = [json.loads(row)["seconds"] for row in rows]
        step_s = (times[-1] - times[0]) / 56
        for number in range(count):
            out = folder / f"trial{number}"
            words = command(settings, folder / "pictures", out)
            # Steps rise, so that a second kill comes after the first; the delay, up to the time
            # of a save and some steps, lets kills fall on any moment of either.
            steps = sorted(rng.randrange(0, 58) for _ in range(rng.choice((1, 1, 2))))
            kills = []
            for step in steps:
                delay_s = rng.uniform(0, 12 * step_s)
                kills.append(kill_at(start(words, processes), out, step, delay_s))
            finish(start(words, processes))
            found = digest(out)
            same += found == wanted
            odd = sorted(k for k in wanted.keys() | found.keys() if wanted.get(k) != found.get(k))
            verdict = "same bytes" if not odd else f"DIFFERS: {', '.join(odd)}"
            print(f"{processes} process(es), trial {number}: killed at {kills}: {verdict}")
    return same


def main() -> int:
    """Print the trials and one JSON line; 1 where a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    same = {n: trials(arguments.trials, n, arguments.seed + n) for n in arguments.processes}
    print(json.dumps({"trials": arguments.trials, "same_bytes": same}))
    return int(any(count < arguments.trials for count in same.values()))


if __name__ == "__main__":
    sys.exit(main())
