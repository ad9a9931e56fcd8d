"""Pictures to read: small, all different, the same in every run."""

import io

import numpy as np
import pytest
from PIL import Image


def pixels(number, height=16, width=16):
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(array, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def draw():
    """draw(number, height, width) -> uint8 pixels."""
    return pixels


@pytest.fixture(scope="session")
def encoded():
    """encoded(pixels) -> the bytes of a PNG."""
    return png


@pytest.fixture
def classes(tmp_path):
    """A folder of 3 classes with 4, 5 and 6 pictures; picture i is `draw(i)`."""
    number = 0
    for count, name in zip((4, 5, 6), ("ant", "bee", "cat"), strict=True):
        (tmp_path / name / "deeper").mkdir(parents=True)
        for i in range(count):
            inside = "deeper/" if i == count - 1 else ""
            (tmp_path / name / f"{inside}{i}.png").write_bytes(png(pixels(number)))
            number += 1
    return tmp_path
