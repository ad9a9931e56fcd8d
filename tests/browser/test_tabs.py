"""The tabs beside Edit, in a real browser."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editanything.editor import Editor
from editanything.examples import EXAMPLES

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth > innerWidth"


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def answer(page, where, kind="done"):
    page.wait_for_selector(f"#{where}-status .ea-{kind}", timeout=90_000)
    return page.inner_text(f"#{where}-status .ea-{kind}")


def test_things_are_drawn_by_name_refused_with_what_is_near_and_edited(open_page):
    page = open_page()
    tab(page, "Generate")
    page.fill("#generate-what textarea", "tigr")
    page.click("#generate-run")
    assert "tiger" in answer(page, "generate", "ask")
    page.click("#generate-settings button >> nth=0")
    page.fill("#generate-steps input[type=number]", "2")
    page.fill("#generate-what textarea", "tiger, red apple")
    page.press("#generate-what textarea", "Enter")
    assert "4 pictures drawn" in answer(page, "generate")
    page.wait_for_selector("#generated img >> nth=3")
    assert not page.evaluate(WIDE)
    page.fill("#generate-what textarea", "tigr")
    page.click("#generate-run")
    assert "tiger" in answer(page, "generate", "ask")
    page.click("#generate-use")  # what was drawn before is still there
    page.wait_for_selector("#stage img.ea-picture")
    assert "128 × 128" in page.inner_text("#stage .ea-facts")


def test_drawing_can_be_cancelled_and_nobody_elses_is(open_page):
    page, other = open_page(), open_page()
    for one, count in ((page, "16"), (other, "1")):
        tab(one, "Generate")
        one.fill("#generate-count input[type=number]", count)
        one.fill("#generate-what textarea", "cat")
    page.click("#generate-run")
    page.wait_for_selector("#generate-status .ea-busy:has-text('step')", timeout=90_000)
    other.click("#generate-run")
    page.click("#generate-cancel")
    assert "Stopped" in answer(page, "generate", "info")
    assert page.is_visible("#generate-run")
    assert "1 picture drawn" in answer(other, "generate")


def test_two_pictures_are_combined_and_the_download_is_what_python_gives(open_page, tmp_path):
    page = open_page()
    tab(page, "Combine")
    page.click("#combine-run")
    assert "picture first" in answer(page, "combine", "ask")
    page.click("#combine-example")
    page.wait_for_selector("#combine-second .ea-name")
    text = "put the cat from image B on the left"
    page.fill("#combine-text textarea", text)
    page.click("#combine-run")
    assert "every other pixel is as it was" in answer(page, "combine")
    with page.expect_download() as waiting:
        page.click("#combine-save")
    coffee, cat = EXAMPLES["coffee"].path, EXAMPLES["cat"].path
    Editor.from_preset().edit(coffee, text, reference=cat).save(tmp_path / "direct.png")
    given = Path(waiting.value.path()).read_bytes()
    assert given == (tmp_path / "direct.png").read_bytes()
    page.click("#combine-use")
    page.wait_for_selector("#stage img.ea-picture")


def test_models_say_what_is_missing_and_train_says_what_is_wrong(open_page, tmp_path):
    page = open_page()
    tab(page, "Models")
    page.wait_for_selector("#models-table td")
    assert "Ready." in page.inner_text("#models-table")
    page.fill("#models-choice input", "sdxl")
    page.press("#models-choice input", "Enter")
    page.click("#models-use")
    assert "Missing here" in answer(page, "models", "ask")
    tab(page, "Train")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    for folder, said in (("/nowhere/at/all", "does not exist"), (str(tmp_path), "Steps is")):
        page.fill("#train-folder :is(input, textarea)", folder)
        page.fill("#train-steps :is(input, textarea)", "many")
        page.click("#train-start")
        page.wait_for_selector(f"#train-status .ea-ask:has-text('{said}')", timeout=60_000)


def test_the_tabs_fit_on_a_phone(open_page):
    page = open_page(390, 844)
    for name in ("Combine", "Generate"):
        tab(page, name)
        page.wait_for_timeout(300)
        assert not page.evaluate(WIDE), name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tabs_can_be_read_by_everybody(open_page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(color_scheme=scheme)
    for name in ("Combine", "Generate", "Sketch", "Train", "Models"):
        tab(page, name)
        page.wait_for_timeout(1000)
        found = Axe().run(page).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"][:120]) for one in found], name
