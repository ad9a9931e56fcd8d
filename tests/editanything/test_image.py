"""What everyone sees of a picture, how it is handed back, saved whole or not at all."""

import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from editanything.errors import InputError
from editanything.image import Picture, check_output

# --- what everyone else sees


def test_16_bits_are_rounded_to_8():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    seen = Picture.open(every).rgb()
    assert seen.shape == (256, 256, 3)
    assert np.array_equal(seen[..., 1].ravel(), np.rint(every.ravel() / 257))


@given(
    st.integers(1, 4),
    st.sampled_from([np.uint8, np.uint16]),
    st.tuples(st.integers(0, 6), st.integers(0, 5), st.integers(1, 7), st.integers(1, 6)),
    st.integers(0, 2**32),
)
def test_a_box_is_a_part_of_the_whole(channels, dtype, place, seed):
    samples = np.random.default_rng(seed).integers(0, 65536, (11, 13, channels)).astype(dtype)
    picture = Picture.open(samples)
    x0, y0, width, height = place
    box = (x0, y0, x0 + width, y0 + height)
    part = np.s_[y0 : y0 + height, x0 : x0 + width]
    assert picture.rgb().dtype == np.uint8
    assert np.array_equal(picture.rgb(box), picture.rgb()[part])
    assert (picture.opacity() is None) == (channels in (1, 3))
    if picture.opacity() is not None:
        assert np.array_equal(picture.opacity(box), picture.opacity()[part])
    if channels < 3:
        assert np.ptp(picture.rgb(), axis=2).max() == 0


def test_nothing_can_be_written_to(picture_files):
    array = np.zeros((4, 5, 3), np.uint8)
    picture = Picture.open(array)
    before = picture.digest()
    array[:] = 7
    assert picture.samples.max() == 0
    assert Picture(picture.samples).digest() == before
    for source in (picture, *map(Picture.open, picture_files.values())):
        for view in (source.samples, source.rgb(), source.rgb((0, 0, 1, 1)), source.opacity()):
            assert view is None or not view.flags.writeable


def test_the_digest_is_of_shape_depth_and_samples():
    zeros = [
        np.zeros(shape, dtype)
        for shape in [(2, 6, 1), (6, 2, 1), (2, 3, 2), (2, 2, 3)]
        for dtype in (np.uint8, np.uint16)
    ]
    assert len({Picture(samples).digest() for samples in zeros}) == len(zeros)
    assert Picture(zeros[0]).digest() == Picture(zeros[0].copy(), icc=b"profile").digest()


def test_an_alpha_channel_that_is_added_is_opaque_and_changes_nothing_else(picture_files):
    for name in ("rgb8.png", "rgb16.png", "grey8.png", "grey16.png", "rgba16.png"):
        picture = Picture.open(picture_files[name])
        with_alpha = picture.with_alpha()
        assert with_alpha.has_alpha
        colours = picture.samples.shape[2] // 2 * 2 - 1 if picture.has_alpha else None
        np.testing.assert_array_equal(with_alpha.samples[..., :-1], picture.samples[..., :colours])
        if not picture.has_alpha:
            assert (with_alpha.opacity() == 255).all()
            assert with_alpha.samples.dtype == picture.samples.dtype


def test_the_preview_is_small_and_shows_what_is_transparent(picture_files):
    picture = Picture.open(picture_files["rgba16.png"])
    small = picture.preview(60)
    assert small.shape == (60, 39, 3)
    assert picture.preview().shape == (151, 97, 3)
    corner, middle = np.s_[:8, :8], np.s_[70:80, 45:55]
    assert np.unique(picture.preview()[corner]).tolist() == [255]
    assert np.unique(picture.preview()[:8, 8:16]).tolist() == [224]
    assert np.array_equal(picture.preview()[middle], picture.rgb()[middle])
    assert Picture.open(picture_files["one_row.png"]).preview(10).shape == (1, 10, 3)


