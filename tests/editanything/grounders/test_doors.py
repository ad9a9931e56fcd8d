"""A detector of one's own in a preset: by the command line and in the page."""

import numpy as np
import pytest
from PIL import Image

from editanything.cli import main
from editanything.editor import Editor

MODULE = """
import cv2
import numpy as np

from editanything.grounders.detect import Boxes, DetectedNames, Detecting, Spot

COLORS = {"dog": [(200, 40, 40), (40, 60, 210)], "ear": [(40, 60, 210)]}


class ByColor:
    def detect(self, image, phrase):
        hit = np.zeros(image.shape[:2], np.uint8)
        for color in COLORS.get(phrase, []):
            hit |= (image == np.array(color, np.uint8)).all(-1)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(hit)
        boxes = [tuple(int(v) for v in stats[i][:4]) for i in range(1, count)]
        return [
            Spot((x, y, x + w, y + h), 0.9, labels == i)
            for i, (x, y, w, h) in enumerate(boxes, 1)
        ]


def grounder():
    return Detecting(DetectedNames(Boxes(ByColor())))
"""


@pytest.fixture
def preset(tmp_path, monkeypatch):
    (tmp_path / "dogs_by_color.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "mine.yaml"
    path.write_text(
        "about: dogs\nsegmenter: {name: classical}\n"
        "grounder: {name: 'dogs_by_color:grounder'}\nbackends: [{name: classical}]\n"
    )
    return path


def dogs():
    image = np.full((120, 200, 3), 128, np.uint8)
    for x in (20, 120):
        image[40:90, x : x + 50] = (200, 40, 40)
        image[40:52, x : x + 12] = (40, 60, 210)
    return image


def edited(preset, text, tmp_path):
    image = dogs()
    Image.fromarray(image).save(tmp_path / "in.png")
    out = tmp_path / "out.png"
    code = main(["edit", str(tmp_path / "in.png"), text, "-o", str(out), "--preset", str(preset)])
    return code, image, np.asarray(Image.open(out)) if out.exists() else None


@pytest.mark.parity("P24", door="cli")
def test_a_thing_by_words(preset, tmp_path, capsys):
    code, image, after = edited(preset, "make the right dog green", tmp_path)
    assert code == 0
    changed = (after != image).any(-1)
    assert changed[60:80, 130:160].all()
    assert not changed[:, :100].any()
    (tmp_path / "out.png").unlink()
    assert edited(preset, "make the dog green", tmp_path)[0] == 2
    assert "There are 2 for" in capsys.readouterr().err


@pytest.mark.parity("P25", door="cli")
def test_a_part_by_words(preset, tmp_path):
    code, image, after = edited(preset, "make the left dog's ear green", tmp_path)
    assert code == 0
    changed = (after != image).any(-1)
    assert changed[43:49, 23:29].all()
    assert not changed[:, 100:].any()
    assert not changed[70:85, 40:60].any()


@pytest.fixture
def page(preset, tmp_path, edit_page):
    Image.fromarray(dogs()).save(tmp_path / "in.png")
    return edit_page(Editor.from_preset(str(preset)), tmp_path / "in.png")


@pytest.mark.parity("P24", door="app")
def test_a_thing_by_words_in_the_page(page):
    assert "Which of the 2 do you mean?" in page.run("make the dog green")
    assert len(page.session.history) == 1
    page.run("make the right dog green")
    changed = (page.pixels() != dogs()).any(-1)
    assert changed[60:80, 130:160].all()
    assert not changed[:, :100].any()


@pytest.mark.parity("P25", door="app")
def test_a_part_by_words_in_the_page(page):
    page.run("make the left dog's ear green")
    changed = (page.pixels() != dogs()).any(-1)
    assert changed[43:49, 23:29].all()
    assert not changed[:, 100:].any()
    assert not changed[70:85, 40:60].any()
