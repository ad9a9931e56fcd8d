"""Every YAML that ships can be used."""

import pytest

from editanything.editor import Editor
from mdt.config import config_folder

EDIT_PRESETS = sorted((config_folder() / "edit").glob("*.yaml"))


def test_there_are_presets():
    assert [path.stem for path in EDIT_PRESETS] == ["default"]


@pytest.mark.parametrize("path", EDIT_PRESETS, ids=lambda path: path.stem)
def test_an_edit_preset_builds_and_opens_with_what_it_is_for(path):
    editor = Editor.from_preset(path.stem)
    assert editor.backends
    assert editor.preset.about
    assert path.read_text().startswith("# ")