# --- handed back in kind


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (1, 1, 3)])
def test_an_array_comes_back_as_it_was(shape, dtype):
    array = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    back = Picture.open(array).in_kind()
    assert back.shape == array.shape
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    back[:] = 0  # the caller's own


def test_views_and_slices_are_taken(picture_files):
    array = np.array(Image.open(picture_files["rgb8.png"]))
    for view in (array[::-1, ::2], array[..., ::-1], np.asfortranarray(array)):
        assert np.array_equal(Picture.open(view).in_kind(), view)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "I;16"])
def test_a_pil_image_comes_back_in_its_mode(picture_files, mode):
    if mode == "I;16":
        image = Image.open(picture_files["grey16.png"])
    else:
        image = Image.open(picture_files["everything_rgba.png"]).convert(mode)
    back = Picture.open(image).in_kind()
    assert (back.mode, back.size) == (mode, image.size)
    assert np.array_equal(np.array(back), np.array(image))
    assert back.info.get("icc_profile") == image.info.get("icc_profile")


@pytest.mark.parametrize(
    ("mode", "becomes"),
    [
        ("P", "RGB"),
        ("PA", "RGBA"),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("HSV", "RGB"),
        ("I", "I;16"),
        ("La", "LA"),
        ("RGBa", "RGBA"),
        ("RGBX", "RGB"),
        ("I;16B", "I;16"),
    ],
)
def test_other_pil_modes_become_plain_ones(picture_files, mode, becomes):
    image = Image.open(picture_files["rgb8.png"])
    for step in {"PA": ["P"], "La": ["LA"], "RGBa": ["RGBA"], "I;16B": ["I"]}.get(mode, []):
        image = image.convert(step)
    image = image.convert(mode)
    back = Picture.open(image).in_kind()
    assert (back.mode, back.size) == (becomes, image.size)
    if mode in ("P", "PA", "RGBX"):
        assert np.array_equal(np.array(back), np.array(image.convert(becomes)))


def test_pil_images_are_turned_upright_and_keep_their_tags(made_pictures):
    for n in range(1, 9):
        for kind in ("png", "tif"):
            made = made_pictures[f"turned_{n}.{kind}"]
            with Image.open(made.path) as image:
                picture = Picture.open(image)
            assert np.array_equal(picture.samples, made.truth), (n, kind)
            back = picture.in_kind()
            assert back.getexif()[0x010F] == "Maker"
            assert back.getexif().get(0x0112, 1) == 1


def test_pil_images_and_files_are_the_same_picture(made_pictures):
    for name, made in made_pictures.items():
        if made.truth is None or made.truth.dtype != np.uint8 or name == "animated.webp":
            continue
        with Image.open(made.path) as image:
            picture = Picture.open(image)
        assert np.array_equal(picture.rgb(), Picture.open(made.path).rgb()), name
        assert (picture.icc is None) == (Picture.open(made.path).icc is None), name


def test_a_file_comes_back_as_rgb(picture_files):
    for name in ("rgba16.png", "grey8.png", "palette.bmp"):
        back = Picture.open(picture_files[name]).in_kind()
        assert back.dtype == np.uint8
        assert back.shape[2] == 3
        back[:] = 0


# --- saving


