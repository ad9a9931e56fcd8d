"""The page as people use it, in a real browser."""

import time

import numpy as np
import pytest
from PIL import Image

from editanything.examples import EXAMPLES
from editanything.image import Picture

pytestmark = pytest.mark.browser


def choose_example(page, name):
    page.click(f"#examples button:has-text('{name}')")
    page.wait_for_selector("#stage .ea-name")


def upload(page, path, where="#head"):
    page.set_input_files(f"{where} input[type=file]", str(path))
    stage = "#stage" if where == "#head" else "#second"
    page.wait_for_function(
        "stage => document.querySelector(`${stage} img.ea-picture`)?.naturalWidth > 0", arg=stage
    )


def say(page, text):
    page.fill("#text textarea", text)
    page.press("#text textarea", "Enter")


def answer(page, kind="done"):
    page.wait_for_selector(f"#status .ea-{kind}")
    return page.inner_text(f"#status .ea-{kind}")


def wait_for_selection(page, stage="#stage"):
    page.wait_for_function(
        "stage => document.querySelector(`${stage} .ea-facts`).innerText.includes('selected')"
        " && !document.querySelector(`${stage} .ea-busy`)",
        arg=stage,
    )


def spot(page, x, y, size, stage="#stage"):
    """Where pixel (x, y) of a picture of `size` = (W, H) lies on the screen."""
    box = page.locator(f"{stage} .ea-frame").bounding_box()
    return (
        box["x"] + (x + 0.5) / size[0] * box["width"],
        box["y"] + (y + 0.5) / size[1] * box["height"],
    )


def drag(page, start, stop, steps=6):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*stop, steps=steps)
    page.mouse.up()


def download(page, kind="PNG"):
    if kind != "PNG":
        page.click("#format input")
        page.click(f"[role=option]:has-text('{kind}')")
    with page.expect_download() as waiting:
        page.click("#save")
    return waiting.value


def number_of_pictures(page, count):
    page.wait_for_function(
        "n => document.querySelectorAll('#history .ea-card').length === n", arg=count
    )


@pytest.fixture
def card(tmp_path):
    """A 16 bit PNG with a red card on it, large enough that its preview is reduced."""
    rng = np.random.default_rng(0)
    samples = np.full((1500, 2000, 3), 52000, np.uint16)
    samples[400:900, 600:1400] = (46000, 6000, 6000)
    samples += rng.integers(0, 1500, samples.shape, np.uint16)
    path = tmp_path / "card.png"
    Picture.open(samples).save(path)
    return path, samples


def test_the_first_edit_is_an_example_and_a_sentence(open_page):
    page = open_page()
    choose_example(page, "coffee")
    assert "make the saucer teal" in page.inner_text("#suggestions")
    assert page.locator("#stage .ea-name:has-text('spoon')").count() == 1
    say(page, "make the saucer teal")
    assert "every other pixel is as it was" in answer(page)
    page.wait_for_selector("#slider img >> nth=1")
    page.click("#suggestions button:has-text('brighten the handle')")
    number_of_pictures(page, 3)
    assert page.input_value("#text textarea") == "brighten the handle"


def test_upload_click_recolour_undo_redo_download_is_exact_outside_the_mask(open_page, card):
    path, samples = card
    page = open_page()
    upload(page, path)
    assert "16 bit" in page.inner_text("#stage .ea-facts")
    page.mouse.click(*spot(page, 1000, 650, (2000, 1500)))
    wait_for_selection(page)
    say(page, "make it teal")
    answer(page)
    number_of_pictures(page, 2)
    page.click("#title")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#redo:enabled")
    page.keyboard.press("Control+y")
    page.wait_for_selector("#redo:disabled")
    saved = download(page)
    assert saved.suggested_filename == "card-edited.png"
    result = Picture.open(saved.path()).samples
    assert result.dtype == np.uint16
    changed = (result != samples).any(2)
    ys, xs = np.nonzero(changed)
    assert changed[420:880, 620:1380].mean() > 0.99
    assert (ys.min(), xs.min()) >= (390, 590)
    assert (ys.max(), xs.max()) <= (910, 1410)
    tiff = download(page, "TIFF")
    assert np.array_equal(Picture.open(tiff.path()).samples, result)


def test_sentences_for_what_an_unknown_photograph_shows_come_by_themselves(open_page, tmp_path):
    picture = Picture.open(EXAMPLES["cat"].path).rgb().copy()
    picture[0, 0] ^= 1  # no longer the example, whose parts have names
    Image.fromarray(picture).save(tmp_path / "mine.png")
    page = open_page()
    upload(page, tmp_path / "mine.png")
    page.wait_for_selector("#suggestions button:has-text('brighten the picture')")
    page.click("#suggestions button:has-text('make the cat teal')", timeout=60_000)
    assert "make the cat teal" in answer(page)


