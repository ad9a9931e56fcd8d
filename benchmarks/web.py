"""The web editor started for a benchmark, and a Chromium that looks at it."""

from __future__ import annotations

import base64
import mimetypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from editanything.ui.launch import free_port

SWITCHES = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[tuple[str, float]]:
    """`editanything serve`, working in `folder`: (address, seconds until it is up)."""
    port = free_port("127.0.0.1")
    environment = dict(os.environ) | {"GRADIO_TEMP_DIR": str(folder / "gradio")}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    begun = time.monotonic()
    app = subprocess.Popen(  # noqa: S603 - our own server
        [sys.executable, "-m", "editanything", "serve", "--port", str(port), *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert app.stdout is not None
        while "is at" not in (line := app.stdout.readline()):
            assert line or app.poll() is None, "the server did not start"
        yield f"http://localhost:{port}", time.monotonic() - begun
    finally:
        app.send_signal(signal.SIGINT)
        app.wait(timeout=60)


@dataclass(eq=False)
class Browser:
    """Opens pages, each in a context of its own; notes what goes wrong in them."""

    address: str
    chromium: Any
    troubles: list[str] = field(default_factory=list)  # errors and warnings of the console
    outside: list[str] = field(default_factory=list)  # requests that leave this machine

    def open(self, width: int = 1400, height: int = 900, **settings: Any) -> Any:
        """A page that shows the editor."""
        size = {"width": width, "height": height}
        page = self.chromium.new_context(viewport=size, **settings).new_page()
        page.set_default_timeout(120_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        page.goto(self.address, wait_until="domcontentloaded")
        page.wait_for_selector("#examples button img")
        return page

    def _hear(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.troubles.append(said.text)

    def _note(self, url: str) -> None:
        place = urlparse(url)
        if place.scheme in ("http", "https", "ws", "wss") and place.hostname != "localhost":
            self.outside.append(url)


@contextmanager
def browse(address: str) -> Iterator[Browser]:
    """A Chromium over the editor at `address`."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield Browser(address, chromium)
        chromium.close()


def choose(page: Any, name: str) -> None:
    """Open an example photo and wait until it is there."""
    page.click(f"#examples button:has-text('{name}')")
    page.wait_for_selector("#stage .ea-name")


def say(page: Any, text: str) -> str:
    """Type a command, run it, and return what is answered."""
    page.fill("#text textarea", text)
    page.evaluate("document.querySelector('#status .ea-status')?.setAttribute('data-old', '')")
    page.press("#text textarea", "Enter")
    return answer(page)


def answer(page: Any) -> str:
    """What the editor says once it has ended."""
    page.wait_for_selector("#status :is(.ea-done, .ea-ask, .ea-info):not([data-old])")
    page.wait_for_selector("#run:visible")
    return page.inner_text("#status")


def pictures(page: Any, count: int) -> None:
    """Wait until the history holds `count` pictures."""
    page.wait_for_function(
        "n => document.querySelectorAll('#history .ea-card').length === n", arg=count
    )


def selected(page: Any, stage: str = "#stage") -> str:
    """Wait for a selection; returns the line about it."""
    page.wait_for_function(
        "stage => document.querySelector(`${stage} .ea-clear:enabled`)"
        " && !document.querySelector(`${stage} .ea-busy`)",
        arg=stage,
    )
    return page.inner_text(f"{stage} .ea-facts")


def changed(page: Any, facts: str) -> None:
    """Wait until the line about the picture is no longer `facts`."""
    page.wait_for_function(
        "t => document.querySelector('#stage .ea-facts').innerText !== t", arg=facts
    )


def spot(page: Any, x: float, y: float, stage: str = "#stage") -> tuple[float, float]:
    """Where the point at shares (x, y) of the picture lies on the screen."""
    box = page.locator(f"{stage} .ea-frame").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Any, *points: tuple[float, float]) -> None:
    """Press at the first point, go through all, let go at the last."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def touch(page: Any, *points: tuple[float, float]) -> None:
    """A finger through the points."""
    client = page.context.new_cdp_session(page)
    kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
    for kind, (x, y) in zip(kinds, points, strict=True):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def drop(page: Any, path: Path, place: str) -> None:
    """Drop a file on an element."""
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(
        """([data, name, type, place]) => {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], name, { type }));
          const event = { dataTransfer: carried, bubbles: true, cancelable: true };
          document.querySelector(place).dispatchEvent(new DragEvent('drop', event));
        }""",
        [data, path.name, mimetypes.guess_type(path.name)[0] or "", place],
    )


def download(page: Any, button: str, path: Path) -> Path:
    """Press a button and keep what it gives."""
    with page.expect_download() as waiting:
        page.click(button)
    waiting.value.save_as(path)
    return path
