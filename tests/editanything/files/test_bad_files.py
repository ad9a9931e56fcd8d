"""Bad files: each is refused with one sentence, fast, and nothing on stderr."""

import struct
import time
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image

from editanything.errors import InputError
from editanything.image import Picture


def png_chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width, height, extra=b""):
    """A tiny PNG file that claims any size."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = png_chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + rows + png_chunk(b"IEND", b"")


def tiff_claiming(width, height, **tags):
    """A tiny TIFF file that claims any size."""
    number = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    number |= {279: 100, **{int(tag[1:]): value for tag, value in tags.items()}}
    head = b"II*\0" + struct.pack("<IH", 8, len(number))
    body = b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in sorted(number.items()))
    return head + body + bytes(4 + 200)


def webp_claiming(width, height):
    sides = (width - 1) | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", sides) + bytes(50)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def gif_claiming(width, height):
    size = struct.pack("<HH", width, height)
    block = b"," + bytes(4) + size + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + size + b"\x80\0\0\0\0\0\xff\xff\xff" + block + b";"


def bmp_claiming(width, height):
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 200, 0, 0, 54) + info + bytes(146)


def jpeg_claiming(picture, width, height):
    """A JPEG file whose frame header is overwritten."""
    data = bytearray(picture.encode(".jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def refused(source, **options):
    """The sentence with which a source is refused."""
    with pytest.raises(InputError) as caught:
        Picture.open(source, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 250 + len(str(source) if not isinstance(source, bytes) else "")
    return sentence


def picture_or_sentence(source):
    """The picture; None where it was refused, with one sentence."""
    try:
        return Picture.open(source, max_megapixels=4)
    except InputError as error:
        sentence = str(error)
    assert "\n" not in sentence
    return None


@pytest.mark.clock
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"This is a text, not a picture.\n" * 20, "no picture"),
        (b'<?xml version="1.0"?>\n<svg xmlns="a" width="9" height="9"></svg>', "SVG drawing"),
        (b"<svg></svg>", "SVG drawing"),
        (b"%PDF-1.7\n%...", "PDF document"),
        (b"PK\3\4" + bytes(100), "no picture"),
        (bytes(5000), "no picture"),
        (b"\x89PNG\r\n\x1a\n", "broken, cut off"),
        (b"\xff\xd8\xff", "broken, cut off"),
        (b"II*\0", "broken, cut off"),
        (b"RIFF\0\0\0\0WEBP", "broken, cut off"),
        (b"GIF89a", "broken, cut off"),
        (b"BM", "broken, cut off"),
        (b"\0\0\0\x1cftypavif", "broken, cut off"),
        (png_claiming(0, 5), "broken, cut off"),
        (png_claiming(300, 300), "broken, cut off"),
        (tiff_claiming(0, 5), "broken, cut off"),
        (tiff_claiming(90, 90, t277=7), "7 channels"),
        (png_claiming(60_000, 60_000), "3600 megapixels"),
        (png_claiming(20_000, 20_000), "raise max_megapixels"),
        (tiff_claiming(60_000, 60_000), "max_megapixels"),
        (gif_claiming(60_000, 60_000), "max_megapixels"),
        (webp_claiming(16_000, 16_000), "max_megapixels"),
        (bmp_claiming(60_000, 60_000), "max_megapixels"),
        (bmp_claiming(20_000, 20_000), "max_megapixels"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, capfd, content, words):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    begun = time.monotonic()
    assert words in refused(path)
    assert words in refused(content)
    assert time.monotonic() - begun < 2
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_claims_too_much_is_refused(picture_files):
    picture = Picture.open(picture_files["rgb.jpg"])
    assert "max_megapixels" in refused(jpeg_claiming(picture, 65_000, 65_000))
    assert "broken, cut off" in refused(jpeg_claiming(picture, 3_000, 3_000))


def test_what_is_no_file_is_refused(tmp_path):
    import os

    assert "no file" in refused(tmp_path / "missing.png")
    assert "is a folder" in refused(tmp_path)
    assert "cannot be opened" in refused(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in refused(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    refused(tmp_path / "loop.png")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 3), np.int64),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 0), np.uint8),
    ],
)
def test_other_arrays_are_refused(array):
    refused(array)


def test_other_things_are_refused():
    for thing in (None, 7, [[1, 2], [3, 4]], {"image": 1}):
        assert "A picture is" in refused(thing)
    assert "float" in refused(Image.new("F", (4, 4)))
    assert "70000" in refused(Image.fromarray(np.full((4, 4), 70_000, np.int32)))


def test_the_limit_can_be_lifted_and_lowered():
    array = np.zeros((100, 200, 3), np.uint8)
    assert Picture.open(array).shape == (100, 200)
    assert "limit of 0.01;" in refused(array, max_megapixels=0.01)
    assert "limit of 0.01;" in refused(Image.fromarray(array), max_megapixels=0.01)
    big = Picture.open(
        Picture(np.zeros((10_100, 10_000, 1), np.uint8)).encode(".png"), max_megapixels=200
    )
    assert big.shape == (10_100, 10_000)


@pytest.mark.parametrize("kind", ["float", "short", "int"])
def test_samples_without_a_white_are_refused(tmp_path, kind):
    ramp = pyvips.Image.xyz(9, 9)[0].cast(kind)
    ramp.tiffsave(str(tmp_path / "ramp.tif"))
    assert kind in refused(tmp_path / "ramp.tif")


def test_lab_is_converted_and_many_channels_are_refused(tmp_path, picture_files):
    original = pyvips.Image.new_from_file(str(picture_files["rgb8.png"]))
    original.colourspace("lab").tiffsave(str(tmp_path / "lab.tif"))
    lab = Picture.open(tmp_path / "lab.tif")
    assert lab.notes == ("Lab converted to RGB",)
    assert np.abs(lab.rgb().astype(int) - Picture.open(picture_files["rgb8.png"]).rgb()).mean() < 2
    many = original.bandjoin([original, original])
    many.tiffsave(str(tmp_path / "many.tif"))
    assert "channels" in refused(tmp_path / "many.tif")


def test_every_file_cut_short_is_refused(made_pictures, capfd):
    """Unless the cut took nothing that shows: the samples then are the true ones."""
    for name, made in made_pictures.items():
        data, whole = made.path.read_bytes(), Picture.open(made.path)
        for share in (0.2, 0.5, 0.75, 0.95):
            picture = picture_or_sentence(data[: int(len(data) * share)])
            if picture is not None:
                assert np.array_equal(picture.samples, whole.samples), (name, share)
    assert capfd.readouterr() == ("", "")


def test_damaged_files_give_a_picture_or_a_sentence(made_pictures, capfd):
    rng = np.random.default_rng(1)
    for made in made_pictures.values():
        data = made.path.read_bytes()
        for _ in range(6):
            damaged = np.frombuffer(data, np.uint8).copy()
            places = rng.integers(0, len(data), 1 + int(rng.integers(0, 5)))
            damaged[places] = rng.integers(0, 256, len(places))
            picture_or_sentence(damaged.tobytes())
    assert capfd.readouterr() == ("", "")


def test_a_damaged_png_chunk_is_refused(picture_files):
    data = bytearray(picture_files["rgb8.png"].read_bytes())
    data[data.index(b"IDAT") + 60] ^= 0xFF
    assert "broken, cut off" in refused(bytes(data))


@pytest.mark.clock
def test_hostile_metadata_cost_nothing(tmp_path):
    bomb = zlib.compress(bytes(50_000_000), 1)
    begun = time.monotonic()
    for chunk in (
        png_chunk(b"iCCP", b"icc\0\0" + bomb),
        png_chunk(b"zTXt", b"Comment\0\0" + bomb),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
    ):
        body = bytearray(png_claiming(50, 50))
        picture_or_sentence(bytes(body[:33]) + chunk + bytes(body[33:]))
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "packet",
    [
        b"no xml at all",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>',
        b"<a>" * 20_000 + b"</a>" * 20_000,
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"\xff\xfe\x00",
    ],
)
def test_a_broken_xmp_packet_gives_way_to_the_recipe(packet):
    picture = Picture(np.zeros((3, 3, 3), np.uint8), xmp=packet, recipe="ours")
    again = Picture.open(picture.encode(".png"))
    assert again.recipe == "ours"


@pytest.mark.clock
def test_tags_that_turn_in_circles_end(tmp_path):
    circle = b"II*\0" + struct.pack("<IH", 8, 200)
    circle += b"".join(struct.pack("<HHII", 0x8769, 4, 1, 8) for _ in range(200)) + bytes(4)
    picture = Picture(np.zeros((3, 3, 3), np.uint8), exif=circle)
    begun = time.monotonic()
    for suffix in (".png", ".tif", ".webp", ".jpg"):
        assert Picture.open(picture.encode(suffix)).shape == (3, 3)
    assert time.monotonic() - begun < 2


def test_stray_bytes_in_a_jpeg_do_no_harm(picture_files):
    data = picture_files["rgb.jpg"].read_bytes()
    at = data.index(b"\xff\xdb")
    stray = data[:at] + b"\0\0" + data[at:] + b"and more behind its end"
    assert Picture.open(stray).digest() == Picture.open(data).digest()


def test_what_libraries_would_say_stays_off_stderr(picture_files, capfd):
    profile = png_chunk(b"iCCP", b"profil\xe9\0\0" + zlib.compress(bytes(200)))  # no UTF-8
    body = picture_files["rgb8.png"].read_bytes()
    assert Picture.open(body[:33] + profile + body[33:]).shape == (151, 97)
    refused(png_claiming(805_306_465, 3))  # beyond what libvips can even store
    assert capfd.readouterr() == ("", "")


def test_odd_tags_do_not_make_a_tiff_unreadable():
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x010F, 2, 6, 26) + bytes(4) + b"Ma\0er\0"
    picture = Picture(np.zeros((40, 30, 3), np.uint8), exif=block, density=(3e5, 1e-9))
    again = Picture.open(picture.encode(".tif"))
    assert again.digest() == picture.digest()
    assert b"Ma\0er\0" in again.exif
