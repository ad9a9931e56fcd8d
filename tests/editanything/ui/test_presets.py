"""What the Models tab tells of presets."""

import pytest

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.examples import EXAMPLES
from editanything.ui.presets import checked_name, preset_card, preset_names
from editanything.ui.sessions import Sessions


def test_the_default_preset_is_ready_and_needs_nothing():
    assert preset_names()[0] == "default"
    card = preset_card("default")
    assert (card.needs, card.missing, card.trouble, card.said()) == ((), (), "", "Ready.")
    assert "mdt" in card.parts


def test_every_preset_says_what_it_needs_and_whether_it_is_here(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in preset_names()[1:]:
        card = preset_card(name)
        assert card.needs, name
        assert card.missing == tuple(need.name for need in card.needs), name
        assert card.needs[0].name in card.said(), name
    card = preset_card("sd15")
    assert "IDEA-Research/grounding-dino" in " ".join(card.missing)
    there = card.needs[0].name
    (tmp_path / f"models--{there.replace('/', '--')}" / "snapshots" / "abc").mkdir(parents=True)
    assert there not in preset_card("sd15").missing


def test_revisions_and_captioners_are_needed_too(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    card = preset_card("sd15-controlnet")
    assert "florence-community/Florence-2-base" in card.missing
    tile = "lllyasviel/control_v11f1e_sd15_tile"
    assert f"{tile}@refs/pr/4" in card.missing
    assert f'hf download {tile} --revision refs/pr/4 --exclude "*.bin"' in card.said()
    root = tmp_path / f"models--{tile.replace('/', '--')}"
    (root / "snapshots" / "abc").mkdir(parents=True)  # of another revision
    assert f"{tile}@refs/pr/4" in preset_card("sd15-controlnet").missing
    (root / "refs" / "refs" / "pr").mkdir(parents=True)
    (root / "refs" / "refs" / "pr" / "4").write_text("abc")
    assert f"{tile}@refs/pr/4" not in preset_card("sd15-controlnet").missing


@pytest.mark.parametrize("name", ["../secret", "os:system", "/etc/passwd", "default.yaml"])
def test_only_shipped_presets_can_be_chosen(name):
    with pytest.raises(InputError, match="there are: default"):
        checked_name(name)


def test_a_session_goes_on_with_another_editor():
    sessions = Sessions(Editor.from_preset())
    session = sessions.of("anna")
    session.open(EXAMPLES["coffee"].path, "coffee")
    other = Editor.from_preset(grow_px=3)
    sessions.use("anna", other)
    assert sessions.of("anna") is session
    assert session.editor is other
    assert session.history.current.title == "Original"
    assert session.picture.looked.picture.shape == (400, 600)
    assert sessions.of("bo").editor is not other
    sessions.close_all()
