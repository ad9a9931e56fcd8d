"""Several processes of one launch, forked from a process that has imported what they need.

To import torch and diffusers takes each new process of `torchrun` seven seconds of a core. These
begin where that is done, with the words and the environment that torchrun would give them; what
they run is the same. The launchers themselves are used by test_sample.py and test_batch.py.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_IMPORTED = ["mdt.cli", "mdt.train", "mdt.encode", "mdt.evaluate", "mdt.sample", "torch._dynamo"]


def run(words, ranks=2, timeout_s=280):
    """Run to the end, as `subprocess.run` with its output captured."""
    begun = start(words, ranks)
    out, err = begun.communicate(timeout=timeout_s)
    return subprocess.CompletedProcess(words, begun.returncode, out, err)


def start(words, ranks=2):
    """Begin; has `pid`, `poll`, `communicate` and `returncode` as `subprocess.Popen`."""
    if sys.platform == "linux":
        return _Forked([str(word) for word in words], ranks)
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={ranks}"]
    asked, pipe = [sys.executable, *launcher, *map(str, words)], subprocess.PIPE
    return subprocess.Popen(asked, env=environment, stdout=pipe, stderr=pipe, text=True)


class _Forked:
    """A process whose children are the ranks of a launch."""

    def __init__(self, words, ranks):
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(_IMPORTED)
        self._said = tempfile.TemporaryDirectory()
        self._logs = [Path(self._said.name) / name for name in ("out", "err")]
        self._process = forks.Process(target=_launched, args=(words, ranks, self._logs))
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    @property
    def returncode(self):
        return self._process.exitcode

    def communicate(self, timeout=None):
        self._process.join(timeout)
        if self._process.exitcode is None:
            self._process.terminate()
            raise subprocess.TimeoutExpired("a launch", timeout)
        said = tuple(log.read_text() if log.exists() else "" for log in self._logs)
        self._said.cleanup()
        return said


def _launched(words, ranks, logs):
    """Start the ranks and wait for them; where one fails, the others are stopped."""
    import torch

    torch.set_num_threads(1)
    for number, log in enumerate(logs, start=1):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ |= {"ACCELERATE_USE_CPU": "true", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {"WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks)}
    forks = multiprocessing.get_context("fork")
    begun = [forks.Process(target=_rank, args=(i, words), daemon=True) for i in range(ranks)]
    for process in begun:
        process.start()
    while any(process.is_alive() for process in begun):
        if any(process.exitcode for process in begun):
            time.sleep(2)  # the others may be about to say why, too
            break
        time.sleep(0.02)
    ends = [process.exitcode for process in begun]
    if any(ends):
        print(f"The ranks ended with {ends}.", file=sys.stderr, flush=True)
    sys.exit(next((code for code in ends if code), 0))


def _rank(number, words):
    faulthandler.enable()
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number)}
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
