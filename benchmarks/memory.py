"""Peak memory and exactness of a small edit in a 6000x4000 photo, through the command line.

    python benchmarks/memory.py

Prints the peak resident memory of the whole process (goal: at most 1.5 GB for a small mask), and
whether every pixel outside the mask is bit-equal and in its place. Linux only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from editanything.image import Picture

COMMANDS = {
    "remove": "remove it",
    "recolour": "make it teal",
    "move": "move it to the right",
    "blur the rest": "blur the background",
    "select by a click": None,
}
GOAL_MB = 1500


def make_photo(path: Path) -> None:
    """A 6000x4000 photo-like picture: waves, and noise that shows every shift."""
    rng = np.random.default_rng(0)
    ys, xs = np.mgrid[:4000, :6000].astype(np.float32)
    waves = np.stack([np.sin(xs / 310 + c) + np.cos(ys / 270 - c) for c in (0.0, 1.0, 2.0)], 2)
    noise = rng.integers(-12, 13, (4000, 6000, 3))
    samples = np.clip(128 + 50 * waves + noise, 0, 255).astype(np.uint8)
    samples[1800:2100, 2900:3250] = (200, 40, 40)
    Picture.open(samples).save(path)


def run(arguments: list[str]) -> tuple[float, float]:
    """Run the command line in a process of its own: (peak MB, seconds)."""
    # VmHWM is this process's own peak; ru_maxrss would count the parent's memory at the fork.
    code = (
        "import pathlib, sys; from editanything.cli import main; code = main(sys.argv[1:]); "
        "rows = pathlib.Path('/proc/self/status').read_text().splitlines(); "
        "sys.stderr.write(next(r.split()[1] for r in rows if r.startswith('VmHWM'))); "
        "sys.exit(code)"
    )
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stderr.split()[-1]) / 1024, time.perf_counter() - start


def main() -> None:
    """Print the table and one JSON line."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        source, mask_file = Path(folder, "in.png"), Path(folder, "mask.png")
        make_photo(source)
        before = Picture.open(source).samples
        mask = np.zeros((4000, 6000), np.uint8)
        mask[1790:2110, 2890:3260] = 255
        Picture.open(mask).save(mask_file)
        print(f"{'edit':20} {'peak MB':>8} {'seconds':>8}  changed outside the area")
        for name, text in COMMANDS.items():
            out = Path(folder, "out.png")
            if text is None:
                where = ["--select", "3000,1900"]
                words = ["edit", str(source), "remove it", *where]
            else:
                words = ["edit", str(source), text, "--mask", str(mask_file)]
            peak, seconds = run([*words, "-o", str(out), "--overwrite"])
            changed = (Picture.open(out).samples != before).any(2)
            outside = changed.copy()
            if name == "blur the rest":
                outside = changed & (mask > 0)
            elif name == "move":
                outside[1700:2200, 2800:3700] = False
            else:
                outside[1770:2130, 2870:3280] = False
            results[name] = {"peak_mb": round(peak), "wrong_pixels": int(outside.sum())}
            print(f"{name:20} {peak:8.0f} {seconds:8.1f}  {int(outside.sum())}")
    worst = max(row["peak_mb"] for row in results.values())
    print(json.dumps({"edits": results, "worst_mb": worst, "goal_mb": GOAL_MB}))


if __name__ == "__main__":
    main()
