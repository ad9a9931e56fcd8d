"""`mdt encode` with a tiny VAE of random weights."""

import argparse

import diffusers
import numpy as np
import pytest
import ranks
import torch
from PIL import Image

from mdt import codec
from mdt import encode as verb
from mdt.data import DataError, open_any, open_source
from mdt.data.latents import INDEX, shard_name

NUM_PICTURES = 11


def make_vae(folder, seed=0, **settings):
    torch.manual_seed(seed)
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        scaling_factor=0.3,
        shift_factor=0.1,
        **settings,
    ).eval()
    vae.save_pretrained(folder)
    return vae


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As each of two processes has: with more of them roundings may differ."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with `vae` and `pictures` of two classes."""
    folder = tmp_path_factory.mktemp("encode")
    make_vae(folder / "vae")
    draws = np.random.default_rng(0)
    for i in range(NUM_PICTURES):
        path = folder / "pictures" / ("ant" if i < 6 else "bee") / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (20, 16, 3), dtype=np.uint8)).save(path)
    return folder


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(verb, "PICTURES_PER_SHARD", 4)


def run(place, out, *more, sources=None):
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    sources = sources or [str(place / "pictures")]
    words = [*sources, "--vae", str(place / "vae"), "-o", str(out), "--size", "16", "--batch", "3"]
    verb.run(parser.parse_args([*words, *more]))


def files(out):
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture(scope="module")
def done(place, tmp_path_factory):
    out = tmp_path_factory.mktemp("done") / "latents"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb, "PICTURES_PER_SHARD", 4)
        run(place, out, "--flip")
    return out


@pytest.mark.parametrize("dtype", ["fp16", "fp32"])
def test_the_latents_are_the_means_of_the_codec(place, tmp_path, dtype):
    run(place, tmp_path / "out", "--flip", "--dtype", dtype)
    latents = open_source("latents", tmp_path / "out", vae=place / "vae")
    pictures = open_source("folder", place / "pictures", size=16)
    assert (len(latents), latents.shape) == (NUM_PICTURES, (4, 8, 8))
    assert latents.classes == ("ant", "bee")
    vae = diffusers.AutoencoderKL.from_pretrained(place / "vae").eval()
    for i in range(NUM_PICTURES):
        pixels, label = pictures.read(i)
        x = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
        for read, view in ((latents.read, x), (latents.read_flipped, x.flip(-1))):
            with torch.no_grad():
                mean = codec.encode(view, vae)[0].numpy()
            found, told = read(i)
            assert told == label
            assert np.abs(found - mean).max() < (2e-3 if dtype == "fp16" else 1e-5)
    assert not np.allclose(latents.read_flipped(0)[0], latents.read(0)[0][..., ::-1], atol=1e-2)


def test_files_hold_no_more_than_was_asked(place, tmp_path, done):
    run(place, tmp_path / "out")
    names = [INDEX, *(shard_name(i) for i in range(3))]
    assert sorted(files(tmp_path / "out")) == sorted(names) == sorted(files(done))
    assert not open_source("latents", tmp_path / "out").flips
    text = (done / INDEX).read_text()
    assert str(place) not in text


def test_to_go_on_keeps_what_is_finished(place, tmp_path, done):
    out = tmp_path / "out"
    run(place, out, "--flip")
    assert files(out) == files(done)
    (out / shard_name(1)).unlink()
    with pytest.raises(DataError, match="1 of 3 shards are missing"):
        open_source("latents", out)
    kept = (out / shard_name(0)).stat().st_mtime_ns
    run(place, out, "--flip", "--workers", "2")
    assert files(out) == files(done)
    assert (out / shard_name(0)).stat().st_mtime_ns == kept


