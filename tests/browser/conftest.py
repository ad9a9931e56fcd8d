"""A Chromium that is steered, and a page that must stay quiet and at home."""

import shutil
from urllib.parse import urlparse

import pytest

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-gpu",
]


# Of a module: Playwright's event loop runs in this thread while it is open, and asyncio.run,
# which later tests call, refuses to start beside another one.
@pytest.fixture(scope="module")
def chromium():
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip(f"No browser on this machine: looked for {', '.join(CHROMIUMS)}.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, web_editor):
    """Opens the app; at the end nothing may have gone wrong in the page or left this machine."""
    contexts, troubles, outside = [], [], []

    def open_(width=1400, height=900, **settings):
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on(
            "console",
            lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: _note(request.url, outside))
        page.goto(web_editor, wait_until="domcontentloaded")
        page.wait_for_selector("#examples button img")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not troubles
    assert not outside


def _note(url, outside):
    place = urlparse(url)
    if place.scheme in ("http", "https", "ws", "wss") and place.hostname != "localhost":
        outside.append(url)
