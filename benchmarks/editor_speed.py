"""How soon the web editor is ready and answers: start, page weight, first paint, click to region.

    python benchmarks/editor_speed.py [--clicks 10]

Starts `editanything serve` on this machine alone and looks at it with Chromium. A click counts from
the press until the selection is drawn. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image
from web import browse, choose, drop, serve

from editanything.examples import EXAMPLES

#: From the press to the frame in which the overlay's picture has been decoded and painted.
CLICK = """async ([x, y]) => {
  const frame = document.querySelector('#stage .ea-frame'), box = frame.getBoundingClientRect();
  const overlay = frame.querySelector('.ea-overlay'), before = overlay.src;
  const at = { bubbles: true, pointerId: 1, clientX: box.left + x * box.width,
               clientY: box.top + y * box.height };
  frame.setPointerCapture = () => {};
  const begun = performance.now();
  frame.dispatchEvent(new PointerEvent('pointerdown', at));
  frame.dispatchEvent(new PointerEvent('pointerup', at));
  while (overlay.src === before || !overlay.complete || overlay.hidden)
    await new Promise((done) => setTimeout(done, 4));
  await overlay.decode();
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
PAINT = """() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  bytes: performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
    .reduce((sum, one) => sum + (one.transferSize || 0), 0),
  files: performance.getEntriesByType('resource').length,
})"""


def clicks(page: Any, count: int) -> list[float]:
    """Milliseconds of each of several clicks at different places, cleared in between."""
    took = []
    for x, y in np.random.default_rng(0).uniform(0.15, 0.85, (count, 2)):
        took.append(page.evaluate(CLICK, [float(x), float(y)]))
        page.click("#stage .ea-clear")
        page.wait_for_selector("#stage .ea-clear:disabled", state="attached")
    return took


def cpu_of_children() -> float:
    """Seconds that the processes started from here have computed so far."""
    own = (one.cpu_times() for one in psutil.Process().children())
    return sum(times.user + times.system for times in own)


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=10)
    count = parser.parse_args().clicks
    found: dict[str, float] = {"load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = Image.open(EXAMPLES["coffee"].path).resize((6000, 4000), Image.Resampling.BICUBIC)
        photo.save(folder / "large.png", compress_level=1)
        with serve(folder) as (address, ready), browse(address) as browser:
            begun = time.monotonic()
            page = browser.open()
            found["server_up_s"] = round(ready, 2)
            found["server_up_cpu_s"] = round(cpu_of_children(), 2)
            found["page_usable_s"] = round(time.monotonic() - begun, 2)
            first = page.evaluate(PAINT)
            found["first_paint_ms"] = round(first["paint"])
            found["page_kb"] = round(first["bytes"] / 1000)
            found["page_files"] = first["files"]
            again = browser.open()
            found["second_first_paint_ms"] = round(again.evaluate(PAINT)["paint"])
            choose(page, "coffee")
            took = clicks(page, count)
            found["click_ms_median"] = round(float(np.median(took)))
            found["click_ms_worst"] = round(max(took))
            drop(page, folder / "large.png", "#left")
            page.wait_for_selector("#stage .ea-facts:has-text('6000')")
            took = clicks(page, max(3, count // 2))
            found["click_24mp_ms_median"] = round(float(np.median(took)))
            found["click_24mp_ms_worst"] = round(max(took))
    for key, value in found.items():
        print(f"{key:24} {value}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