def test_a_stop_leaves_no_half_written_shard(place, tmp_path, done):
    pictures = tmp_path / "pictures"
    for path in (place / "pictures").rglob("*.png"):
        to = pictures / path.relative_to(place / "pictures")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())
    broken = pictures / "bee" / "09.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-300])  # its header can be read
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"bee.09\.png cannot be read"):
        run(place, out, "--flip", sources=[str(pictures)])
    assert sorted(files(out)) == sorted([INDEX, shard_name(0), shard_name(1)])
    broken.write_bytes(whole)
    run(place, out, "--flip", sources=[str(pictures)])
    assert files(out) == files(done)


def test_two_processes_write_the_same_bytes(place, tmp_path, done):
    script = tmp_path / "share.py"
    script.write_text(
        "import sys, argparse\nfrom mdt import encode\nencode.PICTURES_PER_SHARD = 4\n"
        "parser = argparse.ArgumentParser()\nencode.add_arguments(parser)\n"
        "encode.run(parser.parse_args(sys.argv[1:]))\n"
    )
    out = tmp_path / "out"
    asked = [
        place / "pictures",
        "--vae",
        place / "vae",
        "-o",
        out,
        "--size=16",
        "--batch=3",
        "--flip",
    ]
    told = ranks.run([script, *asked])
    assert told.returncode == 0, told.stderr
    assert files(out) == files(done)


def test_latents_made_otherwise_are_refused(place, tmp_path, done):
    before = files(done)
    with pytest.raises(ValueError, match=r"made otherwise \(flip differ"):
        run(place, done)
    make_vae(tmp_path / "vae", seed=1)
    (tmp_path / "pictures").symlink_to(place / "pictures")
    with pytest.raises(ValueError, match=r"made otherwise \(vae differ"):
        run(tmp_path, done, "--flip")
    with pytest.raises(DataError, match=r"another VAE \(vae\).*encode the pictures with this one"):
        open_source("latents", done, vae=tmp_path / "vae")
    with pytest.raises(DataError, match="holds no VAE"):
        open_source("latents", done, vae=tmp_path / "pictures")
    assert files(done) == before


def test_bad_input_is_refused_and_writes_nothing(place, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    out = tmp_path / "out"
    for more, words in (
        (["--size", "15"], r"15x15 pixels and the VAE needs multiples of 2.*such as 16"),
        (["-o", str(tmp_path / "full")], "holds other things"),
        (["-o", str(tmp_path / "no" / "out")], "does not exist"),
        (["--vae", str(place / "pictures")], "holds no model"),
    ):
        with pytest.raises(ValueError, match=words):
            run(place, out, *more)
    with pytest.raises(ValueError, match="does not exist"):
        run(place, out, sources=[str(tmp_path / "nowhere")])
    assert not out.exists()
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_numbers_that_fp16_cannot_hold_are_refused(place, tmp_path):
    vae = diffusers.AutoencoderKL.from_pretrained(place / "vae")
    vae.register_to_config(scaling_factor=1e9)
    vae.save_pretrained(tmp_path / "vae")
    (tmp_path / "pictures").symlink_to(place / "pictures")
    with pytest.raises(ValueError, match="latents that fp16 cannot hold: encode with --dtype fp32"):
        run(tmp_path, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [INDEX]


def test_the_kind_of_a_source_by_its_path(place, done, tmp_path):
    assert type(open_any([place / "pictures"])).__name__ == "FolderSource"
    assert type(open_any([f"folder:{place / 'pictures'}"], size=8)).__name__ == "FolderSource"
    assert type(open_any([done])).__name__ == "LatentSource"
    for paths, words in (
        (["a.parquet", "b.tar"], r"several kinds \(parquet, webdataset\)"),
        (["a", "b"], "One folder at a time can be read; got 2"),
        (["a.parquet", "b.parquet"], r"a\.parquet does not exist"),
        (["webdataset:x"], "x does not exist"),
    ):
        with pytest.raises(DataError, match=words):
            open_any(paths)
    with pytest.raises(ValueError, match="no setting 'size'"):
        run(place, tmp_path / "out", sources=[str(done)])