def test_clicks_land_on_the_very_pixel_also_on_a_reduced_preview(open_page, tmp_path):
    size = (2400, 1600)
    Image.new("RGB", size, (90, 120, 150)).save(tmp_path / "plain.png")
    page = open_page()
    upload(page, tmp_path / "plain.png")
    page.click("#stage [data-tool=brush]")
    page.fill("#stage .ea-brush-size input", "2")
    for at in ((0, 0), (2399, 1599), (1234, 777)):
        page.mouse.click(*spot(page, *at, size))
        wait_for_selection(page)
    say(page, "make it black")
    answer(page)
    edited = np.array(Image.open(download(page).path()).convert("L")) < 90
    assert edited[0, 0]
    assert edited[1599, 2399]
    ys, xs = np.nonzero(edited[700:850, 1150:1320])
    assert (xs.mean() + 1150, ys.mean() + 700) == pytest.approx((1234, 777), abs=2.5)


def test_brush_and_eraser(open_page):
    page = open_page()
    choose_example(page, "cat")
    size = (451, 300)
    page.click("#stage [data-tool=brush]")
    drag(page, spot(page, 100, 80, size), spot(page, 300, 80, size))
    wait_for_selection(page)
    before = page.inner_text("#stage .ea-facts")
    page.click("#stage [data-tool=eraser]")
    drag(page, spot(page, 200, 60, size), spot(page, 200, 100, size))
    page.wait_for_function(
        "t => document.querySelector('#stage .ea-facts').innerText !== t", arg=before
    )
    page.click("#stage .ea-clear")
    page.wait_for_selector("#stage .ea-clear:disabled", state="attached")
    assert "selected" not in page.inner_text("#stage .ea-facts")


def test_a_box_by_dragging_and_by_two_clicks(open_page, card):
    path, _ = card
    size = (2000, 1500)
    page = open_page()
    upload(page, path)
    page.click("#stage [data-tool=box]")
    drag(page, spot(page, 550, 350, size), spot(page, 1450, 950, size))
    wait_for_selection(page)
    by_dragging = page.inner_text("#stage .ea-facts")
    page.click("#stage .ea-clear")
    page.wait_for_selector("#stage .ea-clear:disabled", state="attached")
    page.mouse.click(*spot(page, 550, 350, size))
    page.mouse.click(*spot(page, 1450, 950, size))
    wait_for_selection(page)
    assert page.inner_text("#stage .ea-facts") == by_dragging
    assert "13." in by_dragging, "the card is 13.3 % of the picture"


def test_regions_can_be_picked_by_name_and_on_the_picture(open_page):
    page = open_page()
    choose_example(page, "cat")
    page.click("#stage [aria-label='Select the nose']")
    wait_for_selection(page)
    page.click("#stage .ea-clear")
    page.wait_for_selector("#stage .ea-clear:disabled", state="attached")
    page.click("#stage [data-tool=region]")
    page.wait_for_selector("#stage .ea-frame[data-regions=ready]")
    page.mouse.move(*spot(page, 172, 113, (451, 300)))
    page.wait_for_selector("#stage .ea-tip:has-text('eye')")
    page.mouse.click(*spot(page, 172, 113, (451, 300)))
    wait_for_selection(page)
    say(page, "pixelate it")
    answer(page)


def test_a_refusal_is_one_friendly_sentence_and_nothing_is_lost(open_page):
    page = open_page()
    choose_example(page, "cat")
    for text, said in (("make the eye blue", "Which of the 2"), ("flurb the wug", "flurb")):
        say(page, text)
        page.wait_for_function(
            "t => document.querySelector('#status .ea-ask')?.innerText.includes(t)", arg=said
        )
        assert page.is_visible("#run")
        assert page.input_value("#text textarea") == text
    assert page.locator("#history .ea-card").count() == 1
    assert page.locator(".toast-body").count() == 0
    assert "Traceback" not in page.inner_text("body")


