"""The web editor under load: jobs lost, order, memory of a long session, leaks between users.

    python benchmarks/load.py [--jobs 32] [--edits 200]

Starts the server on this machine alone and asks it over HTTP as programs do; prints a table, then
one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from gradio_client import Client, handle_file
from PIL import Image

from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.ui.launch import free_port
from editanything.ui.session import Ask, Session


def serve(folder: Path) -> tuple[subprocess.Popen, str, float]:
    """(process, address, seconds until it says where it is)."""
    port = free_port("127.0.0.1")
    begun = time.monotonic()
    app = subprocess.Popen(  # noqa: S603 - our own server
        [sys.executable, "-m", "editanything", "serve", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"GRADIO_TEMP_DIR": str(folder)},
        text=True,
    )
    assert app.stdout is not None
    while "is at" not in (line := app.stdout.readline()):
        assert line, "the server did not start"
    return app, f"http://localhost:{port}", time.monotonic() - begun


def concurrent(address: str, count: int, folder: Path) -> dict[str, float]:
    """Send `count` jobs of as many users at once: who came back, right, in which order."""
    editor = Editor.from_preset()
    colours, paths, wanted = np.random.default_rng(0).integers(40, 200, (count, 3)), [], []
    for i, colour in enumerate(colours):
        pixels = np.full((240, 320, 3), colour, np.uint8)
        pixels[60:180, 80:240] = 255 - colour
        paths.append(folder / f"{i}.png")
        Image.fromarray(pixels).save(paths[-1])
        editor.edit(paths[-1], "blur the image").save(folder / f"{i}-direct.png")
        wanted.append((folder / f"{i}-direct.png").read_bytes())
    clients = [Client(address, verbose=False, download_files=folder / str(i)) for i in range(count)]
    begun = time.monotonic()
    jobs, sent = [], []
    for client, path in zip(clients, paths, strict=True):
        jobs.append(
            client.submit(image=handle_file(str(path)), text="blur the image", api_name="/edit")
        )
        sent.append(time.monotonic())
    ended: dict[int, float] = {}
    while len(ended) < count and time.monotonic() - begun < 600:
        for i, job in enumerate(jobs):
            if i not in ended and job.done():
                ended[i] = time.monotonic()
        time.sleep(0.02)
    right = sum(
        Path(job.result()[0]).read_bytes() == want
        for job, want in zip(jobs, wanted, strict=True)
        if job.done() and job.exception() is None
    )
    places = sorted(ended, key=ended.__getitem__)
    shift = max(abs(place - i) for place, i in enumerate(places)) if places else count
    for client in clients:
        client.close()
    return {
        "jobs": count,
        "lost": count - len(ended),
        "right_bytes": right,
        "most_places_off": shift,
        "seconds": round(max(ended.values()) - begun, 2),
    }


def long_session(count: int) -> dict[str, float]:
    """Memory of this process over `count` edits of one session, after the first twenty."""
    session = Session(Editor.from_preset())
    session.open(EXAMPLES["coffee"].path, "coffee")
    process, start, begun = psutil.Process(), 0, time.monotonic()
    texts = ("brighten the cup", "make the saucer teal", "blur the background", "darken the cup")
    for i in range(count):
        job = session.start(Ask(texts[i % len(texts)], seed=i))
        outcome = job.result()
        assert session.finish(outcome)
        if i == min(20, count // 2):
            start = process.memory_info().rss
    grown = (process.memory_info().rss - start) / 2**20
    seconds = (time.monotonic() - begun) / count
    session.close()
    return {"edits": count, "grown_mb": round(grown, 1), "seconds_an_edit": round(seconds, 3)}


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--edits", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app, address, ready = serve(folder / "gradio")
        try:
            found = {"ready_seconds": round(ready, 2), **concurrent(address, asked.jobs, folder)}
        finally:
            app.send_signal(signal.SIGINT)
            app.wait(timeout=30)
    found |= long_session(asked.edits)
    for key, value in found.items():
        print(f"{key:>18}  {value}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
