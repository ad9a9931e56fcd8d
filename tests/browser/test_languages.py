"""The whole page in the reader's language, in a real browser."""

import re

import pytest

from editanything.ui.widgets import words

pytestmark = pytest.mark.browser
#: Texts that a reader sees, less what is content or a command, and names of things on the page.
SAID = """() => {
  const found = new Set(), visible = (e) => e.checkVisibility?.() ?? true;
  const walk = document.createTreeWalker(document.querySelector('.gradio-container'), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.nodeType === 3 ? node.parentElement : node;
    if (!element || !visible(element) || element.closest('script, style, textarea, [translate=no]'))
      continue;
    if (node.nodeType === 3) found.add(node.data.trim());
    else if (!element.closest('.ea-strip')) for (const name of ['title', 'aria-label', 'placeholder'])
      if (element.hasAttribute(name)) found.add(element.getAttribute(name).trim());
  }
  return [...found];
}"""
#: What needs no translation: names, keys, formats, and what the placeholders show of commands.
SAME = {
    "EditAnything", "Ctrl", "Enter", "Alt", "Esc", "WebP", "GIF", "PNG",
    "DDPM", "DDIM", "Euler", "Heun", "DPM-Solver++ (2M)", "UniPC", "fluent", "default",
    "red apple, tiger", "/home/me/pictures",
}  # fmt: skip


def left_in_english(page):
    """Texts of the catalogue that are not translated, and others that look like English."""
    texts = page.evaluate(SAID)
    missed = {text for text in texts if text in words() and text not in words()[text].values()}
    plain = {text for text in texts if text.isascii() and re.match(r"[A-Za-z]{3}", text)}
    return missed, plain - SAME


def test_the_edit_tab_is_said_in_the_reader_s_language(open_page):
    page = open_page(locale="es-ES")
    page.click("#examples button:has-text('coffee')")
    page.wait_for_selector("#stage .ea-name")
    assert page.inner_text("#run") == "Ejecutar"
    assert page.evaluate("document.documentElement.lang") == "es"
    for panel in ("second-panel", "settings", "keys"):
        page.click(f"#{panel} button >> nth=0")
    page.fill("#text textarea", "remove the saucer and make the cup teal")
    page.click("#show-plan")
    page.wait_for_selector("#steps ol li >> nth=1")
    page.click("#steps li >> nth=1 >> [title]:nth-child(3)")
    page.click("#stage .ea-name >> nth=0")
    page.wait_for_selector("#stage .ea-facts:has-text('seleccionado')")
    page.select_option("#language select", "zh")
    assert page.inner_text("#run") == "执行"
    assert page.inner_text("#stage [data-tool=eraser]") == "橡皮"
    missed, plain = left_in_english(page)
    assert not missed
    assert not plain
    page.fill("#text textarea", "undo")
    page.press("#text textarea", "Enter")
    page.wait_for_selector("#status .ea-done:has-text('没有可撤销的')")
    page.select_option("#language select", "en")
    assert page.inner_text("#run") == "Run"
    assert page.inner_text("#status .ea-done") == "Nothing to undo."


def test_the_other_tabs_are_said_in_the_language_that_was_chosen(open_page):
    page = open_page()
    page.select_option("#language select", "zh")
    page.reload()
    page.wait_for_selector("#examples button img")
    assert page.input_value("#language select") == "zh"
    for name in ("合成", "生成", "草图", "训练", "模型"):
        page.get_by_role("tab", name=name, exact=True).click()
        page.wait_for_function("() => document.querySelector('[role=tabpanel].visible, .tabitem')")
        for more in ("generate-settings", "combine-settings", "generate-known"):
            if page.is_visible(f"#{more} button >> nth=0"):
                page.click(f"#{more} button >> nth=0")
        if name == "模型":
            page.wait_for_selector("#models-table td")
        page.wait_for_timeout(300)
        missed, plain = left_in_english(page)
        assert not missed, name
        assert not plain, name
    page.get_by_role("tab", name="训练", exact=True).click()
    page.click("#train-start")
    page.wait_for_selector("#train-status .ea-ask:has-text('请说明图片在哪个文件夹')")
