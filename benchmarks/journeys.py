"""What people do with the web editor, from end to end in a real browser, each with a picture.

    python benchmarks/journeys.py [--out journeys] [--only NAME ...] [--pictures docs/pictures]

Starts the editor on this machine alone. A journey passes if it ends as it should, with no error or
warning in the browser's console and no request that leaves this machine. `--pictures` renews the
pictures of the README and the docs, which are those of the journeys. Takes some minutes; prints a
table, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from journeys_edit import (
    Way,
    box_brush_eraser,
    branches,
    cancel,
    first_edit,
    own_picture,
    phone,
    plan,
    question,
    recipe,
    second_picture,
    variations,
    words_and_digits,
)
from PIL import Image
from web import browse, choose, say, serve

from editanything import Editor
from editanything.examples import EXAMPLES

COMMAND = "make the saucer teal and remove the spoon"
GAP_PX = 16


def combine(way: Way) -> None:
    """A part of one picture goes into another, which is then edited on."""
    page = way.browser.open()
    page.get_by_role("tab", name="Combine", exact=True).click()
    page.click("#combine-example")
    page.wait_for_selector("#combine-second .ea-name")
    page.click("#combine-tries button:has-text('on the right')")
    page.wait_for_selector("#combine-status .ea-done")
    page.wait_for_selector("#combine-slider img >> nth=1")
    page.locator("#combine-use").scroll_into_view_if_needed()
    way.shoot("combine", page)
    page.click("#combine-use")
    page.wait_for_selector("#stage img.ea-picture:not([hidden])")
    assert "Done" in say(page, "brighten the picture")


def generate(way: Way) -> None:
    """Four things are drawn and seen as they come about; one is edited."""
    page = way.browser.open()
    page.get_by_role("tab", name="Generate", exact=True).click()
    page.click("#generate-settings button >> nth=0")
    page.click("#generate-animation label:has-text('WebP')")
    page.click("#generate-tries button >> nth=0")
    page.wait_for_selector("#generate-coming .ea-preview:not([hidden])")
    page.wait_for_selector("#generate-status .ea-done")
    page.wait_for_selector("#generate-moving img")
    page.click("#generate-settings button >> nth=0")
    page.evaluate("scrollTo(0, 0)")
    way.shoot("generate", page)
    page.click("#generated button:has(img) >> nth=2")
    page.wait_for_selector("#generate-use:has-text('3')")
    page.keyboard.press("Escape")
    page.locator("#generate-use").dispatch_event("click")
    page.wait_for_selector("#stage img.ea-picture:not([hidden])")


def train(way: Way) -> None:
    """A folder of pictures is learned, stopped, gone on with, drawn with and edited with."""
    home, rng = way.folder / "pictures", np.random.default_rng(0)
    for name, colour in (("card", (190, 40, 40)), ("tile", (40, 60, 190))):
        (home / name).mkdir(parents=True)
        for i in range(8):
            pixels = np.clip(np.array(colour) + rng.integers(-30, 30, (48, 48, 3)), 0, 255)
            pixels[12:36, 12:36] = 255 - pixels[12:36, 12:36]
            Image.fromarray(pixels.astype(np.uint8)).save(home / name / f"{i}.png")
    page = way.browser.open()
    page.get_by_role("tab", name="Train", exact=True).click()
    for name, text in (("folder", str(home)), ("name", "journey"), ("steps", "150")):
        page.fill(f"#train-{name} :is(input, textarea)", text)
    page.click("#train-start")
    page.wait_for_selector("#train-grid img", timeout=400_000)
    way.shoot("train", page)
    page.click("#train-stop")
    page.wait_for_selector("#train-told :text('Stopped at step')")
    page.click("#train-resume")
    page.wait_for_selector("#train-told .ea-done:has-text('150')", timeout=400_000)
    page.click("#train-use")
    page.wait_for_selector("#generate-tries button:has-text('card, tile')")
    page.click("#generate-run")
    page.wait_for_selector("#generate-status .ea-done")
    page.get_by_role("tab", name="Train", exact=True).click()
    page.click("#train-edit")
    page.wait_for_selector("#start")
    choose(page, "coffee")
    assert "Done: add tile" in say(page, "add a tile on the right")
    way.shoot("train_edit", page)


def models(way: Way) -> None:
    """What each preset needs; one that lacks its files is refused with what brings them."""
    page = way.browser.open()
    page.get_by_role("tab", name="Models", exact=True).click()
    page.wait_for_selector("#models-table td")
    way.shoot("models", page)
    page.fill("#models-choice input", "sdxl")
    page.press("#models-choice input", "Enter")
    page.click("#models-use")
    page.wait_for_selector("#models-status .ea-ask:has-text('hf download')")


JOURNEYS: dict[str, Callable[[Way], None]] = {
    function.__name__: function
    for function in (
        first_edit, own_picture, box_brush_eraser, words_and_digits, plan, question, variations,
        branches, recipe, second_picture, combine, generate, train, models, phone, cancel,
    )
}  # fmt: skip
#: Pictures of the docs -> the journey's picture.
PICTURES = {
    "start.png": "start",
    "plan.png": "plan",
    "editor.png": "first_edit",
    "phone.png": "phone",
    "generate.png": "generate",
    "train.png": "train",
}


def travel(name: str, way: Way) -> tuple[str, float]:
    """(what went wrong or "", seconds) of one journey."""
    browser, begun = way.browser, time.monotonic()
    wrong = ""
    try:
        JOURNEYS[name](way)
    except Exception as error:  # noqa: BLE001 - told in the table; the next journey goes on
        wrong = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        for i, page in enumerate(p for c in browser.chromium.contexts for p in c.pages):
            way.shots[f"{name}-failed-{i}"] = Image.open(BytesIO(page.screenshot())).convert("RGB")
    for context in list(browser.chromium.contexts):
        context.close()
    wrong = "; ".join(filter(None, [wrong, *browser.troubles, *browser.outside]))
    browser.troubles.clear()
    browser.outside.clear()
    return wrong, time.monotonic() - begun


def before_after() -> Image.Image:
    """A photo and its edit side by side."""
    before = np.array(Image.open(EXAMPLES["coffee"].path).convert("RGB"))
    after = Editor.from_preset().edit(before, COMMAND).image
    gap = np.full((before.shape[0], GAP_PX, 4), 0, np.uint8)
    opaque = [np.dstack([part, np.full(part.shape[:2], 255, np.uint8)]) for part in (before, after)]
    return Image.fromarray(np.hstack([opaque[0], gap, opaque[1]]))


def main() -> None:
    """Travel, print the table and the JSON line; exit 1 where a journey failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path("journeys"), help="for their pictures")
    parser.add_argument("--only", nargs="+", choices=list(JOURNEYS), default=list(JOURNEYS))
    parser.add_argument("--pictures", type=Path, help="folder of the docs' pictures, to renew")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    shots: dict[str, Image.Image] = {}
    told = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(folder) as (address, _), browse(address) as browser:
            for journey in asked.only:
                wrong, seconds = travel(journey, Way(browser, folder, shots))
                told[journey] = {"passed": not wrong, "seconds": round(seconds, 1)}
                state = "FAILED" if wrong else "passed"
                print(f"{journey:18} {state} {seconds:6.1f} s {wrong}", flush=True)
    for key, image in shots.items():
        image.save(asked.out / f"{key}.png")
    if asked.pictures is not None:
        before_after().save(asked.pictures / "before-after.png", optimize=True)
        for file, key in PICTURES.items():
            if key in shots:
                shots[key].save(asked.pictures / file, optimize=True)
    passed = sum(one["passed"] for one in told.values())
    print(json.dumps({"passed": passed, "of": len(told), "journeys": told}))
    sys.exit(passed < len(told))


if __name__ == "__main__":
    main()
