"""The web editor under load: jobs lost, fair order, memory of a long session.

    python benchmarks/load.py [--jobs 32] [--edits 200]

Starts the server on this machine alone; the jobs come over HTTP, as from programs, the long session
is a page in a Chromium. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from gradio_client import Client, handle_file
from PIL import Image
from web import browse, choose, say, serve

from editanything.editor import Editor

#: A busy machine takes longer than a client waits by itself.
PATIENT = {"timeout": 300}


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
    clients = [
        Client(address, verbose=False, httpx_kwargs=PATIENT, download_files=folder / str(i))
        for i in range(count)
    ]
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


def flood(address: str, count: int, folder: Path) -> dict[str, int]:
    """One user sends `count` edits at once, then another sends one: how many go before his."""
    big = folder / "flood.png"
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    Image.fromarray(noise).save(big, compress_level=1)
    many, one = (
        Client(address, verbose=False, httpx_kwargs=PATIENT, download_files=folder / n)
        for n in ("m", "o")
    )
    ended: list[str] = []
    asked = {"image": handle_file(str(big)), "text": "denoise the image", "api_name": "/edit"}
    jobs = [many.submit(**asked) for _ in range(count)]
    time.sleep(1)
    jobs.append(one.submit(**asked))
    for job, name in zip(jobs, ["many"] * count + ["one"], strict=True):
        job.add_done_callback(lambda _job, name=name: ended.append(name))
    for job in jobs:
        job.result()
    for client in (many, one):
        client.close()
    return {"flood": count, "before_the_other_user": ended.index("one")}


def long_session(address: str, count: int) -> dict[str, float]:
    """Memory of the server over `count` edits that one page makes, after the first twenty."""
    own = psutil.Process().children()
    (server,) = (one for one in own if "serve" in one.cmdline())
    texts = ("brighten the nose", "make the eyes teal", "blur the background", "darken the nose")
    start, begun = 0, time.monotonic()
    with browse(address) as browser:
        page = browser.open()
        choose(page, "cat")
        for i in range(count):
            assert say(page, texts[i % len(texts)]).startswith("Done"), i
            if i == min(20, count // 2):
                start = server.memory_info().rss
        seconds = (time.monotonic() - begun) / count
        states = page.locator("#history .ea-card").count()
        grown = (server.memory_info().rss - start) / 2**20
    assert not browser.troubles, browser.troubles
    return {
        "edits": count,
        "states": states,
        "grown_mb": round(grown, 1),
        "seconds_an_edit": round(seconds, 2),
    }


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--edits", type=int, default=200)
    every = ["jobs", "flood", "edits"]
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    asked = parser.parse_args()
    parts: dict[str, Callable[[str, Path], dict[str, Any]]] = {
        "jobs": lambda address, folder: concurrent(address, asked.jobs, folder),
        "flood": lambda address, folder: flood(address, 12, folder),
        "edits": lambda address, _: long_session(address, asked.edits),
    }
    found: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as name, serve(Path(name)) as (address, _):
        for part in asked.only:
            told = parts[part](address, Path(name))
            found |= told
            for key, value in told.items():
                print(f"{key:>22}  {value}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
