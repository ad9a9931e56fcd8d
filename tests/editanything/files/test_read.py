"""Files of every kind are read right: against their true samples, or another decoder."""

import numpy as np
import pytest
from PIL import Image

from editanything.image import Picture


def test_every_lossless_file_gives_its_true_samples(made_pictures):
    assert len(made_pictures) >= 40
    for name, made in made_pictures.items():
        samples = Picture.open(made.path).samples
        if made.truth is not None:
            assert samples.dtype == made.truth.dtype, name
            assert samples.shape == made.truth.shape, name
            assert np.array_equal(samples, made.truth), name


def test_bytes_and_path_and_string_are_the_same(picture_files):
    for path in picture_files.values():
        from_path, from_bytes = Picture.open(path), Picture.open(path.read_bytes())
        assert from_path.digest() == from_bytes.digest() == Picture.open(str(path)).digest()
        assert from_path.exif == from_bytes.exif
        assert from_path.density == from_bytes.density


@pytest.mark.parametrize(
    "name",
    [
        "rgb.jpg",
        "progressive.jpg",
        "grey.jpg",
        "turned_3.jpg",
        "turned_6.jpg",
        "lossy.webp",
        "lossy_rgba.webp",
        "rgb.avif",
        "rgba.avif",
        "everything.jpg",
    ],
)
def test_lossy_files_agree_with_another_decoder(picture_files, name):
    from PIL import ImageOps

    picture = Picture.open(picture_files[name])
    with Image.open(picture_files[name]) as image:
        other = np.array(ImageOps.exif_transpose(image))
    samples = picture.samples[..., 0] if other.ndim == 2 else picture.samples
    assert samples.shape == other.shape
    difference = np.abs(samples.astype(int) - other)[other[..., -1] > 0]
    assert difference.mean() < 0.6  # decoders differ in how they interpolate the chroma
    assert np.percentile(difference, 99) <= 8


def test_what_the_reader_should_know_is_noted(picture_files):
    def notes(name):
        return Picture.open(picture_files[name]).notes

    assert notes("rgb8.png") == ()
    assert notes("cmyk.jpg") == ("CMYK converted to RGB",)
    assert notes("pages.tif") == ("the file has 2 pages: the first is used",)
    assert notes("animated.gif") == ("animated, 2 frames: the first is used",)
    assert notes("animated.webp") == ("animated, 2 frames: the first is used",)
    assert notes("still.gif") == ()


def test_cmyk_looks_like_the_picture(picture_files):
    picture, original = (Picture.open(picture_files[name]) for name in ("cmyk.jpg", "rgb8.png"))
    assert picture.samples.shape == original.samples.shape
    pair = np.stack([picture.samples.ravel(), original.samples.ravel()]).astype(float)
    assert np.corrcoef(pair)[0, 1] > 0.97


def test_names_that_are_no_text_are_names(picture_files, tmp_path):
    import os
    from pathlib import Path

    path = Path(os.fsdecode(bytes(tmp_path) + b"/p\xe9.png"))
    path.write_bytes(picture_files["rgb16.png"].read_bytes())
    assert Picture.open(path).digest() == Picture.open(picture_files["rgb16.png"]).digest()
