"""A tiny training run: pictures, settings, and a launch in two processes."""

import runpy
from pathlib import Path

import pytest
import ranks

from mdt.config import load
from mdt.settings import TrainSettings

ROOT = Path(__file__).parents[2]
TRIALS = runpy.run_path(str(ROOT / "benchmarks" / "kill_resume.py"))

SETTINGS = """# A tiny network for tests.
model: {name: mdtv2_s4, hidden_size: 32, depth: 4, num_heads: 2, decode_layers: 2}
data: {name: folder, size: 16, flip: true}
objective: {name: mdt_flow}
optimizer: {name: adan, lr: 1.0e-3}
steps: 12
batch: 8
ema: {widths: [0.1], decays: [0.9], snapshot_every: 6}
log_every: 2
save_every: 4
keep: 2
progress: false
"""


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    TRIALS["draw_pictures"](folder, count=24)
    return folder


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "tiny.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def settings(file, pictures):
    def change(*changes):
        return load(TrainSettings, file, [f"data.path={pictures}", *changes])

    return change


@pytest.fixture(scope="session")
def torchrun():
    """`mdt train`, or a script with its words, in two processes on the CPU."""

    def run(*arguments, script=None):
        what = ["-m", "mdt.train"] if script is None else [script]
        return ranks.run([*what, *arguments])

    return run
