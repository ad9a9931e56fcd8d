"""Stickers: packages that are checked, what is kept of them, and pictures with alpha."""

import argparse
import hashlib
import json
import pickle
import re
import shlex
import stat
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from mdt.data import DataError, batches, open_source
from mdt.data.alpha import premultiplied, straight
from mdt.data.command import add_arguments, run
from mdt.data.stickers import fetch as fetching
from mdt.data.stickers.build import build, write
from mdt.data.stickers.fetch import FLUENT, NAMES, NOTO, check, fetch, member
from mdt.data.stickers.names import HELD_SHARE, clean, held


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """npm(*lines of Python) -> the only program on the PATH, called npm."""

    def make(*lines):
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir()
        program.write_text("\n".join([f"#!{sys.executable}", "import sys", *lines]))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent))

    return make


def test_without_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"emojibase-data@17\.0\.0 is got with npm.*Node\.js"):
        fetch(NAMES)


def test_without_a_network(npm):
    npm("print('npm error code ENOTFOUND', file=sys.stderr)", "sys.exit(1)")
    with pytest.raises(DataError, match=r"could not get emojibase-data@17\.0\.0 \(ENOTFOUND\)"):
        fetch(NAMES)


def test_a_client_that_hangs(npm, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.2)
    npm("import time", "time.sleep(60)")
    with pytest.raises(DataError, match="has not brought emojibase-data@17"):
        fetch(NAMES)


def test_another_archive_is_not_used(npm, packages):
    npm(
        "place = sys.argv[sys.argv.index('--pack-destination') + 1]",
        "assert sys.argv[1:3] == ['pack', 'emojibase-data@17.0.0'], sys.argv",
        "assert '--ignore-scripts' in sys.argv",
        "open(place + '/a.tgz', 'wb').write(b'other')",
    )
    with pytest.raises(DataError, match="another SHA-512"):
        fetch(NAMES)
    with pytest.raises(DataError, match="another SHA-512"):
        check(NAMES, packages[NAMES])


def test_a_file_that_is_not_in_the_package(packages):
    with pytest.raises(DataError, match=r"no file en/none\.json"):
        member(packages[NAMES], "en/none.json")


def test_what_is_kept(stickers):
    source = open_source("stickers", stickers)
    assert source.names == (
        "airplane", "axe", "bald man", "bus stop", "cat", "cat face", "glass of milk",
        "green circle", "penguin", "red apple", "scissors",
    )  # fmt: skip
    assert source.classes == source.names
    assert len(source) == 11
    assert source.shape == (4, 32, 32)
    assert set(source.styles) == {"fluent"}
    assert dict(zip(source.names, source.groups, strict=True))["red apple"] == "food"
    assert dict(zip(source.names, source.tags, strict=True))["red apple"] == ("x", "re")
    assert dict(zip(source.names, source.kinds, strict=True))["cat"] == "animal-mammal"


def test_what_is_written(stickers):
    about = json.loads((stickers / "stickers.json").read_text())
    file = stickers / "stickers.parquet"
    assert about["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [package["spec"] for package in about["packages"]] == [
        "emojibase-data@17.0.0", "@lobehub/fluent-emoji-3d@1.1.0", "@iconify-json/noto@1.2.9",
    ]  # fmt: skip
    notice = (stickers / "NOTICE.txt").read_text()
    for owner in (
        "Microsoft Corporation",
        "LobeHub",
        "Google",
        "Miles Johnson",
        "WITHOUT WARRANTY",
    ):
        assert owner in notice
    for row in pq.read_table(file).to_pylist():
        assert row["licence"] == "MIT"
        assert hashlib.sha256(row["image"]["bytes"]).hexdigest() == row["sha256"]
    # Any reader of data sets can open it; there, clear parts are white.
    plain = open_source("parquet", stickers)
    assert plain.classes == open_source("stickers", stickers).names
    assert (plain.read(0)[0][0, 0] == 255).all()


def test_pictures_have_alpha(stickers):
    source = pickle.loads(pickle.dumps(open_source("stickers", stickers)))
    for i in range(len(source)):
        pixels, label = source.read(i)
        assert pixels.dtype == np.uint8
        assert pixels.shape == (32, 32, 4)
        assert (pixels[0] == 0).all()
        assert pixels[20, 12, 3] == 255
        assert label == source.labels[i]
    apple = source.read(source.labels.tolist().index(source.names.index("red apple")))[0]
    assert (apple[20, 12] == (255, 0, 0, 255)).all()
    small = open_source("stickers", stickers, size=8)
    assert small.shape == (4, 8, 8)
    assert small.read(0)[0].shape == (8, 8, 4)


def test_the_second_style_shares_names(packages, tmp_path):
    write(tmp_path / "two", packages, 16, ["fluent", "noto"])
    source = open_source("stickers", tmp_path / "two")
    assert source.styles.count("noto") == 4
    assert len(source.names) == 11
    noto = open_source("stickers", tmp_path / "two", styles=["noto"])
    assert [source.names[i] for i in noto.labels] == ["cat", "cat face", "penguin", "red apple"]
    assert noto.names == source.names
    pixels, _ = noto.read(3)
    assert (pixels[8, 8] == (255, 0, 0, 255)).all()
    assert (pixels[0, 0] == 0).all()


