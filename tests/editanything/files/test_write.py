"""What is written holds the same picture, its metadata and its recipe, and the same bytes."""

from xml.etree.ElementTree import canonicalize

import numpy as np
import pytest
from PIL import Image

from editanything.image import Picture

SUFFIXES = [".png", ".tif", ".webp", ".jpg"]
EXACT = [".png", ".tif", ".webp"]


def fits(picture, suffix):
    """Whether a kind of file can hold the picture."""
    deep = picture.samples.dtype == np.uint16
    return not (deep and suffix in (".webp", ".jpg")) and not (
        picture.has_alpha and suffix == ".jpg"
    )


def same_packet(one, other):
    """Whether two XMP packets say the same; the order of attributes says nothing."""
    if one is None or other is None:
        return one is other
    return canonicalize(one.decode()) == canonicalize(other.decode())


@pytest.mark.parametrize("source", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_profile_tags_and_resolution_survive(picture_files, tmp_path, source, suffix):
    source_path, saved = picture_files[f"everything.{source}"], tmp_path / f"saved{suffix}"
    picture = Picture.open(source_path)
    picture.save(saved)
    with Image.open(source_path) as before, Image.open(saved) as after:
        after.load()
        assert after.info["icc_profile"] == before.info["icc_profile"]
        # A WebP file has no field of its own for the resolution, only the EXIF tags.
        if ".webp" not in (suffix, source_path.suffix):
            assert tuple(map(float, after.info["dpi"])) == pytest.approx((200, 100), rel=1e-4)
        assert b"rg &amp; Co" in after.info["xmp"]
        for directory in (None, 0x8769, 0x8825):
            tags = [
                image.getexif().get_ifd(directory) if directory else dict(image.getexif())
                for image in (before, after)
            ]
            ours = {0x010F, 0x0110, 0x013B} if directory is None else set(tags[0])
            assert ours <= set(tags[1])
            assert {t: tags[0][t] for t in ours} == {t: tags[1][t] for t in ours}
    again = Picture.open(saved)
    assert again.icc == picture.icc
    assert again.xmp == picture.xmp
    if source != "webp":
        assert again.density == pytest.approx((200, 100), rel=1e-4)


def test_the_orientation_tag_is_reset(picture_files, tmp_path):
    for name, path in picture_files.items():
        if not name.startswith("turned"):
            continue
        for suffix in SUFFIXES:
            saved = tmp_path / f"saved{suffix}"
            Picture.open(path).save(saved, overwrite=True)
            with Image.open(saved) as image:
                assert image.getexif().get(0x0112, 1) == 1, (name, suffix)
                assert image.size == (97, 151)
                assert image.getexif()[0x010F] == "Maker"
                if path.suffix != ".tif":  # where Pillow does not write it
                    assert image.getexif().get_ifd(0x8769)[0x927C] == b"note" * 9


def test_every_picture_survives_its_way_through_every_exact_file(picture_files, tmp_path):
    for name, path in picture_files.items():
        picture = Picture.open(path)
        for suffix in EXACT:
            if not fits(picture, suffix):
                continue
            written = picture.encode(suffix)
            again = Picture.open(written)
            assert np.array_equal(again.rgb(), picture.rgb()), (name, suffix)
            assert again.has_alpha == picture.has_alpha, (name, suffix)
            if suffix != ".webp":  # which knows no grey
                assert again.digest() == picture.digest(), (name, suffix)
            elif picture.has_alpha:
                assert np.array_equal(again.opacity(), picture.opacity()), (name, suffix)
            # What is written does not depend on what kind of file it was read from.
            assert again.encode(suffix) == written, (name, suffix)


def test_tiff_files_are_read_by_others(made_pictures):
    import io

    import tifffile

    for name, made in made_pictures.items():
        if made.truth is None:
            continue
        picture = Picture.open(made.path)
        channels = picture.samples.shape[2]
        other = tifffile.imread(io.BytesIO(picture.encode(".tif")))
        assert np.array_equal(other.reshape(picture.samples.shape), picture.samples), name
        with Image.open(io.BytesIO(picture.encode(".png"))) as image:
            assert (
                image.mode
                in {1: ("L", "I;16", "I"), 2: ("LA", "RGBA"), 3: ("RGB",), 4: ("RGBA",)}[channels]
            )


def test_the_same_picture_gives_the_same_bytes(picture_files):
    for name in ("everything.png", "rgba8.png", "rgb16.png", "grey8.png"):
        picture, again = Picture.open(picture_files[name]), Picture.open(picture_files[name])
        for suffix in SUFFIXES:
            if fits(picture, suffix):
                assert picture.encode(suffix) == again.encode(suffix)


RECIPE = '{"text":"remove <it> & \'that\' \\u0001","ö":"日本 😀", "n":[1,2]}\n'


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["rgb8.png", "everything.png", "everything.jpg"])
@pytest.mark.parametrize("recipe", [RECIPE, "x" * 200_000 + "é"])
def test_a_recipe_travels_in_the_file(picture_files, suffix, name, recipe):
    picture = Picture.open(picture_files[name])
    assert picture.recipe is None
    with_recipe = picture.with_samples(picture.samples, recipe=recipe)
    again = Picture.open(with_recipe.encode(suffix))
    assert again.recipe == recipe
    assert same_packet(again.xmp, picture.xmp)
    other = Picture.open(again.with_samples(again.samples, recipe="second").encode(suffix))
    assert other.recipe == "second"
    assert same_packet(other.xmp, picture.xmp)
    none = Picture.open(again.with_samples(again.samples).encode(suffix))
    assert none.recipe is None
    assert same_packet(none.xmp, picture.xmp)


def test_new_samples_take_the_thumbnail_away(tmp_path):
    import struct

    small = Image.new("RGB", (8, 8), "red")
    small.save(tmp_path / "small.jpg")
    thumbnail = (tmp_path / "small.jpg").read_bytes()
    block = b"II*\0" + struct.pack("<IHHHI4sI", 8, 1, 0x010F, 2, 4, b"abc\0", 26)
    block += struct.pack("<HHHIIHHIII", 2, 0x201, 4, 1, 56, 0x202, 4, 1, len(thumbnail), 0)
    block += thumbnail
    assert block.index(thumbnail) == 56
    small.save(tmp_path / "in.jpg", exif=b"Exif\0\0" + block)
    picture = Picture.open(tmp_path / "in.jpg")
    assert thumbnail in picture.encode(".jpg")
    edited = picture.with_samples(picture.samples)
    assert thumbnail not in edited.encode(".jpg")
    assert edited.exif is not None
    (tmp_path / "out.jpg").write_bytes(edited.encode(".jpg"))
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.getexif()[0x010F] == "abc"
        assert image.getexif().get_ifd(1) == {}
