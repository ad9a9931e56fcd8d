"""What belongs to a user goes when the page has gone, and not before."""

import time

import pytest

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.examples import EXAMPLES
from editanything.ui.leaving import GRACE_S, KEEP, Leaving, grace_s
from editanything.ui.places import Kept, OwnFolders


def wait_until(done, seconds=5.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_has_left_is_dropped_a_while_later_and_only_they():
    gone, leaving = [], Leaving(0.05)
    leaving.drops += [gone.append, lambda key: gone.append(f"{key}'s files")]
    leaving.left("anna")
    leaving.seen("bo")  # has never left
    assert gone == []
    wait_until(lambda: len(gone) == 2)
    assert gone == ["anna", "anna's files"]
    leaving.left("carl")
    leaving.left("dora")
    wait_until(lambda: "dora's files" in gone)
    assert "carl" in gone
    assert "bo" not in gone


def test_who_comes_back_keeps_everything_and_is_waited_for_again():
    gone, leaving = [], Leaving(0.4)
    leaving.drops.append(gone.append)
    leaving.left("anna")
    for _ in range(6):
        time.sleep(0.1)
        leaving.seen("anna")
    assert gone == []  # longer than she may stay away, and never away so long
    wait_until(lambda: gone == ["anna"])


def test_a_server_that_stops_waits_for_nobody():
    gone, leaving = [], Leaving(0.05)
    leaving.drops.append(gone.append)
    leaving.left("anna")
    leaving.stop()
    time.sleep(0.15)
    assert gone == []


def test_a_page_that_is_lost_for_a_moment_finds_its_picture_again(edit_page):
    page = edit_page(Editor.from_preset(), EXAMPLES["coffee"].path)
    session = page.session
    page.do.leave(page.request)
    assert page.session is session
    assert session.picture is not None
    assert GRACE_S >= 900
    for drop in page.do.leaving.drops:  # as when the time is over
        drop(str(page.request.session_hash))
    assert page.session is not session
    assert not session.history.folder.exists()


def test_how_long_is_for_the_server_to_say(monkeypatch):
    assert grace_s() == GRACE_S
    monkeypatch.setenv(KEEP, "2.5")
    assert grace_s() == 2.5
    for wrong in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv(KEEP, wrong)
        with pytest.raises(InputError, match="number of seconds"):
            Leaving()


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "served"))
    return OwnFolders("drawn")


def test_what_is_shown_stays_until_there_is_something_new(folders):
    first = folders.another("anna")
    (first / "cat.png").write_bytes(b"cat")
    other = folders.another("bo")
    second = folders.another("anna")
    assert (first / "cat.png").exists()
    folders.only("anna", second)
    assert not first.exists()
    assert second.exists()
    assert folders.fresh("anna").exists()
    assert not second.exists()
    folders.drop("anna")
    assert other.exists()
    folders.drop_all()
    assert not other.exists()


def test_a_file_that_was_deleted_meanwhile_is_there_again(tmp_path):
    path = tmp_path / "drawn" / "cat.png"
    path.parent.mkdir()
    path.write_bytes(b"cat")
    kept = Kept.of(path)
    path.unlink()
    path.parent.rmdir()
    assert kept.file().read_bytes() == b"cat"