def test_parts(stickers):
    parts = {name: open_source("stickers", stickers, split=name) for name in ("train", "held")}
    shown = {name: {part.names[i] for i in part.labels} for name, part in parts.items()}
    assert shown["held"] == {"penguin", "axe"}
    assert not shown["held"] & shown["train"]
    assert len(parts["train"]) == 9
    assert parts["train"].identity != parts["held"].identity
    food = open_source("stickers", stickers, groups=["food"])
    assert {food.names[i] for i in food.labels} == {"red apple", "glass of milk"}


def test_the_held_names_are_a_fixed_share():
    assert [name for name in ("penguin", "axe", "cat", "dog", "red apple") if held(name)] == [
        "penguin", "axe",
    ]  # fmt: skip
    share = np.mean([held(f"thing {chr(97 + i % 26)}{chr(97 + i // 26)}") for i in range(676)])
    assert abs(share - HELD_SHARE) < 0.03
    for one, other in (("man surfing", "woman surfing"), ("cat", "cat face"), ("cook", "man cook")):
        assert held(one) == held(other)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("man: bald", "bald man"),
        ("person: blond hair", "person with blond hair"),
        ("woman: beard", "woman with a beard"),
        ("one o’clock", "clock at one o'clock"),
        ("automobile", "car"),
        ("red apple", "red apple"),
    ],
)
def test_names_as_one_says_them(label, name):
    assert clean(label) == name


def test_batches_bring_four_channels(stickers):
    source = open_source("stickers", stickers)
    x, label, _ = next(batches(source, batch=11, seed=3, flip=True))
    assert x.shape == (11, 4, 32, 32)
    assert (x[:, :, 0, 0] == -1).all()
    back = straight(x)
    for picture, number in zip(back, label, strict=True):
        pixels, _ = source.read(source.labels.tolist().index(int(number)))
        found = picture.permute(1, 2, 0).numpy()
        assert np.array_equal(found, pixels) or np.array_equal(found, pixels[:, ::-1])


def test_the_inverse_is_exact():
    """All 65,536 pairs of a level and an alpha, in all three colours."""
    level, alpha = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    rgba = torch.stack([level, level.flip(0), level.roll(99, 0), alpha]).to(torch.uint8)
    x = premultiplied(rgba)
    assert x.dtype == torch.float32
    assert x.min() == -1
    assert x.max() == 1
    assert (x[:3] <= x[3:] + 1e-6).all()
    clear = rgba[3] == 0
    expected = torch.where(clear, 0, rgba)
    assert torch.equal(straight(x), expected)
    assert torch.equal(straight(x * 7).amax(), torch.tensor(255, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "trian"}, "did you mean 'train'"),
        ({"styles": ["flat"]}, "no style 'flat'"),
        ({"groups": ["fod"]}, "did you mean 'food'"),
        ({"styles": ["noto"]}, "No sticker"),
        ({"size": 0}, "number of pixels"),
    ],
)
def test_settings_that_do_not_fit(stickers, settings, message):
    with pytest.raises(DataError, match=message):
        open_source("stickers", stickers, **settings)


def test_folders_that_do_not_fit(stickers, tmp_path):
    with pytest.raises(DataError, match=r"make them with `mdt data stickers -o"):
        open_source("stickers", tmp_path)
    about = json.loads((stickers / "stickers.json").read_text())
    (tmp_path / "stickers.json").write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(DataError, match="format 99"):
        open_source("stickers", tmp_path)
    (tmp_path / "stickers.json").write_text(json.dumps(about))
    (tmp_path / "stickers.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="Parquet"):
        open_source("stickers", tmp_path)


def test_a_broken_picture_is_named(packages, tmp_path):
    write(tmp_path / "a", packages, 16, ["fluent"])
    source = open_source("stickers", tmp_path / "a")
    source._cells[0] = source._cells[0][:40]
    with pytest.raises(DataError, match=r"'airplane'.*cannot be read"):
        source.read(0)


def test_builds_that_cannot_be(tmp_path):
    with pytest.raises(DataError, match="did you mean 'fluent'"):
        build(tmp_path / "a", styles=["fluemt"])
    with pytest.raises(DataError, match="each style once"):
        build(tmp_path / "a", styles=["noto", "noto"])
    with pytest.raises(DataError, match="8 to 1024 pixels; got 4"):
        build(tmp_path / "a", size=4)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="exists"):
        build(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_command(npm, tmp_path):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(["stickers", "-o", str(tmp_path / "out"), "--styles", "fluent"])
    assert (arguments.size, arguments.set) == (128, "stickers")
    npm("sys.exit(1)")
    with pytest.raises(DataError, match="could not get emojibase-data"):
        run(arguments)
    assert not (tmp_path / "out").exists()


TEXT = (Path(__file__).resolve().parents[3] / "docs" / "stickers.md").read_text(encoding="utf-8")


def test_the_page_says_what_is(stickers, tmp_path, monkeypatch, capsys):
    (tmp_path / "stickers").symlink_to(stickers)
    monkeypatch.chdir(tmp_path)
    first, second = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    space = {}
    exec(compile(first, "stickers.md", "exec"), space)
    assert space["x"].shape == (4, 4, 32, 32)
    assert space["rgba"].dtype == torch.uint8
    exec(compile(second, "stickers.md", "exec"), space)
    assert space["drawn"].caption in capsys.readouterr().out
    for package in (FLUENT, NOTO, NAMES):
        assert f"{package.name} {package.version}" in TEXT


def test_the_page_s_command_is_understood():
    _, verb, *words = shlex.split(
        re.search(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)[1]
    )
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(words)
    assert verb == "data"
    assert (arguments.output, arguments.size, arguments.styles) == ("stickers", 128, "fluent,noto")
