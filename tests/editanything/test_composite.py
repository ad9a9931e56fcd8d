"""The composite: bit-identical where the alpha is 0, the formula where it is not."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editanything.composite import composite
from editanything.image import Picture
from editanything.types import Painted


def blob(shape, rng):
    """A soft round alpha somewhere in a crop, 0 at many pixels and 1 at some."""
    height, width = shape
    ys, xs = np.mgrid[:height, :width]
    y, x = rng.uniform(0, height), rng.uniform(0, width)
    radius = rng.uniform(0.3, 0.8) * max(shape)
    distance = np.hypot(ys - y, xs - x) / radius
    return np.clip(2 - 2 * distance, 0, 1).astype(np.float32)


def random_edit(picture, rng):
    """A random box, random paint and a random blob for a picture."""
    height, width = picture.shape
    x0, y0 = int(rng.integers(0, width)), int(rng.integers(0, height))
    x1, y1 = int(rng.integers(x0 + 1, width + 1)), int(rng.integers(y0 + 1, height + 1))
    shape = (y1 - y0, x1 - x0)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    with_opacity = picture.has_alpha and rng.random() < 0.5
    opacity = rng.integers(0, 256, shape, dtype=np.uint8) if with_opacity else None
    return (x0, y0, x1, y1), Painted(image, opacity), blob(shape, rng)


def outside(picture, box, alpha):
    """Bool (H, W): where a composite must not touch anything."""
    kept = np.ones(picture.shape, bool)
    x0, y0, x1, y1 = box
    kept[y0:y1, x0:x1] = alpha == 0
    return kept


def test_every_kind_of_file_keeps_everything_outside(picture_files, tmp_path):
    for name, path in picture_files.items():
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
        picture = Picture.open(path)
        before = picture.digest()
        box, painted, alpha = random_edit(picture, np.random.default_rng(seed))
        result = composite(picture, box, painted, alpha)
        kept = outside(picture, box, alpha)
        assert Picture(picture.samples).digest() == before
        for suffix in (".png", ".tif", ".webp"):
            if suffix == ".webp" and picture.samples.dtype == np.uint16:
                continue
            result.save(tmp_path / f"out{suffix}", overwrite=True)
            again = Picture.open(tmp_path / f"out{suffix}")
            assert again.shape == picture.shape, (name, suffix)
            assert again.samples.dtype == picture.samples.dtype
            assert np.array_equal(again.rgb()[kept], picture.rgb()[kept]), (name, suffix)
            if picture.has_alpha:
                assert np.array_equal(again.opacity()[kept], picture.opacity()[kept])
            if suffix != ".webp":  # which knows no grey
                assert np.array_equal(again.samples, result.samples), (name, suffix)
                assert np.array_equal(again.samples[kept], picture.samples[kept])
            assert again.icc == picture.icc, (name, suffix)
            if picture.exif and suffix == ".png":
                assert again.exif == picture.exif, name


kinds = st.tuples(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 4), st.sampled_from(["uint8", "uint16"])
)


@given(kinds, st.integers(0, 2**32))
def test_outside_the_alpha_every_bit_stays(kind, seed):
    height, width, channels, dtype = kind
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, np.iinfo(dtype).max + 1, (height, width, channels)).astype(dtype)
    picture = Picture.open(samples)
    box, painted, alpha = random_edit(picture, rng)
    result = composite(picture, box, painted, alpha)
    kept = outside(picture, box, alpha)
    assert np.array_equal(result.samples[kept], samples[kept])
    assert np.array_equal(picture.samples, samples.reshape(picture.samples.shape))
    assert result.samples.dtype == samples.dtype
    if channels in (2, 4) and painted.opacity is None:
        assert np.array_equal(result.samples[..., -1], picture.samples[..., -1])


@given(kinds, st.integers(0, 2**32))
def test_what_the_backend_left_alone_keeps_its_depth(kind, seed):
    height, width, channels, dtype = kind
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, np.iinfo(dtype).max + 1, (height, width, channels)).astype(dtype)
    picture = Picture.open(samples)
    box = (0, 0, width, height)
    untouched = Painted(picture.rgb(), picture.opacity())
    result = composite(picture, box, untouched, np.ones((height, width), np.float32))
    assert result.digest() == picture.digest()


@given(st.sampled_from(["uint8", "uint16"]), st.integers(0, 2**32))
def test_colours_follow_the_formula(dtype, seed):
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    samples = rng.integers(0, top + 1, (9, 11, 3)).astype(dtype)
    picture = Picture.open(samples)
    paint = rng.integers(0, 256, (9, 11, 3), dtype=np.uint8)
    alpha = rng.random((9, 11), dtype=np.float32)
    alpha[::3] = np.rint(alpha[::3])
    result = composite(picture, (0, 0, 11, 9), Painted(paint), alpha).samples
    old, new, share = samples.astype(float), paint * (top / 255), alpha[..., None].astype(float)
    exact = old + share * (new - old)
    changed = (paint != picture.rgb()).any(2) & (alpha > 0)
    assert np.abs(result - exact)[changed].max(initial=0) <= 0.51
    assert np.array_equal(result[changed & (alpha == 1)], new[changed & (alpha == 1)])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2])
def test_grey_pictures_take_the_luma(dtype, channels):
    step = 257 if dtype == np.uint16 else 1
    samples = np.full((2, 3, channels), 90 * step, dtype)
    paint = np.full((2, 3, 3), 90, np.uint8)
    paint[0, 0] = (200, 200, 200)
    paint[0, 1] = (255, 0, 0)
    result = composite(
        Picture.open(samples), (0, 0, 3, 2), Painted(paint), np.ones((2, 3), np.float32)
    ).samples
    assert result[0, 0, 0] == 200 * step
    assert result[0, 1, 0] == round(0.299 * 255 * step)
    assert (result[1] == 90 * step).all()
    assert (result[..., 1:] == 90 * step).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_opacity_is_blended_and_hidden_colours_do_not_bleed(dtype):
    top = np.iinfo(dtype).max
    samples = np.zeros((1, 4, 4), dtype)  # transparent black
    samples[0, 2:, 3] = top  # opaque black
    paint = np.full((1, 4, 3), 255, np.uint8)
    opacity = np.full((1, 4), 255, np.uint8)
    alpha = np.array([[1, 0.5, 0.5, 0]], np.float32)
    picture = Picture.open(samples)
    result = composite(picture, (0, 0, 4, 1), Painted(paint, opacity), alpha).samples
    half = (top + 1) // 2
    assert result[0, :, 3].tolist() == [top, half, top, top]
    assert result[0, :, 0].tolist() == [top, top, half, 0]  # no dark fringe at the second
    gone = Painted(picture.rgb(), np.zeros((1, 4), np.uint8))
    cleared = composite(picture, (0, 0, 4, 1), gone, np.ones((1, 4), np.float32)).samples
    assert (cleared[..., 3] == 0).all()
    assert np.array_equal(cleared[..., :3], samples[..., :3])


def test_opacity_for_a_picture_without_alpha_is_ignored():
    picture = Picture.open(np.zeros((2, 2, 3), np.uint8))
    painted = Painted(np.full((2, 2, 3), 9, np.uint8), np.zeros((2, 2), np.uint8))
    assert (
        composite(picture, (0, 0, 2, 2), painted, np.ones((2, 2), np.float32)).samples == 9
    ).all()


def test_strips_leave_no_seam():
    rng = np.random.default_rng(0)
    picture = Picture.open(rng.integers(0, 65536, (700, 40, 4), dtype=np.uint16))
    box = (3, 5, 39, 690)
    shape = (685, 36)
    painted = Painted(
        rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
        rng.integers(0, 256, shape, dtype=np.uint8),
    )
    alpha = blob(shape, rng)
    whole = composite(picture, box, painted, alpha).samples
    for y in (0, 1, 127, 128, 129, 400, 684):
        row = Painted(painted.image[y : y + 1], painted.opacity[y : y + 1])
        alone = composite(picture, (3, 5 + y, 39, 6 + y), row, alpha[y : y + 1]).samples
        assert np.array_equal(whole[5 + y], alone[5 + y])


def test_metadata_stay_and_an_old_recipe_goes():
    picture = Picture(np.zeros((2, 2, 3), np.uint8), icc=b"icc", density=(9.0, 9.0), recipe="old")
    painted = Painted(np.ones((2, 2, 3), np.uint8))
    result = composite(picture, (0, 0, 2, 2), painted, np.ones((2, 2), np.float32))
    assert (result.icc, result.density, result.recipe) == (b"icc", (9.0, 9.0), None)
    assert picture.recipe == "old"
