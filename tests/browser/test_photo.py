"""What the photo presets need of the page, in a real browser: settings, a mask file, a sketch."""

import json

import numpy as np
import pytest
from PIL import Image

from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.image import Picture

pytestmark = pytest.mark.browser


def said(page, where, kind):
    page.wait_for_selector(f"#{where} .ea-{kind}", timeout=90_000)
    return page.inner_text(f"#{where} .ea-{kind}")


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def give(page, button, path):
    with page.expect_file_chooser() as asked:
        page.click(button)
    asked.value.set_files(str(path))


def test_settings_and_a_mask_file_make_what_python_makes(open_page, tmp_path):
    page = open_page()
    page.click("#examples button:has-text('coffee')")
    page.wait_for_selector("#stage .ea-name")
    page.click("#settings button >> nth=0")
    mask = np.zeros((400, 600), bool)
    mask[100:180, 200:320] = True
    Image.fromarray(mask).save(tmp_path / "mask.png")
    give(page, "#open-mask", tmp_path / "mask.png")
    assert "The mask selects 9600 pixels" in said(page, "status", "info")
    page.fill("#text textarea", "make it teal")
    page.fill("#preset-settings textarea", "grwo_px=0")
    page.click("#run")
    assert "grow_px" in said(page, "status", "ask")
    page.fill("#preset-settings textarea", "grow_px=0\nfeather_px=9")
    page.click("#run")
    assert "every other pixel is as it was" in said(page, "status", "done")
    with page.expect_download() as waiting:
        page.click("#save")
    waiting.value.save_as(tmp_path / "page.png")
    editor = Editor.from_preset(grow_px="0", feather_px="9")
    direct = editor.edit(EXAMPLES["coffee"].path, "make it teal", selection=mask)
    made = Picture.open(tmp_path / "page.png")
    assert made.digest() == direct.picture.digest()
    told = json.loads(made.recipe)["edits"][0]["overrides"]
    assert told == {"grow_px": "0", "feather_px": "9"}


def test_the_tabs_of_the_photo_presets_say_what_they_need(open_page, tmp_path):
    page = open_page()
    tab(page, "Models")
    page.fill("#models-settings textarea", "segmenter.max_regions=9")
    page.click("#models-use")
    assert "made by default now" in said(page, "models-status", "done")
    tab(page, "Sketch")
    page.click("#sketch-run")
    assert "Open a sketch or a picture first" in said(page, "sketch-status", "ask")
    give(page, "#sketch-open", EXAMPLES["coffee"].path)
    assert "600 × 400" in said(page, "sketch-status", "info")
    page.fill("#sketch-what textarea", "a castle")
    page.click("#sketch-run")
    assert "choose sd15-controlnet" in said(page, "sketch-status", "ask")
    tab(page, "Train")
    page.click("#train-photo button >> nth=0")
    page.fill("#train-folder input, #train-folder textarea", str(tmp_path / "none"))
    page.click("#train-photo-start")
    assert "does not exist" in said(page, "train-status", "ask")
