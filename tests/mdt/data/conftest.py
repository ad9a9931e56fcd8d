"""Pictures to read: small, all different, the same in every run."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mdt.data.stickers.build import write
from mdt.data.stickers.fetch import FLUENT, NAMES, NOTO


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


#: Name, group, subgroup, colour. "penguin" and "axe" are held (see `names.held`).
THINGS = [
    ("red apple", 4, 42, "red"), ("cat", 3, 34, "orange"), ("cat face", 3, 34, "orange"),
    ("penguin", 3, 35, "black"), ("bus stop", 5, 54, "blue"), ("airplane", 5, 56, "grey"),
    ("glass of milk", 4, 47, "white"), ("axe", 7, 78, "brown"), ("scissors", 7, 76, "red"),
    ("man: bald", 1, 23, "yellow"), ("green circle", 8, 96, "green"), ("SOON arrow", 8, 85, "blue"),
    ("light skin tone", 2, 32, "pink"), ("flag: Chad", 9, 98, "blue"),
]  # fmt: skip


def archive(files):
    """The bytes of a .tgz as npm packs it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as packed:
        for path, data in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return file.getvalue()


def sticker(number, color):
    """A round thing with a square hat, off the middle, on a clear ground; WebP."""
    image = Image.new("RGBA", (64, 64))
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 20, 40 + number, 58), fill=color)
    draw.rectangle((20, 8, 30, 24), fill="gold")
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True)
    return file.getvalue()


@pytest.fixture(scope="session")
def packages():
    """Small packages that are built as the published ones are: package -> archive."""
    entries = [
        {"label": name, "hexcode": f"1F4{i:02}-FE0F", "group": group, "subgroup": kind, "tags": ["x", name[:2]]}
        for i, (name, group, kind, _) in enumerate(THINGS)
    ]  # fmt: skip
    kinds = {"34": "animal-mammal", "56": "transport-air"}
    groups = {"subgroups": {str(i): kinds.get(str(i), f"kind-{i}") for i in range(100)}}
    names = {"en/data.json": entries, "meta/groups.json": groups}
    art = {f"assets/1f4{i:02}-fe0f.webp": sticker(i, thing[3]) for i, thing in enumerate(THINGS)}
    body = '<circle cx="64" cy="64" r="50" fill="{}"/>'
    icons = {f"icon-{i}": {"body": body.format(thing[3])} for i, thing in enumerate(THINGS)}
    drawn = {
        "icons.json": {"icons": icons, "width": 128, "height": 128},
        "chars.json": {f"1f4{i:02}": f"icon-{i}" for i in range(4)} | {"1f499": "icon-none"},
    }
    return {
        NAMES: archive({path: json.dumps(data).encode() for path, data in names.items()}),
        FLUENT: archive(art | {"assets/1f400-1f3fb.webp": b"skin", "README.md": b"text"}),
        NOTO: archive({path: json.dumps(data).encode() for path, data in drawn.items()}),
    }


@pytest.fixture(scope="session")
def stickers(packages, tmp_path_factory):
    """A folder of stickers, 32 pixels, as `mdt data stickers` writes it."""
    folder = tmp_path_factory.mktemp("stickers") / "small"
    write(folder, packages, 32, ["fluent"])
    return folder
