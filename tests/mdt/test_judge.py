"""The judge of drawn things, its training views, and its benchmark."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mdt.features import ConvNet, convnet
from mdt.features.judge import Judge, flat, open_judge
from mdt.features.shown import on_white, sticker_views

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "stickers_judge.py"


def disc(color, size=128):
    """A disc of one colour on nothing: RGBA uint8."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    inside = x**2 + y**2 < (0.42 * size) ** 2
    return np.dstack([np.full((size, size, 3), color), 255 * inside]).astype(np.uint8)


@pytest.fixture(scope="module")
def judge():
    return open_judge()


def test_the_shipped_judge_is_small_and_its_card_is_complete(judge):
    path = convnet.WEIGHTS / "judge" / "judge.safetensors"
    card = json.loads(path.with_suffix(".json").read_text())
    assert path.stat().st_size < 2.5e6
    assert len(judge.names) == len(judge.groups) == judge.network.num_classes > 1000
    assert len(set(judge.names)) == len(judge.names)
    assert card["licence"] and card["about"] and card["pictures_seen"] > 100_000
    assert card["scores"]["top5"] > 0.85


def test_it_names_plain_discs_on_white_and_with_alpha(judge):
    """A drawing that no sticker is: the nearest names are discs of that colour."""
    green, blue = disc((120, 180, 90)), disc((30, 100, 220))
    names = ["green circle", "blue circle"]
    told = judge.accuracies([green, blue], names)
    assert told == {"top1_group": 1, "top1_name": 1, "top5_name": 1}
    assert judge.accuracies([flat(green), flat(blue)], names) == told
    assert judge.accuracies([blue, green], names)["top1_name"] == 0
    # A red one is as much like a stop sign.
    assert judge.accuracies([disc((220, 40, 40))], ["red circle"])["top5_name"] == 1


def test_a_picture_is_judged_alike_whatever_comes_with_it(judge):
    pictures = [disc(color) for color in ((220, 40, 40), (30, 100, 220), (250, 200, 0))]
    together = judge.probabilities(pictures)
    assert together.shape == (3, len(judge.names))
    assert torch.equal(together[1:2], judge.probabilities(pictures[1:2]))


def test_unknown_names_and_counts_are_one_sentence(judge):
    with pytest.raises(ValueError, match="does not know the name 'zzz'"):
        judge.accuracies([disc((0, 0, 0))], ["zzz"])
    with pytest.raises(ValueError, match="there are 1 pictures and 2 names"):
        judge.accuracies([disc((0, 0, 0))], ["cat", "dog"])
    with pytest.raises(ValueError, match="1 pictures and 0 names"):
        judge.accuracies([disc((0, 0, 0))], [])


def test_a_network_without_names_is_no_judge(tmp_path, judge):
    content = (convnet.WEIGHTS / "judge" / "judge.safetensors").read_bytes()
    card = json.loads((convnet.WEIGHTS / "judge" / "judge.json").read_text())
    (tmp_path / "judge.safetensors").write_bytes(content)
    (tmp_path / "judge.json").write_text(json.dumps({**card, "names": card["names"][1:]}))
    with pytest.raises(ValueError, match="is no judge: its card tells"):
        open_judge(tmp_path)


def test_views_are_drawn_from_the_generator_and_keep_the_thing():
    rgba = torch.from_numpy(np.stack([disc((220, 40, 40), 64)] * 64)).permute(0, 3, 1, 2)
    one, two = (sticker_views(rgba, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two) and one.shape == (64, 3, 64, 64)
    assert not torch.equal(one, sticker_views(rgba, torch.Generator().manual_seed(6)))
    assert one.min() >= -1 and one.max() <= 1
    middle = one[:, :, 24:40, 24:40].mean((2, 3))
    assert ((middle[:, 0] > middle[:, 1]) & (middle[:, 0] > middle[:, 2])).float().mean() > 0.8


def test_on_white_and_flat_agree():
    rgba = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    white = on_white(torch.from_numpy(rgba).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose((white + 1) * 127.5, flat(rgba), atol=0.51)


def test_a_network_of_64_pixels_costs_what_one_of_32_does():
    large, small = ConvNet(side_px=64), ConvNet()
    x = torch.zeros(1, 3, 64, 64)
    assert [m.shape for m in large.maps(x)] == [m.shape for m in small.maps(x[..., :32, :32])]
    assert large.prepare(disc((1, 2, 3))[..., :3]).shape == (3, 64, 64)


def test_the_benchmark_reads_a_folder_by_its_file_names(tmp_path, monkeypatch, capsys):
    for name, color in (("red circle-01", (220, 40, 40)), ("blue circle-7", (30, 100, 220))):
        Image.fromarray(disc(color)).save(tmp_path / f"{name}.png")
    benchmark = runpy.run_path(str(BENCHMARK))["main"]
    monkeypatch.setattr("sys.argv", ["stickers_judge.py", str(tmp_path)])
    benchmark()
    said = capsys.readouterr().out
    told = json.loads(said.splitlines()[-1])
    assert told["pictures"] == 2 and told["top5_name"] == 1 and "symbols" in said
    monkeypatch.setattr("sys.argv", ["stickers_judge.py", "none"])
    with pytest.raises(SystemExit, match="There are no pictures in none"):
        benchmark()


def test_a_judge_says_the_groups_of_its_names():
    """With a network that sees nothing, all is one name: right for its group alone."""
    network = ConvNet((8, 8, 8, 8), 6, 64).eval()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.arange(6.0))
    judge = Judge(network, tuple("abcdef"), ("x", "x", "y", "y", "y", "z"))
    told = judge.accuracies([disc((9, 9, 9))] * 4, ["f", "e", "b", "a"])
    assert told == {"top1_group": 0.25, "top1_name": 0.25, "top5_name": 0.75}