def test_saving_refuses_in_one_sentence(picture_files, tmp_path):
    rgb, rgba, deep, grey_alpha = (
        Picture.open(picture_files[f"{name}.png"])
        for name in ("rgb8", "rgba8", "rgb16", "grey_alpha8")
    )
    (tmp_path / "there.png").write_bytes(b"mine")
    (tmp_path / "folder.png").mkdir()
    wide = Picture(np.zeros((1, 70_000, 3), np.uint8))
    for picture, path, words in [
        (rgb, "there.png", "exists"),
        (rgb, "folder.png", "is a folder"),
        (rgb, "no/such/folder.png", "no folder"),
        (rgb, "out.xyz", "'.xyz'"),
        (rgb, "out", "''"),
        (rgb, "there.png/out.png", "no folder"),
        (deep, "out.jpg", "PNG or TIFF"),
        (deep, "out.webp", "PNG or TIFF"),
        (rgba, "out.jpg", "no transparency"),
        (grey_alpha, "out.jpeg", "no transparency"),
        (wide, "out.jpg", "65535"),
        (wide, "out.webp", "16383"),
    ]:
        with pytest.raises(InputError, match=words) as caught:
            picture.save(tmp_path / path)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "there.png").read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.png", "there.png"]
    rgb.save(tmp_path / "there.png", overwrite=True)
    assert Picture.open(tmp_path / "there.png").digest() == rgb.digest()
    with pytest.raises(InputError, match="exists"):
        check_output(tmp_path / "there.png")


def test_a_failed_save_leaves_the_old_file(picture_files, tmp_path):
    (tmp_path / "old.jpg").write_bytes(b"mine")
    with pytest.raises(InputError):
        Picture.open(picture_files["rgb16.png"]).save(tmp_path / "old.jpg", overwrite=True)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"mine"]


@pytest.mark.parametrize(
    "name", ["a[page=1].png", "ü 日本.TIF", "-x.jpeg", "a:b,c=d.webp", "%20.tiff"]
)
def test_odd_names_are_names(picture_files, tmp_path, name):
    picture = Picture.open(picture_files["rgb8.png"])
    picture.save(tmp_path / name)
    assert Picture.open(tmp_path / name).shape == picture.shape
    assert [p.name for p in tmp_path.iterdir()] == [name]


@contextmanager
def as_nobody():
    """Without the rights of the superuser, where a test runs with them."""
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        yield
    finally:
        os.seteuid(user)


def test_what_may_not_be_read_or_written_is_said(picture_files, tmp_path):
    picture = Picture.open(picture_files["rgb8.png"])
    secret, closed = tmp_path / "secret.png", tmp_path / "closed"
    picture.save(secret)
    secret.chmod(0)
    closed.mkdir(0o555)
    tmp_path.chmod(0o755)
    with as_nobody():
        with pytest.raises(InputError, match="permission denied"):
            Picture.open(secret)
        with pytest.raises(InputError, match="Permission denied"):
            picture.save(closed / "out.png")


def test_new_files_have_the_usual_rights(picture_files, tmp_path):
    Picture.open(picture_files["rgb8.png"]).save(tmp_path / "out.png")
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "link.png").symlink_to(tmp_path / "out.png")
    (tmp_path / "out.png").chmod(0o600)
    Picture.open(picture_files["rgba8.png"]).save(tmp_path / "link.png", overwrite=True)
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "out.png").stat().st_mode & 0o777 == 0o600


MEASURE = """
import re, sys, numpy as np
from pathlib import Path
from editanything.image import Picture
def peak_mb(key):
    return int(re.search(key + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
Picture.open(Picture.open(np.zeros((9, 9, 3), np.uint8)).encode(".png"))
base = peak_mb("VmRSS")
picture = Picture.open(sys.argv[1])
opened = peak_mb("VmHWM") - base
picture.rgb((10, 10, 400, 400))
picture.save(sys.argv[2])
print(opened, peak_mb("VmHWM") - base)
"""


def test_a_24_megapixel_picture_needs_little_memory(tmp_path):
    row = np.arange(6000 * 3, dtype=np.uint16).reshape(1, 6000, 3) // 71
    samples = np.broadcast_to(row.astype(np.uint8), (4000, 6000, 3))
    pyvips.Image.new_from_array(samples).pngsave(str(tmp_path / "in.png"), compression=1)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "in.png", tmp_path / "out.png"],
        check=True,
        capture_output=True,
        text=True,
    )
    opened, saved = map(float, done.stdout.split())
    assert opened < 150
    assert saved < 250
    assert done.stderr == ""
