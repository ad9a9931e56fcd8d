"""Every kind of file through the app: what is downloaded is what Python saves, byte for byte."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.image import Picture
from editanything.types import Mask
from editanything.ui.session import Ask, Session

COMMANDS = ["make it teal", "blur it", "pixelate it", "duplicate it", "brighten it"]


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset()


def middle(shape):
    """The middle ninth of a picture; at least its middle pixel."""
    height, width = shape
    mask = np.zeros(shape, bool)
    mask[height // 3 : 2 * height // 3 + 1, width // 3 : 2 * width // 3 + 1] = True
    return mask


def test_what_is_downloaded_is_what_python_saves(editor, picture_files, tmp_path):
    for number, (name, path) in enumerate(sorted(picture_files.items())):
        before = Picture.open(path)
        mask = middle(before.shape)
        text = COMMANDS[number % len(COMMANDS)]
        if min(before.shape) < 8:
            text = "make it teal"  # there is no room for a copy
        session = Session(editor)
        session.open(path, name)
        session.pointing().take(Mask.of(mask))
        assert session.finish(session.start(Ask(text)).result()), name
        direct = editor.edit(path, text, selection=mask)
        for suffix in (".png", ".tif"):
            session.result().save(tmp_path / f"{number}.app{suffix}")
            direct.save(tmp_path / f"{number}.python{suffix}")
            app, python = (tmp_path / f"{number}.{door}{suffix}" for door in ("app", "python"))
            assert app.read_bytes() == python.read_bytes(), (name, suffix)
        after = Picture.open(app)
        assert after.samples.dtype == before.samples.dtype
        assert np.array_equal(after.samples[~direct.mask], before.samples[~direct.mask]), name
        session.close()
