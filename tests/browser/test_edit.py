"""The Edit tab beyond the first edit: plan, branches, keys, languages, accessibility."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def start(open_page, name="coffee", **settings):
    page = open_page(**settings)
    page.click(f"#examples button:has-text('{name}')")
    page.wait_for_selector("#stage .ea-name")
    return page


def show_plan(page, text, steps):
    page.fill("#text textarea", text)
    page.click("#show-plan")
    page.wait_for_function("n => document.querySelectorAll('#steps ol li').length === n", arg=steps)


def run(page, text, pictures):
    page.fill("#text textarea", text)
    page.press("#text textarea", "Enter")
    wait_for_pictures(page, pictures)


def wait_for_pictures(page, count):
    page.wait_for_function(
        "n => document.querySelectorAll('#history .ea-card').length === n", arg=count
    )


def complaints(page):
    found = Axe().run(page, options=RULES).response["violations"]
    return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]


def test_a_plan_is_changed_and_what_belongs_to_it_is_switched_on_the_picture(open_page):
    page = start(open_page)
    show_plan(page, "remove the saucer", 1)
    label = page.locator("#stage .ea-related:has-text('cup')")
    assert label.get_attribute("aria-pressed") == "false"
    label.click()
    page.wait_for_selector("#stage .ea-related[aria-pressed=true]:has-text('cup')")
    assert page.is_checked("#related li:has-text('cup') input")
    show_plan(page, "make the saucer teal and pixelate the spoon", 2)
    page.click("#steps li >> nth=0 >> [title=Change]")
    page.fill("#steps [data-key='0 prompt']", "red")
    page.press("#steps [data-key='0 prompt']", "Enter")
    page.wait_for_selector("#steps li >> nth=0 >> :text('red')")
    page.click("#steps li >> nth=0 >> [title=Later]")
    page.wait_for_selector("#steps li >> nth=0 >> :text('pixelate')")
    page.focus("#steps [data-key='1 on']")
    page.keyboard.press("Space")  # switched off by the keyboard, which keeps its place
    page.wait_for_selector("#steps li >> nth=1 >> input:not(:checked)")
    page.wait_for_function("() => document.activeElement.dataset.key === '1 on'")
    page.keyboard.press("Space")
    page.wait_for_selector("#steps li >> nth=1 >> input:checked")
    page.click("#steps li >> nth=1 >> [title='Run this step alone']")
    wait_for_pictures(page, 2)
    done = page.inner_text("#history .ea-card[aria-current]")
    assert "saucer" in done and "red" in done
    assert "pixelate" not in page.inner_text("#status")


def test_branches_compare_keys_and_recipes(open_page, tmp_path):
    page = start(open_page)
    run(page, "make the saucer teal", 2)
    with page.expect_download() as waiting:
        page.click("#save")
    waiting.value.save_as(tmp_path / "teal.png")
    page.click("#title")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#redo:enabled")
    run(page, "pixelate the spoon", 3)
    assert page.locator("#history .ea-down").count() == 1
    line = page.locator("#history .ea-down").bounding_box()
    parent = page.locator("#history .ea-card >> nth=0").bounding_box()
    assert line["y"] >= parent["y"] + parent["height"] - 1  # not through its caption
    page.click("#history .ea-state:has-text('teal') .ea-other")
    page.wait_for_selector("#history .ea-other[aria-pressed=true]")
    page.wait_for_selector("#slider img")
    page.click("#title")
    page.keyboard.press("b")
    page.wait_for_selector("#stage .ea-frame")
    page.wait_for_selector("#slider", state="hidden")
    page.keyboard.press("b")
    page.wait_for_selector("#slider img")
    page.keyboard.press("b")
    page.wait_for_selector("#stage .ea-frame")
    page.focus("#stage [data-tool=brush]")
    page.keyboard.press("Tab")  # goes on to what comes next, as everywhere
    assert page.evaluate("() => document.activeElement.closest('#stage') !== null")
    assert page.is_hidden("#slider")
    page.click("#title")
    page.keyboard.press("2")
    page.wait_for_selector("#stage .ea-facts:has-text('selected')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#stage .ea-clear:disabled", state="attached")
    page.click("#stage [data-tool=brush]")
    size = "#stage .ea-brush-size input"
    before = int(page.input_value(size))
    page.keyboard.press("]")
    assert int(page.input_value(size)) > before
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert int(page.input_value(size)) < before
    page.set_input_files("#past input[type=file]", str(tmp_path / "teal.png"))
    wait_for_pictures(page, 4)
    assert "make the saucer teal" in page.inner_text("#history .ea-card[aria-current]")
    assert page.locator("#history .ea-down").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_nothing_to_complain_about(open_page, scheme):
    page = open_page(color_scheme=scheme)
    assert not complaints(page)
    page.click("#examples button:has-text('coffee')")
    page.wait_for_selector("#stage .ea-name")
    for panel in ("second-panel", "settings", "keys"):
        page.click(f"#{panel} button >> nth=0")
    show_plan(page, "remove the saucer and make the cup teal", 2)
    page.click("#steps li >> nth=1 >> [title=Change]")
    page.wait_for_selector("#steps .ea-field")
    assert not complaints(page)