def test_a_broken_file_is_one_sentence(open_page, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    page = open_page()
    choose_example(page, "coffee")
    page.set_input_files("#head input[type=file]", str(tmp_path / "broken.png"))
    said = answer(page, "ask")
    assert "broken.png" in said
    assert str(tmp_path) not in said
    assert page.is_visible("#stage img.ea-picture")


def test_a_plan_can_be_looked_at_and_steps_left_out(open_page):
    page = open_page()
    choose_example(page, "coffee")
    page.fill("#text textarea", "make the saucer teal and brighten the coffee")
    page.click("#show-plan")
    page.wait_for_selector("#steps label >> nth=1")
    assert page.locator("#history .ea-card").count() == 1
    page.uncheck("#steps input >> nth=0")
    page.wait_for_timeout(300)
    page.click("#run")
    said = answer(page)
    assert "brighten" in said
    assert "teal" not in said


def test_typed_commands_of_the_session(open_page):
    page = open_page()
    choose_example(page, "coffee")
    say(page, "brighten the cup")
    number_of_pictures(page, 2)
    say(page, "undo")
    page.wait_for_selector(".ea-done:has-text('Undone: 1 step')")
    say(page, "redo")
    page.wait_for_selector(".ea-done:has-text('Redone: 1 step')")
    say(page, "select the cup")
    page.wait_for_selector(".ea-done:has-text('Selected the cup')")
    wait_for_selection(page)
    say(page, "compare")
    page.wait_for_selector("#slider img")
    say(page, "give me four variations")
    page.wait_for_selector(".ea-done:has-text('nothing to chance')")


def test_a_second_picture_is_taken_from_and_may_be_an_example_too(open_page):
    page = open_page()
    choose_example(page, "coffee")
    page.click("#second-panel button >> nth=0")
    upload(page, EXAMPLES["cat"].path, "#second-panel")
    page.click("#second .ea-name:has-text('cat')")
    wait_for_selection(page, "#second")
    page.click("#drop-second")
    page.wait_for_selector("#second", state="hidden")
    upload(page, EXAMPLES["rocket"].path, "#second-panel")
    say(page, "use image B as the background")
    answer(page)
    number_of_pictures(page, 2)
    page.reload()
    page.wait_for_selector("#examples button img")


def test_cancel_takes_effect_within_a_second_and_others_go_on(open_page, tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (1500, 2200, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png", compress_level=1)
    page, other = open_page(), open_page()
    choose_example(other, "cat")
    upload(page, tmp_path / "noise.png")
    page.click("#stage [data-tool=brush]")
    page.fill("#stage .ea-brush-size input", "80")
    drag(page, spot(page, 400, 300, (2200, 1500)), spot(page, 1700, 1200, (2200, 1500)))
    wait_for_selection(page)
    say(page, "remove it")
    page.wait_for_selector("#cancel")
    say(other, "blur the background")
    page.wait_for_timeout(700)
    begun = time.monotonic()
    page.keyboard.press("Escape")
    page.wait_for_selector("#status .ea-info:has-text('Stopped')")
    assert time.monotonic() - begun < 4, "a second, and what a busy machine adds"
    assert page.is_visible("#run")
    assert page.locator("#history .ea-card").count() == 1
    assert "blur the background" in answer(other)


def test_enter_pressed_twice_runs_once(open_page):
    page = open_page()
    choose_example(page, "astronaut")
    say(page, "remove the shuttle")
    page.wait_for_selector("#cancel")
    page.press("#text textarea", "Enter")
    answer(page)
    number_of_pictures(page, 2)
    page.wait_for_selector("#run")


def test_the_stage_can_be_used_with_the_keyboard(open_page):
    page = open_page()
    choose_example(page, "cat")
    page.focus("#stage .ea-frame")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    wait_for_selection(page)


def test_a_tab_that_is_closed_leaves_nothing_behind(open_page, web_editor_folder):
    before = set(web_editor_folder.glob("editanything-*"))
    page = open_page()
    choose_example(page, "cat")
    made = set(web_editor_folder.glob("editanything-*")) - before
    assert len(made) == 1
    page.close()
    deadline = time.monotonic() + 20
    while any(folder.exists() for folder in made) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(folder.exists() for folder in made)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling_and_the_text_is_readable(open_page, scheme):
    page = open_page(390, 844, color_scheme=scheme, has_touch=True)
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wide)
    choose_example(page, "astronaut")
    page.tap("#stage .ea-name >> nth=0")
    wait_for_selection(page)
    say(page, "make it brighter")
    answer(page)
    assert not page.evaluate(wide)
    page.set_viewport_size({"width": 768, "height": 1024})
    assert not page.evaluate(wide)
    for place in ("#title h1", "#text label span", ".ea-done span", ".ea-card span"):
        assert page.evaluate(CONTRAST, place) >= 4.5, place


#: WCAG 2 contrast ratio of an element's text on the nearest background that is not transparent.
CONTRAST = """(place) => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = document.querySelector(place);
  const ink = luminance(getComputedStyle(ground).color);
  while (/rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(ground).backgroundColor))
    ground = ground.parentElement;
  const paper = luminance(getComputedStyle(ground).backgroundColor);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""
