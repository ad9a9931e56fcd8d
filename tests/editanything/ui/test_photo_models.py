"""The Models tab takes settings of a preset, with the sentences of the command line."""

from types import SimpleNamespace

import pytest

from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.ui.tabs.models import _Models


@pytest.fixture
def tab(edit_page):
    """`use(name, settings)` -> what is said; the page that it acts on."""
    editor = Editor.from_preset(grow_px=2)
    page = edit_page(editor, EXAMPLES["coffee"].path)
    do = _Models(SimpleNamespace(editor=editor, edit=page.do), "said")
    return lambda name, settings: do.use(name, settings, page.request)["said"], page


def test_settings_hold_for_the_page_what_finds_regions_too(tab):
    use, page = tab
    before = len(page.session.pointing().regions())
    assert "made by default now" in use("default", "segmenter.max_regions=9")
    assert page.session.editor.overrides == {"grow_px": 2, "segmenter.max_regions": "9"}
    assert len(page.session.pointing().regions()) < before
    assert len(page.session.history) == 1
    assert "made by default now" in use("default", "")
    assert page.session.editor.overrides == {"grow_px": 2}


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("default", "grow=3", "grow_px"),
        ("default", "backends.0.stepz", "A setting is KEY=VALUE"),
        ("default", "segmenter.name=os:system", "names code"),
        ("default", "backends.9.steps=3", "this preset has 2 backends"),
        ("/etc/passwd", "", "There is no preset"),
        ("sd15", "backends.0.stepz=3", "Did you mean steps?"),
        ("sd15", "backends.0.steps=3", "cannot be used yet. Missing here"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(tab, name, settings, told, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/no/folder")
    use, page = tab
    editor = page.session.editor
    assert told in use(name, settings)
    assert page.session.editor is editor


def test_a_server_that_is_closed_to_settings_takes_none(tab):
    use, page = tab
    page.do.takes_settings = False
    assert "does not take settings" in use("default", "grow_px=3")
