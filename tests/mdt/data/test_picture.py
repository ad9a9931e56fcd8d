import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mdt.data import DataError
from mdt.data.picture import crop, decode, upright_size


def file(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def adm_center_crop(image, size):
    """What ADM's center_crop_arr says: halve by boxes, then bicubic, then the middle."""
    while min(*image.size) >= 2 * size:
        image = image.resize(tuple(side // 2 for side in image.size), resample=Image.BOX)
    scale = size / min(*image.size)
    image = image.resize(tuple(round(side * scale) for side in image.size), resample=Image.BICUBIC)
    pixels = np.array(image)
    top, left = (pixels.shape[0] - size) // 2, (pixels.shape[1] - size) // 2
    return pixels[top : top + size, left : left + size]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 24))
def test_a_square_crop_is_adms(draw, height, width, size):
    picture = Image.fromarray(draw(height * width, height, width))
    assert np.array_equal(np.asarray(crop(picture, (size, size))), adm_center_crop(picture, size))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3),
)
def test_every_crop_is_filled(draw, shape, size, draws):
    picture = Image.fromarray(draw(1, *shape))
    for chosen in (None, draws):
        assert crop(picture, size, chosen).size == size[::-1]
    white = Image.new("RGB", shape[::-1], "white")
    assert np.asarray(crop(white, size, draws)).min() == 255


def test_a_picture_of_the_right_size_is_left_alone(draw):
    pixels = draw(0, 12, 20)
    assert np.array_equal(decode(file(Image.fromarray(pixels)), (12, 20)), pixels)
    assert np.array_equal(decode(file(Image.fromarray(pixels)), (12, 10)), pixels[:, 5:15])
    assert np.array_equal(decode(file(Image.fromarray(pixels)), None), pixels)


def test_draws_choose_the_place(draw):
    picture = Image.fromarray(draw(0, 12, 20))
    pixels = np.asarray(picture)
    assert np.array_equal(np.asarray(crop(picture, (12, 10), (0, 0, 0))), pixels[:, :10])
    assert np.array_equal(np.asarray(crop(picture, (12, 10), (0, 0.999, 0.999))), pixels[:, 10:])
    lefts = {
        np.asarray(crop(picture, (12, 10), (0, 0, right / 11 + 0.01))).tobytes()
        for right in range(11)
    }
    assert len(lefts) == 11


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_stand_upright(draw, turn):
    pixels = draw(0, 3, 5)
    # How a camera stores what EXIF's orientation turns back.
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels.transpose(1, 0, 2)[::-1],
        7: pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: pixels.transpose(1, 0, 2)[:, ::-1],
    }[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    data = file(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    assert np.array_equal(decode(data, None), pixels)
    assert upright_size(data) == (3, 5)


def test_what_is_transparent_is_laid_over_white():
    clear = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 51]]], np.uint8)
    expected = [[[255, 0, 0], [255, 255, 255], [204, 204, 204]]]
    assert decode(file(Image.fromarray(clear)), None).tolist() == expected
    grey = np.array([[[0, 255], [0, 0]]], np.uint8)
    found = decode(file(Image.fromarray(grey, "LA")), None)
    assert found.tolist() == [[[0, 0, 0], [255, 255, 255]]]
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    found = decode(file(palette, transparency=1), None)
    assert found.tolist() == [[[10, 20, 30], [255, 255, 255]]]
    keyed = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    found = decode(file(keyed, transparency=(4, 5, 6)), None)
    assert found.tolist() == [[[1, 2, 3], [255, 255, 255]]]


def test_other_modes_become_rgb():
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    found = decode(file(Image.fromarray(deep)), None)
    assert found[0, :, 0].tolist() == [0, 0, 1, 255]
    assert decode(file(Image.new("1", (2, 2), 1)), None).tolist() == [[[255] * 3] * 2] * 2
    assert decode(file(Image.new("L", (1, 1), 7)), None).tolist() == [[[7] * 3]]
    ink = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    cyan = decode(file(ink, "JPEG", quality=95), None)[0, 0].astype(int)
    assert np.abs(cyan - [0, 255, 255]).max() < 8
    moving = [Image.new("RGB", (2, 2), color) for color in ("red", "blue")]
    data = file(moving[0], "GIF", save_all=True, append_images=moving[1:])
    assert decode(data, None)[0, 0].tolist() == [255, 0, 0]


def test_what_cannot_be_decoded_says_why():
    whole = file(Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)))
    for data, words in (
        (b"", "not a picture"),
        (b"GIF89a", "not a picture|broken|truncated|unpack"),
        (whole[:-500], "truncated"),
        (file(Image.new("F", (2, 2)), "TIFF"), "float samples"),
        (file(Image.new("1", (20_000, 6000))), "more than 100 megapixels"),
        (file(Image.new("1", (20_000, 10_000))), "more than 100 megapixels"),
    ):
        with pytest.raises(DataError, match=words):
            decode(data, (8, 8))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM"]), st.data())
def test_broken_bytes_give_pixels_or_a_data_error(draw, kind, data):
    """Nothing else comes out of a damaged file, whatever Pillow's readers raise on it."""
    raw = bytearray(file(Image.fromarray(draw(3, 9, 7)), kind))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        pixels = decode(raw, (8, 8))
    except DataError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert pixels.shape == (8, 8, 3)


def test_a_damaged_tag_that_pillow_trips_over():
    """A TIFF with a changed tag: Pillow raises a TypeError."""
    damaged = bytes.fromhex(
        "49492a00080000000a00000104000100000007000000010104000100000009000000020103000300"
        "00008600000003010300010000000100000006010300010000000200000011010700010000008c00"
        "00001501030001000000030000001601040001000000090000001701040001000000bd0000001c01"
        "0300010000000100000000000000080008000800"
    )
    with pytest.raises(DataError):
        decode(damaged, (8, 8))


def test_nothing_of_the_arguments_is_changed(draw):
    picture = Image.fromarray(draw(0, 9, 9))
    before = picture.tobytes()
    crop(picture, (4, 4))
    assert (picture.tobytes(), picture.size) == (before, (9, 9))
    assert math.isclose(np.asarray(crop(picture, (9, 9))).mean(), draw(0, 9, 9).mean())
