"""Files dropped on the page, and what is seen while an edit comes about, in a real browser."""

import base64

import pytest

from editanything.examples import EXAMPLES

pytestmark = pytest.mark.browser
DROP = """([data, name, place]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), carried = new DataTransfer();
  const type = name.endsWith('png') ? 'image/png' : 'image/jpeg';
  carried.items.add(new File([bytes], name, { type }));
  document.querySelector(place).dispatchEvent(
    new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""
#: Counts the previews as they come: on a quick machine one is over before anybody could look.
WATCH = """() => {
  window.previews = 0;
  const count = () => { window.previews += !!document.querySelector('.ea-preview:not([hidden])'); };
  new MutationObserver(count).observe(document.querySelector('#stage'),
    { subtree: true, childList: true, attributes: true });
}"""


def drop(page, path, place):
    page.evaluate(DROP, [base64.b64encode(path.read_bytes()).decode(), path.name, place])


def test_files_go_where_they_are_dropped_and_edits_are_seen_coming(open_page, tmp_path):
    page = open_page()
    coffee, cat = EXAMPLES["coffee"].path, EXAMPLES["cat"].path
    drop(page, coffee, "#drop")
    page.wait_for_selector("#stage .ea-name:has-text('saucer')")
    page.evaluate(WATCH)
    page.fill("#text textarea", "remove the spoon")
    page.press("#text textarea", "Enter")
    page.wait_for_selector("#status .ea-done")
    assert page.evaluate("window.previews") >= 1
    assert page.is_hidden("#stage .ea-preview")
    with page.expect_download() as waiting:
        page.click("#save")
    waiting.value.save_as(tmp_path / "edited.png")
    drop(page, cat, "#second-panel")  # folded up: it opens
    page.wait_for_selector("#second .ea-name:has-text('nose')")
    page.get_by_role("tab", name="Combine", exact=True).click()
    drop(page, cat, "#combine-side_second")
    page.wait_for_selector("#combine-second .ea-name:has-text('nose')")
    page.get_by_role("tab", name="Models", exact=True).click()
    drop(page, coffee, "#models")
    page.wait_for_selector("#stage .ea-name:has-text('saucer')")
    drop(page, tmp_path / "edited.png", "#past")
    page.wait_for_selector("#history .ea-card >> nth=1")
    page.wait_for_selector("#status .ea-done")
    with page.expect_download() as waiting:
        page.click("#save")
    waiting.value.save_as(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "edited.png").read_bytes()
