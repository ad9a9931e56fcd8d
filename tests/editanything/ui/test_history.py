"""The history: a tree of pictures on disk with a cursor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.image import Picture
from editanything.ui.history import History


def shade(level, shape=(4, 5, 3), dtype=np.uint8):
    return Picture.open(np.full(shape, level, dtype))


@pytest.fixture
def history():
    history = History()
    yield history
    history.close()


def test_a_picture_comes_back_with_all_its_samples_and_metadata(history):
    deep = Picture(np.arange(60, dtype=np.uint16).reshape(5, 4, 3) * 999, icc=b"profile", xmp=b"x")
    back = history.add(deep, "Original").load()
    assert back.digest() == deep.digest()
    assert back.samples.dtype == np.uint16
    assert (back.icc, back.xmp) == (b"profile", b"x")


def test_undo_and_redo_walk_up_and_down(history):
    for level in range(4):
        history.add(shade(level), str(level))
    assert history.undo(2) == 2
    assert history.current.title == "1"
    assert history.redo() == 1
    assert history.current.title == "2"
    assert history.undo(9) == 2
    assert history.undo() == 0
    assert history.redo(9) == 3
    assert history.after is None


def test_an_edit_after_undo_is_a_branch_and_the_old_one_stays(history):
    for title in ("original", "red", "red and blurred"):
        history.add(shade(1), title)
    history.undo(2)
    history.add(shade(2), "teal")
    assert history.before.title == "original"
    assert [state.title for state in history] == ["original", "red", "red and blurred", "teal"]
    assert history.redo() == 0
    history.go(3)
    history.undo()
    assert history.current.title == "red"
    assert history.redo() == 1
    assert history.current.title == "red and blurred"
    history.undo(2)
    assert history.after.title == "red", "redo goes where the user was last"


def test_the_oldest_go_when_the_disk_limit_is_reached():
    one_bytes = 128 + 4 * 5 * 3
    history = History(limit_bytes=3 * one_bytes)
    for level in range(6):
        history.add(shade(level), str(level))
    assert [state.title for state in history] == ["0", "4", "5"]
    assert len(list(history.folder.glob("*.npy"))) == 3
    assert history.undo(9) == 2
    assert history.current.title == "0"
    assert history.redo(9) == 2
    assert history.current.load().samples[0, 0, 0] == 5
    history.close()


def test_closing_deletes_the_folder():
    history = History()
    history.add(shade(1), "a")
    folder = history.folder
    assert folder.stat().st_mode & 0o077 == 0, "others must not read it"
    history.close()
    assert not folder.exists()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-3, 5), max_size=25))
def test_any_walk_keeps_a_tree_with_the_cursor_in_it(moves):
    history = History(limit_bytes=5 * (128 + 3))
    try:
        history.add(shade(0, (1, 1, 3)), "0")
        for move in moves:
            if move < 0:
                history.undo(-move)
            elif move > 2:
                history.redo(move - 2)
            else:
                history.add(shade(move, (1, 1, 3)), "x")
            numbers = {state.number for state in history}
            line = history.path()
            assert line[0].title == "0"
            assert line[-1] is history.current
            assert all(state.parent is None or state.parent in numbers for state in history)
            assert all(state.samples.exists() for state in history)
            assert len(history) <= 6
    finally:
        history.close()


def test_the_tree_is_drawn_a_row_for_each_branch(history):
    for title in ("original", "red", "red and blurred"):
        history.add(shade(1), title)
    history.undo(2)
    history.add(shade(2), "teal")
    history.go(2)
    history.add(shade(3), "red and sharp")
    places = {state.title: history.places()[state.number] for state in history}
    assert places == {
        "original": (0, 0),
        "red": (0, 1),
        "red and blurred": (0, 2),
        "red and sharp": (1, 2),
        "teal": (2, 1),
    }
    assert history.get(4).title == "teal"
    assert history.get(99) is None
