"""The generator that the package ships: it is whole, it draws, and its page tells the truth."""

import json
import re
import shlex
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

import mdt
from mdt.cli import build_parser
from mdt.cli import main as command
from mdt.pipeline_folder import SHIPPED

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "generator.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_page_runs_and_the_known_half_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (text,) = [text for kind, text in BLOCKS if kind == "python"]
    space = {}
    exec(compile(text, "generator.md", "exec"), space)
    apple, again, half = np.asarray(space["apple"]), np.asarray(space["again"]), space["half"]
    assert apple.shape == (128, 128, 4)
    assert np.array_equal(again[~half], apple[~half])
    assert not np.array_equal(again[half], apple[half])
    for line in (line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()):
        name, *words = shlex.split(line)
        assert name == "mdt"
        build_parser().parse_args(words)


def test_an_apple_is_red_and_a_blue_one_is_blue():
    pipe = mdt.Pipeline.from_pretrained("default")
    pipe.set_progress_bar_config(disable=True)
    prompts = ["red apple"] * 4 + ["blue apple"] * 4
    made = pipe(prompt=prompts, style="fluent", guidance_scale=2.5, num_inference_steps=12).images
    means = []
    for picture in map(np.asarray, made):
        solid = picture[..., 3] > 127
        assert 0.15 < solid.mean() < 0.95  # a thing, not a full or an empty square
        means.append(picture[..., :3][solid].mean(0))
    red, blue = np.mean(means[:4], axis=0), np.mean(means[4:], axis=0)
    assert red[0] > red[2] + 60
    assert blue[2] > blue[0] + 30


def test_words_never_trained_on_are_left_out_beside_a_picture():
    pipe = mdt.Pipeline.from_pretrained("default")
    pipe.set_progress_bar_config(disable=True)
    known = np.full((128, 128, 4), (200, 60, 40, 255), np.uint8)
    mask = np.zeros((128, 128), bool)
    mask[:, 64:] = True
    more = {"image": known, "mask": mask, "num_inference_steps": 2, "guidance_scale": 2.5}
    with pytest.warns(UserWarning, match="No word of 'a violin' was trained on") as warned:
        told = pipe(prompt=["a violin", "red apple"], style="fluent", **more).images
    assert warned[0].filename == __file__  # it points at who asked
    plain = pipe(prompt=["", "red apple"], style=None, **more).images
    apart = np.abs(np.asarray(told[0], int) - np.asarray(plain[0], int))
    assert apart.max() <= 1  # one of a batch, so rounded otherwise
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pipe(prompt="an apple", style="fluent", **more)  # known
        pipe(prompt="a violin", num_inference_steps=1)  # nothing is known: words are all there is


def test_names_and_card_go_with_the_weights():
    names = json.loads((SHIPPED / "names.json").read_text(encoding="utf-8"))
    pipe = mdt.Pipeline.from_pretrained("default")
    assert sorted(names) == sorted(pipe.id2label.values())
    assert len(names) > 200
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    assert card["pictures_seen"] > 0
    assert set(card["sha256"]) == {
        str(f.relative_to(SHIPPED)) for f in SHIPPED.rglob("*.safetensors")
    }
    total = sum(f.stat().st_size for f in SHIPPED.parent.rglob("*") if f.is_file())
    assert total <= 60e6


@pytest.mark.parametrize("harm", ["missing", "cut", "changed", "card"])
def test_damaged_weights_are_one_sentence(harm, tmp_path, monkeypatch):
    copy = tmp_path / "stickers"
    shutil.copytree(SHIPPED, copy)
    weights = copy / "model" / "diffusion_pytorch_model.safetensors"
    if harm == "missing":
        weights.unlink()
    elif harm == "card":
        (copy / "card.json").write_text("{")
    else:
        raw = bytearray(weights.read_bytes())
        raw[-5] ^= 255
        weights.write_bytes(raw[: len(raw) // 2] if harm == "cut" else raw)
    monkeypatch.setattr("mdt.pipeline_folder.SHIPPED", copy)
    with pytest.raises(ValueError, match="install the package again") as caught:
        mdt.Pipeline.from_pretrained("default")
    assert "\n" not in str(caught.value)


def test_words_are_drawn_from_the_command_line(tmp_path):
    out = tmp_path / "things.png"
    words = [
        "sample",
        "default",
        "--labels",
        "red apple,tiger",
        "--style",
        "fluent",
        "--steps",
        "2",
    ]
    assert command([*words, "-o", str(out)]) == 0
    from PIL import Image

    with Image.open(out) as grid:
        assert grid.mode == "RGBA"
        assert grid.size == (256, 128)
