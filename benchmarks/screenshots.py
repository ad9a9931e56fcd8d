"""The pictures of the README and the docs, made from the running app.

    python benchmarks/screenshots.py [--out docs/pictures]

Needs Playwright (the dev extra) and a Chromium. Takes half a minute. The last line is JSON: the
files and their sizes in bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editanything import Editor
from editanything.examples import EXAMPLES
from editanything.ui.launch import free_port

ROOT = Path(__file__).parents[1]
COMMAND = "make the saucer teal and remove the spoon"
GAP_PX = 16


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    made = {"before-after.png": before_after(), **dict(screenshots())}
    sizes = {}
    for name, image in made.items():
        image.save(out / name, optimize=True)
        sizes[name] = (out / name).stat().st_size
        print(f"{name:20} {image.width} x {image.height}, {sizes[name] / 1000:.0f} kB")
    print(json.dumps(sizes))


def before_after() -> Image.Image:
    """The photo and its edit side by side."""
    example = EXAMPLES["coffee"]
    before = np.array(Image.open(example.path).convert("RGB"))
    after = Editor.from_preset().edit(before, COMMAND).image
    gap = np.full((before.shape[0], GAP_PX, 4), 0, np.uint8)
    opaque = [np.dstack([part, np.full(part.shape[:2], 255, np.uint8)]) for part in (before, after)]
    return Image.fromarray(np.hstack([opaque[0], gap, opaque[1]]))


def screenshots() -> Iterator[tuple[str, Image.Image]]:
    """The page at its main moments, wide and on a phone."""
    with browser() as open_page:
        page = open_page(1280, 800, "light")
        yield "start.png", shot(page)
        choose(page, "coffee")
        page.fill("#text textarea", COMMAND)
        page.click("#show-plan")
        page.wait_for_selector("#steps label >> nth=1")
        page.wait_for_timeout(500)
        yield "plan.png", shot(page)
        page.click("#run")
        page.wait_for_selector("#status .ea-done")
        page.wait_for_timeout(1000)
        yield "editor.png", shot(page)
        page = open_page(390, 844, "dark")
        choose(page, "cat")
        page.click("#stage .ea-name:has-text('nose')")
        page.wait_for_selector("#stage .ea-overlay:not([hidden])")
        page.fill("#text textarea", "make it pink")
        page.wait_for_timeout(1000)
        yield "phone.png", shot(page)


def choose(page: Any, name: str) -> None:
    """Open an example photo and wait until it is there."""
    page.click(f"#examples button:has-text('{name}')")
    page.wait_for_function("document.querySelector('#stage .ea-picture')?.naturalWidth > 0")


def shot(page: Any) -> Image.Image:
    """What the window shows."""
    page.mouse.move(1, 1)
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


@contextmanager
def browser() -> Iterator[Any]:
    """A function `(width, height, colour scheme) -> page` of the app, started for the purpose."""
    from playwright.sync_api import sync_playwright

    port = free_port("127.0.0.1")
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ) | {
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_TEMP_DIR": folder,
        }
        environment.pop("DISPLAY", None)
        environment.pop("WAYLAND_DISPLAY", None)
        app = subprocess.Popen(  # noqa: S603 - our own app
            [sys.executable, str(ROOT / "app.py")], env=environment, stdout=subprocess.PIPE
        )
        try:
            assert app.stdout is not None
            app.stdout.readline()
            with sync_playwright() as playwright:
                path = shutil.which("chromium") or shutil.which("google-chrome")
                chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])

                def open_page(width: int, height: int, scheme: Any) -> Any:
                    page = chromium.new_page(
                        viewport={"width": width, "height": height}, color_scheme=scheme
                    )
                    page.goto(f"http://localhost:{port}", wait_until="domcontentloaded")
                    page.wait_for_selector("#examples button img")
                    page.wait_for_timeout(500)
                    return page

                yield open_page
                chromium.close()
        finally:
            app.terminate()
            app.wait()


if __name__ == "__main__":
    main()
