"""Journeys through the Edit tab; `journeys.py` runs them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from web import (
    Browser,
    answer,
    changed,
    choose,
    download,
    drag,
    drop,
    pictures,
    say,
    selected,
    spot,
    touch,
)

from editanything.examples import EXAMPLES
from editanything.image import Picture


@dataclass(frozen=True)
class Way:
    """What a journey has at hand."""

    browser: Browser
    folder: Path  # for its files
    shots: dict[str, Image.Image]  # name -> picture

    def shoot(self, name: str, page: Any, wait_ms: int = 900) -> None:
        """Keep what the window shows."""
        page.wait_for_timeout(wait_ms)
        page.mouse.move(1, 1)
        self.shots[name] = Image.open(BytesIO(page.screenshot())).convert("RGB")


def first_edit(way: Way) -> None:
    """An example, a sentence that is offered, before and after, the result with its recipe."""
    page = way.browser.open()
    way.shoot("start", page)
    choose(page, "coffee")
    page.click("#suggestions button:has-text('make the saucer teal')")
    pictures(page, 2)
    assert "every other pixel is as it was" in answer(page)
    page.wait_for_selector("#slider img >> nth=1")
    saved = Picture.open(download(page, "#save", way.folder / "first.png"))
    assert "make the saucer teal" in str(saved.recipe)
    way.shoot("first_edit", page)


def own_picture(way: Way) -> None:
    """A file is dropped; clicks add and take away; the thing is recoloured, exactly."""
    source = way.folder / "card.png"
    pixels = np.full((600, 800, 3), 225, np.uint8)
    pixels[150:450, 100:350], pixels[150:450, 450:700] = (40, 60, 170), (180, 30, 30)
    pixels += np.random.default_rng(0).integers(0, 8, pixels.shape, np.uint8)
    Image.fromarray(pixels).save(source)
    page = way.browser.open()
    drop(page, source, "#drop")
    page.wait_for_selector("#stage .ea-facts:has-text('800 × 600')")
    page.mouse.click(*spot(page, 0.28, 0.5))
    one = selected(page)
    page.mouse.click(*spot(page, 0.72, 0.5))
    changed(page, one)
    page.click("#stage [data-mode=remove]")
    page.mouse.click(*spot(page, 0.28, 0.5))
    page.wait_for_function("document.querySelectorAll('#stage .ea-dots i').length === 3")
    selected(page)
    way.shoot("own_picture", page)
    say(page, "make it green")
    saved = np.array(Image.open(download(page, "#save", way.folder / "green.png")))
    differs = (saved != pixels).any(2)
    assert differs[200:400, 500:650].mean() > 0.99
    assert not differs[:, :400].any()


def box_brush_eraser(way: Way) -> None:
    """A box, then more by the brush, then less by the eraser; all else is blurred."""
    page = way.browser.open()
    choose(page, "rocket")
    page.click("#stage [data-tool=box]")
    drag(page, spot(page, 0.44, 0.25), spot(page, 0.56, 0.95))
    facts = [selected(page)]
    page.click("#stage [data-tool=brush]")
    page.fill("#stage .ea-brush-size input", "60")
    for tool, points in (
        ("brush", [(0.2, 0.75), (0.35, 0.6), (0.4, 0.8)]),
        ("eraser", [(0.25, 0.6), (0.3, 0.8)]),
    ):
        page.click(f"#stage [data-tool={tool}]")
        drag(page, *(spot(page, *point) for point in points))
        changed(page, facts[-1])
        facts.append(selected(page))
    way.shoot("box_brush_eraser", page)
    assert "every other pixel" in say(page, "blur everything else")


def words_and_digits(way: Way) -> None:
    """Regions by words, by digits, by their names over the picture."""
    page = way.browser.open()
    choose(page, "astronaut")
    page.click("#stage [data-tool=region]")
    page.wait_for_selector("#stage .ea-frame[data-regions=ready]")
    page.mouse.move(*spot(page, 0.32, 0.6))
    page.wait_for_selector("#stage .ea-tip:not([hidden])")
    page.click("#title")
    page.keyboard.press("1")
    selected(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("#stage .ea-clear:disabled", state="attached")
    assert "Selected" in say(page, "select the helmet")
    selected(page)
    way.shoot("words_and_digits", page)
    say(page, "make it gold")
    pictures(page, 2)


def plan(way: Way) -> None:
    """The plan is seen, what belongs to it switched on the picture, a step changed, run alone."""
    page = way.browser.open(1280, 800)
    choose(page, "coffee")
    page.fill("#text textarea", "remove the saucer and make the spoon gold")
    page.click("#show-plan")
    page.wait_for_selector("#steps ol li >> nth=1")
    page.click("#stage .ea-related:has-text('handle')")
    page.wait_for_selector("#stage .ea-related[aria-pressed=true]:has-text('handle')")
    page.click("#steps ol li >> nth=1 >> [title=Change]")
    page.fill("#steps [data-key='1 prompt']", "blue")
    page.press("#steps [data-key='1 prompt']", "Enter")
    page.wait_for_selector("#steps ol li >> nth=1 >> :text('blue')")
    way.shoot("plan", page)
    page.click("#steps ol li >> nth=1 >> [title=Earlier]")
    page.wait_for_selector("#steps ol li >> nth=0 >> :text('blue')")
    page.uncheck("#steps ol li >> nth=1 >> input")
    page.click("#steps ol li >> nth=0 >> [title='Run this step alone']")
    pictures(page, 2)
    done = answer(page)
    assert "blue" in done
    assert "saucer" not in done


def question(way: Way) -> None:
    """A question comes back, a click answers it; nonsense is one sentence."""
    page = way.browser.open()
    choose(page, "cat")
    assert "Which of the 2" in say(page, "make the eye blue")
    way.shoot("question", page)
    page.click("#stage .ea-name:has-text('eye') >> nth=0")
    selected(page)
    assert "Done" in say(page, "make it blue")
    page.fill("#text textarea", "flurb the wug")
    page.press("#text textarea", "Enter")
    page.wait_for_selector("#status .ea-ask:has-text('flurb')")


def variations(way: Way) -> None:
    """Four variations of a drawing; one is taken."""
    page = way.browser.open()
    choose(page, "rocket")
    say(page, "add a tiger on the left")
    pictures(page, 2)
    assert "4 variations" in say(page, "give me four variations")
    page.wait_for_selector("#variations .ea-card >> nth=3")
    way.shoot("variations", page)
    page.click("#variations .ea-card >> nth=2")
    pictures(page, 3)


def branches(way: Way) -> None:
    """Undo, another way, two results of different branches side by side; by keys."""
    page = way.browser.open()
    choose(page, "coffee")
    say(page, "make the saucer teal")
    pictures(page, 2)
    page.click("#title")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#redo:enabled")
    say(page, "pixelate the cup")
    pictures(page, 3)
    page.click("#history .ea-state:has-text('teal') .ea-other")
    page.wait_for_selector("#history .ea-other[aria-pressed=true]")
    page.wait_for_selector("#slider img >> nth=1")
    way.shoot("branches", page)
    page.click("#title")
    page.keyboard.press("b")
    page.wait_for_selector("#slider", state="hidden")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#undo:disabled")
    page.keyboard.press("Control+y")
    page.wait_for_selector("#undo:enabled")


def recipe(way: Way) -> None:
    """A saved picture is dropped on the history of its original: the same bytes again."""
    page = way.browser.open()
    choose(page, "coffee")
    say(page, "make the saucer teal")
    say(page, "remove the spoon")
    pictures(page, 3)
    saved = download(page, "#save", way.folder / "twice.png")
    page = way.browser.open()
    choose(page, "coffee")
    drop(page, saved, "#past")
    pictures(page, 3)
    assert "2 edits" in answer(page)
    way.shoot("recipe", page)
    again = download(page, "#save", way.folder / "again.png")
    assert saved.read_bytes() == again.read_bytes()


def second_picture(way: Way) -> None:
    """A second picture becomes the background."""
    page = way.browser.open()
    choose(page, "cat")
    page.click("#second-panel button >> nth=0")
    drop(page, EXAMPLES["galaxies"].path, "#second-panel")
    page.wait_for_selector("#second img.ea-picture:not([hidden])")
    assert "Done" in say(page, "use image B as the background")
    pictures(page, 2)
    way.shoot("second_picture", page)


def phone(way: Way) -> None:
    """On a phone, in the dark, in Spanish, drawn with a finger."""
    settings = {"color_scheme": "dark", "locale": "es-ES", "has_touch": True}
    page = way.browser.open(390, 844, device_scale_factor=2, **settings)
    choose(page, "cat")
    page.tap("#stage [data-tool=brush]")
    page.fill("#stage .ea-brush-size input", "40")
    touch(page, *(spot(page, x, 0.3) for x in (0.3, 0.4, 0.5, 0.6)))
    assert "seleccionado" in selected(page)
    page.fill("#text textarea", "make it pink")
    way.shoot("phone", page)
    page.tap("#run")
    pictures(page, 2)
    assert "Hecho" in answer(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def cancel(way: Way) -> None:
    """Two people at once: one sees her picture come about and stops it, the other's goes on."""
    rng = np.random.default_rng(2)
    noise = Image.fromarray(rng.integers(0, 256, (1500, 2200, 3), np.uint8))
    noise.save(way.folder / "noise.png", compress_level=1)
    page, other = way.browser.open(), way.browser.open()
    choose(other, "cat")
    drop(page, way.folder / "noise.png", "#drop")
    page.wait_for_selector("#stage .ea-facts:has-text('2200')")
    page.click("#stage [data-tool=brush]")
    page.fill("#stage .ea-brush-size input", "80")
    drag(page, spot(page, 0.2, 0.2), spot(page, 0.8, 0.8))
    selected(page)
    page.fill("#text textarea", "remove it")
    page.press("#text textarea", "Enter")
    page.wait_for_selector("#stage .ea-preview:not([hidden])")
    way.shoot("cancel", page, wait_ms=100)
    other.fill("#text textarea", "blur the background")
    other.press("#text textarea", "Enter")
    begun = time.monotonic()
    page.keyboard.press("Escape")
    page.wait_for_selector("#status .ea-info:has-text('Stopped')")
    assert time.monotonic() - begun < 5
    pictures(other, 2)
    assert page.locator("#history .ea-card").count() == 1
