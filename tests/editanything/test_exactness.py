"""The promise: outside `result.mask` every pixel of every kind of file stays, bit for bit."""

import numpy as np
import pytest
from PIL import Image

from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.image import Picture

# Every operation that has a region as its target.
REGION_COMMANDS = [
    "remove it",
    "make it teal",
    "make it bluer",
    "blur it",
    "sharpen it",
    "brighten it",
    "darken it",
    "make it black and white",
    "saturate it",
    "desaturate it",
    "pixelate it",
    "denoise it",
    "move it to the right by 20 pixels",
    "duplicate it",
    "make it half the size",
    "make it 30% larger",
    "rotate it by 30 degrees",
    "flip it horizontally",
    "blur the background",
    "make the background white",
    "remove the background",
    "replace the background with image B",
    "replace it with image B",
]


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


def blob(shape):
    """A slanted ellipse that does not reach the picture's edge, where there is room for it."""
    height, width = shape
    ys, xs = np.mgrid[:height, :width]
    u = (xs - width * 0.45) / (width * 0.22) + 0.2 * (ys - height * 0.5) / height
    v = (ys - height * 0.5) / (height * 0.25)
    inside = u * u + v * v <= 1
    return inside if inside.any() else np.ones(shape, bool)


CAMERA, GPS = 0x8769, 0x8825
# Orientation (applied and reset), resolution (checked as density), unit, chroma siting: of the file.
OF_THE_FILE = {0x0112, 282, 283, 296, 531}


def exif_tags(picture: Picture) -> dict:
    """The EXIF tags, those of the camera and of the place too; as text, to be comparable."""
    tags = Image.Exif()
    tags.load(picture.exif)
    skip = OF_THE_FILE | {CAMERA, GPS}
    out = {tag: str(value) for tag, value in tags.items() if tag not in skip}
    for block in (CAMERA, GPS):
        out |= {(block, tag): str(value) for tag, value in tags.get_ifd(block).items()}
    return out


def check(before: Picture, after: Picture, mask: np.ndarray):
    """Outside the mask nothing, and nowhere the size, depth, profile or EXIF changed."""
    if after.has_alpha:  # without its background a picture is opaque in the rest
        before = before.with_alpha()
    assert after.samples.shape == before.samples.shape
    assert after.samples.dtype == before.samples.dtype
    assert after.icc == before.icc
    assert exif_tags(before).items() <= exif_tags(after).items()
    if before.density is not None:  # PNG counts whole dots a metre
        assert after.density == pytest.approx(before.density, rel=0.02)
    assert np.array_equal(after.samples[~mask], before.samples[~mask])


def fairly_refused(picture, error):
    """A picture a few pixels wide has no room to move in and nothing to fill from."""
    return min(picture.shape) < 8 and isinstance(error, (InputError, Refusal))


def test_there_are_at_least_40_kinds_of_files(picture_files):
    assert len(picture_files) >= 40


@pytest.mark.parametrize("text", REGION_COMMANDS)
def test_every_operation_on_every_kind_of_samples(editor, picture_files, text):
    """Python, in memory: one file for every combination of size, depth and channels."""
    kinds = {}
    for name, path in sorted(picture_files.items()):
        picture = Picture.open(path)
        key = (picture.samples.dtype, picture.samples.shape[2], min(picture.shape) < 8)
        kinds.setdefault(key, (name, picture))
    assert len(kinds) >= 8
    for name, picture in kinds.values():
        try:
            result = editor.edit(
                picture, text, selection=blob(picture.shape), reference=EXAMPLES["cat"].path
            )
        except ValueError as error:
            assert fairly_refused(picture, error), (name, error)
            continue
        check(picture, result.picture, result.mask)
        in_colour = picture.samples.shape[2] >= 3  # grey stays grey when it is made "teal"
        if min(picture.shape) > 50 and in_colour:
            assert result.picture.digest() != picture.digest(), name


def test_every_file_through_python_and_the_command_line(editor, picture_files, tmp_path):
    """Each file meets one operation after another, in turn, and each lossless format it fits."""
    for number, (name, path) in enumerate(sorted(picture_files.items())):
        before = Picture.open(path)
        selected = blob(before.shape)
        mask_file = tmp_path / f"{number}.mask.png"
        Picture.open(selected.astype(np.uint8) * 255).save(mask_file)
        text = REGION_COMMANDS[number % len(REGION_COMMANDS)]
        reference = EXAMPLES["cat"].path
        try:
            result = editor.edit(path, text, selection=selected, reference=reference)
        except ValueError as error:
            assert fairly_refused(before, error), (name, error)
            continue
        suffixes = [".png", ".tif", *([".webp"] if before.samples.dtype == np.uint8 else [])]
        by_cli = tmp_path / f"{number}.cli{suffixes[number % len(suffixes)]}"
        words = ["edit", str(path), text, "--mask", str(mask_file)]
        words += ["--reference", str(reference), "-o", str(by_cli)]
        assert main(words) == 0, name
        for suffix in suffixes:
            by_python = tmp_path / f"{number}.python{suffix}"
            result.save(by_python)
            if suffix == by_cli.suffix:
                assert by_cli.read_bytes() == by_python.read_bytes(), (name, suffix)
            saved = Picture.open(by_python)
            if suffix == ".webp" and before.samples.shape[2] < 3:
                # WebP knows no grey: the same greys come back as RGB.
                assert np.array_equal(
                    saved.samples[~result.mask][:, 0], before.samples[~result.mask][:, 0]
                )
                continue
            check(before, saved, result.mask)


def test_frame_changes_keep_every_sample_they_keep(editor, picture_files):
    for path in sorted(picture_files.values())[::9]:
        picture = Picture.open(path)
        if min(picture.shape) < 16:
            continue
        selected = blob(picture.shape)
        ys, xs = np.nonzero(selected)
        cropped = editor.edit(picture, "crop to the selection", selection=selected).picture
        window = picture.samples[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        assert np.array_equal(cropped.samples, window)
        flipped = editor.edit(picture, "flip the image horizontally").picture
        assert np.array_equal(flipped.samples, picture.samples[:, ::-1])
        wider = editor.edit(picture, "extend the picture to the left by 9 pixels")
        assert np.array_equal(wider.picture.samples[:, 9:], picture.samples)
        assert wider.mask[:, :9].all() and not wider.mask[:, 9:].any()


def test_the_callers_array_is_never_written_to(editor):
    photo = Picture.open(EXAMPLES["coffee"].path).rgb().copy()
    kept = photo.copy()
    photo.flags.writeable = False
    selected = blob(photo.shape[:2])
    for text in REGION_COMMANDS[:3]:
        result = editor.edit(photo, text, selection=selected)
        assert result.image.shape == photo.shape and result.image.dtype == np.uint8
        assert np.array_equal(result.image[~result.mask], kept[~result.mask])
    assert np.array_equal(photo, kept)


def test_pil_in_pil_out_in_the_same_mode(editor):
    photo = Image.open(EXAMPLES["cat"].path)
    for mode in ("RGB", "L", "RGBA", "LA"):
        given = photo.convert(mode)
        result = editor.edit(given, "pixelate it", selection=blob((300, 451)))
        assert isinstance(result.image, Image.Image)
        assert result.image.mode == mode and result.image.size == given.size
